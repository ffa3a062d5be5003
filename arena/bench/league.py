"""What a league costs beside its agents and engine, and how soon the command line answers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import yaml

from arena.bench.postgresql import Unavailable, cluster
from arena.bench.record import Record
from arena.leagues import runner
from arena.leagues.executors import Executor, InProcess
from arena.leagues.league import League, load
from arena.leagues.match import Result
from arena.leagues.store import Store

_DEALS, _CHUNK = 1000, 100
_APPENDED, _TOGETHER = 5000, 50  # matches in all, and in a transaction


def records() -> Iterator[Record]:
    """The demo league on fewer deals, in this process; then whole starts of the command line."""
    league = demo(_DEALS)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "demo.db"), create=True)
        with InProcess(runner.roster(league)) as executor:
            warm_up(executor)
            before = executor.timing.agents + executor.timing.engine
            begun = time.perf_counter()
            states = list(runner.run(league, store, executor))
            total = time.perf_counter() - begun
        inside = executor.timing.agents + executor.timing.engine - before
        decisions = sum(state.result.decisions for state in states if state.result)
        overhead = total - inside
        matches = states[-1].total
        yield Record.of("league_inside_agents_and_engine", "share of time", inside / total)
        yield Record.of("league_overhead_match", "ms", 1000 * overhead / matches)
        yield Record.of("league_overhead_hand", "ms", 1000 * overhead / (matches * 2 * _CHUNK))
        yield Record.of("league_overhead_decision", "µs", 1e6 * overhead / decisions)

        results = [state.result for state in states if state.result]
        path = Path(folder) / "appended.db"
        yield _appending("append_sqlite", str(path), league, results)
        with suppress(Unavailable), cluster() as url:
            yield _appending("append_postgresql", url, league, results)

        yield Record.of("help", "s", _seconds(["--help"]))
        small = Path(folder) / "small.yaml"
        config = {
            "game": league.game,
            "agents": [who.identity.spec for who in league.entrants],
            "schedule": {"deals": 1},
        }
        small.write_text(yaml.safe_dump(config))
        # A new league of the same agents: what it takes to start and to play a deal of each pair.
        store_path = str(Path(folder) / "small.db")
        seconds = _seconds(["tournament", "run", str(small), "--store", store_path])
        yield Record.of("second_start_of_a_league", "s", seconds)


def demo(deals: int) -> League:
    """The demo league with so many deals a pair, a hundred a match."""
    schedule = {"kind": "round-robin", "deals": deals, "deals_per_match": _CHUNK}
    return replace(load("demo"), schedule=schedule)


def warm_up(executor: Executor) -> None:
    """Play some of the demo league: the first matches compile, start processes and fill caches."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "warm-up.db"), create=True)
        list(runner.run(demo(2 * _CHUNK), store, executor))
        store.close()


def _appending(name: str, where: str, league: League, results: Sequence[Result]) -> Record:
    """How many of the league's matches a second one writer logs, with their replays."""
    store = Store(where, create=True)
    store.add_league(league)
    count = 0
    begun = time.perf_counter()
    while count < _APPENDED:
        match = replace(results[count % len(results)].match, seed=count)
        batch = [
            replace(result, match=replace(match, first_deal=number))
            for number, result in enumerate(results[:_TOGETHER])
        ]
        store.append(league, *batch)
        count += len(batch)
    seconds = time.perf_counter() - begun
    assert len(store.match_ids()) == count
    store.close()
    return Record.of(name, "matches/s", count / seconds)


def _seconds(arguments: list[str]) -> float:
    """Wall time of a whole run of the command line."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "arena", *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun
