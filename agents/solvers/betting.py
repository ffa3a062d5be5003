"""All that can be bet in a hand of heads-up Hold'em, from the blinds to the river, as a tree.

Cards do not matter to it. It is laid out by the game's own tables, with the actions of its menu.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.solvers.beliefs import Floats
from arena.envs.errors import InputError
from arena.envs.game import Ints
from arena.envs.holdem import Holdem
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.rules import BET, FOLDED, RAISED
from arena.envs.holdem.tables import HoldemTables

DECIDE, FOLD, SHOWDOWN = range(3)  # what a node is

LARGEST = 150_000  # nodes; while they are laid out each has a table of some kilobytes


class BettingTree(NamedTuple):
    """The tree; nodes in breadth-first order, a node's children side by side.

    Attributes:
        kind, street, seat: int64 ``(nodes,)``; of a fold, ``seat`` has folded.
        amount: float64 ``(nodes,)``, what the loser loses where the hand ends, in big blinds.
        first, width: int64 ``(nodes,)``, a decision's first child, and how many it has.
        action: int64 ``(nodes,)``, the game's action that leads to the node.
        size: float64 ``(nodes,)``, a raise's share of the pot as it is after a call; 0 for others.
        level, pot: float64 ``(nodes,)``, the total to match on the street, and the pot after a
            call, in big blinds.
    """

    kind: Ints
    street: Ints
    seat: Ints
    amount: Floats
    first: Ints
    width: Ints
    action: Ints
    size: Floats
    level: Floats
    pot: Floats


def lay_out(game: Holdem) -> BettingTree:
    """The tree of a game; InputError where it is too large."""
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    action, size = np.zeros(1, np.int64), np.zeros(1)
    parts: list[tuple[NDArray[np.generic], ...]] = []
    nodes = 0
    while tables.capacity:
        nodes += tables.capacity
        hands, open_ = tables.hands, np.flatnonzero(~tables.done)
        mask = np.zeros((tables.capacity, len(game.menu) + 3), np.bool_)
        mask[open_] = tables.action_mask(open_, hands["actor"][open_])
        parent, taken = np.nonzero(mask)
        if nodes + len(parent) > LARGEST:
            raise InputError(
                f"{game.name}: more than {LARGEST:,} bets and answers can follow one another; give "
                "the game a shorter stack or fewer sizes (stack=20, menu=1)"
            )
        level, pot = _level(tables)
        kind = np.where(hands["showdown"] != 0, SHOWDOWN, FOLD)
        kind[open_] = DECIDE
        folded = (hands["live"] & 1) == 0  # seat 0 has folded; else seat 1
        seat = np.where(kind == DECIDE, hands["actor"], np.where(folded, 0, 1))
        least = hands["committed"][:, :2].min(axis=1) / game.big_blind
        first = nodes + np.concatenate([[0], mask.sum(axis=1).cumsum()[:-1]])
        parts.append(
            (kind, hands["street"].copy(), seat, least, first, mask.sum(axis=1),
             action, size, level, pot)
        )  # fmt: skip
        following = game.tables(len(parent))
        tables.copy(parent, following)
        following.step(np.arange(len(parent)), hands["actor"][parent], taken)
        total = following.hands["bets"][np.arange(len(parent)), hands["actor"][parent]]
        raised = taken >= FIRST_FRACTION
        size = np.where(raised, (total / game.big_blind - level[parent]) / pot[parent], 0.0)
        tables, action = following, taken
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return BettingTree(*(np.ascontiguousarray(column) for column in columns))


def _level(tables: HoldemTables) -> tuple[Floats, Floats]:
    """The total to match, and the pot after a call, in big blinds."""
    hands, unit = tables.hands, tables.game.big_blind
    actor = np.maximum(hands["actor"], 0)
    owed = hands["level"] - hands["bets"][np.arange(len(hands)), actor]
    return hands["level"] / unit, (hands["pot"] + owed) / unit


@numba.njit(cache=True)
def nearest(size: float, below: float, above: float) -> float:
    """How much of a bet of ``size`` is taken for ``below``, the rest for ``above``.

    All are shares of the pot: the pseudo-harmonic mapping (Ganzfried and Sandholm, IJCAI 2013).
    """
    if size <= below:
        return 1.0
    if size >= above:
        return 0.0
    return (above - size) * (1 + below) / ((above - below) * (1 + size))


@numba.njit(cache=True)
def follow(
    tree: BettingTree, kinds: NDArray[np.int8], amounts: NDArray[np.float32], count: int, path: Ints
) -> int:
    """Walk from the blinds by a hand's decisions; the nodes met are written into ``path``.

    A raise that the tree lacks is taken for the one beside it that ``nearest`` prefers. Returns
    the node, or -1 where the tree has no such hand.
    """
    node = 0
    for i in range(count):
        path[i] = node
        if tree.kind[node] != DECIDE:
            return -1
        node = _child(tree, node, kinds[i], amounts[i])
        if node < 0:
            return -1
    path[count] = node
    return node


@numba.njit(cache=True)
def _child(tree: BettingTree, node: int, kind: int, amount: float) -> int:
    first, last = tree.first[node], tree.first[node] + tree.width[node]
    if kind == FOLDED:
        return int(first) if tree.action[first] == FOLD_ACTION else -1
    if kind != BET and kind != RAISED:
        return int(first if tree.action[first] == CALL_ACTION else first + 1)
    size = (amount - tree.level[node]) / tree.pot[node]
    below = above = -1
    for child in range(first, last):
        if tree.action[child] < FIRST_FRACTION:
            continue
        if tree.size[child] <= size + 1e-6:
            below = child
        elif above < 0:
            above = child
    if below < 0 or above < 0:
        return max(below, above)
    # Half a chip's rounding is no other bet.
    return below if nearest(size, tree.size[below], tree.size[above]) >= 0.5 else above
