"""The database under a store: queries and transactions, and a sentence for whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from arena.envs.errors import InputError
from arena.leagues import location, rows
from arena.leagues.rows import Damaged

_LOG = logging.getLogger(__name__)
Row = Mapping[str, Any]
_T = TypeVar("_T")
# Of the database, and of what SQLAlchemy makes of the values in its rows.
_ERRORS = (sa.exc.SQLAlchemyError, ValueError, TypeError, OverflowError)
_WRITTEN = "written; it keeps what it has"


class Database:
    """A store's database, opened; see ``Store`` for ``where`` and ``create``.

    ``schema`` is the number of its schema. What is damaged, and what else its users should know,
    is told on this module's logger, once.
    """

    def __init__(self, where: str, *, create: bool) -> None:
        self._location = location.locate(where)
        self.where = self._location.shown
        path = self._location.path
        if path is not None and not create and _identity(path) is None:
            raise InputError(
                f"store {self.where} does not exist; run a league first (arena tournament run "
                "demo) or name another with --store"
            )
        self._file: tuple[int, int] | None = None
        self.told: dict[str, None] = {}  # in the order in which it was told
        self.schema = self._open(create)
        if create and path is not None:
            self._file = _identity(path)
            if kind := location.network(path):
                self.tell(
                    f"it lies on a network file system ({kind}), where readers and the writer wait "
                    "for each other; a file on a local disk is faster and safer",
                    logging.WARNING,
                )

    def _open(self, create: bool) -> int:
        """Connect, bring the schema up to date where ``create``; its number."""
        try:
            self._engine = location.connect(self._location, write=create)
            with self._engine.execution_options(write=create).begin() as connection:
                found = rows.schema(connection)
                if create and (found or 0) < rows.SCHEMA:
                    rows.migrate(connection)
                    found = rows.SCHEMA
        except (sa.exc.SQLAlchemyError, ImportError, ValueError) as error:
            raise self._told(error, "opened; name a SQLite file or a database URL") from None
        if found is None:
            raise InputError(
                f"store {self.where} holds no leagues; is it another program's database?"
            )
        if found > rows.SCHEMA:
            raise InputError(
                f"store {self.where} has schema {found}, of a newer Arena; this one knows schemas "
                f"up to {rows.SCHEMA}: upgrade it"
            )
        return found

    # -- writing -------------------------------------------------------------------------------

    def transact(self, write: Callable[[Connection], _T]) -> _T:
        """Run ``write`` in a transaction.

        Raises InputError where the database takes nothing: a full disk, a file that is read-only
        or that is not there any more.
        """
        self._check_there()
        try:
            with self._engine.execution_options(write=True).begin() as connection:
                out = write(connection)
        except sa.exc.SQLAlchemyError as error:
            raise self._told(error, _WRITTEN) from None
        self._check_there()  # else it was written to a file that nobody finds
        return out

    def vacuum(self) -> None:
        """Give the disk back what is not used any more."""
        free: Any = self._engine.raw_connection()
        try:
            if self._location.path is None:
                free.driver_connection.autocommit = True
            free.driver_connection.execute("VACUUM")
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._told(error, _WRITTEN) from None
        finally:
            free.invalidate()

    # -- reading -------------------------------------------------------------------------------

    def rows(self, query: sa.Select[Any]) -> Sequence[Row]:
        """What a query finds; Damaged where the file is."""
        with self._reading() as connection:
            return [row._asdict() for row in connection.execute(query)]

    def size(self) -> int:
        """How many bytes the database takes on disk, without its write-ahead log."""
        query = "SELECT pg_database_size(current_database())"
        if self._location.path is not None:
            query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        with self._reading() as connection:
            return int(connection.exec_driver_sql(query).scalar_one())

    def integrity(self) -> list[str]:
        """What SQLite finds wrong with its file, a sentence each; a server has no file to look at.

        Raises InputError where it cannot be read at all.
        """
        if self._location.path is None:
            return []
        with self._reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
            faults = [line for text in found for line in text.splitlines() if text != "ok"]
            stray = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        return faults + [
            f"{row[0]}: row {row[1]} refers to a row that is not there" for row in stray
        ]

    def column(self, column: sa.Column[str]) -> list[str]:
        """All values of a key, in order: its index is read, not the table."""
        return [row[column.name] for row in self.rows(sa.select(column).order_by(column))]

    def singly(
        self, query: sa.Select[Any], key: sa.Column[Any], values: Iterable[Any]
    ) -> list[Row]:
        """The rows with these keys, each asked for by itself; those that are damaged are told."""
        found: list[Row] = []
        lost: list[Any] = []
        with self._reading() as connection:
            for value in values:
                try:
                    one = connection.execute(query.where(key == value))
                    found += [row._asdict() for row in one]
                except _ERRORS as error:
                    connection.rollback()
                    if not location.damaging(error):
                        raise
                    lost.append(value)
        if lost:
            which = f"{lost[0]} to {lost[-1]}" if len(lost) > 1 else lost[0]
            self.tell(f"it is damaged; rows of {key.table.name} cannot be read: {which}")
        return found

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        self._check_there()
        try:
            with self._engine.connect() as connection:
                yield connection
        except _ERRORS as error:
            raise self._told(error, "read") from None

    @contextmanager
    def skipping(self) -> Iterator[None]:
        """Leave out what is damaged, and tell it."""
        try:
            yield
        except Damaged as error:
            self.tell(f"{error}; it is left out")

    # -- what went wrong -----------------------------------------------------------------------

    def tell(self, what: str, level: int = logging.ERROR) -> None:
        """Log something about the store, once."""
        if what not in self.told:
            self.told[what] = None
            _LOG.log(level, "store %s: %s", self.where, what)

    def _check_there(self) -> None:
        """InputError where the file is not the one that was opened."""
        path = self._location.path
        if path is None:
            return
        now = _identity(path)
        if now is None or self._file not in (None, now):
            raise InputError(
                f"store {self.where} was deleted, moved or replaced while it was in use; what "
                "lies there now lacks what it held"
            )

    def _told(self, error: Exception, what: str) -> InputError:
        """The sentence for an error of the database; ``what`` it cannot be."""
        why = location.reason(error)
        if isinstance(error, ImportError):
            why = "PostgreSQL needs psycopg; pip install 'arena[postgres]'"
        if location.damaging(error):
            return Damaged(
                f"store {self.where} is damaged ({why}); arena store check says where, arena store "
                "repair saves the rest"
            )
        if location.busy(error):
            return InputError(
                f"store {self.where} is busy: another program has held it for "
                f"{location.BUSY_SECONDS:g} s ({why}); try again when it is done"
            )
        path = self._location.path
        if path is not None and location.sealed(path):
            return InputError(
                f"store {self.where} cannot be {what} ({why}): its folder may not be written; "
                "copy it, and what lies beside it under its name, to a folder that may"
            )
        return InputError(f"store {self.where} cannot be {what} ({why})")

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that takes its name; None where there is none.

    InputError where nobody can tell, as in a folder that may not be looked into.
    """
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"store {path} cannot be opened ({error.strerror})") from None
    return facts.st_dev, facts.st_ino
