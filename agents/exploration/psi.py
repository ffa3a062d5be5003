"""ψ: which part of an observation is counted (Henaff et al., ICML 2023, §3.1).

``observation`` leaves out NetHack's turn counter and score, with which no two states would ever be
equal and every count would be 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError

Arrays = Mapping[str, NDArray[Any]]
Psi = Callable[[Arrays], NDArray[np.uint64]]
NAMES = ("observation", "message", "glyphs", "position")
_CLOCKS = (9, 20)  # score and turns in blstats


def psi(name: str, space: spaces.Dict) -> Psi:
    """A function from observations to a 64-bit key each; InputError where the game has no such."""
    keys = set(space)
    if name == "observation":
        return _observation
    if name == "position" and "blstats" in keys:
        return lambda seen: _pairs(seen["blstats"][:, :2])
    if name in keys:
        if name == "position":
            return lambda seen: _pairs(seen["position"])
        return lambda seen: _digests([seen[name]])
    if name not in NAMES:
        raise InputError(f"{name!r} is nothing that is counted; there are {', '.join(NAMES)}")
    raise InputError(
        f"this game's observations hold no {name}; they hold {', '.join(sorted(keys))}"
    )


def _observation(seen: Arrays) -> NDArray[np.uint64]:
    parts = []
    for key in sorted(seen):
        value = seen[key]
        if key == "blstats":
            value = value.copy()
            value[:, _CLOCKS] = 0
        parts.append(value)
    return _digests(parts)


def _pairs(places: NDArray[Any]) -> NDArray[np.uint64]:
    return (places[:, 0].astype(np.uint64) << np.uint64(32)) | places[:, 1].astype(np.uint64)


def _digests(parts: list[NDArray[Any]]) -> NDArray[np.uint64]:
    """The same in every process, which Python's own hash is not."""
    rows = [np.ascontiguousarray(part) for part in parts]
    found = np.empty(len(rows[0]), np.uint64)
    for i in range(len(found)):
        digest = hashlib.blake2b(digest_size=8)
        for row in rows:
            digest.update(row[i])
        found[i] = int.from_bytes(digest.digest(), "little")
    return found
