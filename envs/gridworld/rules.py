"""The grid's rules: a chain of rooms, closed doors between them, a goal in the last.

Cells are codes (uint8): VOID outside, FLOOR, WALL, CLOSED and OPEN doors, GOAL. The player walks in
four directions; walking into a closed door opens it and takes the step; it stays open, so that a
player who sees seven by seven cells and remembers nothing can tell where it has been.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding

SIZE = 25
VIEW = 7
VOID, FLOOR, WALL, CLOSED, OPEN, GOAL = range(6)
KINDS = 6
MOVES = np.array([[0, -1], [1, 0], [0, 1], [-1, 0]])  # north, east, south, west as (x, y)

Cells = NDArray[np.uint8]


@numba.njit(cache=True)
def below(seed: np.uint64, counter: int, n: int) -> int:
    """``seeding.below`` as a signed number, which numba can add to others without floats."""
    return int(np.int64(seeding.below(seed, counter, n)))


@numba.njit(cache=True)
def _blocked(
    cells: Cells, left: int, top: int, right: int, bottom: int, door: tuple[int, int]
) -> bool:
    """Whether a room there would leave the grid, cover another, or have no wall for its door."""
    if left < 0 or top < 0 or right >= SIZE or bottom >= SIZE:
        return True
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            edge = x in (left, right) or y in (top, bottom)
            kind = cells[y, x]
            if kind != VOID and not (edge and kind == WALL):
                return True
    return door[0] >= 0 and cells[door[1], door[0]] != WALL


@numba.njit(cache=True)
def draw_level(seed: np.uint64, rooms: int, largest: int, cells: Cells) -> tuple[int, int]:
    """Draw the level that ``seed`` names into ``cells`` (SIZE × SIZE); returns the start (x, y).

    Rooms measure 4 … ``largest`` with their walls. Where a next room fits nowhere in 16 tries, all
    is begun anew.
    """
    at = 0
    while True:
        cells[:] = VOID
        door = (-1, -1)
        wall = -1  # of the new room, that the door is in: 0 north, 1 east, 2 south, 3 west
        left = right = top = bottom = 0
        start = (0, 0)
        placed = 0
        for room in range(rooms):
            fits = False
            before = (left, top, right, bottom)
            for _ in range(16):
                width = 4 + below(seed, at, largest - 3)
                height = 4 + below(seed, at + 1, largest - 3)
                if room == 0:
                    left, top = (
                        below(seed, at + 2, SIZE - width),
                        below(seed, at + 3, SIZE - height),
                    )
                else:
                    l0, t0, r0, b0 = before
                    leave = below(seed, at + 2, 4)
                    if leave == wall:
                        leave = (leave + 1 + below(seed, at + 3, 3)) % 4
                    along_x = l0 + 1 + below(seed, at + 4, r0 - l0 - 1)
                    along_y = t0 + 1 + below(seed, at + 5, b0 - t0 - 1)
                    shift = below(seed, at + 6, 64)
                    if leave == 0:
                        door, left, top = (
                            (along_x, t0),
                            along_x - 1 - shift % (width - 2),
                            t0 - height + 1,
                        )
                    elif leave == 1:
                        door, left, top = (r0, along_y), r0, along_y - 1 - shift % (height - 2)
                    elif leave == 2:
                        door, left, top = (along_x, b0), along_x - 1 - shift % (width - 2), b0
                    else:
                        door, left, top = (
                            (l0, along_y),
                            l0 - width + 1,
                            along_y - 1 - shift % (height - 2),
                        )
                at += 7
                right, bottom = left + width - 1, top + height - 1
                if not _blocked(cells, left, top, right, bottom, door):
                    fits = True
                    if room > 0:
                        wall = (leave + 2) % 4
                    break
            if not fits:
                break
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    edge = x in (left, right) or y in (top, bottom)
                    cells[y, x] = WALL if edge else FLOOR
            if room > 0:
                cells[door[1], door[0]] = CLOSED
            else:
                start = (
                    left + 1 + below(seed, at, width - 2),
                    top + 1 + below(seed, at + 1, height - 2),
                )
                at += 2
            placed += 1
        if placed == rooms:
            while True:
                x = left + 1 + below(seed, at, right - left - 1)
                y = top + 1 + below(seed, at + 1, bottom - top - 1)
                at += 2
                if (x, y) != start:
                    cells[y, x] = GOAL
                    return start


@numba.njit(cache=True)
def begin(
    slots: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    rooms: int,
    largest: int,
    cells: NDArray[np.uint8],
    at: NDArray[np.int64],
) -> None:
    """Draw a level for each of ``slots`` and put its player at the start."""
    for i in range(len(slots)):
        slot = slots[i]
        x, y = draw_level(seeds[i], rooms, largest, cells[slot])
        at[slot, 0], at[slot, 1] = x, y


@numba.njit(cache=True)
def step(
    slots: NDArray[np.int64],
    actions: NDArray[np.int64],
    cells: NDArray[np.uint8],
    at: NDArray[np.int64],
    won: NDArray[np.bool_],
) -> None:
    """Move each player; ``won[slot]`` where it now stands on the goal."""
    for i in range(len(slots)):
        slot = slots[i]
        x, y = at[slot, 0] + MOVES[actions[i], 0], at[slot, 1] + MOVES[actions[i], 1]
        kind = cells[slot, y, x]
        if kind == CLOSED:
            cells[slot, y, x] = OPEN
        elif kind != WALL:
            at[slot, 0], at[slot, 1] = x, y
            won[slot] = kind == GOAL


@numba.njit(cache=True)
def views(
    slots: NDArray[np.int64], cells: NDArray[np.uint8], at: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """The VIEW × VIEW cells around each player, VOID beyond the border."""
    half = VIEW // 2
    out = np.zeros((len(slots), VIEW, VIEW), np.uint8)
    for i in range(len(slots)):
        slot = slots[i]
        for dy in range(VIEW):
            for dx in range(VIEW):
                x, y = at[slot, 0] + dx - half, at[slot, 1] + dy - half
                if 0 <= x < SIZE and 0 <= y < SIZE:
                    out[i, dy, dx] = cells[slot, y, x]
    return out


def lines(cells: NDArray[Any]) -> list[str]:
    """Cells as characters."""
    signs = np.frombuffer(b" .#+'>", np.uint8)
    return [signs[row].tobytes().decode() for row in cells]
