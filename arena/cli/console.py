"""The door to the terminal: results on standard output, progress on standard error.

What comes from outside (names, notes, errors) is escaped here, whoever prints it.
"""

from __future__ import annotations

import logging
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from typing import Any, Self, TextIO, cast

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.live import Live
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from arena.envs.printable import one_line, printable

# A pipe has no width: there tables are as wide as they need to be.
_PIPE_WIDTH = 200
_SECONDS_BETWEEN_LINES = 5.0
_ECHO = 4  # columns left free: a terminal prints ^C behind the line, which must not wrap
_BAR = 60  # columns below which there is no room for a bar
_NARROWEST = 16  # what a column of words may be wrapped to before a table is cut in parts


class _Door:
    """A text stream whose words cannot steer a terminal."""

    def __init__(self, stream: TextIO) -> None:
        # By this name Rich finds the stream itself, for styles of its own; it escapes in _Console.
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        self.rich_proxied_file.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


@contextmanager
def door() -> Iterator[None]:
    """For the duration of the body, ``print`` escapes what would steer a terminal."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # what a terminal has no letter for is a question mark
            stream.reconfigure(errors="replace")
    with redirect_stdout(cast(TextIO, _Door(sys.stdout))):
        yield


class Told(logging.Handler):
    """For the duration of the body, prints on standard error what the floors below log.

    Attributes:
        errors: how many errors there were (what is damaged and was left out, say).
    """

    errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        """A line each."""
        self.errors += record.levelno >= logging.ERROR
        print(f"arena: {one_line(record.getMessage())}", file=sys.stderr)

    def __enter__(self) -> Self:
        logging.getLogger("arena").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("arena").removeHandler(self)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line, which ends well; Rich would exit with code 1."""
        raise BrokenPipeError

    def show_cursor(self, show: bool = True) -> bool:
        """Leave the cursor alone: hidden, it would stay so where a bar is stopped or killed."""
        return False

    def render_str(self, text: str, **options: Any) -> Text:
        """A cell is one line, whatever is in it."""
        return super().render_str(one_line(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Escape what is rendered."""
        if isinstance(renderable, Text):
            renderable = renderable.copy()
            renderable.plain = printable(renderable.plain)
        yield from super().render(renderable, options)


def stdout() -> Console:
    """The console for results."""
    return _Console(
        highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH
    )


def say(words: str, style: str = "") -> None:
    """Print words as one line."""
    stdout().print(Text(one_line(words), style))


def tell(words: str) -> None:
    """Print lines of words; on a terminal, those too long for it are wrapped between words."""
    width = stdout().width
    for line in words.splitlines():
        margin = line[: len(line) - len(line.lstrip())] + "  "
        print(
            textwrap.fill(
                line, width, subsequent_indent=margin, break_long_words=False,
                break_on_hyphens=False, replace_whitespace=False, drop_whitespace=True,
            )
            if sys.stdout.isatty() and cell_len(line) > width
            else line
        )  # fmt: skip


def table(*headings: str) -> Table:
    """An empty table; a heading that ends in > or ^ has its column on the right or centred."""
    return _table([_column(heading) for heading in headings])


def _column(heading: str) -> Column:
    name, mark = (heading[:-1], heading[-1]) if heading[-1:] in (">", "^") else (heading, "")
    if not mark:
        return Column(name, overflow="fold")
    return Column(name, justify="right" if mark == ">" else "center", no_wrap=True)


def _table(columns: Sequence[Column]) -> Table:
    return Table(*columns, box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))


def show(table: Table, keys: int = 1) -> None:
    """Print a table; one too wide for the terminal in parts that repeat its first columns.

    Numbers are never wrapped. ``keys`` first columns say whose row it is.
    """
    console = stdout()
    for number, part in enumerate(_parts(table, keys, console)):
        if number:
            console.line()
        console.print(part)


def _parts(whole: Table, keys: int, console: Console) -> Iterator[Table]:
    widths = [_width(column, console) for column in whole.columns]
    groups = [list(range(keys))]
    for index in range(keys, len(widths)):
        room = console.width + 2 - sum(widths[i] for i in groups[-1])
        if widths[index] > room and len(groups[-1]) > keys:
            groups.append(list(range(keys)))
        groups[-1].append(index)
    for group in groups:
        columns = [whole.columns[index] for index in group]
        part = _table([column.copy() for column in columns])
        for row in zip(*(column.cells for column in columns), strict=True):
            part.add_row(*row)
        yield part


def _width(column: Column, console: Console) -> int:
    """How wide a column must be at least, with the gap after it."""
    cells = [column.header, *column.cells]
    widest = max(Measurement.get(console, console.options, cell).maximum for cell in cells)
    return 2 + (widest if column.no_wrap else min(widest, _NARROWEST))


class Meter:
    """How far long work is, how long it has taken, and about how long it will take."""

    def __init__(self, what: str, drawn: bool) -> None:
        self._what, self._drawn = one_line(what), drawn
        self._begun = time.monotonic()
        self._done, self._note = 0, ""
        self._total: int | None = None
        self._before = (0, self._begun)
        self._left: float | None = None
        self._printed = 0.0

    def update(self, done: int, total: int, note: str = "") -> None:
        """Show that ``done`` of ``total`` are done, with a note on the last of them.

        The first report is of what was done before the work began, from which the rest is judged;
        where a count falls, other work has begun.
        """
        now = time.monotonic()
        if self._total is None or done < self._done:
            self._before = (done, now)
        first, since = self._before
        self._left = (now - since) / (done - first) * (total - done) if done > first else None
        self._done, self._total, self._note = done, total, one_line(note)
        if not self._drawn and (done == total or now - self._printed > _SECONDS_BETWEEN_LINES):
            self._printed = now
            counts = f"{self._what}: {done:,} of {total:,}"
            print(", ".join(filter(None, (counts, self._times(), self._note))), file=sys.stderr)

    def tell(self, note: str) -> None:
        """Show a note on work whose length nobody knows."""
        self._note = one_line(note)

    def line(self, width: int) -> RenderableType:
        """The line that a terminal of this width shows."""
        counts = "" if self._total is None else f"{self._done:,}/{self._total:,} "
        if width < _BAR:
            told = f"{self._what} {counts}{self._times()}"
            line = Text(told, no_wrap=True)
            line.truncate(width - _ECHO, overflow="ellipsis")
            return line
        words = Column(no_wrap=True)
        note = Column(no_wrap=True, max_width=width // 3)
        grid = Table.grid(words, Column(), words.copy(), note, padding=(0, 1))
        grid.width = width - _ECHO
        bar = ProgressBar(self._total, self._done, pulse=self._total is None)
        grid.add_row(self._what, bar, counts + self._times(), self._note)
        return grid

    def _times(self) -> str:
        taken = clock(time.monotonic() - self._begun)
        return taken if not self._left else f"{taken}, about {clock(self._left)} left"


def clock(seconds: float) -> str:
    """A span of time as clocks show it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def meter(what: str, kept: str = "") -> Iterator[Meter]:
    """A meter on standard error for the duration of the body: a bar, or lines now and then.

    ``kept`` tells who interrupts it what is left of the work, and how to go on.
    """
    # The stream is fixed here: the bar is drawn by a thread, also while an agent that plays in this
    # process is heard and sys.stderr is another.
    console = _Console(file=sys.stderr, highlight=False, markup=False)
    drawn = sys.stderr.isatty() and console.is_terminal and not console.is_dumb_terminal
    meter = Meter(what, drawn)
    bar = Live(
        get_renderable=lambda: meter.line(console.width), console=console, transient=True
    )  # fmt: skip
    try:
        with bar if drawn else nullcontext():
            yield meter
    except KeyboardInterrupt as interrupt:
        if kept:
            interrupt.add_note(kept)
        raise
