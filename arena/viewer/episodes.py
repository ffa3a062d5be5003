"""Episodes as steps to look at: what the table showed, who decided what, and what led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from arena.viewer.library import game_of
from envs.game import Game, Tables
from leagues.match import Match
from leagues.replay import Episode, Replay, walk

GENERIC = "generic"


@cache
def drawing_of(family: str) -> str:
    """The name of the module in ``static/games`` that draws a game's frames."""
    found = {file.name for file in (files(__package__) / "static" / "games").iterdir()}
    return family if f"{family}.js" in found else GENERIC


def show(
    replay: Replay, deal: int, seating: int, names: Mapping[str, str], seat: int | None = None
) -> dict[str, Any]:
    """An episode as JSON-able values, all of it or what ``seat`` may see.

    A step is the table before a decision (in a simultaneous game: before all seats' decisions) and
    the decision; the last is the end. Raises InputError where there is no such episode or it
    cannot be played again.
    """
    game = game_of(replay.header["game"])
    match = replay.match
    episode = replay.episode(deal, seating)
    lineup = match.seatings[seating]
    return {
        "match": match.id,
        "game": match.game,
        "drawing": drawing_of(game.name),
        "unit": "" if match.game.startswith("gymnasium") else game.unit,
        "deal": deal,
        "first_deal": match.first_deal,
        "seating": seating,
        "seatings": len(match.seatings),
        "deals": match.deals,
        "view": seat,
        "seats": [
            {"key": key, "name": names.get(key, spec), "spec": spec}
            for key, spec in ((match.entrants[e], match.specs[e]) for e in lineup)
        ],
        "returns": episode.returns,
        "tiebreaks": episode.tiebreaks,
        "statuses": episode.statuses,
        "steps": steps(game, match, episode, seat),
    }


def steps(game: Game, match: Match, episode: Episode, seat: int | None) -> list[dict[str, Any]]:
    """The episode's steps, as ``show`` has them."""
    return [
        {
            "frame": tables.frame(0, seat),
            "decisions": [decision(tables, line, seat) for line in batch],
        }
        for tables, batch in walk(game, match, episode)
    ]


def decision(tables: Tables, line: Mapping[str, Any], viewer: int | None) -> dict[str, Any]:
    """A recorded decision at slot 0 in words, before it is taken.

    Of another seat's decision ``viewer`` sees only what was done: how it came about would tell of
    its cards.
    """
    seat = line["seat"]
    shown: dict[str, Any] = {"seat": seat, "ms": line["ms"]}
    if "status" in line:
        shown["status"] = line["status"]
        shown["label"] = f"forfeits ({line['status']})"
    else:
        shown["label"] = tables.describe(0, seat, line["action"])
    if viewer not in (None, seat):
        return shown
    shown["text"] = tables.text(0, seat)
    if line["legal"] is not None:
        shown["legal"] = _options(tables, seat, line)
    if line.get("notes") is not None:
        shown["notes"] = line["notes"]
    return shown


def _options(tables: Tables, seat: int, line: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The legal actions with the agent's probabilities, where it gave them."""
    probabilities = line.get("probabilities")
    options = []
    for action in line["legal"]:
        option = {
            "label": tables.describe(0, seat, action),
            "chosen": action == line["action"],
        }
        if probabilities is not None:
            option["probability"] = probabilities[action]
        options.append(option)
    return options
