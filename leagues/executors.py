"""Where matches are played: in this process, or in several. One interface, which others may join.

An executor of processes also guards against what a process cannot guard itself against: an agent
that kills it (a segmentation fault, memory), or hangs in code that no clock can interrupt. The
parent sees whom a worker is waiting for, ends it or replaces it, and finds out who is to blame
(``arena.leagues.jobs``).
"""

from __future__ import annotations

import os
import signal
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Self

from arena.leagues.block import Doubt, Timing
from arena.leagues.clock import Clock
from arena.leagues.jobs import PROOF, Job, Keys, Suspicions, again
from arena.leagues.match import Match, Result
from arena.leagues.play import Roster, Unmade, make_block
from arena.leagues.players import Here
from arena.leagues.workers import Worker

Block = Sequence[Match]

_POLL = 0.2  # seconds between two looks at who hangs
_ASLEEP = 2.0  # seconds without such a look, after which nobody is held to hang: we were stopped
_MOST_RESULTS = 100  # that are taken before they are written
_MOST_STARTS = 10  # times that workers are replaced which were lost before they played anything
_LOST = (
    f"{_MOST_STARTS} workers in a row were lost before they played anything, and not by one agent; "
    "is the machine short of memory? Finished matches are in the store, run the league again to "
    "resume"
)


class Executor(ABC):
    """Plays blocks of matches of one roster. Use as a context: leaving it frees what it holds.

    Attributes:
        workers: how many blocks are played at the same time.
        unmade: keys of agents that could not be made, and why: they forfeit.
    """

    workers: int
    unmade: dict[str, str]

    @abstractmethod
    def batches(self, blocks: Iterable[Block]) -> Iterator[Sequence[Result]]:
        """Play all blocks; yields the results that have come since, one or more, in any order."""

    def run(self, blocks: Iterable[Block]) -> Iterator[Result]:
        """Play all blocks; yields results as matches end, in any order."""
        for batch in self.batches(blocks):
            yield from batch

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
        self.unmade = {k: it.reason for k, it in self._agents.items() if isinstance(it, Unmade)}
        self._clock = Clock(roster.clock)
        self._experience = Suspicions()

    def batches(self, blocks: Iterable[Block]) -> Iterator[Sequence[Result]]:
        """See Executor. Who is late by the wall clock only is asked again in a block of its own."""
        for block in blocks:
            jobs = deque(self._experience.jobs(block))
            while jobs:
                job = jobs.popleft()
                players = Here(self._agents, self._clock, job.final)
                matches = list(job.left.values())
                it = make_block(
                    self._game, players, matches, self.roster.agents, timing=self.timing
                )
                for results in it.run(job.forfeiting):
                    for result in results:
                        self._experience.learn(job, result)
                    yield results
                jobs += again(job, it.doubts)


@dataclass
class _Crew:
    """The workers that play one job together: one as a rule, two while somebody is suspected."""

    workers: list[Worker] = field(default_factory=list)
    job: Job | None = None
    doubts: list[Doubt] = field(default_factory=list)

    def end(self) -> None:
        for worker in self.workers:
            worker.end()
        self.workers.clear()


