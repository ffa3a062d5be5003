"""Where matches are played: in this process, or in several. One interface, which others may join.

Processes are forked from a server, as POSIX systems can.

An executor of processes also guards against what a process cannot guard itself against: an agent
that kills it (a segmentation fault, memory), or hangs in code that no clock can interrupt. The
parent sees whom a worker was waiting for, ends the worker, and has the block's unfinished matches
played again with that agent forfeiting.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import time
import traceback
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from arena.envs.errors import InputError
from arena.leagues.block import Timing
from arena.leagues.match import Match, Result, Status
from arena.leagues.play import Roster, play

Block = Sequence[Match]


class Executor(ABC):
    """Plays blocks of matches of one roster. Use as a context: leaving it frees what it holds."""

    workers: int

    @abstractmethod
    def run(self, blocks: Iterable[Block]) -> Iterator[Result]:
        """Play all blocks; yields results as matches end, in any order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 - not every executor holds something
        """Free what the executor holds; a block that is being played is abandoned."""


class InProcess(Executor):
    """Plays here, one block after the other.

    Raises InputError (CannotPlay among them) where the roster cannot be built. ``timing`` sums up
    where the time of all blocks went.
    """

    workers = 1

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.timing = Timing()
        self._game, self._agents = roster.build()

    def run(self, blocks: Iterable[Block]) -> Iterator[Result]:
        """See Executor."""
        for block in blocks:
            yield from play(
                self._game,
                self._agents,
                block,
                self.roster.agents,
                clock=self.roster.clock,
                timing=self.timing,
            )


@dataclass
class _Job:
    """A block's matches that are still to be played, and who forfeits them."""

    left: dict[str, Match]
    forfeiting: dict[str, Status] = field(default_factory=dict)


# What a worker's shared note says: the number of the agent that it waits for, and since when.
_NOBODY = -1.0


