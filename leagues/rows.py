"""The store's tables, and how a match's result is a row of one.

Schema 2. A row of ``matches`` proves itself: its id is a hash of what decides the match, its
``checksum`` covers everything else. Arrays are little-endian, compressed by zstd where that is
shorter than the array itself; both have their length to tell them apart.
"""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
import zstandard
from numpy.typing import NDArray
from sqlalchemy.engine import Connection

from arena.envs.errors import InputError
from arena.envs.outside import MOST_BYTES, parse_record
from arena.leagues.league import League
from arena.leagues.match import STATUS_NAMES, Match, Result

SCHEMA = 2
_LEVEL = 5  # of zstd, for arrays: as small as above it, in a quarter of the time

METADATA = sa.MetaData()
META = sa.Table(
    "meta",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
LEAGUES = sa.Table(
    "leagues",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("config", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
)
MATCHES = sa.Table(
    "matches",
    METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("game", sa.String, nullable=False),
    sa.Column("game_version", sa.Integer, nullable=False),
    sa.Column("entrants", sa.LargeBinary, nullable=False),
    sa.Column("specs", sa.LargeBinary, nullable=False),
    sa.Column("seed", sa.String(20), nullable=False),  # 64 unsigned bits: no SQL integer holds them
    sa.Column("first_deal", sa.Integer, nullable=False),
    sa.Column("deals", sa.Integer, nullable=False),
    sa.Column("seatings", sa.LargeBinary, nullable=False),
    sa.Column("returns", sa.LargeBinary, nullable=False),
    sa.Column("tiebreaks", sa.LargeBinary, nullable=False),
    sa.Column("statuses", sa.LargeBinary, nullable=False),
    sa.Column("decisions", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("finished", sa.DateTime(timezone=True), nullable=False),
    sa.Column("checksum", sa.BigInteger),  # none: written before there were any
)
# Which matches a league counts, in the order in which it got them.
MEMBERS = sa.Table(
    "league_matches",
    METADATA,
    sa.Column("league", sa.ForeignKey("leagues.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("match", sa.ForeignKey("matches.id"), nullable=False),
    sa.UniqueConstraint("league", "match"),
)
# A replay may be dropped to save space.
REPLAYS = sa.Table(
    "replays",
    METADATA,
    sa.Column("match", sa.ForeignKey("matches.id"), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

# What leads from the schema before to the schema of that number, beside tables that are new.
_STEPS = {2: ("ALTER TABLE matches ADD COLUMN checksum BIGINT",)}


class Damaged(InputError):
    """What is in the store is not what was written; the message says which row and why."""


def schema(connection: Connection) -> int | None:
    """The number of a database's schema; None where it holds no store."""
    tables = set(sa.inspect(connection).get_table_names())
    if not {LEAGUES.name, MATCHES.name, MEMBERS.name, REPLAYS.name} <= tables:
        return None
    if META.name not in tables:
        return 1
    query = sa.select(META.c.value).where(META.c.name == "schema")
    return int(connection.execute(query).scalar_one())


def migrate(connection: Connection) -> None:
    """Create what is not there, step by step from the schema that is."""
    if connection.dialect.name == "postgresql":  # else two that come first get into a tangle
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('arena store'))"))
    found = schema(connection)
    for number in range((found or SCHEMA) + 1, SCHEMA + 1):
        for statement in _STEPS[number]:
            connection.execute(sa.text(statement))
    METADATA.create_all(connection)
    if found != SCHEMA:
        connection.execute(sa.delete(META).where(META.c.name == "schema"))
        connection.execute(META.insert().values(name="schema", value=str(SCHEMA)))


# -- leagues ---------------------------------------------------------------------------------------


def league_row(league: League, created: dt.datetime) -> dict[str, Any]:
    """A league as a row of ``leagues``."""
    config = orjson.dumps(league.to_json())
    return {"id": league.id, "name": league.name, "config": config, "created": created}


def read_league(row: Mapping[str, Any]) -> League:
    """The league of a row, or Damaged."""
    try:
        league = League.from_json(parse_record(row["config"], "its configuration"))
    except (ValueError, TypeError, KeyError) as error:
        raise Damaged(f"league {row['id']} is damaged ({error})") from None
    if league.id != row["id"]:
        raise Damaged(f"league {row['id']} is damaged (its configuration was changed)")
    return league


# -- matches ---------------------------------------------------------------------------------------


def match_row(result: Result, finished: dt.datetime) -> dict[str, Any]:
    """A result as a row of ``matches``; its replay is a row of its own."""
    match = result.match
    row = {
        "id": match.id,
        "game": match.game,
        "game_version": match.game_version,
        "entrants": orjson.dumps(match.entrants),
        "specs": orjson.dumps(match.specs),
        "seed": str(match.seed),
        "first_deal": match.first_deal,
        "deals": match.deals,
        "seatings": orjson.dumps(match.seatings),
        "returns": _pack(result.returns),
        "tiebreaks": _pack(result.tiebreaks),
        "statuses": _pack(result.statuses),
        "decisions": int(result.decisions),
        "seconds": float(result.seconds),
        "finished": finished,
    }
    return {**row, "checksum": _checksum(row)}


def read_match(row: Mapping[str, Any], replay: bytes = b"") -> Result:
    """The result of a row, or Damaged. ``replay`` is not looked into."""
    try:
        match = Match(
            game=row["game"],
            game_version=row["game_version"],
            entrants=tuple(parse_record(row["entrants"], "its entrants")),
            specs=tuple(parse_record(row["specs"], "its specs")),
            seed=int(row["seed"]),
            first_deal=row["first_deal"],
            deals=row["deals"],
            seatings=tuple(map(tuple, parse_record(row["seatings"], "its seatings"))),
        )
        if match.id != row["id"] or row["checksum"] not in (None, _checksum(row)):
            raise ValueError("its fields are not those that were written")
        if not _is_match(match):
            raise TypeError("its fields are not those of a match")
        shape = (match.deals, len(match.seatings), len(match.seatings[0]))
        returns, tiebreaks = (_unpack(row[n], "<f8", shape) for n in ("returns", "tiebreaks"))
        statuses = _unpack(row["statuses"], "u1", shape)
        if not np.isfinite(returns + tiebreaks).all() or statuses.max() >= len(STATUS_NAMES):
            raise ValueError("its results are none")
        return Result(match, returns, tiebreaks, statuses, row["decisions"], row["seconds"], replay)
    except (ValueError, TypeError, IndexError, zstandard.ZstdError) as error:
        raise Damaged(f"match {row['id']} is damaged ({error})") from None


def _is_match(match: Match) -> bool:
    """Whether the fields, which JSON may have made anything, are those of a match."""
    seats = len(match.seatings[0])
    return (
        all(type(number) is int for number in (match.game_version, match.first_deal, match.deals))
        and all(isinstance(name, str) for name in (match.game, *match.entrants, *match.specs))
        and len(match.entrants) == len(match.specs)
        and match.deals > 0
        and all(len(seating) == seats > 0 for seating in match.seatings)
        and all(
            type(who) is int and 0 <= who < len(match.entrants)
            for seating in match.seatings
            for who in seating
        )
    )


def _checksum(row: Mapping[str, Any]) -> int:
    """CRC-32 of what a row says, but for when it was written."""
    sums = 0
    for name in _SUMMED:
        value = row[name]
        sums = zlib.crc32(value if isinstance(value, bytes) else repr(value).encode(), sums)
    return sums


_SUMMED = [c.name for c in MATCHES.columns if c.name not in ("finished", "checksum")]


def _pack(array: NDArray[Any]) -> bytes:
    raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
    packed = zstandard.compress(raw, _LEVEL)
    return packed if len(packed) < len(raw) else raw


def _unpack(data: bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > MOST_BYTES:
        raise ValueError(f"it says that it has {shape[0]:,} deals")
    if len(data) < size and zstandard.frame_content_size(data) == size:
        data = zstandard.decompress(data)
    return np.frombuffer(data, dtype).reshape(shape)
