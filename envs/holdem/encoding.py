"""An observation as one float32 vector, for networks: what the Gymnasium faces show.

It holds all that a seat sees and nothing else. With ``S`` seats, in this order:

==================  ============  =================================================================
part                length        content
==================  ============  =================================================================
hole, board         7 x (13 + 4)  each card's rank (deuce first) and suit (c d h s), one-hot; all
                                  zero where it is not dealt. The higher hole card comes first.
street              4             one-hot
button              S             one-hot
live, all-in, away  3 x S         flags
stacks, bets, in    3 x S         log(1 + amount): behind, put in on this street, in this hand
pot, to call        2             log(1 + amount)
least, most raise   2             log(1 + amount): totals for the street, 0 where none is legal
clock               6             log(1 + value): hands left after this one, level, hands until the
                                  blinds rise, and to what: small blind, big blind, ante
history             64 x (S + 10) each of the last 64 decisions of the hand, oldest first: seat,
                                  street and kind (fold, check, call, bet, raise) one-hot, and
                                  log(1 + the seat's total for the street)
==================  ============  =================================================================

Amounts are in big blinds. Seats are counted clockwise from the observer.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import gymnasium
import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.game import Ints, Observation
from arena.envs.holdem.observation import WINDOW, View
from arena.envs.vectors import Vector

_CARD = 13 + 4
_KINDS = 5
_GROUP = 4  # decisions
_MOST = math.log1p(2.0**40)  # no stack has more chips


def size(seats: int) -> int:
    """The length of the vector at a table of ``seats``."""
    return 7 * _CARD + 4 + 7 * seats + 4 + 6 + WINDOW * (seats + 4 + _KINDS + 1)


class HoldemVector(Vector):
    """``Holdem.vector`` at a table of ``seats``."""

    def __init__(self, seats: int) -> None:
        self.space = gymnasium.spaces.Box(0.0, np.float32(_MOST), (size(seats),), np.float32)
        self._seats = seats
        self._scratch = View(0, seats)

    def __call__(self, observation: Observation) -> NDArray[np.float32]:
        """The vectors of a batch of ``n`` observations of Hold'em, float32 ``(n, size)``."""
        return encode(observation)

    def of(self, tables: Any, at: Ints, seats: Ints) -> NDArray[np.float32]:
        """See ``Vector``; by way of arrays that are written again and again."""
        if len(self._scratch.codes) < len(at):
            self._scratch = View(len(at), self._seats)
        tables.observe_into(self._scratch, at, seats)
        return encode({name: part[: len(at)] for name, part in self._scratch.parts.items()})


def encode(observation: Observation) -> NDArray[np.float32]:
    """The vectors of a batch of ``n`` observations of Hold'em, float32 ``(n, size)``."""
    n, seats = observation["stacks"].shape
    out = np.empty((n, size(seats)), np.float32)
    encode_into(observation, out)
    return out


def encode_into(observation: Observation, out: NDArray[np.float32]) -> None:
    """Write the vectors into the rows of ``out``, float32 ``(n, columns)``.

    ``columns`` may be fewer than ``size``: ``columns_in_use`` or more.
    """
    parts = _Parts(**{name: observation[name] for name in _Parts._fields})
    _encode(parts, out)


def columns_in_use(observation: Observation) -> int:
    """How many columns come before those that are zero in all rows: few hands are long.

    Rounded up to whole groups of decisions: few shapes occur, which a network's kernels like.
    """
    seats = int(observation["stacks"].shape[1])
    groups = -(-int(observation["decisions"].max(initial=0)) // _GROUP)
    longest = min(groups * _GROUP, WINDOW)
    return size(seats) - (WINDOW - longest) * (seats + 4 + _KINDS + 1)


class _Parts(NamedTuple):
    """The parts of an observation that the vector holds."""

    hole: NDArray[Any]
    board: NDArray[Any]
    street: NDArray[Any]
    button: NDArray[Any]
    decisions: NDArray[Any]
    live: NDArray[Any]
    all_in: NDArray[Any]
    away: NDArray[Any]
    level: NDArray[Any]
    hands_left: NDArray[Any]
    level_hands: NDArray[Any]
    next_stakes: NDArray[Any]
    history: NDArray[Any]
    pot: NDArray[Any]
    to_call: NDArray[Any]
    min_raise: NDArray[Any]
    max_raise: NDArray[Any]
    stacks: NDArray[Any]
    bets: NDArray[Any]
    committed: NDArray[Any]
    history_amount: NDArray[Any]


@numba.njit(cache=True, inline="always")
def _write_card(row: NDArray[np.float32], at: int, card: int) -> None:
    if card >= 0:
        row[at + (card >> 2)] = 1
        row[at + 13 + (card & 3)] = 1


@numba.njit(cache=True)
def _encode(view: _Parts, out: NDArray[np.float32]) -> None:
    seats = view.stacks.shape[1]
    for i in range(len(out)):
        row = out[i]
        row[:] = 0
        high, low = max(view.hole[i]), min(view.hole[i])
        _write_card(row, 0, high)
        _write_card(row, _CARD, low)
        for j in range(5):
            _write_card(row, (2 + j) * _CARD, view.board[i, j])
        at = 7 * _CARD
        row[at + view.street[i, 0]] = 1
        at += 4
        row[at + view.button[i, 0]] = 1
        at += seats
        for s in range(seats):
            row[at + s] = view.live[i, s]
            row[at + seats + s] = view.all_in[i, s]
            row[at + 2 * seats + s] = view.away[i, s]
            row[at + 3 * seats + s] = math.log1p(view.stacks[i, s])
            row[at + 4 * seats + s] = math.log1p(view.bets[i, s])
            row[at + 5 * seats + s] = math.log1p(view.committed[i, s])
        at += 6 * seats
        row[at] = math.log1p(view.pot[i, 0])
        row[at + 1] = math.log1p(view.to_call[i, 0])
        row[at + 2] = math.log1p(view.min_raise[i, 0])
        row[at + 3] = math.log1p(view.max_raise[i, 0])
        at += 4
        row[at] = math.log1p(view.hands_left[i, 0])
        row[at + 1] = math.log1p(view.level[i, 0])
        row[at + 2] = math.log1p(view.level_hands[i, 0])
        for k in range(3):
            row[at + 3 + k] = math.log1p(view.next_stakes[i, k])
        at += 6
        for k in range(min(view.decisions[i, 0], WINDOW)):
            row[at + view.history[i, k, 0]] = 1
            row[at + seats + view.history[i, k, 1]] = 1
            row[at + seats + 4 + view.history[i, k, 2] - 1] = 1
            row[at + seats + 4 + _KINDS] = math.log1p(view.history_amount[i, k])
            at += seats + 4 + _KINDS + 1
