"""What is installed, games or agents: in a table, and one of them described."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from arena.cli.console import meter, show, table, tell
from arena.envs.errors import InputError
from arena.envs.registry import load


class Family(NamedTuple):
    """A game's or an agent's name, what it is, and its options with their defaults."""

    name: str
    summary: str
    text: str
    options: dict[str, str]


def add_verbs(verbs: Any, what: str) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Declare ``list`` and ``describe``."""
    listing = verbs.add_parser("list", help=f"every installed {what} and its options")
    one = verbs.add_parser("describe", help=f"all about one {what}: options, and what suits it")
    one.add_argument("name", metavar="NAME", help=f"the {what}'s name, as list has it")
    for verb in (listing, one):
        verb.add_argument("--json", action="store_true", help="print JSON")
    return listing, one


def family(group: str, name: str, what: str) -> Family:
    """The family of that name; InputError where it is not installed or cannot be loaded."""
    factory = load(group, name, what)
    text = (inspect.getdoc(factory) or "").replace("``", "")
    return Family(
        name, text.split("\n\n")[0].replace("\n", " "), text, dict(_options(factory))
    )  # fmt: skip


def _options(factory: Any) -> Iterator[tuple[str, str]]:
    for p in inspect.signature(factory).parameters.values():
        if p.kind is p.KEYWORD_ONLY:
            yield p.name, "" if p.default is p.empty else _text(p.default)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(map(_text, value))
    return str(value).lower() if isinstance(value, (bool, type(None))) else f"{value}"


def _settings(options: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" if value else name for name, value in options.items())


def print_families(group: str, names: Iterable[str], what: str, *, json: bool) -> None:
    """A row for each name; what cannot be loaded says what it needs."""
    found = []
    with meter(f"looking at each {what}") as progress:
        for name in names:
            progress.tell(name)
            try:
                found.append(family(group, name, what))
            except InputError as error:
                found.append(Family(name, str(error), str(error), {}))
    if json:
        print_json([{"name": f.name, "summary": f.summary, "options": f.options} for f in found])
        return
    rows = table(what, "what it is", "options and their defaults")
    for one in found:
        rows.add_row(one.name, one.summary, _settings(one.options))
    show(rows)


def describe(one: Family, suits: dict[str, str], what: str, *, json: bool, **facts: Any) -> None:
    """Print all about a family.

    Args:
        suits: by the name of each ``what`` that it may meet, "" or why they do not suit.
        facts: further ones by name.
    """
    if json:
        print_json(
            {"name": one.name, "text": one.text, "options": one.options, **facts, what: suits}
        )
        return
    tell(f"{one.name}: {one.text}")
    for name, value in {"options": _settings(one.options) or "none", **facts}.items():
        tell(f"\n{name}: {value}")
    tell(f"\n{what}: " + (", ".join(name for name, why in suits.items() if not why) or "none"))
    if any(suits.values()):
        tell("(why the others do not: --json)")


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
