"""Solvers of small games against published values, each other, and what can be counted by hand."""

import json

import numpy as np
import pytest

from arena.agents.registry import make_agent
from arena.agents.solvers import sequence_form
from arena.agents.solvers.cfr import (
    SCHEDULES,
    Cfr,
    best_responses,
    exploitability,
    nash_conv,
    values,
)
from arena.agents.solvers.exploit import exploit
from arena.agents.solvers.mccfr import SAMPLINGS, Mccfr
from arena.agents.solvers.tabular import save_strategy
from arena.agents.solvers.tree import compile_tree
from arena.cli import main
from arena.envs.errors import InputError
from arena.envs.registry import make_game


@pytest.fixture(scope="module")
def trees():
    return {name: compile_tree(make_game(name)) for name in ("kuhn", "leduc", "rps")}


@pytest.mark.parametrize(
    ("spec", "infosets"), [("kuhn", 12), ("leduc", 936), ("liars_dice?faces=4", 4 * 2**8)]
)
def test_a_tree_has_as_many_information_sets_as_the_literature_counts(spec, infosets):
    tree = compile_tree(make_game(spec))
    assert len(tree.owner) == infosets
    assert tree.weight[: tree.roots].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("name", "gain", "first"),
    [("kuhn", 0.4583333, 0.125), ("leduc", 2.3736111, -0.078125)],
)
def test_uniform_play_is_as_exploitable_as_open_spiel_says(trees, name, gain, first):
    tree = trees[name]
    assert exploitability(tree, tree.uniform()) == pytest.approx(gain, abs=1e-7)
    assert values(tree, tree.uniform())[0] == pytest.approx(first)


@pytest.mark.parametrize(
    ("name", "value"), [("kuhn", -1 / 18), ("leduc", -0.085606424078), ("rps", 0)]
)
def test_the_linear_program_finds_the_known_value_and_an_equilibrium(trees, name, value):
    found, strategy = sequence_form.solve(trees[name])
    assert found == pytest.approx(value, abs=1e-9)
    assert exploitability(trees[name], strategy) < 1e-9


def test_cfr_follows_the_published_trace_on_leduc(trees):
    # OpenSpiel prints the iteration's index, which begins at 0.
    solver, trace = Cfr(trees["leduc"], "cfr", 501), {}
    for index in (100, 200, 500):
        solver.run(index + 1 - solver.done)
        trace[index] = exploitability(trees["leduc"], solver.average)
    assert trace == pytest.approx({100: 0.0939493, 200: 0.0533379, 500: 0.0214263}, abs=5e-8)


@pytest.mark.parametrize("algorithm", SCHEDULES)
def test_every_schedule_converges_on_kuhn(trees, algorithm):
    solver = Cfr(trees["kuhn"], algorithm, 2000)
    solver.run(2000)
    assert exploitability(trees["kuhn"], solver.average) < (2e-3 if algorithm == "cfr" else 5e-4)
    assert values(trees["kuhn"], solver.average)[0] == pytest.approx(-1 / 18, abs=2e-3)


def test_arrays_and_a_recursion_from_the_textbook_agree(trees):
    tree = trees["leduc"]
    solver = Cfr(tree, "cfr", 3)
    solver.run(3)
    assert np.abs(solver.average - textbook(tree, 3)).max() < 1e-12


