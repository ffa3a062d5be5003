"""Programs in words: the function calls that language models write, and the way back.

The grammar is the competition's: the last block fenced by three backquotes counts, and in it the
calls ``drop_block('b31', 5)``, whatever stands between them.
"""

from __future__ import annotations

import re

from arena.envs.errors import InputError
from arena.envs.science_birds import grid
from arena.envs.science_birds.grid import KINDS, WIDTH, Program

_FENCED = re.compile(r"```([^`]+)```")
FUNCTIONS = {1: "ab_drop", 2: "drop_block"}
"""What a block is dropped by in each edition of the competition."""

_CALLS = {
    name: re.compile(rf"{name}\((['\"])(b[13][13])\1, *(\d+)\)", re.IGNORECASE | re.ASCII)
    for name in FUNCTIONS.values()
}
_CALL = _CALLS["drop_block"]

RULES = f"""\
You build a level of blocks that looks like a capital letter and stands.
The grid has {WIDTH} columns (slots 0 to {WIDTH - 1}) and {grid.HEIGHT} rows. Blocks:
b11 is 1 wide and 1 high, b13 is 1 wide and 3 high, b31 is 3 wide and 1 high.
drop_block('b31', 5) drops a b31 whose centre is in slot 5; a block falls straight down until
something is below it. A block that sticks out of the grid spoils the whole level.
Afterwards gravity acts for ten seconds: blocks that are not supported fall."""


def write_drop(action: int) -> str:
    """``drop_block('b31', 5)`` for the drop with that number."""
    return f"drop_block('{KINDS[action // WIDTH]}', {action % WIDTH})"


def write_program(drops: Program) -> str:
    """A program as a fenced block of calls, which ``read_program`` reads back."""
    return "```\n" + "".join(write_drop(int(drop)) + "\n" for drop in drops) + "```"


def read_program(answer: str, function: str = "drop_block") -> Program:
    """The program in the last fenced block of an answer, of calls of ``function``.

    Raises InputError where there is no such block, no call in it, or a block type or slot that the
    grid does not have (which spoils the whole level in the competition as well).
    """
    fenced = _FENCED.findall(answer)
    if not fenced:
        raise InputError(f"the answer has no block fenced by ``` that holds {function} calls")
    calls = _CALLS[function].findall(fenced[-1])
    if not calls:
        raise InputError(f"the last fenced block holds no call like {function}('b31', 5)")
    return grid.program([(kind.lower(), _slot(digits)) for _, kind, digits in calls])


def _slot(digits: str) -> int:
    # Long runs of digits need not become numbers to be known as no slot.
    return int(digits) if len(digits) < 9 else WIDTH


def read_drop(answer: str) -> int | None:
    """The action that ``drop_block('b31', 5)`` names, None for ``stop``; else InputError."""
    folded = answer.strip()
    if folded.casefold() in ("stop", "stop()"):
        return None
    call = _CALL.fullmatch(folded)
    if call is None:
        raise InputError(f"{answer[:80]!r} is neither drop_block('b31', 5) nor stop")
    return grid.action(call[2].lower(), _slot(call[3]))
