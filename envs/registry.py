"""Games by name. Every game, ours or a third party's, joins by an entry point ``arena.envs``."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.specs import Spec, bind, canonical

GROUP = "arena.envs"


def load(group: str, family: str, what: str) -> Any:
    """What the entry point ``family`` of ``group`` names, imported now; else InputError."""
    found: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=group)}
    if family not in found:
        near = get_close_matches(family, found, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(f"no {what} is called {family!r}; {hint}known: {', '.join(sorted(found))}")
    try:
        return found[family].load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{what} {family!r} cannot be loaded ({error}); install what it needs"
        ) from error


def game_names() -> list[str]:
    """The names of all installed games, sorted; none of them is imported."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def make_game(spec: str | Spec) -> Game:
    """The game that a spec names, e.g. ``make_game("holdem?seats=6")``.

    Raises InputError for an unknown name or option, or a value that the game refuses.
    """
    return named_game(spec)[1]


def named_game(spec: str | Spec) -> tuple[str, Game]:
    """The game that a spec names (see ``make_game``), with the canonical form of the spec."""
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    if parsed.checkpoint is not None:
        raise InputError(f"game spec {parsed} has a checkpoint; a game takes options only")
    factory = load(GROUP, parsed.family, "game")
    options = bind(factory, parsed, "game")
    game = factory(**options)
    assert isinstance(game, Game)
    return str(canonical(parsed, options)), game