class Processes(Executor):
    """Plays in ``workers`` processes, each with its own game and agents."""

    def __init__(self, roster: Roster, workers: int) -> None:
        self.roster = roster
        self.workers = workers
        self.unmade = {}
        # The clock inside the worker comes first; this one is for code that it cannot interrupt.
        self._limit = None if roster.clock is None else 2 * roster.clock + 1
        self._experience = Suspicions()
        self._again: deque[Job] = deque()
        self._awake_since = 0.0
        self._crews = [_Crew() for _ in range(workers)]
        try:
            self._start(self._crews)
        except BaseException:
            self.close()
            raise

    # -- starting ------------------------------------------------------------------------------

    def _start(self, crews: Sequence[_Crew]) -> None:
        """Give each crew a worker with all agents."""
        for crew in crews:
            crew.end()
            crew.workers.append(Worker(self.roster, None, self.unmade))
        for crew in crews:
            for _ in range(_MOST_STARTS):
                worker = crew.workers[0]
                try:
                    self.unmade |= worker.greet()
                    break
                except (EOFError, ConnectionError):
                    self._suspect(worker.asked)
                crew.end()
                crew.workers.append(Worker(self.roster, None, self.unmade))
            else:
                raise RuntimeError(_LOST)

    def _suspect(self, agent: str | None) -> None:
        """A worker was lost while it made ``agent``: is that its doing?"""
        if agent is not None and all(self._kills_when_made(agent) for _ in range(PROOF)):
            self.unmade[agent] = "the process in which it is made ends"

    def _kills_when_made(self, agent: str) -> bool:
        worker = Worker(self.roster, Keys([agent]), {})
        try:
            worker.greet()
        except (EOFError, ConnectionError):
            return True
        finally:
            worker.end()
        return False

    def _split(self, crew: _Crew, teams: Sequence[Keys]) -> None:
        """Give a crew a worker for each team, with a line between the two."""
        crew.end()
        ends = Pipe() if len(teams) > 1 else (None,)
        for team, end in zip(teams, ends, strict=True):
            crew.workers.append(Worker(self.roster, team, self.unmade, end))
        for end in ends:
            if end is not None:
                end.close()  # the other worker alone holds it, and so hears of this one's loss

    # -- playing -------------------------------------------------------------------------------

    def batches(self, blocks: Iterable[Block]) -> Iterator[Sequence[Result]]:
        """See Executor. What arrives while a batch is written waits for the next one."""
        source = (job for block in blocks for job in self._experience.jobs(block))
        looked = time.monotonic()
        while True:
            for crew in self._crews:
                if crew.job is None:
                    self._hand(crew, self._again.popleft() if self._again else next(source, None))
            lines = {
                worker.connection: (crew, worker)
                for crew in self._crews
                for worker in crew.workers
                if worker.busy
            }
            if not lines:
                return
            if results := self._arrived(lines):
                yield results
            now = time.monotonic()
            if now - looked > _ASLEEP:
                self._awake_since = now
            looked = now
            self._end_who_hangs(now)

    def _hand(self, crew: _Crew, job: Job | None) -> None:
        """Have a crew play the job; workers that are lost before it begins are replaced."""
        if job is None:
            return
        crew.job = job
        for _ in range(_MOST_STARTS):
            with suppress(EOFError, ConnectionError):
                self._man(crew, job)
                for worker in crew.workers:
                    worker.give(job)
                return
            crew.end()
        raise RuntimeError(_LOST)

    def _man(self, crew: _Crew, job: Job) -> None:
        """Give a crew the workers that the job asks for; EOFError where one is lost."""
        if not job.apart:
            if [worker.team for worker in crew.workers] != [None]:
                self._start([crew])
            return
        teams = job.teams()
        if [worker.team for worker in crew.workers] == teams:
            return
        self._split(crew, teams)
        for worker in crew.workers:
            try:
                worker.greet()
            except (EOFError, ConnectionError):
                self._blame(job, worker)
                raise

    def _arrived(self, lines: Mapping[Connection, tuple[_Crew, Worker]]) -> list[Result]:
        """Wait for the workers, and take all results that they have sent."""
        results: list[Result] = []
        patience = _POLL
        while ready := wait([line for line in lines if not line.closed], timeout=patience):
            before, patience = len(results), 0
            for line in ready:
                assert isinstance(line, Connection)
                results += self._hear(*lines[line])
            if not before < len(results) < _MOST_RESULTS:
                break
        return results

    def _hear(self, crew: _Crew, worker: Worker) -> Iterator[Result]:
        """Take what a worker has sent, or its end."""
        job = crew.job
        if job is None or worker not in crew.workers:
            return  # its crew has been ended since
        try:
            message = worker.connection.recv()
        except Exception:  # it is lost, or sends what no worker does
            if job.left:
                self._blame(job, worker)
            self._dismiss(crew)
            return
        if isinstance(message, Result):
            if job.left.pop(message.match.id, None):  # the first of two workers that say the same
                self._experience.learn(job, message)
                yield message
        elif isinstance(message, Doubt):
            if job.left.pop(message.match.id, None):
                crew.doubts.append(message)
        elif isinstance(message, str):
            raise RuntimeError(
                f"a worker failed outside of any agent; finished matches are in the store\n"
                f"{message}"
            )
        else:
            worker.busy = False
            if not any(worker.busy for worker in crew.workers):
                self._dismiss(crew)

    def _blame(self, job: Job, worker: Worker) -> None:
        """Tell the job that a worker was lost."""
        (everybody,) = job.teams() if worker.team is None else [worker.team]
        killed = worker.exit_code() == -signal.SIGKILL
        job.lose(everybody, worker.asked, alone=worker.team is not None, killed=killed)

    def _dismiss(self, crew: _Crew) -> None:
        """A crew's job is over, or has to be played again; so have the matches in doubt."""
        job, crew.job = crew.job, None
        assert job is not None
        self._again += again(job, crew.doubts)
        crew.doubts = []
        if job.left:
            self._again.append(job)
        if job.left or any(worker.busy for worker in crew.workers):
            crew.end()

    def _end_who_hangs(self, now: float) -> None:
        """A worker whose clock should have rung long ago is ended."""
        for crew in self._crews:
            for worker in list(crew.workers):
                # What it has sent comes first: a match that is over is not played again.
                if crew.job is None or not worker.busy or worker.connection.poll():
                    continue
                agent, since = worker.asked, max(worker.since, self._awake_since)
                if self._limit is not None and agent is not None and now - since > self._limit:
                    crew.job.overrun(agent)
                    self._dismiss(crew)

    def close(self) -> None:
        """End the workers."""
        for crew in self._crews:
            crew.end()


def make_executor(roster: Roster, workers: int | None) -> Executor:
    """In this process for 0 workers, in that many processes otherwise (None: one a core)."""
    if workers is None:
        # The cores that this process may use, where the system tells (Linux).
        affinity = getattr(os, "sched_getaffinity", None)
        workers = len(affinity(0)) if affinity else os.cpu_count() or 1
    return InProcess(roster) if workers == 0 else Processes(roster, workers)
