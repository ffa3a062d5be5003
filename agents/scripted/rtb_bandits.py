"""Bandits that learn, within an episode, by how much to shade a bid.

The arms are multiples of the values. An arm is drawn for each tick; its reward is the share of the
value on offer that was kept: what was won is worth, less what was paid, over what everything on
offer was worth. Which market it is (first or second price, how strong the rivals are) need not be
known.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions
from arena.agents.scripted.rtb import market
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Turns
from arena.envs.rtb.text import round_bids

ARMS: NDArray[np.float64] = np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
"""The multiples of the values."""


class Bandit(Agent):
    """What the bandits share: the arm that was last pulled at each table and seat, and its reward.

    ``memory`` holds arrays indexed table, seat and what follows; they grow with the tables.
    """

    def __init__(self, game: Game, checkpoint: str | None, family: str) -> None:
        self.rules = market(game, family, checkpoint)
        self.memory: dict[str, NDArray[Any]] = {}
        self.remember("arm", dtype=np.int64)
        self.remember("values", self.rules.tick)

    def remember(self, name: str, *shape: int, dtype: Any = np.float64) -> None:
        """Keep an array of this shape for each table and seat, zeros at an episode's beginning."""
        self.memory[name] = np.zeros((0, self.rules.seats, *shape), dtype)

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Forget what was learned there."""
        missing = int(tables.max()) + 1 - len(self.memory["arm"])
        for name, array in self.memory.items():
            if missing > 0:
                array = np.pad(array, ((0, missing), *[(0, 0)] * (array.ndim - 1)))
                self.memory[name] = array
            array[tables, seats] = 0
        self.memory["arm"][tables, seats] = -1

    def act(self, turns: Turns) -> Decisions:
        """Learn from the last tick, choose an arm, bid."""
        seen = turns.observation
        tables, seats = turns.tables, turns.seats
        played = self.memory["arm"][tables, seats] >= 0
        if played.any():
            rows = np.flatnonzero(played)
            self._learn(
                tables[rows], seats[rows], self._rewards(tables[rows], seats[rows], seen, rows)
            )
        arms = self._choose(turns)
        self.memory["arm"][tables, seats] = arms
        value = seen["value"].astype(np.float64)
        self.memory["values"][tables, seats] = value
        return Decisions(round_bids(value * ARMS[arms][:, None]))

    def _rewards(
        self, tables: Ints, seats: Ints, seen: Observation, rows: Ints
    ) -> NDArray[np.float64]:
        values = self.memory["values"][tables, seats]
        slot = seen["slot"][rows].astype(np.int64)
        effects = np.append(0.0, self.rules.effects)[slot]
        kept = (values * effects - seen["paid"][rows]).sum(axis=1)
        offered = values.sum(axis=1)
        rewards: NDArray[np.float64] = np.divide(
            kept, offered, out=np.zeros(len(rows)), where=offered > 0
        )
        return rewards

    @abstractmethod
    def _learn(self, tables: Ints, seats: Ints, rewards: NDArray[np.float64]) -> None:
        """Take the rewards of the arms last pulled."""

    @abstractmethod
    def _choose(self, turns: Turns) -> Ints:
        """The arm to pull at each turn."""


class Ucb(Bandit):
    """UCB1: Auer, Cesa-Bianchi, Fischer (2002). Pulls the arm of the highest upper bound.

    Options:
        width: of the confidence bound, in units of reward (UCB1's is √2 for rewards in 0 … 1).
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, width: float = 0.1) -> None:
        super().__init__(game, checkpoint, "ucb")
        if not 0.0 <= width <= 10.0:
            raise InputError(f"agent 'ucb': width={width:g} must be from 0 to 10")
        self.width = width
        self.remember("pulls", len(ARMS))
        self.remember("sums", len(ARMS))

    def _learn(self, tables: Ints, seats: Ints, rewards: NDArray[np.float64]) -> None:
        arms = self.memory["arm"][tables, seats]
        self.memory["pulls"][tables, seats, arms] += 1.0
        self.memory["sums"][tables, seats, arms] += rewards

    def _choose(self, turns: Turns) -> Ints:
        pulls = self.memory["pulls"][turns.tables, turns.seats]
        means = self.memory["sums"][turns.tables, turns.seats] / np.maximum(pulls, 1.0)
        total = np.maximum(pulls.sum(axis=1, keepdims=True), 1.0)
        bound = means + self.width * np.sqrt(np.log(total) / np.maximum(pulls, 1.0))
        best: Ints = np.where(pulls == 0.0, np.inf, bound).argmax(axis=1)
        return best


