"""The four archetypes of poker players: tight or loose, passive or aggressive.

All play one scheme and differ in its numbers, ``Style``. Before the flop a hand is played if it is
strong enough for the number of players still to act: with ``entry`` e, the best
``1 - (1 - e) ** (5 / k)`` of hands before ``k`` players, so that e is the share that is played from
the first seat of six, and more is played in later seats and at smaller tables. After the flop the
equity against a random hand, to the power of the number of opponents, is put into buckets: strong,
good, fair, weak.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.scripted.equity import fixed_equities
from arena.agents.scripted.holdem import CALL, FOLD, HoldemPlayer, read_betting
from arena.agents.scripted.preflop import CLASS_OF, percentile
from arena.envs.game import Turns

STRONG, GOOD, FAIR = 0.85, 0.65, 0.45


class Style(NamedTuple):
    """The numbers of an archetype.

    Attributes:
        entry: share of hands that it plays from the first seat of six.
        staying: which part of these it still plays for each raise before it.
        raising: which part of the hands that it plays before the flop it raises.
        betting: equity from which it bets after the flop, and from which it raises a bet.
        calling: equity from which it calls a bet.
        bluffing: how often it bets a weak hand when checked to.
        size: of its bets and raises, as a fraction of the pot.
    """

    entry: float
    staying: float
    raising: float
    betting: tuple[float, float]
    calling: float
    bluffing: float
    size: float


class _Archetype(HoldemPlayer):
    version = 2
    style: ClassVar[Style]

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """By the style's numbers; the only chance in it is that of a bluff."""
        seen = turns.observation
        before_flop = seen["street"][:, 0] == 0
        intents = np.empty(len(turns))
        bluffs = np.zeros(len(turns), np.bool_)
        for rows, decide in (
            (np.flatnonzero(before_flop), self._before_flop),
            (np.flatnonzero(~before_flop), self._after_flop),
        ):
            if len(rows):
                intents[rows], bluffs[rows] = decide(turns.select(rows))
        sober = self.certain(turns, intents)
        if not bluffs.any():
            return sober
        bluff = self.certain(turns, np.where(bluffs, self.style.size, intents))
        rate = np.where(bluffs, self.style.bluffing, 0.0)[:, None]
        return (1 - rate) * sober + rate * bluff

    def _before_flop(self, turns: Turns) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        style, seen, betting = self.style, turns.observation, read_betting(turns.observation)
        rank = percentile()[CLASS_OF[seen["hole"][:, 0], seen["hole"][:, 1]]]
        played = 1 - (1 - style.entry) ** (5 / np.maximum(1, betting.to_come))
        played *= style.staying**betting.raises
        intents = np.where(rank < played, CALL, FOLD)
        intents[rank < played * style.raising] = style.size
        return intents, np.zeros(len(turns), np.bool_)

    def _after_flop(self, turns: Turns) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        style, seen, betting = self.style, turns.observation, read_betting(turns.observation)
        opponents = seen["live"][:, 1:].sum(axis=1)
        equity = fixed_equities(seen["hole"], seen["board"]) ** opponents
        owed = seen["to_call"][:, 0]
        price = owed / (seen["pot"][:, 0] + owed)
        facing = owed > 0
        intents = np.where(equity >= np.maximum(price, style.calling), CALL, FOLD)
        first, again = style.betting
        # A raise over raises takes a stronger hand each time.
        enough = np.where(facing, 1 - (1 - again) * 0.5 ** (betting.raises - 1.0), first)
        intents[equity >= enough] = style.size
        return intents, ~facing & (equity < FAIR)


class Rock(_Archetype):
    """Tight and passive: waits for strong hands and bets only the strongest."""

    style = Style(0.12, 0.5, 0.15, (STRONG, 0.97), GOOD, 0.0, 0.5)


class Tag(_Archetype):
    """Tight and aggressive: plays few hands, and bets and raises them."""

    style = Style(0.18, 0.5, 0.7, (GOOD, STRONG), GOOD, 0.25, 0.75)


class Station(_Archetype):
    """Loose and passive, the calling station: plays most hands and calls with little."""

    style = Style(0.45, 0.8, 0.05, (STRONG, 0.97), 0.35, 0.0, 0.5)


class Lag(_Archetype):
    """Loose and aggressive: plays many hands, and bets, raises and bluffs with them."""

    style = Style(0.35, 0.65, 0.7, (0.55, 0.75), FAIR, 0.5, 1.0)
