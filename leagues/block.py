"""A block of matches that is played: all tables step together, each agent answers its whole batch.

What a match results in does not depend on what else is in the block; only an agent's ``ms`` do, and
which other episodes it forfeits when it hangs, or fails as its episodes begin or end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.answers import Answers, draw, nothing
from arena.envs import seeding
from arena.envs.game import Ints, Tables, Turns
from arena.leagues.match import Match, Result, Status
from arena.leagues.plan import Plan
from arena.leagues.players import Hearing, Players, Verb
from arena.leagues.recording import Recorder

_IDLE = -1  # the job of a table where nothing is played


class Doubt(NamedTuple):
    """A match that was given up, for an agent that was late by the wall clock only."""

    match: Match
    agent: str


@dataclass
class Timing:
    """Where a block's wall time went, in seconds; what is in neither is the league's overhead."""

    agents: float = 0.0
    engine: float = 0.0

    @contextmanager
    def of_engine(self) -> Iterator[None]:
        """The body's time is the engine's."""
        before = time.perf_counter()
        yield
        self.engine += time.perf_counter() - before


class Block:
    """Tables that step together until every job of a plan is done. What comes out is by job.

    Attributes:
        doubts: the matches that were given up; what is yielded are the others.
    """

    def __init__(
        self, tables: Tables, players: Players, plan: Plan, recorder: Recorder, timing: Timing
    ) -> None:
        self._tables, self._players, self._plan = tables, players, plan
        self._recorder, self._timing = recorder, timing
        self.doubts: list[Doubt] = []
        self._waiting: Ints = np.arange(len(plan))
        self._job_of: Ints = np.full(tables.capacity, _IDLE)
        self._left = np.bincount(plan.match)
        shape = plan.players.shape
        self._decided = np.zeros(shape, np.int64)
        self._returns, self._tiebreaks = np.zeros(shape), np.zeros(shape)
        self._status = np.full(shape, Status.DONE, np.uint8)
        # Not DONE: a seat that is not asked any more, and the status it forfeits with.
        self._barred = np.full(shape, Status.DONE, np.uint8)

    def run(self, forfeiting: Mapping[str, Status]) -> Iterator[list[Result]]:
        """Play; yields the results of matches that end together, as soon as they do.

        Agents in ``forfeiting`` are not asked: they forfeit every turn with that status.
        """
        self._forfeiting = forfeiting
        for number, key in enumerate(self._plan.agents):
            self._barred[self._plan.players == number] = forfeiting.get(key, Status.DONE)
        while len(self._waiting) or (self._job_of != _IDLE).any():
            self._refill()
            with self._timing.of_engine():
                turns = self._tables.turns()
            if self.doubts:
                turns = turns.select(self._job_of[turns.tables] != _IDLE)
            if len(turns):
                self._step(turns)
            playing = self._job_of != _IDLE
            over = np.flatnonzero(self._tables.done & playing)
            if not len(turns) and not len(over) and playing.any():
                name = self._tables.game.name
                raise RuntimeError(f"game {name}: tables are not done, and wait for nobody")
            if results := list(self._finish(over)):
                yield results

    def _refill(self) -> None:
        free = np.flatnonzero(self._job_of == _IDLE)[: len(self._waiting)]
        if len(free):
            jobs, self._waiting = np.split(self._waiting, [len(free)])
            self._job_of[free] = jobs
            with self._timing.of_engine():
                self._tables.begin(free, self._plan.deal_seeds[jobs])
            for number, rows, seats in self._listeners("begin", jobs):
                told = self._players.begin(self._plan.agents[number], free[rows], seats)
                self._heed(number, told, jobs[rows], seats)

    def _finish(self, over: Ints) -> Iterator[Result]:
        """Put ended episodes down; the results of the matches that are over with them."""
        jobs = self._job_of[over]
        self._returns[jobs] = returns = self._tables.returns[over]
        self._tiebreaks[jobs] = tiebreaks = self._tables.tiebreaks[over]
        if not (np.isfinite(returns).all() and np.isfinite(tiebreaks).all()):
            name = self._tables.game.name
            raise RuntimeError(f"game {name}: a return or tiebreak is not a finite number")
        for number, rows, seats in self._listeners("end", jobs):
            told = self._players.end(
                self._plan.agents[number], over[rows], seats, returns[rows, seats]
            )
            self._heed(number, told, jobs[rows], seats)
        self._job_of[over] = _IDLE
        ended = np.bincount(self._plan.match[jobs], minlength=len(self._left))
        self._left -= ended
        for number in np.flatnonzero((ended > 0) & (self._left == 0)).tolist():
            yield self._result(number)

    def _listeners(self, verb: Verb, jobs: Ints) -> Iterator[tuple[int, Ints, Ints]]:
        """Each agent in ``jobs`` that listens to the verb, and where it sits: rows and seats."""
        for number, key in enumerate(self._plan.agents):
            if key not in self._forfeiting and self._players.listens(key, verb):
                here = self._plan.players[jobs] == number
                rows, seats = np.nonzero(here & (self._barred[jobs] == Status.DONE))
                if len(rows):
                    before = time.perf_counter()
                    yield number, rows, seats
                    self._timing.agents += time.perf_counter() - before

    def _heed(self, number: int, told: Hearing, jobs: Ints, seats: Ints) -> None:
        """Who fails at what it is told forfeits those episodes, also one that is over."""
        if told.doubtful:
            self._give_up(number, jobs)
        if told.status != Status.DONE:
            self._status[jobs, seats] = self._barred[jobs, seats] = told.status
        if told.status == Status.TIMEOUT:
            self._bar(jobs, seats)

    def _bar(self, jobs: Ints, seats: Ints) -> None:
        """Who timed out is not asked again in that match: who hangs costs one clock, not many."""
        plan = self._plan
        for number, entrant in np.unique(
            np.stack([plan.match[jobs], plan.entrants[jobs, seats]], axis=1), axis=0
        ).tolist():
            span = plan.spans[number]
            self._barred[span][plan.entrants[span] == entrant] = Status.TIMEOUT

    def _give_up(self, agent: int, jobs: Ints) -> None:
        """Play the matches of ``jobs`` no further: that it is late may be another agent's fault."""
        for number in np.unique(self._plan.match[jobs]).tolist():
            if self._left[number] > 0:
                self.doubts.append(Doubt(self._plan.matches[number], self._plan.agents[agent]))
                self._left[number] = -1  # it will never be 0
                self._recorder.forget(number)
                self._waiting = self._waiting[self._plan.match[self._waiting] != number]
                playing = self._job_of != _IDLE
                self._job_of[playing & (self._plan.match[self._job_of] == number)] = _IDLE

    def _step(self, turns: Turns) -> None:
        tables, seats = turns.tables, turns.seats
        jobs = self._job_of[tables]
        decided = self._decided[jobs, seats]
        turns.seeds = seeding.spread(self._plan.seat_seeds[jobs, seats], decided)
        draws = seeding.spread(self._plan.draw_seeds[jobs, seats], decided)
        self._decided[jobs, seats] += 1
        with self._timing.of_engine():
            turns.action_mask  # noqa: B018 - looked at here, once for all
        actions = nothing(turns).actions
        status = self._barred[jobs, seats]
        asked = status == Status.DONE
        if not asked.all():
            out = np.flatnonzero(~asked)
            self._record(turns.select(out), jobs[out], nothing(turns.select(out), status[out]))
        players = self._plan.players[jobs, seats]
        for number in np.flatnonzero(np.bincount(players[asked])).tolist():
            rows = np.flatnonzero((players == number) & asked)
            answers = self._ask(number, turns.select(rows), jobs[rows], draws[rows])
            actions[rows], status[rows] = answers.actions, answers.status
        self._status[jobs, seats] = status
        going = self._job_of[tables] != _IDLE
        with self._timing.of_engine():
            self._take(turns.select(going), actions[going], status[going] != Status.DONE)

    def _ask(self, number: int, turns: Turns, jobs: Ints, draws: NDArray[np.uint64]) -> Answers:
        key, before = self._plan.agents[number], time.perf_counter()
        answers = self._players.ask(key, turns)
        if answers.drawn.any():
            answers = draw(answers, seeding.uniforms(draws, 1)[:, 0])
            if self._players.listens(key, "took"):
                rows = np.flatnonzero(answers.drawn)
                told = self._players.took(key, turns.select(rows), answers.actions[rows])
                self._heed(number, told, jobs[rows], turns.seats[rows])
                answers.status[rows] = told.status
        seconds = time.perf_counter() - before
        self._timing.agents += seconds
        if answers.doubtful:
            self._give_up(number, jobs[answers.late])
        if answers.late.any():
            self._bar(jobs[answers.late], turns.seats[answers.late])
        self._record(turns, jobs, answers, seconds)
        return answers

    def _record(self, turns: Turns, jobs: Ints, answers: Answers, seconds: float = 0.0) -> None:
        self._recorder.decided(jobs, turns.seats, turns.action_mask, answers, seconds)

    def _take(self, turns: Turns, actions: NDArray[Any], forfeited: NDArray[np.bool_]) -> None:
        tables, seats = turns.tables, turns.seats
        if forfeited.any():
            self._tables.forfeit(tables[forfeited], seats[forfeited])
        taken = np.flatnonzero(~forfeited)
        if len(taken):
            self._tables.step(tables[taken], seats[taken], actions[taken])

    def _result(self, number: int) -> Result:
        match, span = self._plan.matches[number], self._plan.spans[number]
        returns, tiebreaks = self._returns[span], self._tiebreaks[span]
        shape = (match.deals, len(match.seatings), -1)
        return Result(
            match,
            returns.reshape(shape),
            tiebreaks.reshape(shape),
            self._status[span].reshape(shape),
            int(self._recorder.decisions[number]),
            float(self._recorder.seconds[number]),
            self._recorder.replay(number, returns, tiebreaks, self._status[span]),
        )
