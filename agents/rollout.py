"""The one loop outside a league: agents play episodes at tables that are at hand.

    for turns, answers in rollout(tables, [agent] * game.seats, seeds):
        …                                   # what was asked and answered, before it is taken
    print(tables.returns)

It does what ``arena.leagues.play`` does, without clock and log: every agent is asked about its
whole batch, declared policies are drawn from, who gives no legal answer forfeits, and agents are
told when episodes begin and end. An agent's own error is raised, for nobody is there to survive it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.answers import Answers, Status, consult
from arena.envs import seeding
from arena.envs.game import Ints, Tables, Turns

_TOLD, _DRAWN = 1 << 40, 1 << 42  # words of a table's seed: what its players are told, and are not


class Asked(NamedTuple):
    """One agent's batch: the decisions that it was asked for, and what it answered."""

    turns: Turns
    answers: Answers


def rollout(
    tables: Tables, agents: Sequence[Agent], seeds: NDArray[np.uint64], *, begin: bool = True
) -> Iterator[Asked]:
    """Play an episode at each of ``tables`` to its end; yields every batch before it is taken.

    Args:
        tables: all of them are played at.
        agents: by seat; one agent may sit at several.
        seeds: uint64 ``(capacity,)``: each table's, and of its players' randomness.
        begin: whether the tables begin. Where not, they are played on from where they stand (a
            copy, an imagination); the agents are told that an episode begins all the same.
    """
    every = np.arange(tables.capacity)
    if begin:
        tables.begin(every, seeds)
    seated = _seated(agents)
    for agent, own in seated:
        agent.begin(*_places(every, own))
    seats = np.arange(tables.game.seats)
    told = seeding.spread(seeds[:, None], _TOLD + seats)
    drawn = seeding.spread(seeds[:, None], _DRAWN + seats)
    decided = np.zeros(told.shape, np.int64)
    while len(turns := tables.turns()):
        at = turns.tables, turns.seats
        turns.seeds = seeding.spread(told[at], decided[at])
        uniforms = seeding.uniforms(seeding.spread(drawn[at], decided[at]), 1)[:, 0]
        decided[at] += 1
        yield from _round(tables, seated, turns, uniforms)
    for agent, own in seated:
        at = _places(every, own)
        agent.end(*at, tables.returns[at])


def play_out(
    tables: Tables, agents: Sequence[Agent], seeds: NDArray[np.uint64], *, begin: bool = True
) -> NDArray[np.float64]:
    """``rollout`` for its end alone: the returns, float64 ``(capacity, seats)``."""
    deque(rollout(tables, agents, seeds, begin=begin), maxlen=0)
    return tables.returns


Seated = list[tuple[Agent, Ints]]


def _seated(agents: Sequence[Agent]) -> Seated:
    """Every agent once, with its seats."""
    return [
        (agent, np.array([seat for seat, who in enumerate(agents) if who is agent]))
        for agent in dict.fromkeys(agents)
    ]


def _places(tables: Ints, seats: Ints) -> tuple[Ints, Ints]:
    return np.repeat(tables, len(seats)), np.tile(seats, len(tables))


def _round(
    tables: Tables, seated: Seated, turns: Turns, uniforms: NDArray[np.float64]
) -> Iterator[Asked]:
    """Ask everybody who is to act, then take what was answered: forfeits first."""
    taken: list[tuple[Ints, Asked]] = []
    for agent, own in seated:
        rows = np.flatnonzero(np.isin(turns.seats, own))
        if len(rows):
            batch = turns.select(rows)
            asked = Asked(batch, consult(agent, batch, uniforms[rows]))
            yield asked
            taken.append((rows, asked))
    order = np.argsort(np.concatenate([rows for rows, _ in taken]), kind="stable")
    actions = np.concatenate([asked.answers.actions for _, asked in taken])[order]
    kept = np.concatenate([asked.answers.status for _, asked in taken])[order] == Status.DONE
    if not kept.all():
        tables.forfeit(turns.tables[~kept], turns.seats[~kept])
    if kept.any():
        tables.step(turns.tables[kept], turns.seats[kept], actions[kept])
