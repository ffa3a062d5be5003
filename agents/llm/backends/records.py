"""What endpoints have said before, and what it has cost: recorded answers and the ledger."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from arena.envs.errors import InputError
from arena.envs.outside import parse_record


def recorded_by_default() -> Path:
    """The user's own record, in the cache folder."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "arena" / "answers.sqlite"


class RecordedAnswer:
    """Answers by request, in a SQLite file that several processes may use at once.

    The first answer to a request counts, for everybody: who comes second gets it, too.

    Raises InputError where ``path`` is no record and none can be made there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open = sqlite3.connect(path, timeout=60, check_same_thread=False)
            with self._open:
                self._open.execute(
                    "CREATE TABLE IF NOT EXISTS answers "
                    "(key TEXT PRIMARY KEY, request BLOB NOT NULL, response BLOB NOT NULL)"
                )
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"record={path} cannot be opened: {error}; name a SQLite file, or one to be made"
            ) from None

    @staticmethod
    def key(url: str, body: Mapping[str, Any]) -> str:
        """SHA-256 (hex) of where a request goes and of all that it says."""
        return hashlib.sha256(
            url.encode() + b"\0" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
        ).hexdigest()

    def get(self, key: str) -> Any:
        """The JSON that was answered, None where nothing is recorded."""
        with self._lock, closing(self._open.cursor()) as cursor:
            row = cursor.execute("SELECT response FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else parse_record(row[0], f"record={self.path}")

    def put(self, key: str, url: str, body: Mapping[str, Any], response: Any) -> Any:
        """Record an answer; returns what counts, which another process may have been first with."""
        row = (key, orjson.dumps([url, body]), orjson.dumps(response))
        with self._lock, self._open:
            self._open.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", row)
        return self.get(key)

    def replace(self, key: str, url: str, body: Mapping[str, Any], response: Any) -> None:
        """Record what may change from time to time; the last counts."""
        row = (key, orjson.dumps([url, body]), orjson.dumps(response))
        with self._lock, self._open:
            self._open.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)


class Ledger:
    """One JSON line for each request that was sent: when, to whom, tokens, seconds, cost, error.

    Raises InputError where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise InputError(f"log={path} cannot be written: {error.strerror}") from None

    def enter(self, **facts: Any) -> None:
        """Append a line, in one write: lines of several processes do not mix."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        os.write(self._file, orjson.dumps({"time": now, **facts}) + b"\n")
