"""What has joined: games, players, trainers, suites and prompts, by entry points.

In a source folder the project's own file says what is ours, so that it runs without installation,
and a new line of it is known at once. Everybody else's packages are installed.
"""

from __future__ import annotations

import sys
import tomllib
from functools import cache, lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def points(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name, sorted; nothing is imported."""
    return dict(_points(group, tuple(sys.path)))


@lru_cache(64)
def _points(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:
    """Those that are found on ``path``, which is the interpreter's: to look takes a while."""
    own = _own().get(group)
    found = {
        point.name: point
        for point in entry_points(group=group)
        if own is None or not point.value.startswith("arena.")
    }
    found |= {name: EntryPoint(name, value, group) for name, value in (own or {}).items()}
    return dict(sorted(found.items()))


@cache
def _own() -> dict[str, dict[str, str]]:
    """Groups of entry points by the source folder's own file; none where there is no such file."""
    if not _PROJECT.is_file():
        return {}
    project = tomllib.loads(_PROJECT.read_text("utf-8")).get("project", {})
    return dict(project.get("entry-points", {})) if project.get("name") == "arena" else {}
