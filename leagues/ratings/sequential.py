"""Tests and intervals that hold however often one looks, and so may end what they look at.

- ``llr``: the generalised sequential probability ratio of scores in classes, as chess engines are
  tested by (Van den Bergh's GSPRT, in fishtest on pairs of games with their colours swapped);
- ``normal_llr``: the same of means in their standard deviations;
- ``half_width``: an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas,
  Annals of Statistics 52, 2024). Its level is approached from the wrong side where few deals decide
  much, so nothing is read from it before ``FEWEST`` deals, and more where they lie askew;
- ``bets``: an exact one for values between 0 and 1, by bets against a mean (Waudby-Smith, Ramdas,
  Journal of the Royal Statistical Society B 86, 2024).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from arena.leagues.ratings.cells import Floats

#: How often a league may stop for what is not so.
ALPHA = 0.05
#: Deals before which an asymptotic sequence says nothing.
FEWEST = 100
#: The same for each unit of squared skewness.
_SKEWED = 50
#: At how many deals an asymptotic sequence is to be narrowest.
_NARROWEST = 1000
#: What an empty class counts.
_EMPTY = 1e-3
#: Steps to the standard deviation under which a mean is so many of them.
_STEPS = 10


def llr(counts: Floats, h0: float, h1: float) -> float:
    """How many times likelier the scores are under ``h1`` than under ``h0``, as a logarithm.

    Args:
        counts: float64 ``(classes,)``, how many deals scored 0, …, 1 in even steps.
        h0, h1: the mean score that each says.
    """
    counts = np.where(counts > 0, counts, _EMPTY)
    scores, shares = np.linspace(0, 1, len(counts)), counts / counts.sum()
    likeliest = [_tilted(shares, scores - mean) for mean in (h0, h1)]
    return float(counts.sum() * (shares * np.log(likeliest[1] / likeliest[0])).sum())


def normalised_llr(counts: Floats, t0: float, t1: float) -> float:
    """The same where each says how many standard deviations the mean score lies above ½."""
    counts = np.where(counts > 0, counts, _EMPTY)
    scores, shares = np.linspace(0, 1, len(counts)), counts / counts.sum()
    likeliest = []
    for t in (t0, t1):
        found = np.full(len(shares), 1 / len(shares))
        for _ in range(_STEPS):
            mean = found @ scores
            spread = np.sqrt(found @ (scores - mean) ** 2)
            bent = 1 + ((mean - scores) / spread) ** 2
            found = _tilted(shares, scores - 0.5 - t * spread * bent / 2)
        likeliest.append(found)
    return float(counts.sum() * (shares * np.log(likeliest[1] / likeliest[0])).sum())


def _tilted(shares: Floats, off: Floats) -> Floats:
    """The likeliest shares under which ``off`` is 0 on average: p / (1 + x · off)."""
    low, high = -1 / off.max(), -1 / off.min()
    inside = 1e-12 * (high - low)
    x = brentq(lambda x: (shares * off / (1 + x * off)).sum(), low + inside, high - inside)
    tilted: Floats = shares / (1 + x * off)
    return tilted


def normal_llr(mean: float, spread: float, count: int, t0: float, t1: float) -> float:
    """The same of values with any spread: n / 2 · ln((1 + (T - t₀)²) / (1 + (T - t₁)²)).

    Args:
        mean, spread: of the values, and their standard deviation.
        t0, t1: the mean in standard deviations, under either.
    """
    t = mean / spread
    return float(count / 2 * np.log((1 + (t - t0) ** 2) / (1 + (t - t1) ** 2)))


def half_width(count: Floats, alpha: float = ALPHA) -> Floats:
    """Half the width of an asymptotic confidence sequence of a mean, in standard deviations.

    Args:
        count: float64, of how many values.
        alpha: how often it may miss the mean at any time.
    """
    more = -2 * np.log(alpha)
    rho2 = (more + np.log(more + 1)) / _NARROWEST
    t = count * rho2
    half: Floats = np.sqrt(2 * (t + 1) / (count * t) * np.log(np.sqrt(t + 1) / alpha))
    return half


def lead(values: Floats, alpha: float = ALPHA) -> int:
    """1 where the mean has at some time been above 0 beyond doubt, -1 below, 0 neither.

    Args:
        values: float64 ``(n,)``, in the order in which they came; of any size.
    """
    count = np.arange(1, len(values) + 1, dtype=np.float64)
    mean, square, cube = (np.cumsum(values**power) / count for power in (1, 2, 3))
    variance = np.maximum(square - mean**2, 0)
    third = np.abs(cube - 3 * mean * square + 2 * mean**3)
    sure = np.abs(mean) > np.sqrt(variance) * half_width(count, alpha)
    sure &= (count >= FEWEST) & (count * variance**3 >= _SKEWED * third**2)
    return int(np.sign(mean[sure.argmax()])) if sure.any() else 0


def bets(values: Floats, mean: float = 0.5, alpha: float = ALPHA) -> int:
    """1 where the true mean is above ``mean`` beyond doubt, -1 below, 0 neither; exact.

    Args:
        values: float64 ``(n,)``, from 0 to 1, in the order in which they came.

    Two gamblers bet on it being above and below, each no more than it can lose, by what was seen
    before. If ``mean`` is the truth either gets rich (2 / α) with probability α / 2 at most.
    """
    count = np.arange(1, len(values) + 1, dtype=np.float64)
    so_far = (np.cumsum(values) + 0.5) / (count + 1)
    variance = (np.cumsum((values - so_far) ** 2) + 0.25) / (count + 1)
    lagged = np.concatenate([[0.25], variance[:-1]])
    stake = np.sqrt(2 * np.log(2 / alpha) / (lagged * count * np.log1p(count)))
    off = values - mean
    above = np.cumsum(np.log1p(np.minimum(stake, 0.5 / mean) * off))
    below = np.cumsum(np.log1p(-np.minimum(stake, 0.5 / (1 - mean)) * off))
    rich = np.log(2 / alpha)
    if above.max(initial=0) >= rich:
        return 1
    return -1 if below.max(initial=0) >= rich else 0
