"""A player for any game that does harm by accident: what a league must survive.

``hostile?how=NAME`` plays as ``first`` does, and has the accident ``NAME`` at its first decision.
"""

from __future__ import annotations

import ctypes
import gc
import locale
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Decisions, Null
from arena.agents.scripted.generic import First
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns

Accident = Callable[["Hostile", Turns], Any]

ACCIDENTS: dict[str, Accident] = {}
"""What may happen at a decision, by name: returns what it answers instead of its action, if any."""

ELSEWHERE = (
    "made_error",
    "made_exit",
    "made_thread_exit",
    "begin_error",
    "end_error",
    "end_writes",
)
"""What happens as the player is made, or as its episodes begin and end."""


class Hostile(First):
    """Plays as ``first`` does, with an accident."""

    def __init__(self, game: Game, checkpoint: str | None = None, *, how: str) -> None:
        super().__init__(game, checkpoint)
        if how not in ACCIDENTS and how not in ELSEWHERE:
            known = ", ".join([*ACCIDENTS, *ELSEWHERE])
            raise InputError(f"agent 'hostile': how={how} is none of {known}")
        self.how, self.asked = how, 0
        self.kept: list[tuple[NDArray[Any], NDArray[Any], list[Any]]] = []
        if how == "made_error":
            raise RuntimeError("cannot be made")
        if how == "made_exit":
            os._exit(3)
        if how == "made_thread_exit":
            threading.Thread(target=os._exit, args=[3]).start()

    @classmethod
    def null(cls, options: Mapping[str, Any]) -> Null:
        """It plays no game."""
        return "constant"

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Fail, perhaps."""
        if self.how == "begin_error":
            raise RuntimeError("no beginning")

    def act(self, turns: Turns) -> Decisions:
        """Have the accident, the first time, and answer."""
        self.asked += 1
        accident = ACCIDENTS.get(self.how)
        answer: Decisions | None = None if accident is None else accident(self, turns)
        return super().act(turns) if answer is None else answer

    def end(self, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> None:
        """Fail, perhaps, or write into what it is told."""
        if self.how == "end_error":
            raise RuntimeError("no end")
        if self.how == "end_writes":
            returns[:] = 1e9


def _accident(function: Accident) -> Accident:
    ACCIDENTS[function.__name__.removeprefix("_")] = function
    return function


def _once(function: Callable[[], object]) -> Accident:
    """Register an accident that happens at the first decision, after which it answers."""

    def accident(agent: Hostile, turns: Turns) -> None:
        if agent.asked == 1:
            function()

    ACCIDENTS[function.__name__.removeprefix("_")] = accident
    return accident


# -- exceptions of every kind: a crash -----------------------------------------------------------


class _Unprintable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def _raising(error: Callable[[], BaseException]) -> Accident:
    def accident(agent: Hostile, turns: Turns) -> NoReturn:
        raise error()

    return accident


ACCIDENTS |= {
    "interrupt": _raising(KeyboardInterrupt),
    "exit": _raising(lambda: SystemExit(3)),
    "generator_exit": _raising(GeneratorExit),
    "stop": _raising(StopIteration),
    "memory": _raising(MemoryError),
    "surrogate": _raising(lambda: FileNotFoundError(2, "no such file", "caf\udce9.bin")),
    "unprintable": _raising(_Unprintable),
    "long_error": _raising(lambda: ValueError("x" * 2**26)),
}


@_accident
def _recursion(agent: Hostile, turns: Turns) -> Any:
    return [_recursion(agent, turns)]


# -- the process is left another than it was: nobody's result changes ----------------------------


@_once
def _folder() -> None:
    os.chdir("/")


@_once
def _folder_gone() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)


@_once
def _environment() -> None:
    os.environ.clear()


@_once
def _import_path() -> None:
    sys.path.clear()


@_once
def _locale() -> None:
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, "C")


@_once
def _recursion_limit() -> None:
    sys.setrecursionlimit(200)


@_once
def _collector() -> None:
    gc.disable()


@_once
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - just what it should not do


@_once
def _warnings() -> None:
    warnings.simplefilter("error")


@_once
def _numpy_errors() -> None:
    np.seterr(all="raise")


@_once
def _hooks() -> None:
    sys.excepthook = threading.excepthook = sys.unraisablehook = _fail


@_once
def _umask() -> None:
    os.umask(0o777)


@_once
def _handlers() -> None:
    for number in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGCHLD, signal.SIGCONT):
        signal.signal(number, signal.SIG_IGN)


@_once
def _blocked_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM, signal.SIGINT})


@_once
def _timer() -> None:
    signal.signal(signal.SIGALRM, _fail)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)


@_once
def _other_timers() -> None:
    for number in (signal.SIGVTALRM, signal.SIGPROF):
        signal.signal(number, _fail)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.01, 0.01)
    signal.setitimer(signal.ITIMER_PROF, 0.01, 0.01)


@_once
def _output() -> None:
    for _ in range(100):
        print("x" * 2**20)
        print("x" * 2**20, file=sys.stderr)


@_once
def _output_closed() -> None:
    sys.stdout.close()
    sys.stderr.close()


@_once
def _output_gone() -> None:
    sys.stdout = sys.stderr = None


@_once
def _thread_error() -> None:
    thread = threading.Thread(target=_fail)
    thread.start()
    thread.join()


@_once
def _busy_thread() -> None:
    def work() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            pass

    threading.Thread(target=work, daemon=True).start()


@_once
def _waiting_thread() -> None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


@_once
def _child() -> None:
    subprocess.Popen(["sleep", "1"])


@_once
def _fork() -> None:
    os.fork()


@_once
def _leaked_files() -> None:
    _LEAKED.extend(socket.socket() for _ in range(20))


@_once
def _fewer_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 64), hard))


def _mask(turns: Turns) -> NDArray[np.bool_]:
    mask = turns.action_mask
    assert mask is not None, "it plays games of Discrete actions"
    return mask


_LEAKED: list[socket.socket] = []


def _fail(*_: object, **__: object) -> Any:
    raise RuntimeError("should not have been called")


# -- what it was given is written to -------------------------------------------------------------


@_accident
def _writes(agent: Hostile, turns: Turns) -> Decisions:
    answer = First.act(agent, turns)
    arrays = [turns.tables, turns.seats, turns.seeds, turns.action_mask]
    for array in [*arrays, *turns.observation.values()]:
        if array is not None and array.flags.writeable:
            array[...] = 0
    return answer


@_accident
def _later(agent: Hostile, turns: Turns) -> Decisions:
    """What it has answered is changed afterwards."""
    for actions, probabilities, notes in agent.kept:
        actions[...], probabilities[...] = 99, np.nan
        notes[0]["it"] = object()
    actions = _mask(turns).argmax(axis=1)
    kept = actions, np.eye(_mask(turns).shape[1])[actions], [{"a": 1}] * len(turns)
    agent.kept.append(kept)
    return Decisions(*kept)


# -- the process ends: a crash -------------------------------------------------------------------


@_accident
def _process_exit(agent: Hostile, turns: Turns) -> NoReturn:
    os._exit(3)


@_accident
def _process_kill(agent: Hostile, turns: Turns) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@_accident
def _process_abort(agent: Hostile, turns: Turns) -> NoReturn:
    os.abort()


@_accident
def _segfault(agent: Hostile, turns: Turns) -> None:
    ctypes.string_at(0)


@_accident
def _terminated(agent: Hostile, turns: Turns) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1)


@_once
def _thread_exit() -> None:
    threading.Thread(target=os._exit, args=[3]).start()


@_accident
def _files_closed(agent: Hostile, turns: Turns) -> None:
    os.closerange(3, 2**16)


@_accident
def _output_files_closed(agent: Hostile, turns: Turns) -> None:
    os.closerange(0, 3)


# -- it does not answer: a time-out --------------------------------------------------------------


@_accident
def _sleeps(agent: Hostile, turns: Turns) -> None:
    time.sleep(3600)


@_accident
def _computes(agent: Hostile, turns: Turns) -> None:
    for _ in count():
        pass


@_accident
def _swallows(agent: Hostile, turns: Turns) -> None:
    """Catches whatever interrupts it."""
    for _ in range(3):
        with suppress(BaseException):
            time.sleep(3600)


@_accident
def _out_of_reach(agent: Hostile, turns: Turns) -> None:
    """Hangs where no interrupt comes."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(3600)


