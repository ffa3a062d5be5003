"""The strength of a poker hand of five to seven cards, by bit operations on sets of ranks.

A set of cards is one 64-bit word of four lanes, a lane for each suit and in it a bit for each rank.
The lanes' intersections tell which ranks come in pairs, threes and fours; a table of 8,192 rank
sets tells straights and the best five of a flush. Nothing is searched, nothing depends on the
order of the cards, and a board's set can be kept and joined with many holes.

A strength is an int32, higher is better, equal where hands tie: ``category << 26 | ranks of the
made hand << 13 | kickers``, both as sets of ranks, whose order as numbers is the order of poker.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

CATEGORIES = (
    "high card",
    "pair",
    "two pair",
    "three of a kind",
    "straight",
    "flush",
    "full house",
    "four of a kind",
    "straight flush",
)
_CATEGORY_SHIFT = 26
_MADE_SHIFT = 13
_LANE = (1 << 13) - 1


def _highest_straights() -> NDArray[np.int32]:
    """For each rank set, a bit at the top rank of its best straight (5 for the wheel), or 0."""
    table = np.zeros(1 << 13, np.int32)
    runs = [(1 << 12) | 0b1111] + [0b11111 << low for low in range(9)]
    for top, run in enumerate(runs, start=3):
        table[(np.arange(1 << 13) & run) == run] = 1 << top
    return table


def _best_five() -> NDArray[np.int32]:
    """For each rank set, its five highest ranks, or 0 where it has fewer than five."""
    sets = np.arange(1 << 13)
    bits = (sets[:, None] >> np.arange(13)) & 1
    kept = bits * (bits[:, ::-1].cumsum(1)[:, ::-1] <= 5)
    return np.where(bits.sum(1) < 5, 0, kept @ (1 << np.arange(13))).astype(np.int32)


_STRAIGHT = _highest_straights()
_FIVE = _best_five()


@numba.njit(cache=True, inline="always")
def card_bit(card: int) -> np.uint64:
    """The set that holds one card."""
    return np.uint64(1) << np.uint64(((card & 3) << 4) | (card >> 2))


@numba.njit(cache=True)
def card_set(cards: NDArray[np.integer]) -> np.uint64:
    """The set of all of ``cards``."""
    held = np.uint64(0)
    for card in cards:
        held |= card_bit(card)
    return held


@numba.njit(cache=True, inline="always")
def _highest(ranks: int) -> int:
    """The highest rank of a set, as a set; 0 for the empty one."""
    ranks |= ranks >> 1
    ranks |= ranks >> 2
    ranks |= ranks >> 4
    ranks |= ranks >> 8
    return ranks ^ (ranks >> 1)


@numba.njit(cache=True)
def evaluate_set(held: np.uint64) -> int:
    """The strength of the best five of the five to seven cards in ``held``."""
    c = int(held) & _LANE
    d = int(held >> np.uint64(16)) & _LANE
    h = int(held >> np.uint64(32)) & _LANE
    s = int(held >> np.uint64(48)) & _LANE
    flush = int(_FIVE[c] | _FIVE[d] | _FIVE[h] | _FIVE[s])
    if flush:  # seven cards have at most one suit of five, and then no four or full house
        suited = c if _FIVE[c] else d if _FIVE[d] else h if _FIVE[h] else s
        straight = int(_STRAIGHT[suited])
        if straight:
            return (8 << _CATEGORY_SHIFT) | (straight << _MADE_SHIFT)
        return (5 << _CATEGORY_SHIFT) | flush
    ranks = c | d | h | s
    paired = (c & d) | (h & s) | ((c | d) & (h | s))
    straight = int(_STRAIGHT[ranks])
    if not paired:
        if straight:
            return (4 << _CATEGORY_SHIFT) | (straight << _MADE_SHIFT)
        return int(_FIVE[ranks])
    tripled = (c & d & (h | s)) | (h & s & (c | d))
    if tripled:
        fours = c & d & h & s
        if fours:
            kicker = _highest(ranks ^ fours)
            return (7 << _CATEGORY_SHIFT) | (fours << _MADE_SHIFT) | kicker
        threes = _highest(tripled)
        twos = _highest(paired ^ threes)
        if twos:
            return (6 << _CATEGORY_SHIFT) | (threes << _MADE_SHIFT) | twos
        if straight:
            return (4 << _CATEGORY_SHIFT) | (straight << _MADE_SHIFT)
        first = _highest(ranks ^ threes)
        second = _highest(ranks ^ threes ^ first)
        return (3 << _CATEGORY_SHIFT) | (threes << _MADE_SHIFT) | first | second
    if straight:
        return (4 << _CATEGORY_SHIFT) | (straight << _MADE_SHIFT)
    high = _highest(paired)
    low = _highest(paired ^ high)
    first = _highest(ranks ^ high ^ low)
    if low:
        return (2 << _CATEGORY_SHIFT) | ((high | low) << _MADE_SHIFT) | first
    second = _highest(ranks ^ high ^ first)
    third = _highest(ranks ^ high ^ first ^ second)
    return (1 << _CATEGORY_SHIFT) | (high << _MADE_SHIFT) | first | second | third


@numba.njit(cache=True)
def evaluate7(cards: NDArray[np.integer]) -> int:
    """The strength of five to seven cards, for use within other kernels."""
    return evaluate_set(card_set(cards))


@numba.njit(cache=True)
def _evaluate_rows(cards: NDArray[np.integer], out: NDArray[np.int32]) -> None:
    for i in range(cards.shape[0]):
        held = np.uint64(0)
        for j in range(cards.shape[1]):
            held |= card_bit(cards[i, j])
        out[i] = evaluate_set(held)


def evaluate(cards: NDArray[np.integer]) -> NDArray[np.int32]:
    """The strengths of ``n`` hands, int32 ``(n,)``, from cards of shape ``(n, 5 … 7)``.

    Raises ValueError for another shape.
    """
    if cards.ndim != 2 or not 5 <= cards.shape[1] <= 7:
        raise ValueError(f"hands of shape {cards.shape}; (n, 5), (n, 6) or (n, 7) is needed")
    out = np.empty(len(cards), np.int32)
    _evaluate_rows(np.ascontiguousarray(cards), out)
    return out


def category(strength: int) -> str:
    """What kind of hand a strength is, e.g. ``two pair``."""
    return CATEGORIES[strength >> _CATEGORY_SHIFT]
