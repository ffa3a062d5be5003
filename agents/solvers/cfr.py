"""Counterfactual regret minimisation on a compiled tree, and the best response to a strategy.

One iteration walks the tree once for each seat (alternating updates): reaches go down, values come
up. The members of the family differ in three lines, which a ``Weighting`` states:

- ``cfr``: Zinkevich et al., NeurIPS 2007;
- ``cfr+``: regrets never fall below 0, iteration t counts t (Tammelin, arXiv:1407.5042);
- ``linear``, ``dcfr``: old regrets are discounted (Brown, Sandholm, AAAI 2019);
- ``pcfr+``: the last regret is counted twice as a prediction (Farina et al., AAAI 2021);
- ``hs-pcfr+``, ``hs-dcfr``: schedules over the whole horizon (Zhang et al., arXiv:2404.09097).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np

from arena.agents.solvers.tree import Floats, Tree
from arena.envs.errors import InputError
from arena.envs.game import Ints


@dataclass(frozen=True)
class Weighting:
    """What a member of the family does in iteration t = 1, 2, …, as float64 ``(iterations,)``.

    Attributes:
        positive, negative: what regrets above and below 0 are multiplied with after t.
        weight: how much the strategy of t counts in the average.
        floor: whether regrets stay at 0 at least.
        predict: whether the next strategy counts the last regret twice.
    """

    positive: Floats
    negative: Floats
    weight: Floats
    floor: bool = False
    predict: bool = False


def _constant(t: Floats, n: int) -> Weighting:
    one = np.ones_like(t)
    return Weighting(one, one, one)


def _plus(t: Floats, n: int) -> Weighting:
    one = np.ones_like(t)
    return Weighting(one, one, t, floor=True)


def _discounted(alpha: float, beta: float, gamma: float) -> Callable[[Floats, int], Weighting]:
    def schedule(t: Floats, n: int) -> Weighting:
        return Weighting(_share(t**alpha), _share(t**beta), (t / n) ** gamma)

    return schedule


def _horizon(t: Floats, n: int) -> Weighting:
    done = t / n
    return Weighting(
        _share(t ** (1 + 3 * done)), _share(t ** (-1 - 2 * done)), done ** (15 - 5 * done)
    )


def _predictive(t: Floats, n: int) -> Weighting:
    one = np.ones_like(t)
    return Weighting(one, one, (t / n) ** 2, floor=True, predict=True)


def _predictive_horizon(t: Floats, n: int) -> Weighting:
    one, done = np.ones_like(t), t / n
    return Weighting(one, one, done ** (30 - 5 * done), floor=True, predict=True)


def _share(power: Floats) -> Floats:
    return power / (power + 1)


SCHEDULES: dict[str, Callable[[Floats, int], Weighting]] = {
    "cfr": _constant,
    "cfr+": _plus,
    "linear": _discounted(1, 1, 1),
    "dcfr": _discounted(1.5, 0, 2),
    "pcfr+": _predictive,
    "hs-dcfr": _horizon,
    "hs-pcfr+": _predictive_horizon,
}


class Cfr:
    """A member of the family at work on a tree.

    Args:
        tree: the game.
        algorithm: a name of ``SCHEDULES``.
        iterations: how many there will be; schedules over the horizon depend on it.

    Attributes:
        done: how many iterations were run.

    Raises:
        InputError: for an algorithm that there is not.
    """

    def __init__(self, tree: Tree, algorithm: str, iterations: int) -> None:
        if algorithm not in SCHEDULES:
            raise InputError(f"algorithm {algorithm!r} is none of {', '.join(SCHEDULES)}")
        self.tree, self.done = tree, 0
        self._arrays = arrays_of(tree)
        self._schedule = SCHEDULES[algorithm](np.arange(1.0, iterations + 1), iterations)
        self._regrets = np.zeros(len(tree.actions))
        self._sums = np.zeros(len(tree.actions))
        self._current = tree.uniform()

    def run(self, iterations: int) -> None:
        """So many iterations more, at most those of the horizon."""
        schedule, until = self._schedule, min(self.done + iterations, len(self._schedule.weight))
        _iterate(
            self._arrays,
            self.done,
            until,
            schedule.positive,
            schedule.negative,
            schedule.weight,
            schedule.floor,
            schedule.predict,
            self._regrets,
            self._sums,
            self._current,
        )
        self.done = until

    @property
    def average(self) -> Floats:
        """The average strategy, which converges to an equilibrium, float64 ``(entries,)``."""
        return normalised(self.tree, self._sums)


def normalised(tree: Tree, sums: Floats) -> Floats:
    """A strategy in proportion to ``sums``, uniform where they are all 0."""
    totals = np.add.reduceat(sums, tree.sets[:-1])
    counts = np.diff(tree.sets)
    safe = np.repeat(np.where(totals > 0, totals, 1.0), counts)
    known = np.repeat(totals > 0, counts)
    strategy: Floats = np.where(known, sums / safe, tree.uniform())
    return strategy


def values(tree: Tree, strategy: Floats) -> Floats:
    """What each seat earns on average, float64 ``(2,)``, where both play ``strategy``."""
    found: Floats = _values(arrays_of(tree), strategy)
    return found


def best_responses(tree: Tree, strategy: Floats) -> tuple[Floats, Floats]:
    """What each seat can earn at most against ``strategy``, and how.

    Returns float64 ``(2,)`` and a pure strategy, float64 ``(entries,)``, in which each seat plays
    best against the other's part of ``strategy``.
    """
    best = np.zeros(len(tree.actions))
    earned = np.array(
        [
            _respond(arrays_of(tree), tree.depths, tree.set_depths, strategy, seat, best)
            for seat in (0, 1)
        ]
    )
    return earned, best


def nash_conv(tree: Tree, strategy: Floats) -> float:
    """How much both seats together could gain by playing best; 0 in an equilibrium."""
    return float((best_responses(tree, strategy)[0] - values(tree, strategy)).sum())


def exploitability(tree: Tree, strategy: Floats) -> float:
    """``nash_conv`` / 2: what a best opponent earns a deal, on average over the seats."""
    return nash_conv(tree, strategy) / 2


# -- kernels ---------------------------------------------------------------------------------------


class Arrays(NamedTuple):
    """What kernels need of a tree; ``entry`` is the first entry of each node's infoset."""

    seat: Ints
    entry: Ints
    infoset: Ints
    edges: Ints
    children: Ints
    payoffs: Floats  # (2, edges), so that one seat's lie side by side
    sets: Ints
    owner: Ints
    parent: Ints
    roots: int


