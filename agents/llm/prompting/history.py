"""What a player has seen and done since an episode began: the field ``history``."""

from __future__ import annotations

from collections.abc import Iterable

from arena.envs.errors import InputError

Key = tuple[int, int]
"""Table and seat."""


class Past:
    """What was seen and done at each table and seat since its episodes began there.

    Args:
        memory: how many observations ``show`` leaves room for, the present one among them.
    """

    def __init__(self, memory: int) -> None:
        if memory < 1:
            raise InputError(f"memory={memory} must be at least 1")
        self.memory = memory
        self._seen: dict[Key, list[tuple[str, str]]] = {}

    def forget(self, keys: Iterable[Key]) -> None:
        """Episodes begin at these tables and seats."""
        for key in keys:
            self._seen.pop(key, None)

    def add(self, key: Key, observation: str, action: str) -> None:
        """A decision was made there."""
        self._seen.setdefault(key, []).append((observation, action))

    def show(self, key: Key) -> str:
        """Earlier observations, each with the action taken then."""
        seen = self._seen.get(key, [])
        first = max(0, len(seen) - self.memory + 1)
        blocks = [
            f"Observation {number}:\n{observation}\nAction taken: {action}"
            for number, (observation, action) in enumerate(seen[first:], first + 1)
        ]
        return "\n\n".join(blocks) or "none"
