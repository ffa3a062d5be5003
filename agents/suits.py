"""Which agents play which games: tried, with the defaults of both."""

from __future__ import annotations

from arena.agents.registry import agent_names, make_agent
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.registry import game_names, make_game


def why_not(agent: str, game: Game) -> str:
    """Why an agent of this spec does not play the game, in a sentence; "" where it does."""
    try:
        make_agent(agent, game)
    except InputError as error:
        return str(error)
    return ""


def agents_of(game: Game) -> dict[str, str]:
    """For every installed agent family ``why_not``."""
    return {name: why_not(name, game) for name in agent_names()}


def games_of(agent: str) -> dict[str, str]:
    """For every installed game that its name alone makes, ``why_not``."""
    found = {}
    for name in game_names():
        try:
            found[name] = why_not(agent, make_game(name))
        except InputError:  # it needs an option: which Gymnasium environment, say
            continue
    return found
