"""The table of what is installed: games or agents, with their options."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from arena.cli.console import show, table
from arena.envs.errors import InputError
from arena.envs.registry import load


def print_families(group: str, names: Sequence[str], what: str) -> None:
    """A row for each name; what cannot be loaded says what it needs."""
    families = table(what, "what it is", "options and their defaults")
    for name in names:
        try:
            factory = load(group, name, what)
        except InputError as error:
            families.add_row(name, str(error), "")
            continue
        summary = (inspect.getdoc(factory) or "").split("\n\n")[0].replace("\n", " ")
        families.add_row(name, summary.replace("``", ""), ", ".join(_options(factory)))
    show(families)


def _options(factory: Any) -> list[str]:
    return [
        p.name if p.default is p.empty else f"{p.name}={_text(p.default)}"
        for p in inspect.signature(factory).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    ]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(map(_text, value))
    return str(value).lower() if isinstance(value, (bool, type(None))) else f"{value}"
