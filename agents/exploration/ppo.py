"""PPO with exploration bonuses on any solo game, in runs that stop and go on exactly.

The algorithm is stable-baselines' PPO, or RecurrentPPO where ``recurrent``. A run is a folder:

- ``config.json``: game, bonus and every figure of the training;
- ``policy.safetensors``: what plays;
- ``resume.safetensors``, ``resume.json``: optimisers, the bonus's networks and memories, the
  episodes under way, the states of all random generators;
- TensorBoard's event files, under CleanRL's names.

A run that was stored and goes on gives the same weights as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib import RecurrentPPO
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.logger import KVWriter, Logger, TensorBoardOutputFormat
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv

from arena.agents.exploration.actor import Acting, Actor
from arena.agents.exploration.tables_env import TablesVecEnv
from arena.agents.exploration.vec import BonusTraining, VecBonus
from arena.agents.networks.encoders import Size, encoder, looked_at
from arena.agents.rollout import play_out
from arena.envs import seeding
from arena.envs.checkpoints import fitting, read_config, read_tensors, write_tensors
from arena.envs.files import write_json
from arena.envs.outside import read_json
from arena.envs.registry import make_game


@dataclass(frozen=True)
class Settings:
    """All that decides a run.

    Attributes:
        game: its spec; bonus: as ``combination.parse`` reads it, "" for none.
        beta, clip: see ``VecBonus``.
        envs: environments; rollout: steps of each between updates.
        batch, epochs, lr, gamma, lam, entropy, value, ratio, gradient: PPO's figures.
        steps: of the whole run, in all environments together. The learning rate falls linearly
            from ``lr`` at the first update to almost 0 at the last (as CleanRL's does).
        bonus_lr: Adam's for the bonus's networks, constant.
        size: of the policy's network, width: of its features; recurrent: whether an LSTM follows.
        seed: of everything.
        device: "cpu" or "cuda". On CUDA the network's features are computed in bfloat16 and
            compiled.
    """

    game: str
    bonus: str = ""
    beta: float = 1.0
    clip: float = 1.0
    envs: int = 32
    rollout: int = 64
    batch: int = 512
    epochs: int = 4
    lr: float = 3e-4
    steps: int = 1_000_000
    bonus_lr: float = 1e-4
    gamma: float = 0.99
    lam: float = 0.95
    entropy: float = 0.005
    value: float = 0.5
    ratio: float = 0.2
    gradient: float = 0.5
    size: Size = "small"
    width: int = 256
    recurrent: bool = False
    seed: int = 0
    device: str = "cpu"


_SHARED = ("pi_features_extractor.", "vf_features_extractor.")  # the same network by other names


def policy_weights(policy: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A policy's tensors, each once."""
    return {k: v for k, v in policy.state_dict().items() if not k.startswith(_SHARED)}


def load_policy(policy: torch.nn.Module, folder: Path) -> None:
    """Take the ``policy_weights`` in a run's folder; InputError where they are another policy's."""
    wanted = policy_weights(policy)
    weights = read_tensors(folder / "policy.safetensors", wanted, framework="pt")
    policy.load_state_dict(weights, strict=False)


class Features(BaseFeaturesExtractor):
    """The game's encoder as stable-baselines wants it."""

    def __init__(self, observation_space: Any, size: Size, width: int) -> None:
        super().__init__(observation_space, width)
        self.net = encoder(observation_space, size, width)
        self._compiled = False

    def forward(self, seen: dict[str, torch.Tensor]) -> torch.Tensor:
        """Features, in bfloat16 inside where compiled for CUDA."""
        if next(self.net.parameters()).device.type != "cuda":
            found: torch.Tensor = self.net(seen)
            return found
        if not self._compiled:
            self.net.compile()  # in place: the weights keep their names
            self._compiled = True
        with torch.autocast("cuda", torch.bfloat16):
            quick: torch.Tensor = self.net(seen)
        return quick.float()


def make_model(settings: Settings, env: VecEnv) -> BaseAlgorithm:
    """An untrained PPO or RecurrentPPO for ``env``."""
    more: dict[str, Any] = {"lstm_hidden_size": settings.width} if settings.recurrent else {}
    if settings.recurrent:
        more["enable_critic_lstm"] = True
    kind: Any = RecurrentPPO if settings.recurrent else PPO
    model: BaseAlgorithm = kind(
        "MultiInputLstmPolicy" if settings.recurrent else "MultiInputPolicy",
        env,
        learning_rate=settings.lr,
        n_steps=settings.rollout,
        batch_size=settings.batch,
        n_epochs=settings.epochs,
        gamma=settings.gamma,
        gae_lambda=settings.lam,
        ent_coef=settings.entropy,
        vf_coef=settings.value,
        clip_range=settings.ratio,
        max_grad_norm=settings.gradient,
        seed=settings.seed,
        device=settings.device,
        policy_kwargs={
            "features_extractor_class": Features,
            "features_extractor_kwargs": {"size": settings.size, "width": settings.width},
            "net_arch": [],
            "normalize_images": False,
            **more,
        },
    )
    return model


# -- TensorBoard -----------------------------------------------------------------------------------

_NAMES = {
    "rollout/ep_rew_mean": "charts/episodic_return",
    "rollout/ep_len_mean": "charts/episodic_length",
    "time/fps": "charts/SPS",
    "train/learning_rate": "charts/learning_rate",
    "train/value_loss": "losses/value_loss",
    "train/policy_gradient_loss": "losses/policy_loss",
    "train/entropy_loss": "losses/entropy",
    "train/approx_kl": "losses/approx_kl",
    "train/clip_fraction": "losses/clipfrac",
    "train/explained_variance": "losses/explained_variance",
}


class _Renamed(KVWriter):
    """Writes under CleanRL's names."""

    def __init__(self, folder: Path) -> None:
        self.board = TensorBoardOutputFormat(str(folder))

    def write(self, key_values: Any, key_excluded: Any, step: int = 0) -> None:
        """Rename and write."""
        self.board.write(
            {_NAMES.get(key, key): value for key, value in key_values.items()},
            {_NAMES.get(key, key): value for key, value in key_excluded.items()},
            step,
        )

    def close(self) -> None:
        """Close the file."""
        self.board.close()


# -- a run -----------------------------------------------------------------------------------------


class Run:
    """A training run: made anew or read from its folder, trained for a while, stored.

    Args:
        settings: of the run.
        folder: where it is stored; None keeps nothing.

    Attributes:
        model, env, bonus_env: what trains, on what; ``bonus_env`` is None without a bonus.
        curve: rows of (steps, mean task return of the episodes ended since the last row, bonus).
    """

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        self.settings, self.folder = settings, folder
        torch.set_num_threads(1)  # for networks this small two threads are slower
        game = make_game(settings.game)
        self.env = TablesVecEnv(
            game,
            settings.envs,
            seeding.derive(settings.seed, "train"),
            looked_at(game.observation_space),
        )
        self.bonus_env = (
            VecBonus(
                self.env,
                settings.bonus,
                beta=settings.beta,
                clip=settings.clip,
                seed=settings.seed,
                device=settings.device,
                lr=settings.bonus_lr,
            )
            if settings.bonus
            else None
        )
        self.model: Any = make_model(settings, self.bonus_env or self.env)
        writers: list[KVWriter] = [] if folder is None else [_Renamed(folder)]
        self.model.set_logger(Logger(None, writers))
        self.model.lr_schedule = self._rate
        self.curve: list[tuple[int, float, float]] = []

    @property
    def steps(self) -> int:
        """Taken in all environments together."""
        return int(self.model.num_timesteps)

    def _rate(self, _remaining: float) -> float:
        """The learning rate of the update after a rollout: by the steps before it, of all.

        It depends on the settings and the steps taken alone, not on how a run was cut up.
        """
        before = max(0, self.steps - self.settings.envs * self.settings.rollout)
        return self.settings.lr * (1 - before / self.settings.steps)

    def train(
        self,
        until: int | None = None,
        progress: Callable[[int, float, float], None] | None = None,
    ) -> None:
        """Go on until so many steps have been taken in all, at most the run's; whole rollouts."""
        steps = min(until or self.settings.steps, self.settings.steps)
        if self.steps >= steps:
            return
        callbacks: list[BaseCallback] = [_Curve(self, progress)]
        if self.bonus_env is not None:
            callbacks.append(BonusTraining(self.bonus_env, least=1))
        fresh = self.steps == 0
        more = steps if fresh else steps - self.steps
        self.model.learn(more, CallbackList(callbacks), reset_num_timesteps=fresh, log_interval=1)

    # -- storing -----------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the folder; each file appears whole or not at all."""
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        model = self.model
        tensors, scalars = _optimizer_out("policy", model.policy.optimizer)
        tensors |= {f"env.{k}": torch.from_numpy(v) for k, v in self.env.memory().items()}
        tensors["last.starts"] = torch.from_numpy(np.array(model._last_episode_starts))
        tensors["random.torch"] = torch.get_rng_state()
        state = np.random.get_state(legacy=False)  # noqa: NPY002 - SB3 shuffles by it
        tensors["random.numpy"] = torch.from_numpy(state["state"]["key"].astype(np.int64))
        if self.settings.recurrent:
            for name, pair in model._last_lstm_states._asdict().items():
                for i, part in enumerate(pair):
                    tensors[f"lstm.{name}.{i}"] = part.clone()
        facts: dict[str, Any] = {
            "steps": self.steps,
            "updates": model._n_updates,
            "numpy": int(state["state"]["pos"]),
            "curve": [[None if isnan(v) else v for v in row] for row in self.curve],
            "policy": scalars,
        }
        bonus = self.bonus_env
        if bonus is not None:
            tensors |= {
                f"bonus.memory.{k}": torch.from_numpy(_signed(v)) for k, v in bonus.memory().items()
            }
            tensors |= _networks_out(bonus)
            facts["shuffle"] = bonus.shuffle
            if bonus.optimizer is not None:
                more, facts["bonus"] = _optimizer_out("bonus", bonus.optimizer)
                tensors |= more
        write_tensors(self.folder / "policy.safetensors", policy_weights(model.policy))
        write_tensors(self.folder / "resume.safetensors", tensors)
        write_json(self.folder / "resume.json", facts)
        write_json(self.folder / "config.json", {"kind": "ppo", **asdict(self.settings)})

    @classmethod
    def load(cls, folder: Path, steps: int | None = None) -> Run:
        """The run in ``folder``, ready to go on; InputError where there is none.

        ``steps`` is a new length of the whole run: from here on the learning rate is the one that
        a run of that length has at these steps.
        """
        settings = read_settings(folder)
        run = cls(settings if steps is None else replace(settings, steps=steps), folder)
        tensors = read_tensors(folder / "resume.safetensors", None, framework="pt")
        facts = read_json(folder / "resume.json", most=2**28)
        load_policy(run.model.policy, folder)
        with fitting(f"the run in {folder}"):
            run._resume(tensors, facts)
        return run

    def _resume(self, tensors: dict[str, torch.Tensor], facts: Any) -> None:
        """Take back what ``save`` wrote beside the policy."""
        run, model = self, self.model
        _optimizer_in("policy", model.policy.optimizer, tensors, facts["policy"])
        run.curve = [
            (steps, nan if mean is None else mean, paid) for steps, mean, paid in facts["curve"]
        ]
        bonus = run.bonus_env
        if bonus is not None:
            start = "bonus.memory."
            memory = {
                key.removeprefix(start): value.numpy()
                for key, value in tensors.items()
                if key.startswith(start)
            }
            bonus.remember({k: _unsigned(k, v) for k, v in memory.items()}, facts["shuffle"])
            _networks_in(bonus, tensors)
            if bonus.optimizer is not None:
                _optimizer_in("bonus", bonus.optimizer, tensors, facts["bonus"])
        seen = run.env.remember(
            {k.removeprefix("env."): v.numpy() for k, v in tensors.items() if k.startswith("env.")}
        )
        model.num_timesteps, model._n_updates = facts["steps"], facts["updates"]
        model._last_obs = seen
        model._last_episode_starts = tensors["last.starts"].numpy()
        if run.settings.recurrent:
            from sb3_contrib.common.recurrent.type_aliases import RNNStates

            parts = {
                name: tuple(tensors[f"lstm.{name}.{i}"] for i in (0, 1)) for name in ("pi", "vf")
            }
            model._last_lstm_states = RNNStates(**parts)
        torch.set_rng_state(tensors["random.torch"])
        state = np.random.get_state(legacy=False)  # noqa: NPY002 - as above
        state["state"] = {
            "key": tensors["random.numpy"].numpy().astype(np.uint32),
            "pos": facts["numpy"],
        }
        np.random.set_state(state)  # noqa: NPY002


class _Curve(BaseCallback):
    """Notes task returns apart from bonuses, rollout by rollout."""

    def __init__(self, run: Run, progress: Callable[[int, float, float], None] | None) -> None:
        super().__init__()
        self.run, self.progress = run, progress
        self.returns: list[float] = []
        self.lengths: list[int] = []
        self.begun = time.perf_counter()
        self.steps_before = run.steps

    def _on_step(self) -> bool:
        for info in self.locals["infos"]:
            if "episode" in info:
                self.returns.append(info["episode"]["r"])
                self.lengths.append(info["episode"]["l"])
        return True

    def _on_rollout_end(self) -> None:
        bonus = self.run.bonus_env
        paid = float(bonus.paid.mean()) if bonus is not None else 0.0
        mean = float(np.mean(self.returns)) if self.returns else float("nan")
        self.run.curve.append((self.num_timesteps, mean, paid))
        seconds = time.perf_counter() - self.begun
        self.logger.record("charts/SPS", (self.num_timesteps - self.steps_before) / seconds)
        if self.returns:
            self.logger.record("charts/episodic_return", mean)
            self.logger.record("charts/episodic_length", float(np.mean(self.lengths)))
        if self.progress is not None:
            self.progress(self.num_timesteps, mean, paid)
        self.returns, self.lengths = [], []


def read_settings(folder: Path) -> Settings:
    """The settings in a run's ``config.json``; InputError where it is no PPO run."""
    return read_config(folder / "config.json", Settings, kind="ppo")


def evaluate(run: Run, episodes: int, *, seed: int = 1_000_003) -> NDArray[np.float64]:
    """Returns of ``episodes`` on seeds that are the same for every run, actions drawn.

    The levels are the game's: with |C| contexts the same ones that were trained on.
    """
    tables = make_game(run.settings.game).tables(episodes)
    seeds = np.array([seeding.derive(seed, "evaluation", i) for i in range(episodes)], np.uint64)
    actor = Actor(run.model.policy, run.settings.recurrent, episodes)
    return play_out(tables, [Acting(actor)], seeds)[:, 0].copy()


def _signed(value: NDArray[Any]) -> NDArray[Any]:
    """safetensors' torch face knows no uint64: the same bits as int64."""
    value = np.ascontiguousarray(value)
    return value.view(np.int64) if value.dtype == np.uint64 else value


def _unsigned(key: str, value: NDArray[Any]) -> NDArray[Any]:
    return value.view(np.uint64) if key.endswith(".keys") else value


def _networks_out(bonus: VecBonus) -> dict[str, torch.Tensor]:
    return {
        f"bonus.network.{name}.{key}": value.clone()
        for name, network in bonus.bonus.networks.items()
        for key, value in network.state_dict().items()
    }


def _networks_in(bonus: VecBonus, tensors: dict[str, torch.Tensor]) -> None:
    for name, network in bonus.bonus.networks.items():
        start = f"bonus.network.{name}."
        network.load_state_dict(
            {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
        )


def _optimizer_out(
    name: str, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, torch.Tensor], Any]:
    state = optimizer.state_dict()
    tensors = {
        f"{name}.optimizer.{index}.{key}": value.clone()
        for index, entry in state["state"].items()
        for key, value in entry.items()
    }
    groups = [{k: v for k, v in g.items() if k != "params"} for g in state["param_groups"]]
    return tensors, groups


def _optimizer_in(
    name: str, optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor], groups: Any
) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    start = f"{name}.optimizer."
    for key, value in tensors.items():
        if key.startswith(start):
            index, _, field = key.removeprefix(start).partition(".")
            state.setdefault(int(index), {})[field] = value
    now = optimizer.state_dict()["param_groups"]
    merged = [{**old, **new} for old, new in zip(now, groups, strict=True)]
    optimizer.load_state_dict({"state": state, "param_groups": merged})
