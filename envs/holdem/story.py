"""A hand as somebody tells it who saw all cards: what is dealt, shown and won between decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from arena.envs.holdem.history import STREETS
from arena.envs.holdem.rules import BOARD_CARDS
from arena.envs.holdem.text import amount


def story(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, names: Sequence[str]
) -> Iterator[str]:
    """What is new in a frame (``arena.envs.holdem.frames``) beside the decision, a line each.

    Args:
        before: the frame before that decision; None at the beginning.
        names: of the seats.
    """
    unit = now["big_blind"]
    if before is None or now["hand"] != before["hand"]:
        if before is not None:
            yield from _paid(now, before, names)
        yield from _dealt(now, names)
        return
    for street, (old, new) in enumerate(pairwise(BOARD_CARDS), 1):
        if len(before["board"]) <= old < len(now["board"]):
            pot = f", pot {amount(now['pot'], unit)}" if old == len(before["board"]) else ""
            yield f"{STREETS[street]}: {' '.join(now['board'][old:new])}{pot}"
    for seat, kind in (now["result"] or {"shown": {}})["shown"].items():
        held = now["seats"][int(seat)]["cards"]
        yield f"{names[int(seat)]} shows {' '.join(held)}: {kind}"


def _dealt(now: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    unit = now["big_blind"]
    of_many = f"hand {now['hand']} of {now['hands']}, " if now["hands"] > 1 else ""
    yield f"{of_many}amounts are in big blinds of {unit} chips"
    for name, seat in zip(names, now["seats"], strict=True):
        if seat["position"] is None:
            yield f"{name}: out"
        else:
            posts = f", posts {amount(seat['committed'], unit)}" if seat["committed"] else ""
            stack = amount(seat["stack"] + seat["committed"], unit)
            yield f"{name}: {seat['position']}, {stack}, holds {' '.join(seat['cards'])}{posts}"


def _paid(now: Mapping[str, Any], before: Mapping[str, Any], names: Sequence[str]) -> Iterator[str]:
    """What the hand before brought, of which no frame shows the end."""
    gained = [new - old for new, old in zip(now["won"], before["won"], strict=True)]
    unit = before["big_blind"]
    won = [f"{who} {_signed(net, unit)}" for who, net in zip(names, gained, strict=True) if net]
    yield f"hand {before['hand']} is over: {', '.join(won) or 'nobody wins'}"


def _signed(chips: int, unit: int) -> str:
    return ("+" if chips > 0 else "-") + amount(abs(chips), unit)
