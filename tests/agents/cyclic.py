"""Rock, paper, scissors: a game with a cycle."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from arena.envs.game import Game, Tables

# What the row earns of the column: paper beats rock, and so on around.
PAYOFF = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])


class Cyclic(Game):
    name = "cyclic"
    version = 1
    seats = 2
    action_space = gymnasium.spaces.Discrete(3)
    observation_space = gymnasium.spaces.Dict(
        {"nothing": gymnasium.spaces.Box(0.0, 1.0, (1,), np.float32)}
    )

    def tables(self, capacity: int) -> CyclicTables:
        return CyclicTables(self, capacity)


class CyclicTables(Tables):
    """Both seats choose at once."""

    def begin(self, tables: Any, seeds: Any) -> None:
        self.done[tables] = False
        self.returns[tables] = 0.0

    def to_act(self) -> Any:
        tables = np.flatnonzero(~self.done)
        return np.repeat(tables, 2), np.tile([0, 1], len(tables))

    def observe(self, tables: Any, seats: Any) -> Any:
        return {"nothing": np.ones((len(tables), 1), np.float32)}

    def action_mask(self, tables: Any, seats: Any) -> Any:
        return np.ones((len(tables), 3), np.bool_)

    def step(self, tables: Any, seats: Any, actions: Any) -> None:
        chosen = np.asarray(actions).reshape(-1, 2)
        at = tables[::2]
        self.returns[at, 0] = PAYOFF[chosen[:, 0], chosen[:, 1]]
        self.returns[at, 1] = -self.returns[at, 0]
        self.done[at] = True

    def forfeit(self, tables: Any, seats: Any) -> None:
        raise NotImplementedError

    def text(self, table: int, seat: int) -> str:
        return "Choose."

    def words(self, table: int, seat: int) -> Any:
        return ["rock", "paper", "scissors"]

    def parse(self, table: int, seat: int, answer: str) -> int:
        return ["rock", "paper", "scissors"].index(answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        return ["rock", "paper", "scissors"][action]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        return {}
