"""A league's log as arrays: who met whom on which deal, and what each came away with.

A *contest* here is one lineup on one deal, all its seatings together. It is what a result says that
bears on strength: the luck of the cards and of the seats is shared by those who meet in it.
(``arena.leagues.ratings.tally`` makes sessions of many deals of them.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.envs.errors import InputError
from arena.leagues.match import Match, Result, Status
from arena.leagues.ratings.cells import Cells, Floats, Ints, Pairs, numbered

_KINDS = (Status.ILLEGAL, Status.CRASH, Status.TIMEOUT)


@dataclass(frozen=True)
class Log:
    """Every contest of a league, in an order that does not depend on the order of play.

    Axes: contest ``c``, place in the lineup ``k``, entrant ``n``, deal ``d``. A lineup shorter than
    the longest is filled up with entrant -1.

    Attributes:
        game, version: canonical spec of the one game that was played and the version of its rules;
            "" and 0 where nothing was.
        entrants, specs: ``n`` identity keys, sorted, and the agents' specs.
        seeds, numbers: uint64 and int64 ``(d,)``, what the deals are known by: the league's seed
            and the deal's number, in this order.
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
    version: int
    entrants: tuple[str, ...]
    specs: tuple[str, ...]
    seeds: NDArray[np.uint64]
    numbers: Ints
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
        groups: defaultdict[tuple[tuple[int, ...], ...], list[Result]] = defaultdict(list)
        for result in results:
            groups[result.match.seatings].append(result)
        log = cls._empty()
        for group in groups.values():
            log = log.plus(cls._group(group))
        return log

    def plus(self, other: Log) -> Log:
        """This log and the results of another; the same as ``of`` all of them."""
        if not other.game or not self.game:
            return self if self.game else other
        games = sorted({(self.game, self.version), (other.game, other.version)})
        if len(games) > 1:
            names = " and ".join(f"{game} (version {version})" for game, version in games)
            raise InputError(f"results of {names} cannot be ranked together; choose one game")
        specs = dict(zip(self.entrants + other.entrants, self.specs + other.specs, strict=True))
        entrants = tuple(sorted(specs))
        number = {key: index for index, key in enumerate(entrants)}
        # The last is the nobody whose number is -1.
        who = [np.array([number[key] for key in log.entrants] + [-1]) for log in (self, other)]
        forfeits = np.zeros((len(entrants), 3), np.int64)
        for log, renumber in zip((self, other), who, strict=True):
            forfeits[renumber[:-1]] += log.forfeits
        seeds, seed = np.unique(np.concatenate([self.seeds, other.seeds]), return_inverse=True)
        numbers = np.concatenate([self.numbers, other.numbers])
        span = int(numbers.max()) + 1
        codes, where = numbered(seed * span + numbers, len(seeds) * span)
        width = max(self.lineup.shape[1], other.lineup.shape[1])

        def joined(name: str, fill: int) -> NDArray[Any]:
            return np.concatenate([_wide(getattr(log, name), width, fill) for log in (self, other)])

        lineup = np.concatenate(
            [
                renumber[_wide(log.lineup, width, -1)]
                for log, renumber in zip((self, other), who, strict=True)
            ]
        )
        return Log(
            game=self.game,
            version=self.version,
            entrants=entrants,
            specs=tuple(specs[key] for key in entrants),
            seeds=seeds[codes // span],
            numbers=codes % span,
            deal=where[np.concatenate([self.deal, other.deal + len(self.seeds)])],
            lineup=lineup,
            returns=joined("returns", 0),
            tiebreaks=joined("tiebreaks", 0),
            episodes=joined("episodes", 0),
            forfeited=joined("forfeited", 0),
            forfeits=forfeits,
            solo=self.solo or other.solo,
        )._sorted()

    @classmethod
    def _empty(cls) -> Log:
        none = np.zeros(0, np.int64)
        places = np.zeros((0, 2))
        return cls(
            game="",
            version=0,
            entrants=(),
            specs=(),
            seeds=none.astype(np.uint64),
            numbers=none,
            deal=none,
            lineup=places.astype(np.int64),
            returns=places,
            tiebreaks=places,
            episodes=places.astype(np.int64),
            forfeited=places.astype(np.bool_),
            forfeits=np.zeros((0, 3), np.int64),
            solo=False,
        )

    @classmethod
    def _group(cls, results: Sequence[Result]) -> Log:
        """The log of results that all have the same seatings."""
        matches = [result.match for result in results]
        games = sorted({(match.game, match.game_version) for match in matches})
        if len(games) > 1:
            names = " and ".join(f"{game} (version {version})" for game, version in games[:2])
            raise InputError(f"results of {names} cannot be ranked together; choose one game")
        specs = {
            key: spec
            for match in matches
            for key, spec in zip(match.entrants, match.specs, strict=True)
        }
        entrants = tuple(sorted(specs))
        number = {key: index for index, key in enumerate(entrants)}
        lineups = np.array([[number[key] for key in match.entrants] for match in matches])
        deals = np.array([match.deals for match in matches])
        firsts = np.array([match.first_deal for match in matches])
        seeds, seed = np.unique(
            np.array([match.seed for match in matches], np.uint64), return_inverse=True
        )
        within = np.arange(deals.sum()) - np.repeat(np.cumsum(deals) - deals, deals)
        span = int((firsts + deals).max())
        codes = np.repeat(seed * span + firsts, deals) + within
        played, deal = numbered(codes, len(seeds) * span)

        seatings = matches[0].seatings
        shape = (len(codes), lineups.shape[1])
        returns, tiebreaks = np.zeros((2, *shape))
        episodes = np.zeros(shape[1], np.int64)
        kinds = np.zeros((*shape, len(_KINDS)), np.int64)
        joined = [
            np.concatenate([getattr(result, name) for result in results])
            for name in ("returns", "tiebreaks", "statuses")
        ]
        for turn, seating in enumerate(seatings):
            for seat, entrant in enumerate(seating):
                returns[:, entrant] += joined[0][:, turn, seat]
                tiebreaks[:, entrant] += joined[1][:, turn, seat]
                episodes[entrant] += 1
                kinds[:, entrant] += joined[2][:, turn, seat, None] == _KINDS
        _check(returns, tiebreaks, matches, deals)
        lineup = np.repeat(lineups, deals, axis=0)
        forfeits = np.zeros((len(entrants), len(_KINDS)), np.int64)
        np.add.at(forfeits, lineups, np.add.reduceat(kinds, np.cumsum(deals) - deals))
        return cls(
            game=games[0][0],
            version=games[0][1],
            entrants=entrants,
            specs=tuple(specs[key] for key in entrants),
            seeds=seeds[played // span],
            numbers=played % span,
            deal=deal,
            lineup=lineup,
            returns=returns,
            tiebreaks=tiebreaks,
            episodes=np.broadcast_to(episodes, shape).copy(),
            forfeited=kinds.sum(axis=2) > 0,
            forfeits=forfeits,
            solo=len(seatings[0]) == 1,
        )._sorted()

    def _sorted(self) -> Log:
        """The same contests by deal and lineup; of equal ones, by what came of them."""
        keys = [self.deal]
        for column in self.lineup.T:
            if (int(keys[-1].max(initial=0)) + 2) * (len(self.entrants) + 1) < 2**62:
                keys[-1] = keys[-1] * (len(self.entrants) + 1) + column + 1
            else:
                keys.append(column)
        order = np.lexsort(keys[::-1])
        if np.all([np.diff(key[order]) == 0 for key in keys], axis=0).any():
            order = np.lexsort((*self.tiebreaks.T, *self.returns.T, *keys[::-1]))
        names = ("deal", "lineup", "returns", "tiebreaks", "episodes", "forfeited")
        return replace(self, **{name: getattr(self, name)[order] for name in names})

    @property
    def deals(self) -> int:
        """How many different deals were played; contests refer to them by number."""
        return len(self.seeds)

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
        returns = np.where(self.forfeited, 0, rounded(self.returns))
        tiebreaks = np.where(self.forfeited, 0, rounded(self.tiebreaks))
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
    def pairs(self) -> Pairs:
        """The pairs of entrants that met, and what each contest was for each of its pairs."""
        return Pairs.of(self.deal, self.lineup, len(self.entrants))

    @cached_property
    def earned(self) -> tuple[Cells, Floats, Floats]:
        """By deal and entrant: the cells, what was earned in each, in how many episodes."""
        here = self.lineup >= 0
        deal = np.broadcast_to(self.deal[:, None], here.shape)[here]
        cells = Cells.of(deal, self.lineup[here], len(self.entrants))
        episodes = self.episodes[here].astype(np.float64)
        return cells, cells.add(self.returns[here]), cells.add(episodes)

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
            seeds=np.zeros(len(whole), np.uint64),
            numbers=np.arange(len(whole)),
            deal=np.arange(len(whole)),
            lineup=lineup[whole[:, 0]],
            returns=adder @ self.returns,
            tiebreaks=adder @ self.tiebreaks,
            episodes=(adder @ self.episodes).astype(np.int64),
            forfeited=adder @ self.forfeited.astype(np.float64) > deals[:, None] / 2,
        )


def rounded(amounts: Floats) -> Floats:
    """Each contest's amounts on a grid of some billionths of the largest."""
    largest = np.abs(amounts).max(axis=1, keepdims=True, initial=0)
    # The grid is irrational so that no ratio of chips lies on the edge between two of its cells.
    whole: Floats = np.rint(amounts / np.where(largest > 0, largest, 1) * (1e9 / np.pi))
    return whole


def _check(returns: Floats, tiebreaks: Floats, matches: Sequence[Match], deals: Ints) -> None:
    finite = np.isfinite(returns).all(axis=1) & np.isfinite(tiebreaks).all(axis=1)
    if not finite.all():
        match = matches[int(np.repeat(np.arange(len(deals)), deals)[~finite][0])]
        raise ValueError(f"match {match.id} of {match.game} has a return that is not finite")


def _wide(array: NDArray[Any], width: int, fill: int) -> NDArray[Any]:
    """``array`` with columns of ``fill`` up to ``width``."""
    missing = width - array.shape[1]
    return np.pad(array, ((0, 0), (0, missing)), constant_values=fill) if missing else array
