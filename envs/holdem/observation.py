"""What a seat sees, written into arrays. Amounts are in big blinds.

An observation is one row of two arrays, ``codes`` (int8: cards, seats, flags) and ``amounts``
(float32), and its named parts are slices of them. So a kernel writes a row in one go, and a network
that wants numbers side by side has them.
"""

from __future__ import annotations

from functools import cache
from itertools import accumulate
from math import prod
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs.holdem.cards import UNKNOWN
from arena.envs.holdem.episode import MAX_LEVELS
from arena.envs.holdem.rules import BOARD_CARDS, HISTORY, Hand, compiled, has, inlined, to_call

WINDOW = 64  # how many of a hand's last decisions are shown
_BOARD_CARDS = np.array(BOARD_CARDS)
_MOST_DECISIONS = 127  # where their count stops, lest it leave int8

Codes = NDArray[np.int8]
Amounts = NDArray[np.float32]

# Where in a row the parts begin that come before those with an axis of seats.
_HOLE, _BOARD, _STREET, _BUTTON, _ACTOR, _DECISIONS, _LEVEL, _LIVE = 0, 2, 7, 8, 9, 10, 11, 12
_POT, _TO_CALL, _MIN_RAISE, _MAX_RAISE, _BIG_BLIND = 0, 1, 2, 3, 4
_HANDS_LEFT, _LEVEL_HANDS, _NEXT_STAKES, _STACKS = 5, 6, 7, 10


class Part(NamedTuple):
    """A named part of an observation; seats are counted clockwise from the observer."""

    name: str
    shape: tuple[int, ...]
    low: float
    high: float


@cache
def code_parts(seats: int) -> tuple[Part, ...]:
    """The parts of ``codes``, in order."""
    return (
        Part("hole", (2,), UNKNOWN, 51),
        Part("board", (5,), UNKNOWN, 51),
        Part("street", (1,), 0, 3),
        Part("button", (1,), 0, seats - 1),
        Part("actor", (1,), -1, seats - 1),
        Part("decisions", (1,), 0, _MOST_DECISIONS),
        Part("level", (1,), 0, MAX_LEVELS - 1),
        Part("live", (seats,), 0, 1),
        Part("all_in", (seats,), 0, 1),
        Part("away", (seats,), 0, 1),
        Part("history", (WINDOW, 3), 0, max(seats - 1, 5)),
    )


@cache
def amount_parts(seats: int) -> tuple[Part, ...]:
    """The parts of ``amounts``, in order."""
    return (
        Part("pot", (1,), 0, np.inf),
        Part("to_call", (1,), 0, np.inf),
        Part("min_raise", (1,), 0, np.inf),
        Part("max_raise", (1,), 0, np.inf),
        Part("big_blind", (1,), 0, np.inf),
        Part("hands_left", (1,), 0, np.inf),
        Part("level_hands", (1,), 0, np.inf),
        Part("next_stakes", (3,), 0, np.inf),
        Part("stacks", (seats,), 0, np.inf),
        Part("bets", (seats,), 0, np.inf),
        Part("committed", (seats,), 0, np.inf),
        Part("history_amount", (WINDOW,), 0, np.inf),
    )


def observation_space(seats: int) -> gymnasium.spaces.Dict:
    """The space of one observation at a table of ``seats``."""
    groups = ((code_parts(seats), np.int8), (amount_parts(seats), np.float32))
    return gymnasium.spaces.Dict(
        {
            part.name: gymnasium.spaces.Box(part.low, part.high, part.shape, dtype)
            for parts, dtype in groups
            for part in parts
        }
    )


class View:
    """``n`` observations at tables of ``seats``, to be written and written again.

    Attributes:
        codes: int8 ``(n, …)``.
        amounts: float32 ``(n, …)``.
        parts: the observation by name, parts of the two.
    """

    def __init__(self, n: int, seats: int) -> None:
        self.codes: Codes = np.zeros((n, _width(code_parts(seats))), np.int8)
        self.amounts: Amounts = np.zeros((n, _width(amount_parts(seats))), np.float32)
        self.parts: dict[str, NDArray[Any]] = {
            name: rows[:, cut].reshape(n, *shape)
            for rows, parts in ((self.codes, code_parts), (self.amounts, amount_parts))
            for name, cut, shape in _cuts(parts(seats))
        }


