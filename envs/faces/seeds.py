"""Where the seeds of one episode after the other come from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.game import Ints


class Seeds:
    """Episode k of a row follows from the row's own seed and k, whatever else is played.

    A row that has never been given a seed has one of the system's.
    """

    def __init__(self, count: int) -> None:
        self._bases: NDArray[np.uint64] = np.random.SeedSequence().generate_state(count, np.uint64)  # type: ignore[assignment]
        self._episodes = np.zeros(count, np.int64)

    def give(self, row: int, seed: int | None) -> None:
        """The row's next episode is the first of ``seed``; of the last one's next where None."""
        if seed is None:
            return
        self._bases[row], self._episodes[row] = seeding.derive(seed, "episodes"), 0

    def draw(self, rows: Ints) -> NDArray[np.uint64]:
        """The seeds of the next episodes of ``rows``, uint64 ``(n,)``."""
        seeds = seeding.spread(self._bases[rows], self._episodes[rows])
        self._episodes[rows] += 1
        return seeds
