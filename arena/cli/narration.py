"""An episode told in words: who decided what, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from arena.envs.game import Game
from arena.leagues.replay import Episode, Replay, walk


def narrate(game: Game, replay: Replay, episode: Episode) -> str:
    """The episode, a line for each decision (re-simulated, so that actions have their words)."""
    return "\n".join(_lines(game, replay, episode))


def _lines(game: Game, replay: Replay, episode: Episode) -> Iterator[str]:
    match = replay.match
    names = [replay.names[entrant] for entrant in match.seatings[episode.seating]]
    yield f"deal {episode.deal}, seating {episode.seating}: {', '.join(names)}"
    for tables, batch in walk(game, match, episode):
        for line in batch:
            seat = line["seat"]
            if "status" in line:
                what = f"forfeits ({line['status']})"
            else:
                what = tables.describe(0, seat, line["action"])
            yield f"  {tables.text(0, seat)}".replace("\n", "\n  ")
            yield f"  → seat {seat} {names[seat]}: {what}"
    for seat, (gained, status) in enumerate(zip(episode.returns, episode.statuses, strict=True)):
        forfeit = "" if status == "done" else f" ({status})"
        yield f"  seat {seat} {names[seat]}: {gained:+g}{forfeit}"
