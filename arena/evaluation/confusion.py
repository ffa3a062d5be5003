"""How well classes are told apart: accuracy, precision, recall and F1, with intervals.

An answer that is none (None) is never right: it takes from the recall of its true class and from
the precision of none. Resampling is that of ``estimates``: rows get exponential weights, and every
share its prior of half a row right and half a row wrong; F1 is computed in each resample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.evaluation.estimates import SAMPLES
from arena.leagues.ratings.bootstrap import interval
from arena.leagues.ratings.estimates import Estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Of one class. Precision is nan where the class was never answered, recall where it never was.

    F1 is 2 · hits / (answered + true): 0 where one was and the other was not, nan where neither.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True)
class Confusion:
    """Answers against the truth.

    Attributes:
        counts: by (truth, answer), the answer None where there was none.
        accuracy: share of rows answered rightly.
        classes: scores by class; macro: the mean of their F1, without those that are nan.
    """

    counts: Mapping[tuple[str, str | None], int]
    accuracy: Estimate
    classes: Mapping[str, Scores]
    macro: Estimate


def confusion(
    truth: Sequence[str], answers: Sequence[str | None], classes: Sequence[str], *, seed: int = 0
) -> Confusion:
    """Compare answers with the truth, row by row, at least one; ``classes`` are all there are."""
    counts: dict[tuple[str, str | None], int] = {}
    for pair in zip(truth, answers, strict=True):
        counts[pair] = counts.get(pair, 0) + 1
    generator = np.random.default_rng(seed)
    cells = list(counts)
    sizes = np.array([counts[cell] for cell in cells], np.float64)
    draws = generator.standard_gamma(sizes, (SAMPLES, len(cells)))  # sums of exponential weights

    def total(chosen: list[bool]) -> tuple[float, Floats]:
        rows = np.array(chosen)
        return float(sizes[rows].sum()), draws[:, rows].sum(axis=1)

    def share(hits: tuple[float, Floats], of: tuple[float, Floats]) -> tuple[float, Floats]:
        prior = generator.standard_gamma(0.5, (2, SAMPLES))
        resampled = (hits[1] + prior[0]) / (of[1] + prior.sum(axis=0))
        return hits[0] / of[0] if of[0] else float("nan"), resampled

    right = total([true == said for true, said in cells])
    accuracy = _estimate(*share(right, total([True] * len(cells))), len(truth))
    found, f1s, f1_draws = {}, [], []
    for name in classes:
        hits = total([true == said == name for true, said in cells])
        answered = total([said == name for _, said in cells])
        wanted = total([true == name for true, _ in cells])
        precision, recall = share(hits, answered), share(hits, wanted)
        both = answered[0] + wanted[0]
        f1 = 2 * hits[0] / both if both else float("nan")
        drawn = 2 * precision[1] * recall[1] / (precision[1] + recall[1])
        found[name] = Scores(
            _estimate(*precision, int(answered[0])),
            _estimate(*recall, int(wanted[0])),
            _estimate(f1, drawn, int(max(answered[0], wanted[0]))),
        )
        if both:
            f1s.append(f1)
            f1_draws.append(drawn)
    macro = _estimate(float(np.mean(f1s)), np.mean(f1_draws, axis=0), len(truth))
    return Confusion(counts, accuracy, found, macro)


def _estimate(value: float, draws: Floats, rows: int) -> Estimate:
    if not rows:
        return Estimate(float("nan"), float("nan"), float("nan"), float("nan"))
    low, high = interval(draws[None], np.array([rows]))  # infinite for a single row
    return Estimate(
        value,
        float(draws.std()),
        min(max(float(low[0]), 0.0), value),
        max(min(float(high[0]), 1.0), value),
    )
