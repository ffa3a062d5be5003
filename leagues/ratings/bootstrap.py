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
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from arena.leagues.ratings.cells import Floats, Ints
from arena.leagues.ratings.tally import Tally

#: The share of intervals that should cover the truth.
LEVEL = 0.95
#: Of a virtual contest no less than this share is kept. One entrant's come to as little in 4
#: resamples of 1,000; less would only move who is out of sight, at a great cost.
_LEAST = 1e-5


@dataclass(frozen=True)
class Sample:
    """Contests won by i and by j of each of ``m`` pairs, the prior's included.

    Attributes:
        won, lost: float64 ``(m, 1)``, as the log has it.
        resampled: the same of resampled deals, float64 ``(m, samples)`` each.
    """

    won: Floats
    lost: Floats
    resampled: tuple[Floats, Floats]


def resample(
    tally: Tally, prior: Floats, *, seed: int, samples: int, cuts: Sequence[int]
) -> Iterator[Sample]:
    """For each of the growing ``cuts``, the wins on that many first units, and resamples of them.

    Args:
        prior: float64 ``(m, 1)``, virtual wins of either of each pair.
        cuts: numbers of the tally's units, not falling, at most as many as there are.

    A resample's weights of the first units are the same at every cut.
    """
    columns = tally.sums.shape[1]
    generator = np.random.default_rng(seed)
    virtual = generator.standard_gamma(prior, (2, len(prior), samples))
    virtual = np.maximum(virtual, _LEAST * prior)
    total, resampled = np.zeros((columns, 1)), np.zeros((columns, samples))
    done = 0
    for cut in cuts:
        part = tally.sums[done:cut]
        total += part.sum(axis=0)[:, None]
        resampled += part.T @ generator.standard_exponential((cut - done, samples))
        done = cut
        won, lost = tally.wins(total)
        drawn = tally.resampled_wins(resampled, total)
        yield Sample(won + prior, lost + prior, (drawn[0] + virtual[0], drawn[1] + virtual[1]))


def interval(draws: Floats, deals: Ints) -> tuple[Floats, Floats]:
    """The ends of the interval that each row of ``draws`` spans, float64 ``(rows,)``, twice.

    Args:
        draws: float64 ``(rows, samples)``.
        deals: int64 ``(rows,)``: from how many deals each row is known.

    The percentiles are those of ``tail``; one deal gives no spread, so its interval is infinite.
    """
    share = tail(deals)
    draws = np.sort(draws, axis=1)
    low, high = quantile(draws, share), quantile(draws, 1 - share)
    return np.where(deals > 1, low, -np.inf), np.where(deals > 1, high, np.inf)


def tail(deals: Ints) -> Floats:
    """How much of the resamples of ``deals`` deals lies beyond either end of the interval.

    The resamples of d deals have (d - 1) / (d + 1) of the variance they should have, and Student's
    t reaches further than a normal distribution. So this is the tail beyond which a normal
    distribution reaches as far as a t interval with the right variance (the expanded percentile
    interval of Hesterberg, The American Statistician 69, 2015): 2.5 % for many deals, 0 for one.
    """
    share: Floats = ndtr(-reach(deals) * wider(deals))
    return share


def wider(deals: Ints) -> Floats:
    """How many times wider the truth is spread than resamples of so many deals."""
    ratio: Floats = np.sqrt((deals + 1) / np.maximum(deals - 1, 1))
    return ratio


def reach(deals: Ints, beyond: Floats | float = (1 - LEVEL) / 2) -> Floats:
    """How many standard errors a t interval from ``deals`` deals reaches out; inf below two."""
    freedom = np.maximum(deals - 1, 1)
    return np.where(deals > 1, stdtrit(freedom, 1 - beyond), np.inf)


def quantile(ordered: NDArray[Any], share: Floats | float) -> Floats:
    """The quantile ``share`` of each row, between the two draws next to it.

    Draw number k of S, in order, is the quantile k / (S + 1): on average so much of the whole
    distribution lies below it.
    """
    count = ordered.shape[-1]
    at = np.clip(np.broadcast_to(share, ordered.shape[:-1]) * (count + 1) - 1, 0, count - 1)
    below = np.floor(at).astype(np.int64)
    left = np.take_along_axis(ordered, below[..., None], axis=-1)[..., 0]
    right = np.take_along_axis(ordered, np.ceil(at).astype(np.int64)[..., None], axis=-1)[..., 0]
    found: Floats = left + (at - below) * (right - left)
    return found
