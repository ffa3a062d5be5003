"""What a block is to play: every deal of every match in every seating, each one *job*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from arena.envs.game import Ints
from arena.leagues.match import Match, deal_seed, draw_seed, seat_seed


@dataclass(frozen=True)
class Plan:
    """The jobs of a block, the first match's first, so that it is over first. Arrays are by job.

    Attributes:
        agents: keys of all who play, sorted; elsewhere an agent is an index into this.
        spans: each match's jobs, in the order of its deals and, within a deal, of its seatings.
        match, deal, seating: int64 ``(jobs,)``; deals are counted from the match's first.
        entrants, players: int64 ``(jobs, seats)``, who sits where: the match's entrant, the agent.
        deal_seeds: uint64 ``(jobs,)``; seat_seeds, draw_seeds: uint64 ``(jobs, seats)``: what its
            player is told, and what nobody is told.
    """

    matches: Sequence[Match]
    agents: Sequence[str]
    spans: Sequence[slice]
    match: Ints
    deal: Ints
    seating: Ints
    entrants: Ints
    players: Ints
    deal_seeds: NDArray[np.uint64]
    seat_seeds: NDArray[np.uint64]
    draw_seeds: NDArray[np.uint64]

    @classmethod
    def of(cls, matches: Sequence[Match], seats: int) -> Self:
        """The plan of a block of at least one match in a game of ``seats`` seats."""
        agents = sorted({key for match in matches for key in match.entrants})
        number = {key: index for index, key in enumerate(agents)}
        ends = np.cumsum([match.deals * len(match.seatings) for match in matches]).tolist()
        deals = [np.arange(match.deals).repeat(len(match.seatings)) for match in matches]
        entrants = [np.tile(np.array(m.seatings, np.int64), (m.deals, 1)) for m in matches]
        keys = [np.array([number[key] for key in match.entrants]) for match in matches]
        seeds = np.array(
            [
                row
                for m in matches
                for deal in range(m.first_deal, m.first_deal + m.deals)
                for row in [_seeds(m.seed, deal, seats)] * len(m.seatings)
            ],
            np.uint64,
        )
        return cls(
            matches=matches,
            agents=agents,
            spans=[slice(*span) for span in zip([0, *ends], ends, strict=False)],
            match=np.arange(len(matches)).repeat([len(d) for d in deals]),
            deal=np.concatenate(deals),
            seating=np.concatenate([np.tile(np.arange(len(m.seatings)), m.deals) for m in matches]),
            entrants=np.concatenate(entrants),
            players=np.concatenate([own[who] for own, who in zip(keys, entrants, strict=True)]),
            deal_seeds=seeds[:, 0],
            seat_seeds=seeds[:, 1 : 1 + seats],
            draw_seeds=seeds[:, 1 + seats :],
        )

    def __len__(self) -> int:
        return len(self.match)


@lru_cache(maxsize=4096)  # all pairs of a league play the same deals
def _seeds(seed: int, deal: int, seats: int) -> tuple[int, ...]:
    every = range(seats)
    told = [seat_seed(seed, deal, seat) for seat in every]
    return deal_seed(seed, deal), *told, *(draw_seed(seed, deal, seat) for seat in every)
