"""A third party's distribution joins by its entry points, and the READMEs show how it is made."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from arena.agents.llm.prompting.prompts import Prompts
from arena.agents.registry import identify, make_agent
from arena.agents.rollout import play_out
from arena.envs import seeding
from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.viewer.app import make_app
from arena.viewer.library import Library

ROOT = Path(__file__).parents[2]


def examples(readme):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / readme).read_text(), re.M | re.S)


@pytest.mark.parametrize(
    ("readme", "source"),
    [("envs/README.md", "nim/game.py"), ("agents/README.md", "nim/player.py")],
)
def test_a_readme_shows_the_plugins_own_source(readme, source):
    assert examples(readme)[0] == (ROOT / "tests/plugin" / source).read_text()


@pytest.mark.parametrize("readme", ["envs/README.md", "agents/README.md"])
def test_every_example_of_a_readme_runs(readme, nim_plugin, tmp_path):
    found = examples(readme)
    assert len(found) > 1
    for number, example in enumerate(found):
        module = tmp_path / f"example_{number}.py"
        module.write_text(example)
        names = runpy.run_path(str(module))
        if "Lake" in names:
            lake = names["Lake"](slippery=True)
            assert check_game(lake).ended == 4
            assert lake.actions.words(np.array([True, False, False, True])) == ["left", "up"]


def test_game_and_player_of_a_plugin_meet_one_of_ours(nim_plugin):
    game = make_game("nim")
    players = [make_agent("nim-master", game), make_agent("random", game)]
    tables = game.tables(100)
    seeds = np.array([seeding.derive(1, i) for i in range(100)], np.uint64)
    play_out(tables, players, seeds)
    # Who moves first wins but from multiples of four, and there a random opponent errs.
    assert tables.returns[:, 0].sum() > 90
    assert identify("nim-master").configuration != identify("random").configuration


def test_a_plugins_options_are_checked_like_ours(nim_plugin):
    assert make_game("nim?most=2").action_space.n == 2
    with pytest.raises(InputError, match="did you mean 'most'"):
        make_game("nim?mots=2")
    with pytest.raises(InputError, match="between 1 and 9"):
        make_game("nim?most=12")


def test_a_plugins_prompts_are_filled_from_its_facts(nim_plugin):
    game = make_game("nim")
    tables = game.tables(1)
    tables.begin(np.array([0]), np.array([4], np.uint64))
    prompts = Prompts.of(game)
    template = prompts.load("default")
    told = prompts.fill(tables.turns(), 0, "none", template.placeholders)
    said = template.render(**told)[-1].content
    stones = int(tables.stones[0])
    assert said.startswith(f"The heap: {'o' * stones} ({stones} stones). Answer with one of: take")
    agent = make_agent("lm:tiny", game)
    assert set(agent.act(with_seeds(tables)).notes[0]["scores"]) == {"take 1", "take 2", "take 3"}


def with_seeds(tables):
    turns = tables.turns()
    turns.seeds = np.arange(len(turns), dtype=np.uint64)
    return turns


def test_a_person_plays_a_plugins_game_by_its_own_drawing(nim_plugin, tmp_path):
    app = make_app(Library(str(tmp_path / "new.db")))
    with TestClient(app, base_url="http://localhost:8000") as client:
        offer = client.get("/api/play", params={"game": "nim"}).json()
        assert offer["seats"] == 2
        assert {"nim-master", "random"} <= set(offer["agents"])
        body = {"game": "nim", "opponents": ["nim-master"]}
        state = client.post("/api/play", json=body).json()
        assert state["drawing"] == "nim"
        drawing = client.get(f"/static/games/{state['drawing']}.js")
        assert drawing.text == (nim_plugin / "nim/drawing.js").read_text()
        assert "javascript" in drawing.headers["content-type"]
        while not state["over"]:
            assert state["failure"] is None
            known = state["from"] + len(state["steps"])
            body = {"hand": 0, "action": state["turn"]["legal"][0]["label"], "known": known}
            state = client.post(f"/api/play/{state['table']}/decide", json=body).json()
        assert sorted(state["over"]["returns"]) == [0, 1]
