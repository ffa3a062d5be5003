"""Games by name. Every game, ours or a third party's, joins by an entry point ``arena.envs``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.plugins import points
from arena.envs.specs import Spec, bind, canonical, options_of

GROUP = "arena.envs"
_LISTED = {"game": "arena env list", "agent": "arena agent list", "trainer": "arena train --help"}


def load(group: str, family: str, what: str) -> Any:
    """What the entry point ``family`` of ``group`` names, imported now; else InputError."""
    found = points(group)
    if family not in found:
        near = " or ".join(map(repr, get_close_matches(family, found, 3)))
        hint = f"did you mean {near}?" if near else f"see {_LISTED[what]}"
        raise InputError(f"no {what} is called {family!r}; {hint}")
    try:
        return found[family].load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{what} {family!r} cannot be loaded ({error}); install what it needs"
        ) from error


def game_names() -> list[str]:
    """The names of all installed games, sorted; none of them is imported."""
    return list(points(GROUP))


def make_game(spec: str | Spec, *, own: bool = False) -> Game:
    """The game that a spec names, e.g. ``make_game("holdem?seats=6")``.

    Args:
        own: whether the spec is the user's own word, from the command line, a configuration or a
            program, and no record's: then the modules that it names are imported (``trust``).

    Raises InputError for an unknown name or option, a value that the game refuses, and a module
    that may not be imported.
    """
    return named_game(spec, own=own)[1]


_trusted: set[str] = set()


def trust(spec: str | Spec) -> None:
    """From now on, the module that a spec of an adapter names (``module:id``) may be imported.

    A replay, a store or a checkpoint names games, too, and importing a module runs what is in it:
    only those are imported that the user has named, or lists in the variable ARENA_MODULES.
    """
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    _trusted.add(_module(parsed.options))


def _module(options: Mapping[str, object]) -> str:
    return str(options.get("id", "")).rpartition(":")[0]


def _check_module(options: Mapping[str, object], spec: Spec) -> None:
    module = _module(options)
    listed = os.environ.get("ARENA_MODULES", "").split(",")
    known = module in _trusted or module in sys.modules or module in listed
    if module and not known and not module.startswith("arena."):
        raise InputError(
            f"game {spec} would import the module {module}, which your own command line does not "
            f"name; where you trust it, set ARENA_MODULES={module}"
        )


def named_game(spec: str | Spec, *, own: bool = False) -> tuple[str, Game]:
    """The game that a spec names (see ``make_game``), with the canonical form of the spec."""
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    if parsed.checkpoint is not None:
        raise InputError(f"game spec {parsed} has a checkpoint; a game takes options only")
    if own:
        trust(parsed)
    factory = load(GROUP, parsed.family, "game")
    options = bind(factory, parsed, "game")
    _check_module(options, parsed)
    game = factory(**options)
    assert isinstance(game, Game)
    return str(canonical(parsed, options)), game


def game_options(spec: str) -> list[str]:
    """The names of the options that the game of a spec takes."""
    return options_of(load(GROUP, Spec.parse(spec).family, "game"))
