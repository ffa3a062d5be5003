"""What a match is, what it results in, and how a block of matches is played.

A match is a lineup and a run of deals, and nothing else decides it: a deal's cards come from the
match's seed and the deal's number, a player's randomness from the deal, the seat and the number of
its decision, and so does what is drawn from a policy that it declares. Every deal is played once
for each *seating*: for a duel both ways round, for a full table in every rotation, for a solo game
once for each entrant. Two copies of one agent therefore tie exactly.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.answers import Status as Status
from arena.envs import seeding

STATUS_NAMES = tuple(status.name.lower() for status in Status)
"""The words for statuses that replays and tables use, by value."""


@dataclass(frozen=True)
class Match:
    """Entrants who meet on the deals ``first_deal`` … ``first_deal + deals - 1``.

    Attributes:
        game: canonical game spec.
        game_version: of its rules.
        entrants: identity keys of the agents, in the order that seatings number them.
        specs: their canonical specs.
        seed: the league's seed; every match of a league plays the same deals.
        seatings: for each way to play a deal, which entrant sits at each seat.
    """

    game: str
    game_version: int
    entrants: tuple[str, ...]
    specs: tuple[str, ...]
    seed: int
    first_deal: int
    deals: int
    seatings: tuple[tuple[int, ...], ...]

    @cached_property
    def id(self) -> str:
        """16 hex digits, a function of all the above: the same match has the same id anywhere."""
        facts = [
            self.game,
            self.game_version,
            self.entrants,
            self.seed,
            self.first_deal,
            self.deals,
            self.seatings,
        ]
        return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:16]


def deal_seed(seed: int, deal: int) -> int:
    """The seed that every table of the league's deal number ``deal`` begins with."""
    return seeding.derive(seed, "deal", deal)


def seat_seed(seed: int, deal: int, seat: int) -> int:
    """The seed of the randomness of whoever sits at ``seat`` in that deal, in any seating."""
    return seeding.derive(seed, "deal", deal, "seat", seat)


def draw_seed(seed: int, deal: int, seat: int) -> int:
    """The seed from which that seat's actions are drawn where its player declares a policy.

    No player is told: who knows its own ``seat_seed`` learns nothing of what it will draw.
    """
    return seeding.derive(seed, "deal", deal, "draw", seat)


@dataclass(frozen=True)
class Result:
    """What a match came to. Axes: deal, seating, seat (not entrant).

    Attributes:
        returns, tiebreaks: float64 ``(deals, seatings, seats)``, in the game's own unit.
        statuses: uint8 of the same shape, ``Status`` values.
        decisions: how many decisions were taken.
        seconds: wall time of the match's share of its block; not part of what is compared.
        replay: the match's replay, JSON Lines compressed by zstd (see ``arena.leagues.replay``).
    """

    match: Match
    returns: NDArray[np.float64]
    tiebreaks: NDArray[np.float64]
    statuses: NDArray[np.uint8]
    decisions: int
    seconds: float
    replay: bytes

    def forfeited(self, status: Status) -> set[str]:
        """The entrants that forfeited an episode with that status."""
        turns, seats = np.nonzero((self.statuses == status).any(axis=0))
        seatings = [self.match.seatings[turn] for turn in turns.tolist()]
        return {
            self.match.entrants[seating[seat]]
            for seating, seat in zip(seatings, seats.tolist(), strict=True)
        }


def seatings(seats: int, entrants: int) -> tuple[tuple[int, ...], ...]:
    """The seatings of one deal: rotations of the lineup, or each entrant alone where seats is 1."""
    if seats == 1:
        return tuple((entrant,) for entrant in range(entrants))
    if seats != entrants:
        raise ValueError(f"{entrants} entrants for {seats} seats")
    return tuple(
        tuple((seat + turn) % entrants for seat in range(seats)) for turn in range(entrants)
    )
