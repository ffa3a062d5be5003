"""What a seat sees, written into arrays, and the menu of actions. All amounts in big blinds."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium
import numba
import numpy as np
from numpy.typing import NDArray

from envs.holdem.cards import UNKNOWN
from envs.holdem.episode import Config
from envs.holdem.rules import (
    CALL,
    FOLD,
    HISTORY,
    ILLEGAL,
    Hand,
    has,
    raise_bounds,
    to_call,
)

WINDOW = 64  # decisions of the hand that an observation shows
BOARD_CARDS = (0, 3, 4, 5)  # by street

Float32s = NDArray[np.float32]
Int8s = NDArray[np.int8]


class View(NamedTuple):
    """The arrays of a batch of ``n`` observations; the first axis is the turn.

    Arrays with a seat axis begin with the observer and go on clockwise.
    """

    hole: Int8s  # (n, 2)
    board: Int8s  # (n, 5)
    street: Int8s  # (n, 1)
    button: Int8s  # (n, 1)
    actor: Int8s  # (n, 1)
    live: Int8s  # (n, seats)
    all_in: Int8s  # (n, seats)
    stacks: Float32s  # (n, seats)
    bets: Float32s  # (n, seats)
    committed: Float32s  # (n, seats)
    pot: Float32s  # (n, 1)
    to_call: Float32s  # (n, 1)
    min_raise: Float32s  # (n, 1)
    max_raise: Float32s  # (n, 1)
    big_blind: Float32s  # (n, 1)
    decisions: NDArray[np.int16]  # (n, 1)
    history: Int8s  # (n, WINDOW, 3)
    history_amount: Float32s  # (n, WINDOW)


def _shapes(seats: int) -> dict[str, tuple[tuple[int, ...], type, float, float]]:
    chips = (np.float32, 0.0, np.inf)
    flag = (np.int8, 0, 1)
    return {
        "hole": ((2,), np.int8, UNKNOWN, 51),
        "board": ((5,), np.int8, UNKNOWN, 51),
        "street": ((1,), np.int8, 0, 3),
        "button": ((1,), np.int8, 0, seats - 1),
        "actor": ((1,), np.int8, -1, seats - 1),
        "live": ((seats,), *flag),
        "all_in": ((seats,), *flag),
        "stacks": ((seats,), *chips),
        "bets": ((seats,), *chips),
        "committed": ((seats,), *chips),
        "pot": ((1,), *chips),
        "to_call": ((1,), *chips),
        "min_raise": ((1,), *chips),
        "max_raise": ((1,), *chips),
        "big_blind": ((1,), *chips),
        "decisions": ((1,), np.int16, 0, np.iinfo(np.int16).max),
        "history": ((WINDOW, 3), np.int8, 0, seats - 1 if seats > 6 else 5),
        "history_amount": ((WINDOW,), *chips),
    }


def observation_space(seats: int) -> gymnasium.spaces.Dict:
    """The space of one observation at a table of ``seats``."""
    return gymnasium.spaces.Dict(
        {
            name: gymnasium.spaces.Box(low, high, shape, dtype)
            for name, (shape, dtype, low, high) in _shapes(seats).items()
        }
    )


def empty_view(n: int, seats: int) -> View:
    """Zeroed arrays for ``n`` observations."""
    return View(
        **{
            name: np.zeros((n, *shape), dtype)
            for name, (shape, dtype, _, _) in _shapes(seats).items()
        }
    )


@numba.njit(cache=True)
def write_view(hand: Hand, seat: int, view: View, row: int) -> None:
    """Write what ``seat`` sees into row ``row``; nothing here reads another seat's cards."""
    unit = np.float32(1.0 / hand.big_blind)
    seats = hand.seats
    view.hole[row, 0] = hand.deck[2 * seat]
    view.hole[row, 1] = hand.deck[2 * seat + 1]
    seen = 0 if hand.street == 0 else hand.street + 2
    for i in range(5):
        view.board[row, i] = hand.deck[2 * seats + i] if i < seen else UNKNOWN
    view.street[row, 0] = hand.street
    view.button[row, 0] = (hand.button - seat + seats) % seats
    view.actor[row, 0] = -1 if hand.actor < 0 else (hand.actor - seat + seats) % seats
    at = seat
    for i in range(seats):
        view.live[row, i] = has(hand.live, at)
        view.all_in[row, i] = has(hand.live, at) and hand.stacks[at] == 0
        view.stacks[row, i] = np.float32(hand.stacks[at]) * unit
        view.bets[row, i] = np.float32(hand.bets[at]) * unit
        view.committed[row, i] = np.float32(hand.committed[at]) * unit
        at += 1
        if at == seats:
            at = 0
    view.pot[row, 0] = np.float32(hand.pot) * unit
    view.big_blind[row, 0] = np.float32(hand.big_blind)
    view.to_call[row, 0] = 0
    view.min_raise[row, 0] = 0
    view.max_raise[row, 0] = 0
    if hand.actor == seat:
        least, most = raise_bounds(hand)
        view.to_call[row, 0] = np.float32(min(to_call(hand, seat), hand.stacks[seat])) * unit
        view.min_raise[row, 0] = np.float32(least) * unit
        view.max_raise[row, 0] = np.float32(most) * unit
    write_history(hand, seat, view, row, unit)


