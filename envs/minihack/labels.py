"""What a transition has achieved, told by the game's own state: CALM's ground truth.

CALM (Kwon et al., 2409.12798) asks a language model whether a transition of KeyRoom has reached a
subgoal. Here the truth is read off: the key is picked up when it appears in the inventory, and the
door is unlocked when a door that was seen closed is seen open, gone or broken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from nle import nethack
from numpy.typing import NDArray

from envs.minihack.text import line, map_text

Label = Literal["key", "door", "none"]
Arrays = Mapping[str, NDArray[Any]]
_CMAP = nethack.GLYPH_CMAP_OFF
_CLOSED = (_CMAP + 15, _CMAP + 16)
_OPEN = (_CMAP + 12, _CMAP + 13, _CMAP + 14)  # no door or broken, open in either direction
CROP = 9


def key_picked_up(before: Arrays, after: Arrays) -> bool:
    """Whether there are more keys in the inventory than before."""
    return _keys(after) > _keys(before)


def door_unlocked(before: Arrays, after: Arrays) -> bool:
    """Whether a door that was closed is now seen open, broken or gone."""
    shut = np.isin(before["glyphs"], _CLOSED)
    return bool((shut & np.isin(after["glyphs"], _OPEN)).any())


def label(before: Arrays, after: Arrays) -> Label:
    """Which subgoal of KeyRoom the transition reaches."""
    if key_picked_up(before, after):
        return "key"
    return "door" if door_unlocked(before, after) else "none"


def shot(arrays: Arrays) -> dict[str, str]:
    """An observation as the paper shows it: the 9 × 9 characters around the player, the message."""
    return {
        "crop": "\n".join(row.tobytes().decode("latin-1") for row in crop(arrays)),
        "map": map_text(arrays["chars"]),
        "message": line(arrays["message"]),
    }


def crop(arrays: Arrays, key: str = "chars", size: int = CROP, fill: int = 32) -> NDArray[Any]:
    """The ``size`` × ``size`` cells of a map around the player, ``fill`` beyond its border."""
    half = size // 2
    x, y = int(arrays["blstats"][0]), int(arrays["blstats"][1])
    grid = np.pad(arrays[key], half, constant_values=fill)
    return grid[y : y + size, x : x + size]


def _keys(arrays: Arrays) -> int:
    return sum("key" in line(item).lower() for item in arrays["inv_strs"] if item[0])
