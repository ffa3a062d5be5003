"""Any Gymnasium space as arrays and as words: what lets a third party's game join as it is.

An observation space, however nested, becomes a flat ``Dict`` of named leaves, each an array with
the turn as its first axis. An action space becomes a strict grammar of numbers or names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Observation, exactly_one, space_value

MASK = "action_mask"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf")


# -- observations ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Leaf:
    """One array of a nested observation: its dotted name, the way to it, and its space."""

    name: str
    path: tuple[Any, ...]
    space: Space[Any]


class Layout:
    """The flat form that the observations of all of a game's seats have in common.

    A mask at the top of the observation (``observation["action_mask"]``) is left out: it has its
    own place in the contract. Where seats see arrays of different shapes, all get the largest
    shape, and the rest of it is zero.

    Args:
        seats: each seat's own observation space.

    Raises:
        InputError: a leaf has no fixed shape (Graph, Sequence, OneOf).
    """

    def __init__(self, seats: Sequence[Space[Any]]) -> None:
        self.leaves = [leaves(space) for space in seats]
        found: dict[str, list[Space[Any]]] = {}
        for of_seat in self.leaves:
            for leaf in of_seat:
                found.setdefault(leaf.name, []).append(leaf.space)
        common = {name: _common(name, kinds) for name, kinds in found.items()}
        self.space = spaces.Dict(common)

    def batch(self, seats: Sequence[int], observations: Sequence[Any]) -> Observation:
        """The observations of ``seats``, one after the other, as arrays of ``self.space``."""
        rows = [self.row(seat, seen) for seat, seen in zip(seats, observations, strict=True)]
        return {
            name: np.array([row[name] for row in rows], _dtype(space)).reshape(
                len(rows), *(space.shape or ())
            )
            for name, space in self.space.items()
        }

    def row(self, seat: int, observation: Any) -> dict[str, Any]:
        """One seat's observation by leaf names, padded."""
        row: dict[str, Any] = {}
        for leaf in self.leaves[seat]:
            value = observation
            for key in leaf.path:
                value = value[key]
            row[leaf.name] = _padded(value, self.space[leaf.name])
        for name, space in self.space.items():
            if name not in row:
                row[name] = np.zeros(space.shape or (), _dtype(space))
        return row


def leaves(space: Space[Any], path: tuple[Any, ...] = ()) -> list[Leaf]:
    """The leaves of a nested space, in its own order."""
    inside: list[tuple[Any, Space[Any]]]
    if isinstance(space, spaces.Dict):
        inside = [item for item in space.items() if path or item[0] != MASK]
    elif isinstance(space, spaces.Tuple):
        inside = list(enumerate(space))
    else:
        name = ".".join(map(str, path)) or "observation"
        if space.shape is None and _dtype(space).kind != "U":
            raise InputError(
                f"observation {name} is a {type(space).__name__} space, which has no fixed shape; "
                "wrap the environment so that it is a Box"
            )
        return [Leaf(name, path, space)]
    return [leaf for key, value in inside for leaf in leaves(value, (*path, key))]


def mask_of(observation: Any, info: Mapping[str, Any], n: int) -> NDArray[np.bool_]:
    """The mask that an environment gives with an observation, padded to ``n``; else all True."""
    mask = np.zeros(n, np.bool_)
    given = observation.get(MASK) if isinstance(observation, Mapping) else None
    given = info.get(MASK) if given is None else given
    if given is None:
        return ~mask
    mask[: len(given)] = np.asarray(given, np.bool_)
    return mask


def _dtype(space: Space[Any]) -> np.dtype[Any]:
    if isinstance(space, spaces.Text):
        return np.dtype(np.str_)
    return np.dtype(np.float64 if space.dtype is None else space.dtype)


