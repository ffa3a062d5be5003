"""Networks that read observations: for policies and for bonuses, small and of the paper's size.

NetHack's (Henaff et al., ICML 2023, appendix; after Küttler et al. 2020): glyphs are embedded, the
crop around the player (and, in the paper's size, the whole map) goes through five 3 × 3
convolutions, the message through a convolution over its characters, blstats through a layer; then
two layers join them. A message's first 64 characters and the inventory's glyphs are what the small
size looks at beside the 9 × 9 crop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

Size = Literal["small", "paper"]
FEATURES = 128  # of φ
_CROP = 9
_GLYPHS = 5977


def tensors(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> dict[str, Tensor]:
    """Arrays as tensors, whole numbers as int64 or as they are where torch has them."""
    return {
        key: torch.as_tensor(np.ascontiguousarray(value)).to(device)
        for key, value in arrays.items()
    }


def mlp(*sizes: int) -> nn.Sequential:
    """Linear layers with ELUs in between."""
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(pairwise(sizes)):
        layers += [nn.ELU()] if i else []
        layers.append(nn.Linear(a, b))
    return nn.Sequential(*layers)


def looked_at(space: spaces.Dict) -> tuple[str, ...]:
    """The observations that networks and counts look at: in NetHack not all that there are."""
    nethack = ("glyphs", "blstats", "message", "inv_glyphs", "inv_letters")
    return nethack if set(nethack) <= set(space) else tuple(space)


def encoder(space: spaces.Dict, size: Size, width: int) -> nn.Module:
    """The network for observations of ``space``; its output is ``(n, width)``."""
    if "glyphs" in space.spaces:
        return NetHackEncoder(space, size, width)
    return FlatEncoder(space, width)


class FlatEncoder(nn.Module):
    """Whole numbers of few values as indicators, everything else as it is; two layers.

    Places (``position``) are left to the bonuses: a policy that reads them learns levels by heart.
    """

    def __init__(self, space: spaces.Dict, width: int) -> None:
        super().__init__()
        self.kinds: dict[str, int] = {}
        count = 0
        for key, part in space.spaces.items():
            if key == "position":
                continue
            size = math.prod(part.shape or (1,))
            kinds = 0
            if isinstance(part, spaces.Discrete):
                kinds = int(part.n)
            elif isinstance(part, spaces.Box) and part.dtype == np.uint8 and part.high.max() < 16:
                kinds = int(part.high.max()) + 1
            self.kinds[key] = kinds
            count += size * max(kinds, 1)
        self.net = nn.Sequential(
            nn.Linear(count, width), nn.ELU(), nn.Linear(width, width), nn.ELU()
        )

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """Features of each observation."""
        parts = []
        for key, kinds in self.kinds.items():
            value = seen[key]
            if kinds:
                value = functional.one_hot(value.long().flatten(1), kinds)
            parts.append(value.flatten(1).float())
        found: Tensor = self.net(torch.cat(parts, 1))
        return found


class NetHackEncoder(nn.Module):
    """Crop, message, blstats and inventory, and the whole map in the paper's size."""

    def __init__(self, space: spaces.Dict, size: Size, width: int) -> None:
        super().__init__()
        paper = size == "paper"
        embedded = 64 if paper else 16
        self.glyphs = nn.Embedding(_GLYPHS, embedded)
        self.crop = _convolutions(embedded, 5 if paper else 2)
        self.map = _convolutions(embedded, 5) if paper else None
        self.characters = nn.Embedding(256, 32 if paper else 8)
        self.length = 256 if paper else 64
        deep = 64 if paper else 16
        first = 32 if paper else 8
        self.message = nn.Sequential(
            nn.Conv1d(first, deep, 6, 3), nn.ELU(), nn.Conv1d(deep, deep, 5, 3), nn.ELU()
        )
        self.blstats = nn.Sequential(nn.Linear(27, 64), nn.ELU())
        last = self.message(torch.zeros(1, first, self.length)).flatten(1).shape[1]
        count = 8 * _CROP * _CROP + last + 64
        self.inventory = "inv_glyphs" in space.spaces
        if self.inventory:
            count += embedded
        if self.map is not None:
            count += 8 * 21 * 79
        hidden = 1024 if paper else width
        self.join = nn.Sequential(
            nn.Linear(count, hidden), nn.ELU(), nn.Linear(hidden, width), nn.ELU()
        )

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """Features of each observation."""
        glyphs = seen["glyphs"].long()
        parts = [
            self.crop(self.glyphs(_around(glyphs, seen["blstats"])).permute(0, 3, 1, 2)).flatten(1)
        ]
        if self.map is not None:
            parts.append(self.map(self.glyphs(glyphs).permute(0, 3, 1, 2)).flatten(1))
        text = self.characters(seen["message"][:, : self.length].long()).transpose(1, 2)
        parts.append(self.message(text).flatten(1))
        parts.append(self.blstats(_scaled(seen["blstats"])))
        if self.inventory:
            carried = seen["inv_glyphs"].long()
            held = (seen["inv_letters"] > 0).unsqueeze(2) if "inv_letters" in seen else 1
            parts.append((self.glyphs(carried) * held).sum(1))
        found: Tensor = self.join(torch.cat(parts, 1))
        return found