class _Worker:
    """A child process that plays one block at a time."""

    def __init__(self, context: Any, roster: Roster) -> None:
        self.job: _Job | None = None
        self.note = context.RawArray("d", [_NOBODY, 0.0])
        self.connection, theirs = context.Pipe()
        self.process = context.Process(
            target=_work, args=(theirs, self.note, roster), name="arena-worker", daemon=True
        )
        with _interrupts_held():
            self.process.start()
        theirs.close()

    def give(self, job: _Job) -> None:
        self.job = job
        self.connection.send((list(job.left.values()), job.forfeiting))

    def overdue(self, limit: float | None) -> int | None:
        """The number of the agent that it has waited for longer than the clock could allow."""
        agent, since = self.note
        if limit is None or agent == _NOBODY or time.monotonic() - since <= limit:
            return None
        return int(agent)

    def end(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


class Processes(Executor):
    """Plays in ``workers`` processes, each with its own game and agents."""

    def __init__(self, roster: Roster, workers: int) -> None:
        self.roster = roster
        self.workers = workers
        self._context = mp.get_context("forkserver")
        # What every worker needs is imported once, in the server that they are forked from.
        self._context.set_forkserver_preload([__name__])
        self._keys = sorted(roster.agents)
        # The clock inside the worker comes first; this one is for code that it cannot interrupt.
        self._limit = None if roster.clock is None else 2 * roster.clock + 1
        self._workers = [_Worker(self._context, roster) for _ in range(workers)]
        try:
            for worker in self._workers:
                self._greet(worker)
        except BaseException:
            self.close()
            raise

    def _greet(self, worker: _Worker) -> None:
        """Wait until a worker has built game and agents; raise what kept it from doing so."""
        try:
            refusal = worker.connection.recv()
        except EOFError:
            raise RuntimeError(
                f"a worker died while it made the agents (exit code {_code(worker)})"
            ) from None
        if refusal is not None:
            raise refusal

    def run(self, blocks: Iterable[Block]) -> Iterator[Result]:
        """See Executor."""
        source = (_Job({match.id: match for match in block}) for block in blocks)
        again: deque[_Job] = deque()
        while True:
            for worker in list(self._workers):
                if worker.job is None:
                    job = again.popleft() if again else next(source, None)
                    if job is not None:
                        self._hand(worker, job)
            busy = {worker.connection: worker for worker in self._workers if worker.job}
            if not busy:
                return
            for ready in wait(list(busy), timeout=0.2):
                assert isinstance(ready, Connection)
                worker = busy[ready]
                assert worker.job is not None
                try:
                    message = ready.recv()
                except (EOFError, ConnectionError):
                    again.append(self._bury(worker, int(worker.note[0]), Status.CRASH))
                    continue
                if message is None:
                    worker.job = None
                elif isinstance(message, str):
                    raise RuntimeError(
                        f"a worker failed outside of any agent; finished matches are in the store\n"
                        f"{message}"
                    )
                else:
                    del worker.job.left[message.match.id]
                    yield message
            for worker in list(self._workers):
                # What it has sent comes first: a match that is over is not played again.
                if worker.job is None or worker.connection.poll():
                    continue
                agent = worker.overdue(self._limit)
                if agent is not None:
                    again.append(self._bury(worker, agent, Status.TIMEOUT))

    def _hand(self, worker: _Worker, job: _Job) -> None:
        """Give a worker the job; if it died while it had none, to one in its place."""
        try:
            worker.give(job)
        except ConnectionError:
            self._replace(worker).give(job)

    def _bury(self, worker: _Worker, agent: int, status: Status) -> _Job:
        """Replace a worker that an agent killed or hangs; its job, with that agent forfeiting."""
        job = worker.job
        assert job is not None
        if agent == _NOBODY:
            raise RuntimeError(
                f"a worker died outside of any agent (exit code {_code(worker)}); finished matches "
                "are in the store, run the league again to go on"
            )
        job.forfeiting[self._keys[agent]] = status
        self._replace(worker)
        return job

    def _replace(self, worker: _Worker) -> _Worker:
        worker.end()
        fresh = _Worker(self._context, self.roster)
        self._workers[self._workers.index(worker)] = fresh
        self._greet(fresh)
        return fresh

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.end()


def _code(worker: _Worker) -> int | None:
    worker.process.join(5)
    code: int | None = worker.process.exitcode
    return code


def _work(connection: Connection, note: Any, roster: Roster) -> None:
    """A worker's life: make game and agents, then play blocks until the parent is gone."""
    os.dup2(2, 1)  # what an agent prints must not come between the results on standard output
    with suppress(EOFError, ConnectionError):
        try:
            game, agents = roster.build()
        except InputError as error:
            connection.send(InputError(str(error)))
            return
        except Exception:
            connection.send(RuntimeError(f"a worker failed to start\n{traceback.format_exc()}"))
            return
        connection.send(None)
        number = {key: float(index) for index, key in enumerate(sorted(roster.agents))}

        def watch(agent: str | None) -> None:
            note[1] = time.monotonic()
            note[0] = _NOBODY if agent is None else number[agent]

        while True:
            matches, forfeiting = connection.recv()
            try:
                for result in play(
                    game,
                    agents,
                    matches,
                    roster.agents,
                    clock=roster.clock,
                    forfeiting=forfeiting,
                    watch=watch,
                ):
                    connection.send(result)
                connection.send(None)
            except ConnectionError:
                raise
            except Exception:
                connection.send(traceback.format_exc())


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes in the body: they never hear an interrupt from the terminal.

    It reaches the parent, too, which ends its workers itself, once the body is left.
    """
    resource_tracker.ensure_running()  # it would let them through again as it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def make_executor(roster: Roster, workers: int | None) -> Executor:
    """In this process for 0 workers, in that many processes otherwise (None: one a core)."""
    if workers is None:
        # The cores that this process may use, where the system tells (Linux).
        affinity = getattr(os, "sched_getaffinity", None)
        workers = len(affinity(0)) if affinity else os.cpu_count() or 1
    return InProcess(roster) if workers == 0 else Processes(roster, workers)
