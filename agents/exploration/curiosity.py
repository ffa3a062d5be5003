"""A bonus beside a solo game's own reward, at the batched tables of a learner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.agent import CannotPlay
from arena.agents.exploration.bonus import Kit, Transitions
from arena.agents.exploration.payer import Payer
from arena.agents.networks.encoders import looked_at
from arena.agents.networks.moments import moments, take_moments
from arena.envs.game import Advanced, Game, Ints, Observation, Tables, Turns


class Curiosity:
    """Pays ``coef`` times the bonus for each step, the sum clipped to ± ``clip``.

    Args:
        game: a solo game.
        tables: where it is played.
        bonus: what ``combination.parse`` reads.
        coef, clip: see above (Henaff et al. clip to 1).
        seed, device, learning_rate: of the bonus's networks.

    Raises:
        CannotPlay: for a game of several seats, or without a list of actions.
    """

    def __init__(
        self, game: Game, tables: Tables, bonus: str, *, coef: float, clip: float, seed: int,
        device: str, learning_rate: float,
    ) -> None:  # fmt: skip
        space = game.action_space
        if game.seats != 1:
            raise CannotPlay(
                f"--bonus pays for exploring alone; {game.name} has {game.seats} seats"
            )
        if not isinstance(space, spaces.Discrete):
            raise CannotPlay(f"--bonus looks at actions of a list; {game.name} has none")
        self._keys = looked_at(game.observation_space)
        seen = type(game.observation_space)({k: game.observation_space[k] for k in self._keys})
        kit = Kit(
            seen, int(space.n), tables.capacity, seed=seed, device=device, lr=learning_rate,
            names=lambda: [tables.describe(0, 0, action) for action in range(int(space.n))],
        )  # fmt: skip
        self.payer = Payer(kit, bonus)
        self._coef, self._clip = coef, clip
        self._first = np.ones(tables.capacity, np.bool_)
        self._paid: list[float] = []  # the mean of each step since it last learned

    def begin(self, turns: Turns) -> None:
        """Episodes begin everywhere."""
        self._first[:] = True
        self._seen = self._arrays(turns.observation)
        self.payer.begin(turns.tables, self._seen)

    def pay(
        self, actions: Ints, after: Advanced, gains: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What each step earned with the bonus, float64 ``(tables, 1)``.

        The last observation of an episode that ended by the rules is not seen again: that step is
        paid no bonus.
        """
        now = self._arrays(after.turns.observation)
        reached = {key: value.copy() for key, value in now.items()}
        over = np.flatnonzero(after.ended)
        for key, value in reached.items():
            value[over] = self._seen[key][over]
            if after.final is not None:
                value[after.truncated] = after.final[key]
        paid = self.payer.pay(
            Transitions(self._seen, actions.copy(), reached, self._first.copy(), after.ended.copy())
        )
        paid = np.where(after.ended & ~after.truncated, 0.0, paid)
        self._paid.append(float(paid.mean()))
        if len(over):
            self.payer.begin(over, {key: value[over] for key, value in now.items()})
        self._seen, self._first = now, after.ended.copy()
        return np.clip(gains + self._coef * paid[:, None], -self._clip, self._clip)

    def learn(self) -> dict[str, float]:
        """Train the bonus on what was paid for since the last time; what is to be logged of it."""
        bonus = self.payer.bonus
        found = {"mean": float(np.mean(self._paid))}
        found |= {f"raw/{term}": raw for term, raw in zip(bonus.terms, bonus.raw, strict=True)}
        found |= self.payer.learn() | bonus.figures()
        self._paid = []
        return {f"bonus/{name}": float(value) for name, value in found.items()}

    def _arrays(self, observation: Observation) -> dict[str, NDArray[Any]]:
        return {key: np.array(observation[key]) for key in self._keys}

    # -- what is saved ---------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Weights, optimiser, memory; the shuffling generator."""
        found = {
            f"memory.{name}": torch.from_numpy(_signed(value).copy())
            for name, value in self.payer.memory().items()
        }
        for name, network in self.payer.bonus.networks.items():
            found |= {f"network.{name}|{k}": v.clone() for k, v in network.state_dict().items()}
        if self.payer.optimizer is not None:
            found |= {f"optimizer.{k}": v for k, v in moments(self.payer.optimizer).items()}
        return found, self.payer.shuffle

    def restore(self, tensors: Mapping[str, Tensor], shuffle: Mapping[str, Any]) -> None:
        """Take ``state`` back."""
        parts: dict[str, dict[str, Tensor]] = {"memory": {}, "network": {}, "optimizer": {}}
        for key, value in tensors.items():
            kind, _, name = key.partition(".")
            parts[kind][name] = value
        memory = {k: _unsigned(k, v.numpy()) for k, v in parts["memory"].items()}
        self.payer.remember(memory, shuffle)
        for name, network in self.payer.bonus.networks.items():
            start = f"{name}|"
            network.load_state_dict(
                {
                    k.removeprefix(start): v
                    for k, v in parts["network"].items()
                    if k.startswith(start)
                }
            )
        if self.payer.optimizer is not None:
            take_moments(self.payer.optimizer, parts["optimizer"])


def _signed(value: NDArray[Any]) -> NDArray[Any]:
    """safetensors' torch face knows no uint64: the same bits as int64."""
    value = np.ascontiguousarray(value)
    return value.view(np.int64) if value.dtype == np.uint64 else value


def _unsigned(key: str, value: NDArray[Any]) -> NDArray[Any]:
    return value.view(np.uint64) if key.endswith(".keys") else value
