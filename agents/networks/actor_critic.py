"""A policy and a value on one body, for masked games."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from arena.agents.networks.encoders import NetHackEncoder, Size
from arena.agents.networks.encodings import VECTOR, Arrays, Encoding, VectorEncoding
from arena.agents.networks.products import Linear, Product
from arena.envs.game import Game

_POLICY = ("body.", "actor.")  # what plays


class ActorCritic(nn.Module):
    """Logits and a value for each turn.

    Args:
        encoding: what is read.
        game: whose actions are chosen among.
        hidden: sizes of the body's layers, ReLUs after each; of a NetHack encoder the last counts.
        size: of a NetHack encoder.
        product: see ``products``.
    """

    def __init__(
        self,
        encoding: Encoding,
        game: Game,
        hidden: Sequence[int],
        *,
        size: Size = "small",
        product: Product = "torch",
    ) -> None:
        super().__init__()
        space: Any = game.action_space
        self.body: nn.Module
        if isinstance(encoding, VectorEncoding):
            self.body = Trunk(encoding.size, hidden, product)
        else:
            self.body = NetHackEncoder(game.observation_space, size, hidden[-1])
        heads: Product = "torch"  # a few columns: nothing to gain
        self.actor = Linear(hidden[-1], int(space.n), 0.01, heads)
        self.critic = Linear(hidden[-1], 1, 1.0, heads)

    def forward(self, seen: Mapping[str, Tensor], mask: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``(n, actions)``, -inf where illegal, and values ``(n,)``."""
        features = self.body(seen).float()
        logits = self.actor(features).masked_fill(~mask, -math.inf)
        return torch.log_softmax(logits, 1), self.critic(features)[:, 0]

    @property
    def device(self) -> str:
        """Where it is."""
        return str(self.critic.bias.device)

    def value(self, seen: Mapping[str, Tensor]) -> Tensor:
        """Values ``(n,)``."""
        found: Tensor = self.critic(self.body(seen).float())[:, 0]
        return found

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


def logits_of(network: ActorCritic) -> Callable[[Arrays], NDArray[np.float32]]:
    """What gives the logits of a network's policy."""

    @torch.no_grad()
    def logits(arrays: Arrays) -> NDArray[np.float32]:
        device = str(network.critic.bias.device)
        found: NDArray[np.float32] = (
            network.actor(network.body(tensors(arrays, device)).float()).cpu().numpy()
        )
        return found

    return logits
