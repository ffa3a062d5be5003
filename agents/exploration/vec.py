"""Bonuses on any of stable-baselines' vector environments, and their training from the rollout.

env = VecBonus(venv, "e3b*noveld")
PPO("MultiInputPolicy", env).learn(100_000, callback=BonusTraining(env))
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper

from arena.agents.exploration.bonus import Kit, Transitions
from arena.agents.exploration.payer import SHARE, Payer
from arena.envs.errors import InputError


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
        share: float = SHARE,
    ) -> None:
        super().__init__(venv)
        if not isinstance(venv.action_space, spaces.Discrete):
            raise InputError("exploration bonuses need an environment with Discrete actions")
        space = venv.observation_space
        self._single = not isinstance(space, spaces.Dict)
        seen = space if isinstance(space, spaces.Dict) else spaces.Dict({"observation": space})
        kit = Kit(seen, int(venv.action_space.n), venv.num_envs, seed=seed, device=device, lr=lr)
        self.payer = Payer(kit, bonus, share=share)
        self.bonus, self.optimizer = self.payer.bonus, self.payer.optimizer
        self.beta, self.clip = beta, clip
        self.paid = np.zeros(venv.num_envs)
        self._seen: dict[str, NDArray[Any]] = {}
        self._first = np.ones(venv.num_envs, np.bool_)

    def reset(self) -> Any:
        """Begin everywhere."""
        seen = self.venv.reset()
        self._seen = self._arrays(seen)
        self._first[:] = True
        self.payer.begin(np.arange(self.num_envs), self._seen)
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
        self.paid = self.payer.pay(steps)
        if len(ended):
            self.payer.begin(ended, {key: value[ended] for key, value in arrays.items()})
        self._seen, self._first = arrays, dones.copy()
        total = np.clip(rewards + self.beta * self.paid, -self.clip, self.clip)
        return seen, total.astype(np.float32), dones, infos

    def learn(self) -> dict[str, float]:
        """Train the bonus on the steps since the last time; the mean loss."""
        return self.payer.learn()

    @property
    def waiting(self) -> int:
        """How many steps are kept for training."""
        return self.payer.waiting

    def _arrays(self, seen: Any) -> dict[str, NDArray[Any]]:
        if self._single:
            return {"observation": np.array(seen)}
        return {key: np.array(value) for key, value in seen.items()}


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
