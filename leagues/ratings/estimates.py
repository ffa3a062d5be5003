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
from scipy.sparse import csr_array, dia_array
from scipy.special import betaincinv

from arena.leagues.ratings.bootstrap import interval, reach, tail
from arena.leagues.ratings.log import Floats, Ints


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

    def matrix(self, order: Ints) -> Estimates:
        """As a square matrix whose rows and columns are the entrants in ``order``."""
        n, cells = len(order), np.ix_(order, order)
        return Estimates(*(array.reshape(n, n)[cells] for array in vars(self).values()))

    def to_json(self) -> dict[str, Any]:
        """Nested lists; None where a number is not finite."""
        return {name: plain(array) for name, array in vars(self).items()}


def plain(value: Any) -> Any:
    """An array or number as JSON has it: lists, and None for what is not finite."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None


def means(amounts: csr_array, counts: csr_array, scale: float = 1.0) -> Estimates:
    """What there is of each column's ``amounts`` for one of its ``counts``, times ``scale``.

    Args:
        amounts, counts: float64 ``(deals, columns)``.

    The interval is Student's t over deals; one deal has an infinite one.
    """
    deals = _deals(counts)
    total = counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = amounts.sum(axis=0) / total
        squares = _squared_residuals(amounts, counts, np.nan_to_num(value))
        error = np.sqrt(squares * deals / np.maximum(deals - 1, 1)) / total
        value, error = scale * value, abs(scale) * np.where(deals == 1, np.inf, error)
        width = np.where(deals == 1, np.inf, reach(np.maximum(deals, 2)) * error)
    return Estimates(value, error, value - width, value + width, deals)


def win_rates(wins: csr_array, contests: csr_array) -> Estimates:
    """The share of each column's ``contests`` that were won.

    Args:
        wins, contests: float64 ``(deals, columns)``; ties are half a win.

    Error and interval are those of the Beta distribution with the mean and variance that a
    Bayesian bootstrap over deals has, one contest half won and half lost being its prior. For one
    contest a deal without ties that is Jeffreys' Beta(w + ½, n - w + ½). The interval leaves out as
    much of it as ``bootstrap.tail`` says; one deal has [0, 1].
    """
    deals = _deals(contests)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = contests.sum(axis=0)
        value = wins.sum(axis=0) / total
        mean = (wins.sum(axis=0) + 0.5) / (total + 1)
        squares = _squared_residuals(wins, contests, mean) + (mean**2 + (1 - mean) ** 2) / 2
        variance = squares / ((total + 1) / (deals + 1)) ** 2 / ((deals + 1) * (deals + 2))
        weight = mean * (1 - mean) / variance - 1
        beyond = tail(deals)
        low, high = (
            np.where(deals > 0, betaincinv(weight * mean, weight * (1 - mean), share), np.nan)
            for share in (beyond, 1 - beyond)
        )
    error = np.where(deals > 0, np.sqrt(variance), np.nan)
    return Estimates(value, error, low, high, deals)


def shares(
    wins: Floats, losses: Floats, draws: tuple[Floats, Floats], contests: csr_array
) -> Estimates:
    """The share of ``wins`` in wins and losses, with error and interval from resamples of both.

    Args:
        wins, losses: float64 ``(columns,)``.
        draws: the same two resampled, float64 ``(samples, columns)``.
        contests: float64 ``(deals, columns)``.
    """
    deals = _deals(contests)
    won, lost = draws
    with np.errstate(invalid="ignore"):
        value = wins / (wins + losses)
        rates = won / (won + lost)
    low, high = (
        np.where(deals > 0, np.clip(end, 0, 1), np.nan)
        for end in interval(np.nan_to_num(rates), deals)
    )
    error = np.where(deals > 0, rates.std(axis=0), np.nan)
    return Estimates(value, error, low, high, deals)


def _deals(counts: csr_array) -> Ints:
    """On how many deals each column has any count."""
    deals: Ints = np.bincount(counts.indices[counts.data > 0], minlength=counts.shape[1])
    return deals


def _squared_residuals(amounts: csr_array, counts: csr_array, value: Floats) -> Floats:
    """Each column's sum over deals of (amount - value × count)²."""
    residual = amounts - counts @ dia_array((value[None], [0]), shape=(len(value), len(value)))
    squares: Floats = residual.power(2).sum(axis=0)
    return squares
