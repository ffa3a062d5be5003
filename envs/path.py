"""What happened at each table since its episode began: enough to bring it about again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from arena.envs.game import Ints, Tables

Event = tuple[Any, Any]  # seats; an action for each in one array, or None where they forfeited


class Path:
    """Kept by a game whose state cannot be copied, which tells it of begin, step and forfeit.

    ``Tables.copy`` then begins the episode anew and takes the same decisions.
    """

    def __init__(self, capacity: int) -> None:
        self._seeds = np.zeros(capacity, np.uint64)
        self._events: list[list[Event]] = [[] for _ in range(capacity)]

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Episodes begin: what was there is forgotten."""
        self._seeds[tables] = seeds
        for table in tables.tolist():
            self._events[table] = []

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Decisions are taken, as ``Tables.step`` gets them."""
        actions = np.asarray(actions)
        for table, rows in _by_table(tables):
            self._events[table].append((seats[rows], actions[rows].copy()))

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """Seats are taken out of play, as ``Tables.forfeit`` gets them."""
        for table, rows in _by_table(tables):
            self._events[table].append((seats[rows], None))

    def replay(self, tables: Ints, into: Tables, slots: Ints) -> None:
        """Play what happened at ``tables`` again at ``slots`` of ``into``, all of them together."""
        paths = [list(self._events[table]) for table in tables.tolist()]
        into.begin(slots, self._seeds[tables])
        for number in range(max(map(len, paths), default=0)):
            events = [
                (slot, *path[number])
                for slot, path in zip(slots.tolist(), paths, strict=True)
                if number < len(path)
            ]
            if out := [event for event in events if event[2] is None]:
                into.forfeit(*_joined(out))
            if taken := [event for event in events if event[2] is not None]:
                into.step(*_joined(taken), np.concatenate([actions for *_, actions in taken]))


def _by_table(tables: Ints) -> list[tuple[int, Ints]]:
    """Each table that is named, with its rows."""
    order = np.argsort(tables, kind="stable")
    each, first = np.unique(tables[order], return_index=True)
    return list(zip(each.tolist(), np.split(order, first[1:]), strict=True))


def _joined(events: list[tuple[int, Any, Any]]) -> tuple[Ints, Ints]:
    counts = [len(seats) for _, seats, _ in events]
    slots = np.repeat([slot for slot, *_ in events], counts)
    return slots, np.concatenate([seats for _, seats, _ in events])
