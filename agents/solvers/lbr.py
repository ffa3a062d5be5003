"""Local best response: a lower bound on what can be won from a player of heads-up Hold'em.

It knows the player's policy, and so the player's range at every moment. Before each of its own
decisions it asks what every action would earn if from then on nobody bet any more:

    call: wp·pot - (1 - wp)·asked
    bet:  fp·pot + (1 - fp)·(wp'·(pot + b) - (1 - wp')·(asked + b))

with fp how much of the range folds, wp and wp' how often it wins against all of it and against what
does not fold. It takes the best action, or folds. Source: Lisý and Bowling, arXiv 1612.07547.

What it wins can be won from the player. That it wins nothing proves nothing: a player that loses to
stronger opponents may beat this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.rollout import rollout
from arena.agents.solvers import beliefs
from arena.agents.solvers.beliefs import Floats
from arena.agents.solvers.exploit import require_policy
from arena.agents.solvers.ranges import HANDS
from arena.envs import seeding
from arena.envs.game import Game, Ints, Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.evaluator import evaluate
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.tables import HoldemTables

ActionSet = Literal["fc", "fcpa", "menu"]
"""What it may do: fold and call everywhere; also bet the pot or all-in, or every size of the menu,
on the turn and the river (before them it checks and calls, which finds more than it misses)."""

_RUNOUTS = 60  # boards that are drawn where two or more cards are still to come


@dataclass(frozen=True)
class Response:
    """What came of it.

    Attributes:
        deals: float64 ``(deals,)``, what the response earned of each deal in the game's unit, the
            mean over both seats.
        always_fold: what a player that folds whenever it can would lose so.
    """

    deals: Floats
    always_fold: float


def respond(
    agent: Agent, game: Game, deals: int, seed: int, actions: ActionSet = "fcpa"
) -> Response:
    """Play ``deals`` against the agent, each in both seats.

    Raises:
        CannotPlay: where the game is not single hands of heads-up Hold'em, its menu lacks a bet of
            the pot that is asked for, or the agent declares no policy.
    """
    holdem = beliefs.require_heads_up(game)
    if actions == "fcpa" and 1.0 not in holdem.menu:
        raise CannotPlay(
            "the menu has no bet of the pot; take --actions menu, or a game with menu=0.5/1"
        )
    require_policy(agent)
    seeds = np.array([seeding.derive(seed, "deal", deal) for deal in range(deals)], np.uint64)
    tables, worth = holdem.tables(deals), np.zeros(deals)
    for mine in (0, 1):
        response = _Local(holdem, tables, agent, mine, actions)
        seated: list[Agent] = [agent, agent]
        seated[mine] = response
        for turns, answers in rollout(tables, seated, seeds):
            if int(turns.seats[0]) != mine:
                response.learn(turns, answers.actions)
        worth += tables.returns[:, mine] / 2
    # Where nobody bets, who folds everything checks in the big blind, and keeps it.
    blinds = holdem.small_blind + (holdem.big_blind if actions != "fc" else 0)
    lost = blinds / holdem.big_blind / 2 * holdem.unit_scale
    return Response(worth * holdem.unit_scale, lost)


class _Local(Agent):
    """Sits in seat ``mine`` of ``tables`` and looks ahead on copies of them.

    ``range`` is the agent's at each table, float64 ``(tables, 1326)``.
    """

    def __init__(
        self, game: Holdem, tables: HoldemTables, agent: Agent, mine: int, actions: ActionSet
    ) -> None:
        self.game, self.tables, self.agent, self.mine = game, tables, agent, mine
        sizes = len(game.menu)
        self._bets = {
            "fc": [],
            "fcpa": [FIRST_FRACTION + game.menu.index(1.0)] if 1.0 in game.menu else [],
            "menu": [FIRST_FRACTION + i for i in range(sizes)],
        }[actions] + ([FIRST_FRACTION + sizes] if actions != "fc" else [])
        self._early = actions == "fc"
        self.range: Floats = np.ones((tables.capacity, len(HANDS)))

    def learn(self, turns: Turns, actions: NDArray[np.int64]) -> None:
        """The agent takes these actions: its hands become as likely as they lead there."""
        asked = beliefs.ask(self.tables, turns.tables, 1 - self.mine, self.agent)
        self.range[turns.tables] *= asked[np.arange(len(turns)), :, actions]

    def act(self, turns: Turns) -> Decisions:
        """The best action by what it would earn without further bets."""
        chosen = np.full(len(turns), CALL_ACTION)
        street = self.tables.hands["street"][turns.tables]
        rows = np.flatnonzero((street >= 2) | self._early)
        if len(rows):
            chosen[rows] = self._choose(turns.select(rows))
        return Decisions(chosen)

    def _choose(self, turns: Turns) -> Ints:
        rows, mask, seen = turns.tables, turns.action_mask, turns.observation
        assert mask is not None
        own = beliefs.holes(self.tables, rows, self.mine)
        ranges = beliefs.without(self.range[rows], own) * beliefs.possible(self.tables, rows)
        shares = np.array([
            _shares(hole, beliefs.board(self.tables, int(row)), int(seed))
            for hole, row, seed in zip(own, rows, turns.uniforms()[:, 0] * 2**53, strict=True)
        ])  # fmt: skip
        pot, asked = (seen[name][:, 0].astype(np.float64) for name in ("pot", "to_call"))
        worth = np.full(mask.shape, -np.inf)
        worth[mask[:, FOLD_ACTION], FOLD_ACTION] = 0.0
        win = _mean(ranges, shares)
        worth[:, CALL_ACTION] = win * pot - (1 - win) * asked
        for action in self._bets:
            legal = np.flatnonzero(mask[:, action])
            if len(legal):
                folds, put = self._bet(rows[legal], action)
                folding = _mean(ranges[legal], folds)
                win = _mean(ranges[legal] * (1 - folds), shares[legal])
                more = put - asked[legal]
                called = win * (pot[legal] + more) - (1 - win) * (asked[legal] + more)
                worth[legal, action] = folding * pot[legal] + (1 - folding) * called
        found: Ints = worth.argmax(axis=1)
        return found

    def _bet(self, rows: Ints, action: int) -> tuple[Floats, Floats]:
        """How often each hand folds to a bet, ``(n, 1326)``, and what it costs, big blinds."""
        after = self.game.tables(len(rows))
        every = np.arange(len(rows))
        self.tables.copy(rows, after)
        before = after.hands["committed"][:, self.mine].copy()
        after.step(every, np.full(len(rows), self.mine), np.full(len(rows), action))
        put = (after.hands["committed"][:, self.mine] - before) / self.game.big_blind
        folds = beliefs.ask(after, every, 1 - self.mine, self.agent)[:, :, FOLD_ACTION]
        return folds, put


def _mean(weights: Floats, values: Floats) -> Floats:
    """The mean of each row; where nothing is likely (its policy excludes it), all count alike."""
    total = weights.sum(axis=1)
    weights = np.where(total[:, None] > 0, weights, 1.0)
    mean: Floats = (weights * values).sum(axis=1) / weights.sum(axis=1)
    return mean


def _shares(own: Ints, board: Ints, seed: int) -> Floats:
    """How much of the pot ``own`` wins from each hand if all is checked, float64 ``(1326,)``.

    All rivers on the turn, a sample of boards before it; 0 for a hand that cannot be met.
    """
    missing = 5 - len(board)
    left = np.setdiff1d(np.arange(52), np.concatenate([own, board]))
    if missing == 0:
        more = np.zeros((1, 0), np.int64)
    elif missing == 1:
        more = left[:, None]
    else:
        draw = np.random.default_rng(seed)
        more = np.array([draw.choice(left, missing, replace=False) for _ in range(_RUNOUTS)])
    won, met = np.zeros(len(HANDS)), np.zeros(len(HANDS))
    for cards in more:
        full = np.concatenate([board, cards])
        free = ~np.isin(HANDS, np.concatenate([own, full])).any(axis=1)
        hands = np.concatenate([HANDS[free], own[None]])
        strengths = evaluate(np.column_stack([hands, np.tile(full, (len(hands), 1))]))
        theirs, mine = strengths[:-1], strengths[-1]
        won[free] += (mine > theirs) + 0.5 * (mine == theirs)
        met[free] += 1
    shares: Floats = won / np.maximum(met, 1)
    return shares
