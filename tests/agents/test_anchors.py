"""Trained players that ship: small, fixed, and as strong as their recipe says."""

import json
import shutil

import numpy as np
import pytest

from arena.agents.anchors.family import FOLDER, names, recipe
from arena.agents.learning.evaluation import evaluate
from arena.agents.registry import hash_checkpoint, identify, make_agent
from arena.envs.errors import InputError
from arena.envs.registry import make_game


@pytest.mark.parametrize("name", names())
def test_an_anchor_is_what_its_recipe_says(name):
    facts = recipe(name)
    assert sum(path.stat().st_size for path in (FOLDER / name).rglob("*")) <= 2 * 2**20
    assert hash_checkpoint(str(FOLDER / name)) == facts["sha256"]
    assert identify(f"anchor:{name}").key != identify("random").key


@pytest.mark.parametrize("name", names())
def test_an_anchor_plays_as_well_as_it_was_measured(name):
    facts = recipe(name)
    game = make_game(facts["game"])
    expected = {score["name"]: score for score in facts["scores"]}
    worst = min(expected.values(), key=lambda score: score["mean"])
    found = evaluate(make_agent(f"anchor:{name}", game), game, (worst["name"],), 400, seed=7)[0]
    assert abs(found.mean - worst["mean"]) < 4 * np.hypot(found.error, worst["error"])


@pytest.mark.parametrize("hidden", [[], [0], [16384, 16384], [256] * 17])
def test_layers_that_the_weights_do_not_hold_are_refused_before_they_are_built(tmp_path, hidden):
    player = tmp_path / "player"
    shutil.copytree(FOLDER / "holdem-20bb-1" / "player", player)
    facts = json.loads((player / "config.json").read_text())
    (player / "config.json").write_text(json.dumps(facts | {"hidden": hidden}))
    with pytest.raises(InputError, match=r"hidden (must be|has more)"):
        make_agent(f"policy:{tmp_path}", make_game("holdem?seats=2,stack=20"))


def test_an_unknown_anchor_is_told_with_those_that_there_are():
    with pytest.raises(InputError, match="no anchor is called 'nothing'; there are"):
        make_agent("anchor:nothing", make_game("holdem"))