class NetHackGlance(nn.Module):
    """Crop, message and blstats through one layer: for RND, which asks at every step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.glyphs = nn.Embedding(_GLYPHS, 8)
        self.join = nn.Sequential(nn.Linear(8 * _CROP * _CROP + 64 + 27, width), nn.ELU())

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """Features of each observation."""
        crop = self.glyphs(_around(seen["glyphs"], seen["blstats"]).long()).flatten(1)
        message = seen["message"][:, :64].float() / 64
        found: Tensor = self.join(torch.cat([crop, message, _scaled(seen["blstats"])], 1))
        return found


def _scaled(blstats: Tensor) -> Tensor:
    """Logarithms; the turn counter and the score tell how long an episode has lasted: left out."""
    kept = blstats.float().clone()
    kept[:, [9, 20]] = 0
    return kept.sign() * kept.abs().log1p()


def _convolutions(channels: int, layers: int) -> nn.Sequential:
    found: list[nn.Module] = []
    for layer in range(layers):
        last = layer == layers - 1
        found += [
            nn.Conv2d(channels if layer == 0 else 16, 8 if last else 16, 3, padding=1),
            nn.ELU(),
        ]
    return nn.Sequential(*found)


def _around(glyphs: Tensor, blstats: Tensor) -> Tensor:
    """The 9 × 9 glyphs around each player; 0 beyond the border."""
    half = _CROP // 2
    padded = functional.pad(glyphs, (half, half, half, half))
    steps = torch.arange(_CROP, device=glyphs.device)
    rows = (blstats[:, 1].long().clamp(0, 20).unsqueeze(1) + steps).unsqueeze(2)
    columns = (blstats[:, 0].long().clamp(0, 78).unsqueeze(1) + steps).unsqueeze(1)
    at = torch.arange(len(glyphs), device=glyphs.device)[:, None, None]
    return padded[at, rows, columns]


class Novelty(nn.Module):
    """RND's network: an encoder and four layers to 128."""

    def __init__(self, space: spaces.Dict) -> None:
        super().__init__()
        nethack = "glyphs" in space.spaces
        self.encoder = NetHackGlance(128) if nethack else encoder(space, "small", 128)
        self.head = mlp(128, 128, 128)

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """What is to be predicted, ``(n, 128)``."""
        found: Tensor = self.head(self.encoder(seen))
        return found


class InverseModel(nn.Module):
    """φ, trained to tell which action led from φ(s) to φ(s′)."""

    def __init__(self, space: spaces.Dict, actions: int) -> None:
        super().__init__()
        self.encoder = encoder(space, "small", FEATURES)
        self.head = mlp(2 * FEATURES, 256, actions)

    def forward(self, seen: dict[str, Tensor]) -> Tensor:
        """φ, ``(n, FEATURES)``."""
        found: Tensor = self.encoder(seen)
        return found

    def loss(
        self, before: dict[str, Tensor], actions: NDArray[np.int64], after: dict[str, Tensor]
    ) -> Tensor:
        """The cross-entropy of the action."""
        both = {key: torch.cat([before[key], after[key]]) for key in before}
        features = torch.cat(self(both).chunk(2), 1)
        wanted = torch.as_tensor(actions, device=features.device)
        return functional.cross_entropy(self.head(features), wanted)
