"""NovelD: pay for crossing from the known into the new (Zhang et al., NeurIPS 2021)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.exploration.bonus import Arrays, Kit, Transitions
from arena.agents.exploration.counts import Visits
from arena.agents.exploration.psi import psi
from arena.agents.exploration.rnd import Rnd

SCALE = 0.1  # c, how much of the novelty left behind is taken off


class NovelD(Rnd):
    """[n(s′) − c·n(s)]₊, n being RND's novelty, where s′ is new in its episode; else 0."""

    def __init__(self, kit: Kit, of: str = "observation") -> None:
        super().__init__(kit)
        self.psi = psi(of, kit.space)
        self.visits = Visits(kit.envs)
        self._left: NDArray[np.float64] | None = None  # n(s), unless it is to be worked out

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """The first state has been seen."""
        self.visits.begin(rows, self.psi(seen))
        if self._left is not None:
            self._left[rows] = self.novelty(seen)

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """What was reached by the last step is what this one leaves."""
        left = self.novelty(steps.before) if self._left is None else self._left
        reached = self.novelty(steps.after)
        self._left = reached.copy()
        new = self.visits.visit(self.psi(steps.after)) == 1
        paid: NDArray[np.float64] = np.maximum(reached - SCALE * left, 0.0) * new
        return paid

    def loss(self, steps: Transitions) -> Tensor:
        """The predictor's; novelties change by it."""
        self._left = None
        return super().loss(steps)

    def memory(self) -> dict[str, NDArray[Any]]:
        """The visits, and the novelties of where the environments stand."""
        left = np.zeros(0) if self._left is None else self._left
        return {**self.visits.memory(), "left": left}

    def remember(self, memory: Arrays) -> None:
        """Take them back."""
        self.visits.remember(memory)
        self._left = np.array(memory["left"]) if len(memory["left"]) else None
