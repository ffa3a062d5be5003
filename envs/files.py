"""Files that are written whole or not at all: nobody ever meets half of one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from arena.envs.errors import InputError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, for libraries that write files themselves.

    What is there when the body ends takes the place of ``path``; where the body fails, it is
    removed. Raises InputError, which names ``path``, where it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)


def write(path: Path, data: bytes | str) -> None:
    """Write a file, text as UTF-8; InputError where it cannot be written."""
    with replacing(path) as partial:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON, for people to read as well."""
    write(path, json.dumps(value, indent=1) + "\n")
