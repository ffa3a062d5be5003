"""What a learner lives through: decisions at many tables, laid out for an on-policy update.

At a table several seats may be the learner's. Each is a stream of its own: a decision's successor
is the same seat's next one, not the table's. The rows are in the order of play, ``steps`` at a
time; ``advantages`` walks them backwards with one carry for each seat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.networks.encodings import VECTOR, Arrays, Encoding
from arena.envs.game import Ints

Floats = NDArray[np.float32]


class Experience:
    """The decisions of one rollout.

    Args:
        encoding: of the observations.
        tables, seats, actions: how many.
        steps: how often the tables are stepped in a rollout.

    Attributes:
        rows: how many decisions there are.
        arrays: the observations by name, first axis the decision. Of a vector only the columns in
            use are written (``columns``), the others are zero.
        table, seat, action, mask, log_probability, value: of each decision.
        gains: float32 ``(steps, tables, seats)``, what each step added to each seat's return.
        ended: bool ``(steps, tables)``, whether an episode ended with the step.
    """

    def __init__(
        self, encoding: Encoding, tables: int, seats: int, actions: int, steps: int
    ) -> None:
        capacity = steps * tables * seats  # of what nobody writes the system keeps no memory
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((capacity, *shape), dtype)
            for name, (shape, dtype) in encoding.shapes.items()
        }
        self.columns = 0
        self.table = np.zeros(capacity, np.int32)
        self.seat = np.zeros(capacity, np.int32)
        self.action = np.zeros(capacity, np.int64)
        self.mask = np.zeros((capacity, actions), np.bool_)
        self.log_probability = np.zeros(capacity, np.float32)
        self.value = np.zeros(capacity, np.float32)
        self.gains = np.zeros((steps, tables, seats), np.float32)
        self.ended = np.zeros((steps, tables), np.bool_)
        self.clear()

    def clear(self) -> None:
        """Forget the last rollout."""
        self.rows, self.step = 0, 0
        self._starts = [0]

    def observe(self, arrays: Arrays) -> tuple[slice, Arrays]:
        """Keep the observations of the learner's turns: their rows, and what is kept there."""
        first = next(iter(arrays.values()))
        rows = slice(self.rows, self.rows + len(first))
        for name, values in arrays.items():
            kept = self.arrays[name]
            if name == VECTOR:
                self.columns = max(self.columns, values.shape[1])
                kept[rows, : values.shape[1]] = values
                kept[rows, values.shape[1] : self.columns] = 0
            else:
                kept[rows] = values
        self.rows = rows.stop
        return rows, {name: self.shown(name)[rows] for name in arrays}

    def shown(self, name: str) -> NDArray[Any]:
        """An array of the observations, without the columns that nobody has used."""
        kept = self.arrays[name]
        return kept[:, : self.columns] if name == VECTOR else kept

    def act(self, rows: slice, tables: Ints, seats: Ints, mask: NDArray[np.bool_],
            actions: Ints, log_probability: Floats, value: Floats) -> None:  # fmt: skip
        """Keep what was done at these rows."""
        self.table[rows], self.seat[rows] = tables, seats
        self.mask[rows], self.action[rows] = mask, actions
        self.log_probability[rows], self.value[rows] = log_probability, value

    def end_step(self, gains: NDArray[np.floating[Any]], ended: NDArray[np.bool_]) -> None:
        """The tables have been stepped: what each seat gained, and where an episode ended."""
        self.gains[self.step], self.ended[self.step] = gains, ended
        self.step += 1
        self._starts.append(self.rows)

    def advantages(self, last: Floats, gamma: float, gae_lambda: float) -> tuple[Floats, Floats]:
        """Generalised advantage estimates and the returns they lead to, float32 ``(rows,)``.

        ``last`` is the value of what each seat sees after the last step, ``(tables, seats)``.
        Source: Schulman et al., arXiv 1506.02438.
        """
        found = np.zeros(self.rows, np.float32)
        _backwards(
            np.array(self._starts), self.table, self.seat, self.value, self.gains, self.ended,
            last.copy(), gamma, gae_lambda, found,
        )  # fmt: skip
        return found, found + self.value[: self.rows]


@numba.njit(cache=True)
def _backwards(
    starts: Ints, table: NDArray[np.int32], seat: NDArray[np.int32], value: Floats, gains: Floats,
    ended: NDArray[np.bool_], following: Floats, gamma: float, gae_lambda: float, found: Floats,
) -> None:  # fmt: skip
    """``following`` is the value of each seat's next decision; the other carries begin at 0."""
    advantage = np.zeros_like(following)
    gain = np.zeros_like(following)
    for step in range(len(starts) - 2, -1, -1):
        for i in range(len(following)):
            if ended[step, i]:
                following[i], advantage[i], gain[i] = 0, 0, 0
            gain[i] += gains[step, i]
        for row in range(starts[step], starts[step + 1]):
            i, s = table[row], seat[row]
            delta = gain[i, s] + gamma * following[i, s] - value[row]
            found[row] = delta + gamma * gae_lambda * advantage[i, s]
            following[i, s], advantage[i, s], gain[i, s] = value[row], found[row], 0


def minibatches(
    rows: int, count: int, epochs: int, shuffle: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Row numbers in ``count`` parts of almost equal size, shuffled anew for each epoch."""
    return [
        part for _ in range(epochs) for part in np.array_split(shuffle.permutation(rows), count)
    ]


def sequences(
    steps: int, episodes: int, count: int, epochs: int, shuffle: np.random.Generator
) -> list[NDArray[np.int64]]:
    """The same of whole sequences: all rows of some episodes' first steps, then their second …"""
    first = np.arange(steps)[:, None] * episodes
    return [(first + part).ravel() for part in minibatches(episodes, count, epochs, shuffle)]


def gather(arrays: Mapping[str, NDArray[Any]], rows: Ints) -> dict[str, NDArray[Any]]:
    """These rows of each array."""
    return {name: values[rows] for name, values in arrays.items()}
