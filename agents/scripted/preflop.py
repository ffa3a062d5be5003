"""Hold'em before the flop: the 169 classes of starting hands and their exact equities.

A class is numbered as in the usual 13 × 13 chart, ``13 * row + column`` with deuce 0 … ace 12: a
pair on the diagonal, a suited hand at (high, low), an offsuit one at (low, high).

``EQUITIES`` is read from a table beside this file that ``python -m arena.agents.scripted.preflop``
computes anew in half a minute. It enumerates all 2,598,960 boards, up to a permutation of the suits
134,459. On each it sorts the 1,081 hands that remain by strength, so that every class is compared
with all hands below it by one addition; pairs of hands that share a card are taken off again.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from math import comb
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.holdem.cards import RANKS
from arena.envs.holdem.evaluator import card_bit, evaluate_set

CLASSES = 169
_TABLE = Path(__file__).with_name("preflop_equities.npy")
_BOARDS = comb(48, 5)  # that two given hands can meet on


def _class_grid() -> NDArray[np.int64]:
    card = np.arange(52)
    rank, suit = card // 4, card % 4
    high, low = np.maximum.outer(rank, rank), np.minimum.outer(rank, rank)
    suited = np.equal.outer(suit, suit)
    return np.where(suited, 13 * high + low, 13 * low + high)


CLASS_OF = _class_grid()
"""The class of two cards, int64 ``(52, 52)``; on the diagonal it means nothing."""


def class_name(number: int) -> str:
    """A class as players write it: ``AKs``, ``T9o``, ``77``."""
    row, column = divmod(number, 13)
    if row == column:
        return RANKS[row] * 2
    return RANKS[max(row, column)] + RANKS[min(row, column)] + ("s" if row > column else "o")


def class_number(name: str) -> int:
    """The class that ``name`` (``AKs``, ``T9o``, ``77``) stands for."""
    return _NUMBERS[name]


_NUMBERS = {class_name(number): number for number in range(CLASSES)}


@cache
def meetings() -> NDArray[np.int64]:
    """In how many ways two classes can be dealt together: pairs of hands that share no card."""
    first, second = np.triu_indices(52, 1)
    member = np.zeros((CLASSES, 1326))  # floats, as integers are not multiplied by BLAS
    member[CLASS_OF[first, second], np.arange(1326)] = 1
    holds = np.zeros((52, 1326))
    holds[first, np.arange(1326)] = holds[second, np.arange(1326)] = 1
    apart = (holds.T @ holds == 0).astype(np.float64)
    counts: NDArray[np.int64] = (member @ apart @ member.T).astype(np.int64)
    return counts


@cache
def equities() -> NDArray[np.float64]:
    """The share of the pot that the row's class wins from the column's, all in, ``(169, 169)``."""
    above = np.load(_TABLE, allow_pickle=False).astype(np.float64)
    table = np.full((CLASSES, CLASSES), 0.5)
    rows, columns = np.triu_indices(CLASSES, 1)
    table[rows, columns] = above
    table[columns, rows] = 1 - above
    return table


@cache
def strength() -> NDArray[np.float64]:
    """Each class's equity against a random hand, float64 ``(169,)``."""
    return np.average(equities(), axis=1, weights=meetings())


@cache
def percentile() -> NDArray[np.float64]:
    """Which share of all 1,326 hands is of a stronger class, float64 ``(169,)``: 0 for aces."""
    order = np.argsort(-strength(), kind="stable")
    combinations = meetings().sum(axis=1) / comb(50, 2)
    out = np.empty(CLASSES)
    out[order] = (combinations[order].cumsum() - combinations[order]) / 1326
    return out


@numba.njit(cache=True)
def _distinct_boards(suits: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The boards that differ by more than a permutation of the suits, and how many each stands for.

    Of each kind the one is kept whose set of cards is the smallest number.
    """
    boards = np.empty((134_459, 5), np.int64)
    weights = np.empty(134_459, np.int64)
    n = 0
    for a in range(48):
        for b in range(a + 1, 49):
            for c in range(b + 1, 50):
                for d in range(c + 1, 51):
                    for e in range(d + 1, 52):
                        own = (1 << a) | (1 << b) | (1 << c) | (1 << d) | (1 << e)
                        alike = 0
                        for p in range(len(suits)):
                            image = 0
                            for card in (a, b, c, d, e):
                                image |= 1 << ((card & ~3) | suits[p, card & 3])
                            if image < own:
                                alike = 0
                                break
                            alike += image == own
                        if alike:
                            boards[n] = (a, b, c, d, e)
                            weights[n] = len(suits) // alike
                            n += 1
    return boards, weights


@numba.njit(cache=True)
def _count_points(
    boards: NDArray[np.int64], weights: NDArray[np.int64], class_of: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Two points a win and one a tie of the row's hands over the column's, on all ``boards``."""
    total = np.zeros((CLASSES, CLASSES), np.int64)
    points = np.empty((CLASSES, CLASSES), np.int32)
    below = np.empty(CLASSES, np.int32)  # hands of each class that are weaker
    worth = np.empty(CLASSES, np.int32)  # two for each of these, one for each equal hand
    cards = np.empty((1081, 2), np.int64)
    classes = np.empty(1081, np.int64)
    keys = np.empty(1081, np.int64)
    holders = np.empty((52, 46), np.int64)  # hands with a card, from the weakest up
    count = np.empty(52, np.int64)
    weaker = np.empty(52, np.int64)
    for board in range(len(boards)):
        dealt = np.uint64(0)
        for card in boards[board]:
            dealt |= card_bit(card)
        n = 0
        for i in range(52):
            for j in range(i):
                if not (card_bit(i) | card_bit(j)) & dealt:
                    cards[n] = (i, j)
                    classes[n] = class_of[i, j]
                    keys[n] = evaluate_set(dealt | card_bit(i) | card_bit(j)) << 11 | n
                    n += 1
        keys.sort()
        points[:] = 0
        below[:] = 0
        count[:] = 0
        start = 0
        while start < n:
            end = start
            worth[:] = below
            weaker[:] = count
            while end < n and keys[end] >> 11 == keys[start] >> 11:
                hand = keys[end] & 2047
                below[classes[hand]] += 1
                for card in cards[hand]:
                    holders[card, count[card]] = hand
                    count[card] += 1
                end += 1
            worth += below
            for key in keys[start:end]:
                hand = key & 2047
                row = points[classes[hand]]
                row += worth
                row[classes[hand]] -= 1  # the hand itself
                for card in cards[hand]:
                    for k in range(count[card]):
                        if holders[card, k] != hand:
                            row[classes[holders[card, k]]] -= 2 if k < weaker[card] else 1
            start = end
        total += weights[board] * points.astype(np.int64)
    return total


def enumerate_equities() -> NDArray[np.float64]:
    """``equities()`` from nothing but the evaluator, in half a minute."""
    suits = np.array(list(permutations(range(4))))
    return _count_points(*_distinct_boards(suits), CLASS_OF) / (2 * _BOARDS * meetings())


if __name__ == "__main__":
    np.save(_TABLE, enumerate_equities()[np.triu_indices(CLASSES, 1)].astype(np.float32))
