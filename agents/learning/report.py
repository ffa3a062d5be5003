"""What a training run comes to: scores with their errors, and of several seeds one figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import bootstrap, trim_mean

Progress = Callable[[int, int, str], None]
"""Is told how much is done, of how much, and a note."""


@dataclass(frozen=True)
class Score:
    """A mean.

    Attributes:
        name: of what, or against whom.
        mean, error: in ``unit``, and its standard error (NaN where there is none).
        unit: of both.
        count, of: over how many deals, episodes or updates.
    """

    name: str
    mean: float
    error: float
    unit: str
    count: int
    of: str = "deals"


@dataclass(frozen=True)
class Report:
    """What came of a run.

    Attributes:
        player: the spec that plays it in a league.
        done: what was trained, such as "300,000 decisions".
        seconds: how long it took, on the clock.
        scores: of the player.
        notes: further sentences.
    """

    player: str
    done: str
    seconds: float
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = ()


def over_seeds(reports: Sequence[Report]) -> list[tuple[str, str, float, float, float]]:
    """For each score (name, unit): the interquartile mean over runs and its 95 % interval.

    The interval is a percentile bootstrap over runs (rliable: Agarwal et al., NeurIPS 2021).
    """
    rows = []
    for scores in zip(*(report.scores for report in reports), strict=True):
        values = np.array([score.mean for score in scores])
        low = high = float("nan")
        if len(values) > 1 and np.ptp(values) > 0:
            found = bootstrap(
                (values,), lambda x, axis: trim_mean(x, 0.25, axis=axis), method="percentile",
                n_resamples=2000, rng=np.random.default_rng(0),
            ).confidence_interval  # fmt: skip
            low, high = float(found.low), float(found.high)
        middle = float(trim_mean(values, 0.25))
        rows.append((scores[0].name, scores[0].unit, middle, low, high))
    return rows
