"""What a replay shows at each step: NetHack's terminal, 24 rows of 80 characters in 16 colours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.envs import pictures
from arena.envs.minihack.text import line


def frame(
    arrays: Mapping[str, NDArray[Any]],
    *,
    action: str | None,
    outcome: str,
    reward: float,
    step: int,
    limit: int,
) -> dict[str, Any]:
    """JSON-able values.

    ``rows`` are the terminal's lines; ``colors`` are as many strings of one hexadecimal digit a
    character (0 black … 7 grey, 8 … 15 the same bright); ``cursor`` is [row, column].
    """
    colors = arrays["tty_colors"].astype(np.uint8) & 15
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[colors]
    return {
        "rows": [row.tobytes().decode("latin-1") for row in arrays["tty_chars"]],
        "colors": [row.tobytes().decode() for row in digits],
        "cursor": arrays["tty_cursor"].tolist(),
        "message": line(arrays["message"]),
        "action": action,
        "outcome": outcome,
        "return": round(reward, 6),
        "step": step,
        "limit": limit,
    }


# The terminal's sixteen colours, dark and bright.
_COLOURS = np.array(
    [
        (70, 70, 90), (190, 60, 60), (60, 170, 60), (170, 120, 50),
        (80, 100, 220), (180, 80, 180), (60, 170, 170), (200, 200, 200),
        (110, 110, 110), (255, 120, 70), (110, 230, 110), (240, 230, 90),
        (130, 150, 255), (240, 130, 240), (120, 230, 230), (255, 255, 255),
    ],
    np.uint8,
)  # fmt: skip


def picture(shown: Mapping[str, Any]) -> pictures.Picture:
    """A frame's terminal in its colours; see ``arena.envs.pictures``."""
    codes = np.array([[ord(c) & 255 for c in row] for row in shown["rows"]])
    inks = np.array([[int(c, 16) for c in row] for row in shown["colors"]])
    masks = _glyphs()[codes]  # rows, columns, height, width
    row, column = shown["cursor"]
    masks[row, column, -2:] = 255
    height, width = masks.shape[2:]
    grey = masks.transpose(0, 2, 1, 3).reshape(len(codes) * height, -1)[..., None]
    colour = _COLOURS[inks].repeat(height, axis=0).repeat(width, axis=1)
    drawn: pictures.Picture = (colour * (grey / 255.0)).astype(np.uint8)
    return drawn


@cache
def _glyphs() -> NDArray[np.uint8]:
    """Every Latin-1 character in white on black, uint8 ``(256, 20, 8)``."""
    cells = np.zeros((256, pictures.HEIGHT // 24, pictures.WIDTH // 80), np.uint8)
    for code in range(32, 256):
        mask = pictures.small().getmask(chr(code))
        drawn = np.asarray(mask, np.uint8).reshape(mask.size[::-1])
        cells[code, 5 : 5 + len(drawn), 1 : 1 + drawn.shape[1]] = drawn
    return cells
