"""Heads-up push or fold: the equilibrium of the game in which the small blind moves all-in or
folds and the big blind calls or folds, solved here for any stack, and the player that plays it.

With stacks of a dozen big blinds or less little is lost by leaving out all other actions (Miltersen
and Sørensen, "A near-optimal strategy for a heads-up no-limit Texas Hold'em poker tournament",
AAMAS 2007). The game is one decision a player and 169 classes of hands, so CFR+ (Tammelin, 2014)
solves it in some ten milliseconds from the exact equities in ``arena.agents.scripted.preflop``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay
from arena.agents.scripted.equity import fixed_equities
from arena.agents.scripted.holdem import ALL_IN, CALL, FOLD, HoldemPlayer
from arena.agents.scripted.preflop import CLASS_OF, CLASSES, equities, meetings
from arena.envs.game import Game, Turns

Floats = NDArray[np.float64]

DEEPEST = 25.0
_STEP = 0.1  # stacks are rounded to it, so that a solution serves many hands


class Ranges(NamedTuple):
    """How often the small blind pushes and the big blind calls, by class, float64 ``(169,)``."""

    push: Floats
    call: Floats


class _Payoffs(NamedTuple):
    """What the small blind wins in big blinds, times the probability of the two classes."""

    meet: Floats
    showdown: Floats
    steal: float
    fold: float

    def push_values(self, call: Floats) -> Floats:
        """Of each class of the small blind, what pushing wins against a calling range."""
        return self.meet @ (1 - call) * self.steal + self.showdown @ call

    def call_values(self, push: Floats) -> tuple[Floats, Floats]:
        """Of each class of the big blind, what calling and what folding wins."""
        return -(push @ self.showdown), -(push @ self.meet) * self.steal


def _payoffs(stack: float, small_blind: float, ante: float) -> _Payoffs:
    meet = meetings() / meetings().sum()
    # Blinds and antes are part of the stack, and are all of it where it is shorter.
    return _Payoffs(
        meet,
        meet * (2 * equities() - 1) * stack,
        steal=min(1 + ante, stack),
        fold=-min(small_blind + ante, stack),
    )


def solve(
    stack: float, small_blind: float = 0.5, ante: float = 0.0, iterations: int = 400
) -> Ranges:
    """The equilibrium for an effective stack, all amounts in big blinds.

    Args:
        stack: the shorter stack before blinds and antes are posted.
        small_blind, ante: what is posted; the big blind posts 1.
        iterations: of CFR+; with 400, exploitabilities are below 1e-4 up to 25 big blinds.
    """
    game = _payoffs(stack, small_blind, ante)
    fold = game.fold * game.meet.sum(axis=1)
    push = RegretMatching()
    call = RegretMatching()
    for weight in range(1, iterations + 1):
        push.learn(game.push_values(call.policy), fold, weight)
        call.learn(*game.call_values(push.policy), weight)
    return Ranges(push.average(), call.average())


class RegretMatching:
    """CFR+'s two actions a class: regrets never below zero, later policies weigh more."""

    def __init__(self) -> None:
        self.regrets = np.zeros((2, CLASSES))
        self.policy = np.full(CLASSES, 0.5)
        self.sum = np.zeros(CLASSES)
        self.weight = 0

    def learn(self, first: Floats, second: Floats, weight: int) -> None:
        """Take what the two actions win, by class; ``policy`` is how often the first is taken."""
        expected = self.policy * first + (1 - self.policy) * second
        self.regrets = np.maximum(self.regrets + np.stack([first, second]) - expected, 0)
        total = self.regrets.sum(axis=0)
        self.policy = np.where(total > 0, self.regrets[0] / np.where(total > 0, total, 1), 0.5)
        self.sum += weight * self.policy
        self.weight += weight

    def average(self) -> Floats:
        """The weighted mean of all policies, which is what converges."""
        return self.sum / self.weight


def exploitability(
    ranges: Ranges, stack: float, small_blind: float = 0.5, ante: float = 0.0
) -> tuple[float, float]:
    """What a best response wins more than the small and the big blind's range, big blinds a hand.

    Two numbers: how much the small blind, and how much the big blind, falls short of the best
    response to the other's range. Both are 0 at an equilibrium.
    """
    game = _payoffs(stack, small_blind, ante)
    push_value, fold_value = game.push_values(ranges.call), game.fold * game.meet.sum(axis=1)
    call_value, give_up = game.call_values(ranges.push)
    small = np.maximum(push_value, fold_value) - (
        ranges.push * push_value + (1 - ranges.push) * fold_value
    )
    big = np.maximum(call_value, give_up) - (ranges.call * call_value + (1 - ranges.call) * give_up)
    return float(small.sum()), float(big.sum())


@lru_cache(maxsize=1024)
def _solved(steps: int, small_blind: float, ante: float) -> Ranges:
    return solve(steps * _STEP, small_blind, ante)


class Pushfold(HoldemPlayer):
    """Pushes or folds heads-up by the equilibrium for the stacks, which is solved here.

    The small blind moves all-in or folds, the big blind calls a raise all-in or folds. What the
    equilibrium does not know is played simply: against a limp the big blind pushes the hands with
    which it would call, and after a flop it moves all-in with an equity of .6 against a random
    hand, calls where that is worth the price, and else checks or folds. It refuses other tables
    and stacks of more than 25 big blinds.
    """

    version = 2

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        super().__init__(game, checkpoint)
        if game.seats != 2:
            raise CannotPlay(f"pushfold plays heads-up only (seats=2), not {game.seats} seats")
        stack = self.game.config[0]["stacks"][:2].min() / self.game.big_blind
        if stack > DEEPEST:
            raise CannotPlay(
                f"pushfold plays stacks of up to {DEEPEST:g} big blinds, not {stack:g}; deeper, "
                "all-in or fold is no way to play (stack=10 is a good choice)"
            )
        self.small_blind = self.game.small_blind / self.game.big_blind
        self.ante = float(self.game.config[0]["ante"][0]) / self.game.big_blind

    def policy(self, turns: Turns) -> Floats:
        """By the solved ranges, mixed where they are."""
        seen = turns.observation
        rows = np.arange(len(turns))
        before_flop = seen["street"][:, 0] == 0
        owed, pot = seen["to_call"][:, 0], seen["pot"][:, 0]
        rate = np.zeros(len(turns))  # of the bold choice
        bold = np.full(len(turns), ALL_IN)
        meek = np.full(len(turns), FOLD)

        effective = (seen["stacks"] + seen["committed"]).min(axis=1)
        steps = np.maximum(1, np.rint(effective / _STEP).astype(np.int64))
        classes = CLASS_OF[seen["hole"][:, 0], seen["hole"][:, 1]]
        opening = (seen["button"][:, 0] == 0) & (seen["decisions"][:, 0] == 0)
        for depth in np.unique(steps[before_flop]):
            ranges = _solved(int(depth), self.small_blind, self.ante)
            for own, table in ((opening, ranges.push), (~opening, ranges.call)):
                at = rows[before_flop & (steps == depth) & own]
                rate[at] = table[classes[at]]

        later = rows[~before_flop]
        if len(later):
            equity = fixed_equities(seen["hole"][later], seen["board"][later])
            rate[later] = equity >= np.maximum(0.6, owed[later] / (pot + owed)[later])
            meek[later] = np.where(equity >= owed[later] / (pot + owed)[later], CALL, FOLD)

        brave, careful = self.certain(turns, bold), self.certain(turns, meek)
        return rate[:, None] * brave + (1 - rate[:, None]) * careful
