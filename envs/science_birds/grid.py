"""The competition's grid: where a dropped block comes to lie, for one level or for many at once.

A level is built by dropping blocks into a grid of 20 columns and 16 rows. A block falls straight
down its columns and never slides, so the highest taken cell of each column decides everything; the
batched state is therefore an array of column heights. The rules are those of ChatGPT4PCG 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError

WIDTH, HEIGHT = 20, 16
CELL = 0.2401
"""Width and height of a cell in world units."""

KINDS = ("b11", "b13", "b31")
KIND_WIDTH = (1, 1, 3)
KIND_HEIGHT = (1, 3, 1)
ACTIONS = len(KINDS) * WIDTH
"""A drop is numbered kind × 20 + slot, the kind by its place in ``KINDS``."""
STOP = ACTIONS
"""The action that ends a level; in a program it fills the places after the last drop."""

ORIGIN_X, ORIGIN_Y = 2.0, -3.5
"""World coordinates of the lower left corner of a level that was shifted to column 0."""

LANDED, TOO_WIDE, TOO_HIGH = 0, 1, 2
REASONS = ("", "the width boundary is intruded", "the height boundary is intruded")

Program = NDArray[np.int64]
"""Drops in their order, as action numbers."""


def action(kind: str, slot: int) -> int:
    """The number of the drop of ``kind`` at ``slot`` (its centre column); InputError if neither."""
    if kind not in KINDS:
        raise InputError(f"block type {kind!r} is none of {', '.join(KINDS)}")
    if not 0 <= slot < WIDTH:
        raise InputError(f"slot {slot} is outside the grid's columns 0 to {WIDTH - 1}")
    return KINDS.index(kind) * WIDTH + slot


def program(drops: Sequence[tuple[str, int]]) -> Program:
    """The program of ``(kind, slot)`` drops, e.g. ``program([("b31", 5), ("b13", 5)])``."""
    return np.array([action(kind, slot) for kind, slot in drops], np.int64)


@numba.njit(cache=True)
def _land(heights: NDArray[np.int8], drop: int) -> tuple[int, int]:
    kind, slot = drop // WIDTH, drop % WIDTH
    if heights[slot] >= HEIGHT:
        return TOO_HIGH, 0
    row = int(heights[slot])
    if kind == 2:
        if slot == 0 or slot == WIDTH - 1:
            return TOO_WIDE, 0
        # A neighbour that is full to the top stops the fall in the top row: the competition's
        # converter lets the two overlap there, and so do we.
        row = min(max(row, int(heights[slot - 1]), int(heights[slot + 1])), HEIGHT - 1)
    if kind == 1 and row + 3 > HEIGHT:
        return TOO_HIGH, 0
    return LANDED, row


@numba.njit(cache=True)
def _fill(heights: NDArray[np.int8], cells: NDArray[np.uint8], drop: int, row: int) -> None:
    kind, slot = drop // WIDTH, drop % WIDTH
    if kind == 2:
        for column in range(slot - 1, slot + 2):
            heights[column] = row + 1
            cells[row, column] = kind + 1
    else:
        tall = 3 if kind == 1 else 1
        heights[slot] = row + tall
        for taken in range(row, row + tall):
            cells[taken, slot] = kind + 1


@numba.njit(cache=True)
def drop_all(
    heights: NDArray[np.int8], cells: NDArray[np.uint8], drops: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int:  # fmt: skip
    """Drop a whole program into one empty grid, in place; 0, or why it failed (see ``REASONS``).

    Args:
        heights: int8 ``(20,)``, the first free row above each column.
        cells: uint8 ``(16, 20)``, row 0 at the bottom: 0 free, else 1 + the block's kind.
        drops: int64 ``(n,)`` action numbers.
        rows: int64 ``(n,)``, filled with the lowest row of each block.
    """
    for i in range(len(drops)):
        verdict, row = _land(heights, drops[i])
        if verdict != LANDED:
            return verdict
        _fill(heights, cells, drops[i], row)
        rows[i] = row
    return LANDED


@numba.njit(cache=True)
def drop_batch(
    heights: NDArray[np.int8], cells: NDArray[np.uint8], tables: NDArray[np.int64],
    drops: NDArray[np.int64], rows: NDArray[np.int64],
) -> None:  # fmt: skip
    """Drop ``drops[i]`` at grid ``tables[i]``, in place; ``rows[i]`` is where, −1 where it fails.

    ``heights`` is int8 ``(capacity, 20)``, ``cells`` uint8 ``(capacity, 16, 20)``.
    """
    for i in range(len(tables)):
        table = tables[i]
        verdict, row = _land(heights[table], drops[i])
        if verdict == LANDED:
            _fill(heights[table], cells[table], drops[i], row)
            rows[i] = row
        else:
            rows[i] = -1


@numba.njit(cache=True)
def legal_drops(heights: NDArray[np.int8], mask: NDArray[np.bool_]) -> None:
    """Fill ``mask`` (bool ``(n, 60)``): which drops stay inside the grid and overlap nothing."""
    for i in range(len(heights)):
        for slot in range(WIDTH):
            top = np.int64(heights[i, slot])
            mask[i, slot] = top < HEIGHT
            mask[i, WIDTH + slot] = top + 3 <= HEIGHT
            if slot == 0 or slot == WIDTH - 1:
                mask[i, 2 * WIDTH + slot] = False
            else:
                around = max(top, heights[i, slot - 1], heights[i, slot + 1])
                mask[i, 2 * WIDTH + slot] = around < HEIGHT


@dataclass(frozen=True)
class Structure:
    """Blocks where they lie in the grid, before any physics.

    Attributes:
        drops: int64 ``(n,)`` action numbers in the order they were dropped.
        rows: int64 ``(n,)``, the lowest row of each block.
        cells: uint8 ``(16, 20)``, row 0 at the bottom: 0 free, else 1 + the block's kind.
    """

    drops: Program
    rows: NDArray[np.int64]
    cells: NDArray[np.uint8]

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Each block's place in ``KINDS``."""
        return self.drops // WIDTH

    @property
    def slots(self) -> NDArray[np.int64]:
        """Each block's centre column."""
        return self.drops % WIDTH

    def positions(self) -> NDArray[np.float64]:
        """The blocks' centres in world units, float64 ``(n, 2)``, level shifted to column 0."""
        taken = np.flatnonzero(self.cells.any(axis=0))
        shift = taken[0] if len(taken) else 0
        tall = np.array(KIND_HEIGHT)[self.kinds]
        x = (self.slots - shift) * CELL + CELL / 2 + ORIGIN_X
        y = self.rows * CELL + tall * CELL / 2 + ORIGIN_Y
        return np.stack([x, y], axis=1)


def build(drops: Program) -> Structure | str:
    """The structure that a program builds, or the reason why the whole level fails.

    >>> build(program([("b31", 0)]))
    'the width boundary is intruded'
    """
    drops = np.asarray(drops, np.int64)
    heights = np.zeros(WIDTH, np.int8)
    cells = np.zeros((HEIGHT, WIDTH), np.uint8)
    rows = np.zeros(len(drops), np.int64)
    verdict = drop_all(heights, cells, drops, rows)
    return REASONS[verdict] if verdict else Structure(drops, rows, cells)


def picture(cells: NDArray[Any]) -> str:
    """The grid in characters, top row first, empty rows above and columns right left out."""
    taken = np.asarray(cells) > 0
    if not taken.any():
        return "(empty)"
    top = np.flatnonzero(taken.any(axis=1))[-1] + 1
    return "\n".join("".join("#" if c else "." for c in row) for row in taken[:top][::-1])
