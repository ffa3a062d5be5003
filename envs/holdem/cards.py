"""Cards as integers: ``rank * 4 + suit``, rank 0 (deuce) … 12 (ace), suit 0 … 3 of ``cdhs``.

So 0 is 2c, 1 is 2d, 51 is As, and cards sort by rank. ``UNKNOWN`` (-1) stands for a card that is
not seen. Arrays of cards are int8.
"""

from __future__ import annotations

from collections.abc import Iterable

from arena.envs.errors import InputError

RANKS = "23456789TJQKA"
SUITS = "cdhs"
UNKNOWN = -1
NAMES = tuple(rank + suit for rank in RANKS for suit in SUITS)
_NUMBERS = {name: card for card, name in enumerate(NAMES)} | {"??": UNKNOWN}


def name(card: int) -> str:
    """The card's name: rank, then suit (``Td``); ``??`` for an unknown one."""
    return "??" if card == UNKNOWN else NAMES[card]


def names(cards: Iterable[int]) -> str:
    """The names of several cards, written together: ``AhKd``."""
    return "".join(name(int(card)) for card in cards)


def parse(text: str) -> list[int]:
    """The cards that ``text`` names (``AhKd``, spaces allowed), or InputError."""
    text = "".join(text.split())
    pairs = [text[i : i + 2] for i in range(0, len(text), 2)]
    for pair in pairs:
        if pair not in _NUMBERS:
            raise InputError(
                f"{pair!r} in {text!r} is not a card; write rank and suit, like Td or As"
            )
    return [_NUMBERS[pair] for pair in pairs]