def textbook(tree, iterations):
    """Alternating CFR as the paper writes it: a recursion over histories, one at a time."""
    regrets, sums = np.zeros(len(tree.actions)), np.zeros(len(tree.actions))

    def current(s):
        positive = np.maximum(regrets[tree.sets[s] : tree.sets[s + 1]], 0)
        total = positive.sum()
        return positive / total if total > 0 else np.full(len(positive), 1 / len(positive))

    def walk(h, player, reach, strategies):
        s, worth = tree.infoset[h], []
        strategy = strategies[s]
        for k, e in enumerate(range(tree.edges[h], tree.edges[h + 1])):
            below = list(reach)
            below[tree.seat[h]] *= strategy[k]
            children = range(tree.children[e], tree.children[e + 1])
            worth.append(
                tree.payoffs[e, player] + sum(walk(c, player, below, strategies) for c in children)
            )
        mean = float(strategy @ worth)
        if tree.seat[h] == player:
            first, last = tree.sets[s], tree.sets[s + 1]
            regrets[first:last] += reach[1 - player] * (np.array(worth) - mean)
            added[s] = reach[player] * strategy
        return mean

    for _ in range(iterations):
        for player in (0, 1):
            strategies = [current(s) for s in range(len(tree.owner))]
            added = {}
            for root in range(tree.roots):
                walk(root, player, [1.0, 1.0], strategies)
            for s, share in added.items():
                sums[tree.sets[s] : tree.sets[s + 1]] += share
    totals = np.repeat(np.add.reduceat(sums, tree.sets[:-1]), np.diff(tree.sets))
    return np.where(totals > 0, sums / np.where(totals > 0, totals, 1), tree.uniform())


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampled_cfr_comes_near_the_equilibrium_and_repeats_by_its_seed(trees, sampling):
    tree = trees["kuhn"]
    runs = [Mccfr(tree, sampling, seed) for seed in (1, 1, 2)]
    for run in runs:
        run.run(20_000)
    assert np.array_equal(runs[0].average, runs[1].average)
    assert not np.array_equal(runs[0].average, runs[2].average)
    assert exploitability(tree, runs[0].average) < 0.03


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_sampled_regrets_are_those_of_cfr_on_average(trees, sampling):
    # Before the first update all regrets are 0 and the strategy is uniform: what one iteration
    # adds for the first seat, on average over seeds, is what CFR adds.
    tree = trees["kuhn"]
    exact = Cfr(tree, "cfr", 1)
    exact.run(1)
    mine = np.repeat(tree.owner, np.diff(tree.sets)) == 0
    drawn = []
    for seed in range(40_000):
        run = Mccfr(tree, sampling, seed)
        run.run(1)
        drawn.append(run._regrets[mine])
    error = np.std(drawn, axis=0) / np.sqrt(len(drawn))
    assert (np.abs(np.mean(drawn, axis=0) - exact._regrets[mine]) < 4.5 * error + 1e-12).all()


def test_the_best_response_takes_all_that_a_player_gives_away(trees):
    # Who always bets in Kuhn is called by a king, and by a queen where that is worth it.
    tree = trees["kuhn"]
    table = np.zeros((len(tree.owner), 2))
    table[:, 1] = 1
    strategy = tree.strategy(table)
    earned, best = best_responses(tree, strategy)
    both = np.where(np.repeat(tree.owner, np.diff(tree.sets)) == 0, best, strategy)
    assert values(tree, both)[0] == pytest.approx(earned[0])
    assert earned[1] == pytest.approx(
        1 / 3
    )  # a king calls and wins 2, a jack folds, a queen breaks even
    assert nash_conv(tree, strategy) == pytest.approx(earned.sum())


def test_a_solution_is_a_player_that_is_as_strong_as_it(trees, tmp_path):
    tree = trees["kuhn"]
    _, strategy = sequence_form.solve(tree)
    save_strategy(tmp_path, "kuhn", tree, strategy, {"algorithm": "lp"})
    player = make_agent(f"tabular:{tmp_path}", make_game("kuhn"))
    found = exploit(tree, player)
    assert found.exploitability < 1e-9
    assert found.value[0] == pytest.approx(-1 / 18)
    assert exploit(tree, make_agent("random", make_game("kuhn"))).exploitability == pytest.approx(
        0.4583333, abs=1e-6
    )


def test_solve_prints_a_curve_and_keeps_a_player(tmp_path, capsys):
    folder = tmp_path / "kuhn"
    assert main(["solve", "kuhn", "--iterations", "200", "--json", "-o", str(folder)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row[0] for row in said["curve"]] == [1, 2, 5, 10, 20, 50, 100, 200]
    assert said["exploitability"] == said["curve"][-1][1] < 1e-3
    assert main(["play", "kuhn", f"tabular:{folder}", "random"]) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["holdem"], "cannot be enumerated"),
        (["kuhn", "--algorithm", "crf"], "crf is none of"),
        (["kuhn", "--iterations", "0"], "must be at least 1"),
    ],
)
def test_what_cannot_be_solved_is_said_in_a_sentence(arguments, named, capsys):
    assert main(["solve", *arguments]) == 2
    assert named in capsys.readouterr().err


def test_a_solution_of_another_game_is_refused(trees, tmp_path):
    tree = trees["rps"]
    save_strategy(tmp_path, "rps", tree, tree.uniform(), {})
    with pytest.raises(InputError, match="is a solution of rps, not of kuhn"):
        make_agent(f"tabular:{tmp_path}", make_game("kuhn"))
    with pytest.raises(InputError, match="is a solution of rps with other options"):
        make_agent(f"tabular:{tmp_path}", make_game("rps?scissors=2"))
    make_agent(f"tabular:{tmp_path}", make_game("rps"))
    (tmp_path / "player" / "strategy.safetensors").write_bytes(b"\x08")
    with pytest.raises(InputError, match="not a whole safetensors file"):
        make_agent(f"tabular:{tmp_path}", make_game("rps"))
