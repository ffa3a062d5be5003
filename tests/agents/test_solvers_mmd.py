"""Magnetic mirror descent: the closed form of its step, and where it comes to rest."""

import numpy as np
import pytest

from arena.agents.solvers.cfr import arrays_of, exploitability
from arena.agents.solvers.mmd import Mmd, action_values
from arena.agents.solvers.tree import compile_tree
from arena.envs.registry import make_game


def tree_of(spec):
    return compile_tree(make_game(spec))


def test_a_step_is_the_closed_form_on_rock_paper_scissors():
    tree = tree_of("rps")
    solver = Mmd(tree, lambda _: 0.5, lambda _: 0.2)
    first, second = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.2, 0.6])
    solver._logs = np.log(np.concatenate([first, second]))
    solver.run(1)
    beats = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])  # what the row earns of the column
    for own, other, found in (
        (first, second, solver.average[:3]),
        (second, first, solver.average[3:]),
    ):
        q = beats @ other
        wanted = (own * (1 / 3) ** 0.1 * np.exp(0.2 * q)) ** (1 / 1.1)
        assert found == pytest.approx(wanted / wanted.sum(), abs=1e-12)


@pytest.mark.parametrize(("spec", "alpha"), [("rps", 0.3), ("kuhn", 0.1), ("kuhn", 0.5)])
def test_with_a_constant_magnet_it_rests_at_a_quantal_response_equilibrium(spec, alpha):
    tree = tree_of(spec)
    solver = Mmd(tree, lambda _: alpha, lambda _: 0.1)
    solver.run(4000)
    q = action_values(tree, arrays_of(tree), solver.average)
    odds = np.exp(q / alpha)
    response = odds / np.repeat(np.add.reduceat(odds, tree.sets[:-1]), np.diff(tree.sets))
    assert solver.average == pytest.approx(response, abs=1e-6)


def test_with_a_falling_magnet_the_last_strategy_approaches_an_equilibrium():
    tree = tree_of("kuhn")
    solver, gains = Mmd(tree), []
    for _ in range(3):
        solver.run(1000)
        gains.append(exploitability(tree, solver.average))
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] < 0.02
