"""Hold'em in prompts: cards and hands by their names, and what a prompt says of the facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.agents.llm.prompting.holdem.grades import hand_grade
from arena.envs.holdem import cards
from arena.envs.holdem.evaluator import CATEGORIES, category, evaluate

_RANKS = (
    *("two", "three", "four", "five", "six", "seven", "eight"),
    *("nine", "ten", "jack", "queen", "king", "ace"),
)
_SUITS = ("clubs", "diamonds", "hearts", "spades")
_BOARDS = {"flop": (0, 3), "turn": (3, 4), "river": (4, 5)}


def card_in_words(card: int) -> str:
    """``king of spades``."""
    return f"{_RANKS[card // 4]} of {_SUITS[card % 4]}"


def in_words(dealt: Sequence[int]) -> str:
    """``king of spades and two of hearts``; ``none`` for no cards."""
    *some, last = [card_in_words(int(card)) for card in dealt] or ["none"]
    return f"{', '.join(some)} and {last}" if some else last


def features(hole: Sequence[int]) -> str:
    """What two cards have in common: ``pair``, or ``suited`` or not and ``connected`` or not.

    Connected cards are one rank apart; the ace stands above the king and below the two.
    """
    low, high = sorted(int(card) // 4 for card in hole)
    if low == high:
        return "a pair"
    suited = int(hole[0]) % 4 == int(hole[1]) % 4
    connected = high - low == 1 or (low, high) == (0, 12)
    return (
        f"{'suited' if suited else 'not suited'}, {'connected' if connected else 'not connected'}"
    )


def hand_rank(hole: Sequence[int], board: Sequence[int]) -> str:
    """The best hand so far by its name, e.g. ``two pair``; before the flop a pair or high card."""
    dealt = [int(card) for card in (*hole, *board)]
    if len(dealt) < 5:
        return CATEGORIES[dealt[0] // 4 == dealt[1] // 4]
    return category(int(evaluate(np.array([dealt], np.int8))[0]))


def fields(known: Mapping[str, Any]) -> dict[str, str]:
    """What a prompt can say of Hold'em's facts, for the seat that is to act.

    Beside facts as they are: ``cards``, ``cards_in_words``, ``features``, ``hand_rank``, ``grade``
    (see ``hand_grades``), ``board_in_words``, ``betting`` (a line a street) and ``story`` (the same
    with the board's cards in words).
    """
    hole, board = cards.parse(" ".join(known["hole"])), cards.parse(" ".join(known["board"]))
    told = {street: ", ".join(acts) for street, acts in known["decisions"].items()}
    story = [f"Before the flop: {told.get('pre-flop', 'nothing yet')}."]
    for name, (first, last) in _BOARDS.items():
        if len(board) >= last:
            acts = told.get(name, "nothing yet")
            story.append(f"The {name} brings the {in_words(board[first:last])}: {acts}.")
    return {
        "players": str(known["players"]),
        "big_blind": str(known["big_blind"]),
        "position": known["position"],
        "positions": ", ".join(known["positions"]),
        "cards": " ".join(known["hole"]),
        "cards_in_words": in_words(hole),
        "features": features(hole),
        "hand_rank": hand_rank(hole, board),
        "grade": hand_grade(hole, board),
        "street": known["street"],
        "board": " ".join(known["board"]) or "none",
        "board_in_words": in_words(board),
        "pot": known["pot"],
        "stacks": ", ".join(known["stacks"]),
        "posts": ", ".join(known["posts"]) or "none",
        "betting": "\n".join(f"{name}: {acts}" for name, acts in told.items()) or "none yet",
        "story": "\n".join(story),
        "to_call": known["to_call"],
    }
