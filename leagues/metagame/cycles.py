"""How much of a league is a ladder and how much goes round (Balduzzi, Tuyls, Pérolat, Graepel,
NeurIPS 2018; Jiang, Lim, Yao, Ye, Mathematical Programming 127, 2011)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def hodge(payoff: Floats) -> tuple[Floats, Floats]:
    """What each agent earns on average, and the payoffs that this leaves over.

    Args:
        payoff: float64 ``(n, n)``, what row earns against column: ``payoff == -payoff.T``.

    Returns float64 ``(n,)``, the means r, and float64 ``(n, n)``, the cyclic part: payoffs less
    rᵢ - rⱼ. All its rows sum to 0: it is a sum of cycles, and orthogonal to every ladder.
    """
    means = payoff.mean(axis=1) if len(payoff) else np.zeros(0)
    return means, payoff - (means[:, None] - means)


def transitivity(payoff: Floats) -> float:
    """The share of the squared payoffs that the means explain: 1 a ladder, 0 all cycles.

    NaN where nobody earns anything.
    """
    whole = float((payoff**2).sum())
    return 1 - float((hodge(payoff)[1] ** 2).sum()) / whole if whole else float("nan")
