"""A frame of Hold'em as a picture (see ``frames`` and ``arena.envs.pictures``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from arena.envs import pictures

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_ROOM, _FELT, _RIM = (38, 42, 48), (28, 96, 66), (92, 62, 40)
_SUITS = {"c": (40, 130, 60), "d": (40, 80, 190), "h": (190, 40, 40), "s": (25, 25, 25)}
_CARD = (28, 38)


def picture(frame: dict[str, Any]) -> pictures.Picture:
    """The table from above, seat 0 at the bottom, seats clockwise."""
    return pictures.draw(lambda canvas: _paint(canvas, frame), _ROOM)


def _paint(canvas: ImageDraw, frame: dict[str, Any]) -> None:
    canvas.ellipse((90, 90, 550, 390), _FELT, _RIM, 8)
    unit = frame["big_blind"]
    middle = (pictures.WIDTH // 2, pictures.HEIGHT // 2)
    board = frame["board"]
    for place, card in enumerate(board):
        _card(canvas, (middle[0] - 80 + 32 * place, middle[1] - 30), card)
    pot = f"{frame['street']}   pot {frame['pot'] / unit:g}"
    canvas.text((middle[0], middle[1] + 24), pot, (235, 235, 225), pictures.font(14), "mm")
    if frame["last"]:
        said = f"seat {frame['last']['seat']} {frame['last']['words']}"
        canvas.text((middle[0], middle[1] + 46), said, (200, 210, 200), pictures.font(13), "mm")
    for seat, player in enumerate(frame["seats"]):
        angle = math.pi / 2 + 2 * math.pi * seat / len(frame["seats"])
        _seat(canvas, frame, seat, player, (math.cos(angle), math.sin(angle)))


def _seat(
    canvas: ImageDraw,
    frame: dict[str, Any],
    seat: int,
    player: dict[str, Any],
    toward: tuple[float, float],
) -> None:
    x, y = 320 + 252 * toward[0], 236 + 186 * toward[1]
    ink = (130, 130, 130) if player["folded"] else (240, 240, 235)
    for place, card in enumerate(player["cards"] or ()):
        if not player["folded"]:
            _card(canvas, (x - 30 + 32 * place, y - 34), card)
    acting = frame["to_act"] == seat
    canvas.rounded_rectangle((x - 48, y + 6, x + 48, y + 42), 6, (200, 150, 40) if acting else _RIM)
    name = f"{seat} {player['position'] or 'out'}"
    state = "all-in" if player["all_in"] else f"{player['stack'] / frame['big_blind']:g}"
    canvas.text((x, y + 15), name, ink, pictures.font(12), "mm")
    canvas.text((x, y + 32), state, ink, pictures.font(13), "mm")
    if player["bet"]:
        at = (320 + 160 * toward[0], 238 + 104 * toward[1])
        bet = f"{player['bet'] / frame['big_blind']:g}"
        canvas.text(at, bet, (250, 220, 110), pictures.font(14), "mm")
    if frame["button"] == seat:
        at = (320 + 196 * toward[0] + 22, 238 + 128 * toward[1])
        canvas.ellipse((at[0] - 8, at[1] - 8, at[0] + 8, at[1] + 8), (245, 245, 245))
        canvas.text(at, "D", (20, 20, 20), pictures.font(11), "mm")


def _card(canvas: ImageDraw, corner: tuple[float, float], card: str) -> None:
    x, y = corner
    hidden = card == "??"
    box = (x, y, x + _CARD[0], y + _CARD[1])
    canvas.rounded_rectangle(box, 4, (120, 40, 50) if hidden else (250, 250, 245))
    if not hidden:
        middle = (x + _CARD[0] / 2, y + _CARD[1] / 2)
        canvas.text(middle, card, _SUITS[card[1]], pictures.font(17), "mm")
