"""The games: rules and physics, never who plays. See ``envs/README.md`` for how to add one."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from arena.envs.kernels import choose_cache

choose_cache()  # before any module of the games defines a kernel

if TYPE_CHECKING:
    from arena.envs.errors import InputError
    from arena.envs.game import Game, Tables, Turns
    from arena.envs.registry import game_names, make_game

__all__ = ["Game", "InputError", "Tables", "Turns", "game_names", "make_game"]
_HOMES = {"InputError": "errors", "game_names": "registry", "make_game": "registry"}


def __getattr__(name: str) -> Any:  # late: a sentence about an error need not import Gymnasium
    if name in __all__:
        return getattr(import_module(f"arena.envs.{_HOMES.get(name, 'game')}"), name)
    raise AttributeError(f"module 'arena.envs' has no attribute {name!r}")
