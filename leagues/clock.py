"""The clock that an agent's call runs against."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from numba.core import event

from arena.leagues.process import Process, handle

# Told whom a process is waiting for: an agent's key, or None. An executor's parent process listens.
Watch = Callable[[str | None], None]

# Held by numba while it compiles a kernel, or loads one from its cache.
_COMPILING = "numba:compiler_lock"

# Between the clock's end and the interrupt. A process that was stopped for longer than the clock
# hears of both at once; in this time it hears that it was.
_GRACE = 0.02


class TimeUp(BaseException):
    """Raised into an agent's code by the clock; no ``except Exception`` there can swallow it.

    ``doubtful``: the agent's thread has not used that much processor time. It slept, or was kept
    from running: by another agent's busy thread, a crowded machine.
    """

    def __init__(self, doubtful: bool) -> None:
        super().__init__("time is up")
        self.doubtful = doubtful


class Clock(event.Listener):
    """Interrupts an agent's call that takes longer than ``seconds``, whatever its batch.

    It rings by SIGALRM, which POSIX systems have. It stands still while a kernel is compiled: that
    happens once on a machine, to whoever comes first, and is no fault of the agent's. A process
    that was stopped and goes on (SIGCONT) has all of its time again.

    Args:
        seconds: the limit; None: there is none.
        watch: told whom the process is waiting for.
        process: in which the calls run, and which keeps what they must not change.

    Raises RuntimeError for a limit outside the main thread, where nothing can be interrupted.
    """

    def __init__(
        self,
        seconds: float | None,
        watch: Watch | None = None,
        process: Process | None = None,
    ) -> None:
        if seconds is not None and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a clock needs the main thread; play without one, or in a process")
        self._seconds = seconds
        self._watch = watch or (lambda agent: None)
        self._process = process or Process()
        self._agent = ""
        self._compiling = 0
        self._left = 0.0
        self._open = False

    @contextmanager
    def running(self, agent: str) -> Iterator[None]:
        """Run the body, which calls ``agent``; TimeUp is raised into it when its time is up."""
        self._agent = agent
        self._watch(agent)
        try:
            with self._process.kept(agent):
                if self._seconds is None:
                    yield
                else:
                    with self._ticking(self._seconds):
                        yield
        finally:
            self._watch(None)

    @contextmanager
    def _ticking(self, seconds: float) -> Iterator[None]:
        handle(signal.SIGALRM, self._ring)  # ``kept`` puts back what was there
        handle(signal.SIGCONT, self._go_on)
        try:
            with event.install_listener(_COMPILING, self):
                self._open = True
                self._start(seconds)
                yield
            # It may have swallowed the interrupt, or replaced what would have brought it.
            if self._rung or time.monotonic() - self._since > seconds + 1:
                raise TimeUp(self._doubtful())
        finally:
            self._open = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._compiling = 0

    def _start(self, seconds: float) -> None:
        self._rung = self._warned = False
        self._since, self._used = time.monotonic(), time.thread_time()
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _doubtful(self) -> bool:
        assert self._seconds is not None
        return time.thread_time() - self._used < self._seconds

    def on_start(self, event: Any) -> None:
        """A kernel begins to be compiled (compilations nest): stop."""
        self._compiling += 1
        if self._compiling == 1:
            self._left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
            self._began = time.monotonic(), time.thread_time()
            self._watch(None)

    def on_end(self, event: Any) -> None:
        """A kernel is compiled: go on."""
        self._compiling -= 1
        if self._compiling == 0:
            self._since += time.monotonic() - self._began[0]
            self._used += time.thread_time() - self._began[1]
            signal.setitimer(signal.ITIMER_REAL, max(self._left, 1e-3))
            self._watch(self._agent)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._open and not self._warned:
            self._warned = True
            signal.setitimer(signal.ITIMER_REAL, _GRACE)
        elif self._open:
            assert self._seconds is not None
            self._rung = True
            # It rings again and again, for an agent that catches even a BaseException.
            signal.setitimer(signal.ITIMER_REAL, max(self._seconds, 1))
            raise TimeUp(self._doubtful())

    def _go_on(self, _signal: int, _frame: FrameType | None) -> None:
        """The process was stopped, nobody knows for how long: begin again."""
        if self._open and not self._rung and not self._compiling:
            assert self._seconds is not None
            self._start(self._seconds)
