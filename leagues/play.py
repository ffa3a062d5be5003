"""Play a block of matches: all their tables step together, each agent answers its whole batch.

What a match results in does not depend on what else is in the block (only an agent's ``ms`` do).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.agent import Agent, Decisions, Identity
from agents.registry import make_agent
from envs import seeding
from envs.game import Game, Ints, Tables, Turns
from envs.registry import make_game
from leagues import replay
from leagues.match import Match, Result, Status

# So many tables step together: enough to drown the cost of a call, few enough for the cache and for
# matches to finish one by one (what a kill loses is what has not finished).
CAPACITY = 1024


@dataclass(frozen=True)
class Roster:
    """Who plays what: all that a process needs to know to play matches of one league.

    Attributes:
        game: canonical game spec.
        agents: identities by their key.
        clock: seconds that one call of an agent may take, whatever its batch; None: no limit. An
            agent that overruns forfeits every turn it was asked, and is not asked again in those
            matches.
    """

    game: str
    agents: Mapping[str, Identity]
    clock: float | None = None

    def build(self) -> tuple[Game, dict[str, Agent]]:
        """The game and the agents, made now; InputError where one of them cannot be."""
        game = make_game(self.game)
        return game, {key: make_agent(who.spec, game) for key, who in self.agents.items()}


@dataclass
class Timing:
    """Where a block's wall time went, in seconds; what is in neither is the league's overhead."""

    agents: float = 0.0
    engine: float = 0.0
    total: float = 0.0


class Watch(Protocol):
    """Told whom the block is waiting for, so that another process can tell who hangs it."""

    def __call__(self, agent: str | None) -> None:
        """An agent's key when it is asked, None when it has answered."""


class _TimeUp(BaseException):
    """Raised into an agent's code by the clock; no ``except Exception`` there can swallow it."""


@contextmanager
def _limit(seconds: float | None) -> Iterator[None]:
    """Interrupt the body after ``seconds``. Only the main thread can be interrupted."""
    if seconds is None:
        yield
        return

    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class _Answers:
    """A batch's answers, checked: ``status[i]`` is DONE where ``actions[i]`` may be taken."""

    actions: NDArray[Any]
    status: NDArray[np.uint8]
    probabilities: NDArray[Any] | None = None
    notes: Sequence[Mapping[str, Any] | None] | None = None


def _ask(agent: Agent, turns: Turns, clock: float | None) -> _Answers:
    """Ask an agent, and turn whatever happens into answers."""
    n = len(turns)
    space = turns.source.game.action_space
    empty = np.zeros((n, *(space.shape or ())), space.dtype)
    try:
        with _limit(clock):
            decisions = agent.act(turns)
            actions = np.asarray(decisions.actions)
            if len(actions) != n:
                raise ValueError(f"{len(actions)} actions for {n} turns")
    except _TimeUp:
        return _Answers(empty, np.full(n, Status.TIMEOUT, np.uint8))
    except Exception as error:
        if n == 1:
            note = {"error": f"{type(error).__name__}: {error}"}
            return _Answers(empty, np.full(1, Status.CRASH, np.uint8), notes=[note])
        # One table's trouble must not cost the others: ask again, one by one.
        return _join([_ask(agent, turns.select(np.array([i])), clock) for i in range(n)])
    return _check(turns, decisions, actions, empty)


def _check(
    turns: Turns, decisions: Decisions, actions: NDArray[Any], empty: NDArray[Any]
) -> _Answers:
    status = np.zeros(len(turns), np.uint8)
    for row, failure in decisions.failures.items():
        status[row] = Status[failure.upper()]
    asked = np.flatnonzero(status == Status.DONE)
    legal = turns.source.legal(turns.tables[asked], turns.seats[asked], actions[asked])
    status[asked[~legal]] = Status.ILLEGAL
    good = status == Status.DONE
    if good.any():
        empty[good] = actions[good]
    return _Answers(empty, status, decisions.probabilities, decisions.notes)


def _join(parts: list[_Answers]) -> _Answers:
    def rows(values: Any) -> Any:
        return [None] if values is None else values

    some = [part.probabilities for part in parts if part.probabilities is not None]
    blank = None if not some else [[0.0] * len(some[0][0])]
    return _Answers(
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.status for part in parts]),
        None
        if blank is None
        else np.concatenate([blank if p.probabilities is None else p.probabilities for p in parts]),
        [note for part in parts for note in rows(part.notes)],
    )