@numba.njit(cache=True)
def write_history(hand: Hand, seat: int, view: View, row: int, unit: np.float32) -> None:
    """Write the last decisions of the hand, oldest first, and clear what was written before."""
    count = min(hand.decisions, WINDOW)
    at = (hand.decisions - count) % HISTORY
    for i in range(count):
        actor = hand.history_seat[at] - seat
        view.history[row, i, 0] = actor if actor >= 0 else actor + hand.seats
        view.history[row, i, 1] = hand.history_street[at]
        view.history[row, i, 2] = hand.history_kind[at]
        view.history_amount[row, i] = np.float32(hand.history_amount[at]) * unit
        at += 1
        if at == HISTORY:
            at = 0
    for i in range(count, min(view.decisions[row, 0], WINDOW)):
        view.history[row, i, 0] = 0
        view.history[row, i, 1] = 0
        view.history[row, i, 2] = 0
        view.history_amount[row, i] = 0
    view.decisions[row, 0] = min(hand.decisions, 32767)


# -- the menu --------------------------------------------------------------------------------------

FOLD_ACTION, CALL_ACTION, FIRST_FRACTION = 0, 1, 2


@numba.njit(cache=True)
def menu_raise(hand: Hand, fraction: float) -> int:
    """The raise of ``fraction`` of the pot: what the pot will be after a call, to whole chips."""
    owed = to_call(hand, hand.actor)
    total: int = hand.level + int(fraction * (hand.pot + owed) + 0.5)
    return total


@numba.njit(cache=True)
def write_mask(hand: Hand, config: Config, mask: Any) -> None:
    """Which menu actions are legal: fold, check/call, the pot fractions, all-in.

    A fraction below the minimum raise, at the all-in or above, or equal to a smaller one, is not
    offered.
    """
    mask[FOLD_ACTION] = to_call(hand, hand.actor) > 0
    mask[CALL_ACTION] = True
    least, most = raise_bounds(hand)
    mask[FIRST_FRACTION + config.menu_size] = most > 0
    floor = least
    for i in range(config.menu_size):
        total = menu_raise(hand, config.menu[i])
        mask[FIRST_FRACTION + i] = floor <= total < most
        floor = max(floor, total + 1)


@numba.njit(cache=True)
def decode(hand: Hand, config: Config, action: int) -> int:
    """The move that an action stands for, or ILLEGAL where the actor may not take it."""
    all_in_action = FIRST_FRACTION + config.menu_size
    if action == FOLD_ACTION:
        return FOLD if to_call(hand, hand.actor) > 0 else ILLEGAL
    if action == CALL_ACTION:
        return CALL
    least, most = raise_bounds(hand)
    if action < 0 or most == 0:
        return ILLEGAL
    if action == all_in_action:
        return most
    if action > all_in_action:
        total = action - all_in_action - 1
        return total if least <= total <= most else ILLEGAL
    total = menu_raise(hand, config.menu[action - FIRST_FRACTION])
    if not least <= total < most:
        return ILLEGAL
    for i in range(action - FIRST_FRACTION):
        if menu_raise(hand, config.menu[i]) == total:
            return ILLEGAL
    return total
