"""How good is a player beside named ones: the same deals in all seats, with a standard error."""

from __future__ import annotations

import numpy as np

from arena.agents.agent import Agent
from arena.agents.learning.report import Score
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out
from arena.envs import seeding
from arena.envs.game import Game

SOLO = "alone"


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