def _width(parts: tuple[Part, ...]) -> int:
    return sum(prod(part.shape) for part in parts)


@cache
def _cuts(parts: tuple[Part, ...]) -> tuple[tuple[str, slice, tuple[int, ...]], ...]:
    """Where in a row each part lies."""
    ends = list(accumulate(prod(part.shape) for part in parts))
    return tuple(
        (part.name, slice(end - prod(part.shape), end), part.shape)
        for part, end in zip(parts, ends, strict=True)
    )


@inlined
def write_row(hand: Hand, seat: int, codes: Codes, amounts: Amounts, row: int) -> None:
    """Write what ``seat`` sees into row ``row``; nothing here reads another seat's cards."""
    seats = hand.seats
    unit = np.float32(1.0 / hand.big_blind)
    codes[row, _HOLE] = hand.deck[2 * seat]
    codes[row, _HOLE + 1] = hand.deck[2 * seat + 1]
    seen = _BOARD_CARDS[hand.street]
    for i in range(5):
        codes[row, _BOARD + i] = hand.deck[2 * seats + i] if i < seen else UNKNOWN
    codes[row, _STREET] = hand.street
    codes[row, _BUTTON] = clockwise(hand, seat, hand.button)
    codes[row, _ACTOR] = -1 if hand.actor < 0 else clockwise(hand, seat, hand.actor)
    at = seat
    for i in range(seats):
        codes[row, _LIVE + i] = has(hand.live, at)
        codes[row, _LIVE + seats + i] = has(hand.live & ~hand.solvent, at)
        codes[row, _LIVE + 2 * seats + i] = has(hand.away, at)
        amounts[row, _STACKS + i] = unit * np.float32(hand.stacks[at])
        amounts[row, _STACKS + seats + i] = unit * np.float32(hand.bets[at])
        amounts[row, _STACKS + 2 * seats + i] = unit * np.float32(hand.committed[at])
        at += 1
        if at == seats:
            at = 0
    amounts[row, _POT] = unit * np.float32(hand.pot)
    amounts[row, _BIG_BLIND] = np.float32(hand.big_blind)
    codes[row, _LEVEL] = hand.stage
    amounts[row, _HANDS_LEFT] = np.float32(max(hand.hands - hand.number - 1, 0))
    amounts[row, _LEVEL_HANDS] = np.float32(hand.stage_hands)
    for i in range(3):
        amounts[row, _NEXT_STAKES + i] = unit * np.float32(hand.next_stakes[i])
    amounts[row, _TO_CALL] = 0
    amounts[row, _MIN_RAISE] = 0
    amounts[row, _MAX_RAISE] = 0
    if hand.actor == seat:
        amounts[row, _TO_CALL] = unit * np.float32(min(to_call(hand, seat), hand.stacks[seat]))
        amounts[row, _MIN_RAISE] = unit * np.float32(hand.min_raise)
        amounts[row, _MAX_RAISE] = unit * np.float32(hand.max_raise)
    write_history(hand, seat, unit, codes, _LIVE + 3 * seats, amounts, _STACKS + 3 * seats, row)


@inlined
def write_history(
    hand: Hand,
    seat: int,
    unit: np.float32,
    codes: Codes,
    code: int,
    amounts: Amounts,
    amount: int,
    row: int,
) -> None:
    """Write the hand's last decisions, oldest first, and clear the rest of an older, longer list.

    ``code`` and ``amount`` are where the list begins in the two rows.
    """
    shown = min(hand.decisions, WINDOW)
    at = hand.decisions - shown
    for i in range(max(shown, min(codes[row, _DECISIONS], WINDOW))):
        kept = i < shown
        entry = (at + i) & (HISTORY - 1)
        codes[row, code] = clockwise(hand, seat, hand.history_seat[entry]) if kept else 0
        codes[row, code + 1] = hand.history_street[entry] if kept else 0
        codes[row, code + 2] = hand.history_kind[entry] if kept else 0
        amounts[row, amount] = unit * np.float32(hand.history_amount[entry]) if kept else 0
        code += 3
        amount += 1
    codes[row, _DECISIONS] = min(hand.decisions, _MOST_DECISIONS)


@compiled
def clockwise(hand: Hand, start: int, seat: int) -> int:
    """How many seats ``seat`` is clockwise from ``start``."""
    return seat - start if seat >= start else seat - start + hand.seats
