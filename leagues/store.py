"""The append-only log of matches: the one truth that ratings, tables and pages are computed from.

A match has one row, named by a hash of everything that decides it, and is written with its replay
in one transaction, so that a kill leaves all of it or nothing. Leagues refer to matches: two
leagues that schedule the same match (a roster that grew) share its row, and it is played once.
SQLite by default, PostgreSQL by URL.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.engine import Connection, Engine, RowMapping

from arena.envs.errors import InputError
from arena.leagues.league import League
from arena.leagues.match import Match, Result

DEFAULT = "arena.db"

_METADATA = sa.MetaData()
_LEAGUES = sa.Table(
    "leagues",
    _METADATA,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String, nullable=False, index=True),
    sa.Column("config", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False),
)
_MATCHES = sa.Table(
    "matches",
    _METADATA,
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
)
# Which matches a league counts, in the order in which it got them.
_MEMBERS = sa.Table(
    "league_matches",
    _METADATA,
    sa.Column("league", sa.ForeignKey("leagues.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("match", sa.ForeignKey("matches.id"), nullable=False),
    sa.UniqueConstraint("league", "match"),
)
_REPLAYS = sa.Table(
    "replays",
    _METADATA,
    sa.Column("match", sa.ForeignKey("matches.id"), primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Entry:
    """A league in the store.

    Attributes:
        league: its configuration.
        created: when it was first run, UTC.
        matches: how many of its matches are in the log.
    """

    league: League
    created: dt.datetime
    matches: int


class Store:
    """A store of leagues and matches, opened by path (SQLite) or SQLAlchemy URL.

    ``where`` says which, with no password in it.

    Raises InputError where it cannot be opened, or is not there and ``create`` is False.
    """

    def __init__(self, where: str = DEFAULT, *, create: bool = False) -> None:
        self.where = shown(where)
        if not where.strip() or where in ("sqlite://", "sqlite:///:memory:"):
            raise InputError(
                f"store {where!r} would be forgotten at the end; name a SQLite file or a "
                "database URL"
            )
        url = where if "://" in where else f"sqlite:///{where}"
        if url.startswith("sqlite:///") and not create:
            path = Path(url.removeprefix("sqlite:///"))
            if not path.is_file():
                raise InputError(
                    f"store {path} does not exist; run a league first (arena tournament run demo) "
                    "or name another with --store"
                )
        try:
            self._engine = _engine(url)
            with self._engine.begin() as connection:
                if create:
                    _create_tables(connection)
                ready = sa.inspect(connection).has_table(_REPLAYS.name)
        except (sa.exc.SQLAlchemyError, ImportError) as error:
            raise InputError(
                f"store {self.where} cannot be opened ({_reason(error)}); name a SQLite file or a "
                "database URL"
            ) from None
        if not ready:
            raise InputError(
                f"store {self.where} holds no leagues; is it another program's database?"
            )

    # -- writing -------------------------------------------------------------------------------

    def add_league(self, league: League) -> None:
        """Make a league known; adding it again changes nothing."""
        row = {
            "id": league.id,
            "name": league.name,
            "config": orjson.dumps(league.to_json()),
            "created": dt.datetime.now(dt.UTC),
        }

        def write(connection: Connection) -> None:
            known = sa.select(_LEAGUES.c.id).where(_LEAGUES.c.id == league.id)
            if connection.execute(known).first() is None:
                connection.execute(_LEAGUES.insert().values(row))

        self._transact(write)

    def append(self, league: League, result: Result) -> None:
        """Add a finished match to a league's log, with its replay, in one transaction.

        A match that is there already (another process runs the same league) is not added again:
        what it came to is the same.
        """
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
            "decisions": result.decisions,
            "seconds": result.seconds,
            "finished": dt.datetime.now(dt.UTC),
        }
        replay = {"match": match.id, "data": result.replay}

        def write(connection: Connection) -> None:
            known = sa.select(_MATCHES.c.id).where(_MATCHES.c.id == match.id)
            if connection.execute(known).first() is None:
                connection.execute(_MATCHES.insert(), row)
                connection.execute(_REPLAYS.insert(), replay)
            _attach(connection, league.id, [match.id])

        self._transact(write)

    def _transact(self, write: Callable[[Connection], None]) -> None:
        """Run ``write`` in a transaction; again where another process was faster.

        Raises InputError where the database takes nothing: a full disk, a file that is read-only.
        """
        for attempt in range(5):
            try:
                with self._engine.begin() as connection:
                    write(connection)
                return
            except sa.exc.IntegrityError:
                if attempt == 4:
                    raise
            except sa.exc.OperationalError as error:
                raise InputError(
                    f"store {self.where} cannot be written ({_reason(error)}); it keeps what it has"
                ) from None

    def attach(self, league: League, matches: Collection[Match]) -> set[str]:
        """Count those of ``matches`` that are in the log already for ``league``; their ids."""
        wanted = {match.id for match in matches}
        played: set[str] = set()

        def write(connection: Connection) -> None:
            ids = connection.execute(sa.select(_MATCHES.c.id)).scalars()
            played.update(wanted.intersection(ids))
            _attach(connection, league.id, [m.id for m in matches if m.id in played])

        self._transact(write)
        return played

    # -- reading -------------------------------------------------------------------------------

    def leagues(self) -> list[Entry]:
        """All leagues, the newest first."""
        count = (
            sa.select(sa.func.count())
            .select_from(_MEMBERS)
            .where(_MEMBERS.c.league == _LEAGUES.c.id)
            .scalar_subquery()
        )
        query = sa.select(_LEAGUES, count.label("matches")).order_by(_LEAGUES.c.created.desc())
        with self._engine.connect() as connection:
            return [
                Entry(League.from_json(orjson.loads(row["config"])), row["created"], row["matches"])
                for row in connection.execute(query).mappings()
            ]

    def find(self, name: str | None = None) -> Entry:
        """The newest league of that name or id (any, where None); else InputError."""
        entries = self.leagues()
        for entry in entries:
            if name is None or name in (entry.league.name, entry.league.id):
                return entry
        if not entries:
            raise InputError(f"store {self.where} holds no league; run one: arena tournament run")
        known = ", ".join(sorted({entry.league.name for entry in entries}))
        raise InputError(f"store {self.where} holds no league {name!r}; it holds: {known}")

    def results(
        self, league: League, *, after: int = 0, entrants: Sequence[str] = ()
    ) -> Iterator[tuple[int, Result]]:
        """A league's results with their running numbers (from 1), without replays, in order.

        Only those numbered above ``after``, and with all of the given entrants.
        """
        query = (
            sa.select(_MEMBERS.c.number, _MATCHES)
            .join(_MATCHES, _MATCHES.c.id == _MEMBERS.c.match)
            .where(_MEMBERS.c.league == league.id, _MEMBERS.c.number > after)
            .order_by(_MEMBERS.c.number)
        )
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                result = _result(row)
                if all(entrant in result.match.entrants for entrant in entrants):
                    yield row["number"], result

    def match_ids(self) -> list[str]:
        """The ids of all matches in the log, oldest first."""
        query = sa.select(_MATCHES.c.id).order_by(_MATCHES.c.finished, _MATCHES.c.id)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def match(self, id: str) -> Result:
        """One result, with its replay, by the match's id or a unique beginning of it."""
        query = (
            sa.select(_MATCHES, _REPLAYS.c.data)
            .join(_REPLAYS)
            .where(_MATCHES.c.id.startswith(id, autoescape=True))
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(2)).mappings().all()
        if len(rows) != 1 or not id:
            fault = "no match" if not rows else "more than one match"
            raise InputError(f"store {self.where} holds {fault} whose id begins with {id!r}")
        return _result(rows[0], rows[0]["data"])

    def close(self) -> None:
        """Give the database's connections back."""
        self._engine.dispose()


