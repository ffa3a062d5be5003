"""Replays: what was decided at every table of a match, and the proof that it happened so.

A replay is JSON Lines compressed by zstd. Its lines, by ``type``:

=========  =========================================================================================
match      the header: ``schema``, ``arena`` (version), ``id``, ``game``, ``game_version``,
           ``seed``, ``first_deal``, ``deals``, ``seatings``, ``agents`` (spec, key, checkpoint
           and configuration hash of each entrant, and its name where a league's was exported)
deal       a table begins: ``deal``, ``seating`` (indices into the header)
decision   ``seat``, ``legal`` (indices of legal actions, null where the space is continuous),
           ``action``, ``ms`` (the agent's time), and where known ``probabilities``, ``notes``;
           ``drawn`` is true where the action was drawn from ``probabilities``, the agent's
           declared policy, which else are its comment; a forfeit has ``status`` instead of a
           lawful action
end        the table's footer: ``returns``, ``tiebreaks``, ``statuses`` by seat
result     the match's footer: ``tables``, ``decisions``: a file without it was cut short
=========  =========================================================================================

States are not stored: they follow from the seed and the actions. ``verify`` plays them again and
compares who was to act, what was legal, and what came out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import zstandard

from arena.agents.agent import Identity
from arena.envs import files, outside, seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Recording, Tables
from arena.envs.registry import make_game
from arena.leagues.match import STATUS_NAMES, Match, Result, deal_seed, draw_seed

SCHEMA = 1
LEVEL = 10
"""Of zstd: half the bytes of its default level, for half a millisecond a match of 200 hands."""

# What a replay may unpack to, so that a small hostile file cannot fill the memory; bytes.
_LONGEST_LINE = 2**26
LARGEST = 2**30


@dataclass(frozen=True)
class Episode:
    """One table of a match: the deal and seating played, its decision lines and its footer."""

    deal: int
    seating: int
    decisions: tuple[Mapping[str, Any], ...]
    returns: tuple[float, ...]
    tiebreaks: tuple[float, ...]
    statuses: tuple[str, ...]


@dataclass(frozen=True)
class Replay:
    """A match's header and its episodes, in the order they were played."""

    header: Mapping[str, Any]
    episodes: tuple[Episode, ...]

    @property
    def match(self) -> Match:
        """The match that the header describes."""
        h = self.header
        return Match(
            game=h["game"],
            game_version=h["game_version"],
            entrants=tuple(agent["key"] for agent in h["agents"]),
            specs=tuple(agent["spec"] for agent in h["agents"]),
            seed=h["seed"],
            first_deal=h["first_deal"],
            deals=h["deals"],
            seatings=tuple(tuple(seating) for seating in h["seatings"]),
        )

    def named(self, names: Mapping[str, str]) -> Replay:
        """With the names in its header by which a league calls its agents; ``names`` are by key."""
        agents = [
            {**agent, "name": names.get(agent["key"], agent["spec"])}
            for agent in self.header["agents"]
        ]
        return Replay({**self.header, "agents": agents}, self.episodes)

    @property
    def names(self) -> tuple[str, ...]:
        """What its agents are called, in the lineup's order: their specs, where it isn't told."""
        return tuple(agent.get("name", agent["spec"]) for agent in self.header["agents"])

    def episode(self, deal: int, seating: int) -> Episode:
        """The episode of that deal and seating, or InputError."""
        for episode in self.episodes:
            if (episode.deal, episode.seating) == (deal, seating):
                return episode
        raise InputError(
            f"match {self.header['id']} has no deal {deal} with seating {seating}; deals are "
            f"0 to {self.header['deals'] - 1}, seatings 0 to {len(self.header['seatings']) - 1}"
        )


@cache
def _arena_version() -> str:
    return version("arena")


def header(match: Match, identities: Mapping[str, Identity]) -> dict[str, Any]:
    """The header line of a match's replay, identities by key."""
    return {
        "type": "match",
        "schema": SCHEMA,
        "arena": _arena_version(),
        "id": match.id,
        "game": match.game,
        "game_version": match.game_version,
        "seed": match.seed,
        "first_deal": match.first_deal,
        "deals": match.deals,
        "seatings": match.seatings,
        "agents": [
            {
                "spec": spec,
                "key": key,
                "checkpoint": identities[key].checkpoint,
                "configuration": identities[key].configuration,
            }
            for key, spec in zip(match.entrants, match.specs, strict=True)
        ],
    }


