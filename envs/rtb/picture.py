"""A frame of a market as a picture (see ``frames`` and ``arena.envs.pictures``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arena.envs import pictures

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_LEFT, _RIGHT = 60, 610


def picture(frame: dict[str, Any]) -> pictures.Picture:
    """Above what is left of the budgets beside the time; below the last tick's bids and prices.

    Each bidder has its colour in both. Prices that were to be beaten are black steps.
    """
    return pictures.draw(lambda canvas: _paint(canvas, frame))


def _paint(canvas: ImageDraw, frame: dict[str, Any]) -> None:
    heading = f"tick {frame['tick']} of {frame['ticks']}, {frame['mechanism']} price"
    canvas.text((_LEFT, 10), heading, pictures.INK, pictures.font(15))
    canvas.rectangle((_LEFT, 34, _RIGHT, 38), pictures.GREY)
    canvas.rectangle(
        (_LEFT, 34, _LEFT + (_RIGHT - _LEFT) * frame["tick"] / frame["ticks"], 38), pictures.INK
    )
    known = [bidder for bidder in frame["bidders"] if "score" in bidder][:8]
    for row, bidder in enumerate(known):
        _bidder(canvas, 48 + 24 * row, bidder)
    if frame["last"] is not None:
        _auctions(canvas, frame["last"])


def _bidder(canvas: ImageDraw, y: int, bidder: dict[str, Any]) -> None:
    colour = pictures.PALETTE[bidder["seat"] % len(pictures.PALETTE)]
    canvas.text((10, y + 2), bidder["label"][:6], colour, pictures.font(12))
    canvas.rectangle((_LEFT, y, _RIGHT, y + 16), outline=pictures.GREY)
    left = 1.0 if bidder["budget"] is None else bidder["left"] / bidder["budget"]
    canvas.rectangle((_LEFT, y, _LEFT + (_RIGHT - _LEFT) * left, y + 16), colour)
    told = f"won {bidder['impressions']:g}   score {bidder['score']:.4g}"
    canvas.text((_LEFT + 6, y + 8), told, pictures.INK, pictures.font(12), "lm")


def _auctions(canvas: ImageDraw, last: dict[str, Any]) -> None:
    top, bottom = 250, 460
    bids = [(seat, row) for seat, row in enumerate(last["bids"]) if row is not None]
    prices = last["prices"] or []
    highest = max([1e-9, *prices, *(bid for _, row in bids for bid in row)])
    count = max(len(row) for _, row in bids)
    step = (_RIGHT - _LEFT) / count

    def height(price: float) -> float:
        return bottom - (bottom - top) * price / float(highest)

    canvas.line((_LEFT, bottom, _RIGHT, bottom), pictures.GREY)
    canvas.text((10, top), f"{highest:.4g}", pictures.INK, pictures.font(12), "lm")
    for at, price in enumerate(prices):
        ends = (_LEFT + step * at, height(price), _LEFT + step * (at + 1), height(price))
        canvas.line(ends, pictures.INK, 2)
    for seat, row in bids:
        colour = pictures.PALETTE[seat % len(pictures.PALETTE)]
        for at, bid in enumerate(row):
            x, y = _LEFT + step * (at + 0.5), height(bid)
            won = last["slots"][seat][at] > 0
            canvas.ellipse((x - 4, y - 4, x + 4, y + 4), colour if won else None, colour)