def _padded(value: Any, space: Space[Any]) -> NDArray[Any]:
    array = np.asarray(value, _dtype(space))
    if space.shape is None or array.shape == space.shape:
        return array
    if array.ndim != len(space.shape):
        raise ValueError(f"an array of shape {array.shape} does not fit a space of {space.shape}")
    return np.pad(array, [(0, to - of) for of, to in zip(array.shape, space.shape, strict=True)])


def _common(name: str, kinds: Sequence[Space[Any]]) -> Space[Any]:
    """One space for what is called ``name`` at different seats."""
    if all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    shapes = [kind.shape for kind in kinds if kind.shape is not None]
    if len(shapes) < len(kinds) or len(set(map(len, shapes))) > 1:
        raise InputError(
            f"observation {name} has another number of axes at another seat; "
            "wrap the environment so that all seats see arrays alike"
        )
    shape = tuple(map(max, zip(*shapes, strict=True)))
    bounds = [_bounds(kind) for kind in kinds]
    dtype: Any = np.result_type(*[_dtype(kind) for kind in kinds])
    low, high = min(0.0, *(b[0] for b in bounds)), max(0.0, *(b[1] for b in bounds))
    return spaces.Box(low, high, shape, dtype)


def _bounds(space: Space[Any]) -> tuple[float, float]:
    match space:
        case spaces.Box():
            return float(space.low.min()), float(space.high.max())
        case spaces.Discrete():
            return float(space.start), float(space.start + space.n - 1)
        case spaces.MultiDiscrete():
            return float(space.start.min()), float((space.start + space.nvec).max() - 1)
        case spaces.MultiBinary():
            return 0.0, 1.0
    return -np.inf, np.inf


# -- actions -----------------------------------------------------------------------------------


