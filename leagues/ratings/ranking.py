"""A league's ranking: all that the command line's table, the JSON and the viewer show of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.leagues.metagame import alpha_rank, maximum_entropy_nash, transitivity
from arena.leagues.ratings import bradley_terry, estimates
from arena.leagues.ratings.bootstrap import LEVEL, interval, resample
from arena.leagues.ratings.bradley_terry import Model
from arena.leagues.ratings.cells import Cells, Floats, Ints, Pairs
from arena.leagues.ratings.estimates import Estimate, Estimates, plain
from arena.leagues.ratings.log import Log
from arena.leagues.ratings.ranks import Comparison
from arena.leagues.ratings.skill import Skill, skills
from arena.leagues.ratings.tally import Tally, gained, won


@dataclass(frozen=True)
class Standing:
    """One entrant's row of a ranking.

    Attributes:
        agent, spec: identity key and spec.
        rank: 1 for the highest rating; equal ratings share the better rank.
        rank_low, rank_high: the best and the worst rank that is possible. At 95 % those of all
            entrants hold together.
        own_rank_low, own_rank_high: the same for this entrant by itself: at 95 % its own holds.
        settled: whether it has played a session's deals. Who has not is compared with those who
            have, and changes nothing about them.
        rating: Elo-like points: 400 for odds of ten to one, 1500 for who would score ½ on average.
        win_rate: share of contests won, ties half, against whomever it met.
        payoff: mean return an episode, in ``Ranking.unit``, against whomever it met.
        nash: what it earns an episode against the Nash mixture, in ``Ranking.unit``; None where
            there is none.
        share: its share of that mixture.
        evolution: its share of α-Rank's stationary distribution (α infinite).
        deals, episodes: how many it played.
        forfeits: episodes it forfeited, by kind: illegal, crash, timeout.
        skill: openskill's view of many-seat tables, else None.
    """

    agent: str
    spec: str
    rank: int
    rank_low: int
    rank_high: int
    own_rank_low: int
    own_rank_high: int
    settled: bool
    rating: Estimate
    win_rate: Estimate
    payoff: Estimate
    nash: Estimate | None
    share: float | None
    evolution: float | None
    deals: int
    episodes: int
    forfeits: dict[str, int]
    skill: Skill | None

    def to_json(self) -> dict[str, Any]:
        """Plain values; None where a number is not finite."""
        facts = {**vars(self), "skill": asdict(self.skill) if self.skill else None}
        return {
            name: fact.to_json() if isinstance(fact, Estimate) else fact
            for name, fact in facts.items()
        }


@dataclass(frozen=True)
class Ranking:
    """The standings, best first, and what lies behind them.

    The matrices' rows and columns are the agents in the order of ``standings``.

    Attributes:
        game: canonical spec; "" for an empty log.
        unit: of all payoffs.
        deals, samples: how many deals were played and how many resamples the intervals are from.
        session: of how many deals a contest is: 1 where deals are won, else see
            ``arena.leagues.ratings.tally``.
        payoff: what row earned an episode against column; see ``payoff_is``.
        payoff_is: "return" where two meet at a table. "difference", row's return less column's,
            where entrants play alone on the same deals or with others at the table.
        win_rate: the share of contests in which row finished ahead of column, ties half; where
            ``session`` is above 1, the share of sessions after which row is ahead.
        stronger: float64, the probability that row is stronger than column; NaN on the diagonal.
        clear: bool, whether row is stronger than column beyond doubt: at 95 % all that it says
            holds together. ``rank_low`` and ``rank_high`` are counted from it.
        alike: pairs of rows of ``standings`` whose entrants earn nearly the same against everybody.
        transitive: how much of the payoffs, squared, a ladder explains; the rest goes round. None
            where some have not met, or nobody earns anything.
        uneven: whether the deals of some pair differ much in how much is won on them.
    """

    game: str
    unit: str
    deals: int
    samples: int
    session: int
    standings: tuple[Standing, ...]
    payoff: Estimates
    payoff_is: str
    win_rate: Estimates
    stronger: Floats
    clear: NDArray[np.bool_]
    alike: tuple[tuple[int, int], ...]
    transitive: float | None
    uneven: bool

    def to_json(self) -> dict[str, Any]:
        """Plain values; None where a number is not finite."""
        return {
            "game": self.game,
            "unit": self.unit,
            "deals": self.deals,
            "samples": self.samples,
            "session": self.session,
            "level": LEVEL,
            "standings": [standing.to_json() for standing in self.standings],
            "payoff": self.payoff.to_json(),
            "payoff_is": self.payoff_is,
            "win_rate": self.win_rate.to_json(),
            "stronger": plain(self.stronger),
            "clear": self.clear.tolist(),
            "alike": [list(rows) for rows in self.alike],
            "transitive": self.transitive,
        }


def summarise(
    log: Log,
    *,
    seed: int,
    session: int = 1,
    samples: int = 1000,
    unit: str = "points",
    unit_scale: float = 1.0,
) -> Ranking:
    """Rank the entrants of ``log``.

    Args:
        seed: of the resampling; equal logs and seeds give equal rankings.
        session: how many deals make a contest: 1 where a deal is won or lost; where a deal is about
            how much, after how many it is seen who is ahead.
        samples: how many resamples of the deals the intervals are from.
        unit, unit_scale: what payoffs are reported in, and a return's worth in it (see ``Game``).

    An empty log has an empty ranking. An entrant without opponents has rating 1500 and an infinite
    interval.
    """
    n, pairs = len(log.entrants), log.pairs
    tally = Tally.of(log, session)
    earned, amounts, episodes = log.earned
    payoff = estimates.means(earned, amounts, episodes, unit_scale)
    settled = settlers(earned.deals, session)

    model = Model(n, pairs.i, pairs.j, settled)
    cuts = [len(tally.deals)]
    (sample,) = resample(tally, model.prior, seed=seed, samples=samples, cuts=cuts)
    theta = model.fit(sample.won, sample.lost)
    draws = model.fit(*sample.resampled)
    own, each = _win_rates(log, tally, sample.resampled)
    low, high = interval(draws, own.deals)
    rating = Estimates(
        bradley_terry.rating(theta[:, 0]),
        bradley_terry.POINTS * draws.std(axis=1),
        bradley_terry.rating(low),
        bradley_terry.rating(high),
        own.deals,
    )
    compared = Comparison(theta[:, 0], draws, own.deals, pairs.groups, both_sides=session > 1)
    payoffs = _payoffs(log, unit_scale)
    above = MetaGame.of(log, unit_scale)
    # Two copies of one agent tie exactly, but the fit ends a rounding error apart.
    shown = np.round(rating.value, 6)
    order = np.lexsort((np.arange(n), -shown))
    many = log.lineup.shape[1] > 2 and not log.solo
    skill = skills(log.sessions(session), seed=seed) if many else [None] * n
    ranks, own_ranks = compared.ranks, compared.own_ranks
    played = earned.total(episodes).astype(np.int64)

    def standing(i: int) -> Standing:
        return Standing(
            agent=log.entrants[i],
            spec=log.specs[i],
            rank=1 + int((shown > shown[i]).sum()),
            rank_low=int(ranks[0][i]),
            rank_high=int(ranks[1][i]),
            own_rank_low=int(own_ranks[0][i]),
            own_rank_high=int(own_ranks[1][i]),
            settled=bool(settled[i]),
            rating=rating[i],
            win_rate=own[i],
            payoff=payoff[i],
            nash=above.against[i] if above else None,
            share=float(above.mixture[i]) if above else None,
            evolution=float(above.evolution[i]) if above else None,
            deals=int(payoff.deals[i]),
            episodes=int(played[i]),
            forfeits=dict(
                zip(("illegal", "crash", "timeout"), log.forfeits[i].tolist(), strict=True)
            ),
            skill=skill[i],
        )

    cells = np.ix_(order, order)
    return Ranking(
        game=log.game,
        unit=unit,
        deals=log.deals,
        samples=samples,
        session=session,
        standings=tuple(standing(i) for i in order),
        payoff=_matrix(pairs, *payoffs, order),
        payoff_is="return" if log.duels else "difference",
        win_rate=_matrix(pairs, each, _reversed(each), order),
        stronger=compared.stronger[cells],
        clear=compared.clear[cells],
        alike=alike(_matrix(pairs, *payoffs, order)),
        transitive=above.transitive if above else None,
        uneven=_uneven(log),
    )


# Who earns the same to within this share of what is usually earned plays alike.
_ALIKE = 0.1


def alike(payoff: Estimates) -> tuple[tuple[int, int], ...]:
    """Pairs of rows that earn nearly the same against all opponents that both have met.

    Their differences are below a tenth of what a row usually earns or loses against a column (root
    mean square), to the far ends of both 95 % intervals, and there are two such opponents at least.
    Deals on which both earned exactly the same show in neither interval, so copies that play alike
    to the chip are found early and others late.
    """
    met = payoff.deals > 0
    usual = np.sqrt(np.nanmean(payoff.value**2)) if met.any() else 0.0
    half = (payoff.high - payoff.low) / 2
    found = []
    for i in range(len(met)):
        columns, others = np.flatnonzero(met[i]), np.s_[i + 1 :]
        value, error, width = (
            (table[i, columns], table[others, columns])
            for table in (payoff.value, payoff.error, half)
        )
        both = met[others, columns]
        apart = np.abs(value[0] - value[1])
        same = (apart == 0) & (error[0] == error[1])
        near = apart + np.where(same, 0, width[0] + width[1]) < _ALIKE * usual
        rows = (near | ~both).all(axis=1) & (both.sum(axis=1) > 1)
        found += [(i, i + 1 + int(j)) for j in np.flatnonzero(rows)]
    return tuple(found)


def _uneven(log: Log) -> bool:
    """Whether some won deals are worth twice as much as others of the same pair."""
    size = np.abs(gained(log))
    pair, size = log.pairs.cells.column[log.pairs.cells.row][size > 0], size[size > 0]
    least = np.full(len(log.pairs.i), np.inf)
    most = np.zeros(len(log.pairs.i))
    np.minimum.at(least, pair, size)
    np.maximum.at(most, pair, size)
    return bool((most > 2 * least).any())


def settlers(deals: Ints, session: int) -> NDArray[np.bool_]:
    """Who has played a session's deals; everybody where fewer than two have."""
    settled: NDArray[np.bool_] = deals >= session
    return settled if settled.sum() > 1 else np.ones(len(deals), np.bool_)


