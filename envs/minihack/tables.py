"""Many games of one task as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs.contexts import context_seed
from arena.envs.game import Ints, Observation, Tables, exactly_one
from arena.envs.minihack import frames, text
from arena.envs.minihack.env import KEYS
from arena.envs.minihack.pool import TRUNCATED, Pool
from arena.envs.minihack.worker import OUTCOMES
from arena.envs.path import Path

if TYPE_CHECKING:
    from arena.envs.minihack.game import MiniHack

_KEYS = (*KEYS, "screen_descriptions", "tty_chars", "tty_colors", "tty_cursor")


class MiniHackTables(Tables):
    """Tables whose games run in worker processes.

    Attributes:
        last: the last action at each table, -1 before the first and after a forfeit.
    """

    game: MiniHack
    path: Path

    def __init__(self, game: MiniHack, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.last = np.full(capacity, -1)
        self._pool: Pool | None = None
        self._forfeited = np.zeros(capacity, np.bool_)
        self.path = Path(capacity)

    @property
    def pool(self) -> Pool:
        """The games; their processes start with the first use."""
        if self._pool is None:
            self._pool = Pool(self.game.task_name, self.capacity, _KEYS)
        return self._pool

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Begin the episodes that the seeds, or their contexts, name."""
        self.path.begin(tables, seeds)
        contexts = self.game.contexts
        meant = [context_seed(seed, contexts) for seed in seeds.tolist()]
        self.pool.reset(tables, np.array(meant, np.uint64))
        self.done[tables] = self.truncated[tables] = False
        self.returns[tables] = 0.0
        self.tiebreaks[tables] = 0.0
        self.last[tables] = -1
        self._forfeited[tables] = False

    def to_act(self) -> tuple[Ints, Ints]:
        """The player of every running episode."""
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros(len(tables), np.int64)

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """NLE's arrays."""
        return {key: self.pool.arrays[key][tables] for key in KEYS}

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """Every key may be pressed at any time."""
        return np.ones((len(tables), len(self.game.task.actions)), np.bool_)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Press the keys."""
        self.path.step(tables, seats, actions)
        pool = self.pool
        pool.step(tables, actions)
        self.last[tables] = actions
        self.returns[tables, 0] += pool.arrays["reward"][tables]
        steps = pool.arrays["steps"][tables]
        self.tiebreaks[tables, 0] = -steps
        outcome = pool.arrays["outcome"][tables]
        late = (outcome == 0) & (steps >= self.game.steps)
        self.truncated[tables] = (outcome == TRUNCATED) | late
        self.done[tables] = (outcome > 0) | late

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The episode is over, at a price above that of standing still to its end."""
        self.path.forfeit(tables, seats)
        self.done[tables] = True
        self.last[tables] = -1
        self.returns[tables, 0] -= 1.0 + 0.01 * self.game.steps
        self._forfeited[tables] = True

    def facts(self, table: int, seat: int) -> dict[str, str]:
        """``message``, ``view``, ``map``, ``inventory``, the ``task``'s name and its ``goal``."""
        task = {"task": self.game.task_name, "goal": text.goal(self.game.task)}
        return text.parts(self._arrays(table)) | task

    def text(self, table: int, seat: int) -> str:
        """Message, what is in view in words, map and inventory."""
        return text.describe(self._arrays(table))

    def _arrays(self, table: int) -> dict[str, NDArray[Any]]:
        return {key: self.pool.arrays[key][table] for key in _KEYS}

    def words(self, table: int, seat: int) -> Sequence[str]:
        """The names of the actions."""
        return self.game.task.names

    def parse(self, table: int, seat: int, answer: str) -> int:
        """The action that is named, exactly; else InputError."""
        return exactly_one(self.game.task.names, answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """The action's name."""
        return self.game.task.names[int(action)]

    def picture(self, table: int, seat: int) -> NDArray[np.uint8]:
        """NetHack's terminal in its colours."""
        return frames.picture(self.frame(table, seat))

    def outcome(self, table: int) -> str:
        """How the episode stands: "running", "won", "died", "truncated" or "forfeited"."""
        if self._forfeited[table]:
            return "forfeited"
        found = int(self.pool.arrays["outcome"][table])
        return OUTCOMES[TRUNCATED if self.done[table] and not found else found]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """NetHack's terminal, and how the episode stands; the player sees all of it."""
        last = int(self.last[table])
        return frames.frame(
            self._arrays(table),
            action=None if last < 0 else self.game.task.names[last],
            outcome=self.outcome(table),
            reward=float(self.returns[table, 0]),
            step=int(self.pool.arrays["steps"][table]),
            limit=self.game.steps,
        )
