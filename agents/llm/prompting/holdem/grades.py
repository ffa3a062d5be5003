"""How good a Hold'em hand is, in a word: what a small language model cannot work out from cards."""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.scripted.preflop import CLASS_OF, percentile
from arena.envs.holdem.evaluator import card_bit, card_set, evaluate_set

Grades = tuple[tuple[float, str], ...]
"""Words with the number below which each holds; the last holds above, too."""

# Percent of hands that are stronger before the flop.
STARTING: Grades = (
    (0.4, "aces"), (1.5, "premium"), (2.8, "excellent"), (5, "great"), (7.5, "strong"),
    (11, "good"), (16, "decent"), (24, "fair"), (35, "poor"), (60, "weak"), (100, "trash"),
)  # fmt: skip
# Percent of hands that a made hand beats.
MADE: Grades = (
    (15, "nothing"), (30, "poor"), (45, "weak"), (58, "fair"), (68, "decent"), (77, "good"),
    (84, "strong"), (90, "great"), (95, "excellent"), (98.5, "monster"), (100, "nuts"),
)  # fmt: skip


def grade(value: float, grades: Grades) -> str:
    """The word for a number."""
    return next((word for limit, word in grades if value < limit), grades[-1][1])


def hand_grade(hole: Sequence[int], board: Sequence[int]) -> str:
    """The grade of two cards before the flop (no board), or of the hand that they make.

    Before the flop by ``preflop.percentile``; after it by the share of all hands that another can
    hold and that are weaker now, so that a draw counts for nothing.
    """
    if not len(board):
        return grade(100 * float(percentile()[CLASS_OF[hole[0], hole[1]]]), STARTING)
    return grade(100 * _beaten(np.array(hole), np.array(board)), MADE)


@numba.njit(cache=True)
def _beaten(hole: NDArray[np.int64], board: NDArray[np.int64]) -> float:
    """Which share of the hands that another can hold is weaker now; ties count one half."""
    table = card_set(board)
    known = table | card_set(hole)
    own = evaluate_set(known)
    weaker, hands = 0.0, 0
    for i in range(52):
        for j in range(i):
            if not known & (card_bit(i) | card_bit(j)):
                other = evaluate_set(table | card_bit(i) | card_bit(j))
                weaker += 1.0 if other < own else 0.5 if other == own else 0.0
                hands += 1
    return weaker / hands
