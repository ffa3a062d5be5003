"""OpenSpiel's solvers as players: measured here they are as exploitable as OpenSpiel says."""

import pytest

pytest.importorskip("pyspiel")

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.registry import make_agent
from arena.agents.solvers.exploit import exploit
from arena.agents.solvers.tree import compile_tree
from arena.envs.errors import InputError
from arena.envs.registry import make_game


def test_its_cfr_is_where_the_published_trace_is_on_leduc():
    game = make_game("leduc")
    player = make_agent("openspiel:cfr?iterations=101", game)
    assert exploit(compile_tree(game), player).exploitability == pytest.approx(0.0939493, abs=5e-8)


def test_it_keeps_a_players_contract():
    assert check_agent("openspiel:cfr+?iterations=20", "kuhn", tables=4, other_process=False) > 0


@pytest.mark.parametrize(
    ("spec", "game", "kind", "sentence"),
    [
        ("openspiel:cfr", "leduc?ranks=4", CannotPlay, "as they are"),
        ("openspiel:mccfr", "kuhn", InputError, "write openspiel:cfr"),
        ("openspiel:cfr?iterations=0", "kuhn", InputError, "from 1 to"),
    ],
)
def test_what_it_cannot_be_is_said(spec, game, kind, sentence):
    with pytest.raises(kind, match=sentence):
        make_agent(spec, make_game(game))
