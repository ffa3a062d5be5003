"""Strengths from a table of wins: closed forms, planted truths, and what the prior is for."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import full_tables, result, strengths, wins
from scipy.special import expit

from arena.leagues.ratings import Log
from arena.leagues.ratings.bradley_terry import CENTRE, POINTS, Model, centred, rating
from arena.leagues.ratings.tally import won


def fit_by_mm(table: np.ndarray, rounds: int = 20_000) -> np.ndarray:
    """Minorise and maximise (Hunter, Annals of Statistics 32, 2004, eq. 3)."""
    games = table + table.T
    score = table.sum(axis=1)
    worth = np.ones(len(table))
    for _ in range(rounds):
        worth = score / (games / (worth[:, None] + worth)).sum(axis=1)
        worth /= worth.mean()
    return centre(np.log(worth))


def centre(theta) -> np.ndarray:
    """Shifted so that strength 0 scores ½ against them."""
    theta = np.asarray(theta, float)
    return centred(theta[:, None], np.zeros(len(theta), int))[:, 0]


def virtual(n: int) -> np.ndarray:
    """The prior where all have met, ``(n, n)``."""
    i, j = np.triu_indices(n, 1)
    table = np.zeros((n, n))
    table[i, j] = table[j, i] = Model(n, i, j, np.ones(n, bool)).prior[:, 0]
    return table


def fitted(tables) -> np.ndarray:
    """Strengths of wins ``(s, n, n)`` where all have met, no prior added, ``(s, n)``."""
    n = tables.shape[-1]
    i, j = np.triu_indices(n, 1)
    model = Model(n, i, j, np.ones(n, bool))
    return model.fit(tables[:, i, j].T, tables[:, j, i].T).T


def table_of(log: Log) -> np.ndarray:
    """Contests won by row against column."""
    pairs, n = log.pairs, len(log.entrants)
    table, score = np.zeros((n, n)), won(log)
    first, second = pairs.of_both(log.lineup)
    np.add.at(table, (first, second), score)
    np.add.at(table, (second, first), 1 - score)
    return table


@pytest.mark.parametrize(("won", "played"), [(7, 10), (0, 10), (10, 10), (500, 1000), (0, 0)])
def test_two_agents_have_a_closed_form(won: int, played: int) -> None:
    table = np.array([[0, won], [played - won, 0]], float) + virtual(2)
    odds = (won + 0.5) / (played - won + 0.5)
    first, second = rating(fitted(table[None])[0])
    assert first - second == pytest.approx(400 * np.log10(odds), abs=1e-6)
    assert first + second == pytest.approx(2 * CENTRE)


def test_four_hundred_points_are_odds_of_ten_to_one() -> None:
    assert expit(400 / POINTS) == pytest.approx(10 / 11)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 7), st.integers(0, 2**32 - 1))
def test_the_fit_is_the_mode(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.poisson(rng.gamma(0.5, 4, (n, n))).astype(float) / 2 + virtual(n)
    np.fill_diagonal(table, 0)
    theta = fitted(table[None])[0]
    expected = (table + table.T) * expit(theta[:, None] - theta)
    assert table.sum(axis=1) == pytest.approx(expected.sum(axis=1), abs=1e-6)
    assert expit(theta).mean() == pytest.approx(0.5)


def test_the_fit_agrees_with_an_independent_algorithm() -> None:
    rng = np.random.default_rng(1)
    tables = rng.poisson(5, (3, 6, 6)) + virtual(6)
    for table, theta in zip(tables, fitted(tables), strict=True):
        np.fill_diagonal(table, 0)
        assert theta == pytest.approx(fit_by_mm(table), abs=1e-6)


def test_renaming_the_agents_renames_the_ratings() -> None:
    rng = np.random.default_rng(2)
    table = rng.poisson(3, (8, 8)).astype(float)
    order = rng.permutation(8)
    renamed = strengths(table[np.ix_(order, order)])
    assert renamed == pytest.approx(strengths(table)[order], abs=1e-7)


def test_planted_strengths_are_recovered() -> None:
    truth = centre(np.array([-2.0, -1.2, -0.3, 0.0, 0.1, 0.9, 1.5, 3.0]))
    table = wins(truth, 20_000, np.random.default_rng(3)).sum(axis=0)
    # The standard error of the least known is .013.
    assert strengths(table) == pytest.approx(truth, abs=0.05)


def test_planted_strengths_are_recovered_from_rankings_of_full_tables() -> None:
    truth = centre(np.array([-1.5, -0.7, 0.0, 0.2, 0.8, 1.7]))
    lineups = list(combinations(range(6), 4))
    log = Log.of(full_tables(truth, lineups, 1500, np.random.default_rng(4)))
    assert strengths(table_of(log)) == pytest.approx(truth, abs=0.06)


def test_ties_are_half_a_win_for_each() -> None:
    tied = table_of(Log.of([result("ab", np.zeros((10, 2, 2)))]))
    assert tied.tolist() == [[0, 5], [5, 0]]
    assert strengths(tied) == pytest.approx([0, 0])


def test_the_unbeaten_and_the_beaten_stay_finite_and_in_order() -> None:
    ladder = np.triu(np.full((5, 5), 1000.0), 1)  # everyone beats all who come after
    theta = strengths(ladder)
    assert np.isfinite(theta).all()
    assert (np.diff(theta) < 0).all()


def test_those_whom_no_chain_of_meetings_joins_are_centred_by_themselves() -> None:
    apart = np.zeros((4, 4))
    apart[0, 1] = apart[2, 3] = 10
    theta = strengths(apart)
    assert theta[[0, 1]] == pytest.approx(theta[[2, 3]])
    assert theta[0] > 0 > theta[1]
    apart[2, 3] = 1000
    assert strengths(apart)[:2] == pytest.approx(theta[:2])


def test_the_prior_is_one_tie_for_each_entrant_spread_over_its_opponents() -> None:
    for n in (2, 3, 50):
        assert (2 * virtual(n)).sum(axis=1) == pytest.approx(np.ones(n))
    ring = np.arange(6)
    assert Model(6, ring, (ring + 1) % 6, ring < 6).prior == pytest.approx(0.25)
    # A star: who has one opponent has its tie there.
    star = np.arange(1, 5)
    assert Model(5, 0 * star, star, np.ones(5, bool)).prior == pytest.approx(0.5)
    # A newcomer takes nothing from the settled.
    i, j = np.triu_indices(3, 1)
    assert Model(3, i, j, np.arange(3) < 2).prior[:, 0].tolist() == [0.5, 0.5, 0.5]


def test_a_sparse_league_fits_as_well_as_a_full_one() -> None:
    """Many data sets at once, their pairs won anything from a millionth to all of the time."""
    rng = np.random.default_rng(6)
    i, j = np.triu_indices(30, 1)
    met = rng.random(len(i)) < 0.15
    i, j = i[met], j[met]
    one, other = np.maximum(rng.gamma(0.3, size=(2, len(i), 300)), 1e-6)
    theta = Model(30, i, j, np.ones(30, bool)).fit(one, other)
    surplus = one - (one + other) * expit(theta[i] - theta[j])
    slope = np.zeros((30, 300))
    np.add.at(slope, i, surplus)
    np.add.at(slope, j, -surplus)
    assert np.abs(slope).max() < 1e-6 and np.ptp(theta) > 20


def test_a_newcomer_is_compared_with_the_settled_and_moves_none_of_them() -> None:
    rng = np.random.default_rng(7)
    table = rng.poisson(20, (5, 5)) + 0.5
    i, j = np.triu_indices(5, 1)
    won, lost = table[i, j][:, None], table[j, i][:, None]
    settled = np.arange(5) < 4
    theta = Model(5, i, j, settled).fit(won, lost)[:, 0]
    assert theta[:4] == pytest.approx(fitted(table[None, :4, :4])[0])
    mine = np.flatnonzero(j == 4)
    surplus = lost[mine, 0] - (won + lost)[mine, 0] * expit(theta[4] - theta[i[mine]])
    assert surplus.sum() == pytest.approx(0, abs=1e-6)


def test_one_who_lost_everything_does_not_move_the_others() -> None:
    rng = np.random.default_rng(5)
    table = wins(np.zeros(5), 1000, rng).sum(axis=0)
    table[:4, 4], table[4, :4] = 1000, 0
    less, more = fitted(np.stack([table + virtual(5), table + 1e-6 * virtual(5)]))
    assert less[4] - more[4] > 10
    assert less[:4] == pytest.approx(more[:4], abs=0.01)


def test_nobody_and_one_alone_have_the_average_strength() -> None:
    assert strengths(np.zeros((1, 1))).tolist() == [0]
    assert strengths(np.zeros((0, 0))).shape == (0,)
