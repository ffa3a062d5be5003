"""An episode told in words: who decided what, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from arena.envs.game import Game
from arena.leagues.replay import Episode, Replay, walk

_LINES = 60  # of a longer story, its beginning and its end are told
_SAID = 2000  # characters of what a model said


def narrate(game: Game, replay: Replay, episode: Episode, *, prompts: bool = False) -> str:
    """The episode as a person tells it: a line for each decision, and what the game has to say.

    It is re-simulated, so that actions have their words. A decision that is taken several times in
    a row is told once, and of a long game the middle is left out.

    Args:
        prompts: tell all of it, and before each decision what the seat saw.
    """
    names = [
        f"seat {seat} {replay.names[entrant]}"
        for seat, entrant in enumerate(replay.match.seatings[episode.seating])
    ]
    lines = [f"  {line}" for line in _story(game, replay, episode, names, prompts)]
    if not prompts:
        lines = _cut(list(_counted(lines)))
    title = f"deal {episode.deal}, seating {episode.seating}: "
    title += ", ".join(name.split(" ", 2)[2] for name in names)
    return "\n".join([title, *lines, *_ends(game, episode, names)])


def _story(
    game: Game, replay: Replay, episode: Episode, names: list[str], prompts: bool
) -> Iterator[str]:
    before = None
    for tables, batch in walk(game, replay.match, episode):
        yield from tables.story(0, before, names)
        before = tables.frame(0)
        for line in batch:
            seat = line["seat"]
            if prompts:
                yield from tables.text(0, seat).splitlines()
            if "status" in line:
                yield from _forfeit(names[seat], line)
            else:
                yield f"→ {names[seat]}: {tables.describe(0, seat, line['action'])}"


def _forfeit(who: str, line: Mapping[str, Any]) -> Iterator[str]:
    """Why a decision is a forfeit and, of a model, what it said, as far as the record tells."""
    notes = line.get("notes") or {}
    why = f": {notes['error']}" if notes.get("error") else ""
    yield f"→ {who}: forfeits ({line['status']}){why}"
    if said := str(notes.get("answer") or "").strip():
        short = said if len(said) <= _SAID else f"{said[:_SAID]} …"
        yield from f"  it said: {short}".replace("\n", "\n    ").splitlines()


def _counted(lines: list[str]) -> Iterator[str]:
    for line, group in groupby(lines):
        times = len(list(group))
        yield line if times == 1 else f"{line}, {times} times"


def _cut(lines: list[str]) -> list[str]:
    left_out = len(lines) - _LINES
    if left_out <= 0:
        return lines
    note = f"  … {left_out} lines more, which --prompts tells"
    return [*lines[: _LINES // 2], note, *lines[-_LINES // 2 :]]


def _ends(game: Game, episode: Episode, names: list[str]) -> Iterator[str]:
    unit = game.return_unit or game.unit
    # Adding 0.0 makes a loss of nothing (-0.0) read +0.
    for name, gained, status in zip(names, episode.returns, episode.statuses, strict=True):
        yield f"  {name}: {gained + 0.0:+g} {unit}" + ("" if status == "done" else f" ({status})")
