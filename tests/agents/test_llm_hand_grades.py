"""How good a hand is, in a word, and a PokerBench row as named facts."""

from __future__ import annotations

import pytest

from arena.agents.llm.prompting.holdem.grades import hand_grade
from arena.envs.holdem import cards
from arena.evaluation.pokerbench.facts import facts
from arena.evaluation.pokerbench.rows import Row


@pytest.mark.parametrize(
    ("hole", "board", "grade"),
    [
        ("AhAd", "", "aces"),
        ("KhKd", "", "premium"),
        ("7h2d", "", "trash"),
        ("AhKh", "QhJhTh2c3d", "nuts"),
        ("2c3d", "AhKhQs9s8d", "nothing"),
        ("AhKd", "As7c2d", "monster"),
    ],
)
def test_a_hand_is_graded_by_the_hands_that_it_beats(hole: str, board: str, grade: str) -> None:
    assert hand_grade(cards.parse(hole), cards.parse(board)) == grade


def row(**more: object) -> Row:
    figures = {
        "source": "preflop", "number": 0, "street": "preflop", "position": "SB", "hole": "KdKc",
        "board": "", "pot": 117.0, "moves": ("call", "fold"), "answer": "call",
        "acts": ((
            ("UTG", "raise 2"), ("BTN", "call"), ("SB", "raise 13"), ("BB", "all-in"),
            ("UTG", "fold"), ("BTN", "fold"),
        ),),
    }  # fmt: skip
    return Row(**{**figures, **more})  # type: ignore[arg-type]


def test_facts_before_the_flop() -> None:
    assert facts(row()).startswith(
        "SB K K pair premium, four-bet all-in by BB, 0 calls, raised, 1 in, "
    )
    first = row(position="UTG", hole="7h2d", acts=((),), moves=("raise 2", "fold"))
    assert facts(first).startswith("UTG 7 2 offsuit trash, unopened, 0 calls, new, 0 in, ")


def test_facts_after_the_flop() -> None:
    flop = row(
        source="postflop", street="turn", position="BB", hole="Th9h", board="8h7h2cAs", pot=18.0,
        moves=("fold", "call", "raise 24"),
        acts=(
            (("BTN", "raise 2.5"), ("BB", "call")),
            (("BB", "check"), ("BTN", "bet 3"), ("BB", "call")),
            (("BB", "check"), ("BTN", "bet 7")),
        ),
    )  # fmt: skip
    told = facts(flop)
    assert told.startswith("turn OOP caller, high card ")
    assert ", flush draw 2, large bet, 1 raises, other before, medium pot, big size, " in told


def test_facts_do_not_tell_the_answer() -> None:
    assert facts(row(answer="fold")) == facts(row(answer="call"))
