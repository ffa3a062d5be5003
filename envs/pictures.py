"""What is seen at a table as a picture of one size, for videos and windows.

Drawing needs Pillow (``pip install -e '.[render]'``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, HEIGHT = 640, 480
Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

PAPER, INK, GREY = (250, 250, 247), (30, 34, 40), (150, 155, 160)
PALETTE: tuple[Colour, ...] = (
    (31, 119, 180),
    (214, 95, 32),
    (44, 140, 60),
    (180, 50, 60),
    (130, 90, 170),
    (120, 80, 60),
    (210, 110, 170),
    (90, 90, 90),
)


def draw(paint: Callable[[ImageDraw], None], ground: Colour = PAPER) -> Picture:
    """What ``paint`` paints on ``ground``, uint8 ``(480, 640, 3)``."""
    module, drawing = _pillow()
    image = module.new("RGB", (WIDTH, HEIGHT), ground)
    paint(drawing.Draw(image))
    return np.asarray(image)


def words(text: str) -> Picture:
    """A text in small type, as much of it as there is room for."""
    lines = [part for line in text.split("\n") for part in wrap(line, 104) or [""]]
    shown = "\n".join(lines[:38]).encode("latin-1", "replace").decode("latin-1")
    return draw(lambda canvas: canvas.multiline_text((8, 8), shown, INK, small(), spacing=1))


def fitted(image: Image, ground: Colour = (255, 255, 255)) -> Picture:
    """A picture of another size, in the middle of one of ours."""
    module, _ = _pillow()
    scale = min(WIDTH / image.width, HEIGHT / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = module.new("RGB", (WIDTH, HEIGHT), ground)
    canvas.paste(image.resize(size), ((WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2))
    return np.asarray(canvas)


@cache
def font(size: int) -> Any:
    """Pillow's own type at a size in pixels."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


@cache
def small() -> Any:
    """Type of one width, 6 by 11 pixels, for what is in Latin-1."""
    from PIL import ImageFont

    return ImageFont.load_default_imagefont()


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise InputError("pictures need Pillow: pip install -e '.[render]'") from error
    return Image, ImageDraw
