"""α-Rank: how much of the time evolution spends with each agent (Omidshafiei et al., Scientific
Reports 9, 2019).

A population of copies of one agent is met by a mutant of another, which takes it over with a
probability that follows from what the two earn. The ranking is the stationary distribution of the
chain of agents that this makes. Cycles share the mass of what they beat; copies count as often as
they are there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

Floats = NDArray[np.float64]

#: Less probable changes would be lost among the rest.
_LEAST = 1e-100


def alpha_rank(
    payoff: Floats, *, alpha: float = np.inf, population: int = 50, mutation: float = 1e-4
) -> Floats:
    """The stationary distribution over agents, float64 ``(n,)``.

    Args:
        payoff: float64 ``(n, n)``, what row earns against column, in any game of two.
        alpha: how strongly what is earned decides. Where it is infinite whoever earns more takes
            over but for a share ``mutation``, as often as either where both earn the same.
        population: of how many the population is; at least 2. It does not matter where ``alpha`` is
            infinite.
    """
    n = len(payoff)
    if n < 2:
        return np.ones(n)
    if np.isinf(alpha):
        ahead = np.sign(payoff - payoff.T)
        takes = 0.5 + (0.5 - mutation) * ahead
    else:
        takes = _fixation(payoff, alpha, population)
    return _stationary(np.maximum(takes.T, _LEAST) / (n - 1))


def _fixation(payoff: Floats, alpha: float, m: int) -> Floats:
    """How probably one of row takes over a population of column, float64 ``(n, n)``.

    It is 1 / (1 + Σₗ Πₚ₌₁…ₗ exp(-α (fᵣ(p) - fₛ(p)))) over l = 1 … m - 1, f(p) being what is earned
    while p of the m are of row; summed as logarithms, so that it never overflows.
    """
    own = np.diagonal(payoff)
    p = np.arange(1, m)[:, None, None]
    row = (p - 1) * own[:, None] + (m - p) * payoff
    column = p * payoff.T + (m - p - 1) * own
    total = np.cumsum(-alpha * (row - column) / (m - 1), axis=0)
    fixation: Floats = np.exp(-np.logaddexp(0, logsumexp(total, axis=0)))
    return fixation


def _stationary(rates: Floats) -> Floats:
    """The distribution that a chain with these rates ``(from, to)`` keeps.

    By elimination of one state after the other without a subtraction (Grassmann, Taksar, Heyman,
    Operations Research 33, 1985): each share is exact to rounding, however rare it is.
    """
    rates = rates.copy()
    n = len(rates)
    np.fill_diagonal(rates, 0)
    for k in range(n - 1, 0, -1):
        rates[:k, k] /= rates[k, :k].sum()
        rates[:k, :k] += np.outer(rates[:k, k], rates[k, :k])
    share = np.ones(n)
    for k in range(1, n):
        share[k] = share[:k] @ rates[:k, k]
        share /= share.max()
    whole: Floats = share / share.sum()
    return whole