# -- its answers are none ------------------------------------------------------------------------


def _answering(actions: Callable[[int], Any]) -> Accident:
    return lambda agent, turns: Decisions(actions(len(turns)))


ACCIDENTS |= {
    "nan_actions": _answering(lambda n: np.full(n, np.nan)),
    "infinite_actions": _answering(lambda n: np.full(n, np.inf)),
    "huge_actions": _answering(lambda n: [10**30] * n),
    "negative_actions": _answering(lambda n: np.full(n, -1)),
    "unsigned_actions": _answering(lambda n: np.full(n, 2**64 - 1, np.uint64)),
    "words": _answering(lambda n: ["fold"] * n),
    "booleans": _answering(lambda n: np.ones(n, np.bool_)),
    "complex_actions": _answering(lambda n: np.full(n, 1j)),
    "objects": _answering(lambda n: [object()] * n),
    "deep_actions": _answering(lambda n: np.zeros((n, 2, 2))),
    "ragged": _answering(lambda n: [[0] * (row % 3) for row in range(n)] + [[[]]]),
    "too_few": _answering(lambda n: np.zeros(n - 1, np.int64)),
    "too_many": _answering(lambda n: np.zeros(n + 1, np.int64)),
    "one_number": _answering(lambda n: 0),
    "generator": _answering(lambda n: (0 for _ in range(n))),
    "nothing": lambda agent, turns: Decisions(None),
    "no_decisions": lambda agent, turns: 7,
}


