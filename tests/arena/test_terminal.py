"""What a person at a terminal sees: bars that leave nothing behind, tables that fit, interrupts."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.arena.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
ENV = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
WINDOWS = {
    "80 columns": (80, {}),
    "120 columns": (120, {}),
    "30 columns": (30, {}),
    "no colour": (80, {"NO_COLOR": "1"}),
    "ascii": (80, {"PYTHONIOENCODING": "ascii"}),
    "dumb": (80, {"TERM": "dumb"}),
}


def script(text: str, **options) -> Terminal:
    """A Python program in a terminal."""
    options["env"] = ENV | options.get("env", {})
    return Terminal([sys.executable, "-c", textwrap.dedent(text)], **options)


WORK = """
    import time
    from arena.cli import console
    with console.door(), console.meter("work \\x1b[31m") as progress:
        progress.update(10, 1234)
        for done in range(11, 41):
            time.sleep(0.05)
            progress.update(done, 1234, "a note that is long, and [b]plain\\n" * 3)
    print("done")
"""


@pytest.mark.parametrize("window", WINDOWS)
def test_a_bar_leaves_nothing_behind(window):
    columns, env = WINDOWS[window]
    with script(WORK, columns=columns, env=env) as terminal:
        assert terminal.end() == 0
        terminal.check_tidy()
        assert b"\x1b[31m" not in terminal.raw and re.search(rb"1\d(/| of )1,2", terminal.raw)
        lines = terminal.lines
        assert lines.pop() == "done"
        if window == "dumb":  # a line now and then
            assert lines[0].startswith("work \\u001b[31m: 10 of 1,234, 0:00")
            assert b"\x1b" not in terminal.raw
        else:
            assert not lines and b"\r" in terminal.raw


def test_a_bar_is_whole_while_an_agent_in_this_process_thinks():
    """It is drawn by a thread of its own; what the agent says stands above it."""
    work = """
        import time
        from arena.cli import console
        from arena.leagues.process import Process
        with console.door(), console.meter("league") as progress:
            progress.update(1, 30)
            with Process().kept("slow"):
                time.sleep(1)
                print("I think")
            progress.update(30, 30)
        with console.door(), console.meter("export") as progress:
            time.sleep(0.5)
    """
    with script(work) as terminal:
        assert terminal.end() == 0
        terminal.check_tidy()
        assert terminal.lines == ["I think"]


def test_a_bar_follows_the_windows_width():
    with script(WORK, columns=120) as terminal:
        terminal.read(until="1,234.*1,234")
        terminal.resize(60, 30)
        terminal.read(until="1,234.*1,234")
        mark = len(terminal.raw)
        terminal.read(until="1,234.*1,234")
        drawn = re.split(rb"\r(?:\x1b\[2K)?", terminal.raw[mark:])
        assert max(cell_len(re.sub(r"\x1b\[\d+m", "", line.decode())) for line in drawn) <= 60
        assert terminal.end() == 0


@pytest.mark.parametrize("window", ["80 columns", "30 columns", "dumb"])
def test_a_wide_table_is_cut_between_columns(window):
    columns, env = WINDOWS[window]
    table = """
        from arena.cli import console
        with console.door():
            table = console.table("agent", *(f"{n}>" for n in range(12)))
            for name in ("tag", "a long name of several words", "forged\\n9 9\\x1b[2J"):
                table.add_row(name, *(f"-{n},123 ± {n}45" for n in range(12)))
            console.show(table)
    """
    with script(table, columns=columns, env=env) as terminal:
        assert terminal.end() == 0
        assert b"\x1b[2J" not in terminal.raw
        text = "\n".join(terminal.lines)
        for n in range(12):
            assert len(re.findall(rf"-{n},123 ± {n}45", text)) == 3  # whole, on one line
        assert "forged\\u0" in text
        assert all(len(line) <= columns for line in terminal.lines)
