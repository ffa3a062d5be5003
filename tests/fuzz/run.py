"""Feed changed inputs to every reader, and count what is not one sentence.

    python -m tests.fuzz                      3,000 inputs of each kind
    python -m tests.fuzz --seconds 60         as many of each kind as there is time for
    python -m tests.fuzz --kind hand.phh --number 17      one input, with its traceback

An input is a function of seed, kind and number. Its last line of output is JSON, its exit code 1
where a reader ended in a traceback, took more than ten seconds or more than 500 MB.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import json
import logging
import multiprocessing as mp
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.kinds import Kind, kinds

SECONDS, MEGABYTES = 10, 500
FIRST_PARSE = (
    "not UTF-8", "not TOML", "not JSON", "not YAML", "well-formed XML", "not a whole .",
    "whole safetensors", "not a .", "is not a CSV",
)  # fmt: skip


class Hang(BaseException):
    """An input has taken too long."""


def _alarm(*_: object) -> None:
    raise Hang


def feed(kind: Kind, number: int, seed: int, folder: Path) -> tuple[str, str]:
    """What came of an input (read, refused, traceback, hang, memory), and the words for it."""
    from arena.envs.errors import InputError

    dice = np.random.default_rng([seed, *kind.name.encode(), number])
    path = folder / kind.name
    path.write_bytes(kind.change(dice))
    before = _peak()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of the processor: others use it, too
    try:
        kind.read(path)
        found = "read", ""
    except InputError as error:
        sentence = str(error)
        found = ("refused", sentence) if "\n" not in sentence else ("traceback", sentence)
    except Hang:
        found = "hang", ""
    except Exception:
        found = "traceback", traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return ("memory", "") if _peak() - before > MEGABYTES else found


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def work(pipe: Any, seed: int) -> None:
    """Feed what the pipe asks for: (kind, number)."""
    signal.signal(signal.SIGPROF, _alarm)
    # The games that are installed are looked up once: that takes longer than most inputs do.
    importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logging.disable()  # what libraries say of what they are given
        known = {kind.name: kind for kind in kinds(folder / "made")}
        pipe.send(list(known))
        while (asked := pipe.recv()) is not None:
            pipe.send(feed(known[asked[0]], asked[1], seed, folder))


class Worker:
    """A process that feeds inputs; a new one where it hangs or dies."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._start()

    def _start(self) -> None:
        context = mp.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, self.seed), daemon=True)
        self.process.start()
        theirs.close()
        self.names: list[str] = self.pipe.recv()

    def feed(self, kind: str, number: int) -> tuple[str, str]:
        """See ``feed``."""
        try:
            self.pipe.send((kind, number))
            if self.pipe.poll(6 * SECONDS):
                found: tuple[str, str] = self.pipe.recv()
                return found
            outcome = "hang", ""
        except (EOFError, OSError):
            outcome = "traceback", "the process died"
        self.process.kill()
        self._start()
        return outcome

    def close(self) -> None:
        """Let the process end."""
        self.pipe.send(None)
        self.process.join()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--each", type=int, default=3000, help="inputs of each kind (3000)")
    parser.add_argument("--seconds", type=float, help="stop after so long, all kinds alike")
    parser.add_argument("--seed", type=int, default=1, help="of all inputs (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    parser.add_argument("--kind", nargs="+", help="only these kinds")
    parser.add_argument("--number", type=int, help="only this input")
    options = parser.parse_args()
    numbers = range(options.each) if options.number is None else [options.number]
    end = time.monotonic() + options.seconds if options.seconds else float("inf")

    def fed(job: int) -> Counts:
        with closing(Worker(options.seed)) as worker:
            return _feed_all(worker, options.kind, numbers[job :: options.jobs], end)

    with ThreadPoolExecutor(options.jobs) as pool:  # each waits for a process of its own
        counts: Counts = defaultdict(Counter)
        for found in pool.map(fed, range(min(options.jobs, len(numbers)))):
            for name, row in found.items():
                counts[name].update(row)
    return _report(counts)


def _feed_all(
    worker: Worker, kinds: list[str] | None, numbers: Sequence[int], end: float
) -> Counts:
    counts: Counts = defaultdict(Counter)
    if unknown := set(kinds or ()) - set(worker.names):
        sys.exit(f"no kind is called {min(unknown)}; known: {', '.join(worker.names)}")
    for number in numbers:
        for name in kinds or worker.names:
            if time.monotonic() > end:
                return counts
            outcome, words = worker.feed(name, number)
            counts[name].update(("inputs", outcome))
            counts[name]["parsed"] += not any(sign in words for sign in FIRST_PARSE)
            if outcome in _BAD:
                print(f"{name} {number}: {outcome}\n{words}", file=sys.stderr, flush=True)
    return counts


_BAD = ("traceback", "hang", "memory")
Counts = dict[str, Counter[str]]


def _report(counts: Counts) -> int:
    for name, row in counts.items():
        share = row["parsed"] / row["inputs"]
        print(
            f"{name}: {row['inputs']} inputs, {share:.0%} survived the first parse, "
            f"{row['read']} were read" + "".join(f", {row[bad]} {bad}" for bad in _BAD if row[bad])
        )
    total = {what: sum(row[what] for row in counts.values()) for what in ("inputs", *_BAD)}
    share = sum(row["parsed"] for row in counts.values()) / max(total["inputs"], 1)
    print(f"{share:.0%} survived the first parse")
    print(
        json.dumps(
            {
                "inputs": total["inputs"],
                "tracebacks": total["traceback"],
                "hangs": total["hang"],
                "over_500_mb": total["memory"],
            }
        )
    )
    return 1 if any(total[what] for what in _BAD) else 0
