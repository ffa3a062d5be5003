"""A pseudo-terminal with a person's eyes: what a command leaves on the screen, and its cursor."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyte


def _sit_down(terminal: int) -> None:
    """In the child: the terminal is its own, and Ctrl-C reaches it whoever started the tests."""
    os.login_tty(terminal)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A command that runs in a pseudo-terminal of its own, and the screen that it writes to."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 50,
        env: Mapping[str, str] = {},
        cwd: Path | None = None,
    ) -> None:
        self.ours, theirs = os.openpty()
        self.screen = pyte.HistoryScreen(columns, rows, history=5000)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.resize(columns, rows)
        plain = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            command,
            preexec_fn=lambda: _sit_down(theirs),
            env={**plain, "TERM": "xterm-256color", **env},
            cwd=cwd,
        )
        os.close(theirs)

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, which tells the command by SIGWINCH."""
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def type(self, text: str) -> None:
        """Press keys: ``\\x03`` is Ctrl-C, ``\\x1a`` Ctrl-Z."""
        os.write(self.ours, text.encode())

    def read(self, until: str | None = None, timeout: float = 60.0) -> str:
        """Read on until a pattern matches what came since, or (None) the command ends."""
        begun, start = time.monotonic(), len(self.raw)
        while time.monotonic() - begun < timeout:
            if not select.select([self.ours], [], [], 0.1)[0]:
                if until is None and self.process.poll() is not None:
                    break
                continue
            try:
                data = os.read(self.ours, 65536)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                break
            self.raw += data
            self._stream.feed(data)
            since = self.raw[start:].decode(errors="replace")
            if until is not None and re.search(until, since):
                return since
        else:
            raise AssertionError(f"waited {timeout} s for {until!r}; seen: {self.raw[-2000:]!r}")
        assert until is None, f"it ended before {until!r} came; seen: {self.raw[-2000:]!r}"
        return self.raw[start:].decode(errors="replace")

    def end(self) -> int:
        """Read to the end; the exit code."""
        self.read()
        return self.process.wait(10)

    def interrupt(self) -> None:
        """Press Ctrl-C and see the command end as interrupted ones do, tidily."""
        self.type("\x03")
        # Python itself ends so where it happened to run generated code: shells say 130 to both.
        assert self.end() in (130, -signal.SIGINT), self.lines
        self.check_tidy()

    def close(self) -> None:
        """End the command, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def lines(self) -> list[str]:
        """What stands on the screen and has scrolled off it, without empty lines."""
        above = [
            "".join(row[column].data for column in range(self.screen.columns))
            for row in self.screen.history.top
        ]
        return [line.rstrip() for line in [*above, *self.screen.display] if line.strip()]

    def check_tidy(self) -> None:
        """Nothing of a bar is left, no traceback, and the cursor is there to be seen."""
        text = "\n".join(self.lines)
        assert "Traceback" not in text, text
        assert not re.search("[━╸╺]", text), text
        assert not self.screen.cursor.hidden