@dataclass
class _Progress:
    """A match that is being played."""

    match: Match
    left: int
    returns: NDArray[np.float64]
    tiebreaks: NDArray[np.float64]
    statuses: NDArray[np.uint8]
    lines: list[list[bytes]]
    barred: dict[int, Status] = field(default_factory=dict)
    decisions: int = 0
    seconds: float = 0.0


def play(
    game: Game,
    agents: Mapping[str, Agent],
    matches: Sequence[Match],
    identities: Mapping[str, Identity],
    *,
    clock: float | None = None,
    forfeiting: Mapping[str, Status] | None = None,
    capacity: int = CAPACITY,
    timing: Timing | None = None,
    watch: Watch | None = None,
) -> Iterator[Result]:
    """Play ``matches`` of ``game`` together; yields each result as soon as its match is over.

    ``agents`` and ``identities`` are by key. Agents in ``forfeiting`` are not asked: they forfeit
    every turn with that status (an executor uses it for one that killed its process).

    Raises RuntimeError for a clock outside the main thread, where nothing can be interrupted.
    """
    if clock is not None and threading.current_thread() is not threading.main_thread():
        raise RuntimeError("a clock needs the main thread; play without one, or in a process")
    block = _Block(game, agents, matches, identities, clock, forfeiting or {}, capacity, watch)
    yield from block.run(timing or Timing())


