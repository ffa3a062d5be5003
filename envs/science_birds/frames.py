"""What a replay shows: the level as it is built, and how it falls, as plain JSON-able values.

Lengths are world units, angles radians. A ``shape`` is a collider's outline around its origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.envs.science_birds import blocks, grid, levels
from arena.envs.science_birds.assessment import Assessment
from arena.envs.science_birds.similarity import LETTERS
from arena.envs.science_birds.simulation import GROUND_TOP, Body, World, judge


def level_frame(
    letter: str,
    trial: int,
    drops: grid.Program,
    assessed: Sequence[Assessment],
    fallen: grid.Program | None,
) -> dict[str, Any]:
    """One moment of an episode.

    Args:
        letter: what is to be built.
        trial: the number of the level being built, from 0.
        drops: the level so far.
        assessed: what the finished levels came to.
        fallen: the program of a level that has just been finished, whose fall is shown.

    Keys: ``letter``, ``trial``, ``ground`` (its height), ``pieces`` and ``poses`` of the level
    being built, ``results`` (a row for each finished level: ``stability``, ``similarity``,
    ``reads``, ``failure``) and, after a level was finished, ``fall`` (see ``fall``).
    """
    structure = grid.build(drops)
    level = None if isinstance(structure, str) else levels.from_structure(structure)
    pieces = level.pieces if level is not None else ()
    frame: dict[str, Any] = {
        "letter": letter,
        "trial": trial,
        "ground": GROUND_TOP,
        "pieces": [piece_value(piece) for piece in pieces],
        "poses": [
            [round(p.x, 4), round(p.y, 4), round(float(np.radians(p.rotation)), 4)] for p in pieces
        ],
        "results": [
            {
                "stability": round(a.stability, 4),
                "similarity": round(a.similarity(letter), 4),
                "reads": LETTERS[int(a.probabilities.argmax())] if not a.failure else "",
                "failure": a.failure,
            }
            for a in assessed
        ],
    }
    if fallen is not None and not assessed[-1].failure:
        built = grid.build(fallen)
        assert isinstance(built, grid.Structure)
        frame["fall"] = fall(levels.from_structure(built))
    return frame


class Film:
    """Watches a world (see ``World.run``) and keeps what it sees.

    ``value()`` has ``pieces``, ``seconds`` of each frame, ``poses`` (frame × piece: x, y, angle, or
    null for what is destroyed), ``life`` (frame × piece: share of life left, or null) and ``bird``
    (the pose of a bird in flight, or null).
    """

    def __init__(self, level: levels.Level) -> None:
        self.level = level
        self.competition = True
        self.seconds: list[float] = []
        self.poses: list[list[list[float] | None]] = []
        self.life: list[list[float | None]] = []
        self.bird: list[list[float] | None] = []

    def __call__(self, world: World) -> None:
        """Keep a frame."""
        self.competition = world.competition
        self.seconds.append(round(world.time, 2))
        self.poses.append([_pose(body) for body in world.bodies])
        self.life.append([_life_left(body) for body in world.bodies])
        self.bird.append(None if world.flying is None else _pose(world.flying))

    def value(self) -> dict[str, Any]:
        """All of it as JSON-able values."""
        return {
            "pieces": [piece_value(p, competition=self.competition) for p in self.level.pieces],
            "seconds": self.seconds,
            "poses": self.poses,
            "life": self.life,
            "bird": self.bird,
        }


def fall(level: levels.Level) -> dict[str, Any]:
    """A level's fall as it is judged, ten frames a second until it rests (see ``Film``)."""
    film = Film(level)
    judge(level, watch=film)
    return film.value()


def shots(level: levels.Level, pulls: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Birds shot one after the other: each a film, with ``points`` and ``pigs`` left after it."""
    world = World(level)
    out: list[dict[str, Any]] = []
    for pull in pulls:
        film = Film(level)
        world.shoot(pull, film)
        out.append({**film.value(), "points": world.points, "pigs": world.pigs_left()})
    return out


def _pose(body: Body) -> list[float] | None:
    if not body.alive:
        return None
    x, y = body.handle.position
    return [round(x, 4), round(y, 4), round(body.handle.angle, 4)]


def _life_left(body: Body) -> float | None:
    if not body.alive or body.life is None:
        return None
    return round(max(0.0, body.life / body.whole), 3)


def piece_value(piece: levels.Piece, *, competition: bool = True) -> dict[str, Any]:
    """A piece's tag, kind, material and outline."""
    if piece.tag == "Platform":
        w, h = (side * scale / 2 for side, scale in zip(blocks.PLATFORM, piece.scale, strict=True))
        shape = [[-w, -h], [w, -h], [w, h], [-w, h]]
    else:
        shape = blocks.outline(piece.kind or "TNT", competition=competition).tolist()
    return {"tag": piece.tag, "kind": piece.kind, "material": piece.material, "shape": shape}