def _beside(**said: Callable[[Turns], Any]) -> Accident:
    """The right action, with something impossible beside it."""

    def accident(agent: Hostile, turns: Turns) -> Decisions:
        actions = _mask(turns).argmax(axis=1)
        return Decisions(actions, **{name: make(turns) for name, make in said.items()})

    return accident


def _endless() -> Iterator[dict[str, int]]:
    return ({"n": n} for n in count())


def _circle() -> dict[str, Any]:
    note: dict[str, Any] = {}
    note["self"] = note
    return note


ACCIDENTS |= {
    "nan_probabilities": _beside(probabilities=lambda turns: np.full(_mask(turns).shape, np.nan)),
    "infinite_probabilities": _beside(
        probabilities=lambda turns: np.full(_mask(turns).shape, np.inf)
    ),
    "narrow_probabilities": _beside(probabilities=lambda turns: np.ones((len(turns), 1))),
    "worded_probabilities": _beside(probabilities=lambda turns: [["a"]] * len(turns)),
    "nan_policy": lambda agent, turns: Decisions(None, np.full(_mask(turns).shape, np.nan)),
    "endless_notes": _beside(notes=lambda turns: _endless()),
    "circular_notes": _beside(notes=lambda turns: [_circle()] * len(turns)),
    "numbered_notes": _beside(notes=lambda turns: [{1: 2}] * len(turns)),
    "unwritable_notes": _beside(notes=lambda turns: [{"it": object()}] * len(turns)),
    "surrogate_notes": _beside(notes=lambda turns: [{"it": "\udce9"}] * len(turns)),
    "long_notes": _beside(notes=lambda turns: [{"it": "é" * 2**20, "n": 1}] * len(turns)),
    "failures_unknown": _beside(failures=lambda turns: {0: "perplexed"}),
    "failures_outside": _beside(failures=lambda turns: {10**6: "crash"}),
    "failures_listed": _beside(failures=lambda turns: ["crash"]),
}
