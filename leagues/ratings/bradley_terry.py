"""Bradley–Terry strengths, many data sets at a time.

Entrant i finishes ahead of entrant j with probability 1 / (1 + exp(θ_j - θ_i)) (Bradley and Terry,
Biometrika 39, 1952); a tie is half a win for each. The fit is the mode of the posterior under a
prior of *one virtual tie for each entrant, spread evenly over all others*. It keeps the unbeaten
finite and joins those who never met, it weighs one contest whatever the size of the league, and it
is exact where there are two: w wins in n give a difference of log((w + ½) / (n - w + ½)).

A contest of many counts as all its pairs. Under Plackett and Luce's model of rankings each pair
follows Bradley and Terry with the same strengths, so the strengths found are those that a fit of
whole rankings finds (full rank-breaking is consistent: Azari Soufiani, Chen, Parkes, Xia, NIPS
2013). Where that model holds to the letter the errors are 5 to 11 % larger (measured at 6 and 9
seats); in return ties are taken as they come, an n × n table of wins is all that is needed of a
league, and there is one rating for all kinds of games. What the pairs of one table have in common
is left to the bootstrap over deals.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from arena.leagues.ratings.log import Floats

#: Points on the Elo-like scale for each unit of θ: 400 points are odds of ten to one.
POINTS = 400 / np.log(10)
#: The rating of a player who would score ½ on average against a league's entrants.
CENTRE = 1500.0

_TOLERANCE = 1e-7
_MOST_STEPS = 200


def fit(wins: Floats, start: Floats | None = None) -> Floats:
    """Strengths θ that make ``wins`` most likely, float64 ``(…, n)``.

    Args:
        wins: float64 ``(…, n, n)``, how often row was ahead of column, ties half, the prior's
            virtual contests included; the diagonal is ignored. The pairs with wins both ways must
            join all entrants, which ``prior`` sees to.
        start: where the search begins, broadcast to ``(…, n)``; changes the time, not the answer.

    Newton's method with steps shortened to log(1 + δ) of their length δ, by which every step is an
    ascent without a line search: the likelihood is generalised self-concordant (Sun, Tran-Dinh,
    Mathematical Programming 178, 2019). The answer is centred as ``centred`` does.
    """
    shape, n = wins.shape[:-1], wins.shape[-1]
    if n < 2 or not wins.size:
        return np.zeros(shape)
    wins = wins.reshape(-1, n, n) * ~np.eye(n, dtype=bool)
    theta = np.zeros((len(wins), n))
    if start is not None:
        theta += np.broadcast_to(start, shape).reshape(-1, n)
    left = np.arange(len(wins))
    for _ in range(_MOST_STEPS):
        chance = expit(theta[left, :, None] - theta[left, None, :])
        missed = chance.transpose(0, 2, 1)
        surplus = wins[left] * missed
        slope = surplus.sum(axis=2) - surplus.sum(axis=1)
        curve = (wins[left] + wins[left].transpose(0, 2, 1)) * chance * missed
        diagonal = curve.sum(axis=2)
        # Only differences are determined. Of all steps take that whose mean, weighted by what is
        # known of each entrant, is 0: so the little that is known of an extreme one isn't drowned.
        curvature = diagonal[:, :, None] * (diagonal / diagonal.sum(axis=1, keepdims=True))[:, None]
        curvature -= curve
        curvature[:, range(n), range(n)] += diagonal
        step = np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        length = np.ptp(step, axis=1)
        theta[left] += step * (np.log1p(length) / np.where(length > 0, length, 1))[:, None]
        left = left[length > _TOLERANCE]
        if not len(left):
            break
    return centred(theta).reshape(shape)


def prior(n: int) -> Floats:
    """The prior's virtual wins of row over column, float64 ``(n, n)``: half a win each entrant."""
    if n < 2:
        return np.zeros((n, n))
    return np.where(np.eye(n, dtype=bool), 0, 0.5 / (n - 1))


def centred(theta: Floats) -> Floats:
    """``theta`` shifted so that strength 0 scores ½ on average against the entrants.

    Shifting by the mean would let one entrant of whom little is known, or who has lost every
    contest, move all others.
    """
    theta = theta - theta.mean(axis=-1, keepdims=True)
    for _ in range(_MOST_STEPS):
        chance = expit(theta)
        slope = (0.5 - chance).sum(axis=-1, keepdims=True)
        step = slope / (chance * expit(-theta)).sum(axis=-1, keepdims=True)
        length = np.abs(step)
        theta = theta + np.sign(step) * np.log1p(length)
        if length.max(initial=0) < _TOLERANCE:
            break
    return theta


def rating(theta: Floats) -> Floats:
    """Strengths on the Elo-like scale."""
    points: Floats = CENTRE + POINTS * theta
    return points