class LinUcb(Bandit):
    """LinUCB with a linear model for each arm: Li, Chu, Langford, Schapire (WWW 2010).

    The context is 1, the time left, the budget left, and what is on offer over the mean so far.

    Options:
        width: α, of the confidence bound.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, width: float = 0.3) -> None:
        super().__init__(game, checkpoint, "linucb")
        if not 0.0 <= width <= 10.0:
            raise InputError(f"agent 'linucb': width={width:g} must be from 0 to 10")
        self.width = width
        size = 4
        self.remember("gram", len(ARMS), size, size)
        self.remember("target", len(ARMS), size)
        self.remember("context", size)
        self.remember("history", 2)  # the sum of what was on offer, and of how many ticks

    def _learn(self, tables: Ints, seats: Ints, rewards: NDArray[np.float64]) -> None:
        arms = self.memory["arm"][tables, seats]
        context = self.memory["context"][tables, seats]
        self.memory["gram"][tables, seats, arms] += context[:, :, None] * context[:, None, :]
        self.memory["target"][tables, seats, arms] += rewards[:, None] * context

    def _choose(self, turns: Turns) -> Ints:
        seen, at = turns.observation, (turns.tables, turns.seats)
        offered = seen["value"].sum(axis=1, dtype=np.float64)
        self.memory["history"][at] += np.stack([offered, np.ones(len(offered))], axis=1)
        total, count = self.memory["history"][at].T
        relative = np.divide(offered * count, total, out=np.ones(len(total)), where=total > 0)
        context = np.stack(
            [np.ones(len(turns)), seen["time_left"][:, 0], seen["budget_left"][:, 0], relative],
            axis=1,
        )
        self.memory["context"][at] = context
        inverse = np.linalg.inv(self.memory["gram"][at] + np.eye(context.shape[1]))
        model = np.einsum("nakj,naj->nak", inverse, self.memory["target"][at])
        mean = np.einsum("nak,nk->na", model, context)
        spread = np.einsum("nk,nakj,nj->na", context, inverse, context)
        best: Ints = (mean + self.width * np.sqrt(np.maximum(spread, 0.0))).argmax(axis=1)
        return best


class Exp3(Bandit):
    """Exp3: Auer, Cesa-Bianchi, Freund, Schapire (2002), for rewards that an adversary may choose.

    Options:
        gamma: the share of uniform exploration.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, gamma: float = 0.3) -> None:
        super().__init__(game, checkpoint, "exp3")
        if not 0.0 < gamma <= 1.0:
            raise InputError(f"agent 'exp3': gamma={gamma:g} must be above 0 and at most 1")
        self.gamma = gamma
        self.remember("weights", len(ARMS))  # their logarithms
        self.remember("chance")

    def _learn(self, tables: Ints, seats: Ints, rewards: NDArray[np.float64]) -> None:
        # Rewards below 0 (paid more than it was worth) count as 0, as the analysis needs.
        arms = self.memory["arm"][tables, seats]
        estimate = np.maximum(rewards, 0.0) / self.memory["chance"][tables, seats]
        self.memory["weights"][tables, seats, arms] += self.gamma * estimate / len(ARMS)

    def _choose(self, turns: Turns) -> Ints:
        at = (turns.tables, turns.seats)
        logs = self.memory["weights"][at]
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares = weights / weights.sum(axis=1, keepdims=True)
        chances = (1.0 - self.gamma) * shares + self.gamma / len(ARMS)
        arms = seeding.draw(chances, turns.uniforms()[:, 0])
        self.memory["chance"][at] = chances[np.arange(len(arms)), arms]
        return arms
