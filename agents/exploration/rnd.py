"""RND: how badly a network predicts a random one (Burda et al., ICLR 2019)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.exploration.bonus import Arrays, Bonus, Kit, Transitions
from arena.agents.networks.encoders import Novelty


class Rnd(Bonus):
    """‖f(s′) − f̄(s′)‖, f trained to predict the fixed f̄."""

    def __init__(self, kit: Kit) -> None:
        super().__init__(kit)
        self.target = kit.build(lambda: Novelty(kit.space)).requires_grad_(False)
        self.predictor = kit.build(lambda: Novelty(kit.space))
        self.networks = {"target": self.target, "predictor": self.predictor}

    @torch.no_grad()
    def novelty(self, seen: Arrays) -> NDArray[np.float64]:
        """The error's norm for each observation."""
        norms: NDArray[np.float64] = self._error(seen).norm(dim=1).cpu().numpy().astype(np.float64)
        return norms

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """How new what was reached is."""
        return self.novelty(steps.after)

    def loss(self, steps: Transitions) -> Tensor:
        """The mean squared error."""
        return self._error(steps.after).square().mean()

    def _error(self, seen: Arrays) -> Tensor:
        inputs = self.kit.tensors(seen)
        error: Tensor = self.predictor(inputs) - self.target(inputs)
        return error
