"""Every command with progress, at a terminal: what it leaves on the screen, and how it stops."""

from __future__ import annotations

import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from arena.leagues.store import Store
from tests.arena.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
ENV = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
WINDOWS = {
    "80 columns": (80, {}),
    "120 columns": (120, {}),
    "no colour": (80, {"NO_COLOR": "1"}),
    "dumb": (80, {"TERM": "dumb"}),
}
AGENTS = "[random, first, call, fold, allin, {name: a name of many words, spec: illegal}]"
LEAGUE = f"""
name: small
game: holdem?seats=2
agents: {AGENTS}
schedule: {{deals: 10, deals_per_match: 5}}
"""

# In the order in which they are run, in one process.
QUICK = [
    "tournament run small.yaml --workers 0",
    "tournament matches",
    "replay verify arena.db",
    "store check arena.db",
    "replay export MATCH -o hands.phhs",
    "replay verify hands.phhs",
    "view --export site",
    "play holdem random call --deals 2",
    "eval bidding --agent mine=ucb --auctions 40 --rounds 1 --deals 1 -o bidding",
]
# What imports much, or works for longer.
SLOW = [
    "env list",
    "agent list",
    "env pairs --count 6 -o pairs.jsonl",
    "eval calm --agent tiny=lm:tiny --pairs pairs.jsonl --variant base -o calm",
    "eval personas --agent allin --game holdem?stack=8 --samples 1 -o personas",
    "eval balrog --tasks MazeWalk-9x9 --episodes 1 -o balrog",
    "eval letters --agent same=birds_vocabulary?variants=1 --letters IL --trials 1 -o letters",
    "play holdem lm:tiny call",
    "pcg compete random birds_vocabulary --letters HI --trials 2 --sheet levels.png",
    "train rlb --budget 0.125",
    "train ppo --game gridworld?rooms=2 --steps 512 --num-envs 8 --num-steps 16 "
    "--num-minibatches 2 --evaluate-deals 5 --report-deals 5 -o ppo",
    "train lid --game errand --teacher courier --model tiny --layers 0 --frozen 0 "
    "--demonstrations 2 --batch 2 --updates 3 --evaluate 2 -o lid",
    "train sft --teacher call --game holdem --prompt brief --decisions 8 --model tiny "
    "--batch 4 --longest 4096 -o sft",
    "train grpo --game gridworld?contexts=1 --agent random --prompt default --problems 2 "
    "--rollouts 2 --updates 2 --prompts 1 --group 2 --model tiny -o grpo",
    "solve leduc --iterations 5 -o leduc",
    "bench league",
]
# Says what is run and how it ended. One process for all: what they import is imported once.
DRIVER = """
import sys
from arena.cli import main
for line in sys.argv[1:]:
    if "MATCH" in line:
        from arena.leagues.store import Store
        line = line.replace("MATCH", Store("arena.db").match_ids()[0])
    print("<<", line.split()[0:2], flush=True)
    code = main(line.split())
    print(">>", code, flush=True)
"""


def run_all(commands: list[str], folder: Path, window: str) -> Terminal:
    """Run commands in one terminal, one after the other, to their end."""
    (folder / "small.yaml").write_text(LEAGUE)
    columns, env = WINDOWS[window]
    driver = [sys.executable, "-c", DRIVER, *commands]
    with Terminal(driver, columns=columns, env=ENV | env, cwd=folder) as terminal:
        terminal.read(timeout=600)
        return terminal


def check(terminal: Terminal, commands: list[str], window: str) -> str:
    """All that the commands left on the screen, where they ended well and tidily."""
    text = "\n".join(terminal.lines)
    assert re.findall("^>> (.*)$", text, re.MULTILINE) == ["0"] * len(commands), text
    terminal.check_tidy()
    if window == "dumb":
        assert b"\x1b" not in terminal.raw
    if window == "no colour":
        assert not re.search(rb"\x1b\[(\d+;)*[349]\d", terminal.raw)
    # A number and its interval stand on one line, in all tables.
    assert len(re.findall(r"[+-][\d,.]+ ±\s+[\d,.?]+(\s|$)", text)) > 30
    assert not re.search(r"±$|^\s*±", text, re.MULTILINE)
    return text


