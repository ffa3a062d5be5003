"""What a replay shows at each step: NetHack's terminal, 24 rows of 80 characters in 16 colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
