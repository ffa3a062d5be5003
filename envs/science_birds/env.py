"""Gymnasium and PettingZoo faces of Science Birds.

``ScienceBirds-v0`` drops a block a step, ``ScienceBirdsProgram-v0`` takes a whole level in one;
``parallel_env`` (and ``env``, ``raw_env``) is a duel of two builders of the same letter. Importing
this module registers the ids.
"""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import look
from arena.envs.science_birds.drawing import level_image
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.grid import STOP
from arena.envs.science_birds.similarity import LETTERS

Observation = dict[str, Any]
_ZERO = np.zeros(1, np.int64)


def _space(game: ScienceBirds, *, mask: bool) -> spaces.Dict:
    """A game's observation space without the trial, and with the mask if wanted."""
    parts = {k: v for k, v in game.observation_space.items() if k != "trial"}
    if mask:
        parts["action_mask"] = spaces.Box(0, 1, (STOP + 1,), np.int8)
    return spaces.Dict(parts)


class _Builder:
    """One level of one letter being built."""

    def __init__(self, game: ScienceBirds) -> None:
        self.tables = game.tables(1)

    def begin(self, letter: int) -> None:
        self.tables.begin(_ZERO, np.array([letter], np.uint64))

    def observation(self, *, mask: bool) -> Observation:
        seen = self.tables.observe(_ZERO, _ZERO)
        out: Observation = {
            "letter": np.int64(seen["letter"][0]),
            "dropped": np.int64(seen["dropped"][0]),
            "cells": seen["cells"][0],
        }
        if mask:
            out["action_mask"] = self.mask().astype(np.int8)
        return out

    def mask(self) -> NDArray[np.bool_]:
        mask = self.tables.action_mask(_ZERO, _ZERO)
        assert mask is not None
        if self.done:
            # Who has stopped waits for the other.
            mask[0] = np.arange(STOP + 1) == STOP
        return np.asarray(mask[0])

    def act(self, action: Any) -> None:
        self.tables.step(_ZERO, _ZERO, np.asarray(action)[None])

    @property
    def done(self) -> bool:
        return bool(self.tables.done[0])

    @property
    def score(self) -> float:
        return float(self.tables.returns[0, 0])

    def potential(self) -> float:
        """What the level so far looks like: the letter's probability before any physics."""
        drops = self.tables.drops[0, : self.tables.counts[0]]
        if self.done or len(drops) == 0:
            return 0.0
        structure = grid.build(drops)
        assert isinstance(structure, grid.Structure)
        return float(look(structure)[self.tables.letters[0]])

    def facts(self) -> dict[str, Any]:
        assessed = self.tables.assessments[0][-1]
        return {
            "stability": assessed.stability,
            "similarity": float(assessed.probabilities[self.tables.letters[0]]),
            "failure": assessed.failure,
        }

    def picture(self) -> NDArray[np.uint8]:
        from arena.envs.science_birds.levels import Level, from_structure

        assessed = self.tables.assessments[0]
        if assessed and assessed[-1].level is not None:
            return np.asarray(level_image(assessed[-1].level, assessed[-1].poses))
        structure = grid.build(self.tables.drops[0, : self.tables.counts[0]])
        level = Level(()) if isinstance(structure, str) else from_structure(structure)
        poses = [(p.x, p.y, np.radians(p.rotation)) for p in level.pieces]
        return np.asarray(level_image(level, np.array(poses).reshape(-1, 3)))


