"""A PokerBench row as named facts in one line, as PokerGPT tells a model what a hand amounts to.

What takes arithmetic or card sense (the price of a call, the share of hands that are beaten, the
equity) is worked out and said in words of a few grades, so that a small model need not work it out
and learns from few rows: it reads ``great`` faster than ``87``. All of it follows from what the row
shows of the situation; the solver's answer is not looked at. (PokerGPT, arXiv:2401.06781, section
3.2, has the idea; the grades are ours.)

Before the flop: seat, ranks, pair, suited or offsuit, and the hand's grade among all; how often it
was raised and by whom last; calls of it; whether one has raised or called before; how many are in
beside one; the grade of the equity less the price of a call.

After it: street, position, whether one raised last before the flop; the made hand and its grade
(the share of all hands that it beats); the draw to a flush, and the most cards of a suit on the
board; the bet to call by its share of the pot; raises on this street; who bet last on the street
before; the pot; the largest size on offer by its share of the pot; equity less the price, against
a good hand and against any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from arena.agents.llm.prompting.holdem import words as poker_words
from arena.agents.llm.prompting.holdem.grades import Grades, grade, hand_grade
from arena.agents.scripted.equity import sample_equities
from arena.agents.scripted.preflop import CLASS_OF, class_name
from arena.envs import seeding
from arena.envs.holdem import cards

if TYPE_CHECKING:
    from arena.evaluation.pokerbench.rows import Row

# Points of equity above what a call needs.
_MARGIN: Grades = (
    (-25, "hopeless"), (-15, "bad"), (-8, "negative"), (-2, "short"), (4, "even"),
    (10, "positive"), (18, "favourable"), (28, "clear"), (100, "huge"),
)  # fmt: skip
# Percent of the pot: of the bet to call, of the largest bet or raise on offer.
_BET: Grades = (
    (1, "no"), (22, "tiny"), (36, "small"), (55, "half"), (80, "large"), (120, "pot"),
    (1000, "huge"),
)  # fmt: skip
_OFFER: Grades = (
    (40, "tiny"), (60, "half"), (85, "large"), (120, "pot"), (180, "big"), (260, "huge"),
    (1000, "vast"),
)  # fmt: skip
# Chips.
_POT: Grades = (
    (7, "tiny"), (12, "small"), (20, "medium"), (35, "large"), (60, "big"), (100, "huge"),
    (200, "giant"),
)  # fmt: skip
_RAISES = ("unopened", "open", "three-bet", "four-bet", "five-bet")

_BLINDS = {"SB": 0.5, "BB": 1.0}
_ACTING = ("SB", "BB", "UTG", "HJ", "CO", "BTN")  # the order after the flop
_STACK = 100.0
_SAMPLES = 400


def facts(row: Row) -> str:
    """The facts of a row."""
    return _before_flop(row) if row.source == "preflop" else _after_flop(row)


def _before_flop(row: Row) -> str:
    bets, level = dict(_BLINDS), 1.0
    raisers: list[str] = []
    calls, folded = 0, set()
    for seat, move in row.acts[0]:
        if move == "fold":
            folded.add(seat)
        elif move == "call":
            bets[seat] = level
            calls += 1
        elif move != "check":
            level = bets[seat] = _size(move)
            raisers.append(seat)
            calls = 0
    acted = {seat for seat, _ in row.acts[0]}
    opponents = [seat for seat in _ACTING if seat in acted - folded - {row.position}]
    # The later a raise, the better the hand of who made it: the best before the flop of so many.
    last = {seat: number for number, seat in enumerate(raisers, 1)}
    ranges = [(6 * last[seat] if seat in last else 3, 1) for seat in opponents] or [(1, 1)]
    hole = cards.parse(row.hole)
    own = int(CLASS_OF[hole[0], hole[1]])
    name = class_name(own)
    kind = "pair" if len(name) == 2 else "suited" if name[2] == "s" else "offsuit"
    history = _RAISES[min(len(raisers), len(_RAISES) - 1)]
    if calls and not raisers:
        history = "limped"
    if level == _STACK:
        history += " all-in"
    if raisers:
        history += f" by {raisers[-1]}"
    before = "raised" if row.position in last else "called" if row.position in acted else "new"
    price = _price(level - bets.get(row.position, 0.0), sum(bets.values()))
    return (
        f"{row.position} {name[0]} {name[1]} {kind} {hand_grade(hole, [])}, "
        f"{history}, {calls} calls, {before}, {len(opponents)} in, "
        f"{grade(_equity(hole, [], ranges) - price, _MARGIN)}"
    )


def _after_flop(row: Row) -> str:
    opening, *streets = row.acts
    seats = sorted({seat for seat, _ in opening}, key=_ACTING.index)
    openers = [seat for seat, move in opening if move not in ("call", "fold", "check")]
    now = _bets(streets[-1])
    before = _bets(streets[-2]) if len(streets) > 1 else []
    last = "none" if not before else "own" if before[-1][0] == row.position else "other"
    put = dict.fromkeys(seats, 0.0) | dict(now)  # the last bet of each counts
    owed = max(put.values()) - put[row.position]
    hole, board = cards.parse(row.hole), cards.parse(row.board)
    # With nothing to call an even share is the measure.
    price = _price(owed, row.pot) if owed else 50.0
    good, any_hand = (
        grade(_equity(hole, board, [held]) - price, _MARGIN) for held in ((3, 2), (1, 1))
    )
    offered = [size for _, size in _bets((row.position, move) for move in row.moves)]
    offer = f", {grade(100 * max(offered) / row.pot, _OFFER)} size" if offered else ""
    return (
        f"{row.street} {'IP' if row.position == seats[-1] else 'OOP'} "
        f"{'raiser' if openers and openers[-1] == row.position else 'caller'}, "
        f"{poker_words.hand_rank(hole, board)} {hand_grade(hole, board)}, "
        f"{_suits(row.street, hole, board)}, "
        f"{grade(100 * owed / max(row.pot - owed, 1.0), _BET)} bet, {len(now)} raises, "
        f"{last} before, {grade(row.pot, _POT)} pot{offer}, {good} {any_hand}"
    )


def _size(move: str) -> float:
    return _STACK if move == "all-in" else float(move.partition(" ")[2])


def _bets(acts: Iterable[tuple[str, str]]) -> list[tuple[str, float]]:
    return [(seat, _size(move)) for seat, move in acts if move.startswith(("bet", "raise"))]


def _price(owed: float, pot: float) -> float:
    """The equity in percent from which a call pays."""
    return 100 * owed / (pot + owed)


def _suits(street: str, hole: Sequence[int], board: Sequence[int]) -> str:
    on_board = [card % 4 for card in board]
    own = [card % 4 for card in hole]
    most = max(on_board.count(suit) for suit in on_board)
    held = max(on_board.count(suit) + own.count(suit) for suit in own)
    draw = "flush" if held >= 5 else "flush draw" if held == 4 and street != "river" else "no draw"
    return f"{draw} {most}"


def _equity(hole: list[int], board: list[int], ranges: list[tuple[int, int]]) -> int:
    """Equity in whole percent; the cards decide the sample, so that a row always reads the same."""
    seed = seeding.derive("pokerbench", cards.names(hole), cards.names(board), *map(str, ranges))
    estimate = sample_equities(
        np.array([hole], np.int8),
        np.array([board + [cards.UNKNOWN] * (5 - len(board))], np.int8),
        np.array([ranges], np.int64),
        np.array([seed], np.uint64),
        _SAMPLES,
    )
    return round(100 * float(estimate[0]))
