"""A match played again from nothing but its row: the same players on the same deals."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.agents.registry import identify
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues.executors import InProcess
from arena.leagues.match import Result
from arena.leagues.play import Roster
from arena.leagues.replay import Episode, Replay


def remake(result: Result) -> Result:
    """Play a match of the log again; its result, with a replay.

    Raises InputError where that cannot be: the game's rules or a player are of another version, or
    it came out otherwise, as it does where a player is not a function of its seed.
    """
    match = result.match
    game = make_game(match.game)
    if game.version != match.game_version:
        raise InputError(
            f"match {match.id} was played by version {match.game_version} of the rules of "
            f"{match.game}; version {game.version} is installed"
        )
    named = zip(match.entrants, match.specs, strict=True)
    players = {key: identify(spec, game) for key, spec in named}
    for key, player in players.items():
        if player.key != key:
            raise InputError(
                f"match {match.id} was played by another {player.spec} than the one here (another "
                "version or checkpoint)"
            )
    with InProcess(Roster(match.game, players)) as executor:
        (again,) = executor.run([[match]])
    same = all(
        np.array_equal(getattr(result, name), getattr(again, name))
        for name in ("returns", "tiebreaks", "statuses")
    )
    if not same or result.decisions != again.decisions:
        raise InputError(
            f"match {match.id} comes out otherwise when it is played again: its players do not "
            "decide by their seeds alone"
        )
    return again


def alike(one: Replay, other: Replay) -> bool:
    """Whether two replays tell the same decisions, whatever time they took."""
    return one.match == other.match and _timeless(one.episodes) == _timeless(other.episodes)


def _timeless(episodes: tuple[Episode, ...]) -> list[Any]:
    return [
        (
            episode.returns,
            [{k: v for k, v in line.items() if k != "ms"} for line in episode.decisions],
        )
        for episode in episodes
    ]
