"""Benchmarks: each module measures one part and, in the same run, the peer it is compared with.

A module has ``records() -> Iterator[Record]`` and, where it measures more than speed,
``tables() -> Iterator[rich.table.Table]``, which the command line prints after the records.
"""

from __future__ import annotations

from importlib.resources import files

_NO_BENCHMARKS = {"__init__.py", "record.py"}


def names() -> list[str]:
    """The names of all benchmarks."""
    return sorted(
        file.name.removesuffix(".py")
        for file in files(__package__).iterdir()
        if file.name.endswith(".py") and file.name not in _NO_BENCHMARKS
    )
