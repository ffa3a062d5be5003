"""Examples from a scripted teacher: any agent plays any game, and what it does is written down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arena.agents.answers import Status
from arena.agents.llm.learning.examples import Example
from arena.agents.llm.learning.scribe import Scribe
from arena.agents.registry import identify, make_agent
from arena.agents.rollout import rollout
from arena.envs import seeding
from arena.envs.game import Game

_TABLES = 64


def teach(game: Game, spec: str, scribe: Scribe, *, seed: int) -> Iterator[Example]:
    """Decisions of the agent ``spec`` at all seats of its own tables, without end.

    Episode by episode, each whole, in the order of their numbers. Where the agent fails, the turn
    is a forfeit and no example.
    """
    agent, name = make_agent(spec, game), identify(spec, game).spec
    begun = 0
    while True:
        numbers = range(begun, begun + _TABLES)
        seeds = np.array([seeding.derive(seed, "lesson", n) for n in numbers], np.uint64)
        for table in range(_TABLES):
            scribe.begin(table)
        written: list[list[Example]] = [[] for _ in range(_TABLES)]
        for turns, answers in rollout(game.tables(_TABLES), [agent] * game.seats, seeds):
            for row in np.flatnonzero(answers.status == Status.DONE).tolist():
                table, seat = int(turns.tables[row]), int(turns.seats[row])
                example = scribe.write(
                    turns, row, answers.actions[row],
                    teacher=name, episode=begun + table, seat=seat,
                )  # fmt: skip
                written[table].append(example)
        for episode in written:
            yield from episode
        begun += _TABLES
