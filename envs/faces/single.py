"""One episode after the other as a Gymnasium environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.faces.screen import FPS, MODES, Screen
from arena.envs.faces.seat import Episodes
from arena.envs.faces.seeds import Seeds
from arena.envs.faces.view import mask_in


class EpisodeEnv(gymnasium.Env[Any, Any]):
    """The first row of ``episodes``.

    The info has the same keys at every step. A seed at ``reset`` decides the episodes from there
    on; ``options`` are what the episodes take.

    Args:
        episodes: what is played.
        render_mode: ``ansi`` (words), ``rgb_array`` (a picture of one size), ``human`` (it in a
            window), or None.
    """

    metadata = {"render_modes": list(MODES), "render_fps": FPS}  # noqa: RUF012 - Gymnasium's form

    def __init__(self, episodes: Episodes, render_mode: str | None = None) -> None:
        self.episodes = episodes
        self.render_mode, self._screen = render_mode, Screen(render_mode)
        self.observation_space = episodes.observation_space
        self.action_space = episodes.action_space
        self._row, self._seeds = np.zeros(1, np.int64), Seeds(1)

    @property
    def spec(self) -> EnvSpec | None:
        """Gymnasium's specification, with the limit of steps that the options have led to."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        limit = self.episodes.limit
        self._spec = spec and replace(spec, max_episode_steps=limit)

    _spec: EnvSpec | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        self._seeds.give(0, seed)
        self.episodes.begin(self._row, self._seeds.draw(self._row), options or {})
        return self._seen()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take an action, and all that happens up to the next."""
        rewards, terminated, truncated = self.episodes.step(self._row, np.asarray(action)[None])
        observation, info = self._seen()
        return observation, float(rewards[0]), bool(terminated[0]), bool(truncated[0]), info

    def action_masks(self) -> NDArray[np.bool_]:
        """The legal actions, bool ``(actions,)``, as sb3-contrib asks for them."""
        mask = self.episodes.action_mask(self._row)
        if mask is None:
            raise InputError("only actions of a Discrete space have masks")
        return np.asarray(mask[0])

    def render(self) -> Any:
        """What is seen, in the mode that was chosen."""
        return self._screen.render(lambda: self.episodes.text(0), self._picture)

    def close(self) -> None:
        """Give back what the episodes hold."""
        self._screen.close()
        self.episodes.close()

    def _picture(self) -> NDArray[np.uint8]:
        return self.episodes.picture(0)

    def _seen(self) -> tuple[Any, dict[str, Any]]:
        self._screen.refresh(self._picture)
        [observation] = rows_of(self.episodes.observe(self._row))
        [told] = rows_of(self.episodes.info(self._row))
        # Plain numbers, of which Gymnasium makes arrays of their own type.
        info = {name: value if np.ndim(value) else value.item() for name, value in told.items()}
        return observation, info | mask_in(observation)


def rows_of(batch: Any) -> list[Any]:
    """A batch, however nested, as a list of its rows."""
    if isinstance(batch, dict):
        parts = zip(*map(rows_of, batch.values()), strict=True)
        return [dict(zip(batch, values, strict=True)) for values in parts]
    return list(batch)
