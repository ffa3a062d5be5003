"""A league that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League, load
from arena.leagues.store import Store


def log(store: Store, league: League) -> dict[str, tuple[bytes, bytes, int]]:
    results = [result for _, result in store.results(league)]
    facts = {r.match.id: (r.returns.tobytes(), r.statuses.tobytes(), r.decisions) for r in results}
    assert len(facts) == len(results)  # every match once
    return facts


def finished(path: Path) -> int:
    """How many matches the store's file holds, as another process sees it."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            (count,) = connection.execute("SELECT count(*) FROM matches").fetchone()
            return int(count)
    except sqlite3.OperationalError:  # not there yet
        return 0


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_league_killed_at_random_moments_ends_as_an_undisturbed_one(tmp_path, workers):
    """``kill -9`` ten times for each kind of executor, at moments spread over the run."""
    config = {
        "name": "killed",
        "game": "holdem?seats=2",
        "agents": ["random", "first", "illegal", "crash"],
        "schedule": {"deals": 600, "deals_per_match": 2},
    }
    path = tmp_path / "killed.yaml"
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "arena", "tournament", "run", str(path)]
    command += ["--workers", workers, "--store", str(tmp_path / "killed.db")]
    moment = random.Random(int(workers))
    for kill in range(10):
        with (tmp_path / "output").open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output, cwd=tmp_path)
        # Somewhere in the middle of the next hundred matches of 1,800.
        until = 100 * kill + moment.randrange(1, 100)
        while finished(tmp_path / "killed.db") < until:
            assert process.poll() is None, (tmp_path / "output").read_text()
            time.sleep(0.01)
        time.sleep(moment.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    league = load(str(path))
    undisturbed = Store(str(tmp_path / "undisturbed.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        for _ in runner.run(league, undisturbed, executor):
            pass
    assert log(Store(str(tmp_path / "killed.db")), league) == log(undisturbed, league)
    assert len(log(undisturbed, league)) == 6 * 300


def test_an_interrupt_at_the_terminal_is_a_sentence(tmp_path):
    """All processes hear it, as workers start and as they play; nobody prints a traceback."""
    path = tmp_path / "long.yaml"
    config = {"game": "holdem", "agents": ["random", "first"], "schedule": {"deals": 200000}}
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "arena", "tournament", "run", str(path), "--workers", "2"]
    for number, until in enumerate((0, 0, 1)):
        store = tmp_path / f"{number}.db"
        process = subprocess.Popen(
            [*command, "--store", str(store)],
            cwd=tmp_path,
            start_new_session=True,  # a process group, as a terminal would make
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not store.exists() or finished(store) < until:
            assert process.poll() is None
            time.sleep(0.05)
        time.sleep(random.Random(number).random())
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert out == ""
        assert err.splitlines()[-1].startswith("arena: interrupted")
        assert "Traceback" not in err
        assert process.returncode == 130


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_an_agent_prints_is_not_mixed_with_the_results(tmp_path, workers):
    path = tmp_path / "chatty.yaml"
    config = {"game": "holdem", "agents": ["chatty", "first"], "schedule": {"deals": 2}}
    path.write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "arena", "tournament", "run", str(path), "--json"]
    done = subprocess.run(
        [*command, "--workers", workers],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert len(json.loads(done.stdout)["names"]) == 2
    assert "let me think" in done.stderr


def test_an_interrupt_keeps_what_is_finished(tmp_path, make_league):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        for progress in runner.run(league, store, executor):
            if progress.result is not None:
                break
    assert len(store.match_ids()) == 1


def test_a_swiss_league_pairs_by_score_and_nobody_twice(tmp_path, make_league):
    agents = ["random", "first", "wordy", "illegal", "crash"]
    league = make_league(agents, kind="swiss", rounds=3, deals=5)
    store = Store(str(tmp_path / "a.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        progress = list(runner.run(league, store, executor))
    pairs = [frozenset(r.match.entrants) for _, r in store.results(league)]
    assert len(pairs) == len(set(pairs)) == 3 * 2
    assert progress[-1].played == progress[-1].total == 6


def test_full_tables_rotate(tmp_path, make_league):
    agents = ["random", "first", "wordy", "illegal"]
    league = make_league(agents, game="holdem?seats=3", kind="rotation", rounds=6, deals=4)
    store = Store(str(tmp_path / "a.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        list(runner.run(league, store, executor))
    results = [r for _, r in store.results(league)]
    assert len(results) == 6 * 2
    assert all(r.returns.shape == (4, 3, 3) for r in results)
    counts = {key: sum(key in r.match.entrants for r in results) for key in league.names}
    assert min(counts.values()) >= 6
