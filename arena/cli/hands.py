"""Hand histories of others (PHH, ACPC) on the command line: told in words, checked, converted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from arena.cli.console import meter
from arena.envs.errors import InputError
from arena.envs.holdem import cards, notation
from arena.envs.holdem.history import Action, HandHistory


def show(path: Path, number: int | None) -> int:
    """Tell all hands of a file, or hand ``number`` (from 0)."""
    hands = notation.read(path)
    if number is not None and not 0 <= number < len(hands):
        raise InputError(f"{path} has no hand {number}; its hands are 0 to {len(hands) - 1}")
    for hand in hands if number is None else [hands[number]]:
        print("\n".join(_lines(hand)))
    return 0


def _lines(hand: HandHistory) -> Iterator[str]:
    seats = range(len(hand.stacks))
    names = hand.players or tuple(f"p{seat + 1}" for seat in seats)
    yield hand.where
    yield "  " + ", ".join(f"{names[seat]} {hand.stacks[seat]}" for seat in seats)
    for action in hand.actions:
        yield "  " + _words(action, names)
    if hand.finishing is not None:
        gains = (end - start for end, start in zip(hand.finishing, hand.stacks, strict=True))
        yield "  " + ", ".join(f"{name} {gain:+}" for name, gain in zip(names, gains, strict=True))


def _words(action: Action, names: tuple[str, ...]) -> str:
    held = cards.names(action.cards)
    if action.verb == "board":
        return f"board: {held}"
    what = {
        "hole": f"is dealt {held}",
        "fold": "folds",
        "call": "checks or calls",
        "raise": f"bets or raises to {action.amount}",
        "show": f"shows {held}",
        "muck": "mucks",
    }
    return f"{names[action.seat]} {what[action.verb]}"


def verify(path: Path) -> int:
    """Play all hands of a file again; exit code 1 where one does not come out to the chip."""
    with meter("replaying") as progress:
        checked = notation.verify_file(path)
        progress.update(checked.hands, checked.hands)
    for fault in checked.faults:
        print(fault)
    untold = checked.hands - checked.exact - len(checked.faults)
    note = f"; {untold} state no result to compare with" if untold else ""
    print(f"{checked.hands} hands replayed: {checked.exact} came out to the chip{note}")
    return 1 if checked.faults else 0


def export(path: Path, output: Path) -> int:
    """Write a file of hands in another format."""
    hands = notation.read(path)
    notation.write(output, hands)
    print(f"wrote {len(hands)} hands to {output}")
    return 0
