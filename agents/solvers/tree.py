"""A small game as arrays: everything that can happen in it, once, for solvers to walk through.

``compile_tree`` begins a table at each of the game's deals and steps all of them through all legal
actions, breadth first. States that no seat can distinguish yet are one node: a card that will only
be turned over later does not multiply what comes before it. So one action may lead to several
nodes, and which of them is chance. Where seats choose at once, they are asked one after the other,
and the later ones do not see what the earlier ones chose.

All values are *weighted by chance*: a node's value is the sum over its deals of their probability
times what is earned, so that nodes add up without dividing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Turns
from arena.envs.small.dealt import Dealt, DealtTables

LARGEST = 20_000_000  # states: some 4 GB while the tree is made

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """A game of two seats as arrays; nodes are decisions, in breadth-first order.

    Attributes:
        game: what was compiled.
        seat: int64 ``(nodes,)``, who acts; infoset: int64 ``(nodes,)``, what that seat knows.
        weight: float64 ``(nodes,)``, the probability of the node's deals.
        roots: how many nodes, the first ones, games begin at.
        edges: int64 ``(nodes + 1,)``; node h has the edges ``edges[h]`` to ``edges[h + 1]``, its
            legal actions in ascending order.
        children: int64 ``(edges + 1,)``: edge e leads to nodes ``children[e]`` to
            ``children[e + 1]``.
        payoffs: float64 ``(edges, 2)``, what is earned where the edge ends the game, weighted;
            ends: float64 ``(edges,)``, the probability of the deals in which it does.
        sets: int64 ``(infosets + 1,)``: infoset s has the entries ``sets[s]`` to ``sets[s + 1]``
            of a strategy, one for each legal action.
        actions: int64 ``(entries,)``, the action of each entry.
        owner: int64 ``(infosets,)``, whose infoset it is; parent: int64 ``(infosets,)``, the entry
            of the same seat's last action before it, or -1.
        depths: int64 ``(depths + 1,)``: nodes ``depths[d]`` to ``depths[d + 1]`` lie d deep, and
            ``set_depths`` says the same of infosets.
        turns: a turn at each infoset: what its seat sees there.
    """

    game: Dealt
    seat: Ints
    infoset: Ints
    weight: Floats
    roots: int
    edges: Ints
    children: Ints
    payoffs: Floats
    ends: Floats
    sets: Ints
    actions: Ints
    owner: Ints
    parent: Ints
    depths: Ints
    set_depths: Ints
    turns: Turns

    def uniform(self) -> Floats:
        """The strategy that takes each legal action equally often, float64 ``(entries,)``."""
        counts = np.diff(self.sets)
        return np.repeat(1 / counts, counts)

    def table(self, strategy: Floats) -> Floats:
        """The strategy as float64 ``(infosets, actions)``, zero where an action is not legal."""
        table = np.zeros((len(self.owner), int(self.game.action_space.n)))  # type: ignore[attr-defined]
        table[np.repeat(np.arange(len(self.owner)), np.diff(self.sets)), self.actions] = strategy
        return table

    def strategy(self, table: Floats) -> Floats:
        """The way back from ``table``."""
        rows = np.repeat(np.arange(len(self.owner)), np.diff(self.sets))
        strategy: Floats = np.ascontiguousarray(table[rows, self.actions])
        return strategy


def require_dealt(game: Game) -> Dealt:
    """The game, if it can be enumerated; else InputError."""
    if not isinstance(game, Dealt):
        raise InputError(
            f"{game.name} cannot be enumerated: its chance is no list of deals; "
            "kuhn, leduc, liars_dice, rps and matrix can (arena eval exploitability has --by)"
        )
    return game


class _Layer(NamedTuple):
    """States of one depth, all of them waiting: rows of ``tables``.

    ``pending[i]`` is what the first of two seats that choose at once has chosen, -1 before.
    ``edge`` is the edge that led there, ``last`` by seat the entry of its last action, or -1.
    """

    tables: DealtTables
    rows: Ints
    pending: Ints
    edge: Ints
    last: Ints
    weight: Floats


@dataclass
class _Parts:
    """What has been found so far, depth by depth."""

    seat: list[Ints] = field(default_factory=list)
    infoset: list[Ints] = field(default_factory=list)
    weight: list[Floats] = field(default_factory=list)
    degree: list[Ints] = field(default_factory=list)
    fanout: list[Ints] = field(default_factory=list)
    payoffs: list[Floats] = field(default_factory=list)
    ends: list[Floats] = field(default_factory=list)
    choices: list[Ints] = field(default_factory=list)
    actions: list[Ints] = field(default_factory=list)
    owner: list[Ints] = field(default_factory=list)
    parent: list[Ints] = field(default_factory=list)
    shown: list[tuple[DealtTables, Ints]] = field(default_factory=list)
    keys: set[bytes] = field(default_factory=set)
    edges: int = 0
    sets: int = 0
    entries: int = 0


def compile_tree(game: Game) -> Tree:
    """The tree of a game of two seats whose deals can be listed.

    Raises:
        InputError: for a game that cannot be enumerated, or is too large.
    """
    dealt = require_dealt(game)
    tables = dealt.tables(len(dealt.deals))
    every = np.arange(tables.capacity)
    tables.start(every, every)
    layer: _Layer | None = _Layer(
        tables,
        every,
        np.full(len(every), -1),
        np.zeros(len(every), np.int64),
        np.full((len(every), 2), -1),
        np.full(len(every), 1 / len(every)),
    )
    parts = _Parts()
    states = 0
    while layer is not None:
        states += len(layer.rows)
        if states > LARGEST:
            raise InputError(
                f"{dealt.name}: its tree has more than {LARGEST:,} states; "
                "take fewer cards, dice or faces"
            )
        layer = _expand(dealt, layer, parts)
    return _assemble(dealt, parts)


def _expand(game: Dealt, layer: _Layer, parts: _Parts) -> _Layer | None:
    """Number the nodes, infosets and edges of a layer; the states that lie beyond it."""
    tables, rows = layer.tables, layer.rows
    acting, both = _acting(layer)
    seen = [shown(tables.observe(rows, np.full(len(rows), seat))) for seat in (0, 1)]
    keys = np.concatenate([_big_endian(layer.edge), *seen], axis=1)
    _, first, node = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    node = node.ravel()
    # A node is represented by its first row: all its rows are alike to both seats.
    seat = acting[first]
    own = np.where(seat[:, None] == 0, seen[0][first], seen[1][first])
    knows = np.concatenate([seat[:, None].astype(np.uint8), own], axis=1)
    known, example, infoset = np.unique(knows, axis=0, return_index=True, return_inverse=True)
    infoset = infoset.ravel()
    _refuse_repeats(game, known, parts)
    mask = tables.action_mask(rows[first], seat)
    assert mask is not None
    owner, legal = seat[example], mask[example]
    if not (mask == legal[infoset]).all():
        raise InputError(f"{game.name}: what is legal depends on what the seat does not see")

    rank = legal.cumsum(axis=1) - 1
    counts = legal.sum(axis=1)
    entry = parts.entries + np.concatenate([[0], counts.cumsum()[:-1]])[:, None] + rank
    degree = counts[infoset]
    edge = parts.edges + np.concatenate([[0], degree.cumsum()[:-1]])[:, None] + rank[infoset]

    parts.seat.append(seat)
    parts.infoset.append(parts.sets + infoset)
    parts.weight.append(np.bincount(node, layer.weight).astype(np.float64))
    parts.degree.append(degree)
    parts.choices.append(counts)
    parts.actions.append(np.nonzero(legal)[1])
    parts.owner.append(owner)
    parts.parent.append(layer.last[first[example], owner])
    parts.shown.append((tables, rows[first[example]]))
    # Edges into this layer, in their order: how many nodes each leads to.
    parts.fanout.append(layer.edge[first])

    state, action = np.nonzero(mask[node])
    taken = edge[node[state], action] - parts.edges
    beyond = game.tables(len(state))
    tables.copy(rows[state], beyond)
    stays = both[state] & (layer.pending[state] < 0)
    pending = np.where(stays, action, -1)
    _step(beyond, layer.pending[state], acting[state], action, both[state], ~stays)
    over = beyond.done & ~stays
    weight = layer.weight[state]
    size = int(degree.sum())
    earned = [
        np.bincount(taken[over], weight[over] * beyond.returns[over, s], size) for s in (0, 1)
    ]
    parts.payoffs.append(np.stack(earned, axis=1))
    parts.ends.append(np.bincount(taken[over], weight[over], size).astype(np.float64))
    last = layer.last[state]
    last[np.arange(len(state)), acting[state]] = entry[infoset[node[state]], action]
    live = np.flatnonzero(~over)
    following = _Layer(
        beyond, live, pending[live], parts.edges + taken[live], last[live], weight[live]
    )
    parts.edges += size
    parts.sets += len(owner)
    parts.entries += int(counts.sum())
    return following if len(live) else None


def _acting(layer: _Layer) -> tuple[Ints, NDArray[np.bool_]]:
    """By row whose turn it is (of two at once, the one that has not chosen), and whether both."""
    where, seats = layer.tables.to_act()
    waiting = np.zeros((layer.tables.capacity, 2), np.bool_)
    waiting[where, seats] = True
    asked = waiting[layer.rows]
    both: NDArray[np.bool_] = asked[:, 0] & asked[:, 1]
    acting: Ints = ((both & (layer.pending >= 0)) | ~asked[:, 0]).astype(np.int64)
    return acting, both


def _step(
    tables: DealtTables,
    pending: Ints,
    acting: Ints,
    actions: Ints,
    both: NDArray[np.bool_],
    moves: NDArray[np.bool_],
) -> None:
    """Take the action in each row that ``moves``, with the other seat's where both were asked."""
    alone = np.flatnonzero(moves & ~both)
    if len(alone):
        tables.step(alone, acting[alone], actions[alone])
    pairs = np.flatnonzero(moves & both)
    if len(pairs):
        chosen = np.stack([pending[pairs], actions[pairs]], axis=1).ravel()
        tables.step(np.repeat(pairs, 2), np.tile(np.arange(2), len(pairs)), chosen)


