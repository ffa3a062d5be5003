"""How anything is drawn from a distribution."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from arena.envs.seeding import draw

ALMOST_ONE = 1 - 2.0**-53


@given(arrays(np.float64, (3, 5), elements=st.floats(0, 1)), st.floats(0, ALMOST_ONE))
def test_what_has_no_probability_is_never_drawn(policies, uniform):
    policies[:, 2] += 0.1  # no row is all 0
    chosen = draw(policies, np.full(3, uniform))
    assert (policies[np.arange(3), chosen] > 0).all()


def test_the_unit_interval_is_cut_in_order():
    policy = np.array([[0.0, 0.25, 0.5, 0.25, 0.0]])
    at = np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, ALMOST_ONE])
    assert draw(policy.repeat(6, 0), at).tolist() == [1, 1, 2, 2, 3, 3]


def test_a_row_need_not_sum_to_one():
    thirds = np.array([[1, 1, 1]], np.float32) / 3 * np.float32(0.999)
    assert draw(thirds, np.array([ALMOST_ONE])).tolist() == [2]
    assert draw(np.array([[True, False, True]]), np.array([0.5])).tolist() == [2]


def test_each_index_is_drawn_as_often_as_it_says():
    policy = np.array([0.1, 0.0, 0.6, 0.3])
    uniforms = np.random.default_rng(0).random(100_000)
    chosen = draw(np.tile(policy, (len(uniforms), 1)), uniforms)
    shares = np.bincount(chosen, minlength=4) / len(uniforms)
    np.testing.assert_allclose(shares, policy, atol=0.006)
