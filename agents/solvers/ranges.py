"""Ranges of hands as players write them: ``AA,AKs,QTo,88+,A5s-A2s,76s:0.5,AhKh``.

A range gives each of the 1,326 hands a weight from 0 to 1. Hands are numbered by their cards
(``envs.holdem.cards``), the lower card first: (0, 1), (0, 2), …, (50, 51).
"""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from arena.agents.scripted.preflop import CLASS_OF
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.cards import RANKS

HANDS = np.array(list(combinations(range(52), 2)))
"""The two cards of each hand, int64 ``(1326, 2)``."""

CLASSES = CLASS_OF[HANDS[:, 0], HANDS[:, 1]]
"""The class of each hand (``agents.scripted.preflop``), int64 ``(1326,)``."""

_HAND = re.compile(r"([2-9TJQKA])([2-9TJQKA])([so]?)(\+?)")
_SPAN = re.compile(r"([2-9TJQKA])([2-9TJQKA])([so]?)-([2-9TJQKA])([2-9TJQKA])([so]?)")
_CARDS = re.compile(r"([2-9TJQKA][cdhs])([2-9TJQKA][cdhs])")


def parse(text: str) -> NDArray[np.float64]:
    """The weights of a range, float64 ``(1326,)``; ``any`` and ``random`` are all hands.

    Raises:
        InputError: for a part that is not a hand, a weight outside of 0 to 1, or an empty range.
    """
    weights = np.zeros(len(HANDS))
    for part in filter(None, (part.strip() for part in text.split(","))):
        hands, _, weight = part.partition(":")
        weights[_hands(hands, part)] = _weight(weight, part)
    if not weights.any():
        raise InputError(f"range {text!r} holds no hand; write for example AA,AKs,88+,A5s-A2s")
    return weights


def _weight(text: str, part: str) -> float:
    if not text:
        return 1.0
    if not re.fullmatch(r"[0-9]*\.?[0-9]+", text, re.ASCII) or float(text) > 1:
        raise InputError(f"range: {part!r} has a weight that is not from 0 to 1")
    return float(text)


def _hands(text: str, part: str) -> NDArray[np.bool_]:
    if text in ("any", "random"):
        return np.ones(len(HANDS), np.bool_)
    if match := _CARDS.fullmatch(text):
        pair = sorted(cards.parse(match[1] + match[2]))
        if pair[0] == pair[1]:
            raise InputError(f"range: {part!r} has the same card twice")
        held: NDArray[np.bool_] = (HANDS[:, 0] == pair[0]) & (HANDS[:, 1] == pair[1])
        return held
    if match := _SPAN.fullmatch(text):
        first, last = match.groups()[:3], match.groups()[3:]
        return _in(_span(first, last, part))
    if match := _HAND.fullmatch(text):
        high, low, kind, more = match.groups()
        top = "A" if high == low else RANKS[RANKS.index(max(high, low, key=RANKS.index)) - 1]
        best = (top, top, kind) if high == low else (high, top, kind)
        return _in(_span((high, low, kind), best if more else (high, low, kind), part))
    raise InputError(f"range: {part!r} is not a hand; write for example AA, AKs, 88+, A5s-A2s")


def _span(first: tuple[str, ...], last: tuple[str, ...], part: str) -> list[tuple[int, int, str]]:
    """The hands from ``first`` to ``last``: pairs, or kickers of one high card."""
    (high, low), (other, end) = (
        sorted((a, b), key=RANKS.index)[::-1] for a, b in (first[:2], last[:2])
    )
    pair = high == low
    if first[2] != last[2] or pair != (other == end) or (not pair and high != other):
        raise InputError(f"range: {part!r} does not run from a hand to one of its kind")
    if pair and first[2]:
        raise InputError(f"range: {part!r}: a pair is neither suited nor offsuit")
    ranks = sorted((RANKS.index(low), RANKS.index(end)))
    kinds = [first[2]] if first[2] or pair else ["s", "o"]
    return [
        (rank if pair else RANKS.index(high), rank, kind)
        for rank in range(ranks[0], ranks[1] + 1)
        for kind in kinds
    ]


def _in(classes: list[tuple[int, int, str]]) -> NDArray[np.bool_]:
    # As CLASS_OF has it: suited hands at (high, low), offsuit ones at (low, high).
    numbers = [13 * low + high if kind == "o" else 13 * high + low for high, low, kind in classes]
    return np.isin(CLASSES, numbers)


def grid(weights: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of ``values`` over each class's hands, weighted, float64 ``(13, 13)``; NaN if none.

    Rows and columns run from the ace down, suited hands above the diagonal: the usual chart.
    """
    total = np.bincount(CLASSES, weights, 169)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(CLASSES, weights * values, 169) / total
    return mean.reshape(13, 13)[::-1, ::-1]
