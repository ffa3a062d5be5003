"""What a policy reads of a game's turns: arrays that a network takes.

An encoding belongs to a game or to a kind of observation. It needs no torch: who plays a small
network needs none either. A vector's last columns may be all zero (a hand's history is rarely
long); they are neither written nor multiplied.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay
from arena.envs.game import Game, Observation

Arrays = Mapping[str, NDArray[Any]]
VECTOR = "vector"
_FEW = 16  # whole numbers of fewer values are shown as indicators


class Encoding(ABC):
    """How one game's observations are read.

    Attributes:
        name, version: what a checkpoint says it was trained with, beside the game's
            ``observation_version``. Bump ``version`` when equal observations no longer give equal
            arrays.
        shapes: the arrays of one observation by name, shape and dtype, without the batch axis.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]]

    @abstractmethod
    def encode(self, observation: Observation) -> Arrays:
        """The arrays of ``n`` observations, first axis the turn; valid until the next call."""


class VectorEncoding(Encoding):
    """One float32 vector of ``size`` numbers an observation, of which the first are in use."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.shapes = {VECTOR: ((size,), np.dtype(np.float32))}


class HoldemEncoding(VectorEncoding):
    """Hold'em's vector (``arena.envs.holdem.encoding``): cards, money, the hand's last actions."""

    name = "holdem"

    def __init__(self, game: Game) -> None:
        from arena.envs.holdem import encoding

        super().__init__(encoding.size(game.seats))
        self._module = encoding

    def encode(self, observation: Observation) -> Arrays:
        """As many columns as the longest hand needs."""
        columns = self._module.columns_in_use(observation)
        out = np.empty((len(observation["hole"]), columns), np.float32)
        self._module.encode_into(observation, out)
        return {VECTOR: out}


class BidderEncoding(VectorEncoding):
    """A campaign's state in a few shares, the same whichever campaign it is.

    What ``arena.envs.rtb.env.observation`` says: time and budget left, their ratio, the rate of the
    impressions on offer over the campaign's average, the share of the last ones that was won.
    """

    name = "bidder"

    def __init__(self, game: Game) -> None:
        from arena.envs.rtb.env import OBSERVATION, observation
        from arena.envs.rtb.game import Rtb

        assert isinstance(game, Rtb)
        super().__init__(OBSERVATION.shape[0])
        self._observation = observation
        self._averages = np.array([law.campaign.ctr for law in game.laws])
        self._click_values = game.click_values.astype(np.float32)

    def encode(self, observation: Observation) -> Arrays:
        """All columns; what a click is worth tells which campaign it is."""
        campaign = (observation["click_value"] == self._click_values).argmax(1)
        return {
            VECTOR: self._observation(
                observation["time_left"][:, 0].astype(np.float64),
                observation["budget_left"][:, 0].astype(np.float64),
                observation["rate"].mean(1) / self._averages[campaign],
                (observation["slot"] > 0).mean(1),
            )
        }


class FlatEncoding(VectorEncoding):
    """Whole numbers of few values as indicators, everything else as it is, one after the other.

    Places (``position``) are left to the bonuses: a policy that reads them learns levels by heart.
    """

    name = "flat"
    unread: ClassVar[tuple[str, ...]] = ("position",)

    def __init__(self, game: Game) -> None:
        self._kinds: dict[str, tuple[int, int]] = {}  # of each part: numbers, values of each
        for key, part in game.observation_space.items():
            if key in self.unread:
                continue
            if isinstance(part, spaces.Text) or part.shape is None:
                raise CannotPlay(f"{game.name}: observation {key} is not an array of numbers")
            low, kinds = _values(part)
            self._kinds[key] = (low, kinds)
        sizes = [
            math.prod(game.observation_space[key].shape or (1,)) * max(kinds, 1)
            for key, (_, kinds) in self._kinds.items()
        ]
        super().__init__(sum(sizes))

    def encode(self, observation: Observation) -> Arrays:
        """All columns."""
        parts = []
        for key, (low, kinds) in self._kinds.items():
            value = np.asarray(observation[key])
            value = value.reshape(len(value), -1)
            if kinds:
                value = (value[:, :, None] == np.arange(low, low + kinds)).reshape(len(value), -1)
            parts.append(value.astype(np.float32))
        return {VECTOR: np.concatenate(parts, 1)}


class BuilderEncoding(FlatEncoding):
    """A level that is being built; which of several trials it is, is not read."""

    name = "builder"
    unread = ("trial",)


def _values(part: spaces.Space[Any]) -> tuple[int, int]:
    """The lowest value and how many there are, where they are few whole numbers; else (0, 0)."""
    if isinstance(part, spaces.Discrete):
        return int(part.start), int(part.n)
    if isinstance(part, spaces.MultiBinary):
        return 0, 0
    if isinstance(part, spaces.Box) and part.dtype is not None and part.dtype.kind in "iu":
        low, high = int(part.low.min()), int(part.high.max())
        if high - low < _FEW and (high - low) > 1:
            return low, high - low + 1
    return 0, 0


class NetHackEncoding(Encoding):
    """NetHack's arrays as they are: ``arena.agents.networks.nethack`` embeds and convolves them."""

    name = "nethack"
    KEYS = ("glyphs", "blstats", "message", "inv_glyphs", "inv_letters")

    def __init__(self, game: Game) -> None:
        space = game.observation_space
        self.shapes = {
            key: (tuple(space[key].shape or ()), np.dtype(space[key].dtype)) for key in self.KEYS
        }

    def encode(self, observation: Observation) -> Arrays:
        """The arrays that the network looks at."""
        return {key: np.asarray(observation[key]) for key in self.KEYS}


def encoding_of(game: Game) -> Encoding:
    """The encoding for a game; CannotPlay where its observations are not numbers."""
    if game.name == "holdem":
        return HoldemEncoding(game)
    if game.name == "rtb":
        return BidderEncoding(game)
    if game.name == "science_birds":
        return BuilderEncoding(game)
    if set(NetHackEncoding.KEYS) <= set(game.observation_space):
        return NetHackEncoding(game)
    return FlatEncoding(game)
