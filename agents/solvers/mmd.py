"""Magnetic mirror descent: steps that a magnet holds back, whose last strategy converges.

At each information set the strategy moves towards the better actions, and is drawn to a magnet
(here: every legal action equally often) with strength ``alpha``:

    π' ∝ [π · ρ^(η·α) · e^(η·q)]^(1 / (1 + η·α))

For a constant alpha what it comes to is a quantal response equilibrium, where π ∝ ρ · e^(q / α);
for one that falls, a Nash equilibrium. Source: Sokota et al., arXiv 2206.05825.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

from arena.agents.solvers.cfr import Arrays, arrays_of, counterfactuals
from arena.agents.solvers.tree import Floats, Tree
from arena.envs.game import Ints

Schedule = Callable[[int], float]


class Mmd:
    """Magnetic mirror descent at work on a tree.

    Args:
        tree: the game.
        alpha: the magnet's strength at each iteration, counted from 1.
        eta: the step's size; by default both fall with the root of the iteration.

    Attributes:
        done: iterations so far.
    """

    def __init__(
        self, tree: Tree, alpha: Schedule | None = None, eta: Schedule | None = None
    ) -> None:
        self.tree, self.done = tree, 0
        self._alpha, self._eta = alpha or _falling, eta or _falling
        self._arrays, self._logs = arrays_of(tree), np.log(tree.uniform())

    def run(self, iterations: int) -> None:
        """So many iterations more; both seats step at once."""
        for _ in range(iterations):
            self.done += 1
            alpha, eta = self._alpha(self.done), self._eta(self.done)
            q = action_values(self.tree, self._arrays, np.exp(self._logs))
            self._logs += eta * q  # the uniform magnet adds the same to all actions of a set
            self._logs /= 1 + eta * alpha
            _normalise(self.tree.sets, self._logs)

    @property
    def average(self) -> Floats:
        """The strategy of now, float64 ``(entries,)``: the last one is the answer, not a mean."""
        strategy: Floats = np.exp(self._logs)
        return strategy


def action_values(tree: Tree, arrays: Arrays, strategy: Floats) -> Floats:
    """What each action earns where its information set is reached, float64 ``(entries,)``.

    Against ``strategy``, and playing on by it; as the other seat and chance lead there.
    """
    gains, reach = counterfactuals(arrays, strategy)
    total = np.bincount(tree.infoset, reach * tree.weight, len(tree.owner))
    found: Floats = gains / np.repeat(np.maximum(total, 1e-300), np.diff(tree.sets))
    return found


def _falling(iteration: int) -> float:
    return float(iteration**-0.5)


@numba.njit(cache=True)
def _normalise(sets: Ints, logs: Floats) -> None:
    """Let each set's probabilities sum to 1."""
    for s in range(len(sets) - 1):
        part = logs[sets[s] : sets[s + 1]]
        part -= part.max()
        part -= np.log(np.exp(part).sum())
