"""Bonuses on any of stable-baselines' vector environments, and their training from the rollout.

env = VecBonus(venv, "e3b*noveld")
PPO("MultiInputPolicy", env).learn(100_000, callback=BonusTraining(env))
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from arena.agents.exploration.bonus import Kit, Transitions
from arena.agents.exploration.combination import Mixture
from arena.envs.errors import InputError

_BATCH = 256


class VecBonus(VecEnvWrapper):
    """Adds β × bonus to the reward; a ``VecMonitor`` below sees the task's own.

    Args:
        venv: any vector environment with Discrete actions; observations that are no Dict are seen
            as one with the key ``observation``.
        bonus: what ``combination.parse`` reads.
        beta: β.
        clip: the sum is clipped to ± this (Henaff et al.: 1).
        seed, device, lr: of the bonus's networks.
        share: of the transitions, that the networks are trained on (Burda et al.: a quarter where
            there are 128 environments).

    Attributes:
        paid: float64 ``(envs,)``, the last step's bonus before β.
    """

    def __init__(
        self,
        venv: VecEnv,
        bonus: str,
        *,
        beta: float = 1.0,
        clip: float = 1.0,
        seed: int = 0,
        device: str = "cpu",
        lr: float = 1e-4,
        share: float = 0.25,
    ) -> None:
        super().__init__(venv)
        if not isinstance(venv.action_space, spaces.Discrete):
            raise InputError("exploration bonuses need an environment with Discrete actions")
        space = venv.observation_space
        self._single = not isinstance(space, spaces.Dict)
        seen = space if isinstance(space, spaces.Dict) else spaces.Dict({"observation": space})
        kit = Kit(
            seen, int(venv.action_space.n), venv.num_envs, seed=seed, device=device, lr=lr,
            names=lambda: venv.get_attr("action_names", 0)[0],
        )  # fmt: skip
        self.bonus = Mixture(kit, bonus)
        self.beta, self.clip, self.share = beta, clip, share
        parameters = [p for n in self.bonus.networks.values() for p in n.parameters()]
        unique = {id(p): p for p in parameters if p.requires_grad}
        self.optimizer = torch.optim.Adam(unique.values(), lr=lr) if unique else None
        self.paid = np.zeros(venv.num_envs)
        self._kept: list[Transitions] = []
        self._shuffle = np.random.default_rng(seed)
        self._seen: dict[str, NDArray[Any]] = {}
        self._first = np.ones(venv.num_envs, np.bool_)

    def reset(self) -> Any:
        """Begin everywhere."""
        seen = self.venv.reset()
        self._seen = self._arrays(seen)
        self._first[:] = True
        self.bonus.begin(np.arange(self.num_envs), self._seen)
        return seen

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions: bonuses look at them."""
        self._actions = np.asarray(actions, np.int64)
        self.venv.step_async(actions)

    def step_wait(self) -> Any:
        """Step, and pay."""
        seen, rewards, dones, infos = self.venv.step_wait()
        arrays = self._arrays(seen)
        after = arrays
        ended = np.flatnonzero(dones)
        if len(ended):
            after = {key: value.copy() for key, value in arrays.items()}
            for row in ended.tolist():
                final = infos[row]["terminal_observation"]
                for key, value in ({"observation": final} if self._single else final).items():
                    after[key][row] = value
        steps = Transitions(self._seen, self._actions, after, self._first.copy(), dones)
        self.paid = self.bonus.pay(steps)
        if self.optimizer is not None:
            self._kept.append(steps)
        if len(ended):
            self.bonus.begin(ended, {key: value[ended] for key, value in arrays.items()})
        self._seen, self._first = arrays, dones.copy()
        total = np.clip(rewards + self.beta * self.paid, -self.clip, self.clip)
        return seen, total.astype(np.float32), dones, infos

    def learn(self) -> dict[str, float]:
        """Train on a share of what was kept since the last time, once through; the mean loss."""
        kept, self._kept = self._kept, []
        if not kept or self.optimizer is None:
            return {}
        every = _joined(kept)
        chosen = self._shuffle.permutation(len(every))[: max(1, int(len(every) * self.share))]
        losses = []
        for rows in np.array_split(chosen, max(1, len(chosen) // _BATCH)):
            loss = self.bonus.loss(every.select(rows))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(float(loss.detach()))
        return {"loss": float(np.mean(losses))}

    @property
    def waiting(self) -> int:
        """How many transitions are kept for training."""
        return sum(map(len, self._kept))

    def _arrays(self, seen: Any) -> dict[str, NDArray[Any]]:
        if self._single:
            return {"observation": np.array(seen)}
        return {key: np.array(value) for key, value in seen.items()}

    # -- what is saved ---------------------------------------------------------------------------

    def memory(self) -> dict[str, NDArray[Any]]:
        """All that a run needs to go on, beside weights and optimiser."""
        if self._kept:
            raise ValueError("a bonus is saved between rollouts, after it has learnt")
        found = {f"bonus.{key}": value for key, value in self.bonus.memory().items()}
        found |= {f"seen.{key}": value for key, value in self._seen.items()}
        return found | {"first": self._first}

    def remember(self, memory: Mapping[str, NDArray[Any]], shuffle: Mapping[str, Any]) -> None:
        """Take ``memory()`` back, and the state of the shuffling generator."""
        parts: dict[str, dict[str, NDArray[Any]]] = {"bonus": {}, "seen": {}}
        for key, value in memory.items():
            start, dot, name = key.partition(".")
            if dot:
                parts[start][name] = value
        self.bonus.remember(parts["bonus"])
        self._seen, self._first = parts["seen"], np.array(memory["first"], np.bool_)
        self._shuffle.bit_generator.state = dict(shuffle)

    @property
    def shuffle(self) -> dict[str, Any]:
        """The state of the shuffling generator, JSON-able."""
        return dict(self._shuffle.bit_generator.state)


def _joined(parts: list[Transitions]) -> Transitions:
    return Transitions(
        {k: np.concatenate([p.before[k] for p in parts]) for k in parts[0].before},
        np.concatenate([p.actions for p in parts]),
        {k: np.concatenate([p.after[k] for p in parts]) for k in parts[0].after},
        np.concatenate([p.first for p in parts]),
        np.concatenate([p.ended for p in parts]),
    )


class BonusTraining(BaseCallback):
    """Trains a ``VecBonus`` after each rollout, and logs what it pays apart from the task.

    Args:
        env: whose bonus is trained.
        least: transitions that must have come together; an off-policy learner's rollouts are of a
            few steps.
    """

    def __init__(self, env: VecBonus, least: int = 256) -> None:
        super().__init__()
        self.bonus_env, self.least = env, least
        self._sum, self._steps = 0.0, 0

    def _on_step(self) -> bool:
        self._sum += float(self.bonus_env.paid.mean())
        self._steps += 1
        return True

    def _on_rollout_end(self) -> None:
        env = self.bonus_env
        if self._steps:
            self.logger.record("bonus/mean", self._sum / self._steps)
            self._sum, self._steps = 0.0, 0
        for term, raw in zip(env.bonus.terms, env.bonus.raw.tolist(), strict=True):
            self.logger.record(f"bonus/raw/{term}", raw)
        for name, value in env.bonus.figures().items():
            self.logger.record(f"bonus/{name}", value)
        if env.waiting >= self.least:
            for name, value in env.learn().items():
                self.logger.record(f"bonus/{name}", value)
