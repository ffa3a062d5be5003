"""A game's observations as vectors, for networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError

if TYPE_CHECKING:
    from arena.envs.game import Ints


class Vector:
    """Observations of a Dict space as one float32 vector each.

    The parts stand in the order of the space: Discrete ones one-hot, all others as their numbers.

    Attributes:
        space: the vectors' Box.
    """

    def __init__(self, observation_space: spaces.Dict) -> None:
        self._parts = list(observation_space.items())
        bounds = [_bounds(name, part) for name, part in self._parts]
        low, high = (np.concatenate(ends).astype(np.float32) for ends in zip(*bounds, strict=True))
        self.space = spaces.Box(low, high, dtype=np.float32)

    def __call__(self, observation: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The vectors of a batch of ``n`` observations, float32 ``(n, size)``, fresh."""
        rows = len(observation[self._parts[0][0]])
        pieces = [_rows(part, observation[name], rows) for name, part in self._parts]
        return np.concatenate(pieces, axis=1, dtype=np.float32, casting="unsafe")

    def of(self, tables: Any, at: Ints, seats: Ints) -> NDArray[np.float32]:
        """The vectors of what ``seats`` see now at the slots ``at`` of ``tables``."""
        return self(tables.observe(at, seats))


def _bounds(name: str, part: spaces.Space[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    match part:
        case spaces.Box():
            return part.low.ravel(), part.high.ravel()
        case spaces.Discrete():
            return np.zeros(part.n), np.ones(part.n)
        case spaces.MultiDiscrete():
            return part.start.ravel(), (part.start + part.nvec - 1).ravel()
        case spaces.MultiBinary():
            size = int(np.prod(part.shape))
            return np.zeros(size), np.ones(size)
    raise InputError(f"observation {name} is a {type(part).__name__} space: it has no vector")


def _rows(part: spaces.Space[Any], values: NDArray[Any], rows: int) -> NDArray[Any]:
    if isinstance(part, spaces.Discrete):
        hot: NDArray[np.bool_] = values.reshape(rows, 1) == part.start + np.arange(part.n)
        return hot
    return np.asarray(values).reshape(rows, -1)
