"""A player of MiniHack that explores: it walks to the nearest place that it knows least about.

A *frontier* is a cell that can be walked on beside one that shows nothing, and that the player has
not stood on: what shows nothing from beside it is rock. In order it

1. answers a question of NetHack's (a direction it asked for) as it would have gone on,
2. walks to the stairs down where it sees a way,
3. picks up an object that is wanted (a key) when it stands on it, else walks to it,
4. applies the key beside a closed door, opens a closed door, or kicks a locked one, where the task
   has such actions; else walks against it,
5. walks to the nearest frontier (Yamauchi 1997), or else searches or walks at random.

Lava, water and traps are never walked on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.envs.game import Game, Ints, Turns

_WAYS = {
    "north": (0, -1),
    "east": (1, 0),
    "south": (0, 1),
    "west": (-1, 0),
    "northeast": (1, -1),
    "southeast": (1, 1),
    "southwest": (-1, 1),
    "northwest": (-1, -1),
}
_CMAP = 2359  # the first glyph of a map feature in NetHack 3.6
_STONE, _CLOSED, _OPEN = 0, (15, 16), (13, 14)
_WALKED = (12, 13, 14, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 33)
_STAIRS_DOWN = (24, 26)
_WALKABLE, _DOOR, _BLIND, _BARRED, _STAIRS = 1, 2, 4, 8, 16


def _kinds() -> NDArray[np.uint8]:
    """What each glyph is to a walker, by flags."""
    kinds = np.full(5977, _BARRED, np.uint8)
    kinds[1906:2359] = _WALKABLE  # objects
    for index in _WALKED:
        kinds[_CMAP + index] = _WALKABLE
    kinds[_CMAP + _STONE] = _BLIND
    for index in _CLOSED:
        kinds[_CMAP + index] = _DOOR
    for index in _OPEN:
        kinds[_CMAP + index] = _WALKABLE | _DOOR
    for index in _STAIRS_DOWN:
        kinds[_CMAP + index] = _WALKABLE | _STAIRS
    return kinds


_KIND = _kinds()
_SAFE = _WALKABLE | _DOOR
Cell = tuple[int, int]


class Explorer(Agent):
    """Frontier search in MiniHack's levels: finds stairs, keys and doors, knows no tricks."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        names = getattr(getattr(game, "task", None), "names", ())
        if game.name != "minihack" or not set(list(_WAYS)[:4]) <= set(names):
            raise CannotPlay("explorer plays minihack only")
        if checkpoint is not None:
            raise CannotPlay(f"explorer takes no checkpoint, not {checkpoint}")
        self.number = {name: index for index, name in enumerate(names)}
        self.ways = [way for way in _WAYS if way in self.number]
        self._stood: dict[int, set[Cell]] = {}

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Forget where it stood in the last episode."""
        for table in tables.tolist():
            self._stood[table] = set()

    def act(self, turns: Turns) -> Decisions:
        """Each turn by itself; the uniform number breaks ties and a deadlock."""
        seen, uniforms = turns.observation, turns.uniforms()[:, 0]
        names = [
            self._choose(
                seen["glyphs"][row],
                seen["blstats"][row],
                seen["message"][row].tobytes(),
                _keyed(seen["inv_strs"][row]),
                float(uniforms[row]),
                self._stood.setdefault(table, set()),
            )
            for row, table in enumerate(turns.tables.tolist())
        ]
        return Decisions(np.array([self.number[name] for name in names], np.int64))

    def _choose(
        self,
        glyphs: NDArray[np.int16],
        blstats: NDArray[np.int64],
        message: bytes,
        has_key: bool,
        uniform: float,
        stood: set[Cell],
    ) -> str:
        at = int(blstats[0]), int(blstats[1])
        stood.add(at)
        kind = _KIND[glyphs]
        if _between_walls(kind, at):  # what the player stands on is not shown: maybe a doorway
            kind[at[1], at[0]] |= _DOOR
        safe = [way for way, (x, y) in self._beside(at, self.ways) if kind[y, x] & _SAFE]
        anywhere = (safe or self.ways)[int(uniform * 1e6) % len(safe or self.ways)]
        doors = [
            (way, cell) for way, cell in self._beside(at, self.ways[:4]) if _closed(kind, cell)
        ]
        if b"In what direction" in message:
            return doors[0][0] if doors else anywhere
        if uniform < 0.05:  # what is stuck in a circle gets out of it
            return anywhere
        stairs = {(x, y) for y, x in np.argwhere(kind & _STAIRS).tolist()}
        way = self._towards(kind, at, stairs)
        if way is not None:
            return way
        if "pickup" in self.number and not has_key:
            if b"You see here" in message and b"key" in message.lower():
                return "pickup"
            keys = {(x, y) for y, x in np.argwhere((glyphs >= 1906) & (glyphs < 2359)).tolist()}
            way = self._towards(kind, at, keys - {at})
            if way is not None:
                return way
        for way, _ in doors:
            if has_key and "apply" in self.number:
                return "apply"
            if b"locked" in message and "kick" in self.number:
                return "kick"
            if "open" in self.number and b"no door" not in message:
                return "open"
            if "apply" not in self.number:
                return way
        shut = {(x, y) for y, x in np.argwhere(kind == _DOOR).tolist()}
        if has_key or "apply" not in self.number:
            beside = {cell for door in shut for _, cell in self._beside(door, self.ways[:4])}
            way = self._towards(kind, at, beside - {at})
            if way is not None:
                return way
        way = self._towards(kind, at, self._frontier(kind) - stood)
        if way is not None:
            return way
        return "search" if "search" in self.number and uniform < 0.6 else anywhere

    def _beside(self, at: Cell, ways: Iterable[str]) -> list[tuple[str, Cell]]:
        cells = ((way, (at[0] + _WAYS[way][0], at[1] + _WAYS[way][1])) for way in ways)
        return [(way, (x, y)) for way, (x, y) in cells if 0 <= x < 79 and 0 <= y < 21]

    def _frontier(self, kind: NDArray[np.uint8]) -> set[Cell]:
        """Cells to walk on that have one beside them of which nothing is seen."""
        blind = np.pad((kind & _BLIND) > 0, 1)
        beside = np.zeros(kind.shape, np.bool_)
        for dx, dy in _WAYS.values():
            beside |= blind[1 + dy : 22 + dy, 1 + dx : 80 + dx]
        return {(x, y) for y, x in np.argwhere((kind & _WALKABLE > 0) & beside).tolist()}

    def _towards(self, kind: NDArray[np.uint8], at: Cell, goals: set[Cell]) -> str | None:
        """The first way of a shortest path to one of ``goals``, None where there is none."""
        if not goals:
            return None
        first: dict[Cell, str] = {at: ""}
        queue = deque([at])
        while queue:
            cell = queue.popleft()
            for way, (x, y) in self._beside(cell, self.ways):
                if (x, y) in first or not kind[y, x] & _WALKABLE:
                    continue
                diagonal = 0 not in _WAYS[way]
                if diagonal and (kind[y, x] | kind[cell[1], cell[0]]) & _DOOR:
                    continue  # nobody steps diagonally through a doorway
                first[x, y] = first[cell] or way
                if (x, y) in goals:
                    return first[x, y]
                queue.append((x, y))
        return None


def _between_walls(kind: NDArray[np.uint8], at: Cell) -> bool:
    x, y = at
    if not (0 < x < 78 and 0 < y < 20):
        return False
    around = kind[y, x - 1], kind[y, x + 1], kind[y - 1, x], kind[y + 1, x]
    walls = [bool(k == _BARRED) for k in around]
    return (walls[0] and walls[1]) or (walls[2] and walls[3])


def _closed(kind: NDArray[np.uint8], cell: Cell) -> bool:
    return bool(kind[cell[1], cell[0]] == _DOOR)


def _keyed(items: NDArray[np.uint8]) -> bool:
    return any(b"key" in item.tobytes().lower() for item in items if item[0])
