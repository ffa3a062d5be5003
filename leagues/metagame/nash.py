"""Nash averaging: the mixture of agents that none of them beats (Balduzzi, Tuyls, Pérolat, Graepel,
NeurIPS 2018).

A copy of an agent shares its weight and changes no one's payoff against the mixture; who loses to
all has no weight, however many of the weak there are to beat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd
from scipy.optimize import linprog, minimize
from scipy.special import softmax

Floats = NDArray[np.float64]

#: Singular values below this share of the payoffs are rounding.
_ROUNDING = 1e-9


def maximum_entropy_nash(payoff: Floats) -> Floats:
    """The most even of all mixtures p that nobody beats: ``payoff @ p`` is nowhere above 0.

    Args:
        payoff: float64 ``(n, n)``, what row earns against column: ``payoff == -payoff.T``.

    Float64 ``(n,)``, a distribution. The equilibria form a polytope, and entropy, being strictly
    concave, has one maximum on it, so copies get equal shares.

    A linear program finds who has weight in any equilibrium. Those are even against every
    equilibrium (Goldman and Tucker's strict complementarity), which leaves linear equations for
    them and inequalities for the others; the maximum is found by its convex dual.
    """
    n = len(payoff)
    largest = np.abs(payoff).max(initial=0)
    if n == 0 or largest == 0:
        return np.full(n, 1 / max(1, n))
    payoff = payoff / largest
    support = _support(payoff)
    mixture = np.zeros(n)
    mixture[support] = _most_even(
        payoff[np.ix_(support, support)], payoff[np.ix_(~support, support)]
    )
    return mixture


def _support(payoff: Floats) -> NDArray[np.bool_]:
    """Who has weight in some equilibrium, bool ``(n,)``.

    In the cone of all multiples of equilibria p, as many as can be reach weight 1 together:
    maximise Σu for u ≤ p, u ≤ 1, payoff · p ≤ 0.
    """
    n = len(payoff)
    rows = np.block([[payoff, np.zeros((n, n))], [-np.eye(n), np.eye(n)]])
    cost = np.concatenate([np.zeros(n), -np.ones(n)])
    bounds = [(0, None)] * n + [(0, 1)] * n
    found = linprog(cost, A_ub=rows, b_ub=np.zeros(2 * n), bounds=bounds, method="highs")
    support: NDArray[np.bool_] = found.x[n:] > 0.5
    return support


def _most_even(even: Floats, below: Floats) -> Floats:
    """The p ≥ 0 of largest entropy with ``even`` · p = 0, ``below`` · p ≤ 0 and sum 1.

    It is softmax of a combination of the rows, whose weights minimise its normaliser.
    """
    k = len(even)
    _, sizes, rows = svd(even)
    rank = int((sizes > _ROUNDING).sum())
    if rank >= k - 1:  # the equilibrium is the only one
        alone = np.abs(rows[-1])
        only: Floats = alone / alone.sum()
        return only
    lengths = np.linalg.norm(below, axis=1, keepdims=True)
    combined = np.concatenate([rows[:rank], below / np.where(lengths > 0, lengths, 1)])

    def normaliser(weights: Floats) -> tuple[float, Floats]:
        exponents = -weights @ combined
        top = exponents.max()
        value = float(top + np.log(np.exp(exponents - top).sum()))
        return value, -combined @ softmax(exponents)

    bounds = [(None, None)] * rank + [(0, None)] * len(below)
    options = {"maxiter": 10_000, "maxfun": 100_000, "ftol": 1e-15, "gtol": 1e-10}
    found = minimize(
        normaliser, np.zeros(len(combined)), jac=True, bounds=bounds, method="L-BFGS-B",
        options=options,
    )  # fmt: skip
    even_one: Floats = softmax(-found.x @ combined)
    return even_one
