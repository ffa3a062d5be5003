"""Count bonuses: 1/√N(ψ(s)) over the whole of training, and 1[N_e(ψ(s)) = 1] within an episode.

Henaff et al., ICML 2023, §3: the first is Bellemare et al.'s (2016), the second rewards each state
once an episode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.exploration.bonus import Arrays, Bonus, Kit, Transitions
from arena.agents.exploration.psi import psi


class GlobalCount(Bonus):
    """1/√N(ψ(s′)), N counting this visit, over all environments and episodes."""

    def __init__(self, kit: Kit, of: str = "observation") -> None:
        super().__init__(kit)
        self.psi = psi(of, kit.space)
        self.counts: dict[int, int] = {}

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """Count, then pay; equal states in one batch are counted one after the other."""
        counts = self.counts
        found = np.empty(len(steps))
        for i, key in enumerate(self.psi(steps.after).tolist()):
            counts[key] = counts.get(key, 0) + 1
            found[i] = counts[key]
        return np.asarray(1.0 / np.sqrt(found), np.float64)

    def memory(self) -> dict[str, NDArray[Any]]:
        """The table."""
        return {
            "keys": np.array(list(self.counts), np.uint64),
            "counts": np.array(list(self.counts.values()), np.int64),
        }

    def remember(self, memory: Arrays) -> None:
        """Take the table back."""
        self.counts = dict(zip(memory["keys"].tolist(), memory["counts"].tolist(), strict=True))


class Visits:
    """Which states each environment's episode has seen."""

    def __init__(self, envs: int) -> None:
        self.counts: list[dict[int, int]] = [{} for _ in range(envs)]

    def begin(self, rows: NDArray[np.int64], keys: NDArray[np.uint64]) -> None:
        """New episodes, which have seen their first state."""
        for row, key in zip(rows.tolist(), keys.tolist(), strict=True):
            self.counts[row] = {key: 1}

    def visit(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Count one state for every environment; how often it has been seen now."""
        found = np.empty(len(keys), np.int64)
        for row, key in enumerate(keys.tolist()):
            seen = self.counts[row]
            seen[key] = found[row] = seen.get(key, 0) + 1
        return found

    def memory(self) -> dict[str, NDArray[Any]]:
        """All episodes' tables, one after the other."""
        return {
            "sizes": np.array([len(seen) for seen in self.counts], np.int64),
            "keys": np.array([key for seen in self.counts for key in seen], np.uint64),
            "counts": np.array([n for seen in self.counts for n in seen.values()], np.int64),
        }

    def remember(self, memory: Arrays) -> None:
        """Take the tables back."""
        ends = np.cumsum(memory["sizes"]).tolist()
        for row, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
            keys, counts = memory["keys"][start:end], memory["counts"][start:end]
            self.counts[row] = dict(zip(keys.tolist(), counts.tolist(), strict=True))


class EpisodicCount(Bonus):
    """1 where ψ(s′) is seen for the first time in its episode, else 0."""

    def __init__(self, kit: Kit, of: str = "observation") -> None:
        super().__init__(kit)
        self.psi = psi(of, kit.space)
        self.visits = Visits(kit.envs)
        self.memory, self.remember = self.visits.memory, self.visits.remember  # type: ignore[method-assign]

    def begin(self, rows: NDArray[np.int64], seen: Arrays) -> None:
        """The first state has been seen."""
        self.visits.begin(rows, self.psi(seen))

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """Count, then pay."""
        paid: NDArray[np.float64] = (self.visits.visit(self.psi(steps.after)) == 1).astype(
            np.float64
        )
        return paid