def _win_rates(
    log: Log, tally: Tally, resampled: tuple[Floats, Floats]
) -> tuple[Estimates, Estimates]:
    """Each entrant's share of contests won, and of each pair i's."""
    pairs = log.pairs
    entrants = pairs.entrants
    if tally.session == 1:
        wins = won(log)
        once = np.ones(len(wins))
        return (
            estimates.win_rates(
                entrants,
                entrants.add(np.concatenate([wins, 1 - wins])),
                entrants.add(np.concatenate([once, once])),
            ),
            estimates.win_rates(pairs.cells, pairs.cells.add(wins), pairs.cells.add(once)),
        )
    contests = tally.wins(tally.sums.sum(axis=0)[:, None])

    who = np.concatenate([pairs.i, pairs.j])
    adder = csr_array((np.ones(len(who)), (who, np.arange(len(who)))), shape=(pairs.n, len(who)))

    def of_all(wins: Floats, losses: Floats) -> tuple[Floats, Floats]:
        return adder @ np.concatenate([wins, losses]), adder @ np.concatenate([losses, wins])

    wins, losses = (part[:, 0] for part in of_all(*contests))
    return (
        estimates.shares(wins, losses, of_all(*resampled), entrants.deals),
        estimates.shares(contests[0][:, 0], contests[1][:, 0], resampled, pairs.cells.deals),
    )


