"""Means and win rates with standard errors and intervals, from totals by deal.

All of them are ratios of sums over deals (what was earned to the episodes, wins to contests), with
the variance of a ratio estimator over clusters (Cochran, Sampling Techniques, 1977, §6): deals are
independent of one another, what happens within one is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import betaincinv

from arena.leagues.ratings.bootstrap import interval, reach, tail
from arena.leagues.ratings.cells import Cells, Floats, Ints

#: From so many deals that were all alike it follows, at 95 %, that 19 of 20 deals are.
_FEWEST_ALIKE = 59


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error and its 95 % interval; NaN where nothing is known."""

    value: float
    error: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Plain values; None where a number is not finite."""
        return {name: plain(value) for name, value in vars(self).items()}


@dataclass(frozen=True)
class Estimates:
    """Arrays of estimates, all of one shape; ``deals`` says from how many deals each is."""

    value: Floats
    error: Floats
    low: Floats
    high: Floats
    deals: Ints

    def __getitem__(self, index: int | tuple[int, ...]) -> Estimate:
        arrays = (self.value, self.error, self.low, self.high)
        return Estimate(*(float(array[index]) for array in arrays))

    def to_json(self) -> dict[str, Any]:
        """Nested lists; None where a number is not finite."""
        return {name: plain(array) for name, array in vars(self).items()}


def plain(value: Any) -> Any:
    """An array or number as JSON has it: lists, and None for what is not finite."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f" or np.isfinite(value).all():
            return value.tolist()
        known = value.astype(object)
        known[~np.isfinite(value)] = None
        return known.tolist()
    return value if not isinstance(value, float) or math.isfinite(value) else None


def means(cells: Cells, amounts: Floats, counts: Floats, scale: float = 1.0) -> Estimates:
    """What there is of each column's ``amounts`` for one of its ``counts``, times ``scale``.

    Args:
        cells: by deal and column.
        amounts, counts: float64 ``(cells,)``.

    Where few deals decide much, Student's t over deals covers too little. The interval is that of
    a t statistic from which the skewness has been taken (Hall, Journal of the Royal Statistical
    Society B 54, 1992: a cubic that is monotone and corrects the level to second order). One deal
    has an infinite interval, and so have fewer than 59 deals that are all alike: that they are says
    nothing of what is rare.
    """
    total = cells.total(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = cells.total(amounts) / total
        residual = amounts - np.nan_to_num(value)[cells.column] * counts
        residual[np.abs(residual) <= 1e-9 * np.abs(amounts)] = 0  # rounding
        return spread(cells, scale * value, scale * residual / total[cells.column])


def spread(cells: Cells, value: Floats, parts: Floats) -> Estimates:
    """Estimates ``(columns,)`` whose errors are sums of independent ``parts`` ``(cells,)``."""
    deals, square, cube = cells.deals, cells.total(parts**2), cells.total(parts**3)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(square * deals / np.maximum(deals - 1, 1))
        skew = np.where(square > 0, cube * np.sqrt(deals) / square**1.5, 0)
        unknown = (deals < 2) | ((square == 0) & (deals < _FEWEST_ALIKE))
        error = np.where(deals == 1, np.inf, error)
        ends = [value - error * _hall(side * reach(deals), skew, deals) for side in (1, -1)]
    low, high = (
        np.where(unknown, value - np.inf, ends[0]),
        np.where(unknown, value + np.inf, ends[1]),
    )
    return Estimates(value, error, low, high, deals)


def _hall(t: Floats, skew: Floats, deals: Ints) -> Floats:
    """The skewed t statistic whose transform by Hall's cubic is ``t``."""
    lean = np.where(np.abs(skew) < 1e-6, 1e-6, skew) / np.sqrt(deals)
    root: Floats = (np.cbrt(1 + lean * (t - lean / 6)) - 1) * 3 / lean
    return root


def win_rates(cells: Cells, wins: Floats, contests: Floats) -> Estimates:
    """The share of each column's ``contests`` that were won.

    Args:
        cells: by deal and column.
        wins, contests: float64 ``(cells,)``; ties are half a win.

    Error and interval are those of the Beta distribution with the mean and variance that a
    Bayesian bootstrap over deals has, one contest half won and half lost being its prior. For one
    contest a deal without ties that is Jeffreys' Beta(w + ½, n - w + ½). The interval leaves out as
    much of it as ``bootstrap.tail`` says; one deal has [0, 1].
    """
    deals = cells.deals
    with np.errstate(divide="ignore", invalid="ignore"):
        total = cells.total(contests)
        value = cells.total(wins) / total
        mean = (cells.total(wins) + 0.5) / (total + 1)
        squares = cells.total((wins - mean[cells.column] * contests) ** 2)
        squares += (mean**2 + (1 - mean) ** 2) / 2
        variance = squares / ((total + 1) / (deals + 1)) ** 2 / ((deals + 1) * (deals + 2))
        weight = mean * (1 - mean) / variance - 1
        beyond = tail(deals)
        low, high = (
            np.where(deals > 0, betaincinv(weight * mean, weight * (1 - mean), share), np.nan)
            for share in (beyond, 1 - beyond)
        )
    error = np.where(deals > 0, np.sqrt(variance), np.nan)
    return Estimates(value, error, low, high, deals)


def shares(won: Floats, lost: Floats, draws: tuple[Floats, Floats], deals: Ints) -> Estimates:
    """The share of ``won`` in both, with error and interval from resamples.

    Args:
        won, lost: float64 ``(rows,)``.
        draws: the same two resampled, float64 ``(rows, samples)``.
        deals: int64 ``(rows,)``, from how many deals they are.
    """
    with np.errstate(invalid="ignore"):
        value = won / (won + lost)
        rates = draws[0] / (draws[0] + draws[1])
    low, high = (
        np.where(deals > 0, np.clip(end, 0, 1), np.nan)
        for end in interval(np.nan_to_num(rates), deals)
    )
    error = np.where(deals > 0, rates.std(axis=1), np.nan)
    return Estimates(value, error, low, high, deals)
