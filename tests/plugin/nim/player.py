"""A player that leaves a multiple of four whenever it can."""

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.envs.game import Game, Turns


class Master(Agent):
    """Nim's winning strategy; ``nim-master?blunders=0.1`` errs in one decision of ten."""

    def __init__(self, game: Game, checkpoint: str | None = None, *, blunders: float = 0.0) -> None:
        if game.name != "nim":
            raise CannotPlay(f"nim-master plays nim only, not {game.name}")
        if checkpoint is not None:
            raise CannotPlay(f"nim-master takes no checkpoint, not {checkpoint}")
        self.blunders = blunders

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        mask = turns.action_mask
        assert mask is not None
        spare = turns.observation["stones"] % (mask.shape[1] + 1)
        policy = np.eye(mask.shape[1])[np.maximum(spare - 1, 0)] * (1.0 - self.blunders)
        policy[:, 0] += self.blunders
        return policy