class ScienceBirdsEnv(gymnasium.Env[Observation, Any]):
    """Build a letter out of blocks; the level falls for ten seconds and is judged.

    Observation: ``letter`` (Discrete 26), ``dropped`` (blocks so far), ``cells`` (uint8 16 × 20,
    row 0 at the bottom, 0 free, else 1 + kind). Action, mode ``sequential``: kind × 20 + slot, 60
    stops; ``one_shot``: up to ``drops`` such numbers, what follows the first 60 is ignored.

    Reward: stability × similarity, at the end. With ``reward="dense"`` each step also earns the
    change of the letter's probability in the picture before any physics; the sum over an episode
    is the same. An illegal drop ends the episode with 0 in all. Legal actions are in
    ``info["action_mask"]`` and in ``action_masks()``.

    Options of ``reset``: ``letter`` (a capital) instead of one drawn from the seed.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's

    def __init__(
        self,
        *,
        mode: Literal["sequential", "one_shot"] = "sequential",
        reward: Literal["final", "dense"] = "final",
        drops: int = 40,
        letters: str = LETTERS,
        render_mode: str | None = None,
    ) -> None:
        self.game = ScienceBirds(mode=mode, drops=drops, letters=letters)
        self.dense = reward == "dense" and mode == "sequential"
        self.render_mode = render_mode
        self.builder = _Builder(ScienceBirds(mode=mode, drops=drops))
        self.observation_space = _space(self.game, mask=False)
        self.action_space = (
            spaces.Discrete(STOP + 1)
            if mode == "sequential"
            else spaces.MultiDiscrete(np.full(drops, STOP + 1))
        )
        self.earned = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """An empty grid and a letter."""
        super().reset(seed=seed)
        letter = self.game.letters[int(self.np_random.integers(len(self.game.letters)))]
        letter = (options or {}).get("letter", letter)
        self.builder.begin(LETTERS.index(letter))
        self.earned = 0.0
        return self.builder.observation(mask=False), self._info()

    def _info(self) -> dict[str, Any]:
        return {"action_mask": self.action_masks()} if self.game.mode == "sequential" else {}

    def action_masks(self) -> NDArray[np.bool_]:
        """Legal actions, bool ``(61,)``: what sb3-contrib's MaskablePPO asks for."""
        return self.builder.mask()

    def step(self, action: Any) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Drop a block, stop, or drop a whole program."""
        builder, info = self.builder, {}
        over = False
        if self.game.mode == "one_shot":
            program = np.array(action, np.int64)
            stops = np.flatnonzero(program == STOP)
            if len(stops):
                program[stops[0] :] = STOP
            builder.act(program)
        elif builder.mask()[int(action)]:
            builder.act(np.int64(action))
        else:
            over, info = True, {"illegal": True}
        worth = 0.0
        if builder.done:
            worth, info = builder.score, builder.facts()
        elif self.dense and not over:
            worth = builder.potential()
        reward, self.earned = worth - self.earned, worth
        seen = builder.observation(mask=False)
        return seen, reward, over or builder.done, False, {**self._info(), **info}

    def render(self) -> Any:
        """The level in colour (``rgb_array``), or the grid in characters (``ansi``)."""
        if self.render_mode == "ansi":
            return grid.picture(self.builder.tables.cells[0])
        return self.builder.picture()


class parallel_env(ParallelEnv[str, Observation, int]):  # type: ignore[misc]  # noqa: N801
    """Two builders of the same letter, each in its own grid; the better level wins.

    Both drop a block at the same time; who has stopped repeats ``stop`` until the other is done.
    The last rewards are 1 and −1, or 0 for both where stability × similarity is equal. A drop that
    the mask forbids loses at once. Observations are those of ``ScienceBirdsEnv`` with
    ``action_mask`` (int8, 61); the opponent's grid is not shown.
    """

    metadata = {"name": "science_birds_v0", "render_modes": ["ansi"], "is_parallelizable": True}  # noqa: RUF012

    def __init__(self, *, drops: int = 40, render_mode: str | None = None) -> None:
        game = ScienceBirds(drops=drops)
        self.possible_agents = ["builder_0", "builder_1"]
        self.agents: list[str] = []
        self.builders = {agent: _Builder(game) for agent in self.possible_agents}
        self.render_mode = render_mode
        self.observation_spaces = {a: _space(game, mask=True) for a in self.possible_agents}
        self.action_spaces = {a: spaces.Discrete(STOP + 1) for a in self.possible_agents}
        self._random: np.random.Generator = np.random.default_rng(0)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """The same for both."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """The same for both."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Two empty grids and one letter."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        letter = int(self._random.integers(len(LETTERS)))
        self.agents = list(self.possible_agents)
        for builder in self.builders.values():
            builder.begin(letter)
        return self._observations(), {agent: {} for agent in self.agents}

    def _observations(self) -> dict[str, Observation]:
        return {agent: self.builders[agent].observation(mask=True) for agent in self.agents}

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool],
        dict[str, dict[str, Any]],
    ]:  # fmt: skip
        """Both drop a block or stop."""
        agents = list(self.agents)
        foul = [a for a in agents if not self.builders[a].mask()[int(actions[a])]]
        rewards = dict.fromkeys(agents, 0.0)
        if foul:
            rewards = {a: (-1.0 if a in foul else 1.0) if len(foul) < 2 else 0.0 for a in agents}
        else:
            for agent in agents:
                if not self.builders[agent].done:
                    self.builders[agent].act(np.int64(actions[agent]))
        over = bool(foul) or all(self.builders[agent].done for agent in agents)
        if over and not foul:
            a, b = (self.builders[agent].score for agent in agents)
            rewards = dict(zip(agents, (float(np.sign(a - b)), float(np.sign(b - a))), strict=True))
        observations = self._observations()
        if over:
            self.agents = []
        return (
            observations, rewards, dict.fromkeys(agents, over), dict.fromkeys(agents, False),
            {agent: {} for agent in agents},
        )  # fmt: skip

    def render(self) -> Any:
        """Both grids in characters."""
        return "\n\n".join(
            f"{agent}\n{grid.picture(b.tables.cells[0])}" for agent, b in self.builders.items()
        )

    def close(self) -> None:
        """Nothing is held."""


def raw_env(**arguments: Any) -> AECEnv[str, Observation, int]:
    """The duel turn by turn: both drop before either sees what came of it."""
    return parallel_to_aec(parallel_env(**arguments))


def env(**arguments: Any) -> AECEnv[str, Observation, int]:
    """``raw_env`` with PettingZoo's checks of use."""
    return wrappers.OrderEnforcingWrapper(raw_env(**arguments))


def register() -> None:
    """Make ``gymnasium.make("ScienceBirds-v0")`` and ``ScienceBirdsProgram-v0`` known, once."""
    for name, mode in (("ScienceBirds-v0", "sequential"), ("ScienceBirdsProgram-v0", "one_shot")):
        if name not in gymnasium.registry:
            gymnasium.register(
                name,
                entry_point="arena.envs.science_birds.env:ScienceBirdsEnv",
                kwargs={"mode": mode},
            )


register()
