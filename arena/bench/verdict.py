"""What a verdict costs: ranking thin leagues and long logs, their page, the league's own work."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arena.bench.league import demo, warm_up
from arena.bench.record import Record
from arena.bench.viewer import large_league, large_results
from arena.leagues import runner
from arena.leagues.executors import Executor, InProcess, make_executor
from arena.leagues.league import League
from arena.leagues.match import Match, Result
from arena.leagues.ratings import Log, summarise
from arena.leagues.store import Store
from arena.viewer.library import Library

_MATCHES = 100_000
_DEALS = 400  # of a pair of the demo league


def records() -> Iterator[Record]:
    """Rankings and tables in CPU seconds, thin leagues' with the peak memory of their process."""
    leagues = {
        "rank_300_ring": (300, 1, 100),
        "rank_1000_sparse": (1000, 5, 100),
    }
    for name, league in leagues.items():
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, memory = pool.apply(_thin, league)
        yield Record.of(name, "s", seconds)
        yield Record.of(f"{name}: memory", "MB", memory)
    with tempfile.TemporaryDirectory() as folder:
        yield from _long(folder)
        yield _overhead(folder)
        yield _scaling(folder)


def _thin(entrants: int, opponents: int, deals: int) -> tuple[float, float]:
    """Rank entrants in a ring by sessions, each met by so many of those after it; seconds, MB."""
    generator = np.random.default_rng(0)
    results = [
        _coins(generator, i, (i + 1 + 7 * step**2) % entrants, deals)
        for step in range(opponents)
        for i in range(entrants)
    ]
    seconds = _seconds(lambda: summarise(Log.of(results), seed=0, session=100))
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _coins(generator: np.random.Generator, a: int, b: int, deals: int) -> Result:
    """A match that either may have won, deal by deal."""
    return duel(a, b, generator.choice([-2.0, 2.0], deals))


def duel(a: int, b: int, gains: NDArray[np.float64]) -> Result:
    """A match in which ``a`` gained so much on ``b`` in each deal; nobody plays."""
    names = (f"agent {a:04}", f"agent {b:04}")
    returns = gains[:, None, None] / 4 * np.array([[1.0, -1.0], [-1.0, 1.0]])
    zeros = np.zeros_like(returns)
    match = Match("coin", 1, names, names, 1, 0, len(gains), ((0, 1), (1, 0)))
    return Result(match, returns, zeros, zeros.astype(np.uint8), 10, 0.1, b"")


def _long(folder: str) -> Iterator[Record]:
    """A log of very many matches: its table, and what its page waits for."""
    league = large_league(_MATCHES)
    results = list(large_results(league, _MATCHES))
    table = _seconds(lambda: summarise(Log.of(results), seed=0, session=100))
    yield Record.of("table_100k_matches", "s", table)
    path = str(Path(folder) / "long.db")
    store = Store(path, create=True)
    store.add_league(league)
    store.append(league, *results[:-1])
    library = Library(path)

    def page() -> None:
        (entry,) = library.leagues()
        library.ranking(entry)
        library.matches(entry)

    yield Record.of("page_100k_matches: cold", "s", _seconds(page))
    yield Record.of("page_100k_matches: warm", "s", _seconds(page))
    store.append(league, results[-1])
    yield Record.of("page_100k_matches: after one more match", "s", _seconds(page))


def _overhead(folder: str) -> Record:
    """What the league itself takes for a hand, beside its agents and its game."""
    league = demo(_DEALS)
    with InProcess(runner.roster(league)) as executor:
        warm_up(executor)
        before = executor.timing.agents + executor.timing.engine
        begun = time.perf_counter()
        hands = _played(league, Store(str(Path(folder) / "overhead.db"), create=True), executor)
        seconds = time.perf_counter() - begun - executor.timing.agents - executor.timing.engine
    return Record.of("league_overhead_hand", "µs", 1e6 * (seconds + before) / hands)


def _scaling(folder: str) -> Record:
    """How many times faster two workers are than one."""
    league = demo(_DEALS)
    seconds = []
    for workers in (1, 2):
        store = Store(str(Path(folder) / f"{workers}.db"), create=True)
        with make_executor(runner.roster(league), workers) as executor:
            warm_up(executor)
            begun = time.perf_counter()
            _played(league, store, executor)
            seconds.append(time.perf_counter() - begun)
    return Record.of("workers_2_scaling", "times", seconds[0] / seconds[1])


def _played(league: League, store: Store, executor: Executor) -> int:
    """Play the league; how many hands it has."""
    states = list(runner.run(league, store, executor))
    return sum(state.result.returns[..., 0].size for state in states if state.result)


def _seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
