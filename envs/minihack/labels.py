"""What a transition has achieved, told by the game's own state: CALM's ground truth.

CALM (Kwon et al., 2409.12798) asks a language model whether a transition of KeyRoom has reached a
subgoal. Here the truth is read off: the key is picked up when it appears in the inventory, and the
door is unlocked when a door that was seen closed is seen open, gone or broken.

All functions but ``label`` and ``shot`` take one observation or many, along any leading axes. They
look at nothing but ``glyphs``, ``blstats``, ``message``, ``inv_glyphs`` and ``inv_letters``, which
learners see too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import numpy as np
from nle import nethack
from numpy.typing import NDArray

from arena.envs.minihack.text import line, map_text

Label = Literal["key", "door", "none"]
Arrays = Mapping[str, NDArray[Any]]
_CMAP = nethack.GLYPH_CMAP_OFF
_CLOSED = (_CMAP + 15, _CMAP + 16)
_OPEN = (_CMAP + 12, _CMAP + 13, _CMAP + 14)  # no door or broken, open in either direction
CROP = 9


def key_picked_up(before: Arrays, after: Arrays) -> NDArray[np.bool_]:
    """Whether there are more keys in the inventory than before."""
    return np.asarray(_keys(after) > _keys(before))


def door_unlocked(before: Arrays, after: Arrays) -> NDArray[np.bool_]:
    """Whether a door that was closed is now seen open, broken or gone."""
    shut = np.isin(before["glyphs"], _CLOSED)
    return np.asarray((shut & np.isin(after["glyphs"], _OPEN)).any((-2, -1)))


def label(before: Arrays, after: Arrays) -> Label:
    """Which subgoal of KeyRoom the transition reaches."""
    if key_picked_up(before, after):
        return "key"
    return "door" if door_unlocked(before, after) else "none"


def shot(arrays: Arrays) -> dict[str, str]:
    """An observation as the paper shows it: the 9 × 9 characters around the player, the message."""
    chars = characters()[arrays["glyphs"]]
    return {
        "crop": "\n".join(row.tobytes().decode("latin-1") for row in crop(chars, arrays)),
        "map": map_text(chars),
        "message": line(arrays["message"]),
    }


def crop(grid: NDArray[Any], arrays: Arrays, size: int = CROP, fill: int = 32) -> NDArray[Any]:
    """The ``size`` × ``size`` cells of ``grid`` around each player, ``fill`` beyond its border."""
    half = size // 2
    border = [(0, 0)] * (grid.ndim - 2) + [(half, half)] * 2
    padded = np.pad(grid, border, constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (-2, -1))
    x, y = arrays["blstats"][..., 0].astype(np.int64), arrays["blstats"][..., 1].astype(np.int64)
    if grid.ndim == 2:
        return windows[y, x]
    return windows[np.arange(len(grid)), y, x]


@cache
def characters() -> NDArray[np.uint8]:
    """The character that NetHack shows for each glyph, ``(glyphs,)``; blank for rays and blasts."""
    table = np.full(nethack.MAX_GLYPH + 1, ord(" "), np.uint8)
    for glyph in range(nethack.MAX_GLYPH):
        symbol: Any = " "
        if nethack.glyph_is_cmap(glyph):
            symbol = nethack.symdef.from_idx(glyph - _CMAP).sym
        elif nethack.glyph_is_monster(glyph) or nethack.glyph_is_statue(glyph):
            statue = nethack.glyph_is_statue(glyph)  # looks like its model
            who = glyph - nethack.GLYPH_STATUE_OFF if statue else nethack.glyph_to_mon(glyph)
            symbol = nethack.class_sym.from_mlet(nethack.permonst(who).mlet).sym
        elif nethack.glyph_is_object(glyph):
            thing = nethack.objclass(nethack.glyph_to_obj(glyph))
            symbol = nethack.class_sym.from_oc_class(thing.oc_class).sym
        table[glyph] = symbol if isinstance(symbol, int) else ord(symbol)
    table.flags.writeable = False
    return table


@cache
def _key() -> int:
    """The glyph of the skeleton key, which KeyRoom's key is."""
    for glyph in range(nethack.GLYPH_OBJ_OFF, nethack.MAX_GLYPH):
        thing = nethack.objclass(nethack.glyph_to_obj(glyph))
        if nethack.OBJ_NAME(thing) == "skeleton key":
            return glyph
    raise LookupError("NetHack without a skeleton key")


def _keys(arrays: Arrays) -> NDArray[np.int64]:
    found: NDArray[np.int64] = ((arrays["inv_glyphs"] == _key()) & (arrays["inv_letters"] > 0)).sum(
        -1
    )
    return found
