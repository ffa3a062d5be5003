"""What is seen of MiniHack's tasks, and a learner's seat at many of them in worker processes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.contexts import context_seed
from arena.envs.errors import InputError
from arena.envs.faces.seat import Episodes, Outcome
from arena.envs.faces.view import Info
from arena.envs.game import Ints
from arena.envs.minihack import frames
from arena.envs.minihack.pool import DIED, TRUNCATED, WON, Pool
from arena.envs.minihack.tasks import task_names
from arena.envs.minihack.worker import OUTCOMES

if TYPE_CHECKING:
    from arena.envs.minihack.game import MiniHack

KEYS = ("glyphs", "chars", "colors", "blstats", "message", "inv_glyphs", "inv_letters", "inv_strs")
# Lowest and highest value of each of NLE's observations; blstats hold some 32-bit numbers.
_GLYPHS = 5976
_BOUNDS = {
    "glyphs": (0, _GLYPHS),
    "chars": (0, 255),
    "colors": (0, 15),
    "specials": (0, 255),
    "blstats": (-(2**31), 2**31 - 1),
    "message": (0, 255),
    "inv_glyphs": (0, _GLYPHS),
    "inv_letters": (0, 127),
    "inv_oclasses": (0, 18),
    "inv_strs": (0, 127),  # NetHack writes ASCII; bytes up to 255 would pass for a picture
    "screen_descriptions": (0, 127),
    "tty_chars": (0, 255),
    "tty_colors": (0, 31),
    "tty_cursor": (0, 255),
}


def observation_space(keys: Sequence[str]) -> spaces.Dict:
    """The space of these observations, with NLE's shapes and dtypes.

    Raises InputError for a key that is none, ModuleNotFoundError without NLE.
    """
    from nle import nethack

    boxes: dict[str, spaces.Space[Any]] = {}
    for key in keys:
        if key not in _BOUNDS:
            raise InputError(f"{key!r} is not an observation; there are {', '.join(_BOUNDS)}")
        low, high = _BOUNDS[key]
        fact = nethack.OBSERVATION_DESC[key]
        boxes[key] = spaces.Box(low, high, fact["shape"], fact["dtype"])
    return spaces.Dict(boxes)


def check_task(task: str) -> str:
    """The name of a task, also where it is called ``MiniHack-…-v0`` as it is elsewhere.

    Raises InputError where there is none of that name.
    """
    known = re.fullmatch(r"MiniHack-(.+)-v0", task)
    name = known[1] if known else task
    if name not in task_names():
        raise InputError(f"task={task} is no MiniHack task; there are {', '.join(task_names())}")
    return name


class MiniHackEpisodes(Episodes):
    """Many episodes of one task, a share of them in each of several processes.

    The reward is 1 for success, -0.01 where NetHack's clock stood still.

    Args:
        game: the task.
        count: how many.
        keys: which of NLE's observations are given (shapes and dtypes are NLE's).
        workers: processes; as many as there are processors where None.
    """

    def __init__(
        self,
        game: MiniHack,
        count: int,
        *,
        keys: Sequence[str] = KEYS,
        workers: int | None = None,
    ) -> None:
        super().__init__(count)
        self.game, self.limit, self.keys = game, game.steps, tuple(keys)
        self.observation_space = observation_space(keys)
        self.action_space = spaces.Discrete(len(game.task.actions))
        shown = ("tty_chars", "tty_colors", "tty_cursor", "message")
        self._pool = Pool(game.task_name, count, tuple(dict.fromkeys((*keys, *shown))), workers)
        self._actions = np.full(count, -1)

    def begin(self, rows: Ints, seeds: NDArray[np.uint64], options: Mapping[str, Any]) -> None:
        """See ``Episodes``; the seed, or its context, is the level and all that happens in it."""
        meant = [context_seed(seed, self.game.contexts) for seed in seeds.tolist()]
        self._pool.reset(rows, np.array(meant, np.uint64))
        self._actions[rows] = -1

    def step(self, rows: Ints, actions: NDArray[Any]) -> Outcome:
        """Press the keys."""
        self._pool.step(rows, np.asarray(actions))
        self._actions[rows] = actions
        arrays = self._pool.arrays
        outcome = arrays["outcome"][rows]
        ended = (outcome == WON) | (outcome == DIED)
        cut = (outcome == TRUNCATED) | (arrays["steps"][rows] >= self.game.steps)
        return Outcome(arrays["reward"][rows], ended, cut & ~ended)

    def observe(self, rows: Ints) -> dict[str, NDArray[Any]]:
        """NLE's arrays."""
        return {key: self._pool.arrays[key][rows] for key in self.keys}

    def info(self, rows: Ints) -> Info:
        """``outcome`` (int8, ``worker.OUTCOMES``), ``is_success`` and ``steps``."""
        outcome = self._pool.arrays["outcome"][rows]
        steps = self._pool.arrays["steps"][rows]
        return {"outcome": outcome, "is_success": outcome == WON, "steps": steps}

    def action_mask(self, rows: Ints) -> NDArray[np.bool_]:
        """Every key may be pressed at any time."""
        return np.ones((len(rows), len(self.game.task.actions)), np.bool_)

    def text(self, row: int) -> str:
        """NetHack's terminal."""
        return "\n".join(self._frame(row)["rows"])

    def picture(self, row: int) -> NDArray[np.uint8]:
        """NetHack's terminal in its colours."""
        return frames.picture(self._frame(row))

    def _frame(self, row: int) -> dict[str, Any]:
        arrays = {name: array[row] for name, array in self._pool.arrays.items()}
        last = int(self._actions[row])
        return frames.frame(
            arrays,
            action=None if last < 0 else self.game.task.names[last],
            outcome=OUTCOMES[int(arrays["outcome"])],
            reward=float(arrays["reward"]),
            step=int(arrays["steps"]),
            limit=self.game.steps,
        )

    def close(self) -> None:
        """End the processes."""
        self._pool.close()
