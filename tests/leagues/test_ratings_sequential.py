"""Looks after every deal: golden values, and nulls that are seldom refused."""

from __future__ import annotations

import numpy as np
import pytest

from arena.leagues.ratings.sequential import (
    ALPHA,
    bets,
    half_width,
    lead,
    llr,
    normal_llr,
    normalised_llr,
)


def score(elo: float) -> float:
    return 1 / (1 + 10 ** (-elo / 400))


def in_deviations(nelo: float) -> float:
    """Normalised Elo of a game as standard deviations of a pair of games."""
    return nelo / (800 / np.log(10)) * np.sqrt(2)


@pytest.mark.parametrize(
    ("counts", "elo", "expected"),
    [
        ((10789, 19328, 33806, 19402, 10543), (-3, 1), 2.13107),
        ((39, 2226, 31451, 2412, 40), (0.2, 0.9), 2.16254),
    ],
)
def test_the_ratio_of_pairs_of_games_is_fishtests(counts, elo, expected) -> None:
    assert llr(np.array(counts), *map(score, elo)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("counts", "nelo", "expected"),
    [
        ((39, 2226, 31451, 2412, 40), (0.764, 3.439), 2.16294),
        ((39, 8843, 26675, 9240, 44), (0.5, 2.5), 2.94168),
    ],
)
def test_so_it_is_in_normalised_elo(counts, nelo, expected) -> None:
    found = normalised_llr(np.array(counts), *map(in_deviations, nelo))
    assert found == pytest.approx(expected, abs=2e-3)


def test_means_in_deviations_give_nearly_the_same() -> None:
    counts = np.array([39, 8843, 26675, 9240, 44])
    values = np.repeat(np.linspace(-0.5, 0.5, 5), counts)
    found = normal_llr(values.mean(), values.std(), len(values), *map(in_deviations, (0.5, 2.5)))
    assert found == pytest.approx(2.94168, abs=0.01)


def test_a_sequence_narrows_a_little_slower_than_an_interval() -> None:
    count = np.array([100.0, 1000.0, 10_000.0])
    ratio = half_width(count) / (1.96 / np.sqrt(count))
    assert (ratio > 1.3).all() and (ratio < 2.2).all() and ratio[1] < ratio[0]


def nulls(kind: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """Deals' gains with mean 0: plain, skewed, discrete, of deals with much in common."""
    if kind == "plain":
        return rng.normal(size=n)
    if kind == "skewed":
        return rng.gamma(0.25, size=n) - 0.25
    return rng.choice([-1.0, 0.0, 1.0], n, p=[0.1, 0.8, 0.1])


@pytest.mark.parametrize("kind", ["plain", "skewed", "discrete"])
def test_equals_are_seldom_separated_by_looking_after_every_deal(kind: str) -> None:
    rng = np.random.default_rng(1)
    wrong = [lead(nulls(kind, rng, 3000)) != 0 for _ in range(200)]
    assert np.mean(wrong) <= ALPHA + 0.02


def test_betting_is_exact_for_shares_however_they_are_distributed() -> None:
    rng = np.random.default_rng(2)
    for share in (0.5, 0.02):
        wrong = [bets(rng.random(2000) < share, share) != 0 for _ in range(200)]
        assert np.mean(wrong) <= ALPHA


def test_who_is_ahead_is_found_on_its_side() -> None:
    rng = np.random.default_rng(3)
    assert bets((rng.random(2000) < 0.6).astype(float)) == 1
    assert bets((rng.random(2000) < 0.4).astype(float)) == -1
    assert lead(rng.normal(0.2, 1, 3000)) == 1 and lead(rng.normal(-0.2, 1, 3000)) == -1
    assert lead(np.ones(50)) == 0 and lead(np.zeros(0)) == 0 and bets(np.zeros(0)) == 0
