"""The errand as a game: a solo race to the thing that the goal names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.contexts import check_contexts, context_seed
from arena.envs.errand import rules
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Tables, exactly_one

ACTIONS = ("north", "east", "south", "west")
_NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
Goals = Literal["known", "pairs", "words"]


class Errand(Game):
    """Walk to the thing that the goal names: reward 1 there, 0 at any other thing.

    Args:
        goals: which are drawn. "known": pairs that are not kept back, in plain words; "pairs": the
            pairs that are kept back; "words": those of "known" by other words (a scarlet mug for
            a red cup), which the room's description does not use.
        size: the room is ``size`` × ``size`` cells.
        contexts: how many different rooms the seeds stand for, 0 for one a seed.

    Raises:
        InputError: for a size or a number of contexts that makes no room.
    """

    name = "errand"
    version = 1
    session = 1
    seats = 1

    def __init__(self, *, goals: Goals = "known", size: int = 8, contexts: int = 0) -> None:
        if not 4 <= size <= 12:
            raise InputError(f"errand: size={size} must lie between 4 and 12")
        self.goals = goals
        self.size = size
        self.contexts = check_contexts(contexts)
        self.steps = self.max_steps = 3 * size
        self.action_space = spaces.Discrete(len(ACTIONS))
        most = np.array([len(rules.COLOURS), len(rules.KINDS), size, size]) - 1
        self.observation_space = spaces.Dict(
            {
                "goal": spaces.Box(np.zeros(2, np.int64), most[:2], (2,), np.int64),
                "things": spaces.Box(0, np.tile(most, (rules.THINGS, 1)), dtype=np.int64),
                "position": spaces.Box(0, size - 1, (2,), np.int64),
            }
        )

    @property
    def masked(self) -> bool:
        """One may always walk."""
        return False

    def tables(self, capacity: int) -> ErrandTables:
        """``capacity`` tables."""
        return ErrandTables(self, capacity)


class ErrandTables(Tables):
    """Tables as arrays.

    Attributes:
        things: int64 ``(capacity, 4, 4)`` of (colour, kind, x, y); at: int64 ``(capacity, 2)``.
        meant: int64 ``(capacity,)``, which thing the goal names; touched: which one the player
            stands on, -1 for none.
        steps, last: int64 ``(capacity,)``; the last action is -1 before the first.
    """

    game: Errand
    state = ("things", "at", "meant", "touched", "steps", "last")

    def __init__(self, game: Errand, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.things = np.zeros((capacity, rules.THINGS, 4), np.int64)
        self.at = np.zeros((capacity, 2), np.int64)
        self.meant = np.zeros(capacity, np.int64)
        self.touched = np.full(capacity, -1)
        self.steps = np.zeros(capacity, np.int64)
        self.last = np.full(capacity, -1)

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Draw the rooms that the seeds, or their contexts, name."""
        for table, seed in zip(tables.tolist(), seeds.tolist(), strict=True):
            self.things[table], self.at[table], self.meant[table] = rules.draw_room(
                context_seed(seed, self.game.contexts), self.game.size, self.game.goals == "pairs"
            )
        self.done[tables] = False
        self.returns[tables] = self.tiebreaks[tables] = 0.0
        self.truncated[tables] = False
        self.steps[tables] = 0
        self.touched[tables] = self.last[tables] = -1

    def to_act(self) -> tuple[Ints, Ints]:
        """The player of every running episode."""
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros(len(tables), np.int64)

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """What is meant, what lies where, and where the player stands."""
        return {
            "goal": self.things[tables, self.meant[tables], :2],
            "things": self.things[tables],
            "position": self.at[tables],
        }

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """One may always walk, if only against the wall."""
        return np.ones((len(tables), len(ACTIONS)), np.bool_)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Walk; the first thing that is touched ends the episode."""
        moved = self.at[tables] + np.array(rules.MOVES)[np.asarray(actions, np.int64)]
        self.at[tables] = np.clip(moved, 0, self.game.size - 1)
        there = (self.things[tables, :, 2:] == self.at[tables, None]).all(2)
        self.touched[tables] = np.where(there.any(1), there.argmax(1), -1)
        self.steps[tables] += 1
        self.last[tables] = actions
        self.returns[tables, 0] = self.touched[tables] == self.meant[tables]
        self.tiebreaks[tables, 0] = -self.steps[tables]
        self.truncated[tables] = ~there.any(1) & (self.steps[tables] >= self.game.steps)
        self.done[tables] = there.any(1) | self.truncated[tables]

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The episode is over with -1."""
        self.done[tables] = True
        self.returns[tables, 0] = -1.0

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """Nothing: the room lies open, and nothing is left to chance."""

    # -- words and pictures --------------------------------------------------------------------

    def text(self, table: int, seat: int) -> str:
        """The goal, then where each thing lies from here."""
        return f"goal: {self.goal(table)}\n{self.scene(table)}"

    def facts(self, table: int, seat: int) -> dict[str, str]:
        """``goal``: what is to be done, in words; ``scene``: the rest of ``text``."""
        return {"goal": self.goal(table), "scene": self.scene(table)}

    def goal(self, table: int) -> str:
        """What is to be done, in words."""
        return self._errand(table, int(self.meant[table]), self.game.goals == "words")

    def scene(self, table: int) -> str:
        """Where each thing lies from here, one line each."""
        return "\n".join(
            f"{rules.COLOURS[colour]} {rules.KINDS[kind]}: {self._way(table, x, y)}"
            for colour, kind, x, y in self.things[table].tolist()
        )

    def reached(self, table: int) -> str | None:
        """The goal, as ``goal`` would word it, that the last step has reached, whichever it is."""
        touched = int(self.touched[table])
        return None if touched < 0 else self._errand(table, touched, self.game.goals == "words")

    def _errand(self, table: int, thing: int, other_words: bool) -> str:
        colour, kind = self.things[table, thing, :2].tolist()
        if other_words:
            return f"go to the {rules.COLOURS_TOO[colour]} {rules.KINDS_TOO[kind]}"
        return f"go to the {rules.COLOURS[colour]} {rules.KINDS[kind]}"

    def _way(self, table: int, x: int, y: int) -> str:
        dx, dy = x - int(self.at[table, 0]), y - int(self.at[table, 1])
        parts = []
        if dx:
            parts.append(f"{'east' if dx > 0 else 'west'} {_NUMBERS[abs(dx) - 1]}")
        if dy:
            parts.append(f"{'south' if dy > 0 else 'north'} {_NUMBERS[abs(dy) - 1]}")
        return " ".join(parts) or "here"

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
        """The room as lines of characters (``@`` the player, else a thing's kind), and the goal."""
        size, last = self.game.size, int(self.last[table])
        rows = [["."] * size for _ in range(size)]
        for _, kind, x, y in self.things[table].tolist():
            rows[y][x] = rules.KINDS[kind][0]
        x, y = self.at[table].tolist()
        rows[y][x] = "@"
        return {
            "goal": self.goal(table),
            "scene": self.scene(table).splitlines(),
            "rows": ["".join(row) for row in rows],
            "position": [x, y],
            "action": None if last < 0 else ACTIONS[last],
            "step": int(self.steps[table]),
            "limit": self.game.steps,
            "return": float(self.returns[table, 0]),
            "done": bool(self.done[table]),
        }
