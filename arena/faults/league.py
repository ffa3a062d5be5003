"""A league that runs in processes of its own, so that faults can be done to it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import yaml

from arena.leagues.league import League, load

GAME = "holdem?seats=2"
_PATIENCE = 600.0  # seconds until a run is held to hang


class Trouble(Exception):
    """A run that did not end as it should: what it said."""


class Runs:
    """Runs of one league's configuration into one store, by the command line."""

    def __init__(self, folder: Path, agents: Sequence[str], deals: int, clock: float) -> None:
        self.folder, self.store, self.clock = folder, folder / "store.db", clock
        folder.mkdir(parents=True)
        self._config = folder / "league.yaml"
        config: dict[str, Any] = {
            "name": "faults",
            "game": GAME,
            "seed": 11,
            "agents": list(agents),
            "clock": clock,
            "schedule": {"deals": deals, "deals_per_match": 5},
        }
        self._config.write_text(yaml.safe_dump(config))
        self.league: League = load(str(self._config))
        pairs = len(agents) * (len(agents) - 1) // 2
        self.total = pairs * -(-deals // 5)

    def start(self, workers: int, prepare: Callable[[], None] | None = None) -> Running:
        """Begin a run, or resume; ``prepare`` is called in its process before it begins."""
        command = ["tournament", "run", str(self._config), "--workers", str(workers)]
        return Running(self, self._arena([*command, "--store", str(self.store)], prepare))

    def finish(self, workers: int) -> None:
        """Resume the league to its end; Trouble where it does not end well."""
        code = self.start(workers).end()
        if code:
            raise Trouble(f"exit code {code}: {self.said()}")

    def repair(self) -> None:
        """``arena store repair``, or a new store where nothing of the old one can be read."""
        code = self._arena(["store", "repair", str(self.store)]).wait(_PATIENCE)
        if code == 2 and "nothing in it can be read" in self.said():
            for file in self.folder.glob("store.db*"):
                file.unlink()
        elif code:
            raise Trouble(f"exit code {code} of the repair: {self.said()}")

    def _arena(
        self, arguments: Sequence[str], prepare: Callable[[], None] | None = None
    ) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(filter(None, sys.path))
        with (self.folder / "output").open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "arena", *arguments],
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=prepare,
                env=os.environ | {"PYTHONPATH": path},
            )

    def finished(self) -> int:
        """How many matches the store holds, as another process sees it."""
        try:
            with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as connection:
                (count,) = connection.execute("SELECT count(*) FROM matches").fetchone()
                return int(count)
        except sqlite3.Error:  # not there yet, or damaged
            return 0

    def said(self) -> str:
        """What the last run has printed."""
        return (self.folder / "output").read_text(errors="replace")


class Running:
    """A run that goes on."""

    def __init__(self, runs: Runs, process: subprocess.Popen[bytes]) -> None:
        self._runs, self._process = runs, process

    def going(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_for(self, matches: int) -> None:
        """Wait until the store holds so many matches, or the run has ended."""
        until = time.monotonic() + _PATIENCE
        while self.going() and self._runs.finished() < matches:
            if time.monotonic() > until:
                raise Trouble(f"no match ended in {_PATIENCE:.0f} s: {self._runs.said()}")
            time.sleep(0.01)

    def end(self) -> int:
        """Wait for its end; the exit code."""
        try:
            return self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise Trouble(f"still going after {_PATIENCE:.0f} s: {self._runs.said()}") from None
        finally:
            self.signal_all(signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to the main process."""
        self._process.send_signal(number)

    def signal_all(self, number: int) -> None:
        """Send a signal to all of its processes, as a terminal does."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def workers(self) -> list[int]:
        """The ids of its workers: what the server of its processes has forked."""
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:  # it has just ended
                    continue
                if fields[0] != "Z":
                    parents[int(entry.name)] = int(fields[1])
        servers = {pid for pid, parent in parents.items() if parent == self._process.pid}
        return sorted(pid for pid, parent in parents.items() if parent in servers)
