"""Decisions of a match log as examples that a language model learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from arena.agents.llm.learning.examples import Example
from arena.agents.llm.learning.scribe import Scribe
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.leagues.match import Match
from arena.leagues.replay import Replay, walk


def returns(replay: Replay) -> NDArray[np.float64]:
    """A replay's returns as a ``Result`` has them, float64 ``(deals, seatings, seats)``."""
    match = replay.match
    earned = np.array([episode.returns for episode in replay.episodes])
    return earned.reshape(match.deals, len(match.seatings), -1)


def winners(played: Iterable[tuple[Match, NDArray[np.float64]]]) -> set[str]:
    """The key of the entrant with the highest mean return over these matches and their returns.

    Every seat of every table counts alike, forfeits among them. Of several with the same mean, who
    are rare, all.
    """
    sums: dict[str, float] = defaultdict(float)
    tables: dict[str, int] = defaultdict(int)
    for match, earned in played:
        for turn, seating in enumerate(match.seatings):
            for seat, entrant in enumerate(seating):
                key = match.entrants[entrant]
                sums[key] += float(earned[:, turn, seat].sum())
                tables[key] += match.deals
    means = {key: sums[key] / tables[key] for key in sums}
    return {key for key, mean in means.items() if mean == max(means.values())}


def named(matches: Iterable[Match], specs: Collection[str]) -> set[str]:
    """The keys of the entrants of these specs or keys; InputError for one that did not play."""
    known: dict[str, str] = {}
    for match in matches:
        for key, spec in zip(match.entrants, match.specs, strict=True):
            known |= {key: key, spec: key}
    for spec in specs:
        if spec not in known:
            played = ", ".join(sorted(set(known) - set(known.values())))
            raise InputError(f"{spec} is in none of these matches; there played: {played}")
    return {known[spec] for spec in specs}


def learn_from(
    game: Game, replay: Replay, keys: Collection[str], scribe: Scribe
) -> Iterator[Example]:
    """The decisions of the entrants ``keys`` in a match of ``game``, forfeits left out.

    The states are played again from the seeds, so that the prompts are those of the match. Raises
    InputError where the record cannot have happened.
    """
    match = replay.match
    for episode in replay.episodes:
        seating = [match.entrants[entrant] for entrant in match.seatings[episode.seating]]
        scribe.begin(0)
        for tables, batch in walk(game, match, episode):
            for line in batch:
                seat = line["seat"]
                if seating[seat] in keys and "status" not in line:
                    turns = Turns(tables, np.zeros(1, np.int64), np.array([seat]))
                    yield scribe.write(
                        turns, 0, line["action"],
                        match=match.id, deal=episode.deal, seating=episode.seating, seat=seat,
                    )  # fmt: skip
