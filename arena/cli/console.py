"""Where the command line prints: results on standard output, progress on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

# A pipe has no width: there tables are as wide as they need to be.
_PIPE_WIDTH = 200
_SECONDS_BETWEEN_LINES = 5.0


class _Results(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, which ends well; Rich would exit with code 1."""
        raise BrokenPipeError


def stdout() -> Console:
    """The console for results."""
    return _Results(
        highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH
    )


class Meter:
    """How far long work is: a bar on a terminal, a plain line now and then otherwise."""

    def __init__(self, what: str, bar: Progress | None) -> None:
        self._what, self._bar = what, bar
        self._task = None if bar is None else bar.add_task(what, total=None)
        self._printed = 0.0

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` are done, with a note on the last of them."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, note=note)
        elif done == total or time.monotonic() - self._printed > _SECONDS_BETWEEN_LINES:
            self._printed = time.monotonic()
            print(f"{self._what}: {done} of {total} {note}".rstrip(), file=sys.stderr, flush=True)


@contextmanager
def meter(what: str) -> Iterator[Meter]:
    """A meter on standard error for the duration of the body."""
    if not sys.stderr.isatty():
        yield Meter(what, None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _with_note(Meter(what, bar))


def _with_note(meter: Meter) -> Meter:
    meter.update(0, 1)
    return meter
