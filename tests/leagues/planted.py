"""Leagues whose truth is known, for the tests of ratings."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.sparse import csr_array
from scipy.special import ndtr

from arena.leagues.match import Match, Result, Status, seatings
from arena.leagues.ratings.bradley_terry import Model
from arena.leagues.ratings.cells import Cells, Pairs
from arena.leagues.ratings.tally import Tally


def result(
    entrants,
    returns,
    *,
    tiebreaks=None,
    statuses=None,
    first_deal=0,
    seed=1,
    game="coin",
    version=1,
) -> Result:
    """A result with these returns, ``(deals, seatings, seats)``."""
    returns = np.asarray(returns, np.float64)
    deals, _, seats = returns.shape
    match = Match(
        game=game,
        game_version=version,
        entrants=tuple(entrants),
        specs=tuple(f"spec-of-{key}" for key in entrants),
        seed=seed,
        first_deal=first_deal,
        deals=deals,
        seatings=seatings(seats, len(entrants)),
    )
    return Result(
        match=match,
        returns=returns,
        tiebreaks=np.zeros_like(returns) if tiebreaks is None else np.asarray(tiebreaks, float),
        statuses=np.full(returns.shape, Status.DONE, np.uint8)
        if statuses is None
        else np.asarray(statuses, np.uint8),
        decisions=returns.size,
        seconds=0.0,
        replay=b"",
    )


def duel(a, b, gains, **facts) -> Result:
    """A zero-sum duel: ``gains`` ``(deals, 2)`` is what ``a`` wins in either seat."""
    first, second = np.asarray(gains, np.float64).T
    returns = np.stack([np.stack([first, -first], 1), np.stack([-second, second], 1)], 1)
    return result([a, b], returns, **facts)


def scored(a, b, scores, **facts) -> Result:
    """A duel in which ``a`` scores 1, ½ or 0 on each deal."""
    gains = 2 * np.asarray(scores, np.float64) - 1
    return duel(a, b, np.stack([gains, gains], 1), **facts)


def names(n) -> list[str]:
    return [f"agent-{i:02}" for i in range(n)]


def round_robin(theta, deals, rng) -> list[Result]:
    """All pairs on the same deals, won by Bradley and Terry's rule."""
    who = names(len(theta))
    return [
        scored(who[i], who[j], rng.random(deals) < chance(theta[i] - theta[j]))
        for i, j in combinations(range(len(theta)), 2)
    ]


def full_tables(theta, lineups, deals, rng) -> list[Result]:
    """Tables ranked by Plackett and Luce's rule: the larger θ plus Gumbel noise is ahead."""
    who = names(len(theta))
    results = []
    for number, lineup in enumerate(lineups):
        k = len(lineup)
        worth = np.asarray(theta)[list(lineup)] + rng.gumbel(size=(deals, k))
        place = np.array([[(seat + turn) % k for seat in range(k)] for turn in range(k)])
        returns = worth[:, place]
        results.append(result([who[i] for i in lineup], returns, first_deal=number * deals))
    return results


def wins(theta, deals, rng, noise=0.0) -> np.ndarray:
    """Who beat whom on each deal of a round robin, ``(deals, n, n)``.

    ``noise`` is how much an entrant's strength varies by deal.
    """
    n = len(theta)
    strength = theta + noise * rng.normal(size=(deals, n))
    won = rng.random((deals, n, n)) < chance(strength[:, :, None] - strength[:, None, :])
    upper = np.triu(np.ones((n, n), bool), 1)
    table = np.where(upper, won, np.where(upper.T, ~won.transpose(0, 2, 1), False))
    return table.astype(np.float64)


def tally_of(table) -> Tally:
    """The tally, by deals won, of wins by deal, row and column, ``(deals, n, n)``."""
    deals, n, _ = table.shape
    i, j = np.triu_indices(n, 1)
    none = np.zeros(0, np.int64)
    cells = Cells.of(np.repeat(np.arange(deals), len(i)), np.tile(np.arange(len(i)), deals), len(i))
    sums = csr_array(np.concatenate([table[:, i, j], table[:, j, i]], axis=1))
    return Tally(Pairs(n, i, j, none, none, none, cells), 1, np.ones(deals, int), sums, none)


def strengths(table) -> np.ndarray:
    """The strengths that a table of wins ``(n, n)`` makes most likely, the prior's included."""
    n = len(table)
    i, j = np.nonzero(np.triu(table + table.T, 1))
    model = Model(n, i, j, np.ones(n, bool))
    return model.fit(*(table[ends][:, None] + model.prior for ends in ((i, j), (j, i))))[:, 0]


def chance(difference):
    return 1 / (1 + np.exp(-np.asarray(difference)))


def chip_league(skill, deals, rng, luck=0.5) -> list[Result]:
    """All pairs on the same deals: row gains the difference in skill, on average, at a spread of 1.

    ``luck`` is the share of the variance that an entrant's deal brings into all of its pairs.
    """
    who, n = names(len(skill)), len(skill)
    own = np.sqrt(luck / 2) * rng.normal(size=(deals, n))
    results = []
    for i, j in combinations(range(n), 2):
        gain = skill[i] - skill[j] + own[:, i] - own[:, j]
        gain = gain + np.sqrt(1 - luck) * rng.normal(size=deals)
        # Two seatings, in both of which who plays first gets 5 and half of the gain is made.
        results.append(duel(who[i], who[j], np.stack([gain / 4 + 5, gain / 4 - 5], 1)))
    return results


def ahead(skill, session):
    """How probably row of ``chip_league`` is ahead of column after so many deals."""
    skill = np.asarray(skill)
    return ndtr(np.sqrt(session) * (skill[:, None] - skill))
