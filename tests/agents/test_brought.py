"""Players that users bring: a class in a Python file, a checkpoint of another library."""

import pytest

from arena.agents.brought.python_file import refuse_code
from arena.agents.conformance import check_agent
from arena.agents.registry import identify, make_agent
from arena.envs.errors import InputError
from arena.envs.registry import make_game

CAUTIOUS = """
import numpy as np
from arena.agents import Agent

class Cautious(Agent):
    def __init__(self, game, checkpoint=None):
        self.size = game.action_space.n

    def policy(self, turns):
        first = turns.action_mask.argmax(1)
        return np.eye(self.size)[first]
"""


@pytest.fixture
def cautious(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(CAUTIOUS)
    return path


def test_a_class_in_a_file_plays(cautious):
    assert check_agent(f"python:{cautious}:Cautious", "holdem", tables=2, other_process=False) > 0


def test_another_text_is_another_player(cautious):
    before = identify(f"python:{cautious}:Cautious").key
    cautious.write_text(CAUTIOUS + "# changed\n")
    assert identify(f"python:{cautious}:Cautious").key != before


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("python", "needs a file and a class"),
        ("python:mine.py", "needs a file and a class"),
        ("python:nowhere.py:Cautious", "there is no file nowhere.py"),
        ("python:mine.py:Bold", "has no class Bold that is an arena.agents.Agent; it has Cautious"),
        ("python:broken.py:Bold", "fails when it is run: ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_sentence(spec, sentence, cautious, monkeypatch):
    monkeypatch.chdir(cautious.parent)
    (cautious.parent / "broken.py").write_text("1 / 0")
    with pytest.raises(InputError, match=sentence):
        make_agent(spec, make_game("holdem"))


def test_a_browser_cannot_name_a_file_to_run(cautious):
    from arena.viewer.human import PersonsTable

    with pytest.raises(InputError, match="runs the code in a file"):
        PersonsTable(None, "holdem?seats=2", [f"python:{cautious}:Cautious"])
    with pytest.raises(InputError, match="on the command line or in a league file"):
        refuse_code(f"python:{cautious}:Cautious")


def test_a_checkpoint_of_stable_baselines3_plays_as_it_does_there(tmp_path):
    pytest.importorskip("sb3_contrib")
    import numpy as np
    from sb3_contrib import MaskablePPO

    import arena

    env = arena.sb3_env("holdem?seats=2,stack=20", 4, opponents="call")
    model = MaskablePPO("MultiInputPolicy", env, n_steps=8, batch_size=8, device="cpu").learn(32)
    model.save(tmp_path / "model.zip")
    game = make_game("holdem?seats=2,stack=20")
    agent = make_agent(f"sb3:{tmp_path}/model.zip?algorithm=MaskablePPO", game)
    tables = game.tables(5)
    tables.begin(np.arange(5), np.arange(5, dtype=np.uint64))
    turns = tables.turns()
    seen = {"observation": game.vector(turns.observation), "action_mask": turns.action_mask}
    tensors, _ = model.policy.obs_to_tensor({k: np.float32(v) for k, v in seen.items()})
    theirs = model.policy.get_distribution(tensors, turns.action_mask).distribution.probs
    np.testing.assert_allclose(agent.policy(turns), theirs.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), (b"PK not a zip", "is not a checkpoint of Stable-Baselines3")],
)
def test_what_is_no_checkpoint_of_theirs_is_told(content, sentence, tmp_path):
    pytest.importorskip("torch")
    path = tmp_path / "model.zip"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        make_agent(f"sb3:{path}?algorithm=PPO", make_game("holdem"))
