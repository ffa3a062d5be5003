"""How the ratings came to be what they are: refitted on more and more of the deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.leagues.ratings import bradley_terry
from arena.leagues.ratings.bootstrap import interval, resample
from arena.leagues.ratings.bradley_terry import Model
from arena.leagues.ratings.cells import Floats, Ints
from arena.leagues.ratings.estimates import plain
from arena.leagues.ratings.log import Log
from arena.leagues.ratings.ranking import settlers
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

    The deals are resampled once and added up as they come. ``session`` is that of ``summarise``.
    """
    n, pairs, tally = len(log.entrants), log.pairs, Tally.of(log, session)
    units = len(tally.deals)
    cuts = np.unique(np.linspace(0, units, points + 1).round().astype(np.int64))
    cuts = cuts[cuts > 0]
    model = Model(n, pairs.i, pairs.j, settlers(log.earned[0].deals, session))
    ends = np.cumsum(tally.deals)[cuts - 1]
    # A deal on which an entrant met somebody is a cell.
    who, when = pairs.entrants.column, pairs.entrants.deal
    rows: list[NDArray[Any]] = []
    series = resample(tally, model.prior, seed=seed, samples=samples, cuts=cuts.tolist())
    for end, sample in zip(ends, series, strict=True):
        met = np.bincount(who[when < end], minlength=n)
        theta = model.fit(sample.won, sample.lost)
        draws = model.fit(*sample.resampled)
        rows.append(np.stack([theta[:, 0], *interval(draws, met)]))
    ratings = bradley_terry.rating(np.array(rows).reshape(len(cuts), 3, n))
    return History(log.entrants, ends, ratings[:, 0], ratings[:, 1], ratings[:, 2])
