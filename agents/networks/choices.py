"""What a policy chooses among, and what its choice comes to in the game.

In a game of a Discrete action space these are its actions. Where actions are numbers, a policy
chooses among a few that a person would: a bidder among multiples of the value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay
from arena.envs.game import Game, Ints, Turns


class Choices(ABC):
    """A list of choices at every turn.

    Attributes:
        title: what a checkpoint says of them; "" where they are the game's own actions, which a
            player may declare its policy over. Change it when equal choices no longer come to
            equal actions.
        count: how many there are.
    """

    title: ClassVar[str] = ""

    def __init__(self, count: int) -> None:
        self.count = count

    @abstractmethod
    def mask(self, turns: Turns) -> NDArray[np.bool_]:
        """Which may be taken, bool ``(n, count)``."""

    @abstractmethod
    def actions(self, turns: Turns, chosen: Ints) -> NDArray[Any]:
        """The game's actions that ``chosen`` come to."""


class Actions(Choices):
    """The actions of a Discrete space."""

    def mask(self, turns: Turns) -> NDArray[np.bool_]:
        """The game's."""
        mask = turns.action_mask
        assert mask is not None
        return mask

    def actions(self, turns: Turns, chosen: Ints) -> NDArray[Any]:
        """Themselves."""
        return chosen


class Multiples(Choices):
    """Of each impression's value in real-time bidding, the same one for all of a tick."""

    title = "multiples version 1"

    def __init__(self) -> None:
        from arena.envs.rtb.env import LEVELS

        super().__init__(len(LEVELS))
        self._levels = np.array(LEVELS)

    def mask(self, turns: Turns) -> NDArray[np.bool_]:
        """All of them."""
        return np.ones((len(turns), self.count), np.bool_)

    def actions(self, turns: Turns, chosen: Ints) -> NDArray[Any]:
        """Bids, rounded as those of other bidders are."""
        from arena.envs.rtb.text import round_bids

        return round_bids(turns.observation["value"] * self._levels[chosen][:, None])


def choices_of(game: Game) -> Choices:
    """What a policy for this game chooses among; CannotPlay where it has no list of choices."""
    if isinstance(game.action_space, spaces.Discrete):
        return Actions(int(game.action_space.n))
    if game.name == "rtb":
        return Multiples()
    raise CannotPlay(f"{game.name} has no list of actions for a policy to choose among")
