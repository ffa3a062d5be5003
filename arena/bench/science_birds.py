"""Science Birds: how long a level takes from program to verdict, and how fast blocks drop.

The competition's evaluator is a Unity project that needs a second or more a level; it cannot be run
here, so no peer stands beside these figures.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator

import numpy as np

from arena.bench.record import Record, rate


def records() -> Iterator[Record]:
    """``level_verdict`` (ms), ``two_core_scaling`` (ratio) and ``drops`` (per second)."""
    yield Record.of("level_verdict", "ms", _verdict())
    yield Record.of("two_core_scaling", "ratio", _scaling())
    yield Record.of("drops", "1/s", _drops())


def _verdict() -> float:
    """Median CPU time to build, let fall, render and read a letter's level."""
    from arena.agents.scripted.science_birds import vocabulary
    from arena.envs.science_birds.assessment import assess

    levels = [program for programs in vocabulary().values() for program in programs]
    assess(levels[0])
    times = []
    for program in levels:
        begun = time.process_time()
        assess(program)
        times.append(time.process_time() - begun)
    return 1000 * float(np.median(times))


def _scaling() -> float:
    """Levels a second of two processes at once, over those of one alone."""
    if len(os.sched_getaffinity(0)) < 2:
        return float("nan")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(_levels_per_second, [0.2, 0.2])  # both have imported and compiled
        alone = pool.apply(_levels_per_second, (2.0,))
        both = sum(pool.map(_levels_per_second, [2.0, 2.0], chunksize=1))
    return both / alone


def _levels_per_second(seconds: float) -> float:
    """By CPU time, as all our rates: what else runs on the machine does not count."""
    from arena.agents.scripted.science_birds import vocabulary
    from arena.envs.science_birds.assessment import assess

    levels = [programs[0] for programs in vocabulary().values()]
    begun, done = time.process_time(), 0
    while time.process_time() - begun < seconds:
        for program in levels:
            assess(program)
        done += len(levels)
    return done / (time.process_time() - begun)


def _drops() -> float:
    """Random legal drops at 4096 tables, masks and observations included, no level judged."""
    from arena.envs.science_birds.game import ScienceBirds
    from arena.envs.science_birds.grid import STOP

    count = 4096
    tables = ScienceBirds(drops=64).tables(count)
    every, seats = np.arange(count), np.zeros(count, np.int64)
    uniforms = np.random.default_rng(0).random((8, count))

    def work() -> int:
        tables.begin(every, every.astype(np.uint64))
        for row in uniforms:
            mask = tables.action_mask(every, seats)
            assert mask is not None
            tables.observe(every, seats)
            drops = (row * STOP).astype(np.int64)
            # Slot 9 is not yet full after eight rounds: a small block fits there.
            actions = np.where(mask[every, drops], drops, 9)
            tables.drop(every, actions)
        return count * len(uniforms)

    return rate(work)
