"""PPO with action masks (sb3-contrib) that learns to build letters drop by drop.

``arena train birds -o FOLDER`` trains it. The checkpoint is a folder: ``config.json`` (what was
trained, with which figures) and ``model.safetensors`` (the policy's weights). Play needs torch and
sb3-contrib as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from safetensors.torch import save_file
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.policies import MaskableMultiInputActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv

from arena.agents.agent import Agent, CannotPlay
from arena.agents.registry import player_folder
from arena.envs import seeding
from arena.envs.checkpoints import read_config, read_tensors
from arena.envs.game import Game, Turns
from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import look
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.grid import STOP

HIDDEN = [256, 256]


def observation_space(drops: int) -> spaces.Dict:
    """What the policy sees of a turn: the letter, the blocks dropped, the cells."""
    space = ScienceBirds(drops=drops).observation_space
    return spaces.Dict({name: space[name] for name in ("letter", "dropped", "cells")})


class TablesVecEnv(VecEnv):
    """The game's tables as stable-baselines' vector environment, episodes restarted by themselves.

    Reward: the change of the letter's probability in the picture before any physics at each drop;
    at the end what is missing to stability × similarity.
    """

    def __init__(self, game: ScienceBirds, count: int, seed: int) -> None:
        self.game, self.tables = game, game.tables(count)
        self.every = np.arange(count)
        self.seats = np.zeros(count, np.int64)
        self.counter = np.zeros(count, np.int64)
        self.bases = np.array([seeding.derive(seed, "table", i) for i in range(count)], np.uint64)
        self.earned = np.zeros(count)
        self.pending = np.zeros(count, np.int64)
        self.render_mode = None
        super().__init__(count, observation_space(game.drops), spaces.Discrete(STOP + 1))

    def _begin(self, tables: NDArray[np.int64]) -> None:
        seeds = seeding.spread(self.bases[tables], self.counter[tables])
        self.counter[tables] += 1
        self.earned[tables] = 0
        self.tables.begin(tables, seeds)

    def _observation(self) -> dict[str, NDArray[Any]]:
        seen = self.tables.observe(self.every, self.seats)
        return {name: np.array(seen[name]) for name in ("letter", "dropped", "cells")}

    def reset(self) -> Any:
        """Fresh levels everywhere."""
        self._begin(self.every)
        return self._observation()

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions for ``step_wait``."""
        self.pending = np.asarray(actions, np.int64)

    def step_wait(self) -> Any:
        """Drop everywhere, judge what is finished, begin anew there."""
        self.tables.step(self.every, self.seats, self.pending)
        done = self.tables.done.copy()
        worth = np.where(done, self.tables.returns[:, 0], 0.0)
        for table in np.flatnonzero(~done).tolist():
            built = grid.build(self.tables.drops[table, : self.tables.counts[table]])
            assert isinstance(built, grid.Structure)
            worth[table] = look(built)[self.tables.letters[table]]
        rewards = worth - self.earned
        self.earned = worth
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            last = self._observation()
            for table in np.flatnonzero(done).tolist():
                infos[table] = {
                    "terminal_observation": {k: v[table] for k, v in last.items()},
                    "episode": {"r": worth[table], "l": int(last["dropped"][table]), "t": 0.0},
                }
            self._begin(np.flatnonzero(done))
        return self._observation(), rewards.astype(np.float32), done, infos

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Only ``action_masks``, which MaskablePPO asks for."""
        if method_name != "action_masks":
            raise AttributeError(method_name)
        mask = self.tables.action_mask(self.every, self.seats)
        assert mask is not None
        return list(mask)

    def has_attr(self, attr_name: str) -> bool:
        """Whether ``env_method`` knows it."""
        return attr_name == "action_masks"

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The same attribute for all."""
        return [getattr(self, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Nothing can be set."""
        raise AttributeError(attr_name)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Nothing is wrapped."""
        return [False] * self.num_envs

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class BirdsRun:
    """How a checkpoint came about: its ``config.json``."""

    algorithm: Literal["MaskablePPO"]
    steps: int
    letters: str
    drops: int
    tables: int
    seed: int
    score: float


def train(
    out: Path,
    *,
    steps: int,
    letters: str,
    drops: int,
    tables: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> float:
    """Train and save a checkpoint; returns the mean score of the last 200 episodes.

    ``progress`` is told how many steps of how many are done.
    """

    def report(*_: object) -> bool:
        progress(min(model.num_timesteps, steps), steps)
        return True

    progress(0, steps)
    game = ScienceBirds(drops=drops, letters=letters)
    model = MaskablePPO(
        MaskableMultiInputActorCriticPolicy, TablesVecEnv(game, tables, seed), n_steps=16,
        batch_size=256, n_epochs=4, gamma=1.0, gae_lambda=0.95, ent_coef=0.01, learning_rate=1e-3,
        policy_kwargs={"net_arch": HIDDEN}, seed=seed, device="cpu", stats_window_size=200,
    )  # fmt: skip
    model.learn(steps, callback=report)
    assert model.ep_info_buffer is not None
    score = float(np.mean([episode["r"] for episode in model.ep_info_buffer]))
    out.mkdir(parents=True, exist_ok=True)
    save_file(model.policy.state_dict(), out / "model.safetensors")
    config = BirdsRun("MaskablePPO", steps, letters, drops, tables, seed, score)
    (out / "config.json").write_bytes(orjson.dumps(config, option=orjson.OPT_INDENT_2) + b"\n")
    return score


class MaskablePolicy(Agent):
    """Plays a checkpoint of ``arena train birds``, drawing from its policy."""

    version = 2

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if not isinstance(game, ScienceBirds) or game.mode != "sequential":
            raise CannotPlay("birds_ppo builds levels of science_birds?mode=sequential only")
        if checkpoint is None:
            raise CannotPlay("birds_ppo needs a checkpoint: birds_ppo:FOLDER")
        folder = player_folder(checkpoint)
        config = read_config(folder / "config.json", BirdsRun)
        if config.drops != game.drops:
            raise CannotPlay(f"{folder} was trained with drops={config.drops}, not {game.drops}")
        self.network = MaskableMultiInputActorCriticPolicy(
            observation_space(game.drops), spaces.Discrete(STOP + 1), lambda _: 0.0, HIDDEN
        )
        self.network.load_state_dict(
            read_tensors(folder / "model.safetensors", self.network.state_dict(), framework="pt")
        )
        self.network.set_training_mode(False)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The network's masked distribution."""
        names = ("letter", "dropped", "cells")
        seen = {name: torch.as_tensor(np.asarray(turns.observation[name])) for name in names}
        with torch.no_grad():
            distribution = self.network.get_distribution(seen, turns.action_mask)
            inner: Any = distribution.distribution
            probabilities = inner.probs.double().numpy()
        mask = turns.action_mask
        assert mask is not None
        probabilities = np.where(mask, probabilities, 0.0)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return np.asarray(probabilities, np.float64)
