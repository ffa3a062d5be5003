"""An episode told in words: who decided what, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from arena.envs.game import Game
from arena.leagues.replay import Episode, Replay, walk


def narrate(game: Game, replay: Replay, episode: Episode) -> str:
    """The episode, a line for each decision (re-simulated, so that actions have their words)."""
    return "\n".join(_lines(game, replay, episode))


_SAID = 2000  # characters of what a model said


def _forfeit(who: str, line: Mapping[str, Any]) -> Iterator[str]:
    """Why a decision is a forfeit and, of a model, what it said, as far as the record tells."""
    notes = line.get("notes") or {}
    why = f": {notes['error']}" if notes.get("error") else ""
    yield f"{who}: forfeits ({line['status']}){why}"
    if said := str(notes.get("answer") or "").strip():
        short = said if len(said) <= _SAID else f"{said[:_SAID]} …"
        yield f"    it said: {short}".replace("\n", "\n      ")


def _lines(game: Game, replay: Replay, episode: Episode) -> Iterator[str]:
    match = replay.match
    names = [replay.names[entrant] for entrant in match.seatings[episode.seating]]
    yield f"deal {episode.deal}, seating {episode.seating}: {', '.join(names)}"
    for tables, batch in walk(game, match, episode):
        for line in batch:
            seat = line["seat"]
            yield f"  {tables.text(0, seat)}".replace("\n", "\n  ")
            who = f"  → seat {seat} {names[seat]}"
            if "status" in line:
                yield from _forfeit(who, line)
            else:
                yield f"{who}: {tables.describe(0, seat, line['action'])}"
    for seat, (gained, status) in enumerate(zip(episode.returns, episode.statuses, strict=True)):
        forfeit = "" if status == "done" else f" ({status})"
        yield f"  seat {seat} {names[seat]}: {gained:+g}{forfeit}"
