"""An equilibrium by linear programming, in sequence form: the oracle that solvers are tested with.

von Stengel, Efficient computation of behavior strategies, 1996. Exact to the LP solver's tolerance,
and practical up to some thousand information sets.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack

from arena.agents.solvers.cfr import normalised
from arena.agents.solvers.tree import Floats, Tree
from arena.envs.errors import InputError
from arena.envs.game import Ints


def solve(tree: Tree) -> tuple[float, Floats]:
    """The value of a zero-sum game to the first seat, and an equilibrium, float64 ``(entries,)``.

    Raises:
        InputError: for a game whose payoffs do not sum to zero.
    """
    if np.abs(tree.payoffs.sum(axis=1)).max() > 1e-12:
        raise InputError(f"{tree.game.name} is not zero-sum: no linear program solves it")
    plans = np.zeros(len(tree.actions))
    worth = [_maximise(tree, seat, plans) for seat in (0, 1)]
    if abs(worth[0] + worth[1]) > 1e-6:
        raise RuntimeError(f"the linear programs disagree: {worth[0]} and {-worth[1]}")
    return worth[0], normalised(tree, plans)


def _maximise(tree: Tree, seat: int, plans: Floats) -> float:
    """The most that ``seat`` can be sure of; its realisation plan x is written into ``plans``.

    Maximise f q subject to F' q <= A' x, E x = e, x >= 0, where E and F say what plans of the two
    seats are, and q are the other seat's values by information set.
    """
    own, other = _Plan(tree, seat), _Plan(tree, 1 - seat)
    payoffs = _payoffs(tree, own, other)
    sets = other.constraints.shape[0]
    cost = np.zeros(own.size + sets)
    cost[own.size] = -1.0  # the value of the other's empty sequence
    nothing = coo_array((own.constraints.shape[0], sets))
    begin = np.zeros(own.constraints.shape[0])
    begin[0] = 1.0
    result = linprog(
        cost,
        A_ub=hstack([-payoffs.T, other.constraints.T], format="csr"),
        b_ub=np.zeros(other.size),
        A_eq=hstack([own.constraints, nothing], format="csr"),
        b_eq=begin,
        bounds=[(0, None)] * own.size + [(None, None)] * sets,
        method="highs",
    )
    if not result.success:
        raise RuntimeError(f"the linear program of {tree.game.name} failed: {result.message}")
    plans[own.entries] = np.maximum(result.x[1 : own.size], 0.0)
    return -float(result.fun)


class _Plan:
    """A seat's sequences (0 is the empty one) and the constraints that its plans satisfy.

    Attributes:
        entries: the strategy's entry of each sequence but the empty one.
        number: by entry the sequence, int64; size: how many sequences.
        constraints: a row for the empty sequence, then one for each information set.
    """

    def __init__(self, tree: Tree, seat: int) -> None:
        owners = np.repeat(tree.owner, np.diff(tree.sets))
        self.entries: Ints = np.flatnonzero(owners == seat)
        self.size = 1 + len(self.entries)
        self.number = np.zeros(len(tree.actions), np.int64)
        self.number[self.entries] = np.arange(1, self.size)
        mine = np.flatnonzero(tree.owner == seat)
        row_of = np.zeros(len(tree.owner), np.int64)
        row_of[mine] = np.arange(1, 1 + len(mine))
        rows = row_of[np.repeat(np.arange(len(tree.owner)), np.diff(tree.sets))[self.entries]]
        before = np.where(tree.parent[mine] < 0, 0, self.number[tree.parent[mine]])
        self.constraints = coo_array(
            (
                np.concatenate([[1.0], np.ones(len(rows)), -np.ones(len(mine))]),
                (
                    np.concatenate([[0], rows, row_of[mine]]),
                    np.concatenate([[0], self.number[self.entries], before]),
                ),
            ),
            shape=(1 + len(mine), self.size),
        )


def _payoffs(tree: Tree, own: _Plan, other: _Plan) -> Any:
    """What the owner of ``own`` earns by each pair of sequences, chance included."""
    seat = int(np.repeat(tree.owner, np.diff(tree.sets))[own.entries[0]])
    entry, last = _sequences(tree)
    node = np.repeat(np.arange(len(tree.seat)), np.diff(tree.edges))
    mine = tree.seat[node] == seat
    rows = np.where(mine, own.number[entry], _numbers(own, last[node, seat]))
    columns = np.where(mine, _numbers(other, last[node, 1 - seat]), other.number[entry])
    return coo_array((tree.payoffs[:, seat], (rows, columns)), shape=(own.size, other.size))


def _numbers(plan: _Plan, entries: Ints) -> Ints:
    return np.where(entries < 0, 0, plan.number[entries])


def _sequences(tree: Tree) -> tuple[Ints, Ints]:
    """By edge its entry; by node and seat the entry of the seat's last action, or -1."""
    node = np.repeat(np.arange(len(tree.seat)), np.diff(tree.edges))
    entry = tree.sets[tree.infoset[node]] + np.arange(len(node)) - tree.edges[node]
    last = np.full((len(tree.seat), 2), -1)
    edge_of = np.repeat(np.arange(len(node)), np.diff(tree.children))  # of nodes beyond the roots
    for depth in range(1, len(tree.depths) - 1):
        nodes = np.arange(tree.depths[depth], tree.depths[depth + 1])
        edges = edge_of[nodes - tree.roots]
        last[nodes] = last[node[edges]]
        last[nodes, tree.seat[node[edges]]] = entry[edges]
    return entry, last
