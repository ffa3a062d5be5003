"""The share of sessions won: of all sessions that can be drawn from a pair's deals.

A session is K deals drawn from those that a pair has played, with replacement. Who is ahead after
it, and how often, is what drawing endlessly many sessions would tell. Here it is worked out
instead: the distribution of one deal's gain is put on a grid, and that of a sum of K is its K-fold
convolution, a power of its Fourier transform. A gain between two points of the grid is divided
between them so that its mean stays what it is.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, rfft
from scipy.special import ndtri

from arena.leagues.ratings.cells import Floats, Ints, Pairs

_POINTS = 8192
#: Beyond so many standard deviations nothing is left to tell.
_REACH = 7.0
#: How many pairs are worked on at a time.
_BLOCK = 256


def shares(pair: Ints, gains: Floats, pairs: int, session: int) -> Floats:
    """The share of sessions after which i is ahead, an even total half, float64 ``(pairs,)``.

    Args:
        pair: int64 ``(r,)``, whose deal it was.
        gains: float64 ``(r,)``, what i gained on j in it.
        session: K, how many deals a session has.

    NaN for a pair without deals.
    """
    count, mean, spread = _moments(pair, gains, pairs)
    largest = np.zeros(pairs)
    np.maximum.at(largest, pair, np.abs(gains))
    width = np.abs(session * mean) + _REACH * np.sqrt(session) * spread + largest
    step = np.where(width > 0, 2 * width / _POINTS, 1)
    at = gains / step[pair]
    below = np.floor(at).astype(np.int64)
    part = at - below
    found = np.full(pairs, np.nan)
    order = np.argsort(pair, kind="stable")
    ends = np.searchsorted(pair[order], np.arange(0, pairs + _BLOCK, _BLOCK))
    for number, first in enumerate(range(0, pairs, _BLOCK)):
        rows = order[ends[number] : ends[number + 1]]
        size = min(_BLOCK, pairs - first)
        base = (pair[rows] - first) * _POINTS
        weights = np.concatenate([1 - part[rows], part[rows]])
        points = np.concatenate([base + (below[rows] + up) % _POINTS for up in (0, 1)])
        mass = np.bincount(points, weights, size * _POINTS).reshape(size, _POINTS)
        with np.errstate(invalid="ignore"):
            density = mass / count[first : first + size, None]
            total = irfft(rfft(density) ** session, _POINTS)
        # The upper half of the grid stands for totals below 0, which wrap around.
        ahead = total[:, 1 : _POINTS // 2].sum(axis=1) + total[:, [0, _POINTS // 2]].sum(axis=1) / 2
        found[first : first + size] = np.clip(ahead, 0, 1)
    return found


def correction(pairs: Pairs, gains: Floats, session: int) -> Floats:
    """By how much the share differs from the normal distribution's, in its standard deviations.

    Args:
        gains: float64 ``(rows of pairs,)``.

    Float64 ``(m,)``: the c for which Φ(√K · m / s + c) is the share; 0 where a session is all but
    decided or always even.
    """
    pair, count = pairs.cells.column[pairs.cells.row], len(pairs.i)
    if session == 1:
        return np.zeros(count)
    _, mean, spread = _moments(pair, gains, count)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.sqrt(session) * mean / spread
        shift = ndtri(shares(pair, gains, count, session)) - reach
    told = np.isfinite(shift) & (np.abs(reach) < _REACH / 2)
    return np.where(told, shift, 0)


def _moments(pair: Ints, gains: Floats, pairs: int) -> tuple[Floats, Floats, Floats]:
    """Each pair's number of deals, their mean gain and its standard deviation."""
    count, total, square = (
        np.bincount(pair, weights, pairs).astype(np.float64)
        for weights in (np.ones(len(pair)), gains, gains**2)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        return count, mean, np.sqrt(np.maximum(square / count - mean**2, 0))
