"""Players for any game: the uniform random one, and the null kinds that a league must survive.

A null kind plays no game. In a league it is a control: one that ranks above ``random`` is an alarm
about the scoring, and the failing ones (``timeout``, ``crash``, ``illegal``) show that a forfeit
costs what it should and stops nobody else.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NoReturn

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions, Null
from arena.envs.game import Game, Turns


class Generic(Agent):
    """What the players of this module share: no options, no checkpoint, any game."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"{type(self).__name__.lower()} takes no checkpoint, not {checkpoint}")
        self.space = game.action_space

    @property
    def declares(self) -> bool:
        """In a Discrete space, where it has a policy."""
        return super().declares and isinstance(self.space, gymnasium.spaces.Discrete)


class Random(Generic):
    """Uniform over the legal actions; in a space that is not Discrete, the space's own sample.

    Gymnasium's ``Space.sample`` is uniform on bounded intervals, and normal or exponential on
    unbounded ones.
    """

    version = 2

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        super().__init__(game, checkpoint)
        self.space = deepcopy(game.action_space)  # sampling seeds it; the game's is not ours

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The same for each legal action."""
        mask = turns.action_mask
        assert mask is not None
        shares: NDArray[np.float64] = mask / mask.sum(axis=1, keepdims=True)
        return shares

    def act(self, turns: Turns) -> Decisions:
        """Declare the policy; without one, take one seeded sample a turn."""
        if self.declares:
            return super().act(turns)
        return Decisions(batch(self.space, [self._sample(u) for u in turns.uniforms()[:, 0]]))

    def _sample(self, uniform: float) -> Any:
        self.space.seed(int(uniform * 2**53))
        return self.space.sample()


class First(Generic):
    """The first legal action: the lowest number, or the first that the game's words name."""

    @classmethod
    def null(cls, options: Mapping[str, Any]) -> Null:
        """It takes one action whatever it sees."""
        return "constant"

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """Certain of the lowest number."""
        mask = turns.action_mask
        assert mask is not None
        return certain(mask.argmax(axis=1), mask.shape[1])

    def act(self, turns: Turns) -> Decisions:
        """Decide without looking at the observation."""
        if self.declares:
            return super().act(turns)
        first = [turns.parse(row, words[0]) for row, words in enumerate(turns.words)]
        return Decisions(batch(self.space, first))


class _Forfeiting(Generic):
    @classmethod
    def null(cls, options: Mapping[str, Any]) -> Null:
        """It never gives a legal answer."""
        return "forfeiting"


class Timeout(_Forfeiting):
    """Never answers."""

    def act(self, turns: Turns) -> NoReturn:
        """Sleep until a clock puts an end to it."""
        while True:
            time.sleep(0.02)  # short naps: an exception sent to this thread is heard in between


class Crash(_Forfeiting):
    """Raises an error at its first decision."""

    def act(self, turns: Turns) -> NoReturn:
        """Crash."""
        raise RuntimeError("this agent always crashes")


class Illegal(_Forfeiting):
    """Always answers with an illegal action: a masked one if there is any, else none at all."""

    def act(self, turns: Turns) -> Decisions:
        """Decide for the first action that is not legal; -1, NaN or None where all are."""
        mask = turns.action_mask
        if mask is not None:
            return Decisions(np.where(mask.all(axis=1), -1, mask.argmin(axis=1)))
        if isinstance(self.space, gymnasium.spaces.Box):
            return Decisions(np.full((len(turns), *self.space.shape), np.nan))
        return Decisions(np.full(len(turns), None))


def certain(actions: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """The policy that takes ``actions`` for sure, of ``size`` that there are."""
    return np.eye(size)[actions]


def batch(space: gymnasium.Space[Any], actions: Sequence[Any]) -> NDArray[Any]:
    """One array of actions: ``(n, *space.shape)`` where the space is of arrays, else objects."""
    if space.shape is not None:
        return np.array(actions, space.dtype).reshape(len(actions), *space.shape)
    out = np.empty(len(actions), object)
    out[:] = actions
    return out
