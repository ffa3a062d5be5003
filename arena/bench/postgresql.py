"""A PostgreSQL of one's own for measurements and tests: private, on a socket, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Unavailable(Exception):
    """No cluster can be started here; the message says why."""


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of an empty database in a fresh cluster, which ends with the body.

    It listens on a Unix socket in a temporary folder and nowhere else. As it refuses to be run by
    root, it runs as ``nobody`` then. Raises Unavailable.
    """
    programs = _programs()
    # A socket's path may have a hundred letters, so the folder's is short.
    with tempfile.TemporaryDirectory(prefix="arena-pg-", ignore_cleanup_errors=True) as name:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(name, nobody.pw_uid, nobody.pw_gid)
            user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

        def call(program: str, *options: str) -> None:
            command = [str(programs / program), "-D", f"{name}/data", *options]
            log = Path(name) / "log"
            with log.open("a") as out:
                done = subprocess.run(command, stdout=out, stderr=out, cwd=name, **user)
            if done.returncode:
                raise Unavailable(f"{program} failed: {log.read_text().strip()[-500:]}")

        call("initdb", "-U", "arena", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        call("pg_ctl", "-w", "-o", f"-k {name} -c listen_addresses=''", "start")
        try:
            yield f"postgresql+psycopg://arena@/postgres?host={name}"
        finally:
            call("pg_ctl", "-w", "-m", "immediate", "stop")


def _programs() -> Path:
    """The folder of PostgreSQL's programs: Debian keeps them out of the PATH."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    raise Unavailable("PostgreSQL is not installed (Debian: apt-get install postgresql)")
