"""A policy and a value on one body, for masked games."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from arena.agents.networks.encoders import NetHackEncoder, Size
from arena.agents.networks.encodings import VECTOR, Arrays, Encoding, VectorEncoding
from arena.agents.networks.products import Linear, Product
from arena.envs.game import Game, Ints

_POLICY = ("body.", "memory.", "actor.")  # what plays


class ActorCritic(nn.Module):
    """Logits and a value for each turn.

    Args:
        encoding: what is read.
        game: whose observations these are.
        actions: how many are chosen among.
        hidden: sizes of the body's layers, ReLUs after each; of a NetHack encoder the last counts.
        size: of a NetHack encoder.
        recurrent: whether a GRU follows the body. What it remembers of an episode is what it gives
            to the heads: one state, float32 ``(n, hidden[-1])``, zeros as an episode begins.
        product: see ``products``.
    """

    def __init__(
        self,
        encoding: Encoding,
        game: Game,
        actions: int,
        hidden: Sequence[int],
        *,
        size: Size = "small",
        recurrent: bool = False,
        product: Product = "torch",
    ) -> None:
        super().__init__()
        self.width = hidden[-1]
        self.body: nn.Module
        if isinstance(encoding, VectorEncoding):
            self.body = Trunk(encoding.size, hidden, product)
        else:
            self.body = NetHackEncoder(game.observation_space, size, hidden[-1])
        self.memory = nn.GRUCell(self.width, self.width) if recurrent else None
        heads: Product = "torch"  # a few columns: nothing to gain
        self.actor = Linear(self.width, actions, 0.01, heads)
        self.critic = Linear(self.width, 1, 1.0, heads)

    def forward(
        self,
        seen: Mapping[str, Tensor],
        mask: Tensor,
        state: Tensor | None = None,
        begun: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``(n, actions)``, -inf where illegal, and values ``(n,)``."""
        return self.heads(self.features(seen, state, begun), mask)

    def features(
        self,
        seen: Mapping[str, Tensor],
        state: Tensor | None = None,
        begun: Tensor | None = None,
    ) -> Tensor:
        """What the heads read, and a recurrent network remembers, ``(n, width)``.

        Args:
            seen: observations; of a recurrent network all episodes' first, then all their second …
            state: what is remembered of each episode before them.
            begun: bool ``(steps, episodes)``, where an episode begins; None: nowhere.
        """
        features: Tensor = self.body(seen).float()
        if self.memory is None:
            return features
        assert state is not None
        steps = []
        for step, now in enumerate(features.view(-1, len(state), self.width)):
            kept = state if begun is None else state * ~begun[step, :, None]
            state = self.memory(now, kept)
            steps.append(state)
        return torch.cat(steps)

    def heads(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities and values of features."""
        logits = self.actor(features).masked_fill(~mask, -math.inf)
        return torch.log_softmax(logits, 1), self.critic(features)[:, 0]

    def value(self, seen: Mapping[str, Tensor], state: Tensor | None = None) -> Tensor:
        """Values ``(n,)``."""
        found: Tensor = self.critic(self.features(seen, state))[:, 0]
        return found

    def nothing(self, episodes: int) -> Tensor | None:
        """What a recurrent network remembers as episodes begin."""
        if self.memory is None:
            return None
        return torch.zeros(episodes, self.width, device=self.device)

    @property
    def device(self) -> str:
        """Where it is."""
        return str(self.critic.bias.device)

    def policy(self) -> dict[str, Tensor]:
        """The tensors that play."""
        return {k: v for k, v in self.state_dict().items() if k.startswith(_POLICY)}


class Trunk(nn.Sequential):
    """Layers with ReLUs over a vector."""

    def __init__(self, inputs: int, hidden: Sequence[int], product: Product) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((inputs, *hidden), hidden, strict=False):
            layers += [Linear(before, after, math.sqrt(2), product), nn.ReLU()]
        super().__init__(*layers)

    def forward(self, seen: Mapping[str, Tensor]) -> Tensor:
        """Features."""
        x = seen[VECTOR]
        for layer in self:
            x = layer(x)
        return x


def tensors(arrays: Mapping[str, NDArray[Any]], device: str) -> dict[str, Tensor]:
    """Arrays where the network is; they share memory on a CPU."""
    return {key: torch.as_tensor(value).to(device) for key, value in arrays.items()}


class Playing:
    """The logits of a network's policy, with a memory of each table where it is recurrent."""

    def __init__(self, network: ActorCritic) -> None:
        self.network = network
        self._state = network.nothing(0)

    def begin(self, tables: Ints) -> None:
        """Episodes begin there: forget the last ones."""
        if self._state is None or not len(tables):
            return
        if (missing := int(tables.max()) + 1 - len(self._state)) > 0:
            self._state = functional.pad(self._state, (0, 0, 0, missing))
        self._state[tables] = 0

    @torch.no_grad()
    def __call__(self, arrays: Arrays, tables: Ints) -> NDArray[np.float32]:
        """The logits of what is seen at ``tables``, float32 ``(n, actions)``."""
        network = self.network
        state = None if self._state is None else self._state[tables]
        features = network.features(tensors(arrays, network.device), state)
        if self._state is not None:
            self._state[tables] = features
        found: NDArray[np.float32] = network.actor(features).cpu().numpy()
        return found
