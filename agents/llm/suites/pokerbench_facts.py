"""A PokerBench row as named facts in one line, as PokerGPT tells a model what a hand amounts to.

Numbers that take arithmetic or card sense (the price of a call, the share of hands that are beaten,
equities) are worked out, so that a small model need not. All of it follows from what the row shows
of the situation; the answer and its size among the moves are not looked at (arXiv:2401.06781,
section 3, has the idea).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from agents.llm import poker_words
from agents.scripted.equity import sample_equities
from agents.scripted.preflop import CLASS_OF, class_name, percentile
from envs import seeding
from envs.holdem import cards
from envs.holdem.evaluator import card_bit, card_set, evaluate_set

if TYPE_CHECKING:
    from agents.llm.suites.pokerbench import Row

_BLINDS = {"SB": 0.5, "BB": 1.0}
_STACK = 100.0
_SAMPLES = 400


def facts(row: Row) -> str:
    """The facts of a row, ``name=value`` or a word each.

    Before the flop: seat, hand, ``top`` (how many percent of hands are stronger), ``raises`` (with
    the last one's seat and size), ``calls`` of it, ``own`` raises, ``pot``, ``need``, how many
    opponents it is ``against`` (who are in by their own will) and ``equity``.

    After it: street, whether in position, whether it raised before the flop, ``pot`` and ``bet``
    to call in chips, ``need``, ``raises`` on this street, who bet or raised ``last`` on the street
    before, made hand, ``beats`` (percent of all hands that are weaker now), ``equity`` against any
    hand and against the best of two good ones, ``suits`` (most cards of one suit, with the hand's
    help and on the board), and the ``size`` of the largest bet offered, in percent of the pot.

    ``need`` is the equity in percent from which a call pays.
    """
    return _before_flop(row) if row.source == "preflop" else _after_flop(row)


def _before_flop(row: Row) -> str:
    bets, level = dict(_BLINDS), 1.0
    raisers: list[tuple[str, float]] = []
    calls, folded = 0, set()
    for seat, move in row.acts[0]:
        if move == "fold":
            folded.add(seat)
        elif move == "call":
            bets[seat] = level
            calls += 1
        elif move != "check":
            level = _size(move)
            bets[seat] = level
            raisers.append((seat, level))
            calls = 0
    seats = [seat for seat, _ in raisers]
    opponents = dict.fromkeys(s for s, _ in row.acts[0] if s not in folded and s != row.position)
    owed = level - bets.get(row.position, 0.0)
    # Who has raised is taken to hold the best of as many hands, and one more who has called.
    ranges = [(1 + 2 * seats.count(s) + (s not in seats), 1) for s in opponents] or [(1, 1)]
    pot = sum(bets.values())
    hole = cards.parse(row.hole)
    own = int(CLASS_OF[hole[0], hole[1]])
    last = f" {seats[-1]} {raisers[-1][1]:g}" if raisers else ""
    return (
        f"{row.position} {class_name(own)} top={100 * percentile()[own]:.0f} "
        f"raises={len(raisers)}{last} calls={calls} own={seats.count(row.position)} "
        f"pot={pot:g} need={_need(owed, pot)} against={len(opponents)} "
        f"equity={_equity(hole, [], ranges)}"
    )


def _after_flop(row: Row) -> str:
    opening, *streets = row.acts
    seats = sorted({seat for seat, _ in opening}, key=("SB", "BB", "UTG", "HJ", "CO", "BTN").index)
    openers = [seat for seat, move in opening if move not in ("call", "fold", "check")]
    now = streets[-1]
    raises = [(seat, _size(move)) for seat, move in now if move.startswith(("bet", "raise"))]
    bets = dict.fromkeys(seats, 0.0) | dict(raises)  # the last raise of each counts
    owed = max(bets.values()) - bets[row.position]
    before = [
        seat
        for seat, move in (streets[-2] if len(streets) > 1 else ())
        if move.startswith(("bet", "raise"))
    ]
    last = "none" if not before else "own" if before[-1] == row.position else "other"
    hole, board = cards.parse(row.hole), cards.parse(row.board)
    any_hand, good_hand = (_equity(hole, board, [rated]) for rated in ((1, 1), (3, 2)))
    suits = [card % 4 for card in board]
    most = max(suits.count(suit) for suit in suits)
    helped = max(suits.count(c % 4) + sum(d % 4 == c % 4 for d in hole) for c in hole)
    offered = [_size(move) for move in row.moves if move.startswith(("bet", "raise"))]
    size = f" size={100 * max(offered) / row.pot:.0f}" if offered else ""
    return (
        f"{row.street} {'IP' if row.position == seats[-1] else 'OOP'} "
        f"{'raiser' if openers and openers[-1] == row.position else 'caller'} "
        f"pot={row.pot:g} bet={owed:g} need={_need(owed, row.pot)} raises={len(raises)} "
        f"last={last} {poker_words.hand_rank(hole, board)} "
        f"beats={100 * _beaten(np.array(hole), np.array(board)):.0f} "
        f"equity={any_hand}/{good_hand} suits={helped}/{most}{size}"
    )


def _size(move: str) -> float:
    return _STACK if move == "all-in" else float(move.partition(" ")[2])


def _need(owed: float, pot: float) -> str:
    return f"{100 * owed / (pot + owed):.0f}"


def _equity(hole: list[int], board: list[int], ranges: list[tuple[int, int]]) -> str:
    """Equity in percent; the cards decide the sample, so that a row always reads the same."""
    seed = seeding.derive("pokerbench", cards.names(hole), cards.names(board), *map(str, ranges))
    shown = np.array([board + [cards.UNKNOWN] * (5 - len(board))], np.int8)
    estimate = sample_equities(
        np.array([hole], np.int8),
        shown,
        np.array([ranges], np.int64),
        np.array([seed], np.uint64),
        _SAMPLES,
    )
    return f"{100 * estimate[0]:.0f}"


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
