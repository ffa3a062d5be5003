"""The meta-game: what a mixture of agents must be so that none of them beats it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.leagues.metagame import alpha_rank, hodge, maximum_entropy_nash, transitivity

CYCLE = 4.6 * np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]])


def test_rock_paper_scissors_are_even() -> None:
    assert maximum_entropy_nash(CYCLE) == pytest.approx([1 / 3] * 3)


def test_copies_share_what_one_would_have() -> None:
    """Balduzzi and others, Re-evaluating evaluation (2018), their example."""
    copies = [0, 1, 2, 2]
    mixture = maximum_entropy_nash(CYCLE[np.ix_(copies, copies)])
    assert mixture == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])


def test_who_beats_everybody_has_all_the_weight() -> None:
    """A Condorcet winner, however narrowly it wins and however well the others do elsewhere."""
    payoff = np.zeros((4, 4))
    payoff[0, 1:] = 0.01
    payoff[1:, 1:] = CYCLE
    payoff[1:, 0] = -0.01
    assert maximum_entropy_nash(payoff) == pytest.approx([1, 0, 0, 0])


def test_who_loses_to_a_member_of_a_cycle_and_draws_the_rest_may_not_be_in_it() -> None:
    payoff = np.zeros((4, 4))
    payoff[:3, :3] = CYCLE
    payoff[:3, 3], payoff[3, :3] = [1, 0, 0], [-1, 0, 0]
    assert maximum_entropy_nash(payoff) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])


def test_where_all_are_even_all_have_the_same_weight() -> None:
    assert maximum_entropy_nash(np.zeros((5, 5))) == pytest.approx([0.2] * 5)
    assert maximum_entropy_nash(np.zeros((1, 1))).tolist() == [1]
    assert maximum_entropy_nash(np.zeros((0, 0))).shape == (0,)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**32 - 1), st.booleans())
def test_nobody_beats_the_mixture_and_names_do_not_matter(n: int, seed: int, coarse: bool) -> None:
    rng = np.random.default_rng(seed)
    half = rng.integers(-1, 2, (n, n)) if coarse else rng.normal(size=(n, n))
    payoff = (half - half.T).astype(float)
    mixture = maximum_entropy_nash(payoff)
    assert mixture.sum() == pytest.approx(1) and (mixture >= 0).all()
    assert (payoff @ mixture).max() < 1e-5
    order = rng.permutation(n)
    again = maximum_entropy_nash(payoff[np.ix_(order, order)])
    assert again == pytest.approx(mixture[order], abs=1e-4)


def test_a_copy_of_anybody_moves_nobodys_payoff_against_it() -> None:
    rng = np.random.default_rng(1)
    half = rng.normal(size=(8, 8))
    payoff = half - half.T
    before = payoff @ maximum_entropy_nash(payoff)
    for agent in range(8):
        copies = [*range(8), agent, agent]
        larger = payoff[np.ix_(copies, copies)]
        assert (larger @ maximum_entropy_nash(larger))[:8] == pytest.approx(before, abs=1e-5)


def test_unit_of_the_payoffs_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    half = rng.normal(size=(6, 6))
    payoff = half - half.T
    assert maximum_entropy_nash(1e6 * payoff) == pytest.approx(maximum_entropy_nash(payoff))


# -- α-Rank ------------------------------------------------------------------------------------


def test_alpha_rank_of_a_published_game() -> None:
    """Han and others' commitment game, its stationary distribution as OpenSpiel's tests have it."""
    payoff = [
        [0.875, 0.75, 0, 2.75, 0.75], [1, 1, -1, -1, -1], [0, 2, 0, 0, 0], [-2, 2, 0, 0, 0],
        [1, 2, 0, 0, 0],
    ]  # fmt: skip
    shares = alpha_rank(np.array(payoff), alpha=0.1, population=20)
    assert shares == pytest.approx([0.40966787, 0.07959841, 0.20506998, 0.08505983, 0.2206039])


@pytest.mark.parametrize("alpha", [0.1, 10, 1e6, np.inf])
def test_alpha_rank_finds_cycles_even_and_who_beats_everybody_alone(alpha: float) -> None:
    assert alpha_rank(CYCLE, alpha=alpha) == pytest.approx([1 / 3] * 3)
    payoff = np.zeros((4, 4))
    payoff[0, 1:], payoff[1:, 0], payoff[1:, 1:] = 1, -1, CYCLE
    best, *others = alpha_rank(payoff, alpha=alpha)
    assert best > (0.99 if alpha > 1 else 0.5) and others == pytest.approx([others[0]] * 3)


def test_alpha_rank_does_not_depend_on_order_or_on_what_is_added_to_all() -> None:
    payoff = np.random.default_rng(3).normal(size=(7, 7))
    order = np.random.default_rng(4).permutation(7)
    for alpha in (0.5, np.inf):
        shares = alpha_rank(payoff, alpha=alpha)
        assert shares.sum() == pytest.approx(1)
        assert alpha_rank(payoff[np.ix_(order, order)], alpha=alpha) == pytest.approx(shares[order])
        assert alpha_rank(payoff + 3, alpha=alpha) == pytest.approx(shares)


# -- ladders and cycles ------------------------------------------------------------------------


def test_a_ladder_is_transitive_and_a_cycle_is_not() -> None:
    means = np.array([2.0, 0.5, -0.5, -2.0])
    ladder = means[:, None] - means
    assert transitivity(ladder) == pytest.approx(1)
    assert hodge(ladder)[0] == pytest.approx(means)
    assert transitivity(CYCLE) == pytest.approx(0)
    assert np.isnan(transitivity(np.zeros((3, 3))))


@given(st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_the_parts_add_up_and_are_orthogonal(n: int, seed: int) -> None:
    half = np.random.default_rng(seed).normal(size=(n, n))
    payoff = half - half.T
    means, cyclic = hodge(payoff)
    ladder = means[:, None] - means
    assert ladder + cyclic == pytest.approx(payoff)
    assert (ladder * cyclic).sum() == pytest.approx(0, abs=1e-9)
    assert transitivity(payoff) == pytest.approx((ladder**2).sum() / (payoff**2).sum())
