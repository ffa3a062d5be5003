"""What an agent's call may not leave behind in the process that it shares with others.

Accidents are mended, malice is not: whoever runs in a process can do anything there.
"""

from __future__ import annotations

# What ``signal`` wraps to return enumerations, which takes ten times as long.
import _signal  # type: ignore[import-not-found]
import gc
import io
import locale
import os
import resource
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn, TextIO

import numpy as np

_MOST_SAID = 2**18  # bytes that agents may print in a process before they are not heard any more
_SIGNALS = [
    int(getattr(signal, f"SIG{name}"))
    for name in ("ALRM", "CHLD", "CONT", "HUP", "INT", "PIPE", "QUIT", "TERM", "TSTP", "USR1")
]
# What os.environ is a view of: a copy of that itself takes fifty times longer.
_ENVIRONMENT: dict[bytes, bytes] = vars(os.environ)["_data"]
_LIMITS = (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)
_TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)


class Interrupted(KeyboardInterrupt):
    """The user's interrupt while an agent was asked. An agent's own KeyboardInterrupt is not."""


class Process:
    """This process, as agents find it and must leave it: as it is when this is made.

    Args:
        vital: file descriptors without which it cannot go on.
        lost: called with a sentence where an agent has closed one of them.
    """

    def __init__(
        self, vital: Collection[int] = (), lost: Callable[[str], NoReturn] | None = None
    ) -> None:
        self._id = os.getpid()
        self._vital = {fd: _file(fd) for fd in (0, 1, 2, *vital)}
        self._lost = lost or _give_up
        self._voices = _Voices()
        self._state = [read() for read, _ in _STATE]
        self._handlers = [_signal.getsignal(number) for number in _SIGNALS]
        self._interrupted = False

    @contextmanager
    def kept(self, agent: str) -> Iterator[None]:
        """Put back whatever the body, which calls ``agent``, changes by accident.

        Raises Interrupted where the user interrupts it, also if the agent swallows that. In a
        thread beside the main one, as a server has, the process is not ours: nothing is put back.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        if _signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            handle(signal.SIGINT, self._interrupt)
        try:
            with self._voices.heard():
                yield
        finally:
            if os.getpid() != self._id:
                os._exit(0)  # the agent has forked, and this is its child
            for _ in range(3):  # a timer of the agent's may strike once more
                with suppress(Exception):
                    self._mend()
                    break
            if any(_file(fd) != file for fd, file in self._vital.items()):
                self._lost(f"agent {agent} has closed files of the process that it plays in")
            if self._interrupted:
                raise Interrupted

    def _mend(self) -> None:
        for (read, write), before in zip(_STATE, self._state, strict=True):
            if read() != before:
                write(before)
        for number, handler in zip(_SIGNALS, self._handlers, strict=True):
            if _signal.getsignal(number) is not handler and handler is not None:
                handle(number, handler)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> NoReturn:
        self._interrupted = True
        raise Interrupted


def handle(number: int, handler: Any) -> None:
    """Have a signal handled so, until the end of the agent's call."""
    _signal.signal(number, handler)


def _file(fd: int) -> tuple[int, int] | None:
    """Which file a descriptor is of."""
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _give_up(sentence: str) -> NoReturn:
    raise RuntimeError(f"{sentence}; play with workers, which can be replaced")


class _Voices:
    """What agents print, handed on until it is too much."""

    def __init__(self) -> None:
        self._left = _MOST_SAID
        self._streams: dict[str, TextIO] = {}

    @contextmanager
    def heard(self) -> Iterator[None]:
        """In the body, whatever is printed comes here; streams that it closes are not ours."""
        self._heard = {"stdout": sys.stdout, "stderr": sys.stderr}
        for name in self._heard:
            if name not in self._streams or self._streams[name].closed:
                self._streams[name] = io.TextIOWrapper(
                    io.BufferedWriter(_Voice(self, name)), "utf-8", "backslashreplace"
                )
            setattr(sys, name, self._streams[name])
        try:
            yield
        finally:
            for name, stream in self._heard.items():
                setattr(sys, name, stream)
                with suppress(Exception):
                    self._streams[name].flush()

    def say(self, name: str, words: bytes) -> None:
        """Hand words on to the stream of that name."""
        if self._left <= 0:
            return
        self._left -= len(words)
        text = words[: max(0, self._left + len(words))].decode(errors="backslashreplace")
        if self._left <= 0:
            text += "\narena: agents print too much; the rest is not shown\n"
        with suppress(Exception):  # nobody need listen
            self._heard[name].write(text)


class _Voice(io.RawIOBase):
    """A stream that an agent prints to."""

    def __init__(self, voices: _Voices, name: str) -> None:
        self._voices, self._name = voices, name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return {"stdout": 1, "stderr": 2}[self._name]

    def write(self, data: Any) -> int:
        words = bytes(data)
        self._voices.say(self._name, words)
        return len(words)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - the cheapest
    except FileNotFoundError:
        return None


def _put_folder(folder: str | None) -> None:
    if folder is not None:
        with suppress(OSError):  # it is gone
            os.chdir(folder)


def _put_environment(variables: dict[bytes, bytes]) -> None:
    """What was there is put back; what was added, as libraries do when they are imported, stays."""
    os.environb.update(variables)


def _put_path(path: list[str]) -> None:
    """As with the environment: what was added stays, behind what was there."""
    added = [folder for folder in sys.path if folder not in path]
    sys.path[:] = [*path, *added]


def _put_limit(limit: int) -> None:
    """A higher limit of recursion harms nobody."""
    sys.setrecursionlimit(max(limit, sys.getrecursionlimit()))


def _put_limits(limits: list[tuple[int, int]]) -> None:
    for which, limit in zip(_LIMITS, limits, strict=True):
        with suppress(ValueError):  # it is lower for good
            resource.setrlimit(which, limit)


def _mask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _put_filters(filters: list[Any]) -> None:
    """What was there is put back; what was added stays unless it makes errors of warnings."""
    kept = [it for it in warnings.filters if it in filters or it[0] != "error"]
    warnings.filters[:] = kept + [it for it in filters if it not in kept]  # type: ignore[index]
    with warnings.catch_warnings():  # on its way out it makes the change known
        pass


def _hooks() -> tuple[Any, ...]:
    return sys.excepthook, sys.unraisablehook, threading.excepthook


def _put_hooks(hooks: tuple[Any, ...]) -> None:
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def _put_timers(timers: list[Any]) -> None:
    """None that was not running before runs on."""
    for which, (left, _) in zip(_TIMERS, timers, strict=True):
        if not left:
            signal.setitimer(which, 0)


# What is kept: how it is read, and how it is put back.
_STATE: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (sys.getrecursionlimit, _put_limit),
    (lambda: [signal.getitimer(which) for which in _TIMERS], _put_timers),
    (
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda m: signal.pthread_sigmask(signal.SIG_SETMASK, m),
    ),
    (_folder, _put_folder),
    (_ENVIRONMENT.copy, _put_environment),
    (lambda: list(sys.path), _put_path),
    (_mask, os.umask),
    (lambda: [resource.getrlimit(which) for which in _LIMITS], _put_limits),
    (gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    (sys.getswitchinterval, sys.setswitchinterval),
    (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
    (np.geterr, lambda how: np.seterr(**how)),
    (lambda: list(warnings.filters), _put_filters),
    (_hooks, _put_hooks),
]
