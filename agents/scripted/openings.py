"""All-in or fold at a table of several: who opens with what, solved here for any stack.

The game: whoever is first to act moves all-in or folds, until one is all-in; those behind call or
fold in turn, and when one has called the others fold. So each opener plays a game of its own with
the players behind, which is solved for itself by CFR+ (Tammelin, 2014) over the 169 classes with
exact equities. Each player's cards are dealt together with the opener's as from a full deck; that
the cards of two players behind, and those that were folded before, exclude each other is left out.
Heads-up nothing is left out, and the solution is that of ``arena.agents.scripted.pushfold``. With
three players or more CFR+ promises no equilibrium; ``shortfalls`` says how near one it has come.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.scripted.preflop import equities, meetings
from arena.agents.scripted.pushfold import RegretMatching

Floats = NDArray[np.float64]


class Opening(NamedTuple):
    """How often a player who is first to act is all-in, by class, and those behind call, in turn.

    Float64 ``(169,)`` each. ``push`` is the opener's; ``calls`` has one for each player behind.
    """

    push: Floats
    calls: tuple[Floats, ...]


class _Game:
    """One opener and those behind. Values are in big blinds, times the probability of the class.

    Args:
        posts: what each player has posted, the opener, those behind in turn, those who folded.
        behind: how many are behind.
        stack: of all, in big blinds, before blinds and antes.
    """

    def __init__(self, posts: Floats, behind: int, stack: float) -> None:
        self.posts, self.behind, self.stack = posts, behind, stack
        self.meet = meetings() / meetings().sum()
        self.prior = self.meet.sum(axis=1)
        self.equity = equities()

    def _dead(self, caller: int) -> float:
        return float(self.posts.sum() - self.posts[0] - self.posts[1 + caller])

    def reaches(self, calls: list[Floats]) -> list[Floats]:
        """How likely each player behind is asked, by the opener's class; last: that none calls."""
        found = [np.ones_like(self.prior)]
        for call in calls:
            found.append(found[-1] * (1 - self.meet @ call / self.prior))
        return found

    def opener(self, calls: list[Floats]) -> tuple[Floats, Floats]:
        """What moving all-in and folding win, of each class of the opener."""
        reaches = self.reaches(calls)
        push = self.prior * reaches[-1] * (self.posts.sum() - self.posts[0])
        for caller, call in enumerate(calls):
            pot = 2 * self.stack + self._dead(caller)
            push += reaches[caller] * ((self.meet * (self.equity * pot - self.stack)) @ call)
        return push, -self.prior * self.posts[0]

    def caller(self, number: int, push: Floats, calls: list[Floats]) -> tuple[Floats, Floats]:
        """What calling and folding win, of each class of a player behind."""
        asked = push * self.reaches(calls)[number]
        pot = 2 * self.stack + self._dead(number)
        call = asked @ (self.meet * ((1 - self.equity) * pot - self.stack))
        return call, -(asked @ self.meet) * self.posts[1 + number]


def _game(seats: int, position: int, stack: float, small_blind: float, ante: float) -> _Game:
    """The game of the player who is ``position``-th to act, 0 first; the last two posted blinds."""
    posts = np.full(seats, ante)
    posts[-2:] += small_blind, 1.0
    order = np.roll(np.minimum(posts, stack), -position)
    return _Game(order, seats - position - 1, stack)


@lru_cache(maxsize=64)
def solve(
    seats: int,
    stack: float,
    small_blind: float = 0.5,
    ante: float = 0.0,
    iterations: int = 400,
) -> tuple[Opening, ...]:
    """The openings of all who can open, in the order in which they act, the small blind last.

    Args:
        seats: 2 or more; heads-up the small blind acts first.
        stack: of each player before blinds and antes, in big blinds.
        small_blind, ante: what is posted, in big blinds; the big blind posts 1.
        iterations: of CFR+.
    """
    found = []
    for position in range(seats - 1):
        game = _game(seats, position, stack, small_blind, ante)
        push = RegretMatching()
        calls = [RegretMatching() for _ in range(game.behind)]
        for weight in range(1, iterations + 1):
            push.learn(*game.opener([call.policy for call in calls]), weight)
            for number, call in enumerate(calls):
                policies = [call.policy for call in calls]
                call.learn(*game.caller(number, push.policy, policies), weight)
        found.append(Opening(push.average(), tuple(call.average() for call in calls)))
    return tuple(found)


def shortfalls(
    openings: tuple[Opening, ...], stack: float, small_blind: float = 0.5, ante: float = 0.0
) -> list[list[float]]:
    """What a best response wins more than each range against the others, big blinds a hand.

    For each opener: the opener's, then those of the players behind. All are 0 at an equilibrium.
    """
    found = []
    for position, (push, calls) in enumerate(openings):
        game = _game(len(openings) + 1, position, stack, small_blind, ante)
        every = list(calls)
        values = [(push, *game.opener(every))]
        values += [(call, *game.caller(n, push, every)) for n, call in enumerate(every)]
        found.append(
            [
                float((np.maximum(bold, meek) - (policy * bold + (1 - policy) * meek)).sum())
                for policy, bold, meek in values
            ]
        )
    return found
