"""A league's configuration: a game, a roster, a schedule, a seed.

Written as YAML::

    name: demo
    game: holdem?seats=2
    seed: 7
    agents: [random, call, {name: solid, spec: "equity?samples=200"}]
    schedule: {kind: round-robin, deals: 2000, deals_per_match: 100}
    session: 100
    clock: 10
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from arena.agents.agent import Identity
from arena.agents.registry import identify
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.outside import check_name, ending, parse_yaml, read_text, shown
from arena.envs.registry import make_game, named_game
from arena.envs.specs import Spec, read
from arena.leagues.schedule import Schedule, make_schedule

_MOST_MATCHES = 10**6
_FIELDS = ("name", "game", "seed", "agents", "schedule", "session", "clock")


@dataclass(frozen=True)
class Entrant:
    """An agent in a league, under the name that tables show."""

    name: str
    identity: Identity


@dataclass(frozen=True)
class League:
    """Who plays what, how much of it, and from which seed.

    Attributes:
        session: after how many deals it is seen who is ahead; None: as many as the game says.
        clock: seconds one call of an agent may take, whatever its batch; None: no limit.
    """

    name: str
    game: str
    game_version: int
    seed: int
    entrants: tuple[Entrant, ...]
    schedule: Mapping[str, Any]
    session: int | None = None
    clock: float | None = None

    @cached_property
    def id(self) -> str:
        """16 hex digits of everything that decides its matches and how they are named."""
        return hashlib.sha256(orjson.dumps(self.to_json())).hexdigest()[:16]

    @cached_property
    def names(self) -> dict[str, str]:
        """The name of each entrant by its identity's key."""
        return {entrant.identity.key: entrant.name for entrant in self.entrants}

    @cached_property
    def identities(self) -> dict[str, Identity]:
        """The identity of each entrant by its key."""
        return {entrant.identity.key: entrant.identity for entrant in self.entrants}

    def make_game(self) -> Game:
        """The game, made now; InputError where its rules are not those the league was made for."""
        game = make_game(self.game)
        if game.version != self.game_version:
            raise InputError(
                f"league {self.name} was made for version {self.game_version} of {game.name}'s "
                f"rules; version {game.version} is installed: start it anew from its configuration"
            )
        return game

    def make_schedule(self) -> Schedule:
        """The schedule, made now."""
        return make_schedule(self.schedule, f"league {self.name}: schedule")

    def with_deals(self, deals: int) -> League:
        """The same league with another number of deals; the deals that both have are the same."""
        schedule = make_schedule({**self.schedule, "deals": deals}, f"league {self.name}: schedule")
        return replace(self, schedule=schedule.to_json())

    def to_json(self) -> dict[str, Any]:
        """Plain values that ``from_json`` reads back."""
        # A league that leaves the session to its game keeps the id that it always had.
        return {
            **({} if self.session is None else {"session": self.session}),
            "name": self.name,
            "game": self.game,
            "game_version": self.game_version,
            "seed": self.seed,
            "entrants": [
                {
                    "name": entrant.name,
                    "spec": entrant.identity.spec,
                    "checkpoint": entrant.identity.checkpoint,
                    "configuration": entrant.identity.configuration,
                }
                for entrant in self.entrants
            ],
            "schedule": dict(self.schedule),
            "clock": self.clock,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> League:
        """The league that ``to_json`` wrote."""
        entrants = tuple(
            Entrant(e["name"], Identity(e["spec"], e["checkpoint"], e["configuration"]))
            for e in data["entrants"]
        )
        return cls(
            data["name"],
            data["game"],
            data["game_version"],
            data["seed"],
            entrants,
            data["schedule"],
            data.get("session"),
            data["clock"],
        )

    @classmethod
    def from_config(cls, config: Any, where: str) -> League:
        """Check a configuration (what YAML holds); ``where`` names it in InputErrors."""
        if not isinstance(config, dict):
            raise InputError(f"{where} is not a mapping with the fields {', '.join(_FIELDS)}")
        for name in config:
            if name not in _FIELDS:
                raise InputError(
                    f"{where}: unknown field {shown(name)}; fields are {', '.join(_FIELDS)}"
                )
        for name in ("game", "agents"):
            if name not in config:
                raise InputError(f"{where}: field {name!r} is missing")
        name, game = _game(config["game"], where)
        schedule = make_schedule(config.get("schedule", {}), f"{where}: schedule")
        entrants = _entrants(config["agents"], where, game)
        schedule.check(game, len(entrants), f"{where}: agents")
        matches = schedule.total(game.seats, len(entrants))
        if matches > _MOST_MATCHES:
            raise InputError(
                f"{where}: schedule has {matches:,} matches, and a league {_MOST_MATCHES:,} at "
                "most; put more deals into a match, or plan fewer"
            )
        seed = read(config.get("seed", 0), int, f"{where}: seed")
        clock = config.get("clock")
        clock = None if clock in ("null", "~", "") else clock  # as YAML writes that there is none
        clock = read(clock, float | None, f"{where}: clock")
        session = read(config.get("session"), int | None, f"{where}: session")
        assert isinstance(seed, int) and (clock is None or isinstance(clock, float))
        assert session is None or isinstance(session, int)
        if not 0 <= seed < 2**64:
            raise InputError(f"{where}: seed={seed} must be from 0 to 2**64 - 1")
        if session is not None and not 1 <= session <= 1_000_000:
            raise InputError(f"{where}: session={session} must be from 1 to 1,000,000 deals")
        if clock is not None and clock <= 0:
            raise InputError(f"{where}: clock={clock} must be above 0 seconds")
        return cls(
            check_name(_text(config.get("name", "league"), f"{where}: name"), f"{where}: name"),
            name,
            game.version,
            seed,
            entrants,
            schedule.to_json(),
            session,
            clock,
        )


def load(source: str) -> League:
    """The league of a YAML file, or of a shipped preset by its name (``demo``)."""
    path = Path(source)
    if ending(path) not in (".yaml", ".yml"):
        preset = files("arena.leagues") / "presets" / f"{source}.yaml"
        if not preset.is_file():
            raise InputError(
                f"no preset is called {source!r}; presets are {', '.join(presets())}, and a "
                "configuration file ends in .yaml"
            )
        text = preset.read_text("utf-8")
    else:
        text = read_text(path)
    return League.from_config(parse_yaml(text, source), source)


def presets() -> list[str]:
    """The names of the shipped configurations."""
    folder = files("arena.leagues") / "presets"
    return sorted(
        file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml")
    )


def _spec(value: Any, where: str) -> Spec:
    if not isinstance(value, str):
        raise InputError(f"{where} is {shown(value)}; write a spec such as holdem?seats=2")
    return Spec.parse(value)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where} is {shown(value)}; write it in quotes")
    return value


