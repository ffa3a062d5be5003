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
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.decoding.reading import extract
from arena.agents.llm.learning.scribe import Scribe
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out, rollout
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Tables, Turns


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
    """A table at a decision.

    Attributes:
        here: one table, a copy that nothing else steps.
        seat: whose decision it is.
        agents: by seat, who plays on.
        seeds: uint64 ``(rollouts,)``, one for each continuation that an action is judged by.
    """

    here: Tables
    seat: int
    agents: Sequence[Agent]
    seeds: NDArray[np.uint64]
    _known: dict[str, float] = field(default_factory=dict)

    def worth(self, action: Any) -> float:
        """The mean return of the seat after ``action``, the same whenever it is asked."""
        key = repr(action)
        if key not in self._known:
            self._known[key] = self._play(action)
        return self._known[key]

    def _play(self, action: Any) -> float:
        n = len(self.seeds)
        every, seats = np.arange(n), np.full(n, self.seat)
        turns = Turns(self.here, np.zeros(1, np.int64), seats[:1])
        if "redeal" in self.here.game.offers:
            tables = turns.imagine(np.zeros(n, np.int64), self.seeds)
        else:
            tables = self.here.game.tables(n)
            self.here.copy(np.zeros(n, np.int64), tables)
        tables.step(every, seats, np.repeat(np.asarray(action)[None], n, 0))
        return float(play_out(tables, self.agents, self.seeds, begin=False)[:, self.seat].mean())


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

    Raises InputError for a game in which several seats decide at once, or that cannot be copied.
    """
    if "copy" not in game.offers:
        raise InputError(f"{game.name} cannot be copied; a reward needs continuations from a state")
    agents = [make_agent(spec, game)] * game.seats
    number = 0
    while count:
        begun = seeding.derive(seed, "episode", number)
        number += 1
        scribe.begin(0)
        wanted = seeding.derive(begun, "decision") % (latest + 1)
        tables = game.tables(1)
        episode = rollout(tables, agents, np.array([begun], np.uint64))
        for decision, (turns, answers) in enumerate(episode):
            if len(turns) > 1:
                raise InputError(f"{game.name} asks several seats at once; a reward needs one")
            if decision == wanted:
                here = _situation(tables, int(turns.seats[0]), agents, begun, rollouts)
                yield _problem(here, scribe, illegal)
                count -= 1
                break
            scribe.write(turns, 0, answers.actions[0])


def _situation(
    tables: Tables, seat: int, agents: Sequence[Agent], begun: int, rollouts: int
) -> Situation:
    """The decision that the only table waits for."""
    here = tables.game.tables(1)
    tables.copy(np.zeros(1, np.int64), here)
    seeds = [seeding.derive(begun, "rollout", i) for i in range(rollouts)]
    return Situation(here, seat, agents, np.array(seeds, np.uint64))


def _problem(here: Situation, scribe: Scribe, illegal: float) -> Problem:
    turns = Turns(here.here, np.zeros(1, np.int64), np.array([here.seat]))

    def parse(answer: str) -> Any:
        return turns.parse(0, answer)

    return Problem(Question(scribe.prompt(turns, 0), turns.words[0], parse), here.worth, illegal)
