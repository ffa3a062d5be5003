"""Monte-Carlo CFR: iterations that walk a part of the tree drawn at random (Lanctot et al., 2009).

- ``external``: chance and the other seat are drawn, one's own actions are all walked;
- ``outcome``: one's own actions are drawn, too, ``EXPLORE`` of the time uniformly.

On small games these are slower than the exact family; they are here because larger ones are solved
by them, and can be tested against it here.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from arena.agents.solvers.cfr import Arrays, arrays_of, normalised
from arena.agents.solvers.tree import Floats, Tree
from arena.envs.errors import InputError
from arena.envs.game import Ints
from arena.envs.seeding import word

EXPLORE = 0.6
SAMPLINGS = ("external", "outcome")


class Mccfr:
    """Sampled CFR at work on a tree.

    Args:
        tree: the game; sampling: a name of ``SAMPLINGS``; seed: of all that is drawn.

    Raises:
        InputError: for a sampling that there is not.
    """

    def __init__(self, tree: Tree, sampling: str, seed: int) -> None:
        if sampling not in SAMPLINGS:
            raise InputError(f"sampling {sampling!r} is none of {', '.join(SAMPLINGS)}")
        self.tree, self.done = tree, 0
        self._outcome, self._arrays = sampling == "outcome", arrays_of(tree)
        self._draws = _Draws(tree.weight, tree.ends, np.uint64(seed), np.zeros(1, np.int64))
        self._regrets = np.zeros(len(tree.actions))
        self._sums = np.zeros(len(tree.actions))

    def run(self, iterations: int) -> None:
        """So many iterations more, each of them one walk for each seat."""
        _sample(self._arrays, self._draws, iterations, self._outcome, self._regrets, self._sums)
        self.done += iterations

    @property
    def average(self) -> Floats:
        """The average strategy, float64 ``(entries,)``."""
        return normalised(self.tree, self._sums)


class _Draws(NamedTuple):
    """What is drawn by: chance's weights, and a stream of which ``counter[0]`` words are used."""

    weight: Floats
    ends: Floats
    seed: np.uint64
    counter: Ints


# The kernels that call themselves are not cached: loaded from numba's cache they crash.
@numba.njit(cache=False)
def _sample(
    tree: Arrays, draws: _Draws, iterations: int, outcome: bool, regrets: Floats, sums: Floats
) -> None:
    """So many iterations, in place."""
    for _ in range(iterations):
        for player in range(2):
            if outcome:
                _outcome(tree, draws, -1, player, 1.0, 1.0, 1.0, regrets, sums)
            else:
                _external(tree, draws, -1, player, regrets, sums)


@numba.njit(cache=False)
def _external(
    tree: Arrays, draws: _Draws, edge: int, player: int, regrets: Floats, sums: Floats
) -> float:
    """Walk on from ``edge`` (-1: begin); what comes of it for ``player``."""
    h = _chance(tree, draws, edge)
    if h < 0:
        return float(tree.payoffs[player, edge] / draws.ends[edge])
    first, count = tree.edges[h], tree.edges[h + 1] - tree.edges[h]
    entry, strategy = tree.entry[h], _match(tree, h, regrets)
    if tree.seat[h] != player:
        for k in range(count):
            sums[entry + k] += strategy[k]
        taken = _pick(strategy, _uniform(draws))
        return _external(tree, draws, first + taken, player, regrets, sums)
    worth, mean = np.empty(count), 0.0
    for k in range(count):
        worth[k] = _external(tree, draws, first + k, player, regrets, sums)
        mean += strategy[k] * worth[k]
    for k in range(count):
        regrets[entry + k] += worth[k] - mean
    return mean


@numba.njit(cache=False)
def _outcome(
    tree: Arrays,
    draws: _Draws,
    edge: int,
    player: int,
    own: float,
    other: float,
    drawn: float,
    regrets: Floats,
    sums: Floats,
) -> float:
    """Walk on from ``edge`` along one line, reached with ``own`` and ``other``'s probabilities.

    ``drawn`` is how likely the walk came here. Returns an unbiased estimate of what comes of it for
    ``player`` under the current strategies.
    """
    h = _chance(tree, draws, edge)
    if h < 0:
        return float(tree.payoffs[player, edge] / draws.ends[edge])
    first, count = tree.edges[h], tree.edges[h + 1] - tree.edges[h]
    entry, strategy = tree.entry[h], _match(tree, h, regrets)
    mine = tree.seat[h] == player
    walk = EXPLORE / count + (1.0 - EXPLORE) * strategy if mine else strategy
    taken = _pick(walk, _uniform(draws))
    share, chance = strategy[taken], walk[taken]
    below = _outcome(
        tree,
        draws,
        first + taken,
        player,
        own * share if mine else own,
        other if mine else other * share,
        drawn * chance,
        regrets,
        sums,
    )
    worth = below / chance
    if mine:
        for k in range(count):
            gain = (worth if k == taken else 0.0) - share * worth
            regrets[entry + k] += other / drawn * gain
            sums[entry + k] += own / drawn * strategy[k]
    return float(share * worth)


@numba.njit(cache=True)
def _uniform(draws: _Draws) -> float:
    draws.counter[0] += 1
    return float(word(draws.seed, draws.counter[0]) >> np.uint64(11)) * 2.0**-53


@numba.njit(cache=True)
def _chance(tree: Arrays, draws: _Draws, edge: int) -> int:
    """One of the nodes that ``edge`` leads to, by their probabilities; -1 where the game ends."""
    if edge < 0:
        first, last, end = 0, tree.roots, 0.0
    else:
        first, last, end = tree.children[edge], tree.children[edge + 1], draws.ends[edge]
    if last == first:
        return -1
    if last - first == 1 and end == 0.0:
        return first
    total = end
    for node in range(first, last):
        total += draws.weight[node]
    left = _uniform(draws) * total - end
    if left < 0.0:
        return -1
    for node in range(first, last - 1):
        left -= draws.weight[node]
        if left < 0.0:
            return node
    return last - 1


@numba.njit(cache=True)
def _match(tree: Arrays, h: int, regrets: Floats) -> Floats:
    """The strategy at a node, in proportion to the regrets above 0."""
    count = tree.edges[h + 1] - tree.edges[h]
    strategy, total = np.empty(count), 0.0
    for k in range(count):
        strategy[k] = max(regrets[tree.entry[h] + k], 0.0)
        total += strategy[k]
    for k in range(count):
        strategy[k] = strategy[k] / total if total > 0.0 else 1.0 / count
    return strategy


@numba.njit(cache=True)
def _pick(strategy: Floats, share: float) -> int:
    for k in range(len(strategy) - 1):
        share -= strategy[k]
        if share < 0.0:
            return k
    return len(strategy) - 1
