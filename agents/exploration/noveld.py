"""NovelD: pay for crossing from the known into the new (Zhang et al., NeurIPS 2021)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from agents.exploration.bonus import Arrays, Kit, Transitions
from agents.exploration.counts import Visits
from agents.exploration.psi import psi
from agents.exploration.rnd import Rnd

SCALE = 0.1  # c, how much of the novelty left behind is taken off


class NovelD(Rnd):
    """[n(s′) − c·n(s)]₊, n being RND's novelty, where s′ is new in its episode; else 0."""

    def __init__(self, kit: Kit, of: str = "observation") -> None:
        super().__init__(kit)
        self.psi = psi(of, kit.space)
        self.visits = Visits(kit.envs)
        self.memory, self.remember = self.visits.memory, self.visits.remember  # type: ignore[method-assign]

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """The first state has been seen."""
        self.visits.begin(rows, self.psi(seen))

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """Both novelties come from one pass through the networks."""
        both = {k: np.concatenate([steps.after[k], steps.before[k]]) for k in steps.after}
        reached, left = np.split(self.novelty(both), 2)
        new = self.visits.visit(self.psi(steps.after)) == 1
        paid: NDArray[np.float64] = np.maximum(reached - SCALE * left, 0.0) * new
        return paid
