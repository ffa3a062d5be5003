"""Gymnasium's faces of MiniHack: one environment, and many in worker processes.

``gymnasium.make("arena/MiniHack-KeyRoom-S5-v1")`` after ``import arena.envs.minihack.env``, and
``gymnasium.make_vec`` with the same ids; every task of ``arena.envs.minihack.tasks`` has one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.contexts import check_contexts, context_seed
from arena.envs.errors import InputError
from arena.envs.minihack.pool import DIED, TRUNCATED, WON, Pool
from arena.envs.minihack.tasks import make_task, task_names
from arena.envs.minihack.worker import OUTCOMES

VERSION = 1
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
            raise InputError(f"{key!r} is no observation; there are {', '.join(_BOUNDS)}")
        low, high = _BOUNDS[key]
        fact = nethack.OBSERVATION_DESC[key]
        boxes[key] = spaces.Box(low, high, fact["shape"], fact["dtype"])
    return spaces.Dict(boxes)


def check_task(task: str) -> str:
    """``task``, or InputError where there is none of that name."""
    if task not in task_names():
        raise InputError(f"task={task} is no MiniHack task; there are {', '.join(task_names())}")
    return task


class MiniHackEnv(gymnasium.Env[dict[str, NDArray[Any]], np.int64]):
    """One MiniHack task as a Gymnasium environment.

    Args:
        task: see ``arena.envs.minihack.tasks``.
        contexts: how many different levels there are, 0 for infinitely many.
        keys: which of NLE's observations are given (shapes and dtypes are NLE's).
        render_mode: "ansi" or None.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's form

    def __init__(
        self,
        task: str = "KeyRoom-S5",
        *,
        contexts: int = 0,
        keys: Sequence[str] = KEYS,
        render_mode: str | None = None,
    ) -> None:
        self.task = make_task(check_task(task))
        self.contexts = check_contexts(contexts)
        self.render_mode = render_mode
        self.keys = tuple(keys)
        self.observation_space = observation_space(keys)
        self.action_space = spaces.Discrete(len(self.task.actions))
        more = ("tty_chars",) if render_mode else ()
        self._pool = Pool(task, 1, tuple(dict.fromkeys((*keys, *more))), workers=1)
        self._row = np.zeros(1, np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begin an episode: the level and all that happens in it follow from the seed."""
        super().reset(seed=seed)
        if seed is None:
            seed = int(self.np_random.integers(2**63))
        self._pool.reset(self._row, np.array([context_seed(seed, self.contexts)], np.uint64))
        return self._seen(), {}

    def step(
        self, action: np.int64 | int
    ) -> tuple[dict[str, NDArray[Any]], float, bool, bool, dict[str, Any]]:
        """Press a key. Reward: 1 for success, -0.01 where NetHack's clock stood still."""
        self._pool.step(self._row, np.array([action]))
        outcome = int(self._pool.arrays["outcome"][0])
        reward = float(self._pool.arrays["reward"][0])
        ended = outcome in (WON, DIED)
        info = {"outcome": OUTCOMES[outcome], "is_success": outcome == WON} if outcome else {}
        return self._seen(), reward, ended, outcome == TRUNCATED, info

    def render(self) -> str | None:  # type: ignore[override]
        """NetHack's terminal as text."""
        if self.render_mode != "ansi":
            return None
        return "\n".join(bytes(row).decode("latin-1") for row in self._pool.arrays["tty_chars"][0])

    def close(self) -> None:
        """End the process in which NetHack runs."""
        self._pool.close()

    def _seen(self) -> dict[str, NDArray[Any]]:
        return {key: self._pool.arrays[key][0].copy() for key in self.keys}


class MiniHackVectorEnv(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Many environments of one task, a share of them in each of several processes.

    An ended episode is followed by the next one in the same step (``AutoresetMode.SAME_STEP``);
    ``info`` then holds ``final_obs`` (a dictionary of arrays, the rows of ended episodes in their
    order), ``outcome`` (int8, ``worker.OUTCOMES``), ``episode_steps`` and ``episode_return``.

    Args:
        num_envs: how many.
        task, contexts, keys: as for ``MiniHackEnv``.
        workers: processes; as many as there are processors where None.
        copy: whether observations are copied; else they are overwritten by the next step.
    """

    def __init__(
        self,
        num_envs: int = 8,
        task: str = "KeyRoom-S5",
        *,
        contexts: int = 0,
        keys: Sequence[str] = KEYS,
        workers: int | None = None,
        copy: bool = True,
    ) -> None:
        self.closed = True  # until there is something to close: ``__del__`` asks
        self.task = make_task(check_task(task))
        self.contexts = check_contexts(contexts)
        self.num_envs = num_envs
        self.keys = tuple(keys)
        self.copy = copy
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.single_observation_space = observation_space(keys)
        self.single_action_space = spaces.Discrete(len(self.task.actions))
        self.observation_space = gymnasium.vector.utils.batch_space(
            self.single_observation_space, num_envs
        )
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self._pool = Pool(task, num_envs, keys, workers)
        self.closed = False
        self._rows = np.arange(num_envs)
        self._returns = np.zeros(num_envs)
        self._seed = 0
        self.episodes = np.zeros(num_envs, np.int64)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begin anew in every environment. Episode k of environment i follows from (seed, i, k)."""
        if seed is None:
            seed = int(np.random.SeedSequence().entropy) % 2**63  # type: ignore[arg-type]
        self.restart(seed, np.zeros(self.num_envs, np.int64))
        return self._seen(), {}

    def restart(self, seed: int, episodes: NDArray[np.int64]) -> None:
        """Begin at these episodes' numbers: how a run that was stored goes on."""
        self._seed = seed
        self.episodes = episodes.copy()
        self._begin(self._rows)

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[
        dict[str, NDArray[Any]],
        NDArray[np.float64],
        NDArray[np.bool_],
        NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Step all; where an episode ends, the observation is that of the next one's beginning."""
        pool = self._pool
        pool.step(self._rows, np.asarray(actions))
        reward, outcome = pool.arrays["reward"].copy(), pool.arrays["outcome"].copy()
        self._returns += reward
        terminated, truncated = (outcome == WON) | (outcome == DIED), outcome == TRUNCATED
        info: dict[str, Any] = {}
        ended = np.flatnonzero(outcome)
        if len(ended):
            info = {
                "final_obs": {key: pool.arrays[key][ended] for key in self.keys},
                "ended": ended,
                "outcome": outcome[ended],
                "episode_steps": pool.arrays["steps"][ended],
                "episode_return": self._returns[ended],
            }
            self._begin(ended)
        return self._seen(), reward, terminated, truncated, info

    def close_extras(self, **kwargs: Any) -> None:
        """End the processes."""
        self._pool.close()

    def _begin(self, rows: NDArray[np.int64]) -> None:
        seeds = [
            context_seed(seeding.derive(self._seed, row, int(self.episodes[row])), self.contexts)
            for row in rows.tolist()
        ]
        self.episodes[rows] += 1
        self._returns[rows] = 0.0
        self._pool.reset(rows, np.array(seeds, np.uint64))

    def _seen(self) -> dict[str, NDArray[Any]]:
        arrays = self._pool.arrays
        return {key: arrays[key].copy() if self.copy else arrays[key] for key in self.keys}


for _name in task_names():
    gymnasium.register(
        f"arena/MiniHack-{_name}-v{VERSION}",
        entry_point="arena.envs.minihack.env:MiniHackEnv",
        vector_entry_point="arena.envs.minihack.env:MiniHackVectorEnv",
        kwargs={"task": _name},
    )