def arrays_of(tree: Tree) -> Arrays:
    """The arrays of a tree, made once for a solver."""
    return Arrays(
        tree.seat,
        tree.sets[tree.infoset],
        tree.infoset,
        tree.edges,
        tree.children,
        np.ascontiguousarray(tree.payoffs.T),
        tree.sets,
        tree.owner,
        tree.parent,
        tree.roots,
    )


@numba.njit(cache=True)
def _iterate(
    tree: Arrays,
    begin: int,
    end: int,
    positive: Floats,
    negative: Floats,
    weight: Floats,
    floor: bool,
    predict: bool,
    regrets: Floats,
    sums: Floats,
    current: Floats,
) -> None:
    """Iterations ``begin`` to ``end``, counted from 0, in place."""
    reach, value = np.empty(len(tree.seat)), np.empty(len(tree.seat))
    gains, own = np.zeros(len(current)), np.empty(len(tree.owner))
    for t in range(begin, end):
        for player in range(2):
            _down(tree, current, player, reach)
            _up(tree, current, player, reach, value, gains)
            for s in range(len(tree.owner)):
                if tree.owner[s] != player:
                    continue
                first, last, before = tree.sets[s], tree.sets[s + 1], tree.parent[s]
                # A parent's infoset comes before: its gains have become reaches, see below.
                own[s] = 1.0 if before < 0 else gains[before]
                mean = 0.0
                for k in range(first, last):
                    mean += current[k] * gains[k]
                total = 0.0
                for k in range(first, last):
                    regret = gains[k] - mean
                    gains[k] = own[s] * current[k]
                    sums[k] += weight[t] * gains[k]
                    summed = regrets[k] + regret
                    if floor and summed < 0.0:
                        summed = 0.0
                    summed *= positive[t] if summed >= 0.0 else negative[t]
                    regrets[k] = summed
                    current[k] = max(summed + regret if predict else summed, 0.0)
                    total += current[k]
                for k in range(first, last):
                    current[k] = current[k] / total if total > 0.0 else 1.0 / (last - first)