@pytest.mark.parametrize("window", WINDOWS)
def test_commands_are_tidy(window, tmp_path):
    text = check(run_all(QUICK, tmp_path, window), QUICK, window)
    assert "replays of all matches: arena.db" in text
    assert "open site/index.html" in text


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS)
def test_longer_commands_are_tidy(window, tmp_path):
    for package in ("trl", "nle", "Box2D", "sb3_contrib"):
        pytest.importorskip(package)
    text = check(run_all([*QUICK[:1], *SLOW], tmp_path, window), ["", *SLOW], window)
    assert "levels: levels.png" in text


def arena(line: str, folder: Path) -> Terminal:
    return Terminal([sys.executable, "-m", "arena", *line.split()], env=ENV, cwd=folder)


LONG = """
name: long
game: holdem?seats=2
agents: [random, "equity?samples=500", tag]
schedule: {deals: 400, deals_per_match: 2}
"""


def test_an_interrupted_league_keeps_its_matches_and_goes_on(tmp_path):
    (tmp_path / "long.yaml").write_text(LONG)
    with arena("tournament run long.yaml", tmp_path) as terminal:
        terminal.read(until=r"[1-9]\d*/600 ")
        terminal.interrupt()
        assert "interrupted; finished matches are kept in arena.db" in " ".join(terminal.lines)
    kept = Store(str(tmp_path / "arena.db")).find().matches
    assert 0 < kept < 600
    with arena("tournament run long.yaml --deals 20", tmp_path) as terminal:
        assert terminal.end() == 0
        terminal.check_tidy()


def test_a_league_is_stopped_and_fetched_back(tmp_path):
    """By Ctrl-Z and fg, in a shell, while the window changes its size."""
    (tmp_path / "long.yaml").write_text(LONG)
    shell = Terminal(["bash", "--norc", "-i"], env=ENV | {"PS1": "$ "}, cwd=tmp_path)
    with shell:
        shell.type(f"{sys.executable} -m arena tournament run long.yaml --deals 100\n")
        shell.read(until=r"[1-9]\d*/150 ")
        shell.resize(100, 30)
        shell.type("\x1a")
        shell.read(until="Stopped")
        assert not shell.screen.cursor.hidden
        shell.resize(70, 30)
        shell.type("fg\n")
        shell.read(until="replays of all matches")
        shell.type("echo code $?\n")
        shell.read(until="code 0")
        assert not shell.screen.cursor.hidden and "Traceback" not in "\n".join(shell.lines)


@pytest.mark.parametrize(
    ("line", "wait", "told"),
    [
        ("replay verify arena.db", "verifying", "interrupted"),
        pytest.param("pcg compete birds_genetic", "levels", "interrupted", marks=pytest.mark.slow),
        pytest.param(
            "train ppo --game gridworld -o run", "return", "--resume cont", marks=pytest.mark.slow
        ),
    ],
)
def test_an_interrupt_is_one_sentence(line, wait, told, finished, tmp_path):
    (tmp_path / "arena.db").write_bytes(finished)
    with arena(line, tmp_path) as terminal:
        terminal.read(until=wait)
        terminal.interrupt()
        assert told in terminal.lines[-1] or told in terminal.lines[-2]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> bytes:
    """A store with a league of many matches."""
    from arena.cli import main

    folder = tmp_path_factory.mktemp("finished")
    config, store = folder / "many.yaml", folder / "arena.db"
    config.write_text(LONG.replace("equity?samples=500", "call"))
    assert main(["tournament", "run", str(config), "--store", str(store), "--workers", "0"]) == 0
    with closing(sqlite3.connect(store)) as log:  # what lies beside the file, too
        log.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.read_bytes()
