"""Random numbers for the making of levels: SplitMix64 in plain Python.

The worker that makes levels loads neither numba nor NumPy's generators for it, and a level must be
the same in every version of Python, which ``random`` does not promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_MASK = 0xFFFFFFFFFFFFFFFF
Item = TypeVar("Item")


class Dice:
    """The stream of numbers that a seed names (Steele, Lea, Flood, OOPSLA 2014)."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def word(self) -> int:
        """The next 64-bit word."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        x = self._state
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return x ^ (x >> 31)

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high)."""
        return low + (self.word() >> 32) * (high - low) // 2**32

    def choice(self, items: Sequence[Item]) -> Item:
        """One of ``items``."""
        return items[self.between(0, len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """``items`` in random order (Fisher and Yates)."""
        found = list(items)
        for i in range(len(found) - 1, 0, -1):
            j = self.between(0, i + 1)
            found[i], found[j] = found[j], found[i]
        return found
