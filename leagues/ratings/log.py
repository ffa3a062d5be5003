"""A league's log as arrays: who met whom on which deal, and what each came away with.

A *contest* here is one lineup on one deal, all its seatings together. It is what a result says that
bears on strength: the luck of the cards and of the seats is shared by those who meet in it.
(``arena.leagues.ratings.tally`` makes sessions of many deals of them.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.envs.errors import InputError
from arena.leagues.match import Match, Result, Status

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Log:
    """Every contest of a league, in an order that does not depend on the order of play.

    Axes: contest ``c``, place in the lineup ``k``, entrant ``n``, deal ``d``. A lineup shorter than
    the longest is filled up with entrant -1.

    Attributes:
        game: canonical spec of the one game that was played; "" where nothing was.
        entrants, specs: ``n`` identity keys, sorted, and the agents' specs.
        deals: int ``d``, how many different deals were played; contests refer to them by number.
        deal: int64 ``(c,)``, which deal.
        lineup: int64 ``(c, k)``, which entrants.
        returns, tiebreaks: float64 ``(c, k)``, totals over all episodes of the contest, in the
            game's own unit.
        episodes: int64 ``(c, k)``, how many episodes they are the totals of.
        forfeited: bool ``(c, k)``, whether any of them was forfeited.
        forfeits: int64 ``(n, 3)``, episodes forfeited as illegal, by a crash, by a time-out.
        solo: whether the entrants played alone, each on the same deals (a race).
    """

    game: str
    entrants: tuple[str, ...]
    specs: tuple[str, ...]
    deals: int
    deal: Ints
    lineup: Ints
    returns: Floats
    tiebreaks: Floats
    episodes: Ints
    forfeited: NDArray[np.bool_]
    forfeits: Ints
    solo: bool

    @classmethod
    def of(cls, results: Iterable[Result]) -> Log:
        """The log of ``results``, in any order; equal results make equal logs.

        A deal is known by the league's seed and its number. Raises InputError where results of
        different games, or of different versions of one, are mixed, and ValueError for a return
        that is not finite.
        """
        blocks = sorted((_block(result) for result in results), key=lambda block: block.order)
        games = sorted({(block.match.game, block.match.game_version) for block in blocks})
        if len(games) > 1:
            names = " and ".join(f"{game} (version {version})" for game, version in games[:2])
            raise InputError(f"results of {names} cannot be ranked together; choose one game")
        specs = {
            key: spec
            for block in blocks
            for key, spec in zip(block.match.entrants, block.match.specs, strict=True)
        }
        entrants = tuple(sorted(specs))
        number = {key: index for index, key in enumerate(entrants)}

        width = max((block.returns.shape[1] for block in blocks), default=2)
        leagues = {seed: i for i, seed in enumerate(sorted({b.match.seed for b in blocks}))}
        span = max((block.match.first_deal + block.match.deals for block in blocks), default=0)
        codes = [
            leagues[b.match.seed] * span + b.match.first_deal + np.arange(b.match.deals)
            for b in blocks
        ]
        deals, deal = np.unique(_joined(codes, np.int64), return_inverse=True)
        forfeits = np.zeros((len(entrants), 3), np.int64)
        lineups = []
        for block in blocks:
            who = np.array([number[key] for key in block.match.entrants])
            np.add.at(forfeits, who, block.forfeits)
            lineups.append(np.broadcast_to(who, block.returns.shape))
        return cls(
            game=games[0][0] if games else "",
            entrants=entrants,
            specs=tuple(specs[key] for key in entrants),
            deals=len(deals),
            deal=deal.astype(np.int64),
            lineup=_stack(lineups, width, np.int64, -1),
            returns=_stack([b.returns for b in blocks], width, np.float64, 0),
            tiebreaks=_stack([b.tiebreaks for b in blocks], width, np.float64, 0),
            episodes=_stack([b.episodes for b in blocks], width, np.int64, 0),
            forfeited=_stack([b.forfeited for b in blocks], width, np.bool_, False),
            forfeits=forfeits,
            solo=any(len(block.match.seatings[0]) == 1 for block in blocks),
        )

    @property
    def duels(self) -> bool:
        """Whether every contest was between two at one table."""
        return not self.solo and self.lineup.shape[1] == 2

    @cached_property
    def finishes(self) -> Ints:
        """Int64 ``(c, k)``: 1 for the best of a contest, ties equal, 0 where there is nobody.

        Who has forfeited is behind all who have not, whatever the chips say, and level with others
        who have. Else the higher return is ahead, and of equal returns the higher tiebreak.
        Amounts that differ by less than a billionth of the largest at stake are equal: totals of
        the same chips may be rounded differently.
        """
        here = self.lineup >= 0
        returns = np.where(self.forfeited, 0, _rounded(self.returns))
        tiebreaks = np.where(self.forfeited, 0, _rounded(self.tiebreaks))
        finishes = here.astype(np.int64)
        for other in range(self.lineup.shape[1]):
            behind = self.forfeited & ~self.forfeited[:, [other]]
            level = self.forfeited == self.forfeited[:, [other]]
            behind |= level & (returns < returns[:, [other]])
            level &= returns == returns[:, [other]]
            behind |= level & (tiebreaks < tiebreaks[:, [other]])
            finishes += behind & here & here[:, [other]]
        return finishes

    @cached_property
    def wins(self) -> csr_array:
        """Sparse float64 ``(d, n * n)``: how often row was ahead of column, ties counting half.

        A contest of many is all its pairs; two copies of one entrant are no pair.
        """
        finishes = self.finishes

        def score(a: int, b: int) -> Floats:
            scores: Floats = 0.5 + 0.5 * np.sign(finishes[:, b] - finishes[:, a])
            return scores

        return self._pairs(score)

    @cached_property
    def contests(self) -> csr_array:
        """Sparse float64 ``(d, n * n)``: how often row and column met."""
        n = len(self.entrants)
        return self.wins + self.wins[:, np.arange(n * n).reshape(n, n).T.ravel()]

    @cached_property
    def forfeits_by_pair(self) -> tuple[csr_array, csr_array, csr_array]:
        """Sparse float64 ``(d, n * n)``, thrice: contests not forfeited, won, lost by a forfeit.

        A contest that both forfeited is half won and half lost.
        """
        gave = self.forfeited.astype(np.float64)
        return (
            self._pairs(lambda a, b: (1 - gave[:, a]) * (1 - gave[:, b])),
            self._pairs(lambda a, b: gave[:, b] * (1 - gave[:, a] / 2)),
            self._pairs(lambda a, b: gave[:, a] * (1 - gave[:, b] / 2)),
        )

    @cached_property
    def gains(self) -> tuple[csr_array, csr_array]:
        """Sparse float64 ``(d, n * n)``, twice: row's return less column's, and its square.

        They are sums over contests. What is equal by the rule of ``finishes`` differs by 0.
        """
        rounded = _rounded(self.returns)

        def gain(a: int, b: int) -> Floats:
            gains: Floats = self.returns[:, a] - self.returns[:, b]
            return np.where(rounded[:, a] == rounded[:, b], 0, gains)

        return self._pairs(gain), self._pairs(lambda a, b: gain(a, b) ** 2)

    @cached_property
    def earnings(self) -> tuple[csr_array, csr_array]:
        """Sparse float64 ``(d, n)``, twice: what each entrant earned, in how many episodes."""
        here = self.lineup >= 0
        where = (np.broadcast_to(self.deal[:, None], here.shape)[here], self.lineup[here])
        shape = (self.deals, len(self.entrants))
        return (
            csr_array((self.returns[here], where), shape=shape),
            csr_array((self.episodes[here].astype(np.float64), where), shape=shape),
        )

    @cached_property
    def payoffs(self) -> tuple[csr_array, csr_array]:
        """Sparse float64 ``(d, n * n)``, twice: row's earnings against column, and the episodes.

        In a duel they are row's return. Where entrants play alone, or with others at the table,
        they are row's return less column's.
        """
        share = 0.0 if self.duels else 1.0
        earned = self._pairs(lambda a, b: self.returns[:, a] - share * self.returns[:, b])
        return earned, self._pairs(lambda a, b: self.episodes[:, a].astype(np.float64))

    def sessions(self, session: int) -> Log:
        """The log in which a contest is what one lineup did on up to ``session`` of its deals.

        Each lineup's deals are taken in their order and cut into sessions of nearly equal length.
        One who has forfeited most of a session's deals has forfeited the session.
        """
        lineup, group = np.unique(self.lineup, axis=0, return_inverse=True)
        group = group.ravel()
        order = np.lexsort((self.deal, group))
        played = np.bincount(group, minlength=len(lineup))
        at = np.arange(len(order)) - np.repeat(np.cumsum(played) - played, played)
        number = at * -(-played // session)[group[order]] // played[group[order]]
        keys = np.stack([group[order], number], axis=1)
        whole, contest = np.unique(keys, axis=0, return_inverse=True)
        adder = csr_array(
            (np.ones(len(order)), (contest.ravel(), order)), shape=(len(whole), len(order))
        )
        deals = adder.sum(axis=1)
        return replace(
            self,
            deals=len(whole),
            deal=np.arange(len(whole)),
            lineup=lineup[whole[:, 0]],
            returns=adder @ self.returns,
            tiebreaks=adder @ self.tiebreaks,
            episodes=(adder @ self.episodes).astype(np.int64),
            forfeited=adder @ self.forfeited.astype(np.float64) > deals[:, None] / 2,
        )

    def by_row(self, pairs: csr_array) -> csr_array:
        """``(d, n * n)`` summed over columns: sparse ``(d, n)``."""
        n = len(self.entrants)
        return pairs @ csr_array(np.repeat(np.eye(n), n, axis=0))

    def _pairs(self, value: Callable[[int, int], Floats]) -> csr_array:
        """``value(a, b)`` of all pairs of places, summed by deal and pair of entrants."""
        n, places = len(self.entrants), range(self.lineup.shape[1])
        deals, cells, values = [], [], []
        for a, b in ((a, b) for a in places for b in places if a != b):
            row, column = self.lineup[:, a], self.lineup[:, b]
            met = (row >= 0) & (column >= 0) & (row != column)
            deals.append(self.deal[met])
            cells.append((row * n + column)[met])
            values.append(value(a, b)[met])
        where = (_joined(deals, np.int64), _joined(cells, np.int64))
        return csr_array((_joined(values, np.float64), where), shape=(self.deals, n * n))


@dataclass(frozen=True)
class _Block:
    """One result's contests; ``order`` sorts blocks by who met and on which deals."""

    match: Match
    order: tuple[tuple[str, ...], int, int, str]
    returns: Floats
    tiebreaks: Floats
    episodes: Ints
    forfeited: NDArray[np.bool_]
    forfeits: Ints


