"""Hands that are set up: brought to a decision, or played again from a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from arena.envs.game import Ints
from arena.envs.holdem.menu import FOLD_ACTION
from arena.envs.holdem.tables import HoldemTables


def fold_round(tables: HoldemTables, folds: Ints) -> None:
    """Let the first ``folds[i]`` to act at table i fold, one after the other."""
    for count in range(int(folds.max(initial=0))):
        at = np.flatnonzero(folds > count)
        tables.step(at, tables.hands["actor"][at], np.full(len(at), FOLD_ACTION))


def play_again(tables: HoldemTables, decisions: Iterable[tuple[int, int]]) -> Iterator[int]:
    """Take recorded decisions, (seat, action), at table 0; yields each action before it is taken.

    Ends early where one is not legal, and with the hand.
    """
    at = np.zeros(1, np.int64)
    for seat, action in decisions:
        if tables.done[0] or not tables.legal(at, np.array([seat]), np.array([action]))[0]:
            return
        yield action
        tables.step(at, np.array([seat]), np.array([action]))