def shown(observation: Observation) -> NDArray[np.uint8]:
    """What each row of an observation shows, as a row of bytes, uint8 ``(n, bytes)``."""
    parts = [np.ascontiguousarray(array) for array in observation.values()]
    return np.concatenate([p.reshape(len(p), -1).view(np.uint8) for p in parts], axis=1)


def _big_endian(values: Ints) -> NDArray[np.uint8]:
    """Whole numbers as bytes that sort as the numbers do."""
    return np.ascontiguousarray(values.astype(">i8")).view(np.uint8).reshape(len(values), 8)


def _refuse_repeats(game: Dealt, known: NDArray[np.uint8], parts: _Parts) -> None:
    keys = {row.tobytes() for row in known}
    if keys & parts.keys:
        raise InputError(f"{game.name}: a seat forgets what it has seen; solvers need its past")
    parts.keys |= keys


def _assemble(game: Dealt, parts: _Parts) -> Tree:
    edges = np.concatenate([[0], np.concatenate(parts.degree).cumsum()])
    sets = np.concatenate([[0], np.concatenate(parts.choices).cumsum()])
    roots = len(parts.seat[0])
    fanout = np.bincount(np.concatenate([[0][:0], *parts.fanout[1:]]).astype(np.int64))
    fanout = np.pad(fanout, (0, parts.edges - len(fanout)))
    tables = game.tables(parts.sets)
    at = 0
    for shown, rows in parts.shown:
        shown.copy(rows, tables, np.arange(at, at + len(rows)))
        at += len(rows)
    owner = np.concatenate(parts.owner)
    return Tree(
        game=game,
        seat=np.concatenate(parts.seat),
        infoset=np.concatenate(parts.infoset),
        weight=np.concatenate(parts.weight),
        roots=roots,
        edges=edges,
        children=roots + np.concatenate([[0], fanout.cumsum()]),
        payoffs=np.concatenate(parts.payoffs),
        ends=np.concatenate(parts.ends),
        sets=sets,
        actions=np.concatenate(parts.actions),
        owner=owner,
        parent=np.concatenate(parts.parent),
        depths=np.concatenate([[0], np.cumsum([len(part) for part in parts.seat])]),
        set_depths=np.concatenate([[0], np.cumsum([len(part) for part in parts.owner])]),
        turns=Turns(tables, np.arange(parts.sets), owner),
    )
