"""The meta-game: what a mixture of agents must be so that none of them beats it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.leagues.metagame import maximum_entropy_nash

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
