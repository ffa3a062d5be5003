"""What a ranking costs: thin leagues of many entrants, and a long log."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator

import numpy as np

from arena.bench.record import Record
from arena.leagues.match import Match, Result
from arena.leagues.ratings import Log, summarise


def records() -> Iterator[Record]:
    """CPU seconds and peak memory, each league in a process of its own."""
    leagues = {
        "rank_300_ring": (300, 1, 10),
        "rank_1000_sparse": (1000, 5, 100),
    }
    for name, league in leagues.items():
        seconds, memory = _apart(_thin, *league)
        yield Record.of(name, "s", seconds)
        yield Record.of(f"{name}: memory", "MB", memory)
    yield Record.of("table_100k_matches", "s", _apart(_long, 100_000, 10)[0])


def _apart(work: Callable[..., float], *arguments: int) -> tuple[float, float]:
    """What ``work`` measures in a new process, and the most memory that it held, in MB."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, arguments))


def _measured(work: Callable[..., float], arguments: tuple[int, ...]) -> tuple[float, float]:
    return work(*arguments), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _thin(entrants: int, opponents: int, deals: int) -> float:
    """Rank entrants in a ring, each met by so many of those after it on the same deals."""
    generator = np.random.default_rng(0)
    results = [
        _result(generator, i, (i + 1 + 7 * step**2) % entrants, 0, deals)
        for step in range(opponents)
        for i in range(entrants)
    ]
    return _ranked(results)


def _long(matches: int, entrants: int) -> float:
    """Rank few entrants who have met in many matches of ten deals."""
    generator = np.random.default_rng(0)
    pairs = [(i, j) for i in range(entrants) for j in range(i)]
    results = [
        _result(generator, *pairs[number % len(pairs)], 10 * (number // len(pairs)), 10)
        for number in range(matches)
    ]
    return _ranked(results)


def _ranked(results: list[Result]) -> float:
    begun = time.process_time()
    summarise(Log.of(results), seed=0)
    return time.process_time() - begun


def _result(generator: np.random.Generator, a: int, b: int, first: int, deals: int) -> Result:
    """A match that either may have won, deal by deal; nobody plays."""
    names = (f"agent {a:04}", f"agent {b:04}")
    ahead = generator.choice([-1.0, 1.0], deals)[:, None, None]
    returns = ahead * np.array([[1.0, -1.0], [-1.0, 1.0]])
    zeros = np.zeros_like(returns)
    match = Match("coin", 1, names, names, 1, first, deals, ((0, 1), (1, 0)))
    return Result(match, returns, zeros, zeros.astype(np.uint8), 10, 0.1, b"")