def compress(records: Iterable[bytes]) -> bytes:
    """JSON lines as the bytes of a replay file."""
    return zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(
        b"\n".join(records) + b"\n"
    )


def recompress(data: bytes, where: str) -> bytes:
    """The same replay file, compressed as ``compress`` does now."""
    return compress(_lines(data, where))


def read(data: bytes, where: str) -> Replay:
    """Read a replay file's bytes; ``where`` names it in the InputError for a damaged one."""
    if not isinstance(data, bytes):  # a database may hold anything
        raise InputError(f"{where} is not a replay: it is not of bytes")
    return _replay(_lines(data, where), where)


def read_file(path: Path) -> Replay:
    """Read a replay file, ``.jsonl``, packed or not; InputError where it is none."""
    whole = iter([outside.read_bytes(path, LARGEST)])
    return _replay(_not_blank(outside.lines(whole, str(path), _LONGEST_LINE)), str(path))


def _replay(lines: Iterable[bytes], where: str) -> Replay:
    header: dict[str, Any] | None = None
    footer: dict[str, Any] | None = None
    episodes: list[Episode] = []
    deal: dict[str, Any] = {}
    decisions: list[dict[str, Any]] = []
    number = 0
    try:
        for line in lines:
            number += 1
            record = outside.parse_record(line, f"{where}, line {number}")
            kind = record.pop("type")
            if header is None:
                if kind != "match" or record["schema"] != SCHEMA:
                    raise InputError(
                        f"{where} is not a replay of schema {SCHEMA}: its first line must be a "
                        "match header with that schema"
                    )
                _check_header(record)
                header = record
            elif kind == "decision":
                _check_decision(record)
                decisions.append(record)
            elif kind == "deal":
                deal, decisions = record, []
            elif kind == "end":
                episodes.append(_episode(header, deal, decisions, record))
            elif kind == "result":
                footer = record
            else:
                raise KeyError(kind)
    except (AttributeError, LookupError, TypeError) as e:
        raise InputError(f"{where}, line {max(number, 1)}: not a replay line ({e})") from None
    if header is None or footer is None:
        raise InputError(f"{where} is cut short: it does not end with the match's result line")
    turns = len(header["seatings"])
    played = [(episode.deal, episode.seating) for episode in episodes]
    if len(played) != header["deals"] * turns or played != [
        divmod(number, turns) for number in range(len(played))
    ]:
        raise InputError(
            f"{where} does not hold every deal of its match in every seating, in order"
        )
    return Replay(header, tuple(episodes))


def _check_header(header: Mapping[str, Any]) -> None:
    """TypeError or KeyError where a header is none."""
    agents, seatings = header["agents"], header["seatings"]
    counts = [header[name] for name in ("game_version", "seed", "first_deal", "deals")]
    if not (
        all(isinstance(text, str) for text in (header["id"], header["game"]))
        and all(type(count) is int and count >= 0 for count in counts)
        and all(isinstance(agent[name], str) for agent in agents for name in ("key", "spec"))
        and all(isinstance(agent.get("name", ""), str) for agent in agents)
        and all(len(seating) == len(seatings[0]) for seating in seatings)
        and all(type(who) is int and 0 <= who < len(agents) for seats in seatings for who in seats)
        and seatings
    ):
        raise TypeError("the header's fields are not those of a match")


def _check_decision(line: Mapping[str, Any]) -> None:
    """TypeError or KeyError where a decision's line is none; whether it is legal, ``walk`` says."""
    if not (
        type(line["seat"]) is int
        and isinstance(line["ms"], (int, float))
        and (line["legal"] is None or all(type(action) is int for action in line["legal"]))
        and line.get("status", STATUS_NAMES[0]) in STATUS_NAMES
        and "action" in line
        and _is_drawn_from(line.get("drawn", False), line.get("probabilities"))
    ):
        raise TypeError("these are not a decision's fields")


def _is_drawn_from(drawn: Any, policy: Any) -> bool:
    """Whether these say that an action was drawn from a policy, or that it was not."""
    if not drawn:
        return drawn is False
    return all(type(p) in (int, float) and 0 <= p <= 1 for p in policy) and sum(policy) > 0


def _episode(
    header: Mapping[str, Any],
    deal: Mapping[str, Any],
    decisions: Sequence[Mapping[str, Any]],
    end: Mapping[str, Any],
) -> Episode:
    """The episode of these lines; TypeError or KeyError where they are none."""
    seats = len(header["seatings"][0])
    earned, broken, statuses = end["returns"], end["tiebreaks"], end["statuses"]
    if not (
        len(earned) == len(broken) == len(statuses) == seats
        and all(isinstance(value, (int, float)) for value in (*earned, *broken))
        and all(status in STATUS_NAMES for status in statuses)
    ):
        raise TypeError(f"an end has returns, tiebreaks and statuses of {seats} seats")
    return Episode(
        deal["deal"],
        deal["seating"],
        tuple(decisions),
        tuple(earned),
        tuple(broken),
        tuple(statuses),
    )


