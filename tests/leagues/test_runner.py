"""A league that is killed goes on where it was, and ends as if nothing had happened."""

from __future__ import annotations

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

from leagues import runner
from leagues.executors import InProcess
from leagues.league import League, load
from leagues.store import Store


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