def _reversed(rates: Estimates) -> Estimates:
    """The shares of the others of each pair."""
    return Estimates(1 - rates.value, rates.error, 1 - rates.high, 1 - rates.low, rates.deals)


def _payoffs(log: Log, scale: float) -> tuple[Estimates, Estimates]:
    """Of each pair what i earns against j, and j against i.

    In a duel that is its return. Where entrants play alone, or with others at the table, it is its
    return less the other's.
    """
    pairs = log.pairs
    other = 0.0 if log.duels else 1.0
    first, second = pairs.of_both(log.returns)
    episodes = pairs.of_both(log.episodes)
    both = ((first - other * second, episodes[0]), (second - other * first, episodes[1]))
    upper, lower = (
        estimates.means(pairs.cells, pairs.cells.add(amount), pairs.cells.add(count), scale)
        for amount, count in both
    )
    return upper, lower


@dataclass(frozen=True)
class MetaGame:
    """The game above the game, where all have met all.

    Its payoffs are half of row's return less column's in a duel (row's return, where one wins what
    the other loses), else all of it.

    Attributes:
        mixture: float64 ``(n,)``, the maximum-entropy Nash mixture.
        against: what each earns against it. The intervals take the mixture as given.
        evolution: float64 ``(n,)``, α-Rank's stationary distribution.
        transitive: see ``Ranking``.
    """

    mixture: Floats
    against: Estimates
    evolution: Floats
    transitive: float | None

    @classmethod
    def of(cls, log: Log, scale: float) -> MetaGame | None:
        """That of a log, a return being worth ``scale``; None where some have not met."""
        pairs, n = log.pairs, len(log.entrants)
        if n < 2 or 2 * len(pairs.i) < n * (n - 1):
            return None
        cells = pairs.cells
        first, second = pairs.of_both(log.returns)
        gain = cells.add((first - second) * (scale / 2 if log.duels else scale))
        count = cells.add(pairs.of_both(log.episodes)[0])
        total = cells.total(count)
        payoff = cells.total(gain) / total
        table = pairs.matrix(payoff, -payoff, 0)
        mixture = maximum_entropy_nash(table)
        part = (gain - payoff[cells.column] * count) / total[cells.column]
        part[np.abs(part) * total[cells.column] <= 1e-9 * np.abs(gain)] = 0  # rounding
        i, j = pairs.i[cells.column], pairs.j[cells.column]
        entrants = Cells.of(np.tile(cells.deal, 2), np.concatenate([i, j]), n)
        parts = entrants.add(np.concatenate([part * mixture[j], -part * mixture[i]]))
        against = estimates.spread(entrants, table @ mixture, parts)
        return cls(mixture, against, alpha_rank(table), plain(transitivity(table)))


def _matrix(pairs: Pairs, upper: Estimates, lower: Estimates, order: Ints) -> Estimates:
    """Estimates of i and of j against each other as ``(n, n)``, rows and columns in ``order``."""
    cells = np.ix_(order, order)

    def table(name: str) -> Floats:
        return pairs.matrix(getattr(upper, name), getattr(lower, name))[cells]

    deals = np.nan_to_num(table("deals")).astype(np.int64)
    return Estimates(table("value"), table("error"), table("low"), table("high"), deals)


def alarms(ranking: Ranking, nulls: Collection[str], yardstick: str) -> tuple[str, ...]:
    """The agents of ``nulls`` that are clearly stronger than the agent ``yardstick``, best first.

    A player that does nothing sensible must not beat one that plays at random; where it does, look
    for a fault in the game, the scoring or the schedule. Empty where ``yardstick`` did not play.
    """
    agents = [standing.agent for standing in ranking.standings]
    if yardstick not in agents:
        return ()
    at = agents.index(yardstick)
    return tuple(a for i, a in enumerate(agents) if a in nulls and ranking.clear[i, at])
