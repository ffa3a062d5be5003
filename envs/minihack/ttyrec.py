"""Episodes as ttyrec3, NLE's recording of a terminal: ``nle-read-tty`` and its data loader read it.

The file is compressed by bzip2 and is a sequence of frames: a header of seconds, microseconds,
length (int32 each) and channel (int8), then that many bytes. Channel 0 is what the terminal was
sent, 1 the key that was pressed then, 2 the score (int32). Each step is one full redraw, one score
and one key. The clock counts a tenth of a second a step: a recording has no other time.
"""

from __future__ import annotations

import bz2
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs.game import Recording

if TYPE_CHECKING:
    from arena.envs.minihack.tables import MiniHackTables

_HEADER = struct.Struct("<iiiB")
_OUTPUT, _KEY, _SCORE = 0, 1, 2
_SCORE_AT = 9  # of blstats
_STEP = 100_000  # microseconds


def export(recordings: Iterable[Recording]) -> bytes:
    """The episodes one after the other in one file."""
    packer = bz2.BZ2Compressor()
    data = []
    for number, frame in enumerate(_frames(recordings)):
        data.append(packer.compress(b"".join(_packed(number * _STEP, *part) for part in frame)))
    return b"".join([*data, packer.flush()])


def _frames(recordings: Iterable[Recording]) -> Iterator[list[tuple[int, bytes]]]:
    for recording in recordings:
        for tables, taken in recording.states:
            found: MiniHackTables = tables  # type: ignore[assignment]
            arrays = found.pool.arrays
            score = int(arrays["blstats"][0, _SCORE_AT])
            parts = [
                (
                    _OUTPUT,
                    redraw(*(arrays[f"tty_{key}"][0] for key in ("chars", "colors", "cursor"))),
                ),
                (_SCORE, struct.pack("<i", score)),
            ]
            for _, action in taken:
                if action is not None:
                    key = found.game.task.actions[int(action)][1]
                    parts.append((_KEY, key.encode("latin-1")))
            yield parts


def _packed(at: int, channel: int, data: bytes) -> bytes:
    return _HEADER.pack(at // 1_000_000, at % 1_000_000, len(data), channel) + data


def redraw(chars: NDArray[Any], colors: NDArray[Any], cursor: NDArray[Any]) -> bytes:
    """The bytes that make a terminal show this screen (ECMA-48)."""
    out = [b"\x1b[0m\x1b[2J"]
    for row in np.flatnonzero((chars != 32).any(axis=1)).tolist():
        text, ink = chars[row].tobytes().rstrip(b" "), colors[row].tolist()
        out.append(b"\x1b[%d;1H" % (row + 1))
        before = None
        for column, code in enumerate(text):
            color = ink[column] & 15
            if color != before:
                out.append(b"\x1b[0;%s3%dm" % (b"1;" if color & 8 else b"", color & 7))
                before = color
            out.append(bytes([code]))
    out.append(b"\x1b[0m\x1b[%d;%dH" % (int(cursor[0]) + 1, int(cursor[1]) + 1))
    return b"".join(out)
