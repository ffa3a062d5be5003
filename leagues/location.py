"""Where a store is, and how its database is opened there.

A store is a SQLite file, named by its path, or a PostgreSQL database, named by its URL. A path is
that file, whatever signs it holds; ``sqlite:///PATH`` is understood too.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from arena.envs.errors import InputError

BUSY_SECONDS = 60.0
"""How long a store that another process writes to is waited for."""

# All that SQLite takes for a database in memory, or for a temporary one.
_FORGOTTEN = re.compile(r"|:memory:|sqlite[^:]*:///?|(sqlite|file).*(:memory:|mode=memory).*")
# Those of Linux's file systems whose files other machines may have open, too.
_NETWORK = re.compile(
    r"nfs4?|cifs|smb3?|smbfs|afs|9p|ceph|lustre|gpfs|beegfs|glusterfs|gfs2|ocfs2"
    r"|fuse\.(sshfs|rclone|glusterfs|ceph|s3fs|gcsfuse)"
)


@dataclass(frozen=True)
class Location:
    """Where a store is.

    Attributes:
        shown: how it is named to people: as they named it, without a password.
        path: the SQLite file; None: the database is on a server.
        url: of a database on a server; None: it is a file.
    """

    shown: str
    path: Path | None
    url: sa.URL | None


def locate(where: str) -> Location:
    """The place that a path or URL names.

    Raises InputError for what cannot hold a store: a database in memory, a folder, another kind of
    database, a URL that is none.
    """
    shown = re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", where)
    plain = where.strip().lower()
    if _FORGOTTEN.fullmatch(plain):
        raise InputError(
            f"store {shown!r} would be forgotten at the end; name a SQLite file or a database URL"
        )
    if plain.startswith("file:"):
        raise InputError(f"store {shown}: name the file by its path, without file:")
    if "://" not in where:
        return _file(shown, where)
    try:
        url = sa.make_url(where)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise InputError(
            f"store {shown} cannot be opened ({error}); name a SQLite file or a database URL"
        ) from None
    if url.get_backend_name() == "postgresql":
        return Location(shown, None, url)
    if url.get_backend_name() != "sqlite" or url.host or url.query or not url.database:
        raise InputError(
            f"store {shown} cannot be opened; name a SQLite file, sqlite:///PATH, or "
            "postgresql+psycopg://USER@HOST/DATABASE"
        )
    return _file(shown, url.database)


def _file(shown: str, path: str) -> Location:
    if os.path.isdir(path):  # noqa: PTH112 - Path's raises in a folder that may not be looked into
        raise InputError(f"store {shown} is a folder; name a file in it")
    return Location(shown, Path(path), None)


def connect(location: Location, *, write: bool) -> Engine:
    """An engine for the database; ``write``: also to write, and to create the file.

    Transactions with the execution option ``write`` take the lock for writing as they begin, and
    wait for it.
    """
    if location.path is not None:
        return _sqlite(location.path, write)
    assert location.url is not None
    milliseconds = round(1000 * BUSY_SECONDS)
    return sa.create_engine(
        location.url,
        pool_pre_ping=True,  # a match may take longer than a server keeps an idle connection
        connect_args={"options": f"-c lock_timeout={milliseconds}"},
    )


def _sqlite(path: Path, write: bool) -> Engine:
    def open_file() -> sqlite3.Connection:
        name = quote(os.fsencode(path.absolute()))
        connection = sqlite3.connect(
            f"file:{name}?{'mode=rwc' if write else _reader(path)}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions are begun below
            check_same_thread=False,  # the pool lends a connection to one thread at a time
        )
        if write:
            _prepare(connection, path)
        else:
            connection.execute("PRAGMA query_only=ON")
        return connection

    # Readers open the file each time: it may have been replaced, or a writer may have come.
    pool = sa.QueuePool if write else sa.NullPool
    engine = sa.create_engine("sqlite://", creator=open_file, poolclass=pool)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # One that reads first and then wants to write would not be let to wait for others.
        write = connection.get_execution_options().get("write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _reader(path: Path) -> str:
    """How SQLite shall open a file that is only read.

    In a folder that may be written, as writers do, for a reader who leaves last has to tidy up the
    write-ahead log. Elsewhere there is nobody to share a log with, unless it lies there already.
    """
    if not sealed(path):
        return "mode=rw"
    unfinished = any(_size(Path(f"{path}{end}")) for end in ("-wal", "-journal"))
    return "mode=ro" if unfinished else "mode=ro&immutable=1"


def sealed(path: Path) -> bool:
    """Whether this process may not write in the folder of ``path``."""
    effective = os.access in os.supports_effective_ids
    return not os.access(path.absolute().parent, os.W_OK | os.X_OK, effective_ids=effective)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # With a write-ahead log readers (the web page) and the writer do not wait for each other, and a
    # killed process loses no committed match. It needs memory that all its users share.
    journal = "DELETE" if network(path) else "WAL"
    last = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode={journal}")
            break
        except sqlite3.OperationalError:  # busy, for which SQLite does not wait here
            if time.monotonic() > last:
                raise
            time.sleep(0.05)
    connection.execute(f"PRAGMA synchronous={'NORMAL' if journal == 'WAL' else 'FULL'}")
    connection.execute("PRAGMA foreign_keys=ON")


def network(path: Path, mounts: str | None = None) -> str:
    """The kind of network file system that ``path`` lies on; "" for none, or where nobody can tell.

    ``mounts`` is the text of Linux's ``/proc/self/mountinfo``.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text()
        except OSError:
            return ""
    target = path.resolve()
    kind, depth = "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), before.split()[4]))
        if len(point.parts) >= depth and target.is_relative_to(point):
            kind, depth = after.split()[0], len(point.parts)
    return kind if _NETWORK.fullmatch(kind) else ""


_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR)


def damaging(error: BaseException) -> bool:
    """Whether an error of the database means that its file is damaged."""
    cause: Any = getattr(error, "orig", None) or error
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _DAMAGE
    # What cannot be decoded has no code.
    return isinstance(cause, ValueError | TypeError | OverflowError) or (
        isinstance(cause, sqlite3.OperationalError) and "decode" in str(cause)
    )


def busy(error: BaseException) -> bool:
    """Whether an error of the database says that others were waited for in vain."""
    return bool(re.search("is locked|lock timeout", str(error)))


def reason(error: BaseException) -> str:
    """What a database's error says, in a line."""
    lines = str(getattr(error, "orig", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