class _Block:
    def __init__(
        self,
        game: Game,
        agents: Mapping[str, Agent],
        matches: Sequence[Match],
        identities: Mapping[str, Identity],
        clock: float | None,
        forfeiting: Mapping[str, Status],
        capacity: int,
        watch: Watch | None,
    ) -> None:
        self.keys = sorted({key for match in matches for key in match.entrants})
        self.number = {key: index for index, key in enumerate(self.keys)}
        self.agents, self.identities = agents, identities
        self.clock, self.forfeiting, self.watch = clock, forfeiting, watch
        self.progress = [self._start(match, game.seats) for match in matches]
        # The tables still to be played, first match first, so that it is over first.
        self.jobs = (
            (number, deal, seating)
            for number, match in enumerate(matches)
            for deal in range(match.deals)
            for seating in range(len(match.seatings))
        )
        total = sum(progress.left for progress in self.progress)
        slots = min(capacity, total)
        self.tables: Tables = game.tables(slots)
        self.job: list[tuple[int, int, int] | None] = [None] * slots
        self.log: list[list[bytes]] = [[] for _ in range(slots)]
        self.match_of = np.zeros(slots, np.int64)
        self.agent_of = np.zeros((slots, game.seats), np.int64)
        self.entrant_of = np.zeros((slots, game.seats), np.int64)
        self.seed_of = np.zeros((slots, game.seats), np.uint64)
        self.decided = np.zeros((slots, game.seats), np.int64)
        self.status = np.zeros((slots, game.seats), np.uint8)
        # Not DONE: a seat that is not asked any more, and the status it forfeits with.
        self.barred = np.zeros((slots, game.seats), np.uint8)
        self.legal_lists: dict[bytes, list[int]] = {}
        # The seats of a deal draw from the same seeds in each of its seatings.
        self.seeds = lru_cache(maxsize=4 * slots)(
            lambda number, deal: (
                matches[number].deal_seed(deal),
                [matches[number].seat_seed(deal, seat) for seat in range(game.seats)],
            )
        )

    @staticmethod
    def _start(match: Match, seats: int) -> _Progress:
        shape = (match.deals, len(match.seatings), seats)
        return _Progress(
            match,
            match.deals * len(match.seatings),
            np.zeros(shape),
            np.zeros(shape),
            np.zeros(shape, np.uint8),
            [[] for _ in range(match.deals * len(match.seatings))],
        )

    def run(self, timing: Timing) -> Iterator[Result]:
        begun = time.perf_counter()
        free = np.arange(self.tables.capacity)
        while True:
            self._refill(free, timing)
            before = time.perf_counter()
            turns = self.tables.turns()
            timing.engine += time.perf_counter() - before
            if len(turns):
                self._step(turns, timing)
            elif all(job is None for job in self.job):
                break
            free = np.array(
                [slot for slot in np.flatnonzero(self.tables.done).tolist() if self.job[slot]],
                np.int64,
            )
            self._tell_end(free, timing)
            over = [result for slot in free.tolist() if (result := self._finish(slot))]
            timing.total += time.perf_counter() - begun
            yield from over
            begun = time.perf_counter()
        timing.total += time.perf_counter() - begun

    def _refill(self, free: Ints, timing: Timing) -> None:
        slots: list[int] = []
        deals: list[int] = []
        for slot, job in zip(free.tolist(), self.jobs, strict=False):
            number, deal, seating = job
            match = self.progress[number].match
            deal_seed, seat_seeds = self.seeds(number, deal)
            self.job[slot] = job
            self.match_of[slot] = number
            self.seed_of[slot] = seat_seeds
            for seat, entrant in enumerate(match.seatings[seating]):
                self.entrant_of[slot, seat] = entrant
                self.agent_of[slot, seat] = self.number[match.entrants[entrant]]
                self.barred[slot, seat] = self.progress[number].barred.get(
                    entrant, self.forfeiting.get(match.entrants[entrant], Status.DONE)
                )
            self.log[slot] = [orjson.dumps({"type": "deal", "deal": deal, "seating": seating})]
            slots.append(slot)
            deals.append(deal_seed)
        if not slots:
            return
        fresh = np.array(slots, np.int64)
        self.decided[fresh] = 0
        self.status[fresh] = Status.DONE
        before = time.perf_counter()
        self.tables.begin(fresh, np.array(deals, np.uint64))
        timing.engine += time.perf_counter() - before
        self._tell_begin(fresh, timing)

    def _tell_begin(self, slots: Ints, timing: Timing) -> None:
        def begin(agent: Agent, tables: Ints, seats: Ints) -> None:
            agent.begin(tables, seats)

        self._tell(slots, begin, "begin", timing)

    def _tell_end(self, slots: Ints, timing: Timing) -> None:
        def end(agent: Agent, tables: Ints, seats: Ints) -> None:
            agent.end(tables, seats, self.tables.returns[tables, seats])

        self._tell(slots, end, "end", timing)

    def _tell(
        self, slots: Ints, message: Callable[[Agent, Ints, Ints], None], verb: str, timing: Timing
    ) -> None:
        """Send the message to each agent that sits at one of ``slots`` and listens to the verb."""
        before = time.perf_counter()
        for key in self.keys:
            agent = self.agents[key]
            if key in self.forfeiting or getattr(type(agent), verb) is getattr(Agent, verb):
                continue
            rows, seats = np.nonzero(self.agent_of[slots] == self.number[key])
            if len(rows) == 0:
                continue
            try:
                with _limit(self.clock):
                    message(agent, slots[rows], seats)
            except _TimeUp:
                self.barred[slots[rows], seats] = Status.TIMEOUT
            except Exception:
                self.barred[slots[rows], seats] = Status.CRASH
        timing.agents += time.perf_counter() - before

    def _step(self, turns: Turns, timing: Timing) -> None:
        tables, seats = turns.tables, turns.seats
        turns.seeds = seeding.spread(self.seed_of[tables, seats], self.decided[tables, seats])
        self.decided[tables, seats] += 1
        owners = self.agent_of[tables, seats]
        space = self.tables.game.action_space
        actions = np.zeros((len(turns), *(space.shape or ())), space.dtype)
        status = np.zeros(len(turns), np.uint8)
        for index in np.unique(owners).tolist():
            rows = np.flatnonzero(owners == index)
            batch = turns.select(rows)
            before = time.perf_counter()
            answers = self._answers(self.keys[index], batch)
            seconds = time.perf_counter() - before
            timing.agents += seconds
            actions[rows], status[rows] = answers.actions, answers.status
            self._record(batch, answers, seconds / len(rows))
        forfeited = status != Status.DONE
        before = time.perf_counter()
        if forfeited.any():
            self.status[tables[forfeited], seats[forfeited]] = status[forfeited]
            self.tables.forfeit(tables[forfeited], seats[forfeited])
        taken = np.flatnonzero(~forfeited)
        if len(taken):
            self.tables.step(tables[taken], seats[taken], actions[taken])
        timing.engine += time.perf_counter() - before

    def _answers(self, key: str, turns: Turns) -> _Answers:
        status = self.barred[turns.tables, turns.seats]
        asked = np.flatnonzero(status == Status.DONE)
        if len(asked) == 0:
            space = self.tables.game.action_space
            return _Answers(np.zeros((len(turns), *(space.shape or ())), space.dtype), status)
        everyone = len(asked) == len(turns)
        if self.watch is not None:
            self.watch(key)
        answers = _ask(self.agents[key], turns if everyone else turns.select(asked), self.clock)
        if self.watch is not None:
            self.watch(None)
        for row in asked[answers.status == Status.TIMEOUT].tolist():
            self._bar(int(turns.tables[row]), int(turns.seats[row]))
        return answers if everyone else _spread(answers, asked, status)

    def _bar(self, slot: int, seat: int) -> None:
        """Who timed out is not asked again in that match: who hangs costs one clock, not many."""
        number, entrant = self.match_of[slot], self.entrant_of[slot, seat]
        self.progress[number].barred[int(entrant)] = Status.TIMEOUT
        same = (self.match_of == number)[:, None] & (self.entrant_of == entrant)
        self.barred[same] = Status.TIMEOUT

    def _record(self, turns: Turns, answers: _Answers, seconds: float) -> None:
        milliseconds = round(1000 * seconds, 3)
        legal = self._legal(turns)
        probabilities = None
        if answers.probabilities is not None:
            probabilities = np.round(answers.probabilities.astype(np.float64), 4).tolist()
        for row, (slot, seat, action, status) in enumerate(
            zip(
                turns.tables.tolist(),
                turns.seats.tolist(),
                answers.actions.tolist(),
                answers.status.tolist(),
                strict=True,
            )
        ):
            line: dict[str, Any] = {
                "type": "decision",
                "seat": seat,
                "legal": legal[row],
                "action": action,
                "ms": milliseconds,
            }
            if status:
                line["action"] = None
                line["status"] = Status(status).name.lower()
            if probabilities is not None:
                line["probabilities"] = probabilities[row]
            if answers.notes is not None and answers.notes[row] is not None:
                line["notes"] = answers.notes[row]
            self.log[slot].append(orjson.dumps(line, option=orjson.OPT_SERIALIZE_NUMPY))
            progress = self.progress[self.match_of[slot]]
            progress.decisions += 1
            progress.seconds += seconds

    def _legal(self, turns: Turns) -> list[list[int] | None]:
        mask = turns.action_mask
        if mask is None:
            return [None] * len(turns)
        # Few masks occur, many times: their lists of indices are shared.
        flat, width = np.ascontiguousarray(mask).tobytes(), mask.shape[1]
        lists = self.legal_lists
        out: list[list[int] | None] = []
        for row in range(len(turns)):
            key = flat[row * width : (row + 1) * width]
            if key not in lists:
                lists[key] = np.flatnonzero(mask[row]).tolist()
            out.append(lists[key])
        return out

    def _finish(self, slot: int) -> Result | None:
        job = self.job[slot]
        assert job is not None
        number, deal, seating = job
        progress = self.progress[number]
        returns, tiebreaks = self.tables.returns[slot], self.tables.tiebreaks[slot]
        progress.returns[deal, seating] = returns
        progress.tiebreaks[deal, seating] = tiebreaks
        progress.statuses[deal, seating] = self.status[slot]
        footer = {
            "type": "end",
            "returns": returns.tolist(),
            "tiebreaks": tiebreaks.tolist(),
            "statuses": replay.status_names(self.status[slot].tolist()),
        }
        self.log[slot].append(orjson.dumps(footer))
        progress.lines[deal * len(progress.match.seatings) + seating] = self.log[slot]
        self.job[slot] = None
        progress.left -= 1
        return self._result(progress) if progress.left == 0 else None

    def _result(self, progress: _Progress) -> Result:
        header = replay.header(progress.match, self.identities)
        footer = {
            "type": "result",
            "tables": len(progress.lines),
            "decisions": progress.decisions,
        }
        lines = [orjson.dumps(header), *(line for log in progress.lines for line in log)]
        result = Result(
            progress.match,
            progress.returns,
            progress.tiebreaks,
            progress.statuses,
            progress.decisions,
            progress.seconds,
            replay.compress([*lines, orjson.dumps(footer)]),
        )
        progress.lines.clear()
        return result


def _spread(answers: _Answers, asked: Ints, status: NDArray[np.uint8]) -> _Answers:
    """Answers to the turns ``asked`` of a larger batch, the others forfeited with ``status``."""
    n = len(status)
    actions = np.zeros((n, *answers.actions.shape[1:]), answers.actions.dtype)
    actions[asked], status[asked] = answers.actions, answers.status
    probabilities = None
    if answers.probabilities is not None:
        probabilities = np.zeros((n, answers.probabilities.shape[1]))
        probabilities[asked] = answers.probabilities
    notes: list[Mapping[str, Any] | None] | None = None
    if answers.notes is not None:
        notes = [None] * n
        for row, note in zip(asked.tolist(), answers.notes, strict=True):
            notes[row] = note
    return _Answers(actions, status, probabilities, notes)
