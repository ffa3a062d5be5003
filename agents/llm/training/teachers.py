"""Examples from a scripted teacher: any agent plays any game, and what it does is written down."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from arena.agents.llm.training.examples import Example
from arena.agents.llm.training.scribe import Scribe
from arena.agents.registry import identify, make_agent
from arena.envs import seeding
from arena.envs.game import Game, Turns

_TABLES = 64


def teach(game: Game, spec: str, scribe: Scribe, *, seed: int) -> Iterator[Example]:
    """Decisions of the agent ``spec`` at all seats of its own tables, without end.

    Episode by episode, each whole, in the order of their numbers. Where the agent fails, the turn
    is a forfeit and no example.
    """
    agent, name = make_agent(spec, game), identify(spec).spec
    begun = 0
    while True:
        tables = game.tables(_TABLES)
        every = np.arange(_TABLES)
        seeds = np.array(
            [seeding.derive(seed, "lesson", begun + i) for i in range(_TABLES)], np.uint64
        )
        tables.begin(every, seeds)
        spots = np.repeat(every, game.seats), np.tile(np.arange(game.seats), _TABLES)
        agent.begin(*spots)
        for table in every.tolist():
            scribe.begin(table)
        written: list[list[Example]] = [[] for _ in range(_TABLES)]
        decided = np.zeros((_TABLES, game.seats), np.int64)
        while len(waiting := tables.to_act()[0]):
            slots, seats = tables.to_act()
            own = seeding.spread(seeding.spread(seeds[slots], seats), 1 + decided[slots, seats])
            decisions = agent.act(Turns(tables, slots, seats, own))
            decided[slots, seats] += 1
            kept = np.array([row not in decisions.failures for row in range(len(waiting))])
            for row in np.flatnonzero(kept).tolist():
                table, seat = int(slots[row]), int(seats[row])
                example = scribe.write(
                    tables, table, seat, decisions.actions[row],
                    teacher=name, episode=begun + table, seat=seat,
                )  # fmt: skip
                written[table].append(example)
            if not kept.all():
                tables.forfeit(slots[~kept], seats[~kept])
            tables.step(slots[kept], seats[kept], decisions.actions[kept])
        agent.end(*spots, tables.returns[spots])
        for episode in written:
            yield from episode
        begun += _TABLES
