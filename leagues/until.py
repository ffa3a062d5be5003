"""When a league has seen enough: rules that may be looked at after every round.

::

    schedule: {until: separated, deals: 20000}    every pair's order is decided
    schedule: {until: {width: 40}}                every rating is known to within 40 points
    schedule: {until: {sprt: {h0: 0, h1: 50}}}    two agents: which of two differences in rating

``deals`` is then how many a pair plays at most, ``deals_per_match`` after how many one looks. All
hold at 95 % however often that is (``arena.leagues.ratings.sequential``); ``separated`` for all
pairs together. What they look at comes from the log, so a league that is stopped and resumed ends
where it would have ended.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from arena.envs.errors import InputError
from arena.envs.outside import shown
from arena.envs.specs import read
from arena.leagues.match import Result
from arena.leagues.ratings import Log, summarise
from arena.leagues.ratings.cells import Floats
from arena.leagues.ratings.sequential import ALPHA, FEWEST, bets, half_width, lead, llr, normal_llr
from arena.leagues.ratings.tally import gained, won

_WRITE = "separated, {width: 40} or {sprt: {h0: 0, h1: 50}}"


class Rule(ABC):
    """When to stop."""

    @abstractmethod
    def enough(self, results: Sequence[Result], session: int) -> bool:
        """Whether these results, of a league whose contests have ``session`` deals, are enough."""

    @abstractmethod
    def to_json(self) -> Any:
        """Plain values that ``make_rule`` reads back."""

    def check(self, entrants: int, where: str) -> None:  # noqa: B027 - most can judge any number
        """InputError where so many entrants cannot be judged by this rule."""


@dataclass(frozen=True)
class Separated(Rule):
    """Until of every pair it is known who is ahead; see ``decided``."""

    def enough(self, results: Sequence[Result], session: int) -> bool:
        """See ``Rule``."""
        entrants = len({key for result in results for key in result.match.entrants})
        return len(decided(results, session, entrants)) == entrants * (entrants - 1) // 2

    def to_json(self) -> Any:
        """See ``Rule``."""
        return "separated"


@dataclass(frozen=True)
class Width(Rule):
    """Until every rating is known to within ``width`` points, from end to end."""

    width: float

    def enough(self, results: Sequence[Result], session: int) -> bool:
        """See ``Rule``."""
        ranking = summarise(Log.of(results), seed=0, session=session, samples=200)
        deals = np.array([standing.deals for standing in ranking.standings], np.float64)
        errors = np.array([standing.rating.error for standing in ranking.standings])
        widths = 2 * errors * np.sqrt(deals) * half_width(deals)
        return bool((deals >= FEWEST).all() and (widths <= self.width).all())

    def to_json(self) -> Any:
        """See ``Rule``."""
        return {"width": self.width}


@dataclass(frozen=True)
class Sprt(Rule):
    """Until one of two differences in rating, first agent's less second's, is refuted.

    Either is refused wrongly 5 times of 100. Where deals are won, by the scores of a deal's two
    hands together (loss, draw and win count 0, ½ and 1; a forfeit loses); where a deal is about how
    much, by what it gains, ``h0`` and ``h1`` being of sessions won.
    """

    h0: float
    h1: float

    def check(self, entrants: int, where: str) -> None:
        """See ``Rule``."""
        if entrants != 2:
            raise InputError(f"{where}: sprt compares two agents, and there are {entrants}")

    def enough(self, results: Sequence[Result], session: int) -> bool:
        """See ``Rule``."""
        return bool(abs(self.ratio(results, session)) >= np.log((1 - ALPHA) / ALPHA))

    def ratio(self, results: Sequence[Result], session: int) -> float:
        """How many times likelier the results are under ``h1``, as a logarithm."""
        says = [1 / (1 + 10 ** (-elo / 400)) for elo in (self.h0, self.h1)]
        if session == 1:
            scores = np.concatenate([_scores(result) for result in results])
            steps = 2 * len(results[0].match.seatings)
            counts = np.bincount(np.rint(scores * steps).astype(int), minlength=steps + 1)
            return llr(counts.astype(np.float64), says[0], says[1])
        gains = np.concatenate([_gains(result) for result in results])
        if len(gains) < FEWEST or gains.std() == 0:
            return 0.0
        t0, t1 = (ndtri(share) / np.sqrt(session) for share in says)
        return normal_llr(gains.mean(), gains.std(), len(gains), t0, t1)

    def to_json(self) -> Any:
        """See ``Rule``."""
        return {"sprt": {"h0": self.h0, "h1": self.h1}}


def decided(results: Sequence[Result], session: int, entrants: int) -> set[frozenset[str]]:
    """The pairs, of ``entrants`` in all, of which it is known who is ahead: all together at 95 %.

    Where deals are won, by exact bets against ½; where a deal is about how much, by an asymptotic
    confidence sequence of what one gains on the other.
    """
    log = Log.of(results)
    alpha = ALPHA / max(1, entrants * (entrants - 1) // 2)
    pair = log.pairs.cells.column[log.pairs.cells.row]
    rows = won(log) if session == 1 else gained(log)
    order = np.argsort(pair, kind="stable")  # by deal within each pair
    parts = np.split(rows[order], np.cumsum(np.bincount(pair))[:-1])
    known = [bets(p, alpha=alpha) if session == 1 else lead(p, alpha) for p in parts]
    ends = zip(log.pairs.i.tolist(), log.pairs.j.tolist(), known, strict=True)
    return {frozenset((log.entrants[i], log.entrants[j])) for i, j, ahead in ends if ahead}


def make_rule(value: Any, where: str) -> Rule:
    """The rule that a configuration says; ``where`` names it in InputErrors."""
    if value == "separated":
        return Separated()
    if not isinstance(value, Mapping) or len(value) != 1 or set(value) - {"width", "sprt"}:
        raise InputError(f"{where} is {shown(value)}; write {_WRITE}")
    if "width" in value:
        width = _number(value["width"], f"{where}: width")
        if width <= 0:
            raise InputError(f"{where}: width={width:g} must be above 0 points")
        return Width(width)
    bounds = value["sprt"]
    if not isinstance(bounds, Mapping) or set(bounds) != {"h0", "h1"}:
        raise InputError(f"{where}: sprt is {shown(bounds)}; write {{h0: 0, h1: 50}}")
    h0, h1 = (_number(bounds[name], f"{where}: {name}") for name in ("h0", "h1"))
    if h0 >= h1:
        raise InputError(f"{where}: h0={h0:g} must be below h1={h1:g}")
    return Sprt(h0, h1)


def _number(value: Any, where: str) -> float:
    number = read(value, float, where)
    assert isinstance(number, float)
    return number


def _places(result: Result) -> tuple[Floats, Floats]:
    """Which seat the first agent and the second have in each seating, ``(1, seatings, 1)`` each."""
    seats = np.array([[seating.index(who) for seating in result.match.seatings] for who in (0, 1)])
    first, second = seats[:, None, :, None]
    return first, second


def _both(values: Any, result: Result) -> tuple[Floats, Floats]:
    """``values`` ``(deals, seatings, seats)`` of the first agent and of the second."""
    first, second = (
        np.take_along_axis(values, np.broadcast_to(at, (*values.shape[:2], 1)), axis=2)[..., 0]
        for at in _places(result)
    )
    return first, second


def _scores(result: Result) -> Floats:
    """The first agent's score of each deal, from 0 to 1, float64 ``(deals,)``."""
    here, there = _both(result.returns, result)
    gave, other = (given.astype(float) for given in _both(result.statuses != 0, result))
    ahead = np.where(gave + other > 0, other - gave, np.sign(here - there))
    scores: Floats = (1 + ahead.mean(axis=1)) / 2
    return scores


def _gains(result: Result) -> Floats:
    """What the first agent gains on the second in each deal, float64 ``(deals,)``."""
    here, there = _both(result.returns, result)
    gains: Floats = (here - there).sum(axis=1)
    return gains
