"""Intervals: they cover what they should, and the deal is what is resampled."""

from __future__ import annotations

import numpy as np
import pytest
from planted import chance, round_robin, strengths, tally_of, wins
from scipy.stats import beta, binom

from arena.leagues.ratings import Log
from arena.leagues.ratings.bootstrap import interval, resample, tail
from arena.leagues.ratings.bradley_terry import Model
from arena.leagues.ratings.tally import Tally


def sampled(tally: Tally, seed: int, samples: int = 300):
    """The sample of all deals, and the model that it is of."""
    pairs = tally.pairs
    model = Model(pairs.n, pairs.i, pairs.j, np.ones(pairs.n, bool))
    cuts = [len(tally.deals)]
    (sample,) = resample(tally, model.prior, seed=seed, samples=samples, cuts=cuts)
    return sample, model


def spans(table: np.ndarray, deals: int, seed: int, samples: int = 300):
    """Estimate and interval of every strength."""
    sample, model = sampled(tally_of(table), seed, samples)
    theta = model.fit(sample.won, sample.lost)
    draws = model.fit(*sample.resampled)
    return theta[:, 0], *interval(draws, np.full(len(theta), deals))


def coverage(truth: np.ndarray, deals: int, leagues: int, noise: float = 0.0, split=False):
    """How many of the intervals of so many leagues hold the truth, and their mean width."""
    rng = np.random.default_rng(7)
    n, covered, width = len(truth), [], []
    # What is true of wins on average, with strengths that vary from deal to deal.
    expected = wins(truth, 50_000 if noise else 1, rng, noise).sum(axis=0)
    target = strengths(expected) if noise else truth
    for seed in range(leagues):
        table = wins(truth, deals, rng, noise)
        if split:  # as if every contest had been played on a deal of its own
            deal, row, column = table.nonzero()
            table = np.zeros((len(deal), n, n))
            table[np.arange(len(deal)), row, column] = 1
        _, low, high = spans(table, len(table), seed)
        covered.append((low < target) & (target < high))
        width.append(high - low)
    return np.mean(covered), np.mean(width)


TRUTH = np.linspace(-1.5, 1.5, 8)


@pytest.mark.parametrize("deals", [6, 40, 200])
def test_intervals_cover_the_planted_strengths(deals: int) -> None:
    share, _ = coverage(TRUTH, deals, leagues=200)
    assert 0.93 <= share <= 0.98


@pytest.mark.parametrize("deals", [5, 12, 60])
def test_intervals_of_two_agents_cover_their_difference(deals: int) -> None:
    """Exactly: over all possible numbers of wins, for true win rates from even to 98 %."""
    ends = []
    for won in range(deals + 1):
        _, low, high = spans(duel(won, deals), deals, seed=won, samples=2000)
        ends.append((low[0], high[0]))
    low, high = np.array(ends).T
    for rate in (0.5, 0.6, 0.75, 0.9, 0.98):
        truth = np.log(rate / (1 - rate)) / 2
        weight = binom.pmf(np.arange(deals + 1), deals, rate)
        assert (weight * ((low < truth) & (truth < high))).sum() >= 0.93


def duel(won: int, played: int) -> np.ndarray:
    """The first of two wins the first so many deals, ``(deals, 2, 2)``."""
    table = np.zeros((played, 2, 2))
    table[:won, 0, 1], table[won:, 1, 0] = 1, 1
    return table


def test_contests_on_one_deal_are_not_independent_and_the_intervals_know_it() -> None:
    """Cards that suit an agent suit it against all: its contests say less than their number."""
    by_deal, wide = coverage(TRUTH, 40, leagues=200, noise=2.0)
    by_contest, narrow = coverage(TRUTH, 40, leagues=200, noise=2.0, split=True)
    assert by_deal >= 0.92
    assert by_contest < 0.85
    assert wide > 1.5 * narrow


