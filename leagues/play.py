"""Play a block of matches: all their tables step together, each agent answers its whole batch.

What a match results in does not depend on what else is in the block (only an agent's ``ms`` do).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.agent import Agent, Identity
from agents.registry import make_agent
from envs import seeding
from envs.game import Game, Ints, Tables, Turns
from envs.registry import make_game
from leagues import replay
from leagues.answers import Answers, ask, nothing, spread
from leagues.clock import Clock, TimeUp, Watch
from leagues.match import STATUS_NAMES, Match, Result, Status, deal_seed, seat_seed

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


@dataclass
class _Progress:
    """A match that is being played."""

    match: Match
    left: int
    returns: NDArray[np.float64]
    tiebreaks: NDArray[np.float64]
    statuses: NDArray[np.uint8]
    lines: list[bytes]  # of each episode, in the order of deals and seatings
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
        self.heads: dict[tuple[int, bytes], bytes] = {}

        # Derived once for a deal, which all pairs play in all seatings.
        @lru_cache(maxsize=4 * CAPACITY)
        def seeds(seed: int, deal: int) -> tuple[int, list[int]]:
            return deal_seed(seed, deal), [seat_seed(seed, deal, s) for s in range(game.seats)]

        self.seeds = seeds

    def _start(self, match: Match, seats: int) -> _Progress:
        shape = (match.deals, len(match.seatings), seats)
        return _Progress(
            match,
            left=match.deals * len(match.seatings),
            returns=np.zeros(shape),
            tiebreaks=np.zeros(shape),
            statuses=np.zeros(shape, np.uint8),
            lines=[b""] * (match.deals * len(match.seatings)),
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
            elif all(job is None for job in self.job):
                return
            free = np.array(
                [slot for slot in np.flatnonzero(self.tables.done).tolist() if self.job[slot]],
                np.int64,
            )
            self._tell_end(free, timing)
            yield from self._finish(free)

    def _refill(self, free: Ints, timing: Timing) -> None:
        slots: list[int] = []
        begun: list[tuple[int, tuple[int, list[int]], tuple[int, ...], list[int]]] = []
        for slot, job in zip(free.tolist(), self.jobs, strict=False):
            number, deal, seating = job
            progress = self.progress[number]
            match = progress.match
            seeds = self.seeds(match.seed, match.first_deal + deal)
            begun.append((number, seeds, match.seatings[seating], progress.agents[seating]))
            slots.append(slot)
            self.job[slot] = job
            self.log[slot] = [b'{"type":"deal","deal":%d,"seating":%d}' % (deal, seating)]
        if not slots:
            return
        fresh = np.array(slots, np.int64)
        numbers, seeds_of, entrants, agents = zip(*begun, strict=True)
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
        """Send the message to each agent that sits at one of ``slots`` and listens to the verb."""
        before = time.perf_counter()
        for key in self.keys:
            agent = self.agents[key]
            forfeits = self.forfeits[self.number[key]] != Status.DONE
            if forfeits or getattr(type(agent), verb) is getattr(Agent, verb):
                continue
            rows, seats = np.nonzero(self.agent_of[slots] == self.number[key])
            if len(rows) == 0:
                continue
            try:
                with self.clock.running(key):
                    message(agent, slots[rows], seats)
            except TimeUp:
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
                parts.append(orjson.dumps(action))
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
        returns, tiebreaks = self.tables.returns[slots], self.tables.tiebreaks[slots]
        statuses = self.status[slots]
        over: list[Result] = []
        for row, (slot, earned, broken, status) in enumerate(
            zip(
                slots.tolist(),
                returns.tolist(),
                tiebreaks.tolist(),
                statuses.tolist(),
                strict=True,
            )
        ):
            job = self.job[slot]
            assert job is not None
            number, deal, seating = job
            progress = self.progress[number]
            progress.returns[deal, seating] = returns[row]
            progress.tiebreaks[deal, seating] = tiebreaks[row]
            progress.statuses[deal, seating] = statuses[row]
            footer = {
                "type": "end",
                "returns": earned,
                "tiebreaks": broken,
                "statuses": [STATUS_NAMES[value] for value in status],
            }
            log = self.log[slot]
            log.append(orjson.dumps(footer))
            progress.decisions += len(log) - 2
            progress.lines[deal * len(progress.match.seatings) + seating] = b"\n".join(log)
            progress.left -= 1
            self.job[slot] = None
            if progress.left == 0:
                over.append(self._result(progress))
        return over

    def _result(self, progress: _Progress) -> Result:
        header = replay.header(progress.match, self.identities)
        footer = {
            "type": "result",
            "tables": len(progress.lines),
            "decisions": progress.decisions,
        }
        lines = [orjson.dumps(header), *progress.lines, orjson.dumps(footer)]
        result = Result(
            progress.match,
            progress.returns,
            progress.tiebreaks,
            progress.statuses,
            progress.decisions,
            progress.seconds,
            replay.compress(lines),
        )
        progress.lines.clear()
        return result
