"""Resampling a league's deals, and intervals from the resamples.

The deal is what is resampled, with everything that was played on it by whomever: what two results
share because they share cards is kept together, as a bootstrap over clusters must.

The resampling is Bayesian (Rubin, Annals of Statistics 9, 1981): instead of being drawn 0, 1, 2, …
times, each deal gets an exponential weight. Its spread is the ordinary bootstrap's, but no deal is
ever lost, so no entrant is ever cut off from the others. The prior of the fit is resampled too: a
pair's virtual wins and losses are gamma variates with the prior's counts as their shapes. For two
entrants without ties the resampled win rates are then draws from Jeffreys' Beta posterior, whose
intervals cover well for few deals too (Brown, Cai, DasGupta, Statistical Science 16, 2001). The
ordinary bootstrap gives an unbeaten entrant an interval of no width at all: it knows only the
deals that were seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr, stdtrit

from arena.leagues.ratings import bradley_terry
from arena.leagues.ratings.log import Floats, Ints
from arena.leagues.ratings.tally import Tally

#: The share of intervals that should cover the truth.
LEVEL = 0.95

#: Above so many deals, neighbouring ones are resampled together: the spread is the same and the
#: time does not grow with the log.
_MOST_UNITS = 5000
#: How many numbers of the deals' sums are unpacked at a time.
_CHUNK = 4_000_000


def resample(
    tally: Tally, *, seed: int, samples: int, cuts: Sequence[int]
) -> Iterator[tuple[Floats, Floats]]:
    """For each of the growing ``cuts``, the wins on that many first deals, and resamples of them.

    Args:
        cuts: numbers of deals, not falling, at most as many as there are.

    Yields float64 ``(n, n)`` and ``(samples, n, n)``, the prior included. A resample's weights of
    the first deals are the same at every cut.
    """
    n, (deals, columns) = tally.n, tally.sums.shape
    generator = np.random.default_rng(seed)
    prior = bradley_terry.prior(n)
    virtual = generator.standard_gamma(prior, (samples, n, n))
    total, resampled = np.zeros(columns), np.zeros((samples, columns))
    rows = max(1, _CHUNK // max(1, columns))
    done = 0
    for cut in cuts:
        units = _pooled(tally.sums[done:cut], 1 + _MOST_UNITS * (cut - done) // max(1, deals))
        for first in range(0, units.shape[0], rows):
            part = units[first : first + rows].toarray()
            total += part.sum(axis=0)
            resampled += generator.standard_exponential((len(part), samples)).T @ part
        done = cut
        yield tally.wins(total) + prior, tally.resampled_wins(resampled, total) + virtual


def _pooled(sums: csr_array, units: int) -> csr_array:
    """``sums`` with neighbouring rows added up to no more than ``units``."""
    deals = sums.shape[0]
    if deals <= units:
        return sums
    unit = np.arange(deals) * units // deals
    adder = csr_array((np.ones(deals), (unit, np.arange(deals))), shape=(units, deals))
    return adder @ sums


def interval(draws: Floats, deals: Ints) -> tuple[Floats, Floats]:
    """The ends of the interval that each column of ``draws`` spans, float64 shaped ``draws[0]``.

    Args:
        draws: float64 ``(samples, …)``.
        deals: int64, broadcast to ``draws[0]``: from how many deals each column is known.

    The percentiles are those of ``tail``; one deal gives no spread, so its interval is infinite.
    """
    deals = np.asarray(deals)
    share = tail(deals)
    draws = np.sort(draws, axis=0)
    known = np.broadcast_to(deals > 1, draws.shape[1:])
    low = np.where(known, _quantile(draws, share), -np.inf)
    return low, np.where(known, _quantile(draws, 1 - share), np.inf)


def tail(deals: Ints) -> Floats:
    """How much of the resamples of ``deals`` deals lies beyond either end of the interval.

    The resamples of d deals have (d - 1) / (d + 1) of the variance they should have, and Student's
    t reaches further than a normal distribution. So this is the tail beyond which a normal
    distribution reaches as far as a t interval with the right variance (the expanded percentile
    interval of Hesterberg, The American Statistician 69, 2015): 2.5 % for many deals, 0 for one.
    """
    share: Floats = ndtr(-reach(deals) * np.sqrt((deals + 1) / np.maximum(deals - 1, 1)))
    return share


def reach(deals: Ints, beyond: float = (1 - LEVEL) / 2) -> Floats:
    """How many standard errors a t interval from ``deals`` deals reaches out; inf below two."""
    freedom = np.maximum(deals - 1, 1)
    return np.where(deals > 1, stdtrit(freedom, 1 - beyond), np.inf)


def _quantile(ordered: Floats, share: Floats) -> Floats:
    """The quantile ``share`` of each column, between the two draws next to it."""
    at = np.broadcast_to(share * (len(ordered) - 1), ordered.shape[1:])
    below = np.floor(at).astype(np.int64)
    left = np.take_along_axis(ordered, below[None], axis=0)[0]
    right = np.take_along_axis(ordered, np.ceil(at).astype(np.int64)[None], axis=0)[0]
    quantile: Floats = left + (at - below) * (right - left)
    return quantile
