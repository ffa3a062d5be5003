"""Strengths from a table of wins: closed forms, planted truths, and what the prior is for."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import full_tables, result, wins
from scipy.special import expit

from arena.leagues.ratings import Log
from arena.leagues.ratings.bradley_terry import CENTRE, POINTS, centred, fit, prior, rating


def fit_by_mm(table: np.ndarray, rounds: int = 20_000) -> np.ndarray:
    """Minorise and maximise (Hunter, Annals of Statistics 32, 2004, eq. 3)."""
    games = table + table.T
    score = table.sum(axis=1)
    worth = np.ones(len(table))
    for _ in range(rounds):
        worth = score / (games / (worth[:, None] + worth)).sum(axis=1)
        worth /= worth.mean()
    return centred(np.log(worth))


@pytest.mark.parametrize(("won", "played"), [(7, 10), (0, 10), (10, 10), (500, 1000), (0, 0)])
def test_two_agents_have_a_closed_form(won: int, played: int) -> None:
    table = np.array([[0, won], [played - won, 0]], float) + prior(2)
    odds = (won + 0.5) / (played - won + 0.5)
    first, second = rating(fit(table))
    assert first - second == pytest.approx(400 * np.log10(odds), abs=1e-6)
    assert first + second == pytest.approx(2 * CENTRE)


def test_four_hundred_points_are_odds_of_ten_to_one() -> None:
    assert expit(400 / POINTS) == pytest.approx(10 / 11)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 7), st.integers(0, 2**32 - 1))
def test_the_fit_is_the_mode(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.poisson(rng.gamma(0.5, 4, (n, n))).astype(float) / 2 + prior(n)
    np.fill_diagonal(table, 0)
    theta = fit(table)
    expected = (table + table.T) * expit(theta[:, None] - theta)
    assert table.sum(axis=1) == pytest.approx(expected.sum(axis=1), abs=1e-6)
    assert expit(theta).mean() == pytest.approx(0.5)
    assert theta == pytest.approx(fit(table, start=rng.normal(size=n) * 5), abs=1e-6)


def test_the_fit_agrees_with_an_independent_algorithm() -> None:
    rng = np.random.default_rng(1)
    tables = rng.poisson(5, (3, 6, 6)) + prior(6)
    for table, theta in zip(tables, fit(tables), strict=True):
        np.fill_diagonal(table, 0)
        assert theta == pytest.approx(fit_by_mm(table), abs=1e-6)


def test_renaming_the_agents_renames_the_ratings() -> None:
    rng = np.random.default_rng(2)
    table = rng.poisson(3, (8, 8)) + prior(8)
    order = rng.permutation(8)
    assert fit(table[np.ix_(order, order)]) == pytest.approx(fit(table)[order], abs=1e-9)


def test_planted_strengths_are_recovered() -> None:
    truth = centred(np.array([-2.0, -1.2, -0.3, 0.0, 0.1, 0.9, 1.5, 3.0]))
    table = wins(truth, 20_000, np.random.default_rng(3)).sum(axis=0).reshape(8, 8)
    # The standard error of the least known is .013.
    assert fit(table + prior(8)) == pytest.approx(truth, abs=0.05)


def test_planted_strengths_are_recovered_from_rankings_of_full_tables() -> None:
    truth = centred(np.array([-1.5, -0.7, 0.0, 0.2, 0.8, 1.7]))
    lineups = list(combinations(range(6), 4))
    log = Log.of(full_tables(truth, lineups, 1500, np.random.default_rng(4)))
    table = log.wins.sum(axis=0).reshape(6, 6)
    assert fit(table + prior(6)) == pytest.approx(truth, abs=0.06)


def test_ties_are_half_a_win_for_each() -> None:
    tied = Log.of([result("ab", np.zeros((10, 2, 2)))]).wins.sum(axis=0).reshape(2, 2)
    assert fit(tied + prior(2)) == pytest.approx([0, 0])


def test_the_unbeaten_and_the_beaten_stay_finite_and_in_order() -> None:
    ladder = np.triu(np.full((5, 5), 1000.0), 1)  # everyone beats all who come after
    theta = fit(ladder + prior(5))
    assert np.isfinite(theta).all()
    assert (np.diff(theta) < 0).all()


def test_those_who_never_met_are_joined_by_the_prior() -> None:
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[2, 3] = 10
    theta = fit(apart + prior(4))
    assert theta[[0, 1]] == pytest.approx(theta[[2, 3]])
    assert theta[0] > 0 > theta[1]


def test_the_prior_is_one_tie_for_each_entrant() -> None:
    for n in (2, 3, 50):
        assert (prior(n) + prior(n).T).sum(axis=1) == pytest.approx(np.ones(n))
    assert prior(1).tolist() == [[0]]


def test_one_who_lost_everything_does_not_move_the_others() -> None:
    rng = np.random.default_rng(5)
    table = wins(np.zeros(5), 1000, rng).sum(axis=0).reshape(5, 5)
    table[:4, 4], table[4, :4] = 1000, 0
    less, more = fit(table + prior(5)), fit(table + 1e-6 * prior(5))
    assert less[4] - more[4] > 10
    assert less[:4] == pytest.approx(more[:4], abs=0.01)


def test_nobody_and_one_alone_have_the_average_strength() -> None:
    assert fit(prior(1)).tolist() == [0]
    assert fit(prior(0)).shape == (0,)
    assert fit(np.zeros((7, 1, 1))).tolist() == [[0]] * 7
