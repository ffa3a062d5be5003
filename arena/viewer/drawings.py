"""The modules that draw games: ours and third parties', each from its game's own folder.

To the browser all of them lie at ``static/games/NAME.js``, so that they import what they share from
``../dom.js`` and its neighbours.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.registry import GROUP, load
from arena.viewer.library import NotFound

STATIC = files(__package__) / "static"
GENERIC = "generic"


def drawing_of(game: Game) -> str:
    """The name of what draws a game's frames: its own, or ``generic``."""
    return GENERIC if game.drawing() is None else game.name


@cache
def source(name: str) -> str:
    """The text of ``static/games/NAME.js``; NotFound where no installed game brings it."""
    shared = STATIC / "games" / f"{name}.js"
    if shared.is_file():
        return shared.read_text("utf-8")
    try:
        file = load(GROUP, name, "game").drawing()
    except (InputError, AttributeError):
        file = None
    if file is None:
        raise NotFound(f"no game called {name!r} brings a drawing.")
    return str(file.read_text("utf-8"))


def charted(name: str) -> bool:
    """Whether a drawing needs Plotly."""
    return '"../plotly.js"' in source(name)
