"""One table over many games: each game counts the same, however much of it was played."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from arena.leagues.league import League
from arena.leagues.ratings import Estimate, Ranking
from arena.leagues.ratings.bootstrap import reach


@dataclass(frozen=True)
class Overall:
    """An agent over all games.

    Attributes:
        name: as leagues call it; who is called alike in two leagues is taken for one.
        score: the mean over its games of its share of contests won, in %; the interval is Student's
            t over games, unknown for one game.
        games: its share of contests won in each, in %, by the game's spec; the mean where several
            leagues play the same game.
    """

    name: str
    score: Estimate
    games: dict[str, float]


def overall(tables: Iterable[tuple[League, Ranking]]) -> list[Overall]:
    """All agents that met somebody, those of the most games first, then by score.

    Scores of agents that played other games, or met others there, are not comparable.
    """
    shares: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for league, ranking in tables:
        for standing in ranking.standings:
            if not np.isnan(standing.win_rate.value):
                share = 100 * standing.win_rate.value
                shares[league.names[standing.agent]][league.game].append(share)
    rows = [
        _over({game: float(np.mean(found)) for game, found in sorted(games.items())}, name)
        for name, games in shares.items()
    ]
    return sorted(rows, key=lambda row: (-len(row.games), -row.score.value, row.name))


def _over(games: dict[str, float], name: str) -> Overall:
    found, count = np.array(list(games.values())), np.array([len(games)])
    value = float(found.mean())
    error = float(found.std(ddof=1) / np.sqrt(len(found))) if len(found) > 1 else np.inf
    half = float(reach(count)[0]) * error
    return Overall(name, Estimate(value, error, value - half, value + half), games)
