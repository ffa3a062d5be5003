"""What keeps a store well: checked, mended, made smaller, put together with others."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from arena.envs.errors import InputError
from arena.leagues import location, replay
from arena.leagues.match import Result
from arena.leagues.remake import alike, remake
from arena.leagues.replay import Replay
from arena.leagues.rows import Damaged, read_league, read_match
from arena.leagues.store import Logged, Store

Report = Callable[[int, int], object]
"""Told how many matches of how many are done."""

Drop = Literal["none", "reproducible", "all"]
_CHUNK = 100  # matches with their replays that are held in memory, or written at once


# -- check -----------------------------------------------------------------------------------------


def check(store: Store, report: Report) -> list[str]:
    """Read all that is in a store; what is wrong with it, a sentence each."""
    faults = store.integrity()
    try:
        for entry in store.leagues():
            for _ in store.results(entry.league):
                pass
        total = len(store.match_ids())
        for number, logged in enumerate(store.logged(), 1):
            faults += _replay_faults(logged)
            report(number, total)
    except Damaged as error:
        faults.append(str(error))
    return faults + store.told


def _replay_faults(logged: Logged) -> list[str]:
    result = logged.result
    where = f"the replay of match {result.match.id}"
    if not result.replay:  # dropped
        return []
    try:
        return [f"{where}: {what}" for what in replay.differences(_read(result.replay), result)[:1]]
    except InputError as error:
        return [f"{where}: {error}"]


def _read(data: bytes) -> Replay:
    return replay.read(data, "it")


# -- merge -----------------------------------------------------------------------------------------


def merge(source: Store, target: Store, report: Report) -> None:
    """Add all of a store's leagues and matches to another; what is there already stays."""
    total = len(source.match_ids())
    for done, matches in _by_chunks(source.logged()):
        target.take(matches)
        report(done, total)
    for entry in reversed(source.leagues()):
        target.add_league(entry.league, entry.created)
        target.attach(entry.league, source.members(entry.league))


def _by_chunks(matches: Iterator[Logged]) -> Iterator[tuple[int, list[Logged]]]:
    """Matches some at a time, with how many there have been."""
    done, chunk = 0, list[Logged]()
    for logged in matches:
        chunk.append(logged)
        if len(chunk) == _CHUNK:
            done += len(chunk)
            yield done, chunk
            chunk = []
    if chunk:
        yield done + len(chunk), chunk


# -- compact ---------------------------------------------------------------------------------------


def compact(store: Store, drop: Drop, report: Report) -> int:
    """Compress anew what was compressed less, drop replays; how many replays were dropped.

    ``drop``: "reproducible" ones are those without notes whose match, played again now, came out
    alike, decision by decision. Playing costs as much time as it did.
    """
    total, dropped = len(store.match_ids()), 0
    for done, matches in _by_chunks(store.logged()):
        smaller = [replace(m, result=_smaller(m.result, drop)) for m in matches]
        dropped += sum(
            bool(m.result.replay) and not s.result.replay
            for m, s in zip(matches, smaller, strict=True)
        )
        store.rewrite(smaller)
        report(done, total)
    store.vacuum()
    return dropped


def _smaller(result: Result, drop: Drop) -> Result:
    data = result.replay
    if not data or drop == "all" or (drop == "reproducible" and _reproducible(result)):
        return replace(result, replay=b"")
    anew = replay.recompress(data, f"the replay of match {result.match.id}")
    return replace(result, replay=min(data, anew, key=len))


def _reproducible(result: Result) -> bool:
    """Whether the match, played again, has the same decisions; language models aren't asked."""
    record = _read(result.replay)
    if any("notes" in line for episode in record.episodes for line in episode.decisions):
        return False
    try:
        again = remake(result)
    except InputError:
        return False
    return alike(record, _read(again.replay))


# -- repair ----------------------------------------------------------------------------------------


@dataclass
class Repaired:
    """What a repair came to.

    Attributes:
        kept: where the damaged file is now.
        leagues, matches, replays: how many were saved.
        rebuilt: of the matches, those that were read from their replays.
        lost: ids of matches that leagues counted, and that are gone.
    """

    kept: Path
    leagues: int = 0
    matches: int = 0
    replays: int = 0
    rebuilt: int = 0
    lost: tuple[str, ...] = ()


