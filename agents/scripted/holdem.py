"""What the scripted Hold'em players share, and the three that do the same thing in every hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay, Null
from arena.agents.scripted.generic import Generic, certain
from arena.envs.game import Game, Observation, Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.rules import BET, RAISED

FOLD, CALL, ALL_IN = -1.0, 0.0, np.inf
"""Intents: what a player wants to do. Another positive one raises by that fraction of the pot."""


class HoldemPlayer(Generic):
    """A player that says what it wants and gets the nearest legal action of the menu."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        super().__init__(game, checkpoint)
        if not isinstance(game, Holdem):
            raise CannotPlay(f"{type(self).__name__.lower()} plays holdem only, not {game.name}")
        self.game = game

    def carry_out(self, turns: Turns, intents: NDArray[np.float64]) -> NDArray[np.int64]:
        """The menu's actions that come nearest to ``intents``, int64 ``(n,)``.

        Where folding is not legal, a fold is a check; where raising is not, a raise is a call. A
        raise takes the legal fraction, all-in among them, of the nearest size as a ratio.
        """
        mask = turns.action_mask
        assert mask is not None
        actions = np.full(len(turns), CALL_ACTION)
        actions[(intents < 0) & mask[:, FOLD_ACTION]] = FOLD_ACTION
        rows = np.flatnonzero((intents > 0) & mask[:, -1])
        if len(rows):
            sizes = np.tile([*self.game.menu, ALL_IN], (len(rows), 1))
            sizes[:, -1] = all_in_fraction({k: v[rows] for k, v in turns.observation.items()})
            wanted = intents[rows, None]
            distance = np.abs(np.log(sizes) - np.log(wanted))
            distance[np.isinf(intents[rows]), -1] = -1
            distance[~mask[rows, FIRST_FRACTION:]] = np.inf
            actions[rows] = FIRST_FRACTION + distance.argmin(axis=1)
        return actions

    def certain(self, turns: Turns, intents: NDArray[np.float64]) -> NDArray[np.float64]:
        """The policy of a player that would always want the same at these turns."""
        return certain(self.carry_out(turns, intents), len(self.game.menu) + 3)


def all_in_fraction(observation: Observation) -> NDArray[np.float64]:
    """By which fraction of the pot (as it is after a call) an all-in raises, float64 ``(n,)``."""
    owed = observation["to_call"][:, 0].astype(np.float64)
    level = observation["bets"][:, 0] + owed
    fraction = (observation["max_raise"][:, 0] - level) / (observation["pot"][:, 0] + owed)
    return np.maximum(fraction, 1e-9)  # amounts are float32: a tiny raise may be rounded away


class BettingSeen(NamedTuple):
    """What the histories of ``n`` observations tell; seats begin with the observer.

    Attributes:
        raises: bets and raises on this street, blinds left out, int64 ``(n,)``.
        raises_by_seat: bets and raises of each seat before and after the flop, int64
            ``(n, seats, 2)``.
        to_come: live opponents who have not acted on this street, int64 ``(n,)``.
    """

    raises: NDArray[np.int64]
    raises_by_seat: NDArray[np.int64]
    to_come: NDArray[np.int64]


def read_betting(observation: Observation) -> BettingSeen:
    """Count who raised and who is still to act, from the last decisions that are shown."""
    live = observation["live"]
    betting = BettingSeen(
        np.zeros(len(live), np.int64),
        np.zeros((*live.shape, 2), np.int64),
        np.zeros(len(live), np.int64),
    )
    _count(
        observation["history"],
        observation["decisions"][:, 0],
        observation["street"][:, 0],
        live,
        betting,
    )
    return betting


@numba.njit(cache=True)
def _count(
    history: NDArray[np.int8],
    decisions: NDArray[np.int16],
    street: NDArray[np.int8],
    live: NDArray[np.int8],
    out: BettingSeen,
) -> None:
    for row in range(len(live)):
        acted = 0
        for i in range(min(decisions[row], history.shape[1])):
            seat, at, kind = history[row, i]
            raised = kind in (BET, RAISED)
            out.raises_by_seat[row, seat, int(at > 0)] += raised
            if at == street[row]:
                out.raises[row] += raised
                acted |= 1 << seat
        for seat in range(1, live.shape[1]):
            out.to_come[row] += live[row, seat] != 0 and not (acted >> seat) & 1


class _Constant(HoldemPlayer):
    intent: ClassVar[float]

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """Certain of the one intent."""
        return self.certain(turns, np.full(len(turns), self.intent))


class Fold(_Constant):
    """Folds whenever it may, else checks."""

    intent = FOLD

    @classmethod
    def null(cls, options: Mapping[str, Any]) -> Null:
        """It does one thing whatever it sees."""
        return "constant"


class Call(_Constant):
    """Checks or calls, whatever it holds."""

    intent = CALL


class AllIn(_Constant):
    """Moves all-in at every turn; calls where it cannot raise."""

    intent = ALL_IN
