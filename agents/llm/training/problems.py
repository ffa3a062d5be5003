"""What an answer is worth: questions with rewards, for learning from the environment.

A *situation* of a game is a table at a decision. What an action there is worth is the mean return
of several continuations in which a scripted agent decides everything that comes after; the same
seeds serve every action (common random numbers), and where a game can deal again what the seat
cannot know (Hold'em's hidden cards), each continuation has its own deal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from arena.agents.agent import Agent
from arena.agents.llm.question import Question
from arena.agents.llm.reading import extract
from arena.agents.llm.suites.pokerbench import Row, ask
from arena.agents.llm.suites.pokerbench_scores import judge
from arena.agents.llm.templates import Template
from arena.agents.llm.training.scribe import Scribe
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Tables, Turns

_TABLE = np.zeros(1, np.int64)


@dataclass(frozen=True)
class Problem:
    """A question, and what its answers earn.

    Attributes:
        question: what is asked; its ``parse`` says what a legal answer means.
        worth: the reward of what ``parse`` made of an answer.
        illegal: the reward of an answer that names nothing legal.
    """

    question: Question
    worth: Callable[[Any], float]
    illegal: float

    def reward(self, text: str) -> float:
        """The reward of all that a model wrote, read as the player ``lm`` reads it."""
        try:
            value = self.question.parse(extract(self.question, text))
        except InputError:
            return self.illegal
        return self.worth(value)


@dataclass
class Situation:
    """A table at a decision, remembered as the way to it.

    Attributes:
        game: any game in which one seat decides at a time.
        seed: that the table began with; path: (seat, action) of every decision so far.
        seat: whose decision it is.
        agents: by seat, who plays on.
        rollouts: how many continuations an action is judged by.
    """

    game: Game
    seed: int
    path: tuple[tuple[int, Any], ...]
    seat: int
    agents: Sequence[Agent]
    rollouts: int
    _known: dict[str, float] = field(default_factory=dict)

    def worth(self, action: Any) -> float:
        """The mean return of the seat after ``action``, the same whenever it is asked."""
        key = repr(action)
        if key not in self._known:
            self._known[key] = self._play(action)
        return self._known[key]

    def tables(self, count: int = 1) -> Tables:
        """``count`` tables at the decision."""
        tables = self.game.tables(count)
        every = np.arange(count)
        tables.begin(every, np.full(count, self.seed, np.uint64))
        for seat, action in self.path:
            _step(tables, every, seat, action)
        return tables

    def _play(self, action: Any) -> float:
        n = self.rollouts
        tables = self.tables(n)
        every = np.arange(n)
        seeds = np.array(
            [seeding.derive(self.seed, len(self.path), "rollout", i) for i in range(n)], np.uint64
        )
        redeal = getattr(tables, "redeal", None)
        if redeal is not None:
            for table in range(n):
                redeal(table, self.seat, int(seeds[table]))
        _step(tables, every, self.seat, action)
        spots = np.repeat(every, self.game.seats), np.tile(np.arange(self.game.seats), n)
        for agent in dict.fromkeys(self.agents):
            agent.begin(*spots)
        steps = 0
        while len(waiting := tables.to_act()[0]):
            slots, seats = tables.to_act()
            own = seeding.spread(seeding.spread(seeds[slots], seats), np.full(len(waiting), steps))
            for seat in np.unique(seats).tolist():
                rows = np.flatnonzero(seats == seat)
                turns = Turns(tables, slots[rows], seats[rows], own[rows])
                decisions = self.agents[seat].act(turns)
                tables.step(turns.tables, turns.seats, decisions.actions)
            steps += 1
        return float(tables.returns[:, self.seat].mean())


def exact_matches(rows: Sequence[Row], template: Template) -> list[Problem]:
    """PokerBench's rows as problems: 1 for the solver's own move, else 0."""
    return [
        Problem(ask(row, template), lambda move, row=row: judge(row, move).exact, 0.0)  # type: ignore[misc]
        for row in rows
    ]


def situations(
    game: Game,
    spec: str,
    scribe: Scribe,
    *,
    count: int,
    rollouts: int,
    illegal: float,
    seed: int,
    latest: int = 0,
) -> Iterator[Problem]:
    """``count`` problems from episodes that the agent ``spec`` plays with itself, one of each.

    Args:
        game: any game in which one seat decides at a time.
        spec: of the agent that leads to the situations and plays on from them.
        scribe: renders the question.
        count, rollouts: of problems, and of continuations for each action.
        illegal: what an answer that names nothing legal earns, in the game's own unit.
        seed: of the episodes.
        latest: which decision of an episode is asked about is drawn from the first, 0, to this
            one; an episode that ends before gives no problem.

    Raises InputError for a game in which several seats decide at once.
    """
    agents = [make_agent(spec, game)] * game.seats
    number = 0
    while count:
        begun = seeding.derive(seed, "episode", number)
        number += 1
        tables = game.tables(1)
        tables.begin(_TABLE, np.array([begun], np.uint64))
        path: list[tuple[int, Any]] = []
        scribe.begin(0)
        agents[0].begin(np.zeros(game.seats, np.int64), np.arange(game.seats))
        wanted = seeding.derive(begun, "decision") % (latest + 1)
        while not tables.done[0]:
            slots, seats = tables.to_act()
            if len(slots) > 1:
                raise InputError(f"{game.name} asks several seats at once; a reward needs one")
            seat = int(seats[0])
            if len(path) == wanted:
                here = Situation(game, begun, tuple(path), seat, agents, rollouts)
                yield _problem(here, tables, scribe, illegal)
                count -= 1
                break
            own = np.array([seeding.derive(begun, "step", len(path))], np.uint64)
            action = agents[seat].act(Turns(tables, slots, seats, own)).actions[0]
            scribe.write(tables, 0, seat, action)
            path.append((seat, action))
            _step(tables, _TABLE, seat, action)


def _problem(here: Situation, tables: Tables, scribe: Scribe, illegal: float) -> Problem:
    at = here.tables()  # of its own: the one that led here belongs to a loop

    def parse(answer: str) -> Any:
        return at.parse(0, here.seat, answer)

    question = Question(scribe.prompt(tables, 0, here.seat), tables.words(0, here.seat), parse)
    return Problem(question, here.worth, illegal)


def _step(tables: Tables, every: Any, seat: int, action: Any) -> None:
    tables.step(
        every, np.full(len(every), seat), np.repeat(np.asarray(action)[None], len(every), 0)
    )
