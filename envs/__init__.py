"""The games: rules and physics, never who plays. See ``envs/README.md`` for how to add one."""

from arena.envs.kernels import choose_cache

choose_cache()  # before any module below defines a kernel

from arena.envs.errors import InputError
from arena.envs.game import Game, Tables, Turns
from arena.envs.registry import game_names, make_game

__all__ = ["Game", "InputError", "Tables", "Turns", "game_names", "make_game"]