def _game(spec: Any, where: str) -> tuple[str, Game]:
    parsed = _spec(spec, f"{where}: game")
    try:
        return named_game(parsed, own=True)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _identity(spec: Any, where: str, game: Game) -> Identity:
    parsed = _spec(spec, where)
    try:
        return identify(parsed, game)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _entrants(value: Any, where: str, game: Game) -> tuple[Entrant, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f"{where}: agents must be a list of specs, or of name and spec")
    entrants: list[Entrant] = []
    for position, item in enumerate(value, 1):
        here = f"{where}: agents, item {position}"
        if isinstance(item, dict) and set(item) == {"name", "spec"}:
            name = check_name(_text(item["name"], f"{here}: name"), f"{here}: name")
            entrant = Entrant(name, _identity(item["spec"], here, game))
        elif isinstance(item, str):
            entrant = Entrant(check_name(item, here), _identity(item, here, game))
        else:
            raise InputError(f"{here} is neither a spec nor {{name: …, spec: …}}")
        for other in entrants:
            if other.name == entrant.name:
                raise InputError(f"{here}: the name {entrant.name!r} is taken; name it otherwise")
            if other.identity.key == entrant.identity.key:
                raise InputError(
                    f"{here}: {entrant.name!r} is the same player as {other.name!r} (same "
                    "checkpoint and configuration); drop one"
                )
        entrants.append(entrant)
    return tuple(entrants)
