"""A league's ranking: all that the command line's table, the JSON and the viewer show of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.leagues.ratings import bradley_terry, estimates
from arena.leagues.ratings.bootstrap import LEVEL, interval, reach, resample
from arena.leagues.ratings.estimates import Estimate, Estimates, plain
from arena.leagues.ratings.log import Floats, Ints, Log
from arena.leagues.ratings.skill import Skill, skills
from arena.leagues.ratings.tally import Tally


@dataclass(frozen=True)
class Standing:
    """One entrant's row of a ranking.

    Attributes:
        agent, spec: identity key and spec.
        rank: 1 for the highest rating; equal ratings share the better rank.
        rank_low, rank_high: the best and the worst rank that the comparisons with all others
            leave open, together at 95 %.
        rating: Elo-like points: 400 for odds of ten to one, 1500 for who would score ½ on average.
        win_rate: share of contests won, ties half, against whomever it met.
        payoff: mean return an episode, in ``Ranking.unit``.
        deals, episodes: how many it played.
        forfeits: episodes it forfeited, by kind: illegal, crash, timeout.
        skill: openskill's view of many-seat tables, else None.
    """

    agent: str
    spec: str
    rank: int
    rank_low: int
    rank_high: int
    rating: Estimate
    win_rate: Estimate
    payoff: Estimate
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
            ``session`` is above 1, the estimated probability of being ahead after a session.
        stronger: float64, the probability that row is stronger than column; NaN on the diagonal.
        clear: bool, whether row is stronger than column beyond doubt: the ranks' intervals are
            counted from it, so that row's comparisons with all others hold together at 95 %.
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
        session: how many deals make a contest (``Game.session``): 1 where a deal is won or lost;
            where a deal is about how much, the most that are added up to see who is ahead.
        samples: how many resamples of the deals the intervals are from.
        unit, unit_scale: what payoffs are reported in, and a return's worth in it (see ``Game``).

    An empty log has an empty ranking. An entrant without opponents has rating 1500 and an infinite
    interval.
    """
    n = len(log.entrants)
    tally = Tally.of(log, session)
    amounts, episodes = log.earnings
    payoff = estimates.means(amounts, episodes, unit_scale)

    ((wins, resampled),) = resample(tally, seed=seed, samples=samples, cuts=[log.deals])
    win_rate, win_rates = _win_rates(log, tally, resampled)
    theta = bradley_terry.fit(wins)
    draws = bradley_terry.fit(resampled, start=theta)
    low, high = interval(draws, win_rate.deals)
    rating = Estimates(
        bradley_terry.rating(theta),
        bradley_terry.POINTS * draws.std(axis=0),
        bradley_terry.rating(low),
        bradley_terry.rating(high),
        win_rate.deals,
    )
    stronger, clear = compare(theta, draws, win_rate.deals)
    # Two copies of one agent tie exactly, but the fit ends a rounding error apart.
    shown = np.round(rating.value, 6)
    order = np.lexsort((np.arange(n), -shown))
    many = log.lineup.shape[1] > 2 and not log.solo
    skill = skills(log.sessions(tally.session), seed=seed) if many else [None] * n

    def standing(i: int) -> Standing:
        return Standing(
            agent=log.entrants[i],
            spec=log.specs[i],
            rank=1 + int((shown > shown[i]).sum()),
            rank_low=1 + int(clear[:, i].sum()),
            rank_high=n - int(clear[i].sum()),
            rating=rating[i],
            win_rate=win_rate[i],
            payoff=payoff[i],
            deals=int(payoff.deals[i]),
            episodes=int(episodes.sum(axis=0)[i]),
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
        session=tally.session,
        standings=tuple(standing(i) for i in order),
        payoff=estimates.means(*log.payoffs, unit_scale).matrix(order),
        payoff_is="return" if log.duels else "difference",
        win_rate=win_rates.matrix(order),
        stronger=stronger[cells],
        clear=clear[cells],
    )


def _win_rates(log: Log, tally: Tally, resampled: Floats) -> tuple[Estimates, Estimates]:
    """Each entrant's win rate, and each pair's."""
    if tally.session == 1:
        return (
            estimates.win_rates(log.by_row(log.wins), log.by_row(log.contests)),
            estimates.win_rates(log.wins, log.contests),
        )
    wins = tally.wins(tally.sums.sum(axis=0))
    losses, lost = wins.T, resampled.transpose(0, 2, 1)
    flat = (len(resampled), len(log.entrants) ** 2)
    return (
        estimates.shares(
            wins.sum(axis=1),
            losses.sum(axis=1),
            (resampled.sum(axis=2), lost.sum(axis=2)),
            log.by_row(log.contests),
        ),
        estimates.shares(
            wins.ravel(),
            losses.ravel(),
            (resampled.reshape(flat), lost.reshape(flat)),
            log.contests,
        ),
    )


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


def compare(theta: Floats, draws: Floats, deals: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """The probability that row is stronger than column, and whether it is so beyond doubt.

    A rank depends on n - 1 comparisons. To hold together at 95 % each has to hold at Bonferroni's
    level, further out than resamples reach: the distance from the estimate to the lower end of the
    95 % interval is lengthened by the ratio of the quantiles (cf. Mogstad, Romano, Shaikh, Wilhelm,
    Review of Economic Studies 91, 2024, on why ranks need this).
    """
    n = len(theta)
    gaps = draws[:, :, None] - draws[:, None, :]
    stronger = (gaps > 0).mean(axis=0) + 0.5 * (gaps == 0).mean(axis=0)
    np.fill_diagonal(stronger, np.nan)
    both = np.minimum(deals[:, None], deals)
    gap = theta[:, None] - theta
    low, _ = interval(gaps, both)
    known = both > 1
    low, both = np.where(known, low, 0), np.maximum(both, 2)
    further = reach(both, (1 - LEVEL) / 2 / max(1, n - 1)) / reach(both)
    clear = known & (gap > 1e-9) & (gap > (gap - low) * further)
    return stronger, clear