def repair(where: str) -> Repaired:
    """Save what can be read of a SQLite store into a new file, which takes the old one's name.

    A match whose row is lost is rebuilt from its replay. Raises InputError where nothing can be
    read, or where the store is not a file.
    """
    path = location.locate(where).path
    if path is None:
        raise InputError(
            f"store {location.locate(where).shown} is not a file; its server mends it, or a backup"
        )
    if not path.is_file():
        raise InputError(f"store {where} does not exist")
    fresh = Path(f"{path}.repaired")
    for end in ("", "-wal", "-shm"):
        Path(f"{fresh}{end}").unlink(missing_ok=True)
    kept = next(
        free
        for number in range(1, 1000)
        if not (free := Path(f"{path}.damaged{number if number > 1 else ''}")).exists()
    )
    saved = Repaired(kept)
    target = Store(str(fresh), create=True)
    with closing(_open(path)) as source:
        _save(source, target, saved)
    target.close()
    if not saved.leagues and not saved.matches:
        fresh.unlink()
        raise InputError(f"store {where}: nothing in it can be read; take a copy of it, if any")
    for end in ("", "-wal", "-shm"):
        beside = Path(f"{path}{end}")
        if beside.exists():
            beside.rename(f"{kept}{end}")
    fresh.rename(path)
    return saved


def _open(path: Path) -> sqlite3.Connection:
    lent: Any = location.connect(location.Location(str(path), path, None), write=False)
    lent = lent.raw_connection()
    source: sqlite3.Connection = lent.driver_connection
    lent.detach()
    source.text_factory = lambda data: data.decode("utf-8", "replace")
    return source


def _save(source: sqlite3.Connection, target: Store, saved: Repaired) -> None:
    for row in _salvage(source, "leagues"):
        with suppress(Damaged):
            target.add_league(read_league(row), _time(row["created"]))
            saved.leagues += 1
    for _, matches in _by_chunks(_matches(source)):
        target.take(matches)
    with_rows = len(target.match_ids())
    for _, matches in _by_chunks(_replays(source)):
        target.take(matches)
        saved.replays += len(matches)
    saved.matches = len(target.match_ids())
    saved.rebuilt = saved.matches - with_rows
    members: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for row in _salvage(source, "league_matches"):
        if isinstance(row["number"], int):
            members[row["league"]][row["number"]] = row["match"]
    lost: set[str] = set()
    for entry in target.leagues():
        ids = [id for _, id in sorted(members[entry.league.id].items())]
        lost |= set(ids) - target.attach(entry.league, ids)
    saved.lost = tuple(sorted(lost))


def _matches(source: sqlite3.Connection) -> Iterator[Logged]:
    for row in _salvage(source, "matches"):
        with suppress(Damaged):
            result = read_match({"checksum": None, **row})
            yield Logged(result, _time(row["finished"]))


def _replays(source: sqlite3.Connection) -> Iterator[Logged]:
    """The matches of all replays; whose row was saved, too, gets its replay from here."""
    for row in _salvage(source, "replays"):
        with suppress(InputError, TypeError):
            result = replay.result(_read(row["data"]), row["data"])
            yield Logged(result, dt.datetime.now(dt.UTC))


def _time(text: Any) -> dt.datetime:
    """A time as SQLite keeps it, or now, where it is damaged."""
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    except (ValueError, TypeError):
        return dt.datetime.now(dt.UTC)


def _salvage(source: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table that can be read, by the tree of their rowids.

    Where a page is damaged, the reader jumps over it, twice as far each time, until rows can be
    read again, and reads back from there to the damage.
    """
    last = 0
    while True:
        for rowid, row in _rows(source, table, "rowid > ? ORDER BY rowid", last):
            last = rowid
            yield row
        jumps = (last + 2**power for power in range(48))
        over = next((at for at in jumps if _first(source, table, at) is not None), None)
        if over is None:
            return
        landed = _first(source, table, over)
        back = []
        for rowid, row in _rows(source, table, "rowid <= ? ORDER BY rowid DESC", landed):
            if rowid <= last:
                break
            back.append(row)
        yield from reversed(back)
        assert landed is not None
        last = landed


def _first(source: sqlite3.Connection, table: str, after: int) -> int | None:
    """The first rowid after one; None where there is none, or it cannot be read."""
    for rowid, _ in _rows(source, table, "rowid > ? ORDER BY rowid LIMIT 1", after):
        return rowid
    return None


def _rows(
    source: sqlite3.Connection, table: str, which: str, value: Any
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows with their rowids, up to the first that cannot be read."""
    try:
        found = source.execute(f"SELECT rowid AS at, * FROM {table} WHERE {which}", (value,))
        names: Sequence[str] = [name for name, *_ in found.description][1:]
        for at, *values in found:
            yield at, dict(zip(names, values, strict=True))
    except sqlite3.Error:
        return
