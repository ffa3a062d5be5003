"""Means and win rates over deals: closed forms, errors and intervals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from planted import duel
from scipy.stats import beta, sem
from scipy.stats import t as student

from arena.leagues.ratings import Log, summarise
from arena.leagues.ratings.bootstrap import tail
from arena.leagues.ratings.cells import Cells
from arena.leagues.ratings.estimates import Estimates
from arena.leagues.ratings.estimates import means as cell_means
from arena.leagues.ratings.estimates import win_rates as cell_win_rates


def column(values) -> np.ndarray:
    return np.asarray(values, np.float64)[:, None]


def cells(counts) -> tuple[Cells, np.ndarray]:
    """The cells of a table by deal and column that have a count, and where they are."""
    there = counts > 0
    deal, which = there.nonzero()
    return Cells.of(deal, which, counts.shape[1]), there


def means(amounts, counts, scale: float = 1.0) -> Estimates:
    """``means`` of tables by deal and column."""
    where, there = cells(counts)
    return cell_means(where, amounts[there], counts[there], scale)


def win_rates(wins, contests) -> Estimates:
    where, there = cells(contests)
    return cell_win_rates(where, wins[there], contests[there])


def test_a_mean_has_the_textbooks_error_and_interval() -> None:
    values = np.array([3.0, -1.0, 4.0, 1.0, -2.0])  # not skewed
    found = means(column(values), column(np.ones(5)), scale=1000)
    assert found.value == pytest.approx(1000 * values.mean())
    assert found.error == pytest.approx(1000 * sem(values))
    low, high = student.interval(0.95, 4, values.mean(), sem(values))
    assert (found.low, found.high) == (pytest.approx(1000 * low), pytest.approx(1000 * high))
    assert found.deals == 5


def test_a_deal_counts_once_however_often_it_was_played() -> None:
    """Two hands of the same luck on each deal: the error is that of the deals, not of the hands."""
    values = np.random.default_rng(0).normal(size=50)
    once = means(column(values), column(np.ones(50)))
    twice = means(column(2 * values), column(np.full(50, 2)))
    assert twice.value == pytest.approx(once.value)
    assert twice.error == pytest.approx(once.error)


def test_luck_that_both_seatings_share_is_in_no_error() -> None:
    """Duplicate deals: the cards give to one seat what they take from the other."""
    rng = np.random.default_rng(1)
    luck, skill = rng.normal(scale=50, size=400), rng.normal(0.2, 1, size=(400, 2))
    gains = skill + np.stack([luck, -luck], 1)
    log = Log.of([duel("a", "b", gains)])
    found = summarise(log, seed=0, samples=10).payoff[0, 1]
    assert found.value > 0
    assert found.error == pytest.approx(1 / np.sqrt(800), rel=0.1)
    assert gains.std() / np.sqrt(800) > 30 * found.error
    assert found.low < 0.2 < found.high


def test_deals_of_different_size_make_a_ratio() -> None:
    """The delta method's error of a ratio of means, here by brute resampling."""
    rng = np.random.default_rng(2)
    count = rng.integers(1, 6, 300).astype(float)
    amount = count * rng.normal(2, 1, 300) + rng.normal(size=300)
    found = means(column(amount), column(count))
    draws = rng.integers(0, 300, (4000, 300))
    ratios = amount[draws].sum(axis=1) / count[draws].sum(axis=1)
    assert found.value == pytest.approx(amount.sum() / count.sum())
    assert found.error == pytest.approx(ratios.std(), rel=0.05)


@pytest.mark.parametrize(("won", "played"), [(7, 10), (0, 20), (20, 20), (600, 1000)])
def test_without_ties_a_win_rate_has_jeffreys_interval(won: int, played: int) -> None:
    scores = np.arange(played) < won
    found = win_rates(column(scores), column(np.ones(played)))
    posterior, out = beta(won + 0.5, played - won + 0.5), tail(np.array([played]))
    assert found.value == pytest.approx(won / played)
    assert found.low == pytest.approx(posterior.ppf(out))
    assert found.high == pytest.approx(posterior.ppf(1 - out))
    assert found.error == pytest.approx(posterior.std())


def test_ties_are_half_a_win_and_narrow_the_interval() -> None:
    tied = win_rates(column(np.full(100, 0.5)), column(np.ones(100)))
    split = win_rates(column(np.arange(100) % 2), column(np.ones(100)))
    assert tied.value == split.value == 0.5
    assert tied.error < 0.2 * split.error


@pytest.mark.parametrize("deals", [8, 30, 200])
def test_intervals_of_means_and_win_rates_cover(deals: int) -> None:
    """2,000 leagues at once; ten contests a deal that share its luck."""
    rng = np.random.default_rng(3)
    luck = rng.normal(size=(deals, 2000))
    won = (luck + rng.normal(size=(10, deals, 2000)) > -0.8).mean(axis=0)
    truth = 0.7142  # P(N(0, 2) > -0.8)
    rates = win_rates(np.array(10 * won), np.array(np.full(won.shape, 10.0)))
    assert 0.93 <= np.mean((rates.low < truth) & (truth < rates.high)) <= 0.985
    found = means(np.array(luck), np.array(np.ones(luck.shape)))
    assert 0.935 <= np.mean((found.low < 0) & (found.high > 0)) <= 0.965


@pytest.mark.parametrize("deals", [30, 100])
def test_intervals_of_skewed_payoffs_keep_their_level(deals: int) -> None:
    """A few deals decide much: Student's t would cover 92 and 94 % of the time, and lie askew."""
    rng = np.random.default_rng(4)
    lost = means(1 - rng.exponential(size=(deals, 8000)), np.ones((deals, 8000)))
    assert 0.935 <= np.mean((lost.low < 0) & (lost.high > 0)) <= 0.965
    assert 0.01 < np.mean(lost.low > 0) < 0.035 and 0.01 < np.mean(lost.high < 0) < 0.035


def test_few_deals_that_are_all_alike_say_nothing_of_what_is_rare() -> None:
    few, more = (means(column(np.ones(n)), column(np.ones(n)))[0] for n in (3, 60))
    assert (few.value, few.error, few.low, few.high) == (1, 0, -np.inf, np.inf)
    assert (more.low, more.high) == (1, 1)


def test_one_deal_says_nothing_of_the_spread_and_none_nothing_at_all() -> None:
    counts = np.array([[1.0, 0.0]])
    found = means(np.array([[3.0, 0.0]]), counts)
    assert found[0].value == 3 and found[0].high == np.inf
    assert np.isnan(found[1].value) and np.isnan(found[1].low)
    rates = win_rates(np.array([[1.0, 0.0]]), counts)
    assert (rates[0].value, rates[0].low, rates[0].high) == (1, 0, 1)
    assert np.isnan([rates[1].value, rates[1].error, rates[1].low]).all()
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["high"] == [None, None]
    assert json.loads(json.dumps(rates[1].to_json(), allow_nan=False))["value"] is None


def test_equal_amounts_have_no_error() -> None:
    found = means(column(np.full(1000, -0.75)), column(np.ones(1000)))
    assert found.value == -0.75
    assert found.error == pytest.approx(0, abs=1e-12)