def test_the_same_deals_once_more_are_no_news() -> None:
    """A contest logged twice counts twice on its deal, and the interval stays as wide."""
    table = wins(TRUTH, 60, np.random.default_rng(1))
    _, low, high = spans(table, 60, seed=1, samples=1000)
    _, low2, high2 = spans(2 * table, 60, seed=1, samples=1000)
    more = wins(TRUTH, 120, np.random.default_rng(1))
    _, low3, high3 = spans(more, 120, seed=1, samples=1000)
    assert np.mean(high2 - low2) == pytest.approx(np.mean(high - low), rel=0.05)
    assert np.mean(high3 - low3) == pytest.approx(np.mean(high - low) / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize(("won", "played"), [(7, 10), (10, 10), (0, 25), (60, 100)])
def test_resampled_win_rates_of_two_are_jeffreys_posterior(won: int, played: int) -> None:
    sample, model = sampled(tally_of(duel(won, played)), 0, samples=20_000)
    theta = model.fit(*sample.resampled)
    rates = chance(theta[0] - theta[1])
    posterior = beta(won + 0.5, played - won + 0.5)
    levels = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
    assert posterior.cdf(np.quantile(rates, levels)) == pytest.approx(levels, abs=0.015)


def test_an_unbeaten_agent_has_an_interval_with_a_width() -> None:
    theta, low, high = spans(duel(20, 20), 20, seed=0)
    assert 0 < low[0] < theta[0] < high[0] < 15
    assert low[0] == pytest.approx(-high[1]) and high[0] == pytest.approx(-low[1])


def test_equal_seeds_make_equal_resamples_and_the_last_cut_is_the_whole() -> None:
    tally = tally_of(wins(TRUTH, 50, np.random.default_rng(1)))
    sample, model = sampled(tally, 3, samples=20)
    again, _ = sampled(tally, 3, samples=20)
    other, _ = sampled(tally, 4, samples=20)
    assert (sample.resampled[0] == again.resampled[0]).all()
    assert not (sample.resampled[0] == other.resampled[0]).any()
    *_, last = resample(tally, model.prior, seed=3, samples=20, cuts=[10, 30, 50])
    assert last.won == pytest.approx(sample.won)
    assert (last.won + last.lost).sum() == pytest.approx(28 * 50 + 4)
    assert last.resampled[0] == pytest.approx(sample.resampled[0])


def test_the_mean_of_resamples_is_the_data() -> None:
    table = wins(TRUTH, 30, np.random.default_rng(1))
    sample, _ = sampled(tally_of(table), 0, samples=4000)
    assert sample.resampled[0].mean(axis=1) == pytest.approx(sample.won[:, 0], abs=0.6)
    i, j = np.triu_indices(8, 1)
    assert sample.won[:, 0] == pytest.approx(table.sum(axis=0)[i, j] + 0.5 / 7)


def test_very_many_deals_are_resampled_in_groups_with_the_same_spread() -> None:
    deals = 6000
    log = Log.of(round_robin([0.5, 0.0, -0.5], deals, np.random.default_rng(1)))
    tally = Tally.of(log, 1)
    assert len(tally.deals) == 1000 and tally.deals.sum() == deals
    sample, _ = sampled(tally, 0, samples=2000)
    won, lost = (wins[0] for wins in sample.resampled)
    p = sample.won[0, 0] / (sample.won[0, 0] + sample.lost[0, 0])
    assert (won / (won + lost)).std() == pytest.approx(np.sqrt(p * (1 - p) / deals), rel=0.07)


def test_few_deals_leave_out_less_and_one_nothing() -> None:
    assert tail(np.array([1, 0])).tolist() == [0, 0]
    assert tail(np.array([10**6])) == pytest.approx(0.025, abs=1e-5)
    assert (np.diff(tail(np.arange(1, 50))) > 0).all()


def test_an_interval_is_read_off_the_ordered_draws() -> None:
    draws = np.random.default_rng(0).permutation(np.arange(1.0, 1000))[None]
    low, high = interval(draws, np.array([10**6]))
    assert (low, high) == (pytest.approx(25, abs=0.1), pytest.approx(975, abs=0.1))
    low, high = interval(draws, np.array([1]))
    assert (low, high) == (-np.inf, np.inf)
