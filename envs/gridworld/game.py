"""The grid as a game: a solo race, batched over tables by numba."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.contexts import check_contexts, context_seed
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Tables, exactly_one
from arena.envs.gridworld import rules

ACTIONS = ("north", "east", "south", "west")
LARGEST = 6


class Gridworld(Game):
    """A chain of rooms to walk through to the goal: reward 1 there, nothing before.

    Args:
        rooms: how many.
        contexts: how many different levels the seeds stand for, 0 for one a seed.
        steps: after how many an episode is truncated; 0: 20 for each room.

    Raises:
        InputError: for numbers that make no level.
    """

    name = "gridworld"
    version = 1
    session = 1
    seats = 1

    def __init__(self, *, rooms: int = 4, contexts: int = 0, steps: int = 0) -> None:
        if not 1 <= rooms <= 8:
            raise InputError(f"gridworld: rooms={rooms} must lie between 1 and 8")
        if not 0 <= steps <= 10**6:
            raise InputError(f"gridworld: steps={steps} must be from 0 to 1,000,000")
        self.rooms = rooms
        self.contexts = check_contexts(contexts)
        self.steps = self.max_steps = steps or 20 * rooms
        self.action_space = spaces.Discrete(len(ACTIONS))
        self.observation_space = spaces.Dict(
            {
                "view": spaces.Box(0, rules.KINDS - 1, (rules.VIEW, rules.VIEW), np.uint8),
                "position": spaces.Box(0, rules.SIZE - 1, (2,), np.int64),
            }
        )

    @property
    def masked(self) -> bool:
        """One may always walk."""
        return False

    def tables(self, capacity: int) -> GridworldTables:
        """``capacity`` tables."""
        return GridworldTables(self, capacity)


class GridworldTables(Tables):
    """Tables as arrays.

    Attributes:
        cells: uint8 ``(capacity, 25, 25)``; at: int64 ``(capacity, 2)``, each player's (x, y).
        steps, last: int64 ``(capacity,)``; the last action is -1 before the first.
    """

    game: Gridworld
    state = ("cells", "at", "won", "steps", "last")

    def __init__(self, game: Gridworld, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.cells = np.zeros((capacity, rules.SIZE, rules.SIZE), np.uint8)
        self.at = np.zeros((capacity, 2), np.int64)
        self.won = np.zeros(capacity, np.bool_)
        self.steps = np.zeros(capacity, np.int64)
        self.last = np.full(capacity, -1)

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Draw the levels that the seeds, or their contexts, name."""
        meant = [context_seed(seed, self.game.contexts) for seed in seeds.tolist()]
        rules.begin(
            tables,
            np.array(meant, np.uint64),
            self.game.rooms,
            LARGEST,
            self.cells,
            self.at,
        )
        self.done[tables] = False
        self.won[tables] = self.truncated[tables] = False
        self.returns[tables] = self.tiebreaks[tables] = 0.0
        self.steps[tables] = 0
        self.last[tables] = -1

    def to_act(self) -> tuple[Ints, Ints]:
        """The player of every running episode."""
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros(len(tables), np.int64)

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """What lies around each player, and where it is."""
        return {"view": rules.views(tables, self.cells, self.at), "position": self.at[tables]}

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """One may always walk, if only into a wall."""
        return np.ones((len(tables), len(ACTIONS)), np.bool_)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Walk."""
        rules.step(tables, np.asarray(actions, np.int64), self.cells, self.at, self.won)
        self.steps[tables] += 1
        self.last[tables] = actions
        self.returns[tables, 0] = self.won[tables]
        self.tiebreaks[tables, 0] = -self.steps[tables]
        self.truncated[tables] = ~self.won[tables] & (self.steps[tables] >= self.game.steps)
        self.done[tables] = self.won[tables] | self.truncated[tables]

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The episode is over with -1."""
        self.done[tables] = True
        self.returns[tables, 0] = -1.0

    def text(self, table: int, seat: int) -> str:
        """The view: ``#`` wall, ``.`` floor, ``+`` closed, ``'`` open door, ``>`` goal."""
        view = rules.lines(rules.views(np.array([table]), self.cells, self.at)[0])
        half = rules.VIEW // 2
        view[half] = view[half][:half] + "@" + view[half][half + 1 :]
        x, y = self.at[table].tolist()
        return "\n".join([f"at ({x}, {y}), step {self.steps[table]}", *view])

    def words(self, table: int, seat: int) -> Sequence[str]:
        """The four directions."""
        return ACTIONS

    def parse(self, table: int, seat: int, answer: str) -> int:
        """A direction's name, exactly."""
        return exactly_one(ACTIONS, answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """The direction's name."""
        return ACTIONS[int(action)]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """The view as lines of characters; the whole level for a spectator."""
        last = int(self.last[table])
        shown = (
            self.cells[table]
            if seat is None
            else rules.views(np.array([table]), self.cells, self.at)[0]
        )
        return {
            "rows": rules.lines(shown),
            "position": self.at[table].tolist(),
            "action": None if last < 0 else ACTIONS[last],
            "step": int(self.steps[table]),
            "limit": self.game.steps,
            "return": float(self.returns[table, 0]),
            "done": bool(self.done[table]),
        }
