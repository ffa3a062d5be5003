"""Feed changed inputs to every reader, and count what is not one sentence.

    python -m tests.fuzz                      3,000 inputs of each kind
    python -m tests.fuzz --seconds 60         as many of each kind as there is time for
    python -m tests.fuzz --kind hand.phh --number 17      one input, with its traceback

An input is a function of seed, kind and number. Its last line of output is JSON, its exit code 1
where a reader ended in a traceback, took more than ten seconds or more than 500 MB.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing as mp
import resource
import signal
import sys
import tempfile
import time
import traceback
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


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__.split("\n")[0])
    parser.add_argument("--each", type=int, default=3000, help="inputs of each kind (3000)")
    parser.add_argument("--seconds", type=float, help="stop after so long, all kinds alike")
    parser.add_argument("--seed", type=int, default=1, help="of all inputs (1)")
    parser.add_argument("--kind", nargs="+", help="only these kinds")
    parser.add_argument("--number", type=int, help="only this input")
    options = parser.parse_args()
    worker = Worker(options.seed)
    names = options.kind or worker.names
    numbers = range(options.each) if options.number is None else [options.number]
    counts = {name: dict.fromkeys(("inputs", "parsed", "read", *_BAD), 0) for name in names}
    end = time.monotonic() + options.seconds if options.seconds else float("inf")
    for number in numbers:
        for name in names:
            if time.monotonic() > end:
                break
            outcome, words = worker.feed(name, number)
            counts[name]["inputs"] += 1
            counts[name]["read"] += outcome == "read"
            counts[name]["parsed"] += not any(sign in words for sign in FIRST_PARSE)
            if outcome in _BAD:
                counts[name][outcome] += 1
                print(f"{name} {number}: {outcome}\n{words}", file=sys.stderr, flush=True)
    return _report(counts)


_BAD = ("traceback", "hang", "memory")


def _report(counts: dict[str, dict[str, int]]) -> int:
    for name, row in counts.items():
        told = ", ".join(f"{value} {what}" for what, value in row.items())
        print(f"{name}: {told}")
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
