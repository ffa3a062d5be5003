"""What pays a bonus for steps and learns from them, whoever takes the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from arena.agents.exploration.bonus import Arrays, Kit, Transitions
from arena.agents.exploration.combination import Mixture

_BATCH = 256
SHARE = 0.25  # of the steps, that networks are trained on (Burda et al., with 128 environments)


class Payer:
    """A bonus by its text, with the optimiser of its networks.

    Args:
        kit: what the bonuses share.
        text: what ``combination.parse`` reads.
        share: of the steps, that the networks are trained on.

    Attributes:
        bonus: what pays.
        optimizer: of its networks; None where it has none.
    """

    def __init__(self, kit: Kit, text: str, *, share: float = SHARE) -> None:
        self.bonus, self.share = Mixture(kit, text), share
        parameters = [p for n in self.bonus.networks.values() for p in n.parameters()]
        unique = {id(p): p for p in parameters if p.requires_grad}
        self.optimizer = torch.optim.Adam(unique.values(), lr=kit.lr) if unique else None
        self._kept: list[Transitions] = []
        self._shuffle = np.random.default_rng(kit.seed)

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """Episodes begin at ``rows``."""
        self.bonus.begin(rows, seen)

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """The bonus of a step in every environment, which is kept to be learned from."""
        paid = self.bonus.pay(steps)
        if self.optimizer is not None:
            self._kept.append(steps)
        return paid

    def learn(self) -> dict[str, float]:
        """Train on a share of what was kept since the last time, once through; the mean loss."""
        kept, self._kept = self._kept, []
        if not kept or self.optimizer is None:
            return {}
        every = _joined(kept)
        chosen = self._shuffle.permutation(len(every))[: max(1, int(len(every) * self.share))]
        losses = []
        for rows in np.array_split(chosen, max(1, len(chosen) // _BATCH)):
            loss = self.bonus.loss(every.select(rows))
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(float(loss.detach()))
        return {"loss": float(np.mean(losses))}

    @property
    def waiting(self) -> int:
        """How many steps are kept for training."""
        return sum(map(len, self._kept))

    # -- what is saved ---------------------------------------------------------------------------

    def memory(self) -> dict[str, NDArray[Any]]:
        """What is remembered beside weights and optimiser, between rollouts."""
        if self._kept:
            raise ValueError("a bonus is saved between rollouts, after it has learnt")
        return self.bonus.memory()

    def remember(self, memory: Arrays, shuffle: Mapping[str, Any]) -> None:
        """Take ``memory()`` back, and the state of the shuffling generator."""
        self.bonus.remember(memory)
        self._shuffle.bit_generator.state = dict(shuffle)

    @property
    def shuffle(self) -> dict[str, Any]:
        """The state of the shuffling generator, JSON-able."""
        return dict(self._shuffle.bit_generator.state)


def _joined(parts: list[Transitions]) -> Transitions:
    return Transitions(
        {k: np.concatenate([p.before[k] for p in parts]) for k in parts[0].before},
        np.concatenate([p.actions for p in parts]),
        {k: np.concatenate([p.after[k] for p in parts]) for k in parts[0].after},
        np.concatenate([p.first for p in parts]),
        np.concatenate([p.ended for p in parts]),
    )
