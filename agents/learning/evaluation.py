"""How good a player is: beside named ones on the same deals, and in small games exactly."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from arena.agents.agent import Agent
from arena.agents.learning.report import Score
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out
from arena.agents.solvers.exploit import exploit
from arena.agents.solvers.tree import Tree, compile_tree
from arena.envs import seeding
from arena.envs.game import Game
from arena.envs.small.dealt import Dealt

SOLO = "alone"
FEW = 10_000  # deals of a game that is looked at exactly


def evaluate(
    player: Agent, game: Game, opponents: tuple[str, ...], deals: int, seed: int
) -> list[Score]:
    """Play ``deals`` against each opponent, who takes all other seats; alone in a solo game."""
    if game.seats == 1:
        return [_score(player, player, game, SOLO, deals, seed)]
    return [_score(player, make_agent(name, game), game, name, deals, seed) for name in opponents]


def _score(player: Agent, other: Agent, game: Game, name: str, deals: int, seed: int) -> Score:
    """Mean over deals; a deal's value is the player's mean return over all seats."""
    seeds = np.array([seeding.derive(seed, "deal", deal) for deal in range(deals)], np.uint64)
    tables, worth = game.tables(deals), np.zeros(deals)
    for mine in range(game.seats):
        seated = [player if seat == mine else other for seat in range(game.seats)]
        worth += play_out(tables, seated, seeds)[:, mine] / game.seats
    worth *= game.unit_scale
    error = float(worth.std(ddof=1) / np.sqrt(deals)) if deals > 1 else float("nan")
    return Score(name, float(worth.mean()), error, game.unit, deals)


def exact(player: Agent, game: Game) -> list[Score]:
    """The player's exploitability, where the game is small enough to know it; else nothing."""
    if not isinstance(game, Dealt) or game.seats != 2 or len(game.deals) > FEW:
        return []
    tree = _tree(game)
    found = exploit(tree, player).exploitability
    return [
        Score("exploitability", found, math.nan, game.unit, len(tree.owner), "information sets")
    ]


@cache
def _tree(game: Dealt) -> Tree:
    return compile_tree(game)
