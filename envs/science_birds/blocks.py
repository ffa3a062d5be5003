"""What Science Birds' levels are made of: colliders, materials, life. Facts of its prefabs.

Lengths are world units; polygons are listed counter-clockwise around the body's origin.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRICTION: dict[str, float] = {"wood": 4.0, "stone": 4.0, "ice": 0.74}
LIFE: dict[str, float] = {"wood": 5.0, "stone": 10.0, "ice": 2.5}
DEFAULT_FRICTION = 0.4
"""Of the ground, platforms, pigs, birds and TNT, whose colliders carry no material."""

BOXES: dict[str, tuple[float, float]] = {
    "RectBig": (2.06, 0.22),
    "RectMedium": (1.68, 0.22),
    "RectSmall": (0.85, 0.22),
    "RectTiny": (0.43, 0.22),
    "RectFat": (0.85, 0.43),
    "SquareHole": (0.84, 0.84),
    "SquareSmall": (0.43, 0.43),
    "SquareTiny": (0.22, 0.21),
}
COMPETITION_RECT_SMALL = (0.70, 0.22)
"""RectSmall in the competition's evaluator: shortened, so that it fits three cells of the grid."""

PLATFORM = (0.64, 0.64)
TNT = (0.66, 0.66)

Outline = tuple[tuple[float, float], ...]

POLYGONS: dict[str, Outline] = {
    "Circle": (
        (-0.17, -0.375), (0.16, -0.375), (0.38, -0.205), (0.38, 0.145), (0.33, 0.235),
        (0.19, 0.375), (-0.17, 0.375), (-0.21, 0.345), (-0.35, 0.195), (-0.38, 0.145),
        (-0.38, -0.075), (-0.35, -0.235),
    ),
    "CircleSmall": (
        (-0.11, -0.21), (0.0635, -0.207), (0.2009, -0.09), (0.2009, 0.0991), (0.0596, 0.2039),
        (-0.0913, 0.2039), (-0.21, 0.0591), (-0.1978, -0.0756),
    ),
    "Triangle": (
        (-0.4, -0.41), (0.41, -0.41), (0.4243, -0.3916), (-0.36, 0.41), (-0.39, 0.41),
        (-0.41, 0.39), (-0.41, -0.4),
    ),
    "TriangleHole": (
        (-0.42, -0.42), (0.42, -0.42), (0.42, -0.27), (0.04, 0.42), (-0.04, 0.42), (-0.42, -0.26),
    ),
}  # fmt: skip
TRIANGLE_HOLE_AREA = 0.0230
"""Nothing can get at the hole of TriangleHole, so it only makes the block lighter."""

BLOCKS = (*BOXES, *POLYGONS)

PIGS: dict[str, Outline] = {
    "BasicSmall": (
        (-0.165, -0.225), (0.215, -0.225), (0.235, -0.175), (0.235, 0.115), (0.115, 0.225),
        (-0.165, 0.225), (-0.235, 0.105), (-0.235, -0.175),
    ),
    "BasicMedium": (
        (-0.2, -0.38), (0.2, -0.38), (0.3, -0.35), (0.39, -0.23), (0.39, 0.07), (0.3, 0.26),
        (0.26, 0.37), (0.01, 0.38), (-0.13, 0.38), (-0.26, 0.22), (-0.39, 0.05), (-0.39, -0.21),
        (-0.33, -0.33),
    ),
    "BasicBig": (
        (-0.245, -0.485), (0.245, -0.485), (0.365, -0.435), (0.495, -0.265), (0.495, 0.065),
        (0.395, 0.305), (0.315, 0.455), (-0.025, 0.485), (-0.195, 0.485), (-0.495, 0.095),
        (-0.495, -0.295), (-0.345, -0.445),
    ),
}  # fmt: skip
PIG_MASS: dict[str, float] = {"BasicSmall": 0.1, "BasicMedium": 1.0, "BasicBig": 1.0}
PIG_LIFE: dict[str, float] = {"BasicSmall": 2.0, "BasicMedium": 4.0, "BasicBig": 6.0}
PIG_GRAVITY: dict[str, float] = {"BasicSmall": 0.5, "BasicMedium": 1.0, "BasicBig": 1.0}

BIRDS = ("BirdRed", "BirdBlue", "BirdYellow", "BirdBlack", "BirdWhite")
"""What a level may list; only BirdRed's flight is simulated, the others have special powers."""

BIRD_RED: Outline = (
    (-0.14, -0.225), (0.16, -0.225), (0.23, -0.155), (0.23, 0.035), (0.21, 0.085), (0.06, 0.225),
    (-0.09, 0.225), (-0.23, 0.075), (-0.23, -0.065),
)  # fmt: skip
BIRD_RED_MASS = 0.5
LAUNCH_IMPULSE = 5.0
"""Impulse of a launch for each unit that the bird was pulled back."""
LAUNCH_GRAVITY = 0.48
LONGEST_PULL = 1.0
SLINGSHOT_HOLD = (-0.15, 0.8)
"""Where the bird sits, seen from the slingshot's position."""

TNT_LIFE = 2.0
EXPLOSION_RADIUS, EXPLOSION_POWER, EXPLOSION_DAMAGE = 2.0, 3.0, 3.0

LEVEL_WIDTH = 17.5
"""World units for each unit of ``Level width``; what leaves the level's width is destroyed."""


def outline(kind: str, *, competition: bool = False) -> NDArray[np.float64]:
    """The collider of a block, pig, TNT or bird as a convex polygon, float64 ``(vertices, 2)``.

    With ``competition`` RectSmall has the length of the competition's evaluator.
    """
    if kind in POLYGONS:
        return np.array(POLYGONS[kind])
    if kind in PIGS:
        return np.array(PIGS[kind])
    if kind == "BirdRed":
        return np.array(BIRD_RED)
    if kind == "TNT":
        w, h = TNT
    elif kind == "RectSmall" and competition:
        w, h = COMPETITION_RECT_SMALL
    else:
        w, h = BOXES[kind]
    return np.array([(-w, -h), (w, -h), (w, h), (-w, h)]) / 2
