"""The append-only log of matches: the one truth that ratings, tables and pages are computed from.

A match has one row, named by a hash of everything that decides it, and is written with its replay
in one transaction, so that a kill leaves all of it or nothing. Leagues refer to matches: two
leagues that schedule the same match (a roster that grew) share its row, and it is played once.
SQLite by default, PostgreSQL by URL; several processes may write to one store.

What is damaged is left out and told on the logger ``arena.leagues.database``; the rest is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from arena.envs.errors import InputError
from arena.leagues.database import Database
from arena.leagues.league import League
from arena.leagues.match import Result
from arena.leagues.rows import (
    LEAGUES,
    MATCHES,
    MEMBERS,
    REPLAYS,
    Damaged,
    league_row,
    match_row,
    read_league,
    read_match,
)

DEFAULT = "arena.db"
_CHUNK = 500  # rows that are read, or ids that are asked for, at once
_T = TypeVar("_T")


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

    def __str__(self) -> str:
        """What tells it from others of its name."""
        return f"{self.league.name} ({self.created:%Y-%m-%d %H:%M}, {self.league.id})"


@dataclass(frozen=True)
class Logged:
    """A match in the log, with its replay ("" where that was dropped) and when it ended, UTC."""

    result: Result
    finished: dt.datetime


class Store:
    """A store of leagues and matches, opened by path (SQLite) or PostgreSQL's URL.

    ``create``: open it to write, create it where it is not there, and bring an older one up to
    date. Otherwise it is only read, also in a folder that may not be written.

    ``where`` says which, with no password in it. All methods raise InputError where the database
    refuses: it is busy for longer than a minute, full, or has gone. ``Damaged`` is one.
    """

    def __init__(self, where: str = DEFAULT, *, create: bool = False) -> None:
        self._database = Database(where, create=create)
        self.where = self._database.where
        new = self._database.schema > 1
        checksum = MATCHES.c.checksum if new else sa.null().label("checksum")
        self._columns: list[sa.ColumnElement[Any]]
        self._columns = [c for c in MATCHES.columns if c.name not in ("finished", "checksum")]
        self._columns.append(checksum)

    # -- writing -------------------------------------------------------------------------------

    def add_league(self, league: League, created: dt.datetime | None = None) -> None:
        """Make a league known; adding it again changes nothing. ``created``: now, where None."""
        row = league_row(league, created or dt.datetime.now(dt.UTC))
        self._database.transact(
            lambda connection: connection.execute(_insert(connection, LEAGUES), row)
        )

    def append(self, league: League, *results: Result) -> None:
        """Add finished matches to a league's log, with their replays, in one transaction.

        A match that is there already (another process runs the same league) is not added again:
        what it came to is the same.
        """
        now = dt.datetime.now(dt.UTC)
        self.take([Logged(result, now) for result in results], league)

    def take(self, matches: Collection[Logged], league: League | None = None) -> None:
        """Add matches to the log, and to a league's where one is named, in one transaction."""
        rows = [match_row(logged.result, logged.finished) for logged in matches]
        rows.sort(key=_id_of)  # two who write the same matches wait for each other in one order
        replays = [
            {"match": logged.result.match.id, "data": logged.result.replay}
            for logged in matches
            if logged.result.replay
        ]
        ids = [logged.result.match.id for logged in matches]

        def write(connection: Connection) -> None:
            for table, items in ((MATCHES, rows), (REPLAYS, replays)):
                if items:
                    connection.execute(_insert(connection, table), items)
            if league is not None:
                self._count(connection, league, ids)

        self._database.transact(write)

    def attach(self, league: League, ids: Collection[str]) -> set[str]:
        """Count those matches that are in the log already for ``league``; their ids."""

        def write(connection: Connection) -> set[str]:
            known = _among(connection, sa.select(MATCHES.c.id), MATCHES.c.id, ids)
            self._count(connection, league, [id for id in ids if id in known])
            return known

        return self._database.transact(write)

    def _count(self, connection: Connection, league: League, ids: Sequence[str]) -> None:
        """Count matches for a league; those that it counts already stay where they are.

        One process at a time: the league's row is locked, so that numbers are given in the order
        in which they come to be seen, and whoever reads on from the last one misses none.
        """
        row = sa.select(LEAGUES.c.id).where(LEAGUES.c.id == league.id).with_for_update()
        if connection.execute(row).first() is None:
            raise InputError(
                f"league {league.name} ({league.id}) is not in store {self.where} any more; it was "
                "deleted or renamed"
            )
        own = sa.select(MEMBERS.c.match).where(MEMBERS.c.league == league.id)
        counted = _among(connection, own, MEMBERS.c.match, ids)
        last = sa.select(sa.func.max(MEMBERS.c.number)).where(MEMBERS.c.league == league.id)
        first = (connection.execute(last).scalar() or 0) + 1
        rows = [
            {"league": league.id, "number": number, "match": id}
            for number, id in enumerate((id for id in ids if id not in counted), first)
        ]
        if rows:
            connection.execute(MEMBERS.insert(), rows)

    def rename(self, entry: Entry, name: str) -> Entry:
        """Give a league another name, and so another id; its matches stay."""
        league = replace(entry.league, name=name)
        old, new = entry.league.id, league.id

        def write(connection: Connection) -> None:
            if connection.execute(sa.select(LEAGUES.c.id).where(LEAGUES.c.id == new)).first():
                raise InputError(f"store {self.where} holds that very league under {name!r}, too")
            connection.execute(LEAGUES.insert(), league_row(league, entry.created))
            connection.execute(MEMBERS.update().where(MEMBERS.c.league == old).values(league=new))
            connection.execute(LEAGUES.delete().where(LEAGUES.c.id == old))

        self._database.transact(write)
        return replace(entry, league=league)

    def delete(self, entry: Entry) -> int:
        """Forget a league and the matches that no other league counts; how many these were."""

        def write(connection: Connection) -> int:
            mine = MEMBERS.c.league == entry.league.id
            ids = connection.execute(sa.select(MEMBERS.c.match).where(mine)).scalars().all()
            connection.execute(MEMBERS.delete().where(mine))
            connection.execute(LEAGUES.delete().where(LEAGUES.c.id == entry.league.id))
            others = sa.select(LEAGUES.c.id)  # so that the index over league and match is used
            theirs = sa.select(MEMBERS.c.match).where(MEMBERS.c.league.in_(others))
            alone = sorted(set(ids) - _among(connection, theirs, MEMBERS.c.match, ids))
            for some in _chunks(alone):
                connection.execute(REPLAYS.delete().where(REPLAYS.c.match.in_(some)))
                connection.execute(MATCHES.delete().where(MATCHES.c.id.in_(some)))
            return len(alone)

        return self._database.transact(write)

    def rewrite(self, matches: Iterable[Logged]) -> None:
        """Write matches that are in the log anew; a replay that is b"" is dropped."""

        def write(connection: Connection) -> None:
            for logged in matches:
                row = match_row(logged.result, logged.finished)
                connection.execute(MATCHES.update().where(MATCHES.c.id == row["id"]), row)
                connection.execute(REPLAYS.delete().where(REPLAYS.c.match == row["id"]))
                if logged.result.replay:
                    data = {"match": row["id"], "data": logged.result.replay}
                    connection.execute(REPLAYS.insert(), data)

        self._database.transact(write)

    # -- reading -------------------------------------------------------------------------------

    def leagues(self) -> list[Entry]:
        """All leagues, the newest first."""
        query = sa.select(LEAGUES)
        try:
            rows = self._database.rows(query)
        except Damaged:
            rows = self._database.singly(query, LEAGUES.c.id, self._database.column(LEAGUES.c.id))
        entries = []
        for row in rows:
            with self._database.skipping():
                league = read_league(row)
                entries.append(Entry(league, _utc(row["created"]), self._size(league)))
        return sorted(entries, key=lambda entry: entry.created, reverse=True)

    def _size(self, league: League) -> int:
        """How many matches a league counts, by either of two indices."""
        mine = MEMBERS.c.league == league.id
        for size in (sa.func.count(MEMBERS.c.match), sa.func.max(MEMBERS.c.number)):
            with self._database.skipping():
                (row,) = self._database.rows(sa.select(size.label("size")).where(mine))
                return row["size"] or 0
        return 0

    def find(self, name: str | None = None, *, only: bool = False) -> Entry:
        """The newest league of that name or id (any, where None).

        InputError where there is none, and, with ``only``, where several have that name.
        """
        entries = self.leagues()
        if not entries:
            raise InputError(f"store {self.where} holds no league; run one: arena tournament run")
        found = [e for e in entries if name is None or name in (e.league.name, e.league.id)]
        if not found:
            known = ", ".join(map(str, entries))
            raise InputError(f"store {self.where} holds no league {name!r}; it holds: {known}")
        if only and len(found) > 1:
            several = ", ".join(map(str, found))
            raise InputError(f"several leagues are called {name!r}, name one by its id: {several}")
        return found[0]

    def results(
        self, league: League, *, after: int = 0, entrants: Sequence[str] = ()
    ) -> Iterator[tuple[int, Result]]:
        """A league's results with their running numbers (from 1), without replays, in order.

        Only those numbered above ``after``, and with all of the given entrants.
        """
        query = (
            sa.select(MEMBERS.c.number, MEMBERS.c.match.label("counted"), *self._columns)
            .select_from(MEMBERS.outerjoin(MATCHES, MATCHES.c.id == MEMBERS.c.match))
            .where(MEMBERS.c.league == league.id)
            .order_by(MEMBERS.c.number)
        )
        while True:
            try:
                rows = self._database.rows(query.where(MEMBERS.c.number > after).limit(_CHUNK))
                after = rows[-1]["number"] if rows else after
            except Damaged:
                numbers = range(after + 1, after + 1 + _CHUNK)
                rows = self._database.singly(query, MEMBERS.c.number, numbers)
                after = numbers[-1]
            if not rows:
                return
            for row in rows:
                with self._database.skipping():
                    if row["id"] is None:
                        raise Damaged(f"match {row['counted']} is counted, but not there")
                    result = read_match(row)
                    if set(entrants) <= set(result.match.entrants):
                        yield row["number"], result

    def members(self, league: League) -> list[str]:
        """The ids of the matches that a league counts, in the order of their numbers."""
        query = sa.select(MEMBERS.c.match).where(MEMBERS.c.league == league.id)
        return [row["match"] for row in self._database.rows(query.order_by(MEMBERS.c.number))]

    def match_ids(self) -> list[str]:
        """The ids of all matches in the log, oldest first."""
        try:
            query = sa.select(MATCHES.c.id).order_by(MATCHES.c.finished, MATCHES.c.id)
            return [row["id"] for row in self._database.rows(query)]
        except Damaged:
            return self._database.column(MATCHES.c.id)

    def match(self, id: str) -> Result:
        """One result, with its replay, by the match's id or a unique beginning of it.

        The replay is b"" where it was dropped.
        """
        # Ids are hexadecimal; an index finds a range of them, but no pattern.
        theirs = sa.and_(MATCHES.c.id >= id, MATCHES.c.id < f"{id}g")
        rows = self._database.rows(self._with_replays().where(theirs).limit(2))
        if len(rows) != 1 or not id:
            fault = "no match" if not rows else "more than one match"
            raise InputError(f"store {self.where} holds {fault} whose id begins with {id!r}")
        return read_match(rows[0], rows[0]["data"] or b"")

    def logged(self) -> Iterator[Logged]:
        """All matches with their replays, by their ids."""
        query = self._with_replays().add_columns(MATCHES.c.finished).order_by(MATCHES.c.id)
        for ids in _chunks(self._database.column(MATCHES.c.id)):
            try:
                rows = self._database.rows(query.where(MATCHES.c.id.in_(ids)))
            except Damaged:
                rows = self._database.singly(query, MATCHES.c.id, ids)
            for row in rows:
                with self._database.skipping():
                    result = read_match(row, row["data"] or b"")
                    yield Logged(result, _utc(row["finished"]))

    def names(self, match: str) -> dict[str, str]:
        """How the newest league that counts a match calls its agents: names by keys."""
        counting = sa.select(MEMBERS.c.league).where(MEMBERS.c.match == match)
        query = sa.select(LEAGUES).where(LEAGUES.c.id.in_(counting))
        rows = self._database.rows(query.order_by(LEAGUES.c.created.desc()).limit(1))
        return read_league(rows[0]).names if rows else {}

    def _with_replays(self) -> sa.Select[Any]:
        both = MATCHES.outerjoin(REPLAYS, REPLAYS.c.match == MATCHES.c.id)
        return sa.select(*self._columns, REPLAYS.c.data).select_from(both)

    @property
    def told(self) -> list[str]:
        """What was told of damage so far."""
        return list(self._database.told)

    def integrity(self) -> list[str]:
        """What the database finds wrong with its own file, a sentence each."""
        return self._database.integrity()

    def size(self) -> int:
        """How many bytes the database takes on disk, without its write-ahead log."""
        return self._database.size()

    def vacuum(self) -> None:
        """Give the disk back what is not used any more."""
        self._database.vacuum()

    def close(self) -> None:
        """Give the database's connections back."""
        self._database.close()


def _utc(when: dt.datetime) -> dt.datetime:
    """A time from the database in UTC, which SQLite forgets and PostgreSQL translates."""
    return when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when.astimezone(dt.UTC)


def _insert(connection: Connection, table: sa.Table) -> Any:
    """An insertion that leaves rows alone whose keys are there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table).on_conflict_do_nothing()


def _among(
    connection: Connection, query: sa.Select[Any], key: sa.Column[str], ids: Collection[str]
) -> set[str]:
    """Those of ``ids`` that ``query`` finds under ``key``."""
    found: set[str] = set()
    for some in _chunks(list(ids)):
        found.update(connection.execute(query.where(key.in_(some))).scalars())
    return found


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for first in range(0, len(items), _CHUNK):
        yield items[first : first + _CHUNK]


def _id_of(row: dict[str, Any]) -> str:
    return str(row["id"])
