"""Hand histories of a PHH or ACPC file as steps to look at, played by our own engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from arena.envs.errors import InputError
from arena.envs.holdem import cards, rules
from arena.envs.holdem.game import Holdem
from arena.envs.holdem.history import HandHistory
from arena.envs.holdem.notation import replay, survey
from arena.envs.holdem.tables import HoldemTables
from arena.viewer.library import NotFound

PAGE = 100
"""How many hands a page of the list has."""


class Hands:
    """The hands of one file. Raises InputError where it cannot be read or understood."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.histories, self.faults = survey(path)

    def facts(self) -> dict[str, Any]:
        """What the list's page says of the file."""
        names = sorted({name for hand in self.histories for name in _names(hand)})
        return {
            "file": self.name,
            "hands": len(self.histories),
            "players": names,
            "left_out": len(self.faults),
            "reasons": [str(fault) for fault in self.faults[:PAGE]],
        }

    def page(self, page: int, player: str | None = None) -> dict[str, Any]:
        """A page of the list: all hands, or those with ``player`` at the table."""
        chosen = [
            (number, hand)
            for number, hand in enumerate(self.histories)
            if player is None or player in _names(hand)
        ]
        return {
            "total": len(chosen),
            "page": page,
            "pages": max(1, -(-len(chosen) // PAGE)),
            "hands": [
                _row(number, hand) for number, hand in chosen[page * PAGE : (page + 1) * PAGE]
            ],
        }

    def show(self, number: int, seat: int | None = None) -> dict[str, Any]:
        """One hand as ``episodes.show`` has an episode.

        Raises NotFound where there is no such hand and InputError where it breaks the rules.
        """
        if not 0 <= number < len(self.histories):
            raise NotFound(
                f"{self.name} has no hand {number + 1}; it holds {len(self.histories)} hands."
            )
        hand = self.histories[number]
        replay([hand])
        names = _names(hand)
        seats = range(len(names))
        if seat is not None and seat not in seats:
            raise NotFound(f"hand {number + 1} of {self.name} has no seat {seat}.")
        steps, tables = _steps(hand, seat)
        net = tables.hands["stacks"][0] - tables.hands["starting"][0]
        return {
            "hand": number,
            "hands": len(self.histories),
            "file": self.name,
            "title": "" if hand.number is None else str(hand.number),
            "game": "holdem",
            "drawing": "holdem",
            "unit": "chips",
            "view": seat,
            "seats": [{"key": f"p{s + 1}", "name": names[s], "spec": f"p{s + 1}"} for s in seats],
            "returns": [float(net[s] * hand.chip) for s in seats],
            "statuses": ["done"] * len(names),
            "steps": steps,
        }


def _names(hand: HandHistory) -> tuple[str, ...]:
    return hand.players or tuple(f"p{seat + 1}" for seat in range(len(hand.stacks)))


def _row(number: int, hand: HandHistory) -> dict[str, Any]:
    nets = None
    if hand.finishing is not None:
        pairs = zip(hand.finishing, hand.stacks, strict=True)
        nets = [float((after - before) * hand.chip) for after, before in pairs]
    board = [card for action in hand.actions if action.verb == "board" for card in action.cards]
    return {
        "number": number,
        "title": "" if hand.number is None else str(hand.number),
        "players": _names(hand),
        "board": [cards.name(card) for card in board],
        "net": nets,
    }


def _steps(hand: HandHistory, seat: int | None) -> tuple[list[dict[str, Any]], HoldemTables]:
    """The hand's steps, and the table after the last."""
    seats = len(hand.stacks)
    game = Holdem(seats=seats, ante_by="each" if hand.trimmed else "big_blind")
    tables = game.tables(1)
    here = np.zeros(1, np.int64)
    tables.deal(
        here,
        stacks=np.array(hand.stacks),
        blinds=np.array(hand.blinds),
        antes=np.array(hand.antes),
        decks=np.array(_deck(hand)),
        button=seats - 1,
        min_bet=hand.min_bet,
    )
    record = tables.hands[0]
    steps = []
    for verb, actor, total, _ in hand.actions:
        if verb not in ("fold", "call", "raise"):
            continue
        move = {"fold": rules.FOLD, "call": rules.CALL}.get(verb, total)
        steps.append(
            {
                "frame": tables.frame(0, seat),
                "decisions": [{"seat": actor, "label": _label(tables, actor, move)}],
            }
        )
        # Histories hold folds where one could check: the engine's moves, not its menu, replay them.
        rules.play(record, move)
        tables.done[0] = record["actor"] == rules.OVER
    steps.append({"frame": tables.frame(0, seat), "decisions": []})
    return steps, tables


def _label(tables: HoldemTables, seat: int, move: int) -> str:
    if move == rules.FOLD:
        return "fold"
    action = 1 if move == rules.CALL else len(tables.game.menu) + 3 + move
    return tables.describe(0, seat, action)


def _deck(hand: HandHistory) -> list[int]:
    """Holes by seat, then the board, UNKNOWN for what is not told."""
    holes = [[cards.UNKNOWN] * 2 for _ in hand.stacks]
    board: list[int] = []
    for verb, seat, _, dealt in hand.actions:
        if verb == "board":
            board += dealt
        elif verb in ("hole", "show") and len(dealt) == 2 and cards.UNKNOWN in holes[seat]:
            holes[seat] = list(dealt)
    if len(board) > 5:
        raise InputError(f"{hand.where}: the board has {len(board)} cards")
    return [card for hole in holes for card in hole] + board + [cards.UNKNOWN] * (5 - len(board))
