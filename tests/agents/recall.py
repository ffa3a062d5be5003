"""A game that only who remembers can win: a cue is shown first, and is to be named later."""

from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces

from arena.envs.game import Game, Tables

WAIT = 2  # turns between the cue and the question


class Recall(Game):
    """Solo: whatever is done first, the last action must be the cue, which is drawn by the seed."""

    name = "recall"
    version = 1
    seats = 1

    def __init__(self) -> None:
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Dict({"shown": spaces.MultiBinary(3)})

    def tables(self, capacity: int) -> "RecallTables":
        return RecallTables(self, capacity)


class RecallTables(Tables):
    state: ClassVar[tuple[str, ...]] = ("cue", "turn")

    def __init__(self, game: Game, capacity: int) -> None:
        super().__init__(game, capacity)
        self.cue = np.zeros(capacity, np.int64)
        self.turn = np.zeros(capacity, np.int64)

    def begin(self, tables, seeds):
        self.cue[tables] = (seeds >> np.uint64(7)) % np.uint64(2)
        self.turn[tables], self.done[tables], self.returns[tables] = 0, False, 0.0

    def to_act(self):
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros(len(tables), np.int64)

    def observe(self, tables, seats):
        shown = np.zeros((len(tables), 3), np.int8)
        first = self.turn[tables] == 0
        shown[first, self.cue[tables[first]]] = 1
        shown[:, 2] = self.turn[tables] > WAIT
        return {"shown": shown}

    def action_mask(self, tables, seats):
        return np.ones((len(tables), 2), np.bool_)

    def step(self, tables, seats, actions):
        last = self.turn[tables] > WAIT
        self.returns[tables[last], 0] = actions[last] == self.cue[tables[last]]
        self.done[tables[last]] = True
        self.turn[tables] += 1

    def forfeit(self, tables, seats):
        self.done[tables] = True

    def text(self, table: int, seat: int) -> str:
        return str(self.observe(np.array([table]), np.array([seat]))["shown"][0])

    def words(self, table: int, seat: int) -> list[str]:
        return ["0", "1"]

    def parse(self, table: int, seat: int, answer: str) -> int:
        return int(answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        return str(int(action))

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        return {}
