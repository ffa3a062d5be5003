"""RIDE: how much an action changes what can be controlled (Raileanu and Rocktäschel, ICLR 2020)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.exploration.bonus import Arrays, Bonus, Kit, Transitions
from arena.agents.exploration.counts import Visits
from arena.agents.exploration.psi import psi


class Ride(Bonus):
    """‖φ(s′) − φ(s)‖ / √N_e(s′), φ from an inverse model."""

    def __init__(self, kit: Kit, of: str = "observation") -> None:
        super().__init__(kit)
        self.inverse = kit.inverse()
        self.networks = {"inverse": self.inverse}
        self.psi = psi(of, kit.space)
        self.visits = Visits(kit.envs)
        self.memory, self.remember = self.visits.memory, self.visits.remember  # type: ignore[method-assign]

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """The first state has been seen."""
        self.visits.begin(rows, self.psi(seen))

    @torch.no_grad()
    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """The change, divided by the root of the visits in this episode."""
        before = self.inverse(self.kit.tensors(steps.before))
        change = (self.inverse(self.kit.tensors(steps.after)) - before).norm(dim=1)
        visits = self.visits.visit(self.psi(steps.after))
        paid: NDArray[np.float64] = change.cpu().numpy().astype(np.float64) / np.sqrt(visits)
        return paid

    def loss(self, steps: Transitions) -> Tensor:
        """The inverse model's."""
        return self.inverse.loss(
            self.kit.tensors(steps.before), steps.actions, self.kit.tensors(steps.after)
        )
