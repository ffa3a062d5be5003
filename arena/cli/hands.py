"""Hand histories of others (PHH, ACPC) on the command line: told in words, checked, converted."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from arena.cli.console import meter, tell
from arena.envs.errors import InputError
from arena.envs.holdem import cards, notation
from arena.envs.holdem.history import Action, HandHistory

_REASONS = 10  # that are told of hands that are left out


def show(path: Path, number: int | None, *, strict: bool) -> int:
    """Tell all hands of a file, or hand ``number`` (from 0)."""
    hands = _read(path, strict)
    if number is not None and not 0 <= number < len(hands):
        raise InputError(f"{path} has no hand {number}; its hands are 0 to {len(hands) - 1}")
    for hand in hands if number is None else [hands[number]]:
        tell("\n".join(_lines(hand)))
    return 0


def _read(path: Path, strict: bool) -> list[HandHistory]:
    """The hands of a file; the others are counted on stderr, or refused where ``strict``."""
    if strict:
        return notation.read(path)
    hands, faults = notation.survey(path)
    for line in _left_out(faults):
        print(line, file=sys.stderr)
    return hands


def _left_out(faults: Sequence[InputError]) -> Iterator[str]:
    """How many hands of a file are left out, and why: each reason once, with the first place."""
    if not faults:
        return
    yield f"{len(faults)} hands are left out (--strict refuses the file):"
    reasons = Counter(str(fault).partition(": ")[2] or str(fault) for fault in faults)
    for reason, count in reasons.most_common(_REASONS):
        first = next(fault for fault in map(str, faults) if fault.endswith(reason))
        yield f"  {count} x: {first}"
    if len(reasons) > _REASONS:
        yield f"  and {len(reasons) - _REASONS} other reasons"


def _lines(hand: HandHistory) -> Iterator[str]:
    seats = range(len(hand.stacks))
    names = hand.players or tuple(f"p{seat + 1}" for seat in seats)
    yield hand.where
    yield "  " + ", ".join(f"{names[seat]} {_stack(hand, seat)}" for seat in seats)
    for action in hand.actions:
        yield "  " + _words(action, names)
    if hand.finishing is not None:
        gains = (end - start for end, start in zip(hand.finishing, hand.stacks, strict=True))
        yield "  " + ", ".join(f"{name} {gain:+}" for name, gain in zip(names, gains, strict=True))


def _stack(hand: HandHistory, seat: int) -> str:
    return "all chips" if seat in hand.endless else str(hand.stacks[seat])


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


def verify(path: Path, *, strict: bool) -> int:
    """Play all hands of a file again; exit code 1 where one does not come out to the chip."""
    with meter(f"replaying {path.name}"):
        checked = notation.verify_file(path, strict=strict)
    for mismatch in checked.mismatches:
        print(mismatch)
    for line in _left_out(checked.faults):
        print(line)
    untold = checked.hands - checked.exact - len(checked.mismatches)
    note = f"; {untold} state no result to compare with" if untold else ""
    print(f"{checked.hands} hands replayed: {checked.exact} came out to the chip{note}")
    return 1 if checked.mismatches else 0


def export(path: Path, output: Path, *, strict: bool) -> int:
    """Write a file of hands in another format."""
    hands = _read(path, strict)
    notation.write(output, hands)
    print(f"wrote {len(hands)} hands to {output}")
    return 0
