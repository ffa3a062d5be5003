"""Leagues that a suite plays: in the folder's own database, which ``arena view`` opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arena.cli.console import meter
from arena.evaluation.answering import kept_in
from arena.leagues import runner
from arena.leagues.executors import make_executor
from arena.leagues.league import League
from arena.leagues.match import STATUS_NAMES, Status
from arena.leagues.store import Store


@dataclass
class Played:
    """What one entrant's episodes of a solo game came to, in the order of the deals.

    Attributes:
        returns: of each episode, in the game's own unit.
        tiebreaks: likewise.
        forfeits: how many episodes were forfeited, by kind (illegal, crash, timeout).
    """

    returns: list[float] = field(default_factory=list)
    tiebreaks: list[float] = field(default_factory=list)
    forfeits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATUS_NAMES[1:], 0))


def play(
    folder: Path, suite: str, configs: Sequence[Mapping[str, Any]], workers: int
) -> tuple[Store, list[League]]:
    """Run leagues to their end, one after the other; what is in the folder's log is not replayed.

    ``configs`` are leagues' configurations; ``workers`` as for ``arena tournament run``. All are
    read before the first is played, so that a mistake is told at once (InputError).
    """
    leagues = [League.from_config(dict(config), f"arena eval {suite}") for config in configs]
    store = Store(str(folder / "arena.db"), create=True)
    totals = [
        league.make_schedule().total(league.make_game().seats, len(league.entrants))
        for league in leagues
    ]
    done = 0
    with meter("matches", kept_in(folder)) as progress:
        for league, total in zip(leagues, totals, strict=True):
            with make_executor(runner.roster(league), workers) as executor:
                for state in runner.run(league, store, executor):
                    progress.update(done + state.played, sum(totals), league.name)
            done += total
    return store, leagues


def entrants(agents: Mapping[str, str], scripted: Mapping[str, str]) -> list[dict[str, str]]:
    """A roster: the agents that are evaluated, then the scripted ones beside them."""
    every = {**scripted, **agents}
    return [{"name": name, "spec": every[name]} for name in (*agents, *scripted)]


def episodes(store: Store, league: League) -> dict[str, Played]:
    """The episodes of a solo league by the entrant's name."""
    played = {name: Played() for name in league.names.values()}
    results = [result for _, result in store.results(league)]
    for result in sorted(results, key=lambda result: result.match.first_deal):
        for number, seating in enumerate(result.match.seatings):
            own = played[league.names[result.match.entrants[seating[0]]]]
            own.returns += result.returns[:, number, 0].tolist()
            own.tiebreaks += result.tiebreaks[:, number, 0].tolist()
            for status in Status:
                if status is not Status.DONE:
                    count = int(np.sum(result.statuses[:, number, 0] == status))
                    own.forfeits[STATUS_NAMES[status]] += count
    return played