def _lines(data: bytes, where: str) -> Iterator[bytes]:
    pieces = outside.unpack(data, ".zst", where, LARGEST)
    return _not_blank(outside.lines(pieces, where, _LONGEST_LINE))


def _not_blank(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (line for line in lines if line.strip())


def verify(replay: Replay) -> list[str]:
    """Play the match again from its seed and actions; what differs, a sentence each (none: good).

    Raises InputError where the game is not installed or its rules are of another version.
    """
    game = make_game(replay.header["game"])
    if game.version != replay.header["game_version"]:
        raise InputError(
            f"match {replay.header['id']} was played by version {replay.header['game_version']} of "
            f"{game.name}'s rules; version {game.version} is installed"
        )
    return [
        f"deal {episode.deal}, seating {episode.seating}: {fault}"
        for episode in replay.episodes
        for fault in _faults(game, replay.match, episode)
    ]


def differences(replay: Replay, result: Result) -> list[str]:
    """Where the log has another match or other figures than the replay, a sentence each."""
    match = result.match
    if replay.match != match:
        return [f"the log has match {match.id}, the replay {replay.match.id}"]
    names = np.array(STATUS_NAMES)[result.statuses]
    out = []
    for episode in replay.episodes:
        for name, recorded, logged in (
            ("returns", episode.returns, result.returns),
            ("tiebreaks", episode.tiebreaks, result.tiebreaks),
            ("statuses", episode.statuses, names),
        ):
            told = logged[episode.deal, episode.seating].tolist()
            if list(recorded) != told:
                place = f"deal {episode.deal}, seating {episode.seating}"
                out.append(f"{place}: {name} are {list(recorded)}, in the log {told}")
                break
    return out


def result(replay: Replay, data: bytes) -> Result:
    """What a match came to, as its replay tells it; ``data`` are the replay's bytes.

    The wall time is what the agents took.
    """
    match, episodes = replay.match, replay.episodes
    shape = (match.deals, len(match.seatings), -1)
    lines = [line for episode in episodes for line in episode.decisions]
    statuses = [[STATUS_NAMES.index(name) for name in e.statuses] for e in episodes]
    return Result(
        match,
        np.array([e.returns for e in episodes], np.float64).reshape(shape),
        np.array([e.tiebreaks for e in episodes], np.float64).reshape(shape),
        np.array(statuses, np.uint8).reshape(shape),
        len(lines),
        sum(line["ms"] for line in lines) / 1000,
        data,
    )


Batch = Sequence[Mapping[str, Any]]


def walk(game: Game, match: Match, episode: Episode) -> Iterator[tuple[Tables, Batch]]:
    """Re-simulate an episode: its tables (slot 0) before each step, with the step's decisions.

    A step is one decision, or, in a simultaneous game, those of all seats together. Last comes the
    end, with no decisions. Raises InputError where the record cannot have happened in this game:
    another seat was to act, other actions were legal, the game ends earlier or later.
    """
    tables = game.tables(1)
    seed = np.array([deal_seed(match.seed, match.first_deal + episode.deal)], np.uint64)
    tables.begin(np.zeros(1, np.int64), seed)
    taken, counts = 0, Counter[int]()
    while not tables.done[0]:
        waiting = tables.to_act()[1].tolist()
        batch = episode.decisions[taken : taken + len(waiting)]
        if len(batch) < len(waiting):
            raise InputError(f"decision {taken}: the record ends here, but the game goes on")
        for number, line in enumerate(batch):
            if line["seat"] not in waiting:
                fault = f"seat {line['seat']} decided, but was not to act"
            else:
                waiting.remove(line["seat"])
                fault = _fault(tables, line)
                fault = fault or _misdrawn(match, episode.deal, counts[line["seat"]], line)
                counts[line["seat"]] += 1
            if fault:
                raise InputError(f"decision {taken + number}: {fault}")
        yield tables, batch
        taken += len(batch)
        _take(tables, batch)
    if taken != len(episode.decisions):
        raise InputError(
            f"the game ends after {taken} decisions, the record has {len(episode.decisions)}"
        )
    yield tables, ()


def _misdrawn(match: Match, deal: int, number: int, line: Mapping[str, Any]) -> str:
    """What is wrong with an action that was drawn from a policy, as its seat's ``number``-th."""
    if not line.get("drawn"):
        return ""
    seed = np.array([draw_seed(match.seed, match.first_deal + deal, line["seat"])], np.uint64)
    uniform = seeding.uniforms(seeding.spread(seed, np.array([number])), 1)[:, 0]
    drawn = int(seeding.draw(np.array([line["probabilities"]], np.float64), uniform)[0])
    return "" if drawn == line["action"] else f"drawn was {line['action']}, should be {drawn}"


def _take(tables: Tables, batch: Batch) -> None:
    """Take recorded decisions (all that are waited for) at slot 0: forfeits first, as in play."""
    forfeited = [line["seat"] for line in batch if "status" in line]
    played = [line for line in batch if "status" not in line]
    if forfeited:
        tables.forfeit(np.zeros(len(forfeited), np.int64), np.array(forfeited, np.int64))
    if played:
        tables.step(
            np.zeros(len(played), np.int64),
            np.array([line["seat"] for line in played], np.int64),
            np.array([line["action"] for line in played], tables.game.action_space.dtype),
        )


def _faults(game: Game, match: Match, episode: Episode) -> Iterator[str]:
    try:
        for tables, _ in walk(game, match, episode):  # noqa: B007 - the end is what is compared
            pass
    except InputError as error:
        yield str(error)
        return
    for name, recorded, now in (
        ("returns", episode.returns, tables.returns[0].tolist()),
        ("tiebreaks", episode.tiebreaks, tables.tiebreaks[0].tolist()),
    ):
        if list(recorded) != now:
            yield f"{name} were {list(recorded)}, are {now}"
            return


def _fault(tables: Tables, line: Mapping[str, Any]) -> str:
    """What is wrong with the recorded decision of a seat that is to act at slot 0, or ""."""
    slots, seats = np.zeros(1, np.int64), np.array([line["seat"]])
    mask = tables.action_mask(slots, seats)
    legal = None if mask is None else np.flatnonzero(mask[0]).tolist()
    if legal != line["legal"]:
        return f"legal were {line['legal']}, are {legal}"
    if "status" in line:
        return ""
    try:
        action = np.array([line["action"]])
    except ValueError:  # lists of unequal lengths
        lawful = False
    else:
        lawful = bool(tables.legal(slots, seats, action).all())
    return "" if lawful else f"action {line['action']} is not legal"


def export(replay: Replay, path: Path) -> None:
    """Write a replay to ``path`` in the format of its ending.

    ``.jsonl`` and ``.jsonl.zst`` hold any game, other endings are the game's own
    (``Game.exporters``). Raises InputError for an ending that is neither.
    """
    game = make_game(replay.header["game"])
    exporters = game.exporters()
    own = next((ending for ending in exporters if path.name.endswith(ending)), None)
    if path.name.endswith(".jsonl.zst"):
        data = compress(lines(replay))
    elif path.suffix == ".jsonl":
        data = b"\n".join(lines(replay)) + b"\n"
    elif own is not None:
        data = exporters[own](_recordings(game, replay))
    else:
        known = ", ".join([".jsonl.zst", ".jsonl", *exporters])
        raise InputError(f"{path}: {game.name} is written as {known}; end the file's name so")
    files.write(path, data)


def _recordings(game: Game, replay: Replay) -> Iterator[Recording]:
    match = replay.match
    for episode in replay.episodes:
        players = tuple(replay.names[entrant] for entrant in match.seatings[episode.seating])
        states = (
            (tables, [(line["seat"], line["action"]) for line in batch])
            for tables, batch in walk(game, match, episode)
        )
        yield Recording(players, states)


def lines(replay: Replay) -> Iterator[bytes]:
    """The JSON lines that ``read`` made the replay of."""
    yield orjson.dumps({"type": "match", **replay.header})
    for episode in replay.episodes:
        yield orjson.dumps({"type": "deal", "deal": episode.deal, "seating": episode.seating})
        for decision in episode.decisions:
            yield orjson.dumps({"type": "decision", **decision})
        yield orjson.dumps(
            {
                "type": "end",
                "returns": episode.returns,
                "tiebreaks": episode.tiebreaks,
                "statuses": episode.statuses,
            }
        )
    decisions = sum(len(episode.decisions) for episode in replay.episodes)
    yield orjson.dumps({"type": "result", "tables": len(replay.episodes), "decisions": decisions})
