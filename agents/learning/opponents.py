"""Against whom a learner plays: itself, a pool of its own frozen past, and named agents.

At the beginning of an episode one seat, drawn uniformly, becomes the learner's. Each other seat
draws one of the opponents that were named. ``self`` stands for the learner of now or, for a share
of the draws, a snapshot from the pool, uniformly: playing only the latest copy runs in circles
where the game has cycles (rock, paper, scissors). A pool does not promise that they end.

A prioritised pool draws a snapshot the more often, the more often it beats the learner (Vinyals et
al., Nature 2019: the square of the chance to lose).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.answers import consult
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns

SELF = "self"
LEARNER = -1
_DRAWN = 1 << 42  # the word of a decision's seed from which a declared policy is drawn


class Opponents:
    """Who sits where.

    Args:
        game: what is played.
        names: specs of agents, and ``self``; naming one twice doubles its share.
        tables: how many.
        past: how often ``self`` is a snapshot, from 0 to 1.
        slots: how many snapshots play at a time.

    Attributes:
        owner: int64 ``(tables, seats)``: ``LEARNER``, or the number of an opponent. The first
            ``slots`` numbers are the snapshots' (``snapshots``), then come the agents.
        snapshots: what answers for the snapshots; filled by the trainer.
        scored: float64 ``(slots, 2)``, what the learner won of so many episodes against each, since
            it was last looked at; half an episode where returns are equal.
    """

    def __init__(
        self, game: Game, names: Sequence[str], tables: int, *, past: float, slots: int
    ) -> None:
        self.game = game
        if game.seats > 1 and not names:
            raise InputError("--opponents must name someone: self, or agents such as tag")
        others = [name for name in names if name != SELF]
        agents = {name: make_agent(name, game) for name in dict.fromkeys(others)}
        self.agents: list[Agent] = list(agents.values())
        numbers = {name: slots + i for i, name in enumerate(agents)}
        self._choices = np.array([numbers.get(name, LEARNER) for name in names], np.int64)
        self._past, self.slots = past, slots
        self.snapshots: list[Any] = []
        self.scored = np.zeros((slots, 2))
        self.owner: Ints = np.full((tables, game.seats), LEARNER)
        self._names = list(agents)

    def seat(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Episodes begin at ``tables``: draw who sits where, from a seed for each."""
        seats = self.game.seats
        if seats == 1 or not len(tables):
            return
        draws = seeding.uniforms(seeds, 1 + 3 * seats)
        mine = (draws[:, 0] * seats).astype(np.int64)
        which, when, who = draws[:, 1:].reshape(len(tables), 3, seats).transpose(1, 0, 2)
        chosen = self._choices[(which * len(self._choices)).astype(np.int64)]
        old = (chosen == LEARNER) & (when < self._past) & (len(self.snapshots) > 0)
        slot = (who * len(self.snapshots)).astype(np.int64)
        chosen = np.where(old, slot, chosen)
        chosen[np.arange(len(tables)), mine] = LEARNER
        self.owner[tables] = chosen
        self._tell(tables, "begin")

    def end(self, tables: Ints, returns: NDArray[np.float64]) -> None:
        """Episodes are over at ``tables``: who won against the snapshots is counted."""
        old = (self.owner[tables] >= 0) & (self.owner[tables] < self.slots)
        if old.any():
            rows, seats = np.nonzero(old)
            at, mine = tables[rows], self.owner[tables[rows]] == LEARNER
            ours = (returns[at] * mine).sum(1) / mine.sum(1)
            won = (np.sign(ours - returns[at, seats]) + 1) / 2
            slots = self.owner[at, seats]
            np.add.at(self.scored, slots, np.stack([won, np.ones(len(won))], 1))
        self._tell(tables, "end", returns)

    def answer(self, turns: Turns, owners: Ints, out: NDArray[Any]) -> None:
        """Write the opponents' actions for the turns that are theirs into ``out``."""
        for number in np.unique(owners).tolist():
            if number == LEARNER:
                continue
            rows = np.flatnonzero(owners == number)
            asked = turns.select(rows)
            if number < self.slots:
                out[rows] = self.snapshots[number](asked)
            else:
                out[rows] = self._ask(number - self.slots, asked)

    def _ask(self, number: int, turns: Turns) -> NDArray[Any]:
        assert turns.seeds is not None
        drawn = seeding.uniforms(seeding.spread(turns.seeds, np.array(_DRAWN)), 1)[:, 0]
        answers = consult(self.agents[number], turns, drawn)
        if answers.status.any():
            raise InputError(f"opponent {self._names[number]} gives no legal answer to train on")
        return answers.actions

    def _tell(self, tables: Ints, verb: str, returns: NDArray[np.float64] | None = None) -> None:
        for number, agent in enumerate(self.agents, self.slots):
            if getattr(type(agent), verb) is getattr(Agent, verb):
                continue
            rows, seats = np.nonzero(self.owner[tables] == number)
            if len(rows) and returns is None:
                agent.begin(tables[rows], seats)
            elif len(rows) and returns is not None:
                agent.end(tables[rows], seats, returns[tables[rows], seats])


def priorities(records: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each snapshot is to be drawn, float64 ``(n,)``.

    Args:
        records: float64 ``(n, 2)``, what the learner won of so many episodes against each. Of whom
            it has not met it is taken to win half; all are alike where it never loses.
    """
    won, met = records.T
    lost = 1 - np.divide(won, met, out=np.full(len(met), 0.5), where=met > 0)
    weights = lost**2
    total = weights.sum()
    found: NDArray[np.float64] = weights / total if total > 0 else np.full(len(met), 1 / len(met))
    return found
