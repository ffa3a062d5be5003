"""Hold'em in prompts: cards and hands by their names, and the parts of the game's text face."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from arena.agents.llm.hand_grades import hand_grade
from arena.envs.holdem import cards
from arena.envs.holdem.evaluator import CATEGORIES, category, evaluate

_RANKS = (
    *("two", "three", "four", "five", "six", "seven", "eight"),
    *("nine", "ten", "jack", "queen", "king", "ace"),
)
_SUITS = ("clubs", "diamonds", "hearts", "spades")
_BOARDS = {"flop": (0, 3), "turn": (3, 4), "river": (4, 5)}

_HEAD = re.compile(r"(\d+) players, hand .*; one is (\d+) chips\.")
_SEAT = re.compile(r"^You are (\S+) and hold (.+)\.$", re.MULTILINE)
_STREET = re.compile(r"^Street: ([a-z-]+)(?:: (.+?))?\. Pot: (.+)\.$", re.MULTILINE)
_STACKS = re.compile(r"^Stacks: (.+)\.$", re.MULTILINE)
_POSTS = re.compile(r"^Posts: (.+)\.$", re.MULTILINE)
_TOLD = re.compile(r"^(Pre-flop|Flop|Turn|River): (.+)\.$", re.MULTILINE)
_OWED = re.compile(r"^It is your turn; to call: (.+)\.$", re.MULTILINE)


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


def read_face(text: str) -> dict[str, str]:
    """The parts of ``arena.envs.holdem.text.observation`` by name, for the seat that is to act.

    ``players``, ``big_blind`` (in chips), ``position``, ``positions``, ``cards``,
    ``cards_in_words``, ``features``, ``hand_rank``, ``grade`` (see ``hand_grades``), ``street``,
    ``board``, ``board_in_words``, ``pot``, ``stacks``, ``posts``, ``betting`` (a line a street),
    ``story`` (the same with the board's cards in words) and ``to_call``. Amounts are in big blinds.
    """
    head, seat, street = _HEAD.search(text), _SEAT.search(text), _STREET.search(text)
    stacks, posts, owed = _STACKS.search(text), _POSTS.search(text), _OWED.search(text)
    if not (head and seat and street and stacks and posts and owed):
        raise ValueError(f"this is no Hold'em observation of a seat that is to act: {text!r}")
    hole, board = cards.parse(seat[2]), cards.parse(street[2] or "")
    told = {name.lower(): acts for name, acts in _TOLD.findall(text)}
    story = [f"Before the flop: {told.get('pre-flop', 'nothing yet')}."]
    for name, (first, last) in _BOARDS.items():
        if len(board) >= last:
            acts = told.get(name, "nothing yet")
            story.append(f"The {name} brings the {in_words(board[first:last])}: {acts}.")
    return {
        "players": head[1],
        "big_blind": head[2],
        "position": seat[1],
        "positions": ", ".join(one.split()[0] for one in _outer_commas(stacks[1])),
        "cards": seat[2],
        "cards_in_words": in_words(hole),
        "features": features(hole),
        "hand_rank": hand_rank(hole, board),
        "grade": hand_grade(hole, board),
        "street": street[1],
        "board": street[2] or "none",
        "board_in_words": in_words(board),
        "pot": street[3],
        "stacks": stacks[1],
        "posts": posts[1],
        "betting": "\n".join(f"{name}: {acts}" for name, acts in told.items()) or "none yet",
        "story": "\n".join(story),
        "to_call": owed[1],
    }


def _outer_commas(text: str) -> list[str]:
    """The items between those commas that stand in no brackets."""
    return re.split(r", (?![^(]*\))", text)
