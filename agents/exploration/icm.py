"""ICM: how badly the next state's features are predicted (Pathak et al., ICML 2017)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.exploration.bonus import Bonus, Kit, Transitions
from arena.agents.networks.encoders import FEATURES, mlp


class Icm(Bonus):
    """‖g(φ(s), a) − φ(s′)‖, φ from an inverse model."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self.inverse = kit.inverse()
        self.forward_model = kit.build(lambda: mlp(FEATURES + kit.actions, 256, FEATURES))
        self.networks = {"inverse": self.inverse, "forward": self.forward_model}

    @torch.no_grad()
    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """The error's norm."""
        norms: NDArray[np.float64] = self._error(steps).norm(dim=1).cpu().numpy().astype(np.float64)
        return norms

    def loss(self, steps: Transitions) -> Tensor:
        """Forward and inverse losses; the forward one leaves φ alone."""
        return self._error(steps).square().mean() + self.inverse.loss(
            self.kit.tensors(steps.before), steps.actions, self.kit.tensors(steps.after)
        )

    def _error(self, steps: Transitions) -> Tensor:
        with torch.no_grad():
            before = self.inverse(self.kit.tensors(steps.before))
            after = self.inverse(self.kit.tensors(steps.after))
        actions = torch.as_tensor(steps.actions, device=self.kit.device)
        chosen = torch.nn.functional.one_hot(actions, self.kit.actions).float()
        error: Tensor = self.forward_model(torch.cat([before, chosen], 1)) - after
        return error
