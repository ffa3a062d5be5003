"""Nim: a heap of 10 to 20 stones; take 1 to 3; who takes the last one wins."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Tables, exactly_one
from arena.envs.seeding import uniforms


class Nim(Game):
    """Two seats that take stones in turn. ``nim?most=4`` lets them take up to four at once."""

    name = "nim"
    version = 1
    unit = "wins"

    def __init__(self, *, most: int = 3) -> None:
        if not 1 <= most <= 9:
            raise InputError(f"nim: most={most} must lie between 1 and 9")
        self.most = most
        self.seats = 2
        self.action_space = spaces.Discrete(most)
        self.observation_space = spaces.Dict({"stones": spaces.Discrete(21)})

    def tables(self, capacity: int) -> "NimTables":
        return NimTables(self, capacity)


class NimTables(Tables):
    """One array entry a table; action ``a`` takes ``a + 1`` stones."""

    game: Nim
    state = ("stones", "seat")

    def __init__(self, game: Nim, capacity: int) -> None:
        super().__init__(game, capacity)
        self.stones = np.zeros(capacity, np.int64)
        self.seat = np.zeros(capacity, np.int64)

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        self.stones[tables] = 10 + (uniforms(seeds, 1)[:, 0] * 11).astype(np.int64)
        self.seat[tables] = 0
        self.returns[tables] = 0.0
        self.done[tables] = False

    def to_act(self) -> tuple[Ints, Ints]:
        tables = np.flatnonzero(~self.done)
        return tables, self.seat[tables]

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        return {"stones": self.stones[tables]}

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = np.arange(self.game.most) < self.stones[tables, None]
        return mask

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        self.stones[tables] -= actions + 1
        self.seat[tables] = 1 - seats
        last = self.stones[tables] == 0
        self._end(tables[last], winners=seats[last])

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        self._end(tables, winners=1 - seats)

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """Nothing: everybody sees the heap, and nothing is left to chance."""

    def _end(self, tables: Ints, winners: Ints) -> None:
        self.done[tables] = True
        self.returns[tables, winners] = 1.0

    def facts(self, table: int, seat: int) -> dict[str, Any]:
        return {"stones": int(self.stones[table])}

    def text(self, table: int, seat: int) -> str:
        return f"{self.stones[table]} stones are left."

    def words(self, table: int, seat: int) -> Sequence[str]:
        return [f"take {n}" for n in range(1, min(self.game.most, self.stones[table]) + 1)]

    def parse(self, table: int, seat: int, answer: str) -> int:
        return exactly_one(self.words(table, seat), answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        return f"take {action + 1}"

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        return {
            "stones": int(self.stones[table]),
            "to_act": None if self.done[table] else int(self.seat[table]),
        }
