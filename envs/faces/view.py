"""How a seat sees and acts through every face, in one convention.

Where a game masks actions, an observation is ``{"observation": …, "action_mask": …}``, and the mask
is in the info as well; elsewhere it is what the seat sees. What the seat sees is one float32 vector
(``Game.vector``), or with ``flat=False`` the game's own named arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Tables
from arena.envs.vectors import Vector

MASK = "action_mask"
Info = dict[str, NDArray[Any]]


class SeatView:
    """What the seats of a game see and may do.

    Args:
        game: the rules.
        flat: whether a seat sees one float32 vector, or the game's named arrays.
        keys: which of the game's named arrays it sees; all of them where None.
        mask_dtype: of the masks.

    Attributes:
        observation_space, action_space: of one seat, one turn.
    """

    def __init__(
        self,
        game: Game,
        *,
        flat: bool = True,
        keys: Sequence[str] | None = None,
        mask_dtype: Literal["int8", "bool"] = "int8",
    ) -> None:
        self.game, self.flat, self.dtype = game, flat, np.dtype(mask_dtype)
        self.action_space: spaces.Space[Any] = deepcopy(game.action_space)  # sampling seeds it
        parts = game.observation_space if keys is None else _chosen(game, keys)
        self._keys = tuple(parts)
        self._vector = game.vector if keys is None else Vector(parts)
        self.observation_space: spaces.Space[Any] = self._vector.space if flat else parts
        if game.masked:
            assert isinstance(game.action_space, spaces.Discrete)
            mask = spaces.Box(0, 1, (int(game.action_space.n),), self.dtype.type)
            self.observation_space = spaces.Dict(
                {"observation": self.observation_space, MASK: mask}
            )

    def observe(self, tables: Tables, at: Ints, seats: Ints, acting: NDArray[np.bool_]) -> Any:
        """What ``seats`` see: fresh arrays of ``observation_space``, the turn as first axis.

        ``acting``, bool ``(n,)``, is where they are to act; elsewhere a mask is all 0.
        """
        seen: Any
        if self.flat:
            seen = self._vector.of(tables, at, seats)
        else:
            found = tables.observe(at, seats)
            seen = {name: np.array(found[name]) for name in self._keys}
        if not self.game.masked:
            return seen
        mask = tables.action_mask(at, seats)
        assert mask is not None
        return {"observation": seen, MASK: (mask & acting[:, None]).astype(self.dtype)}

    def native(self, tables: Tables, at: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[Any]:
        """Actions of ``action_space``, the turn as first axis, as the game's own."""
        return actions

    def info(self, tables: Tables, at: Ints, seats: Ints) -> Info:
        """What a game tells beside the observation; by name arrays with the turn as first axis."""
        return {}


def _chosen(game: Game, keys: Sequence[str]) -> spaces.Dict:
    """The space of these observations."""
    known = game.observation_space
    for key in keys:
        if key not in known.spaces:
            raise InputError(
                f"{game.name}: keys: {key!r} is not an observation; there are {', '.join(known)}"
            )
    return spaces.Dict({key: known[key] for key in keys})


def mask_in(observation: Any) -> Info:
    """The mask of an observation, as the part of an info that it is; nothing where it has none."""
    masked = isinstance(observation, dict) and MASK in observation
    return {MASK: observation[MASK]} if masked else {}


@runtime_checkable
class Viewed(Protocol):
    """A game whose seats see and act otherwise through the faces."""

    def view(self, **options: Any) -> SeatView:
        """How, with the faces' options."""


def view_of(game: Game, **options: Any) -> SeatView:
    """How a game's seats see and act through the faces, whose options these are."""
    return game.view(**options) if isinstance(game, Viewed) else SeatView(game, **options)
