"""What rivers cost: nothing to who plays the solution, known amounts to who does not."""

import json

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.registry import make_agent
from arena.agents.solvers import river
from arena.agents.solvers.ranges import HANDS
from arena.agents.solvers.spot import DECISION
from arena.cli import main
from arena.envs.registry import make_game

GAME = make_game("holdem?stack=5,menu=1")


@pytest.fixture(scope="module")
def solved():
    tables, ranges = river.rivers(make_agent("call", GAME), GAME, 1, 0)
    return tables, river.solve(tables, 0, ranges[0], 0.5)


def test_nothing_is_better_than_the_solution_by_more_than_it_is_inexact(solved):
    _, solver = solved
    decisions = [n for n, s in enumerate(solver.bets.states) if s.kind == DECISION]
    for seat in (0, 1):
        mine = [n for n in decisions if solver.bets.states[n].seat == seat]
        own = {n: solver.strategy(n) for n in mine}
        assert solver.value_of(seat, own) == pytest.approx(solver.values()[seat], abs=1e-3)
        for k in (0, -1):
            pure = {n: np.zeros_like(own[n]) for n in mine}
            for chances in pure.values():
                chances[k] = 1
            gain = solver.value_of(seat, pure) - solver.values()[seat]
            assert gain < 2 * solver.exploitability() + 1e-6
    assert solver.value_of(0, {}) == solver.values()[0]  # it is the same as before


def test_the_tables_laid_out_are_where_the_tree_says(solved):
    tables, solver = solved
    nodes = river.lay_out(solver, tables, 0)
    for node, state in enumerate(solver.bets.states):
        assert bool(nodes.done[node]) == (state.kind != DECISION)
        if state.kind == DECISION:
            assert nodes.hands["actor"][node] == state.seat
            assert nodes.hands["bets"][node, :2] == pytest.approx(state.paid, abs=1)


def test_a_range_at_the_river_holds_what_was_played_and_no_more():
    tables, ranges = river.rivers(make_agent("tag", GAME), GAME, 60, 1)
    at = np.flatnonzero(tables.hands["actor"] >= 0)
    assert len(at)
    for table in at:
        for seat in (0, 1):
            own = np.sort(tables.hands["deck"][table, 2 * seat : 2 * seat + 2])
            number = int(np.flatnonzero((own == HANDS).all(axis=1))[0])
            assert ranges[table, seat, number] > 0
            assert (ranges[table, seat] > 0).sum() < len(HANDS) / 2  # it folds much before


def test_who_never_bets_pays_for_it_and_who_bets_everything_pays_more(tmp_path, capsys):
    command = ["eval", "regret", "--agent", "call", "--agent", "allin", "--deals", "3", "--json"]
    assert main([*command, "--game", "holdem?stack=5,menu=1", "-o", str(tmp_path / "out")]) == 0
    said = json.loads(capsys.readouterr().out)["agents"]
    assert said["call"]["rivers"] == 3
    assert said["call"]["low"] > 0 or said["call"]["low"] is None
    assert said["call"]["value"] > 10 * said["call"]["within"] / 2
    assert said["allin"]["rivers"] == 0  # all chips are in long before


def test_who_cannot_be_asked_is_named(tmp_path):
    with pytest.raises(CannotPlay, match="declares no policy"):
        river.losses(make_agent("crash", GAME), GAME, 2, 0)
