"""The actions of a turn: a menu of a few, and beside it every exact amount."""

from __future__ import annotations

from typing import Any

from arena.envs.holdem.episode import Config
from arena.envs.holdem.rules import CALL, FOLD, ILLEGAL, OVER, Hand, compiled, inlined, to_call

FOLD_ACTION, CALL_ACTION, FIRST_FRACTION = 0, 1, 2


@compiled
def menu_raise(hand: Hand, fraction: float) -> int:
    """The raise of ``fraction`` of the pot: what the pot will be after a call, to whole chips."""
    owed = to_call(hand, hand.actor)
    total: int = hand.level + int(fraction * (hand.pot + owed) + 0.5)
    return total


@inlined
def write_mask(hand: Hand, config: Config, mask: Any, row: int) -> None:
    """Write which menu actions are legal into a row: fold, check/call, the pot fractions, all-in.

    A fraction below the minimum raise, at the all-in or above, or equal to a smaller one, is not
    offered.
    """
    if hand.actor == OVER:
        mask[row, :] = False
        return
    mask[row, FOLD_ACTION] = to_call(hand, hand.actor) > 0
    mask[row, CALL_ACTION] = True
    floor, most = hand.min_raise, hand.max_raise
    mask[row, FIRST_FRACTION + config.menu_size] = most > 0
    for i in range(config.menu_size):
        total = menu_raise(hand, config.menu[i])
        mask[row, FIRST_FRACTION + i] = (floor <= total) & (total < most)
        floor = max(floor, total + 1)


@compiled
def decode(hand: Hand, config: Config, action: int) -> int:
    """The move that an action stands for, or ILLEGAL where the actor may not take it."""
    if hand.actor == OVER:
        return ILLEGAL
    all_in_action = FIRST_FRACTION + config.menu_size
    if action == FOLD_ACTION:
        return FOLD if to_call(hand, hand.actor) > 0 else ILLEGAL
    if action == CALL_ACTION:
        return CALL
    least: int = hand.min_raise
    most: int = hand.max_raise
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
