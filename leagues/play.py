"""Play a block of matches: all their tables step together, each agent answers its whole batch.

What a match results in does not depend on what else is in the block; only an agent's ``ms`` do, and
which other episodes it forfeits when it hangs, or fails as its episodes begin or end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import orjson

from arena.agents.agent import Agent, Identity
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.game import Game, Ints, Tables, Turns
from arena.envs.registry import make_game
from arena.leagues import replay
from arena.leagues.answers import Answers, ask, nothing, spread
from arena.leagues.clock import Clock, TimeUp, Watch
from arena.leagues.match import STATUS_NAMES, Match, Result, Status, deal_seed, seat_seed

# So many tables step together: enough to drown the cost of a call, few enough for the cache and for
# matches to finish one by one (what a kill loses is what has not finished).
CAPACITY = 1024
_IDLE = -1  # the job of a table where nothing is played


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


@dataclass
class _Progress:
    """A match that is being played."""

    match: Match
    jobs: slice  # of the block's episodes, in the order of deals and seatings
    left: int
    agents: list[list[int]]  # by seating, then seat: the agent's number in the block
    timed_out: set[int] = field(default_factory=set)  # entrants that are not asked any more
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
    running = Clock(clock, watch)
    block = _Block(game, agents, matches, identities, running, forfeiting or {}, capacity)
    yield from block.run(timing or Timing())


class _Block:
    def __init__(
        self,
        game: Game,
        agents: Mapping[str, Agent],
        matches: Sequence[Match],
        identities: Mapping[str, Identity],
        clock: Clock,
        forfeiting: Mapping[str, Status],
        capacity: int,
    ) -> None:
        self.keys = sorted({key for match in matches for key in match.entrants})
        self.number = {key: index for index, key in enumerate(self.keys)}
        self.agents, self.identities = agents, identities
        self.clock = clock
        # What each agent, by its number, forfeits every turn with: DONE for who is asked.
        self.forfeits = np.array([forfeiting.get(k, Status.DONE) for k in self.keys], np.uint8)
        self.progress: list[_Progress] = []
        # What is to be played: match, deal and seating; the first match first, so that it is over
        # first. What comes of it is kept by the number of the job.
        self.plan: list[tuple[int, int, int]] = []
        for number, match in enumerate(matches):
            self.progress.append(self._start(match))
            self.plan += (
                (number, deal, seating)
                for deal in range(match.deals)
                for seating in range(len(match.seatings))
            )
        self.jobs = iter(range(len(self.plan)))
        self.returns = np.zeros((len(self.plan), game.seats))
        self.tiebreaks = np.zeros((len(self.plan), game.seats))
        self.statuses = np.zeros((len(self.plan), game.seats), np.uint8)
        self.lines = [b""] * len(self.plan)
        slots = min(capacity, len(self.plan))
        self.tables: Tables = game.tables(slots)
        self.job_of = np.full(slots, _IDLE)
        self.log: list[list[bytes]] = [[] for _ in range(slots)]
        self.match_of = np.zeros(slots, np.int64)
        self.agent_of = np.zeros((slots, game.seats), np.int64)
        self.entrant_of = np.zeros((slots, game.seats), np.int64)
        self.seed_of = np.zeros((slots, game.seats), np.uint64)
        self.decided = np.zeros((slots, game.seats), np.int64)
        self.status = np.zeros((slots, game.seats), np.uint8)
        # Not DONE: a seat that is not asked any more, and the status it forfeits with.
        self.barred = np.zeros((slots, game.seats), np.uint8)
        self.heads: dict[tuple[int, bytes], bytes] = {}

        # Derived once for a deal, which all pairs play in all seatings.
        @lru_cache(maxsize=4 * CAPACITY)
        def seeds(seed: int, deal: int) -> tuple[int, list[int]]:
            return deal_seed(seed, deal), [seat_seed(seed, deal, s) for s in range(game.seats)]

        self.seeds = seeds

    def _start(self, match: Match) -> _Progress:
        count = match.deals * len(match.seatings)
        return _Progress(
            match,
            jobs=slice(len(self.plan), len(self.plan) + count),
            left=count,
            agents=[
                [self.number[match.entrants[entrant]] for entrant in seating]
                for seating in match.seatings
            ],
        )

    def run(self, timing: Timing) -> Iterator[Result]:
        free = np.arange(self.tables.capacity)
        while True:
            self._refill(free, timing)
            before = time.perf_counter()
            turns = self.tables.turns()
            timing.engine += time.perf_counter() - before
            if len(turns):
                self._step(turns, timing)
            elif (self.job_of == _IDLE).all():
                return
            free = np.flatnonzero(self.tables.done & (self.job_of != _IDLE))
            if not len(turns) and not len(free):
                name = self.tables.game.name
                raise RuntimeError(f"game {name}: tables are not done, and wait for nobody")
            self._tell_end(free, timing)
            yield from self._finish(free)

    def _refill(self, free: Ints, timing: Timing) -> None:
        slots: list[int] = []
        jobs: list[int] = []
        begun: list[tuple[int, tuple[int, list[int]], tuple[int, ...], list[int]]] = []
        for slot, job in zip(free.tolist(), self.jobs, strict=False):
            number, deal, seating = self.plan[job]
            progress = self.progress[number]
            match = progress.match
            seeds = self.seeds(match.seed, match.first_deal + deal)
            begun.append((number, seeds, match.seatings[seating], progress.agents[seating]))
            slots.append(slot)
            jobs.append(job)
            self.log[slot] = [b'{"type":"deal","deal":%d,"seating":%d}' % (deal, seating)]
        if not slots:
            return
        fresh = np.array(slots, np.int64)
        numbers, seeds_of, entrants, agents = zip(*begun, strict=True)
        self.job_of[fresh] = jobs
        self.match_of[fresh] = numbers
        self.entrant_of[fresh] = entrants
        self.agent_of[fresh] = agents
        self.seed_of[fresh] = np.array([seats for _, seats in seeds_of], np.uint64)
        self.decided[fresh] = 0
        self.status[fresh] = Status.DONE
        self.barred[fresh] = self.forfeits[self.agent_of[fresh]]
        for slot, number in zip(slots, numbers, strict=True):
            for entrant in self.progress[number].timed_out:
                self.barred[slot, self.entrant_of[slot] == entrant] = Status.TIMEOUT
        before = time.perf_counter()
        self.tables.begin(fresh, np.array([deal for deal, _ in seeds_of], np.uint64))
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
        """Send the message to each agent that sits at one of ``slots`` and listens to the verb.

        Who fails at it forfeits those episodes, also one that is over and only had to be told.
        """
        before = time.perf_counter()
        for key in self.keys:
            agent = self.agents[key]
            if getattr(type(agent), verb) is getattr(Agent, verb):
                continue
            told = (self.agent_of[slots] == self.number[key]) & (self.barred[slots] == Status.DONE)
            rows, seats = np.nonzero(told)
            if len(rows) == 0:
                continue
            try:
                with self.clock.running(key):
                    message(agent, slots[rows], seats)
            except TimeUp:
                self.status[slots[rows], seats] = Status.TIMEOUT
                for slot, seat in zip(slots[rows].tolist(), seats.tolist(), strict=True):
                    self._bar(slot, seat)
            except KeyboardInterrupt:
                raise
            except BaseException:
                self.status[slots[rows], seats] = Status.CRASH
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

    def _answers(self, key: str, turns: Turns) -> Answers:
        status = self.barred[turns.tables, turns.seats]
        asked = np.flatnonzero(status == Status.DONE)
        everyone = len(asked) == len(turns)
        chosen = turns if everyone else turns.select(asked)
        answers = ask(self.agents[key], key, chosen, self.clock) if len(asked) else nothing(chosen)
        for row in np.flatnonzero(answers.late).tolist():
            self._bar(int(chosen.tables[row]), int(chosen.seats[row]))
        return answers if everyone else spread(answers, asked, status)

    def _bar(self, slot: int, seat: int) -> None:
        """Who timed out is not asked again in that match: who hangs costs one clock, not many."""
        number, entrant = self.match_of[slot], self.entrant_of[slot, seat]
        self.progress[number].timed_out.add(int(entrant))
        same = (self.match_of == number)[:, None] & (self.entrant_of == entrant)
        self.barred[same] = Status.TIMEOUT

    def _record(self, turns: Turns, answers: Answers, seconds: float) -> None:
        """Write a line for each decision, put together from parts that recur in a batch."""
        heads = self._heads(turns)
        tail = b',"ms":%.3f}' % (1000 * seconds)
        probabilities = None
        if answers.probabilities is not None:
            probabilities = np.round(answers.probabilities.astype(np.float64), 4).tolist()
        for row, (slot, action, status) in enumerate(
            zip(
                turns.tables.tolist(),
                answers.actions.tolist(),
                answers.status.tolist(),
                strict=True,
            )
        ):
            parts = [heads[row]]
            if status:
                parts.append(b'null,"status":"%s"' % STATUS_NAMES[status].encode())
            else:
                parts.append(orjson.dumps(action, option=orjson.OPT_SERIALIZE_NUMPY))
            if probabilities is not None:
                parts += (b',"probabilities":', orjson.dumps(probabilities[row]))
            if answers.notes is not None and answers.notes[row] is not None:
                notes = orjson.dumps(answers.notes[row], option=orjson.OPT_SERIALIZE_NUMPY)
                parts += (b',"notes":', notes)
            parts.append(tail)
            self.log[slot].append(b"".join(parts))
        # An agent's time is shared out evenly over its batch.
        matches, counts = np.unique(self.match_of[turns.tables], return_counts=True)
        for number, count in zip(matches.tolist(), counts.tolist(), strict=True):
            self.progress[number].seconds += seconds * count

    def _heads(self, turns: Turns) -> list[bytes]:
        """The beginnings of the turns' lines: seat and legal actions, of which few differ."""
        mask = turns.action_mask
        width = 0 if mask is None else mask.shape[1]
        flat = b"" if mask is None else np.ascontiguousarray(mask).tobytes()
        heads: list[bytes] = []
        for row, seat in enumerate(turns.seats.tolist()):
            key = (seat, flat[row * width : (row + 1) * width])
            head = self.heads.get(key)
            if head is None:
                legal = None if mask is None else np.flatnonzero(mask[row]).tolist()
                line = orjson.dumps({"type": "decision", "seat": seat, "legal": legal})
                head = self.heads[key] = line[:-1] + b',"action":'
            heads.append(head)
        return heads

    def _finish(self, slots: Ints) -> list[Result]:
        """Put ended episodes down; the results of the matches that are over with them."""
        jobs = self.job_of[slots]
        self.job_of[slots] = _IDLE
        self.returns[jobs] = returns = self.tables.returns[slots]
        self.tiebreaks[jobs] = tiebreaks = self.tables.tiebreaks[slots]
        self.statuses[jobs] = statuses = self.status[slots]
        if not (np.isfinite(returns).all() and np.isfinite(tiebreaks).all()):
            name = self.tables.game.name
            raise RuntimeError(f"game {name}: a return or tiebreak is not a finite number")
        over: list[Result] = []
        for slot, job, earned, broken, status in zip(
            slots.tolist(),
            jobs.tolist(),
            returns.tolist(),
            tiebreaks.tolist(),
            statuses.tolist(),
            strict=True,
        ):
            footer = {
                "type": "end",
                "returns": earned,
                "tiebreaks": broken,
                "statuses": [STATUS_NAMES[value] for value in status],
            }
            log = self.log[slot]
            log.append(orjson.dumps(footer))
            self.lines[job] = b"\n".join(log)
            progress = self.progress[self.plan[job][0]]
            progress.decisions += len(log) - 2
            progress.left -= 1
            if progress.left == 0:
                over.append(self._result(progress))
        return over

    def _result(self, progress: _Progress) -> Result:
        match, jobs = progress.match, progress.jobs
        header = replay.header(match, self.identities)
        lines = self.lines[jobs]
        self.lines[jobs] = [b""] * len(lines)
        footer = {"type": "result", "tables": len(lines), "decisions": progress.decisions}
        shape = (match.deals, len(match.seatings), -1)
        return Result(
            match,
            self.returns[jobs].reshape(shape),
            self.tiebreaks[jobs].reshape(shape),
            self.statuses[jobs].reshape(shape),
            progress.decisions,
            progress.seconds,
            replay.compress([orjson.dumps(header), *lines, orjson.dumps(footer)]),
        )
