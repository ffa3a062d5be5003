"""Many episodes at once as a Stable-Baselines3 ``VecEnv``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from arena.envs.errors import InputError
from arena.envs.faces.seat import Episodes
from arena.envs.faces.seeds import Seeds
from arena.envs.faces.single import EpisodeEnv, rows_of
from arena.envs.game import Ints

Indices = None | int | Iterable[int]


class EpisodeVecEnv(VecEnv):
    """All rows of ``episodes``, stepped together; a finished one begins its next at once.

    ``infos[i]`` of a finished row has ``terminal_observation``, ``TimeLimit.truncated`` (there SB3
    bootstraps) and ``episode`` (``r`` the return, ``l`` the steps, as SB3's Monitor has them); and
    ``forfeit`` where an action was not legal. SB3 takes no nested observations: where a game's
    named arrays are seen (``flat=False``), they come without the mask, for which MaskablePPO asks
    by itself.

    Args:
        episodes: what is played.
        seed: of all episodes, as in ``seed(…)``; the system's where None.
        render_mode: ``rgb_array``, of which SB3 makes films and windows of all rows, or None.

    Raises:
        InputError: for another render mode.
    """

    metadata = EpisodeEnv.metadata

    def __init__(
        self, episodes: Episodes, seed: int | None = None, render_mode: str | None = None
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise InputError(f"render_mode={render_mode}: for Stable-Baselines3 it is rgb_array")
        self.episodes, self.render_mode = episodes, render_mode
        space = episodes.observation_space
        parts = space.spaces.get("observation") if isinstance(space, spaces.Dict) else None
        self._nested = isinstance(parts, spaces.Dict)
        seen = parts if isinstance(parts, spaces.Dict) else space
        super().__init__(episodes.count, seen, episodes.action_space)
        self._rows = np.arange(self.num_envs)
        self._own = Seeds(self.num_envs)
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, np.int64)
        self._actions: NDArray[Any] = np.zeros(0)
        if seed is not None:
            self.seed(seed)

    def reset(self) -> Any:
        """Begin an episode in every row; a seed given before takes effect."""
        for row, seed in enumerate(self._seeds):
            self._own.give(row, seed)
        self._reset_seeds()
        self._reset_options()
        self._begin(self._rows)
        return self._observe(self._rows)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[Any, NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Take the actions; where an episode ended, the observation is the next one's first."""
        rewards, terminated, truncated = self.episodes.step(self._rows, self._actions)
        self._returns += rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        dones = terminated | truncated
        over = np.flatnonzero(dones)
        if len(over):
            lasts = rows_of(self._observe(over))
            told = (truncated[over], self._returns[over], self._lengths[over])
            figures = zip(*(values.tolist() for values in told), strict=True)
            for row, last, (cut, earned, steps) in zip(over.tolist(), lasts, figures, strict=True):
                infos[row] = {
                    "terminal_observation": last,
                    "TimeLimit.truncated": cut,
                    "episode": {"r": earned, "l": steps},
                }
        for row in np.flatnonzero(self.episodes.forfeited).tolist():
            infos[row]["forfeit"] = True
        self._begin(over)
        return self._observe(self._rows), rewards.astype(np.float32), dones, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """The legal actions in every row, bool ``(num_envs, actions)``."""
        mask = self.episodes.action_mask(self._rows)
        if mask is None:
            raise AttributeError("only actions of a Discrete space have masks")
        return mask

    def _begin(self, rows: Ints) -> None:
        if len(rows) == 0:
            return
        self._returns[rows], self._lengths[rows] = 0.0, 0
        self.episodes.begin(rows, self._own.draw(rows), {})

    def _observe(self, rows: Ints) -> Any:
        seen = self.episodes.observe(rows)
        return seen["observation"] if self._nested else seen

    def get_images(self) -> list[NDArray[np.uint8] | None]:
        """A picture of each row."""
        return [self.episodes.picture(row) for row in self._rows.tolist()]

    def close(self) -> None:
        """Give back what the episodes hold."""
        self.episodes.close()

    # -- what a VecEnv answers for its parts -----------------------------------------------------

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """The attribute, which all rows share, once for each index."""
        return [getattr(self, attr_name)] * len(self._at(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Refused: the rows share all attributes."""
        raise AttributeError(f"{attr_name} cannot be set for single rows: they share all of it")

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """``action_masks``, as sb3-contrib asks for them."""
        if method_name != "action_masks":
            raise AttributeError(f"a row has no method {method_name}, only action_masks")
        return list(self.action_masks()[self._at(indices)])

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        """No row is wrapped."""
        return [False] * len(self._at(indices))

    def _at(self, indices: Indices) -> list[int]:
        return list(self._get_indices(indices))
