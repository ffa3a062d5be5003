"""Levels as pictures: the competition's framing for the classifier, and PNGs for people.

The competition renders a level after its 10 s in black on white, 1024 pixels square with a margin
of 100, zoomed so that the longer side of the blocks' bounds fills what the margin leaves. The same
framing is drawn here at any resolution: the classifier's 32 pixels cost microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.science_birds import blocks, grid
from arena.envs.science_birds.levels import GRID_TYPES, Level

if TYPE_CHECKING:
    from PIL.Image import Image

MARGIN = 100 / 1024
SKIN = 0.01
"""Box2D keeps bodies two skins apart; drawing each with its skin closes the seams."""
SAMPLES = 4
"""A pixel's darkness is the share of covered samples, SAMPLES × SAMPLES of them."""


def outlines(
    level: Level, poses: NDArray[np.float64], *, competition: bool = True
) -> list[NDArray[np.float64]]:
    """The blocks of a level as polygons in world units, at these poses (see ``World.poses``).

    Blocks that are destroyed, pigs, TNT and platforms are left out, as in the competition;
    ``competition`` says which RectSmall the level was simulated with (see ``blocks``).
    """
    shapes = []
    for piece, (x, y, angle) in zip(level.pieces, poses.tolist(), strict=True):
        if piece.tag == "Block" and x == x:
            polygon = blocks.outline(piece.kind, competition=competition)
            polygon = polygon + SKIN * np.sign(polygon)
            c, s = np.cos(angle), np.sin(angle)
            shapes.append(polygon @ np.array([[c, s], [-s, c]]) + (x, y))
    return shapes


def structure_outlines(structure: grid.Structure) -> list[NDArray[np.float64]]:
    """The blocks of a structure as polygons, where the grid has them, before any physics."""
    shapes = []
    for kind, (x, y) in zip(structure.kinds, structure.positions().tolist(), strict=True):
        name, rotation = GRID_TYPES[grid.KINDS[kind]]
        polygon = blocks.outline(name, competition=True)
        polygon = polygon + SKIN * np.sign(polygon)
        shapes.append((polygon if rotation == 0 else polygon[:, ::-1]) + (x, y))
    return shapes


@numba.njit(cache=True)
def _cover(
    points: NDArray[np.float64], starts: NDArray[np.int64], size: int, out: NDArray[np.float32]
) -> None:
    fine = size * SAMPLES
    hit = np.zeros((fine, fine), np.uint8)
    x0, x1 = points[:, 0].min(), points[:, 0].max()
    y0, y1 = points[:, 1].min(), points[:, 1].max()
    scale = fine * (1 - 2 * MARGIN) / max(x1 - x0, y1 - y0)
    shift_x = fine / 2 - scale * (x0 + x1) / 2
    shift_y = fine / 2 + scale * (y0 + y1) / 2
    for k in range(len(starts) - 1):
        first, last = starts[k], starts[k + 1]
        low = high = shift_y - scale * points[first, 1]
        for i in range(first, last):
            y = shift_y - scale * points[i, 1]
            low, high = min(low, y), max(high, y)
        # Convex shapes: a row of samples is covered between two crossings of the outline.
        for row in range(max(0, int(np.ceil(low - 0.5))), min(fine, int(np.ceil(high - 0.5)))):
            at = row + 0.5
            left, right = 1e9, -1e9
            for i in range(first, last):
                j = i + 1 if i + 1 < last else first
                ya, yb = shift_y - scale * points[i, 1], shift_y - scale * points[j, 1]
                if (ya <= at) != (yb <= at):
                    xa, xb = shift_x + scale * points[i, 0], shift_x + scale * points[j, 0]
                    x = xa + (at - ya) / (yb - ya) * (xb - xa)
                    left, right = min(left, x), max(right, x)
            for column in range(
                max(0, int(np.ceil(left - 0.5))), min(fine, int(np.ceil(right - 0.5)))
            ):
                hit[row, column] = 1
    for i in range(size):
        for j in range(size):
            count = 0
            for a in range(SAMPLES):
                for b in range(SAMPLES):
                    count += hit[i * SAMPLES + a, j * SAMPLES + b]
            out[i, j] = count / (SAMPLES * SAMPLES)


def render(shapes: Sequence[NDArray[np.float64]], size: int) -> NDArray[np.float32]:
    """Convex polygons in the competition's framing, float32 ``(size, size)``: 0 white, 1 black.

    No shapes give a white picture.
    """
    out = np.zeros((size, size), np.float32)
    if shapes:
        starts = np.cumsum([0, *map(len, shapes)])
        _cover(np.concatenate(list(shapes)), starts, size, out)
    return out


def competition_image(shapes: Sequence[NDArray[np.float64]], size: int = 1024) -> Image:
    """The competition's picture of a level: black blocks on white, ``size`` pixels square."""
    from PIL import Image

    return Image.fromarray(np.uint8(np.round(255 * (1 - render(shapes, size)))))


_COLOURS = {"wood": (205, 147, 82), "stone": (150, 150, 155), "ice": (160, 215, 240)}
_OTHERS = {"Pig": (110, 190, 80), "TNT": (200, 60, 50), "Platform": (90, 70, 60)}


def level_image(
    level: Level, poses: NDArray[np.float64], *, competition: bool = True, width: int = 640
) -> Image:
    """A level in colour, with ground and slingshot, as wide as its pieces with some air around."""
    from PIL import Image, ImageDraw

    standing = poses[~np.isnan(poses[:, 0])]
    xs = [*standing[:, 0], level.slingshot[0]] if len(level.pieces) == 0 else list(standing[:, 0])
    left, right = min(xs, default=0.0) - 1.2, max(xs, default=0.0) + 1.2
    top = max(standing[:, 1].max(initial=-3.0) + 1.2, -2.0)
    scale = width / (right - left)
    height = round((top + 3.9) * scale)
    image = Image.new("RGB", (width, height), (222, 238, 250))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, (top + 3.5) * scale, width, height), fill=(120, 160, 90))
    for piece, (x, y, angle) in zip(level.pieces, poses.tolist(), strict=True):
        if x != x:
            continue
        if piece.tag == "Platform":
            w, h = blocks.PLATFORM[0] * piece.scale[0] / 2, blocks.PLATFORM[1] * piece.scale[1] / 2
            polygon = np.array([(-w, -h), (w, -h), (w, h), (-w, h)])
        else:
            polygon = blocks.outline(piece.kind or "TNT", competition=competition)
        c, s = np.cos(angle), np.sin(angle)
        points = polygon @ np.array([[c, s], [-s, c]]) + (x, y)
        fill = _COLOURS[piece.material] if piece.tag == "Block" else _OTHERS[piece.tag]
        pixels = [((px - left) * scale, (top - py) * scale) for px, py in points.tolist()]
        draw.polygon(pixels, fill=fill, outline=(60, 45, 30))
    return image


def contact_sheet(pictures: Sequence[Sequence[Image]], size: int = 96) -> Image:
    """Pictures in rows on one sheet, each ``size`` pixels square with a thin gap."""
    from PIL import Image

    columns = max(map(len, pictures))
    step = size + 4
    sheet = Image.new("L", (columns * step + 4, len(pictures) * step + 4), 200)
    for i, row in enumerate(pictures):
        for j, picture in enumerate(row):
            sheet.paste(picture.convert("L").resize((size, size)), (4 + j * step, 4 + i * step))
    return sheet
