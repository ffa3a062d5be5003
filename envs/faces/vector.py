"""Many episodes at once as a Gymnasium vector environment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.faces.screen import Screen
from arena.envs.faces.seat import Episodes
from arena.envs.faces.seeds import Seeds
from arena.envs.faces.single import EpisodeEnv, rows_of
from arena.envs.faces.view import mask_in
from arena.envs.game import Ints


class EpisodeVectorEnv(gymnasium.vector.VectorEnv[Any, Any, NDArray[Any]]):
    """All rows of ``episodes``, stepped by one call.

    Row i of a ``reset(seed=s)`` plays what ``EpisodeEnv`` plays after ``reset(seed=s + i)``. Infos
    are arrays over all rows, each with its mask ``_name``, as in Gymnasium's own.

    Args:
        episodes: what is played.
        autoreset_mode: how the next episode begins (Gymnasium's ``AutoresetMode``): with the step
            after the last one, in the same step (then ``final_obs`` and ``final_info`` are in the
            info), or by ``reset(options={"reset_mask": …})``.
        render_mode: as for ``EpisodeEnv``; a window shows the rows one after the other.
        max_episode_steps: truncate episodes after so many steps, if before their own limit.
    """

    metadata = EpisodeEnv.metadata | {"autoreset_mode": AutoresetMode.NEXT_STEP}
    closed = True  # until there is something to close: ``__del__`` asks

    def __init__(
        self,
        episodes: Episodes,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        self.episodes, self.closed = episodes, False
        try:
            self.autoreset_mode = AutoresetMode(autoreset_mode)
        except ValueError:
            modes = ", ".join(mode.value for mode in AutoresetMode)
            raise InputError(f"autoreset_mode={autoreset_mode} is none of {modes}") from None
        self.metadata = type(self).metadata | {"autoreset_mode": self.autoreset_mode}
        self.render_mode, self._screen = render_mode, Screen(render_mode)
        self.num_envs = episodes.count
        self.single_observation_space = episodes.observation_space
        self.single_action_space = episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._limit = max_episode_steps
        self._rows = np.arange(self.num_envs)
        self._seeds, self._unseeded = Seeds(self.num_envs), [None] * self.num_envs
        self._over = np.zeros(self.num_envs, np.bool_)
        self._steps = np.zeros(self.num_envs, np.int64)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every row, or in those of ``options["reset_mask"]`` (bool)."""
        options = dict(options or {})
        chosen = options.pop("reset_mask", None)
        rows = self._rows if chosen is None else np.flatnonzero(self._checked(chosen))
        given: Sequence[int | None] = (
            range(seed, seed + self.num_envs) if isinstance(seed, int) else seed or self._unseeded
        )
        for row in rows.tolist():
            self._seeds.give(row, given[row])
        self._begin(rows, options)
        return self._seen(rows)

    def _checked(self, mask: Any) -> NDArray[np.bool_]:
        if not (isinstance(mask, np.ndarray) and mask.dtype == np.bool_ and mask.any()):
            raise InputError("reset_mask must be an array of booleans, some of them true")
        if mask.shape != (self.num_envs,):
            raise InputError(f"reset_mask has shape {mask.shape}, not ({self.num_envs},)")
        return mask

    def step(
        self, actions: NDArray[Any]
    ) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Step every row; what happens where an episode is over, ``autoreset_mode`` says."""
        actions = np.asarray(actions)
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), np.bool_)
        rows, fresh = self._rows, np.flatnonzero(self._over)
        if len(fresh):
            if self.autoreset_mode is AutoresetMode.DISABLED:
                raise InputError(f"the episodes of rows {fresh.tolist()} are over: reset them")
            rows = np.flatnonzero(~self._over)
        rewards[rows], terminated[rows], truncated[rows] = self.episodes.step(rows, actions[rows])
        self._steps[rows] += 1
        if self._limit is not None:
            truncated |= (self._steps >= self._limit) & ~terminated & ~self._over
        self._begin(fresh, {})
        self._over = terminated | truncated
        final = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._over.any():
            final = self._final(np.flatnonzero(self._over))
        observation, info = self._seen(self._rows)
        return observation, rewards, terminated, truncated, info | final

    def _begin(self, rows: Ints, options: dict[str, Any]) -> None:
        if len(rows):
            self.episodes.begin(rows, self._seeds.draw(rows), options)
            self._steps[rows], self._over[rows] = 0, False

    def _seen(self, told: Ints) -> tuple[Any, dict[str, Any]]:
        """All observations, and the infos of the rows ``told``."""
        observation = self.episodes.observe(self._rows)
        info = self.episodes.info(self._rows) | mask_in(observation)
        return observation, self._masked(info, told)

    def _final(self, rows: Ints) -> dict[str, Any]:
        """How the episodes of ``rows`` ended, which begin anew."""
        seen = self.episodes.observe(rows)
        last = np.full(self.num_envs, None, object)
        for row, shown in zip(rows.tolist(), rows_of(seen), strict=True):
            last[row] = shown
        told = {}
        for name, values in (self.episodes.info(rows) | mask_in(seen)).items():
            told[name] = np.zeros((self.num_envs, *values.shape[1:]), values.dtype)
            told[name][rows] = values
        self._begin(rows, {})
        return self._masked({"final_obs": last, "final_info": self._masked(told, rows)}, rows)

    def _masked(self, info: dict[str, Any], rows: Ints) -> dict[str, Any]:
        """Each of ``info`` with a mask of the rows that it tells about."""
        mask = np.zeros(self.num_envs, np.bool_)
        mask[rows] = True
        return info | {f"_{name}": mask.copy() for name in info}

    def render(self) -> tuple[Any, ...] | None:
        """What is seen in each row, in the mode that was chosen."""
        if self.render_mode is None:
            return None
        show, of = self._screen.render, self.episodes
        return tuple(
            show(partial(of.text, row), partial(of.picture, row)) for row in self._rows.tolist()
        )

    def close_extras(self, **kwargs: Any) -> None:
        """Give back what the episodes hold."""
        self._screen.close()
        self.episodes.close()
