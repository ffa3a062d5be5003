"""Players for any game: the uniform random one, and the null kinds that a league must survive.

A null kind plays no game. In a league it is a control: one that ranks above ``random`` is an alarm
about the scoring, and the failing ones (``timeout``, ``crash``, ``illegal``) show that a forfeit
costs what it should and stops nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, NoReturn

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.envs.game import Game, Turns


class Generic(Agent):
    """What the players of this module share: no options, no checkpoint, any game."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"{type(self).__name__.lower()} takes no checkpoint, not {checkpoint}")
        self.space = game.action_space


class Random(Generic):
    """Uniform over the legal actions; in a space that is not Discrete, the space's own sample.

    Gymnasium's ``Space.sample`` is uniform on bounded intervals, and normal or exponential on
    unbounded ones.
    """

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        super().__init__(game, checkpoint)
        self.space = deepcopy(game.action_space)  # sampling seeds it; the game's is not ours

    def act(self, turns: Turns) -> Decisions:
        """Decide by one uniform number a turn, or by one seeded sample a turn."""
        mask = turns.action_mask
        if mask is None:
            return Decisions(batch(self.space, [self._sample(u) for u in turns.uniforms()[:, 0]]))
        counts = mask.sum(axis=1)
        rank = (turns.uniforms()[:, 0] * counts).astype(np.int64)
        actions = (mask.cumsum(axis=1) > rank[:, None]).argmax(axis=1)
        return Decisions(actions, mask / counts[:, None])

    def _sample(self, uniform: float) -> Any:
        self.space.seed(int(uniform * 2**53))
        return self.space.sample()


class First(Generic):
    """The first legal action: the lowest number, or the first that the game's words name."""

    def act(self, turns: Turns) -> Decisions:
        """Decide without looking at the observation."""
        mask = turns.action_mask
        if mask is None:
            first = [turns.parse(row, words[0]) for row, words in enumerate(turns.words)]
            return Decisions(batch(self.space, first))
        actions = mask.argmax(axis=1)
        return Decisions(actions, np.eye(mask.shape[1])[actions])


class Timeout(Generic):
    """Never answers."""

    def act(self, turns: Turns) -> NoReturn:
        """Sleep until a clock puts an end to it."""
        while True:
            time.sleep(0.02)  # short naps: an exception sent to this thread is heard in between


class Crash(Generic):
    """Raises an error at its first decision."""

    def act(self, turns: Turns) -> NoReturn:
        """Crash."""
        raise RuntimeError("this agent always crashes")


class Illegal(Generic):
    """Always answers with an illegal action: a masked one if there is any, else none at all."""

    def act(self, turns: Turns) -> Decisions:
        """Decide for the first action that is not legal; -1, NaN or None where all are."""
        mask = turns.action_mask
        if mask is not None:
            return Decisions(np.where(mask.all(axis=1), -1, mask.argmin(axis=1)))
        if isinstance(self.space, gymnasium.spaces.Box):
            return Decisions(np.full((len(turns), *self.space.shape), np.nan))
        return Decisions(np.full(len(turns), None))


def batch(space: gymnasium.Space[Any], actions: Sequence[Any]) -> NDArray[Any]:
    """One array of actions: ``(n, *space.shape)`` where the space is of arrays, else objects."""
    if space.shape is not None:
        return np.array(actions, space.dtype).reshape(len(actions), *space.shape)
    out = np.empty(len(actions), object)
    out[:] = actions
    return out
