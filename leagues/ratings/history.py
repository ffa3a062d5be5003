"""How the ratings came to be what they are: refitted on more and more of the deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.leagues.ratings import bradley_terry
from arena.leagues.ratings.bootstrap import interval, resample
from arena.leagues.ratings.estimates import plain
from arena.leagues.ratings.log import Floats, Ints, Log
from arena.leagues.ratings.tally import Tally


@dataclass(frozen=True)
class History:
    """Ratings after growing numbers of deals, in the order of the deals' numbers.

    Attributes:
        agents: ``n`` identity keys, sorted.
        deals: int64 ``(points,)``.
        rating, low, high: float64 ``(points, n)``, with 95 % intervals, infinite below two deals.
    """

    agents: tuple[str, ...]
    deals: Ints
    rating: Floats
    low: Floats
    high: Floats

    def to_json(self) -> dict[str, Any]:
        """Plain values; None where a number is not finite."""
        return {
            "agents": list(self.agents),
            "deals": self.deals.tolist(),
            "rating": plain(self.rating),
            "low": plain(self.low),
            "high": plain(self.high),
        }


def history(
    log: Log, *, seed: int, session: int = 1, samples: int = 200, points: int = 20
) -> History:
    """The ratings after each of ``points`` evenly spaced numbers of deals, the last with all.

    The deals are resampled once and added up as they come. ``session`` is that of ``summarise``;
    sessions are as long everywhere as they are at the end, so that one scale holds throughout.
    """
    n = len(log.entrants)
    cuts = np.unique(np.linspace(0, log.deals, points + 1).round().astype(np.int64))
    cuts = cuts[cuts > 0]
    rows: list[NDArray[Any]] = []
    contests = log.by_row(log.contests)
    theta = np.zeros(n)
    met = np.zeros(n, np.int64)
    done = 0
    tally = Tally.of(log, session)
    series = resample(tally, seed=seed, samples=samples, cuts=cuts.tolist())
    for cut, (wins, resampled) in zip(cuts, series, strict=True):
        met += np.bincount(contests[done:cut].indices, minlength=n)
        done = cut
        theta = bradley_terry.fit(wins, start=theta)
        draws = bradley_terry.fit(resampled, start=theta)
        rows.append(np.stack([theta, *interval(draws, met)]))
    ratings = bradley_terry.rating(np.array(rows).reshape(len(cuts), 3, n))
    return History(log.entrants, cuts, ratings[:, 0], ratings[:, 1], ratings[:, 2])