class ActionWords:
    """A seat's action space as words and back, by one strict grammar.

    Discrete actions are named by ``names``, or else by their numbers from 0 (whatever the space's
    own ``start``). Actions that are arrays (Box, MultiDiscrete, MultiBinary) are written as their
    numbers in row-major order, parted by white space.

    Args:
        seats: each seat's own action space.
        names: the names of Discrete actions.

    Raises:
        InputError: the spaces are not of one kind, or of a kind that has no words.
    """

    def __init__(self, seats: Sequence[Space[Any]], names: Sequence[str] | None = None) -> None:
        first = seats[0]
        self.starts = [0] * len(seats)
        if all(isinstance(space, spaces.Discrete) for space in seats):
            self.starts = [int(space.start) for space in seats]  # type: ignore[attr-defined]
            self.sizes = [int(space.n) for space in seats]  # type: ignore[attr-defined]
            self.space: Space[Any] = spaces.Discrete(max(self.sizes))
            self.names = tuple(names or map(str, range(max(self.sizes))))
            if len(self.names) != max(self.sizes):
                raise InputError(f"{len(self.names)} names for {max(self.sizes)} actions")
            return
        if any(space != first for space in seats):
            raise InputError(
                "the seats have different action spaces that are not Discrete; "
                "wrap the environment so that all seats act alike"
            )
        if not isinstance(first, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
            raise InputError(
                f"actions of a {type(first).__name__} space cannot be played; wrap the "
                "environment so that they are Discrete, Box, MultiDiscrete or MultiBinary"
            )
        self.space, self.names, self.sizes = first, (), []

    def native(self, seat: int, action: Any) -> Any:
        """A legal action as the environment itself expects it."""
        if self.names:
            return int(action) + self.starts[seat]
        return np.asarray(space_value(self.space, np.asarray(action)))

    def legal(self, action: Any) -> bool:
        """Whether ``action`` lies in a space of arrays. Never raises."""
        try:
            array = np.asarray(action)
        except ValueError:
            return False
        wanted = "iuf" if isinstance(self.space, spaces.Box) else "iu"
        if array.dtype.kind not in wanted or array.shape != self.space.shape:
            return False
        return bool(self.space.contains(space_value(self.space, array)))

    def words(self, mask: NDArray[np.bool_] | None) -> list[str]:
        """The legal names; for a space of arrays, examples: its lower end, middle, upper end."""
        if mask is not None:
            return [self.names[i] for i in np.flatnonzero(mask)]
        low, high = self._ends()
        middle = low + (high - low) / 2
        rows = [np.asarray(end, self.space.dtype) for end in (low, middle, high)]
        return list(dict.fromkeys(self.describe(row) for row in rows))

    def parse(self, mask: NDArray[np.bool_] | None, answer: str) -> Any:
        """The legal action that ``answer`` names, or InputError."""
        if mask is not None:
            legal = np.flatnonzero(mask)
            return int(legal[exactly_one(self.words(mask), answer)])
        size = int(np.prod(self.space.shape or ()))
        numbers = answer.split()
        if len(numbers) != size or not all(_NUMBER.fullmatch(number) for number in numbers):
            raise InputError(f"{answer!r} is not an action; write {size} numbers parted by spaces")
        array = np.array([float(number) for number in numbers]).reshape(self.space.shape or ())
        dtype = np.dtype(self.space.dtype)
        if dtype.kind in "iu" and (array != np.floor(array)).any():
            raise InputError(f"{answer!r} is not an action; its numbers must be whole")
        with np.errstate(over="ignore", invalid="ignore"):
            action = array.astype(dtype)
        in_range = dtype.kind == "f" or np.array_equal(action.astype(float), array)
        if not (in_range and self.legal(action)):
            raise InputError(f"{answer!r} is not an action; it lies outside of {self.space}")
        return action

    def describe(self, action: Any) -> str:
        """An action in words, as ``words`` would write it and ``parse`` would read it."""
        if self.names:
            return self.names[int(action)]
        return " ".join(_write(value) for value in np.asarray(action, self.space.dtype).ravel())

    def _ends(self) -> tuple[NDArray[Any], NDArray[Any]]:
        if isinstance(self.space, spaces.Box):
            bounded = (np.isfinite(self.space.low), np.isfinite(self.space.high))
            low = np.where(bounded[0], self.space.low, np.minimum(0, self.space.high))
            return low, np.where(bounded[1], self.space.high, np.maximum(0, low))
        if isinstance(self.space, spaces.MultiDiscrete):
            return self.space.start, self.space.start + self.space.nvec - 1
        return np.zeros(self.space.shape or ()), np.ones(self.space.shape or ())


# -- words and JSON ----------------------------------------------------------------------------


def as_text(row: Mapping[str, Any]) -> str:
    """An observation's leaves in words, a line each: all of their numbers, in row-major order.

    Of an array of more than 64 numbers that is mostly zero, only the others are listed, as
    ``index=value``.
    """
    return "\n".join(f"{name}: {_numbers(np.asarray(value))}" for name, value in row.items())


def as_json(row: Mapping[str, Any], limit: int = 1024) -> dict[str, Any]:
    """An observation's leaves as JSON-able values; of more than ``limit`` numbers, the shape."""
    return {
        name: value.tolist() if value.size <= limit else {"shape": list(value.shape)}
        for name, value in ((name, np.asarray(value)) for name, value in row.items())
    }


def _numbers(array: NDArray[Any]) -> str:
    if array.dtype.kind == "U":
        return " ".join(map(str, array.ravel()))
    if array.size > 64 and np.count_nonzero(array) * 4 < array.size:
        places = np.argwhere(array)
        pairs = (f"{'/'.join(map(str, at))}={_write(array[tuple(at)])}" for at in places)
        return f"shape {'x'.join(map(str, array.shape))}, all 0 but {' '.join(pairs) or 'none'}"
    return " ".join(_write(value) for value in array.ravel())


def _write(value: Any) -> str:
    """A number in the fewest digits that read back as the same value of its dtype."""
    if isinstance(value, np.floating):
        return np.format_float_positional(value, trim="-") if np.isfinite(value) else str(value)
    return str(int(value))
