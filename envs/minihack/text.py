"""An observation in words: message, what is in view, map, inventory.

The view says of every kind of thing that is in sight how far the nearest one lies: ``closed door: 2
east, 1 north``. Floor, walls and dark places are left to the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from arena.envs.minihack.tasks import Task

Arrays = Mapping[str, NDArray[Any]]
_GOALS = {
    "stairs": "Reach the stairs down (>).",
    "boulders": "Push a boulder (0 or `) onto every fountain ({).",
    "message": "Find the object that lies about, pick it up and use it.",
}
_KEY = " A key opens the closed door: pickup takes it, apply turns it beside the door."
_PLAIN = ("floor of a room", "dark part of a room", "stone", "wall", "corridor", "unexplored area")


def parts(arrays: Arrays) -> dict[str, str]:
    """The observation by parts: message, view, map, inventory; ``arrays`` are NLE's, of a game."""
    return {
        "message": line(arrays["message"]) or "none",
        "view": "\n".join(view(arrays)) or "nothing of note",
        "map": map_text(arrays["chars"]),
        "inventory": "\n".join(inventory(arrays)) or "empty",
    }


def describe(arrays: Arrays) -> str:
    """The observation in words."""
    return "\n".join(f"{title}:\n{body}" for title, body in parts(arrays).items())


def goal(task: Task) -> str:
    """What is to be done in a task."""
    return _GOALS[task.goal] + (_KEY if task.unlocks else "")


def line(codes: NDArray[Any]) -> str:
    """A text that NetHack wrote into an array, up to its first zero byte."""
    return codes.tobytes().split(b"\0", 1)[0].decode("latin-1")


def map_text(chars: NDArray[Any], margin: int = 0) -> str:
    """The map's characters, cut down to the part that is not blank."""
    rows, columns = np.nonzero(chars != 32)
    if not len(rows):
        return ""
    top, bottom = rows.min() - margin, rows.max() + margin + 1
    left, right = columns.min() - margin, columns.max() + margin + 1
    cut = chars[max(top, 0) : bottom, max(left, 0) : right]
    return "\n".join(row.tobytes().decode("latin-1").rstrip() for row in cut)


def inventory(arrays: Arrays) -> list[str]:
    """``f - a lock pick``, one line an item."""
    return [
        f"{chr(letter)} - {line(item)}"
        for letter, item in zip(arrays["inv_letters"].tolist(), arrays["inv_strs"], strict=True)
        if letter
    ]


def view(arrays: Arrays) -> list[str]:
    """What is in sight, nearest first: each kind once, with the way to the nearest of it."""
    x, y = int(arrays["blstats"][0]), int(arrays["blstats"][1])
    nearest: dict[str, tuple[int, int, int, int]] = {}
    counts: dict[str, int] = {}
    for row, column in np.argwhere(arrays["chars"] != 32).tolist():
        if (column, row) == (x, y):
            continue
        name = line(arrays["screen_descriptions"][row, column])
        if not name or name in _PLAIN:
            continue
        dx, dy = column - x, row - y
        found = max(abs(dx), abs(dy)), abs(dx) + abs(dy), dx, dy
        nearest[name] = min(nearest.get(name, found), found)
        counts[name] = counts.get(name, 0) + 1
    lines = []
    for name, (_, _, dx, dy) in sorted(nearest.items(), key=lambda item: (item[1], item[0])):
        more = f" (the nearest of {counts[name]})" if counts[name] > 1 else ""
        lines.append(f"{name}: {way(dx, dy)}{more}")
    return lines


def way(dx: int, dy: int) -> str:
    """A displacement in words: ``3 east, 1 north``."""
    parts = []
    if dx:
        parts.append(f"{abs(dx)} {'east' if dx > 0 else 'west'}")
    if dy:
        parts.append(f"{abs(dy)} {'south' if dy > 0 else 'north'}")
    return ", ".join(parts)
