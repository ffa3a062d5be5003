"""Hands of Hold'em by how much of the pot they win: buckets that a strategy does not look into.

Before the flop there are the 169 classes, which lose nothing. After it hands are sorted by their
share of the pot against a random hand, estimated from a sample which the cards decide, up to a
permutation of the suits: hands that differ in their suits alone lie in one bucket always.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.scripted.preflop import CLASS_OF
from arena.agents.solvers.beliefs import Floats
from arena.envs.game import Ints
from arena.envs.holdem.evaluator import card_bit, evaluate_set
from arena.envs.seeding import below, mix, word

PREFLOP = 169
SAMPLES = 60  # showdowns that a share is estimated from before the river
_DEALS = 20_000  # from which buckets of equal size are made

Cards = NDArray[np.int64]


def limits(counts: Ints, seed: int) -> list[Floats]:
    """The shares at which the next bucket begins, for flop, turn and river: quantiles of deals."""
    found = []
    for street, count in enumerate(counts, 1):
        values = np.empty(_DEALS)
        _deal_shares(np.uint64(seed), street, values)
        found.append(np.quantile(values, np.arange(1, count) / count))
    return found


@numba.njit(cache=True)
def bucket(cards: Cards, board: int, limits: Floats) -> int:
    """The bucket of two cards and the first ``board`` of those after them."""
    if board == 0:
        return int(CLASS_OF[cards[0], cards[1]])
    return int(np.searchsorted(limits, share(cards, board), side="right"))


@numba.njit(cache=True)
def share(cards: Cards, board: int) -> float:
    """How much of the pot the first two cards win against a random hand, as the board is."""
    own = card_bit(cards[0]) | card_bit(cards[1])
    table = np.uint64(0)
    for i in range(2, 2 + board):
        table |= card_bit(cards[i])
    if board == 5:
        return _exact_share(own, table)
    alike = canonical(cards, board)
    own = card_bit(alike[0]) | card_bit(alike[1])
    seed = mix(own)
    table = np.uint64(0)
    for i in range(2, 2 + board):
        table |= card_bit(alike[i])
    seed = mix(seed ^ table)
    deck, left = np.empty(52, np.int64), 0
    for card in range(52):
        if not (own | table) & card_bit(card):
            deck[left] = card
            left += 1
    won, counter, needed = 0.0, 0, 7 - board  # the rest of the board, and the other hand
    for _ in range(SAMPLES):
        for i in range(needed):
            j = i + below(seed, counter, left - i)
            counter += 1
            deck[i], deck[j] = deck[j], deck[i]
        full = table
        for i in range(2, needed):
            full |= card_bit(deck[i])
        mine = evaluate_set(full | own)
        theirs = evaluate_set(full | card_bit(deck[0]) | card_bit(deck[1]))
        won += 1.0 if mine > theirs else 0.5 if mine == theirs else 0.0
    return won / SAMPLES


@numba.njit(cache=True)
def _exact_share(own: np.uint64, table: np.uint64) -> float:
    mine, won, met = evaluate_set(own | table), 0.0, 0
    taken = own | table
    for low in range(52):
        if taken & card_bit(low):
            continue
        for high in range(low + 1, 52):
            if taken & card_bit(high):
                continue
            theirs = evaluate_set(table | card_bit(low) | card_bit(high))
            won += 1.0 if mine > theirs else 0.5 if mine == theirs else 0.0
            met += 1
    return won / met


@numba.njit(cache=True)
def canonical(cards: Cards, board: int) -> Cards:
    """The cards with their suits renamed: equal for hands that differ in their suits alone."""
    held = np.zeros(4, np.int64)  # of each suit, the ranks: on the board, then in the hand
    for i in range(2 + board):
        held[cards[i] & 3] |= np.int64(1) << (cards[i] >> 2) << (0 if i < 2 else 13)
    order = np.argsort(held)
    name = np.empty(4, np.int64)
    for i in range(4):
        name[order[i]] = i
    found = np.empty(2 + board, np.int64)
    for i in range(2 + board):
        found[i] = (cards[i] >> 2 << 2) | name[cards[i] & 3]
    return found


@numba.njit(cache=True)
def deal(seed: np.uint64, counter: int, cards: Cards) -> int:
    """Draw as many different cards as there is room; returns the counter of the next word."""
    for i in range(len(cards)):
        while True:
            card = below(seed, counter, 52)
            counter += 1
            fresh = True
            for j in range(i):
                fresh = fresh and cards[j] != card
            if fresh:
                cards[i] = card
                break
    return counter


@numba.njit(cache=True)
def _deal_shares(seed: np.uint64, street: int, values: Floats) -> None:
    cards, counter = np.empty(7, np.int64), 0
    base = word(seed, street)
    for i in range(len(values)):
        counter = deal(base, counter, cards)
        values[i] = share(cards, street + 2)
