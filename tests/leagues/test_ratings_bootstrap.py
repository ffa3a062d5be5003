"""Intervals: they cover what they should, and the deal is what is resampled."""

from __future__ import annotations

import numpy as np
import pytest
from planted import chance, wins
from scipy.sparse import csr_array
from scipy.stats import beta, binom

from arena.leagues.ratings.bootstrap import interval, resample, tail
from arena.leagues.ratings.bradley_terry import centred, fit, prior
from arena.leagues.ratings.tally import Tally


def spans(table: csr_array, n: int, deals: int, seed: int, samples: int = 300):
    """Estimate and interval of every strength."""
    ((total, draws),) = resample(
        Tally(n, 1, table), seed=seed, samples=samples, cuts=[table.shape[0]]
    )
    theta = fit(total)
    return theta, *interval(fit(draws, start=theta), np.full(n, deals))


def coverage(truth: np.ndarray, deals: int, leagues: int, noise: float = 0.0, split=False):
    """How many of the intervals of so many leagues hold the truth, and their mean width."""
    rng = np.random.default_rng(7)
    n, covered, width = len(truth), [], []
    # What is true of wins on average, with strengths that vary from deal to deal.
    expected = wins(truth, 50_000 if noise else 1, rng, noise).mean(axis=0).reshape(n, n)
    target = fit(expected + 1e-9) if noise else truth
    for seed in range(leagues):
        table = wins(truth, deals, rng, noise)
        if split:  # as if every contest had been played on a deal of its own
            row, cell = table.nonzero()
            table = csr_array((np.ones(len(row)), (np.arange(len(row)), cell)), (len(row), n * n))
        _, low, high = spans(table, n, table.shape[0], seed)
        covered.append((low < target) & (target < high))
        width.append(high - low)
    return np.mean(covered), np.mean(width)


TRUTH = centred(np.linspace(-1.5, 1.5, 8))


@pytest.mark.parametrize("deals", [6, 40, 200])
def test_intervals_cover_the_planted_strengths(deals: int) -> None:
    share, _ = coverage(TRUTH, deals, leagues=200)
    assert 0.93 <= share <= 0.98


@pytest.mark.parametrize("deals", [5, 12, 60])
def test_intervals_of_two_agents_cover_their_difference(deals: int) -> None:
    """Exactly: over all possible numbers of wins, for true win rates from even to 98 %."""
    ends = []
    for won in range(deals + 1):
        table = np.zeros((deals, 4))
        table[:won, 1], table[won:, 2] = 1, 1
        _, low, high = spans(csr_array(table), 2, deals, seed=won, samples=2000)
        ends.append((low[0], high[0]))
    low, high = np.array(ends).T
    for rate in (0.5, 0.6, 0.75, 0.9, 0.98):
        truth = np.log(rate / (1 - rate)) / 2
        weight = binom.pmf(np.arange(deals + 1), deals, rate)
        assert (weight * ((low < truth) & (truth < high))).sum() >= 0.93


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
    _, low, high = spans(table, 8, 60, seed=1, samples=1000)
    _, low2, high2 = spans(2 * table, 8, 60, seed=1, samples=1000)
    more = wins(TRUTH, 120, np.random.default_rng(1))
    _, low3, high3 = spans(more, 8, 120, seed=1, samples=1000)
    assert np.mean(high2 - low2) == pytest.approx(np.mean(high - low), rel=0.05)
    assert np.mean(high3 - low3) == pytest.approx(np.mean(high - low) / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize(("won", "played"), [(7, 10), (10, 10), (0, 25), (60, 100)])
def test_resampled_win_rates_of_two_are_jeffreys_posterior(won: int, played: int) -> None:
    table = np.zeros((played, 4))
    table[:won, 1], table[won:, 2] = 1, 1
    ((_, draws),) = resample(Tally(2, 1, csr_array(table)), seed=0, samples=20_000, cuts=[played])
    theta = fit(draws)
    rates = chance(theta[:, 0] - theta[:, 1])
    posterior = beta(won + 0.5, played - won + 0.5)
    levels = np.array([0.025, 0.25, 0.5, 0.75, 0.975])
    assert posterior.cdf(np.quantile(rates, levels)) == pytest.approx(levels, abs=0.015)


def test_an_unbeaten_agent_has_an_interval_with_a_width() -> None:
    table = np.zeros((20, 4))
    table[:, 1] = 1
    theta, low, high = spans(csr_array(table), 2, 20, seed=0)
    assert 0 < low[0] < theta[0] < high[0] < 15
    assert low[0] == pytest.approx(-high[1]) and high[0] == pytest.approx(-low[1])


def test_equal_seeds_make_equal_resamples_and_the_last_cut_is_the_whole() -> None:
    table = wins(TRUTH, 50, np.random.default_rng(1))
    ((total, draws),) = resample(Tally(8, 1, table), seed=3, samples=20, cuts=[50])
    ((_, again),) = resample(Tally(8, 1, table), seed=3, samples=20, cuts=[50])
    ((_, other),) = resample(Tally(8, 1, table), seed=4, samples=20, cuts=[50])
    assert (draws == again).all() and not (draws == other).any(where=~np.eye(8, dtype=bool))
    *_, (last, grown) = resample(Tally(8, 1, table), seed=3, samples=20, cuts=[10, 30, 50])
    assert last == pytest.approx(total) and total.sum() == pytest.approx(28 * 50 + 4)
    assert grown == pytest.approx(draws)


def test_the_mean_of_resamples_is_the_data() -> None:
    table = wins(TRUTH, 30, np.random.default_rng(1))
    ((total, draws),) = resample(Tally(8, 1, table), seed=0, samples=4000, cuts=[30])
    assert draws.mean(axis=0) == pytest.approx(total, abs=0.6)
    assert total == pytest.approx(table.sum(axis=0).reshape(8, 8) + prior(8))


def test_very_many_deals_are_resampled_in_groups_with_the_same_spread() -> None:
    deals = 12_000
    table = wins(centred(np.array([0.5, 0.0, -0.5])), deals, np.random.default_rng(1))
    ((total, draws),) = resample(Tally(3, 1, table), seed=0, samples=2000, cuts=[deals])
    rate = draws[:, 0, 1] / (draws[:, 0, 1] + draws[:, 1, 0])
    p = total[0, 1] / (total[0, 1] + total[1, 0])
    assert rate.std() == pytest.approx(np.sqrt(p * (1 - p) / deals), rel=0.06)


def test_few_deals_leave_out_less_and_one_nothing() -> None:
    assert tail(np.array([1, 0])).tolist() == [0, 0]
    assert tail(np.array([10**6])) == pytest.approx(0.025, abs=1e-5)
    assert (np.diff(tail(np.arange(1, 50))) > 0).all()


def test_an_interval_is_read_off_the_ordered_draws() -> None:
    draws = np.random.default_rng(0).permutation(np.arange(1001.0))[:, None]
    low, high = interval(draws, np.array([10**6]))
    assert (low, high) == (pytest.approx(25, abs=0.1), pytest.approx(975, abs=0.1))
    low, high = interval(draws, np.array([1]))
    assert (low, high) == (-np.inf, np.inf)
