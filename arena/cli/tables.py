"""A league's table in the formats that other programs read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "md", "html", "parquet")


def write(frame: pd.DataFrame, form: str, output: str | None) -> None:
    """Print a data frame in one of ``FORMATS``, or write it to a file."""
    from arena.envs import files
    from arena.envs.errors import InputError

    if output is None and form == "parquet":
        raise InputError("--format parquet is not text; name a file by --output")
    text = _bytes(frame, form)
    if output is None:
        print(text.decode(), end="")
    else:
        files.write(Path(output), text)
        print(f"wrote {output}")


def _bytes(frame: pd.DataFrame, form: str) -> bytes:
    if form == "parquet":
        stream = io.BytesIO()
        frame.to_parquet(stream)
        return stream.getvalue()
    if form == "csv":
        return str(frame.to_csv()).encode()
    return (str(frame.to_html()) + "\n").encode() if form == "html" else _markdown(frame).encode()


def _markdown(frame: pd.DataFrame) -> str:
    """GitHub's tables. A bar within a cell is escaped, lest it end the cell."""
    rows = [frame.index.name, *frame.columns], ["---"] * (1 + len(frame.columns))
    cells = [*rows, *([name, *row] for name, row in zip(frame.index, frame.values, strict=True))]
    lines = (" | ".join(_cell(cell) for cell in row) for row in cells)
    return "".join(f"| {line} |\n" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
