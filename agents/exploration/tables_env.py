"""Any solo game of ours as a vector environment of stable-baselines.

The reward is what each step adds to the return. Episode k of environment i follows from
(seed, i, k), and an environment can be brought back to where it was by taking its episode's actions
again: that is how a run that was stored goes on as if it had never stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game


class TablesVecEnv(VecEnv):
    """``count`` tables of a solo game with Discrete actions, restarted by themselves.

    Each ended episode's ``info`` holds ``terminal_observation``, ``episode`` (``r`` the return,
    ``l`` the steps; the form of SB3's Monitor) and ``TimeLimit.truncated``, which is always False:
    a game does not say why it has ended.

    Args:
        game: what is played; count: of environments; seed: of all episodes.
        keys: the observations that are given, all where None.

    Raises:
        InputError: for a game that is not solo or has other actions.
    """

    def __init__(
        self, game: Game, count: int, seed: int, keys: Sequence[str] | None = None
    ) -> None:
        if game.seats != 1 or not isinstance(game.action_space, spaces.Discrete):
            raise InputError(
                f"{game.name} cannot be trained on: it is no solo game with Discrete actions"
            )
        self.game, self.tables = game, game.tables(count)
        self.seed_value = seed
        self.every, self.seats = np.arange(count), np.zeros(count, np.int64)
        self.episodes = np.zeros(count, np.int64)
        self.returns, self.lengths = np.zeros(count), np.zeros(count, np.int64)
        self.history: list[list[int]] = [[] for _ in range(count)]
        self.render_mode = None
        self.keys = tuple(keys or game.observation_space)
        seen = spaces.Dict({key: game.observation_space[key] for key in self.keys})
        super().__init__(count, seen, game.action_space)

    @property
    def action_names(self) -> list[str]:
        """The actions in words; ask after ``reset``."""
        space: Any = self.game.action_space
        return [self.tables.describe(0, 0, action) for action in range(space.n)]

    def _begin(self, rows: NDArray[np.int64]) -> None:
        seeds = [
            seeding.derive(self.seed_value, row, int(self.episodes[row])) for row in rows.tolist()
        ]
        self.tables.begin(rows, np.array(seeds, np.uint64))
        self.returns[rows], self.lengths[rows] = 0.0, 0
        for row in rows.tolist():
            self.history[row] = []

    def _observation(self) -> dict[str, NDArray[Any]]:
        seen = self.tables.observe(self.every, self.seats)
        return {key: seen[key] for key in self.keys}

    def reset(self) -> Any:
        """Fresh episodes everywhere."""
        self._begin(self.every)
        return self._observation()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._pending = np.asarray(actions, np.int64)

    def step_wait(self) -> Any:
        """Act at every table; begin the next episode where one has ended."""
        self.tables.step(self.every, self.seats, self._pending)
        for row, action in enumerate(self._pending.tolist()):
            self.history[row].append(action)
        self.lengths += 1
        rewards = self.tables.returns[:, 0] - self.returns
        self.returns = self.tables.returns[:, 0].copy()
        dones = self.tables.done.copy()
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        ended = np.flatnonzero(dones)
        seen = self._observation()
        if len(ended):
            for row in ended.tolist():
                infos[row] = {
                    "terminal_observation": {key: value[row].copy() for key, value in seen.items()},
                    "episode": {"r": float(self.returns[row]), "l": int(self.lengths[row])},
                    "TimeLimit.truncated": False,
                }
            self.episodes[ended] += 1
            self._begin(ended)
            seen = self._observation()
        return seen, rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Nothing to close: tables end with their last reference."""

    # -- what is saved ---------------------------------------------------------------------------

    def memory(self) -> dict[str, NDArray[Any]]:
        """Each environment's episode and the actions taken in it."""
        return {
            "episodes": self.episodes.copy(),
            "lengths": self.lengths.copy(),
            "actions": np.array([a for actions in self.history for a in actions], np.int64),
        }

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> Any:
        """Take ``memory()`` back by playing it again; what is seen now."""
        self.episodes = np.array(memory["episodes"], np.int64)
        self._begin(self.every)
        ends = np.cumsum(memory["lengths"])
        parts = np.split(np.asarray(memory["actions"]), ends[:-1])
        for at in range(int(memory["lengths"].max(initial=0))):
            rows = np.flatnonzero(memory["lengths"] > at)
            taken = np.array([int(parts[row][at]) for row in rows.tolist()], np.int64)
            self.tables.step(rows, self.seats[rows], taken)
        self.history = [part.tolist() for part in parts]
        self.lengths = np.array(memory["lengths"], np.int64)
        self.returns = self.tables.returns[:, 0].copy()
        return self._observation()

    # -- the rest of SB3's interface ---------------------------------------------------------------

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same for all."""
        return [getattr(self, attr_name)] * len(self._indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Environments have no attributes of their own."""
        raise NotImplementedError("tables are set up by their game")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **more: Any) -> Any:
        """Environments have no methods of their own."""
        raise NotImplementedError("tables are called as a batch")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Not at all."""
        return [False] * len(self._indices(indices))

    def _indices(self, indices: Any) -> Any:
        return list(self._get_indices(indices))
