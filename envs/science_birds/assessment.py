"""From a program of drops to what the competition measures of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.envs.science_birds import drawing, grid, levels
from arena.envs.science_birds.similarity import EMBEDDING, LETTERS, SIZE, classifier
from arena.envs.science_birds.simulation import TRIES, World, judge


@dataclass(frozen=True)
class Assessment:
    """A level, ten seconds later.

    Attributes:
        failure: why the program builds no level ("" where it does); then all else is zero.
        stability: share of blocks that did not move.
        probabilities: float64 ``(26,)``, what the classifier reads; zeros after a failure.
        embedding: float64 ``(1024,)``, for diversity.
        level: the level, None after a failure.
        poses: float64 ``(n, 3)``, where its pieces came to rest.
    """

    failure: str
    stability: float
    probabilities: NDArray[np.float64]
    embedding: NDArray[np.float64]
    level: levels.Level | None
    poses: NDArray[np.float64]

    def similarity(self, letter: str) -> float:
        """The probability of ``letter``."""
        return float(self.probabilities[LETTERS.index(letter)])


def assess(
    drops: grid.Program, *, tries: int = TRIES, watch: Callable[[World], None] | None = None
) -> Assessment:
    """Build, let fall, render and read one level; about 2 ms. See ``simulation.judge``."""
    structure = grid.build(drops)
    if isinstance(structure, str) or len(drops) == 0:
        reason = structure if isinstance(structure, str) else "no block was dropped"
        return failed(reason)
    level = levels.from_structure(structure)
    verdict = judge(level, tries=tries, watch=watch)
    picture = drawing.render(drawing.outlines(level, verdict.poses), SIZE)
    probabilities, embeddings = classifier().read(picture[None])
    return Assessment("", verdict.stability, probabilities[0], embeddings[0], level, verdict.poses)


def failed(reason: str) -> Assessment:
    """What a program comes to that builds no level."""
    return Assessment(
        reason, 0.0, np.zeros(len(LETTERS)), np.zeros(EMBEDDING), None, np.zeros((0, 3))
    )


def look(structure: grid.Structure) -> NDArray[np.float64]:
    """What the classifier reads, float64 ``(26,)``, before any physics: a hint while building."""
    picture = drawing.render(drawing.structure_outlines(structure), SIZE)
    probabilities: NDArray[np.float64] = classifier().read(picture[None])[0][0]
    return probabilities
