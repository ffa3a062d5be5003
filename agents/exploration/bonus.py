"""What an exploration bonus is: paid at each step, told of episodes, taught by a rollout.

Each bonus is one small file. ``VecBonus`` calls them with whole batches, one row an environment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from arena.agents.networks.encoders import InverseModel, tensors
from arena.envs import seeding

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Transitions:
    """Steps of many environments, one row each.

    Attributes:
        before, after: observations by key; ``after`` is what the action led to, also where the
            episode ended with it.
        actions: int64 ``(n,)``.
        first: bool ``(n,)``, whether the step was its episode's first.
        ended: bool ``(n,)``, whether it was the last.
    """

    before: Arrays
    actions: NDArray[np.int64]
    after: Arrays
    first: NDArray[np.bool_]
    ended: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.actions)

    def select(self, rows: NDArray[Any]) -> Transitions:
        """These rows."""
        return Transitions(
            {key: value[rows] for key, value in self.before.items()},
            self.actions[rows],
            {key: value[rows] for key, value in self.after.items()},
            self.first[rows],
            self.ended[rows],
        )


class Kit:
    """What the bonuses of one run share.

    Args:
        space: of the observations, a Dict.
        actions: how many there are.
        envs: how many environments.
        seed: of the networks' weights.
        device: where networks live.
        lr: of Adam.
        names: tells the actions' names, for bonuses that speak of them.
    """

    def __init__(
        self,
        space: spaces.Dict,
        actions: int,
        envs: int,
        *,
        seed: int = 0,
        device: str = "cpu",
        lr: float = 1e-4,
        names: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self.space, self.actions, self.envs = space, actions, envs
        self.names = names
        self.device, self.lr = torch.device(device), lr
        self.seed = seed
        self._made = 0
        self._inverse: InverseModel | None = None

    def build(self, make: Any) -> Any:
        """A network that ``make`` makes, with weights of its own seed."""
        self._made += 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeding.derive(self.seed, "bonus", self._made) >> 1)
            return make().to(self.device)

    def inverse(self) -> InverseModel:
        """The encoder that an inverse model shapes; ICM, RIDE and E3B share one."""
        if self._inverse is None:
            self._inverse = self.build(lambda: InverseModel(self.space, self.actions))
        return self._inverse

    def tensors(self, arrays: Arrays) -> dict[str, Tensor]:
        """Observations where the networks live."""
        return tensors(arrays, self.device)


class Bonus:
    """One bonus. What it does not override costs nothing.

    Attributes:
        absolute: whether it pays in the task's own unit, so that it is not to be divided by its
            standard deviation.
        networks: what is trained, by name; saved and loaded with the bonus.
    """

    absolute: ClassVar[bool] = False

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.networks: dict[str, nn.Module] = {}

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """Episodes begin at ``rows``; ``seen`` (a row each of them) is what is seen first."""

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """The bonus of one step in every environment, float64 ``(envs,)``; memory is updated."""
        raise NotImplementedError

    def loss(self, steps: Transitions) -> Tensor | None:
        """What training on these steps minimises; None where there is nothing to train."""
        return None

    def figures(self) -> dict[str, float]:
        """What is to be logged of it beside what it pays."""
        return {}

    def memory(self) -> dict[str, NDArray[Any]]:
        """What is remembered beside weights, as arrays: counts, covariances."""
        return {}

    def remember(self, memory: Arrays) -> None:
        """Take ``memory()`` back."""
