"""A player of errands that knows the way: the teacher whom others imitate.

It takes a shortest way to what the goal means and touches nothing else; of two moves that are both
on such a way it takes the one to the east or west.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.scripted.generic import certain
from arena.envs.errand.rules import MOVES, distances
from arena.envs.game import Game, Turns

_PREFERRED = (1, 3, 0, 2)  # east, west, north, south


class Courier(Agent):
    """Takes a shortest way to the thing that is meant."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if game.name != "errand":
            raise CannotPlay("courier plays errand only")
        if checkpoint is not None:
            raise CannotPlay(f"courier takes no checkpoint, not {checkpoint}")
        self.size = int(game.observation_space["position"].high[0]) + 1  # type: ignore[attr-defined]

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """Certain of the first of the preferred moves that leads nearer."""
        seen = turns.observation
        actions = []
        for goal, things, (x, y) in zip(
            seen["goal"], seen["things"], seen["position"].tolist(), strict=True
        ):
            meant = int((things[:, :2] == goal).all(1).argmax())
            steps = np.pad(distances(things, meant, self.size), 1, constant_values=-1)
            here = steps[y + 1, x + 1]
            nearer = [
                action
                for action in _PREFERRED
                if steps[y + 1 + MOVES[action][1], x + 1 + MOVES[action][0]] == here - 1 >= 0
            ]
            actions.append(nearer[0])
        return certain(np.array(actions, np.int64), len(MOVES))
