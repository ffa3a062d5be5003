"""A game by its spec, with its own options among those of a face."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.registry import game_options, make_game
from arena.envs.specs import Spec

T = TypeVar("T")
_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")


def with_options(make: Callable[..., T], game: Game | str, **options: Any) -> T:
    """``make(game, …)``, where those of ``options`` that are the game's are given to it.

    Raises InputError for an option that neither has.
    """
    own: list[str] = []
    if isinstance(game, str):
        own = game_options(game)
        spec = Spec.parse(game)
        given = {name: options.pop(name) for name in own if name in options}
        game = make_game(replace(spec, options={**spec.options, **given}), own=True)
    try:
        return make(game, **options)
    except TypeError as error:
        unknown = _UNEXPECTED.search(str(error))
        if unknown is None:
            raise
        near = get_close_matches(unknown[1], own, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(
            f"{game.name} has no option {unknown[1]!r}; {hint}the game's are {', '.join(own)}"
        ) from error
