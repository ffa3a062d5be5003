"""What an off-policy learner keeps: a ring of linked decisions, and a reservoir of choices."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.networks.encodings import VECTOR, Arrays, Encoding
from arena.envs.errors import InputError
from arena.envs.game import Ints

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

OPEN, ENDED = -1, -2  # what follows a decision: not known yet, or the end


class Memory:
    """Rows of what was seen, what was legal and what was chosen; the base of the two below.

    Attributes:
        size: how many rows are filled, the first ones.
        arrays: the observations by name, first axis the row; of a vector only the columns in use
            are written (``columns``), the others are zero.
        mask, action: what was legal, and what was chosen.
    """

    saved: tuple[str, ...] = ("mask", "action")  # what ``state`` keeps beside the observations

    def __init__(self, encoding: Encoding, actions: int, capacity: int) -> None:
        self.capacity, self.size, self.columns = capacity, 0, 0
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.zeros((capacity, *shape), dtype)
            for name, (shape, dtype) in encoding.shapes.items()
        }
        self.mask = np.zeros((capacity, actions), np.bool_)
        self.action = np.zeros(capacity, np.int64)

    def seen(self, rows: Ints) -> Arrays:
        """The observations of these rows."""
        return {name: self._shown(name)[rows] for name in self.arrays}

    def state(self) -> dict[str, Tensor]:
        """The filled rows, copied."""
        parts = {f"arrays.{name}": self._shown(name) for name in self.arrays}
        parts |= {name: getattr(self, name) for name in self.saved}
        return {name: torch.from_numpy(part[: self.size].copy()) for name, part in parts.items()}

    def restore(self, parts: dict[str, Tensor]) -> None:
        """Take ``state`` back."""
        self.size = len(parts["action"])
        for name, part in parts.items():
            kind, _, key = name.partition(".")
            if kind == "arrays":
                self._write(key, slice(self.size), part.numpy())
            elif name in self.saved:
                getattr(self, name)[: self.size] = part.numpy()
        taken = self.action[: self.size]
        if not ((taken >= 0) & (taken < self.mask.shape[1])).all():
            raise InputError("a decision that is kept has an action that the game has not")

    def _shown(self, name: str) -> NDArray[Any]:
        kept = self.arrays[name]
        return kept[:, : self.columns] if name == VECTOR else kept

    def _write(self, name: str, rows: Ints | slice, values: NDArray[Any]) -> None:
        kept = self.arrays[name]
        if name != VECTOR:
            kept[rows] = values
            return
        self.columns = max(self.columns, values.shape[1])
        kept[rows, : values.shape[1]] = values
        kept[rows, values.shape[1] : self.columns] = 0


class ReplayMemory(Memory):
    """A ring of decisions, each of which knows the same seat's next one.

    So returns of any number of steps are added up when they are asked for, and an observation is
    kept once. A row is always older than what follows it: it is overwritten first.

    Args:
        encoding: of the observations; actions, tables, seats: how many.
        capacity: decisions that are kept.

    Attributes:
        gain: what the seat earned between a decision and its next one, or the end.
        following: the row of the next decision, OPEN or ENDED.
        at: the row to be written next.
        last: the row of each seat's last decision in the episode under way, or -1.
    """

    saved = ("mask", "action", "gain", "following")

    def __init__(
        self, encoding: Encoding, actions: int, tables: int, seats: int, capacity: int
    ) -> None:
        super().__init__(encoding, actions, capacity)
        self.gain = np.zeros(capacity, np.float32)
        self.following = np.full(capacity, OPEN)
        self.at = 0
        self.last = np.full((tables, seats), -1)

    def restore(self, parts: dict[str, Tensor]) -> None:
        """Take ``state`` back."""
        super().restore(parts)
        after = self.following[: self.size]
        if not ((after >= ENDED) & (after < self.size)).all():
            raise InputError("a decision that is kept is followed by none that is")

    def add(self, arrays: Arrays, mask: Bools, actions: Ints, tables: Ints, seats: Ints) -> None:
        """Decisions are taken."""
        rows = (self.at + np.arange(len(tables))) % self.capacity
        self.last[np.isin(self.last, rows)] = -1  # so old that it is overwritten
        before = self.last[tables, seats]
        self.following[before[before >= 0]] = rows[before >= 0]
        for name, values in arrays.items():
            self._write(name, rows, values)
        self.mask[rows], self.action[rows] = mask, actions
        self.gain[rows], self.following[rows] = 0.0, OPEN
        self.last[tables, seats] = rows
        self.at = int(self.at + len(rows)) % self.capacity
        self.size = min(self.size + len(rows), self.capacity)

    def earn(self, gains: NDArray[np.floating[Any]]) -> None:
        """Each seat has earned so much since the last step, ``(tables, seats)``."""
        at = self.last >= 0
        self.gain[self.last[at]] += gains[at]

    def end(self, tables: Ints) -> None:
        """Episodes are over at these tables."""
        rows = self.last[tables]
        self.following[rows[rows >= 0]] = ENDED
        self.last[tables] = -1

    def cut(self, tables: Ints, final: Arrays) -> None:
        """A limit ended the episodes; ``final`` is what all their seats saw then, one by one.

        Returns go on from there by the value of what was seen. What would have been legal nobody
        says; it is taken for what was legal before.
        """
        seats = self.last.shape[1]
        tables, places = np.repeat(tables, seats), np.tile(np.arange(seats), len(tables))
        rows = self.last[tables, places]
        mine = rows >= 0
        arrays = {name: values[mine] for name, values in final.items()}
        tables, places, rows = tables[mine], places[mine], rows[mine]
        self.add(arrays, self.mask[rows], self.action[rows], tables, places)
        self.last[tables, places] = -1

    def forget(self) -> None:
        """The episodes under way will not be continued."""
        self.last[:] = -1

    def sample(self, count: int, draw: np.random.Generator) -> Ints:
        """Rows of which is known what followed, uniformly and with repetition."""
        known = np.flatnonzero(self.following[: self.size] != OPEN)
        return known[draw.integers(len(known), size=count)]

    def returns(self, rows: Ints, n: int, gamma: float) -> tuple[Floats, Floats, Ints]:
        """What was earned in up to ``n`` decisions of the seat, from these rows on.

        Returns the sums, float32 ``(rows,)``, and from where on a value is to be added, times the
        discount: float32, 0 where the episode ended, and the rows.
        """
        found: tuple[Floats, Floats, Ints] = _follow(rows, n, gamma, self.gain, self.following)
        return found


class Reservoir(Memory):
    """A uniform sample, of fixed size, of all choices ever made (Vitter's algorithm R)."""

    def __init__(self, encoding: Encoding, actions: int, capacity: int) -> None:
        super().__init__(encoding, actions, capacity)
        self.offered = 0

    def add(self, arrays: Arrays, mask: Bools, actions: Ints, draw: np.random.Generator) -> None:
        """More choices; each takes the place of a random one once the reservoir is full."""
        number = self.offered + np.arange(len(actions))
        place = np.where(number < self.capacity, number, draw.integers(0, number + 1))
        kept = np.flatnonzero(place < self.capacity)
        for name, values in arrays.items():
            self._write(name, place[kept], values[kept])
        self.mask[place[kept]], self.action[place[kept]] = mask[kept], actions[kept]
        self.offered += len(actions)
        self.size = min(self.offered, self.capacity)


@numba.njit(cache=True)
def _follow(
    rows: Ints, n: int, gamma: float, gain: Floats, following: Ints
) -> tuple[Floats, Floats, Ints]:
    sums, discounts = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
    ends = np.zeros(len(rows), np.int64)
    for i in range(len(rows)):
        row, discount = rows[i], 1.0
        for _ in range(n):
            if following[row] == OPEN:
                break
            sums[i] += discount * gain[row]
            discount *= gamma
            if following[row] == ENDED:
                discount = 0.0
                break
            row = following[row]
        ends[i], discounts[i] = row, discount
    return sums, discounts, ends