def shown(where: str) -> str:
    """A store's path or URL as it may be shown: without a password."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", where)


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).splitlines()[0]


def _engine(url: str) -> Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def configure(connection: Any, _record: Any) -> None:
            # With a write-ahead log readers (the web page) and the writer do not wait for each
            # other, and a killed process loses no committed match.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA foreign_keys=ON")

    return engine


def _create_tables(connection: Connection) -> None:
    """Create what is not there, also while another process does the same."""
    for table in _METADATA.sorted_tables:
        connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))


def _attach(connection: Connection, league: str, matches: Sequence[str]) -> None:
    """Count ``matches`` for ``league``; those that it counts already stay where they are."""
    counted = sa.select(_MEMBERS.c.match).where(_MEMBERS.c.league == league)
    if len(matches) == 1:  # the common case, in a league of many
        counted = counted.where(_MEMBERS.c.match == matches[0])
    own = set(connection.execute(counted).scalars())
    last = connection.execute(
        sa.select(sa.func.max(_MEMBERS.c.number)).where(_MEMBERS.c.league == league)
    ).scalar()
    rows = [
        {"league": league, "number": number, "match": match}
        for number, match in enumerate((m for m in matches if m not in own), (last or 0) + 1)
    ]
    if rows:
        connection.execute(_MEMBERS.insert(), rows)


def _pack(array: NDArray[Any]) -> bytes:
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def _match(row: RowMapping) -> Match:
    return Match(
        game=row["game"],
        game_version=row["game_version"],
        entrants=tuple(orjson.loads(row["entrants"])),
        specs=tuple(orjson.loads(row["specs"])),
        seed=int(row["seed"]),
        first_deal=row["first_deal"],
        deals=row["deals"],
        seatings=tuple(map(tuple, orjson.loads(row["seatings"]))),
    )


def _result(row: RowMapping, replay: bytes = b"") -> Result:
    try:
        match = _match(row)
        shape = (match.deals, len(match.seatings), len(match.seatings[0]))
        return Result(
            match,
            np.frombuffer(row["returns"], "<f8").reshape(shape),
            np.frombuffer(row["tiebreaks"], "<f8").reshape(shape),
            np.frombuffer(row["statuses"], "u1").reshape(shape),
            row["decisions"],
            row["seconds"],
            replay,
        )
    except (ValueError, TypeError) as error:
        raise InputError(f"match {row['id']} is damaged in the store ({error})") from None
