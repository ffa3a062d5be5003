"""``arena results``: figures that are published, and whether they say all that one must know."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_WORDS = ("name", "command", "unit")
_COSTS = ("wall_seconds", "cpu_seconds")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    verb = verbs.add_parser(
        "check",
        help="is every row of a file of results complete, and in the page beside it",
        description="Each row says its name, command, seeds, unit, value, interval and what "
        "it cost; the page of the same name (.md) names it and shows the value.",
    )  # fmt: skip
    verb.add_argument("file", type=Path, metavar="FILE", help="e.g. docs/results/strength.json")
    verb.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Print what is wrong, a line each; 1 where anything is."""
    from arena.envs.errors import InputError
    from arena.envs.outside import read_json

    rows = read_json(options.file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{options.file} is not a list of rows")
    page = options.file.with_suffix(".md")
    if not page.is_file():
        raise InputError(f"{page} is not there: the page that tells what the rows mean")
    text = page.read_text(encoding="utf-8")
    wrong = [
        f"row {number} ({row.get('name', 'no name')}): {problem}"
        for number, row in enumerate(rows, 1)
        for problem in problems(row, text)
    ]
    for line in wrong:
        print(line)
    print(f"{options.file}: {len(rows)} rows, {len(wrong)} problems")
    return 1 if wrong else 0


def problems(row: dict[str, Any], page: str) -> list[str]:
    """What a row lacks."""
    found = [f"{key} is not a text" for key in _WORDS if not isinstance(row.get(key), str)]
    seeds = row.get("seeds")
    if not isinstance(seeds, list) or not seeds or not all(isinstance(s, int) for s in seeds):
        found.append("seeds is not a list of whole numbers")
    if row.get("value") is None:
        return found if row.get("note") else [*found, "a row without a value needs a note: why"]
    ends: list[Any] = [row.get(key) for key in ("low", "value", "high")]
    if not all(isinstance(end, int | float) for end in ends):
        return [*found, "low, value and high are not numbers"]
    if not ends[0] <= ends[1] <= ends[2]:
        found.append(f"the value {ends[1]:g} is not within its interval")
    for key in _COSTS:
        cost = row.get(key)
        if cost is not None and not (isinstance(cost, int | float) and cost > 0):
            found.append(f"{key} is not a number above 0, or null where it was not measured")
    if all(row.get(key) is None for key in _COSTS):
        found.append("neither wall_seconds nor cpu_seconds is there")
    if isinstance(row.get("name"), str) and f"`{row['name']}`" not in page:
        found.append("the page does not name it")
    elif f"{ends[1]:g}" not in page:
        found.append(f"the page does not show {ends[1]:g}")
    return found
