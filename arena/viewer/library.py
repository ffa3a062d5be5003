"""What the pages show of a store, computed once for each number of matches a league has."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.registry import make_game
from arena.envs.specs import Spec
from arena.leagues.match import Match, Result
from arena.leagues.ratings import Log
from arena.leagues.replay import Replay
from arena.leagues.replay import read as read_replay
from arena.leagues.standings import rank_log, trace, warnings
from arena.leagues.store import Entry, Store
from arena.viewer.telling import telling

PAGE = 25
"""How many matches a page of a league's list has."""


@cache
def game_of(spec: str) -> Game:
    """The game that a spec names, made once: games never change."""
    return make_game(spec)


class NotFound(InputError):
    """What was asked for is not there; the message says so in a sentence."""


@dataclass
class _Shelf:
    """A league's results so far, by their numbers, and what was computed from how many of them."""

    results: dict[int, Result] = field(default_factory=dict)
    log: tuple[int, Log] = field(default_factory=lambda: (0, Log.of(())))
    computed: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    told: dict[str, tuple[int, list[dict[str, Any]]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Library:
    """The leagues and matches of a store, which may not be there yet, and of one opened replay.

    Methods that name a league or a match raise NotFound where there is none.
    """

    def __init__(self, where: str, opened: Replay | None = None) -> None:
        self.where = where
        self.opened = opened
        self._store: Store | None = None
        self._shelves: defaultdict[str, _Shelf] = defaultdict(_Shelf)

    def store(self, *, create: bool = False) -> Store | None:
        """The store, or None while it is not there (and ``create`` is False)."""
        if self._store is None and (create or "://" in self.where or Path(self.where).is_file()):
            self._store = Store(self.where, create=create)
        return self._store

    # -- leagues -------------------------------------------------------------------------------

    def leagues(self) -> list[Entry]:
        """All leagues, the newest first."""
        store = self.store()
        return [] if store is None else store.leagues()

    def entry(self, id: str) -> Entry:
        """The league of that id."""
        for entry in self.leagues():
            if entry.league.id == id:
                return entry
        raise NotFound(f"store {self.where} holds no league with the id {id!r}.")

    def ranking(self, entry: Entry) -> bytes:
        """The ranking as JSON (``Ranking.to_json``), with warnings."""
        league = entry.league

        def compute(log: Log, matches: int) -> dict[str, Any]:
            ranking = rank_log(league, log)
            return {
                **ranking.to_json(),
                "matches": matches,
                "warnings": warnings(league, ranking),
            }

        return self._computed("ranking", entry, compute)

    def history(self, entry: Entry) -> bytes:
        """The ratings over deals played as JSON (``History.to_json``)."""

        def compute(log: Log, _matches: int) -> dict[str, Any]:
            return trace(entry.league, log).to_json()

        return self._computed("history", entry, compute)

    def telling(self, entry: Entry, agent: str = "") -> list[dict[str, Any]]:
        """The deals that tell most, of the whole league or of one agent; see ``telling``."""
        results = self._results(entry)
        shelf = self._shelves[entry.league.id]
        known = shelf.told.get(agent)
        if known is None or known[0] != len(results):
            known = shelf.told[agent] = (len(results), telling(results.values(), agent))
        return known[1]

    def summary(self, entry: Entry) -> dict[str, Any]:
        """Who leads a league, and its most telling deal; None where nothing is played."""
        standings = orjson.loads(self.ranking(entry))["standings"]
        deals = self.telling(entry)
        return {
            "leader": standings[0] if standings else None,
            "telling": deals[0] if deals else None,
        }

    def agent(self, entry: Entry, key: str) -> dict[str, Any]:
        """All that a league shows of one agent, as JSON-able values.

        ``opponents`` are in the order of the ranking: what the agent earned against each and the
        share of contests that it won; those it has not met are left out.
        """
        who = next((w for w in entry.league.entrants if w.identity.key == key), None)
        if who is None:
            raise NotFound(f"league {entry.league.name} has no agent {key!r}.")
        ranking = orjson.loads(self.ranking(entry))
        order = [standing["agent"] for standing in ranking["standings"]]
        row = order.index(key) if key in order else None
        return {
            "key": key,
            "name": who.name,
            "spec": who.identity.spec,
            "checkpoint": who.identity.checkpoint,
            "of": len(order),
            "unit": ranking["unit"],
            "session": ranking["session"],
            "standing": None if row is None else ranking["standings"][row],
            "opponents": [] if row is None else _opponents(ranking, order, row),
            "telling": self.telling(entry, key),
        }

    def matches(
        self,
        entry: Entry,
        *,
        agents: Sequence[str] = (),
        forfeits: bool = False,
        page: int = 0,
        size: int | None = PAGE,
    ) -> dict[str, Any]:
        """A page of the league's matches, newest first, as JSON-able values.

        Only those with all of ``agents`` (keys), and, where ``forfeits``, with a forfeit. ``size``
        is how many a page has; None: all.
        """
        results = self._results(entry)
        chosen = [
            (number, result)
            for number, result in results.items()
            if all(agent in result.match.entrants for agent in agents)
            and not (forfeits and not result.statuses.any())
        ]
        chosen.reverse()
        unit, scale = unit_of(entry.league.game)
        size = size or max(1, len(chosen))
        return {
            "total": len(chosen),
            "page": page,
            "pages": max(1, -(-len(chosen) // size)),
            "unit": unit,
            "matches": [
                {
                    "number": number,
                    "id": result.match.id,
                    "first_deal": result.match.first_deal,
                    "deals": result.match.deals,
                    "agents": result.match.entrants,
                    "means": [scale * mean for mean in means(result)],
                    "forfeits": int((result.statuses != 0).sum()),
                }
                for number, result in chosen[page * size : (page + 1) * size]
            ],
        }

    def _results(self, entry: Entry) -> dict[int, Result]:
        store = self.store()
        assert store is not None
        shelf = self._shelves[entry.league.id]
        with shelf.lock:
            last = max(shelf.results, default=0)
            shelf.results.update(store.results(entry.league, after=last))
            return dict(shelf.results)

    def _computed(
        self, what: str, entry: Entry, compute: Callable[[Log, int], dict[str, Any]]
    ) -> bytes:
        shelf = self._shelves[entry.league.id]
        before = shelf.computed.get(what)
        if before is not None and before[0] == entry.matches:
            return before[1]
        results = self._results(entry)
        with shelf.lock:
            count, log = shelf.log
            if count != len(results):
                log = log.plus(Log.of(list(results.values())[count:]))
                count = len(results)
                shelf.log = (count, log)
        data = orjson.dumps(compute(log, count))
        shelf.computed[what] = (entry.matches, data)
        return data

    # -- matches -------------------------------------------------------------------------------

    def match(self, id: str) -> Result:
        """A match of the store, with its replay."""
        store = self.store()
        if store is None:
            raise NotFound(f"there is no store {self.where}, so no match {id!r}.")
        try:
            return store.match(id)
        except InputError as error:
            raise NotFound(f"{error}.") from None

    def replay(self, id: str) -> Replay:
        """The replay of a match: of the opened file where that is it, else of the store."""
        if self.opened is not None and self.opened.header["id"] == id:
            return self.opened
        result = self.match(id)
        return read_replay(result.replay, f"match {result.match.id}")


def _opponents(ranking: Mapping[str, Any], order: Sequence[str], row: int) -> list[dict[str, Any]]:
    def against(name: str, column: int) -> dict[str, Any]:
        parts = ("value", "low", "high")
        return {part: ranking[name][part][row][column] for part in parts}

    return [
        {"agent": other, "payoff": payoff, "win_rate": against("win_rate", column)}
        for column, other in enumerate(order)
        if column != row and (payoff := against("payoff", column))["value"] is not None
    ]


def unit_of(game: str) -> tuple[str, float]:
    """What a game's mean returns are reported in, and a return's worth in it.

    A game that is not installed is reported in its own points.
    """
    try:
        made = game_of(game)
    except InputError:
        return "points", 1.0
    return made.unit, made.unit_scale


def _return_unit(game: str) -> str:
    """What the return of one deal is told in."""
    try:
        made = game_of(game)
    except InputError:
        return ""
    return made.return_unit or made.unit


def means(result: Result) -> list[float]:
    """The mean return an episode of each entrant of a match, in the game's own unit."""
    match = result.match
    totals, episodes = [0.0] * len(match.entrants), [0] * len(match.entrants)
    for turn, seating in enumerate(match.seatings):
        for seat, entrant in enumerate(seating):
            totals[entrant] += float(result.returns[:, turn, seat].sum())
            episodes[entrant] += match.deals
    return [total / max(1, count) for total, count in zip(totals, episodes, strict=True)]


def league_facts(entry: Entry) -> dict[str, Any]:
    """What a page says of a league before anything is computed, as JSON-able values.

    ``total`` is None where the number of its matches is not known beforehand.
    """
    league = entry.league
    total: int | None
    try:
        total = league.make_schedule().total(game_of(league.game).seats, len(league.entrants))
    except InputError:
        total = None
    return {
        "id": league.id,
        "name": league.name,
        "game": league.game,
        "return_unit": _return_unit(league.game),
        "family": Spec.parse(league.game).family,
        "created": entry.created.isoformat(),
        "clock": league.clock,
        "schedule": dict(league.schedule),
        "agents": [
            {"key": who.identity.key, "name": who.name, "spec": who.identity.spec}
            for who in league.entrants
        ],
        "matches": entry.matches,
        "total": total,
    }


def match_facts(replay: Replay, names: Mapping[str, str]) -> dict[str, Any]:
    """A match and what every deal came to, as JSON-able values; ``names`` are by agents' keys."""
    match = replay.match
    unit, scale = unit_of(match.game)
    return {
        "id": match.id,
        "game": match.game,
        "unit": unit,
        "unit_scale": scale,
        "first_deal": match.first_deal,
        "agents": agents_of(match, names),
        "seatings": match.seatings,
        "decisions": sum(len(episode.decisions) for episode in replay.episodes),
        "episodes": [
            {
                "deal": episode.deal,
                "seating": episode.seating,
                "returns": episode.returns,
                "statuses": episode.statuses,
                "decisions": len(episode.decisions),
            }
            for episode in replay.episodes
        ],
    }


def agents_of(match: Match, names: Mapping[str, str]) -> list[dict[str, str]]:
    """A match's agents in its lineup's order: key, spec and name (the spec where it has none)."""
    return [
        {"key": key, "spec": spec, "name": names.get(key, spec)}
        for key, spec in zip(match.entrants, match.specs, strict=True)
    ]