def _block(result: Result) -> _Block:
    match = result.match
    deals, entrants = match.deals, len(match.entrants)
    returns, tiebreaks = np.zeros((2, deals, entrants))
    episodes = np.zeros(entrants, np.int64)
    forfeited = np.zeros((deals, entrants), np.bool_)
    forfeits = np.zeros((entrants, 3), np.int64)
    kinds = (Status.ILLEGAL, Status.CRASH, Status.TIMEOUT)
    for turn, seating in enumerate(match.seatings):
        for seat, entrant in enumerate(seating):
            statuses = result.statuses[:, turn, seat]
            returns[:, entrant] += result.returns[:, turn, seat]
            tiebreaks[:, entrant] += result.tiebreaks[:, turn, seat]
            episodes[entrant] += 1
            forfeited[:, entrant] |= statuses != Status.DONE
            forfeits[entrant] += [np.count_nonzero(statuses == kind) for kind in kinds]
    if not (np.isfinite(returns).all() and np.isfinite(tiebreaks).all()):
        raise ValueError(f"match {match.id} of {match.game} has a return that is not finite")
    return _Block(
        match=match,
        order=(tuple(sorted(match.entrants)), match.seed, match.first_deal, match.id),
        returns=returns,
        tiebreaks=tiebreaks,
        episodes=np.broadcast_to(episodes, returns.shape),
        forfeited=forfeited,
        forfeits=forfeits,
    )


def _joined(parts: list[NDArray[Any]], dtype: type) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, dtype), *parts])


def _stack(parts: list[NDArray[Any]], width: int, dtype: type, fill: int) -> NDArray[Any]:
    """The parts below one another, each filled up to ``width`` columns."""
    stacked: NDArray[Any] = np.full((sum(map(len, parts)), width), fill, dtype)
    at = 0
    for part in parts:
        stacked[at : at + len(part), : part.shape[1]] = part
        at += len(part)
    return stacked


def _rounded(amounts: Floats) -> Floats:
    """Each contest's amounts on a grid of some billionths of the largest."""
    largest = np.abs(amounts).max(axis=1, keepdims=True, initial=0)
    # The grid is irrational so that no ratio of chips lies on the edge between two of its cells.
    rounded: Floats = np.rint(amounts / np.where(largest > 0, largest, 1) * (1e9 / np.pi))
    return rounded
