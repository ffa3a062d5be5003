"""Many games of one task in worker processes, seen as arrays.

Observations lie in memory that is shared with the workers: NetHack writes each game's straight into
its row, and nothing is copied or pickled on the way.
"""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from gymnasium.error import ClosedEnvironmentError
from numpy.typing import NDArray

import arena.envs
from arena.envs.game import Ints
from arena.envs.minihack.worker import GO, OUTCOMES, QUIT, RESET, STEP, Layout, size_of, views

WON, DIED, TRUNCATED = (OUTCOMES.index(name) for name in ("won", "died", "truncated"))
# The packages' __init__ load what a worker does not need: half a second saved.
_START = (
    "import sys, types\n"
    "for name, path in {packages!r}.items():\n"
    "    package = sys.modules[name] = types.ModuleType(name)\n"
    "    package.__path__ = path\n"
    "from arena.envs.minihack.worker import main; main()"
)


class Pool:
    """``count`` games of ``task``, played by ``workers`` processes.

    Args:
        task: its name.
        count: of games.
        keys: NLE's observation keys that are wanted.
        workers: how many processes; as many as there are processors, at most ``count``, where None.

    Attributes:
        arrays: by key, each ``(count, …)``: the observations, and ``reward`` (float64),
            ``outcome`` (int8, an index into ``worker.OUTCOMES``), ``steps`` (int64). They are
            written anew by ``reset`` and ``step``: copy what is to be kept.

    After ``close`` there are no games: ``reset`` and ``step`` raise ClosedEnvironmentError.
    """

    def __init__(
        self, task: str, count: int, keys: Sequence[str], workers: int | None = None
    ) -> None:
        from nle import nethack

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        workers = max(1, min(count, workers or cores or 1))
        self.keys = tuple(keys)
        layout: Layout = [
            ("command", "|i1", [count]),
            ("action", "<i8", [count]),
            ("seed", "<u8", [count]),
            ("reward", "<f8", [count]),
            ("outcome", "|i1", [count]),
            ("steps", "<i8", [count]),
        ]
        for key in keys:
            fact = nethack.OBSERVATION_DESC[key]
            layout.append((key, np.dtype(fact["dtype"]).str, [count, *fact["shape"]]))
        size = size_of(layout)
        self._file = _memory(size)
        self.arrays = views(mmap.mmap(self._file.fileno(), size), layout)
        self._pipes: list[tuple[int, int]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._bounds = [count * i // workers for i in range(workers + 1)]
        self._worker = np.repeat(np.arange(workers), np.diff(self._bounds))
        job = {"task": task, "keys": list(keys), "layout": layout, "size": size}
        self._finalizer = weakref.finalize(self, _end, self._pipes, self._processes, self._file)
        for i in range(workers):
            self._start(job | {"first": self._bounds[i], "last": self._bounds[i + 1]})
        for i in range(workers):
            self._wait(i)

    def _start(self, job: dict[str, Any]) -> None:
        commands, ours = os.pipe()
        theirs, answers = os.pipe()
        memory = self._file.fileno()
        packages = {"arena": list(arena.__path__), "arena.envs": list(arena.envs.__path__)}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _START.format(packages=packages)],
            stdin=subprocess.PIPE,
            pass_fds=(commands, answers, memory),
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        os.close(commands)
        os.close(answers)
        self._pipes.append((ours, theirs))
        self._processes.append(process)
        assert process.stdin is not None
        job = job | {"memory": memory, "commands": commands, "answers": answers}
        with process.stdin as stream:
            stream.write(json.dumps(job).encode())

    def reset(self, rows: Ints, seeds: NDArray[np.uint64]) -> None:
        """Begin the episodes of ``seeds`` in the games ``rows``."""
        self.arrays["seed"][rows] = seeds
        self._command(rows, RESET)

    def step(self, rows: Ints, actions: Ints) -> None:
        """Take an action in each of the games ``rows``, which must be going on."""
        self.arrays["action"][rows] = actions
        self._command(rows, STEP)

    def _command(self, rows: Ints, command: int) -> None:
        if not self._finalizer.alive:
            # The numbers of its pipes may belong to somebody else's files by now.
            raise ClosedEnvironmentError("this environment is closed: make a new one")
        self.arrays["command"][rows] = command
        if len(rows) == len(self._worker):
            busy = list(range(len(self._pipes)))
        else:
            busy = np.unique(self._worker[rows]).tolist()
        for worker in busy:
            os.write(self._pipes[worker][0], GO)
        for worker in busy:
            self._wait(worker)

    def _wait(self, worker: int) -> None:
        if not os.read(self._pipes[worker][1], 1):
            raise RuntimeError("a process that plays NetHack has ended; its words are on stderr")

    def memory(self) -> int:
        """Bytes of memory that the processes hold, children included."""
        pids = [p.pid for p in self._processes]
        for process in self._processes:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            pids += [int(pid) for pid in children.split()]
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return pages * mmap.PAGESIZE

    def close(self) -> None:
        """End the processes."""
        self._finalizer()


def _memory(size: int) -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("arena-minihack"), "r+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the pool
    file.truncate(size)
    return file


def _end(
    pipes: list[tuple[int, int]], processes: list[subprocess.Popen[bytes]], file: IO[bytes]
) -> None:
    for commands, answers in pipes:
        # Closing alone would not do: a process forked from this one may hold the pipe as well.
        with suppress(BrokenPipeError):
            os.write(commands, QUIT)
        os.close(commands)
        os.close(answers)
    for process in processes:
        process.wait()
    file.close()