@numba.njit(cache=True)
def _down(tree: Arrays, strategy: Floats, player: int, reach: Floats) -> None:
    """How likely the play of the seat that is not ``player`` leads to each node."""
    reach[: tree.roots] = 1.0
    for h in range(len(tree.seat)):
        first, last = tree.edges[h], tree.edges[h + 1]
        if tree.seat[h] == player:
            for child in range(tree.children[first], tree.children[last]):
                reach[child] = reach[h]
            continue
        entry = tree.entry[h]
        for e in range(first, last):
            share = reach[h] * strategy[entry]
            for child in range(tree.children[e], tree.children[e + 1]):
                reach[child] = share
            entry += 1


@numba.njit(cache=True)
def _up(
    tree: Arrays, strategy: Floats, player: int, reach: Floats, value: Floats, gains: Floats
) -> None:
    """Each node's value to ``player``, and the counterfactual value of each of its entries."""
    payoffs = tree.payoffs[player]
    for s in range(len(tree.owner)):
        if tree.owner[s] == player:
            for k in range(tree.sets[s], tree.sets[s + 1]):
                gains[k] = 0.0
    for h in range(len(tree.seat) - 1, -1, -1):
        entry, mine, mean = tree.entry[h], tree.seat[h] == player, 0.0
        for e in range(tree.edges[h], tree.edges[h + 1]):
            worth = payoffs[e]
            for child in range(tree.children[e], tree.children[e + 1]):
                worth += value[child]
            if mine:
                gains[entry] += reach[h] * worth
            mean += strategy[entry] * worth
            entry += 1
        value[h] = mean


@numba.njit(cache=True)
def counterfactuals(tree: Arrays, strategy: Floats) -> tuple[Floats, Floats]:
    """The counterfactual value of each entry to its owner, and the reach of each node.

    A node's reach is how likely the seat that does not act there leads to it, chance apart.
    """
    reach, value = np.empty(len(tree.seat)), np.empty(len(tree.seat))
    gains, other = np.zeros(len(strategy)), np.empty(len(tree.seat))
    for player in range(2):
        _down(tree, strategy, player, reach)
        _up(tree, strategy, player, reach, value, gains)
        for h in range(len(tree.seat)):
            if tree.seat[h] == player:
                other[h] = reach[h]
    return gains, other


@numba.njit(cache=True)
def _values(tree: Arrays, strategy: Floats) -> Floats:
    reach, value = np.zeros(len(tree.seat)), np.empty(len(tree.seat))
    gains, found = np.zeros(len(strategy)), np.zeros(2)
    for player in range(2):
        _up(tree, strategy, player, reach, value, gains)
        found[player] = value[: tree.roots].sum()
    return found


@numba.njit(cache=True)
def _respond(
    tree: Arrays, depths: Ints, set_depths: Ints, strategy: Floats, player: int, best: Floats
) -> float:
    """What ``player`` earns at most; writes 1 at the entries it takes for that, 0 at others."""
    reach, value = np.empty(len(tree.seat)), np.empty(len(tree.seat))
    worths, gains = np.empty(tree.payoffs.shape[1]), np.zeros(len(strategy))
    _down(tree, strategy, player, reach)
    for depth in range(len(depths) - 2, -1, -1):
        for h in range(depths[depth], depths[depth + 1]):
            entry = tree.entry[h]
            for e in range(tree.edges[h], tree.edges[h + 1]):
                worths[e] = tree.payoffs[player, e]
                for child in range(tree.children[e], tree.children[e + 1]):
                    worths[e] += value[child]
                gains[entry] += reach[h] * worths[e]
                entry += 1
        # An infoset's nodes all lie at its depth: what is best there is known now.
        for s in range(set_depths[depth], set_depths[depth + 1]):
            if tree.owner[s] == player:
                first, last = tree.sets[s], tree.sets[s + 1]
                best[first:last] = 0.0
                best[first + np.argmax(gains[first:last])] = 1.0
        for h in range(depths[depth], depths[depth + 1]):
            entry, mine, mean = tree.entry[h], tree.seat[h] == player, 0.0
            for e in range(tree.edges[h], tree.edges[h + 1]):
                mean += (best[entry] if mine else strategy[entry]) * worths[e]
                entry += 1
            value[h] = mean
    return float(value[: tree.roots].sum())
