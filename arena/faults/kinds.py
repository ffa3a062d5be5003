"""The kinds of faults: each runs a league and disturbs it, and says how often."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from arena.faults.league import Runs, Trouble

Fault = Callable[[Runs, random.Random], int]


def kill_main(runs: Runs, draw: random.Random) -> int:
    """``kill -9`` of the main process, which may not say a word to its workers."""
    return _end_main(runs, draw, signal.SIGKILL)


def interrupt(runs: Runs, draw: random.Random) -> int:
    """Ctrl-C, which all processes hear."""
    return _end_main(runs, draw, signal.SIGINT)


def terminate(runs: Runs, draw: random.Random) -> int:
    """SIGTERM, as a system that goes down sends it."""
    return _end_main(runs, draw, signal.SIGTERM)


def _end_main(runs: Runs, draw: random.Random, number: int) -> int:
    for kill in range(3):
        run = runs.start(draw.choice([0, 2]))
        run.wait_for(draw.randrange(kill * runs.total // 4, (kill + 1) * runs.total // 4))
        time.sleep(draw.uniform(0, 0.1))
        if not run.going():
            return kill
        (run.signal_all if number == signal.SIGINT else run.signal)(number)
        run.end()
    return 3


def kill_workers(runs: Runs, draw: random.Random) -> int:
    """``kill -9`` of workers, as a system short of memory does; the league must go on and end."""
    run, kills = runs.start(2), 0
    run.wait_for(draw.randrange(1, runs.total // 3))
    while run.going() and kills < 4:
        with suppress(ProcessLookupError, IndexError):
            os.kill(draw.choice(run.workers()), signal.SIGKILL)
            kills += 1
        time.sleep(draw.uniform(0, 3))
    _must_end_well(runs, run.end())
    return kills


def stop_all(runs: Runs, draw: random.Random) -> int:
    """Ctrl-Z for longer than the clock, and back."""
    run, stops = runs.start(draw.choice([0, 2])), 0
    for stop in range(2):
        run.wait_for(draw.randrange(stop * runs.total // 2, (stop + 1) * runs.total // 2))
        if run.going():
            run.signal_all(signal.SIGSTOP)
            time.sleep(runs.clock + 2)
            run.signal_all(signal.SIGCONT)
            stops += 1
    _must_end_well(runs, run.end())
    return stops


def stop_worker(runs: Runs, draw: random.Random) -> int:
    """A worker stands still for longer than anything may take, and goes on."""
    run = runs.start(2)
    run.wait_for(draw.randrange(1, runs.total // 2))
    stopped = draw.choice(run.workers() or [0])
    with suppress(ProcessLookupError):
        if stopped and run.going():
            os.kill(stopped, signal.SIGSTOP)
            time.sleep(2 * runs.clock + 3)
            os.kill(stopped, signal.SIGCONT)
    _must_end_well(runs, run.end())
    return 1


def full_disk(runs: Runs, draw: random.Random) -> int:
    """No file may grow beyond a limit; the league ends with a sentence."""
    limit = draw.randrange(20_000, 400_000)
    run = runs.start(
        draw.choice([0, 2]), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    code = run.end()
    if code not in (0, 2) or "Traceback" in runs.said():
        raise Trouble(f"exit code {code}: {runs.said()}")
    return int(code == 2)


def two_writers(runs: Runs, draw: random.Random) -> int:
    """Two processes run the same league into the same store, and one is killed."""
    one, other = runs.start(0), runs.start(0)
    one.wait_for(draw.randrange(1, runs.total // 2))
    one.signal(signal.SIGKILL)
    one.end()
    _must_end_well(runs, other.end())
    return 1


def _must_end_well(runs: Runs, code: int) -> None:
    if code:
        raise Trouble(f"exit code {code}: {runs.said()}")


def damage(runs: Runs, draw: random.Random) -> int:
    """The file of a store that is complete is damaged: bytes, pages, its end. It is repaired."""
    runs.finish(0)
    data = bytearray(runs.store.read_bytes())
    how = draw.choice(["bytes", "pages", "end"])
    if how == "end":
        del data[draw.randrange(len(data) // 2, len(data)) :]
    for _ in range(draw.randrange(1, 30) if how != "end" else 0):
        at = draw.randrange(len(data))
        if how == "bytes":
            data[at] ^= draw.randrange(1, 256)
        else:
            at -= at % 4096
            data[at : at + 4096] = bytes(4096)
    runs.store.write_bytes(data)
    runs.repair()
    return 1


def accident(runs: Runs, draw: random.Random) -> int:
    """An agent has an accident (``arena.agents.scripted.hostile``), and the main process is killed.

    What an agent does in the league's own process nobody can survive, so it has workers.
    """
    run = runs.start(draw.choice([1, 2]))
    run.wait_for(draw.randrange(runs.total // 3, runs.total))
    run.signal(signal.SIGKILL)
    run.end()
    return 1


KINDS: dict[str, Fault] = {
    function.__name__: function
    for function in (
        kill_main,
        interrupt,
        terminate,
        kill_workers,
        stop_all,
        stop_worker,
        full_disk,
        two_writers,
        damage,
        accident,
    )
}
