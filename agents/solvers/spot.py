"""A heads-up spot of Hold'em on the turn or the river as a tree of bets, and how it is solved.

Both seats have a range, and each decision is made for all hands of a range at once (vector CFR).
Hands that share a card exclude each other exactly, also at showdowns, which take time linear in the
number of hands: they are sorted by strength once, and what beats what is a running sum, less those
that share a card. Regrets are discounted (DCFR, Brown and Sandholm, AAAI 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.solvers.ranges import HANDS
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.evaluator import evaluate

FOLD, SHOWDOWN, DEAL, DECISION = range(4)  # what a node is

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMORY = 4 << 30  # bytes that a solution may take
RAISES = 3  # in a round; a further one goes all in


@dataclass(frozen=True)
class Spot:
    """What is to be solved.

    Attributes:
        board: four or five cards, as numbers.
        ranges: float64 ``(2, 1326)``, the weight of each hand; the first seat acts first.
        pot: chips in the pot; stack: what each seat has left behind.
        sizes: bets and raises as shares of the pot (what it is after a call); all-in is always one.
    """

    board: tuple[int, ...]
    ranges: Floats
    pot: float
    stack: float
    sizes: tuple[float, ...] = (0.5, 1.0)

    def __post_init__(self) -> None:
        if len(self.board) not in (4, 5):
            raise InputError(f"a spot has a board of 4 or 5 cards, not {len(self.board)}")
        twice = [c for c in set(self.board) if self.board.count(c) > 1]
        if twice:
            raise InputError(f"the board has {cards.name(twice[0])} twice")
        if not 0 < self.pot < 1e9 or not 0 < self.stack < 1e9:
            raise InputError(f"pot {self.pot:g} and stack {self.stack:g} must lie above 0")
        if not self.sizes or not all(0 < size <= 100 for size in self.sizes):
            raise InputError("bet sizes are shares of the pot above 0, such as 0.5 and 1")


class State(NamedTuple):
    """Where the betting stands.

    Attributes:
        kind: FOLD, SHOWDOWN, DEAL (the river comes) or DECISION.
        seat: who acts; of a fold, who folded.
        paid: what each seat has put in since the spot began.
        raises: bets and raises of this round; checked: whether the other seat has just checked.
        river: the number of the river among those that may come; -1 before it.
    """

    kind: int
    seat: int
    paid: tuple[float, float]
    raises: int = 0
    checked: bool = False
    river: int = -1


class Bets:
    """All that can be bet in a spot, as a tree in breadth-first order.

    Attributes:
        states: of the nodes, whose children stand side by side.
        actions: the names of each node's actions: ``fold``, ``check``, ``call``, ``bet 40``, …
        first: int64 ``(nodes,)``, each node's first child.
        row: int64 ``(nodes,)``, a decision's first row of a strategy, one row an action.
        rows: of them all; rivers: the cards that may come, none in a spot on the river.
    """

    def __init__(self, spot: Spot) -> None:
        self._spot = spot
        board = len(spot.board)
        self.rivers = [c for c in range(52) if c not in spot.board] if board == 4 else []
        self.states = [State(DECISION, 0, (0.0, 0.0), river=-1 if self.rivers else 0)]
        self.actions: list[tuple[str, ...]] = []
        first, row, self.rows = [], [], 0
        hands = (52 - board) * (51 - board) // 2
        for state in self.states:  # grows as it is walked through
            following = self._following(state)
            decides = state.kind == DECISION
            first.append(len(self.states))
            row.append(self.rows if decides else -1)
            self.rows += len(following) if decides else 0
            self.actions.append(tuple(name for name, _ in following))
            self.states += [after for _, after in following]
            if self.rows * hands * 8 > MEMORY:
                raise InputError(
                    f"this spot takes more than {MEMORY >> 30} GiB of memory; "
                    "give fewer bet sizes or a shorter stack"
                )
        self.first, self.row = np.array(first), np.array(row)

    def _following(self, state: State) -> list[tuple[str, State]]:
        if state.kind == DEAL:
            kind = SHOWDOWN if max(state.paid) >= self._spot.stack else DECISION
            return [
                (cards.name(card), State(kind, 0, state.paid, river=number))
                for number, card in enumerate(self.rivers)
            ]
        if state.kind != DECISION:
            return []
        seat, paid = state.seat, state.paid
        owed = paid[1 - seat] - paid[seat]
        following = []
        if owed > 0:
            following.append(("fold", State(FOLD, seat, paid, river=state.river)))
            following.append(("call", self._close(state)))
        elif state.checked:
            following.append(("check", self._close(state)))
        else:
            after = State(DECISION, 1 - seat, paid, checked=True, river=state.river)
            following.append(("check", after))
        verb = "raise" if owed > 0 else "bet"
        for to in self._totals(state, owed):
            both = (to, paid[1]) if seat == 0 else (paid[0], to)
            after = State(DECISION, 1 - seat, both, state.raises + 1, river=state.river)
            following.append(("all-in" if to == self._spot.stack else f"{verb} {to:.6g}", after))
        return following

    def _close(self, state: State) -> State:
        """The round is over, both have paid as much."""
        most = max(state.paid)
        kind = DEAL if state.river < 0 else SHOWDOWN
        return State(kind, 0, (most, most), river=state.river)

    def _totals(self, state: State, owed: float) -> list[float]:
        """What the seat may bet or raise to, ascending."""
        spot, most = self._spot, max(state.paid)
        if most >= spot.stack:
            return []
        pot = spot.pot + 2 * most
        sizes = [most + size * pot for size in spot.sizes] if state.raises < RAISES else []
        return sorted({to for to in sizes if most + owed <= to < spot.stack} | {spot.stack})


class SpotSolver:
    """DCFR at work on a spot.

    Attributes:
        bets: the tree; done: how many iterations were run.
        numbers: the hands that the board leaves, by their places in a range, int64 ``(hands,)``.

    Raises:
        InputError: where the ranges leave no two hands that can meet, or the tree is too large.
    """

    def __init__(self, spot: Spot) -> None:
        self.spot, self.bets, self.done = spot, Bets(spot), 0
        self.numbers: Ints = np.flatnonzero(~np.isin(HANDS, spot.board).any(axis=1))
        self.ranges = np.ascontiguousarray(spot.ranges[:, self.numbers])
        self._tree = _compile(self.bets, spot, HANDS[self.numbers])
        self._meetings = float(_met(self._tree, self.ranges[1]) @ self.ranges[0])
        if not self._meetings > 0:
            raise InputError("the two ranges hold no hands that can meet on this board")
        shape = self.bets.rows, len(self.numbers)
        self._regrets, self._sums = np.zeros(shape, np.float32), np.zeros(shape, np.float32)

    def run(self, iterations: int) -> None:
        """So many iterations more."""
        for _ in range(iterations):
            self.done += 1
            power = self.done**1.5
            weights = np.array([power / (power + 1), 0.5, (self.done / (self.done + 1)) ** 3])
            for seat in (0, 1):
                self._walk(0, seat, _LEARN, self.ranges[seat], self.ranges[1 - seat], weights)

    def values(self) -> Floats:
        """What each seat earns of pot and stacks by the average strategies, chips, float64 (2,).

        The pot counts half for each: the two sum to 0.
        """
        return np.array([self._worth(seat, _PLAY) for seat in (0, 1)])

    def exploitability(self) -> float:
        """What a best response earns, in chips, on average over the seats."""
        return sum(self._worth(seat, _BEST) for seat in (0, 1)) / 2

    def value_of(self, seat: int, strategy: Mapping[int, Floats]) -> float:
        """What the seat earns, as ``values`` has it, if it plays otherwise and the other does not.

        ``strategy`` says how at its decisions, by node, float64 ``(actions, hands)``.
        """
        kept = self._sums.copy()
        for node, chances in strategy.items():
            row = self.bets.row[node]
            self._sums[row : row + len(chances)] = chances
        worth = self._worth(seat, _PLAY)
        self._sums = kept
        return worth

    def strategy(self, node: int) -> Floats:
        """The average strategy at a decision, float64 ``(actions, hands)``."""
        row, count = self.bets.row[node], len(self.bets.actions[node])
        sums = self._sums[row : row + count].astype(np.float64)
        total = sums.sum(axis=0)
        strategy: Floats = np.where(total > 0, sums / np.where(total > 0, total, 1), 1 / count)
        return strategy

    def reaches(self, node: int) -> Floats:
        """The ranges that come to a node by the average strategies, float64 ``(2, hands)``."""
        path = [node]
        while path[-1]:
            path.append(int(np.searchsorted(self.bets.first, path[-1], "right")) - 1)
        reach = self.ranges.copy()
        for parent, child in zip(path[:0:-1], path[-2::-1], strict=True):
            state, number = self.bets.states[parent], child - self.bets.first[parent]
            if state.kind == DECISION:
                reach[state.seat] *= self.strategy(parent)[number]
            else:
                dealt = HANDS[self.numbers] == self.bets.rivers[number]
                reach[:, dealt.any(axis=1)] = 0.0
        return reach

    def action_values(self, node: int) -> Floats:
        """What each action at a decision earns each hand, chips, float64 ``(actions, hands)``.

        Against the hands with which the other seat comes there, both playing on by their average
        strategies. NaN for a hand that meets none of those.
        """
        seat, reach = self.bets.states[node].seat, self.reaches(node)
        met = _met(self._tree, reach[1 - seat])
        first = self.bets.first[node]
        earned = [
            self._walk(child, seat, _PLAY, reach[seat], reach[1 - seat], np.zeros(3))
            for child in range(first, first + len(self.bets.actions[node]))
        ]
        with np.errstate(invalid="ignore", divide="ignore"):
            values: Floats = np.where(met > 1e-12, np.array(earned) / met, np.nan)
        return values

    def _worth(self, seat: int, mode: int) -> float:
        own, other = self.ranges[seat], self.ranges[1 - seat]
        value = self._walk(0, seat, mode, own, other, np.zeros(3))
        return float(value @ self.ranges[seat]) / self._meetings

    def _walk(
        self, node: int, seat: int, mode: int, own: Floats, other: Floats, weights: Floats
    ) -> Floats:
        rooms = _Rooms(*(np.empty((self._tree.depth, len(own))) for _ in range(3)))
        rooms.own[0], rooms.other[0] = own, other
        strategy = np.empty((self._tree.depth, self._tree.widest, len(own)))
        _walk(self._tree, node, 0, seat, mode, weights, rooms, strategy, self._regrets, self._sums)
        value: Floats = rooms.value[0]
        return value


# -- kernels ---------------------------------------------------------------------------------------

_LEARN, _PLAY, _BEST = range(3)  # what is walked for


class _Tree(NamedTuple):
    """The bets as arrays, by node; then the hands, and by river their order by strength."""

    kind: Ints
    seat: Ints
    amount: Floats  # half the pot and what the loser has paid
    first: Ints
    width: Ints  # how many children
    row: Ints
    river: Ints
    rivers: Ints
    low: Ints  # (hands,), the two cards
    high: Ints
    order: Ints  # (rivers, hands), weakest first
    group: Ints  # (rivers, hands), where in the order the hands as strong as this one begin
    depth: int
    widest: int
    pairs: float  # in how many ways a river can come, given both hands


class _Rooms(NamedTuple):
    """For each depth of the walk, by hand: the two reaches and the value."""

    own: Floats
    other: Floats
    value: Floats


def _compile(bets: Bets, spot: Spot, hands: Ints) -> _Tree:
    states = bets.states
    boards = [[*spot.board, river] for river in bets.rivers] or [list(spot.board)]
    strengths = np.array(
        [evaluate(np.column_stack([hands, np.tile(b, (len(hands), 1))])) for b in boards]
    )
    order = np.argsort(strengths, axis=1, kind="stable")
    ranked = np.take_along_axis(strengths, order, axis=1)
    group = np.array([np.searchsorted(row, row) for row in ranked])
    depth = np.ones(len(states), np.int64)
    for node in range(len(states) - 1, -1, -1):
        children = slice(bets.first[node], bets.first[node] + len(bets.actions[node]))
        depth[node] = 1 + depth[children].max(initial=0)
    return _Tree(
        np.array([state.kind for state in states]),
        np.array([state.seat for state in states]),
        np.array([spot.pot / 2 + min(state.paid) for state in states]),
        bets.first,
        np.array([len(names) for names in bets.actions]),
        bets.row,
        np.array([state.river for state in states]),
        np.array(bets.rivers, np.int64),
        np.ascontiguousarray(hands[:, 0]),
        np.ascontiguousarray(hands[:, 1]),
        order,
        group,
        int(depth[0]),
        max(len(a) for a, s in zip(bets.actions, states, strict=True) if s.kind == DECISION),
        float(48 - len(spot.board)),
    )


@numba.njit(cache=True)
def _met(tree: _Tree, other: Floats) -> Floats:
    """By hand the total weight of the hands of ``other`` that it can meet."""
    value = np.empty(len(other))
    _fold(tree, 1.0, other, value)
    return value


@numba.njit(cache=True)
def _fold(tree: _Tree, amount: float, other: Floats, value: Floats) -> None:
    total, of_card = 0.0, np.zeros(52)
    for i in range(len(other)):
        total += other[i]
        of_card[tree.low[i]] += other[i]
        of_card[tree.high[i]] += other[i]
    for i in range(len(other)):  # the very same hand was taken off twice
        met = total - of_card[tree.low[i]] - of_card[tree.high[i]] + other[i]
        value[i] = amount * met


@numba.njit(cache=True)
def _showdown(tree: _Tree, river: int, amount: float, other: Floats, value: Floats) -> None:
    """What is beaten less what beats it; hands that share a card never meet."""
    order, group = tree.order[river], tree.group[river]
    n = len(order)
    for way in range(2):  # up from the weakest, then down from the strongest
        total, of_card, begun = 0.0, np.zeros(52), 0
        for step in range(n):
            at = step if way == 0 else n - 1 - step
            before = at - 1 if way == 0 else at + 1
            if step > 0 and group[at] != group[before]:
                # Hands count only once all those that tie with them are valued.
                for back in range(begun, step):
                    i = order[back if way == 0 else n - 1 - back]
                    total += other[i]
                    of_card[tree.low[i]] += other[i]
                    of_card[tree.high[i]] += other[i]
                begun = step
            i = order[at]
            met = total - of_card[tree.low[i]] - of_card[tree.high[i]]
            if way == 0:
                value[i] = amount * met
            else:
                value[i] -= amount * met


@numba.njit(cache=True)
def _match(rows: NDArray[np.float32], strategy: Floats) -> None:
    """Strategies in proportion to what is above 0 in ``rows``, uniform where nothing is."""
    count, n = rows.shape
    total = np.zeros(n)
    for k in range(count):
        for i in range(n):
            strategy[k, i] = max(rows[k, i], 0.0)
            total[i] += strategy[k, i]
    for k in range(count):
        for i in range(n):
            strategy[k, i] = strategy[k, i] / total[i] if total[i] > 0.0 else 1.0 / count


@numba.njit(cache=True)
def _walk(
    tree: _Tree,
    node: int,
    depth: int,
    seat: int,
    mode: int,
    weights: Floats,
    rooms: _Rooms,
    strategies: Floats,
    regrets: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    """Value a node for ``seat`` into ``rooms.value[depth]``, and learn where that is wanted."""
    own, other, value = rooms.own[depth], rooms.other[depth], rooms.value[depth]
    kind, n = tree.kind[node], len(tree.low)
    if kind == FOLD:
        amount = tree.amount[node]
        _fold(tree, -amount if tree.seat[node] == seat else amount, other, value)
        return
    if kind == SHOWDOWN:
        _showdown(tree, tree.river[node], tree.amount[node], other, value)
        return
    value[:] = 0.0
    below = rooms.value[depth + 1]
    if kind == DEAL:
        for k in range(tree.width[node]):
            card = tree.rivers[k]
            for i in range(n):
                stays = 0.0 if tree.low[i] == card or tree.high[i] == card else 1.0
                rooms.own[depth + 1, i] = stays * own[i]
                rooms.other[depth + 1, i] = stays * other[i]
            _walk(
                tree, tree.first[node] + k, depth + 1, seat, mode, weights, rooms, strategies,
                regrets, sums,
            )  # fmt: skip
            for i in range(n):
                if tree.low[i] != card and tree.high[i] != card:
                    value[i] += below[i] / tree.pairs
        return
    count, row = tree.width[node], tree.row[node]
    mine, learn = tree.seat[node] == seat, mode == _LEARN
    strategy = strategies[depth, :count]
    _match((regrets if learn else sums)[row : row + count], strategy)
    for k in range(count):
        for i in range(n):
            rooms.own[depth + 1, i] = own[i] * strategy[k, i] if mine else own[i]
            rooms.other[depth + 1, i] = other[i] if mine else other[i] * strategy[k, i]
        _walk(
            tree, tree.first[node] + k, depth + 1, seat, mode, weights, rooms, strategies,
            regrets, sums,
        )  # fmt: skip
        for i in range(n):
            if not mine:
                value[i] += below[i]
            elif mode == _BEST:
                value[i] = below[i] if k == 0 else max(value[i], below[i])
            else:
                value[i] += strategy[k, i] * below[i]
            if mine and learn:
                regrets[row + k, i] += below[i]
    if mine and learn:
        for k in range(count):
            for i in range(n):
                regret = regrets[row + k, i] - value[i]
                regrets[row + k, i] = regret * (weights[0] if regret > 0.0 else weights[1])
                sums[row + k, i] = weights[2] * sums[row + k, i] + own[i] * strategy[k, i]
