"""Letters drawn on a coarse grid, and the blocks that build such a drawing.

A drawing can be built if its cells can be covered by blocks each of which, dropped from the bottom
row to the top, comes to lie where it belongs. Whether it then stands is for the physics to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from arena.envs.science_birds import grid
from arena.envs.science_birds.grid import Program

SKETCHES = {
    "A": (
        "###/#.#/###/#.#/#.#", "####/#..#/####/#..#/#..#/#..#",
        ".###./##.##/##.##/#####/##.##/##.##", "###/#.#/#.#/###/#.#/#.#/#.#", "###/#.#/###/#.#",
        "####/#..#/####/#..#", "###/#.#/#.#/###/#.#/#.#", "..#../.###./.#.#./.###./##.##/##.##",
        ".#./###/#.#/###/#.#/#.#", ".##./####/#..#/####/#..#/#..#", ".#./###/#.#/###/#.#",
        "###/###/#.#/###/#.#/#.#",
    ),
    "B": (
        "###/#.#/###/#.#/###", "####/##.#/####/##.#/####", "###/#.#/#.#/###/#.#/#.#/###",
        "###/#.#/###/#.#/#.#/###", "###/#.#/#.#/###/#.#/#.#/#.#/###",
        "####/##.#/##.#/####/##.#/##.#/####",
    ),
    "C": (
        "###/##./##./##./###", "###/##./##./###", "####/###./##../##../###./####",
        "####/###./##../##../##../####",
    ),
    "D": (
        "###/#.#/#.#/###", "####/#..#/#..#/#..#/####", "###/###/#.#/#.#/###/###",
        "####/##.#/##.#/##.#/####", "###/#.#/#.#/#.#/###", "###./#.#./#.#./####",
        "####/##.#/##.#/####",
    ),
    "E": (
        "###/##./###/##./###", "###/##./##./###/##./##./###", "###/##./##./##./###/##./##./###",
        "####/###./##../####/##../###./####",
    ),
    "F": (
        "###/##./###/##./##.", "###/##./##./###/##./##./##.", "###/##./##./###/##./##./##./##.",
        "###/##./###/##./##./##.",
    ),
    "G": (
        "###/#../#.#/#.#/###", "####/##../##.#/##.#/####", "####/###./##../##.#/##.#/####",
    ),
    "H": (
        "#.#/#.#/###/#.#/#.#", "#..#/#..#/####/#..#/#..#", "##.##/##.##/#####/##.##/##.##",
        "#.#/#.#/#.#/###/#.#/#.#/#.#", "#.#/###/#.#", "##.##/##.##/##.##/#####/##.##/##.##/##.##",
        "#..#/#..#/#..#/####/#..#/#..#/#..#",
    ),
    "I": (
        "###/.#./.#./.#./###", "#/#/#/#/#", "###/.#./.#./.#./.#./.#./.#./###",
        "#/#/#/#/#/#/#/#/#", "##/##/##/##/##/##", "###/###/.#./.#./.#./###",
    ),
    "J": (
        "..#/..#/..#/#.#/###", "..#/..#/..#/..#/#.#/###", "...#/...#/...#/#..#/####",
        ".###/..#./..#./..#./#.#./###.", "..##/..##/..##/#.##/####", "###/.#./.#./.#./##.",
        "..#/..#/..#/..#/..#/#.#/###", "...##/...##/...##/...##/##.##/#####", "..#/..#/..#/###",
    ),
    "K": (
        "#.#/###/##./###/#.#", "#.#/#.#/###/##./###/#.#/#.#",
    ),
    "L": (
        "#../#../#../#../###", "#./#./#./#./##", "##../##../##../##../####", "#.../#.../####",
        "#../#../#../#../#../#../###", "#..../#..../#..../#..../#####", "##./##./##./###",
        "##./##./##./##./###", "#.../#.../#.../#.../####", "##.../##.../##.../##.../##.../#####",
    ),
    "M": (
        "#####/#.#.#/#.#.#/#.#.#", "#...#/##.##/#####/#.#.#/#.#.#/#.#.#",
        "#####/#####/#.#.#/#.#.#", "##.##/#####/#.#.#/#.#.#", "#####/##.##/##.##/##.##",
        "#######/##.#.##/##.#.##", "#####/#.#.#/#.#.#/#.#.#/#.#.#",
    ),
    "N": (
        "##.#/##.#/####/#.##/#.##", "##.#/##.#/##.#/####/#.##/#.##/#.##", "##.#/####/####/#.##",
        "###.#/###.#/#.#.#/#.###", "##.##/#####/#####/##.##",
    ),
    "O": (
        "###/#.#/#.#/#.#/###", "####/#..#/#..#/#..#/####", "###/#.#/#.#/###",
        "###/#.#/#.#/#.#/#.#/###", "###/#.#/#.#/#.#/###/.#.", "#####/##.##/##.##/##.##/#####",
        "####/#..#/#..#/#..#/#..#/####",
    ),
    "P": (
        "###/#.#/###/##./##.", "###/#.#/#.#/###/##./##./##.", "###/#.#/#.#/###/##./##.",
        "###/#.#/###/##./##./##./##.",
    ),
    "Q": (
        "###./#.#./#.#./####", "####./#..#./#..#./#####", "####./#..#./#..#./#..#./#####",
        "###./#.#./#.#./#.#./####", "####.#/#..#.#/######", "###/#.#/#.#/###/.##",
        "###/#.#/#.#/###/.#.", "####./#..#./#.##./#####", "####/#..#/#.##/####",
    ),
    "R": (
        "####/##.#/####/##.#/##.#", "###/#.#/###/#.#/#.#", "####/##.#/####/#.##/#.##",
        "###/#.#/#.#/###/#.#/#.#/#.#", "####/#..#/####/##.#/##.#",
    ),
    "S": (
        "###/##./###/.##/###", "###/##./##./###/.##/.##/###",
    ),
    "T": (
        "###/.#./.#./.#./.#.", "###/.#./.#./.#./.#./.#./.#.", "###/###/.#./.#./.#.",
        "###/###/.#./.#./.#./.#.",
    ),
    "U": (
        "#.#/#.#/#.#/#.#/###", "#..#/#..#/#..#/####", "#...#/#...#/#...#/#####", "#.#/#.#/###",
        "#.#/#.#/#.#/#.#/#.#/#.#/###", "##.##/##.##/##.##/#####", "#..#/#..#/#..#/#..#/####",
        "##.##/##.##/##.##/##.##/#####", "#...#/#...#/#...#/#...#/#...#/#####",
    ),
    "V": (
        "#.#/#.#/#.#/###/.#.", "#.#/#.#/#.#/###/.#./.#.", "#.#/#.#/###/###/.#.",
        "#.#/#.#/#.#/#.#/###/.#.",
    ),
    "W": (
        "#.#.#/#.#.#/#.#.#/#####", "#.#.#/#.#.#/#.#.#/#.#.#/#####", "##.#.##/##.#.##/#######",
        "#...#/#.#.#/#.#.#/#####", "#..#..#/#..#..#/#..#..#/#######", "#.#.#/#.#.#/#####/#####",
    ),
    "X": (
        "#.#/###/.#./###/#.#", "#.#/#.#/###/.#./###/#.#/#.#", "#.#/###/.#./.#./###/#.#",
        "#.#/#.#/###/.#./.#./###/#.#/#.#", "#.#/###/###/#.#", "#.#/#.#/###/###/#.#/#.#",
    ),
    "Y": (
        "#.#/#.#/###/.#./.#.", "#.#/#.#/#.#/###/.#./.#./.#.", "#.#/###/.#./.#./.#.",
        "#.#/#.#/###/.#./.#./.#./.#.", "#.#/#.#/###/###/.#./.#.",
    ),
    "Z": (
        "###/.##/###/##./###", "####/.###/.##./.##./###./####",
    ),
}  # fmt: skip
"""Drawings by letter: rows from the top, parted by ``/``."""


def cells_of(sketch: str) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """A drawing as bool ``(rows, columns)``, row 0 at the bottom."""
    rows = [[mark == "#" for mark in row] for row in sketch.split("/")][::-1]
    return np.array(rows, np.bool_)


def stretched(sketch: str, widest: int = 9, highest: int = 14) -> Iterator[str]:
    """A drawing and what it becomes with up to two rows and one column doubled."""
    rows = sketch.split("/")
    for tall in _repeats(len(rows), 2):
        repeated = [row for row, times in zip(rows, tall, strict=True) for _ in range(times)]
        if len(repeated) > highest:
            continue
        for wide in _repeats(len(rows[0]), 1):
            if sum(wide) <= widest:
                yield "/".join(
                    "".join(mark * times for mark, times in zip(row, wide, strict=True))
                    for row in repeated
                )


def _repeats(count: int, most: int) -> Iterator[list[int]]:
    """How often each of ``count`` lines stands: once, or twice for up to ``most`` of them."""
    for changed in range(most + 1):
        for places in combinations(range(count), changed):
            yield [2 if i in places else 1 for i in range(count)]


def packings(sketch: str, most: int = 200) -> Iterator[Program]:
    """Programs that build exactly this drawing, in the middle of the grid; ``most`` at most.

    Cells are covered from the bottom row up and from left to right, wide and tall blocks first.
    """
    target = cells_of(sketch)
    left = (grid.WIDTH - target.shape[1]) // 2
    found = 0
    covered = np.zeros_like(target)
    drops: list[int] = []

    def cover() -> Iterator[Program]:
        nonlocal found
        rest = np.argwhere(target & ~covered)
        if len(rest) == 0:
            # Row by row every block falls no further than its row.
            found += 1
            yield np.array(drops, np.int64)
            return
        row, column = (int(v) for v in rest[0])
        for kind in (2, 1, 0):
            rows = range(row, row + grid.KIND_HEIGHT[kind])
            columns = range(column, column + grid.KIND_WIDTH[kind])
            if rows[-1] >= target.shape[0] or columns[-1] >= target.shape[1]:
                continue
            here = np.ix_(list(rows), list(columns))
            if not target[here].all() or covered[here].any():
                continue
            if row > 0 and not covered[row - 1, columns[0] : columns[-1] + 1].any():
                continue
            covered[here] = True
            drops.append(kind * grid.WIDTH + left + column + grid.KIND_WIDTH[kind] // 2)
            yield from cover()
            drops.pop()
            covered[here] = False
            if found >= most:
                return

    yield from cover()
