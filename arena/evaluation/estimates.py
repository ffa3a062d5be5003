"""Shares, means and their differences, with intervals from resampled rows.

The resampling is the Bayesian bootstrap that leagues use (``arena.leagues.ratings.bootstrap``):
every row gets an exponential weight, the same for all columns, so that columns that were measured
on the same rows are compared row by row. A share is resampled together with its prior, one row half
right and half wrong: of independent rows it then has the interval of Jeffreys' Beta(right + ½,
wrong + ½). One row alone tells nothing: its interval is all there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arena.leagues.ratings.bootstrap import interval
from arena.leagues.ratings.estimates import Estimate

Floats = NDArray[np.float64]
K = TypeVar("K")
SAMPLES = 2000
_CHUNK = 500  # rows whose weights are drawn at a time


def shares(right: Mapping[K, Floats], *, seed: int = 0) -> dict[K, Estimate]:
    """How much of each column is right, each float64 ``(n,)`` in [0, 1]."""
    total, weight, generator = _resample(list(right.values()), seed)
    virtual = generator.standard_gamma(0.5, (2, SAMPLES, 1))
    draws = (total + virtual[0]) / (weight + virtual.sum(axis=0))
    return _estimates(right, draws, (0.0, 1.0))


def means(values: Mapping[K, Floats], *, seed: int = 0) -> dict[K, Estimate]:
    """The mean of each column, float64 ``(n,)``: of differences, say, or of returns."""
    total, weight, _ = _resample(list(values.values()), seed)
    return _estimates(values, total / weight)


def _resample(columns: list[Floats], seed: int) -> tuple[Floats, Floats, np.random.Generator]:
    generator = np.random.default_rng(seed)
    values = np.stack(columns, axis=1).astype(np.float64)
    total, weight = np.zeros((SAMPLES, values.shape[1])), np.zeros((SAMPLES, 1))
    for first in range(0, len(values), _CHUNK):
        part = values[first : first + _CHUNK]
        weights = generator.standard_exponential((SAMPLES, len(part)))
        total += weights @ part
        weight += weights.sum(axis=1, keepdims=True)
    return total, weight, generator


def _estimates(
    columns: Mapping[K, Floats], draws: Floats, limits: tuple[float, float] = (-np.inf, np.inf)
) -> dict[K, Estimate]:
    rows = np.array([len(column) for column in columns.values()])
    low, high = np.clip(interval(draws.T, rows), *limits)
    return {
        name: Estimate(float(column.mean()), float(spread), float(at), float(to))
        for (name, column), spread, at, to in zip(
            columns.items(), draws.std(axis=0), low, high, strict=True
        )
    }
