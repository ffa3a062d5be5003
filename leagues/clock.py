"""The clock that an agent's call runs against."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from numba.core import event

# Told whom a process is waiting for: an agent's key, or None. An executor's parent process listens.
Watch = Callable[[str | None], None]

# Held by numba while it compiles a kernel, or loads one from its cache.
_COMPILING = "numba:compiler_lock"


class TimeUp(BaseException):
    """Raised into an agent's code by the clock; no ``except Exception`` there can swallow it."""


class Clock(event.Listener):
    """Interrupts an agent's call that takes longer than ``seconds``, whatever its batch.

    It rings by SIGALRM, which POSIX systems have. It stands still while a kernel is compiled: that
    happens once on a machine, to whoever comes first, and is no fault of the agent's.

    Args:
        seconds: the limit; None: there is none.
        watch: told whom the process is waiting for.

    Raises RuntimeError for a limit outside the main thread, where nothing can be interrupted.
    """

    def __init__(self, seconds: float | None, watch: Watch | None = None) -> None:
        if seconds is not None and threading.current_thread() is not threading.main_thread():
            raise RuntimeError("a clock needs the main thread; play without one, or in a process")
        self._seconds = seconds
        self._watch = watch or (lambda agent: None)
        self._agent = ""
        self._compiling = 0
        self._left = 0.0
        self._open = False
        self._rung = False

    @contextmanager
    def running(self, agent: str) -> Iterator[None]:
        """Run the body, which calls ``agent``; TimeUp is raised into it when its time is up."""
        self._agent = agent
        self._watch(agent)
        try:
            if self._seconds is None:
                yield
                return
            self._open, self._rung = True, False
            before = signal.signal(signal.SIGALRM, self._ring)
            try:
                with event.install_listener(_COMPILING, self):
                    # It rings again and again, for an agent that catches even a BaseException.
                    signal.setitimer(signal.ITIMER_REAL, self._seconds, max(self._seconds, 1))
                    yield
                if self._rung:
                    raise TimeUp
            finally:
                self._open = False
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
                self._compiling = 0
        finally:
            self._watch(None)

    def on_start(self, event: Any) -> None:
        """A kernel begins to be compiled (compilations nest): stop."""
        self._compiling += 1
        if self._compiling == 1:
            self._left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
            self._watch(None)

    def on_end(self, event: Any) -> None:
        """A kernel is compiled: go on."""
        self._compiling -= 1
        if self._compiling == 0:
            assert self._seconds is not None
            signal.setitimer(signal.ITIMER_REAL, max(self._left, 1e-3), max(self._seconds, 1))
            self._watch(self._agent)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if self._open:
            self._rung = True
            raise TimeUp
