"""E3B: elliptical episodic bonuses (Henaff et al., NeurIPS 2022).

b = φ(s′)ᵀ C⁻¹ φ(s′), C = λI + Σ φφᵀ over the episode. The inverse is kept by Sherman and Morrison's
formula, u = C⁻¹φ, C⁻¹ ← C⁻¹ − uuᵀ/(1 + b), for all environments at once. The published port resets
the covariance at every rollout by mistake; here only an episode's beginning does.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.exploration.bonus import Arrays, Bonus, Kit, Transitions
from arena.agents.networks.encoders import FEATURES

RIDGE = 0.1  # λ


class Ellipses:
    """The inverse covariances of many episodes.

    Args:
        envs: how many; features: how long a feature vector is.
        ridge: λ.
        device: "cpu" runs a compiled kernel, anything else torch.
    """

    def __init__(
        self, envs: int, features: int, *, ridge: float = RIDGE, device: str = "cpu"
    ) -> None:
        self.ridge = ridge
        self.inverse = torch.empty(envs, features, features, device=device)
        self.begin(np.arange(envs))

    def begin(self, rows: NDArray[np.int64]) -> None:
        """C⁻¹ = I/λ at ``rows``."""
        eye = torch.eye(self.inverse.shape[1], device=self.inverse.device) / self.ridge
        self.inverse[torch.as_tensor(rows, device=self.inverse.device)] = eye

    def update(self, features: Tensor) -> Tensor:
        """φᵀC⁻¹φ for each environment, float32 ``(envs,)``; then φ joins its episode."""
        if self.inverse.device.type == "cpu":
            paid = np.empty(len(features), np.float32)
            _update(self.inverse.numpy(), features.contiguous().numpy(), paid)
            return torch.from_numpy(paid)
        return self.update_on_device(features)

    def update_on_device(self, features: Tensor) -> Tensor:
        """The same by torch, wherever the tensors are."""
        u = torch.bmm(self.inverse, features.unsqueeze(2)).squeeze(2)
        b = (u * features).sum(1)
        scaled = u / (1 + b).unsqueeze(1)
        self.inverse.baddbmm_(scaled.unsqueeze(2), u.unsqueeze(1), alpha=-1)
        return b


@numba.njit(cache=True, fastmath=True, error_model="numpy")
def _update(
    inverse: NDArray[np.float32], features: NDArray[np.float32], paid: NDArray[np.float32]
) -> None:
    envs, size = features.shape
    u = np.empty(size, np.float32)
    for env in range(envs):
        matrix, phi = inverse[env], features[env]
        b = np.float32(0)
        for i in range(size):
            total = np.float32(0)
            for j in range(size):
                total += matrix[i, j] * phi[j]
            u[i] = total
            b += total * phi[i]
        paid[env] = b
        scale = np.float32(1) / (np.float32(1) + b)
        for i in range(size):
            factor = u[i] * scale
            for j in range(size):
                matrix[i, j] -= factor * u[j]


class E3b(Bonus):
    """The elliptical bonus, 0 on an episode's first step, φ from an inverse model."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self.inverse = kit.inverse()
        self.networks = {"inverse": self.inverse}
        self.ellipses = Ellipses(kit.envs, FEATURES, device=str(kit.device))

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """Forget the last episode."""
        self.ellipses.begin(rows)

    @torch.no_grad()
    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """How far out of the episode's ellipse what was reached lies."""
        paid = self.ellipses.update(self.inverse(self.kit.tensors(steps.after)))
        return paid.cpu().numpy().astype(np.float64) * ~steps.first

    def loss(self, steps: Transitions) -> Tensor:
        """The inverse model's."""
        return self.inverse.loss(
            self.kit.tensors(steps.before), steps.actions, self.kit.tensors(steps.after)
        )

    def memory(self) -> dict[str, NDArray[Any]]:
        """The inverse covariances."""
        return {"inverse": self.ellipses.inverse.cpu().numpy().copy()}

    def remember(self, memory: Arrays) -> None:
        """Take them back."""
        found = torch.from_numpy(np.array(memory["inverse"], np.float32))
        self.ellipses.inverse.copy_(found.to(self.ellipses.inverse.device))
