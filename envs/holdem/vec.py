"""Thousands of tables as one Stable-Baselines3 ``VecEnv``: one seat of each is the learner's.

    from arena.envs.holdem.vec import HoldemVecEnv
    model = MaskablePPO("MultiInputPolicy", HoldemVecEnv(1024, opponents=agent, seats=6))

Observations, actions and rewards are those of ``arena.envs.holdem.env.HoldemEnv``, so that a policy
that was trained here plays there. Each opponent is asked once for all tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from arena.envs import seeding
from arena.envs.game import Ints
from arena.envs.holdem.game import Holdem
from arena.envs.holdem.learner import Learner, Opponent

Indices = None | int | Iterable[int]


class HoldemVecEnv(VecEnv):
    """``num_envs`` tables, stepped together; a finished one begins its next episode at once.

    Args:
        num_envs: how many tables.
        opponents: whoever has ``act(turns)``: one for all other seats, or a sequence of one for
            each, clockwise from the learner's left; uniform random ones where None.
        seat: the learner's seat; drawn anew for each episode where None.
        options: those of ``Holdem``.

    ``seed`` takes effect with the next ``reset``; without one the tables' seeds are the system's.
    ``infos[i]`` of a finished table has ``terminal_observation``.
    """

    render_mode: str | None = None

    def __init__(
        self,
        num_envs: int,
        opponents: Opponent | Sequence[Opponent] | None = None,
        seat: int | None = None,
        **options: Any,
    ) -> None:
        self.game = Holdem(**options)
        self._learner = Learner(self.game, num_envs, opponents, seat)
        actions = gymnasium.spaces.Discrete(len(self.game.menu) + 3)
        super().__init__(num_envs, self._learner.face.space, actions)
        self._all = np.arange(num_envs)
        self._bases = np.zeros(num_envs, np.uint64)
        self._episodes = np.zeros(num_envs, np.int64)
        self._actions: Ints = np.zeros(num_envs, np.int64)

    def reset(self) -> dict[str, NDArray[Any]]:
        """Begin an episode at every table."""
        fresh = np.random.SeedSequence().generate_state(self.num_envs, np.uint64)
        for i, given in enumerate(self._seeds):
            if given is not None:
                self._bases[i], self._episodes[i] = seeding.derive(given, "table"), 0
            elif self._episodes[i] == 0:
                self._bases[i] = fresh[i]
        self._reset_seeds()
        self._reset_options()
        self._begin(self._all)
        return self._learner.observe(self._all)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = np.asarray(actions, np.int64)

    def step_wait(
        self,
    ) -> tuple[
        dict[str, NDArray[Any]], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]
    ]:
        """Take the actions; where an episode ended, the observation is the next one's first."""
        learner = self._learner
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(learner.act(self._actions)).tolist():
            infos[i]["forfeit"] = True
        dones = learner.tables.done.copy()
        over = np.flatnonzero(dones)
        rewards = np.zeros(self.num_envs, np.float32)
        if len(over):
            rewards[over] = learner.tables.returns[over, learner.seat[over]]
            last = learner.observe(over)
            for row, i in enumerate(over.tolist()):
                infos[i]["terminal_observation"] = {name: a[row] for name, a in last.items()}
            self._begin(over)
        return learner.observe(self._all), rewards, dones, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """The legal actions of the menu at every table, bool ``(num_envs, actions)``."""
        return self._learner.tables.action_mask(self._all, self._learner.seat)

    def _begin(self, slots: Ints) -> None:
        seeds = seeding.spread(self._bases[slots], self._episodes[slots])
        self._episodes[slots] += 1
        self._learner.begin(slots, seeds)

    # -- what a VecEnv answers for its parts -----------------------------------------------------

    def close(self) -> None:
        """Nothing is held."""

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """The attribute, which all tables share, once for each index."""
        return [getattr(self, attr_name)] * len(self._rows(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refused: the tables share all attributes."""
        raise AttributeError(f"{attr_name} cannot be set for single tables: they share all of it")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks``, as sb3-contrib asks for them."""
        if method_name != "action_masks":
            raise AttributeError(f"a table has no method {method_name}, only action_masks")
        return list(self.action_masks()[self._rows(indices)])

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        """No table is wrapped."""
        return [False] * len(self._rows(indices))

    def _rows(self, indices: Indices) -> list[int]:
        return list(self._get_indices(indices))
