"""Episodes as steps to look at: what the table showed, who decided what, and what led to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.envs.game import Game, Tables
from arena.leagues.match import Match
from arena.leagues.replay import Episode, Replay, walk
from arena.viewer.drawings import drawing_of
from arena.viewer.library import game_of


def show(
    replay: Replay, deal: int, seating: int, names: Mapping[str, str], seat: int | None = None
) -> dict[str, Any]:
    """An episode as JSON-able values, all of it or what ``seat`` may see.

    A step is the table before a decision (in a simultaneous game: before all seats' decisions) and
    the decision; the last is the end. Raises InputError where there is no such episode or it
    cannot be played again.
    """
    return show_views(replay, deal, seating, names, [seat])[0]


def show_views(
    replay: Replay,
    deal: int,
    seating: int,
    names: Mapping[str, str],
    views: Sequence[int | None],
) -> list[dict[str, Any]]:
    """``show`` for several views, of which None is everything; the episode is played once."""
    game = game_of(replay.header["game"])
    match = replay.match
    episode = replay.episode(deal, seating)
    facts = {
        "match": match.id,
        "game": match.game,
        "drawing": drawing_of(game),
        "deal": deal,
        "first_deal": match.first_deal,
        "seating": seating,
        "seatings": [
            [names.get(match.entrants[e], match.specs[e]) for e in lineup]
            for lineup in match.seatings
        ],
        "deals": match.deals,
        "seats": [
            {"key": key, "name": names.get(key, spec), "spec": spec}
            for key, spec in ((match.entrants[e], match.specs[e]) for e in match.seatings[seating])
        ],
        "returns": episode.returns,
        "tiebreaks": episode.tiebreaks,
        "statuses": episode.statuses,
    }
    walked = steps(game, match, episode, views)
    return [{**facts, "view": v, "steps": seen} for v, seen in zip(views, walked, strict=True)]


def steps(
    game: Game, match: Match, episode: Episode, views: Sequence[int | None]
) -> list[list[dict[str, Any]]]:
    """The episode's steps as ``show`` has them, for each view."""
    seen: list[list[dict[str, Any]]] = [[] for _ in views]
    for tables, batch in walk(game, match, episode):
        taken = [decision(tables, line) for line in sorted(batch, key=lambda line: line["seat"])]
        for view, so_far in zip(views, seen, strict=True):
            so_far.append({"frame": tables.frame(0, view), "decisions": _seen_by(view, taken)})
    return seen


def _seen_by(view: int | None, taken: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A step's decisions without what a seat may not know.

    How another seat came to its decision would tell of its cards, and what several decide at once
    is sealed.
    """
    if view is None:
        return taken
    if len(taken) > 1:
        return [one for one in taken if one["seat"] == view]
    return [
        one if one["seat"] == view else {name: one[name] for name in _OPEN & set(one)}
        for one in taken
    ]


_OPEN = {"seat", "ms", "label", "status"}
"""What every seat may see of another's turn."""


def decision(tables: Tables, line: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded decision at slot 0 in words, before it is taken."""
    seat = line["seat"]
    shown: dict[str, Any] = {"seat": seat, "ms": line["ms"]}
    if "status" in line:
        shown["status"] = line["status"]
        shown["label"] = f"forfeits ({line['status']})"
    else:
        shown["label"] = tables.describe(0, seat, line["action"])
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
