"""The room's rules: four things that differ by two words, one of which is meant.

The things are every pairing of two colours with two kinds, so that both words of a goal count: who
heeds one of them is right half of the time, who heeds none a quarter. Pairs of the table's diagonal
(a red ball, a green box, …) are *kept back*: a room holds none of them, or one as its goal.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

COLOURS = ("red", "green", "blue", "yellow", "purple", "white")
KINDS = ("ball", "box", "cup", "hat", "book", "knife")
# Other words for them, which name goals only, in the same order.
COLOURS_TOO = ("scarlet", "emerald", "azure", "golden", "violet", "snowy")
KINDS_TOO = ("sphere", "crate", "mug", "cap", "novel", "dagger")
THINGS = 4
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))  # north, east, south, west as (x, y)

Cell = tuple[int, int]


def draw_room(
    seed: int, size: int, kept_back: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """The room that ``seed`` names.

    Args:
        seed: of everything.
        size: the room is ``size`` × ``size`` cells.
        kept_back: whether the goal is a kept-back pair, instead of the room holding none.

    Returns:
        The things, int64 ``(4, 4)`` of (colour, kind, x, y); the start (x, y), int64; which thing
        is meant. There is a way to it that touches no other.
    """
    dice = np.random.default_rng(seed)
    colour = int(dice.integers(len(COLOURS)))
    others = [i for i in dice.permutation(len(COLOURS)).tolist() if i != colour]
    kind = colour if kept_back else others.pop()
    colours, kinds = (colour, others.pop()), (kind, others.pop())  # so no other pair is kept back
    pairs = [(c, k) for c in colours for k in kinds]
    order = dice.permutation(THINGS)
    goal = int(np.argmin(order))
    while True:
        cells = dice.permutation(size * size)[: THINGS + 1]
        places = np.stack([cells % size, cells // size], 1)
        things = np.concatenate([np.array(pairs)[order], places[:THINGS]], 1)
        start = places[THINGS]
        if distances(things, goal, size)[start[1], start[0]] >= 0:
            return things, start, goal


def distances(things: NDArray[np.int64], goal: int, size: int) -> NDArray[np.int64]:
    """Steps from every cell to the thing ``goal`` past the others, int64 ``[y, x]``, -1: no way."""
    steps = np.full((size, size), -1)
    barred = {tuple(cell) for i, cell in enumerate(things[:, 2:].tolist()) if i != goal}
    first: Cell = tuple(things[goal, 2:].tolist())
    steps[first[1], first[0]] = 0
    queue = deque([first])
    while queue:
        x, y = queue.popleft()
        for dx, dy in MOVES:
            cell = x + dx, y + dy
            inside = 0 <= cell[0] < size and 0 <= cell[1] < size
            if inside and cell not in barred and steps[cell[1], cell[0]] < 0:
                steps[cell[1], cell[0]] = steps[y, x] + 1
                queue.append(cell)
    return steps
