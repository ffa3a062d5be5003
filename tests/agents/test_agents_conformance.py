"""Every registered agent keeps the contract with every game that it can play."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.conformance import check_agent, digest
from arena.agents.registry import agent_names, make_agent
from arena.envs.errors import InputError, NotConforming
from arena.envs.registry import game_names, make_game

# The null kinds that fail by design: test_what_fails_by_design_is_found.
FAILING = {"crash", "illegal", "timeout"}
# Language models, which take their time: test_a_language_model_keeps_the_contract.
SLOW = {"lm"}
# One or two small configurations of each game; a game that is not named is taken as it comes.
GAMES = {
    "gymnasium": ["gymnasium?id=CartPole-v1", "gymnasium?id=Pendulum-v1"],
    "aec": [],  # what PettingZoo has is played by tests/envs/test_adapters.py
    "parallel": [],
    "matrix": [],  # needs a file; rps is one
    "holdem": ["holdem", "holdem?seats=6"],
    "science_birds": ["science_birds?letters=IL,drops=12"],
}
# Agents whose bare name is no complete spec, or that have more than one face.
AGENTS = {
    "birds_genetic": ["birds_genetic?evaluations=20,population=10"],
    "birds_elites": ["birds_elites?evaluations=20,batch=10"],
}


def pairs():
    for name in game_names():
        for game in GAMES.get(name, [name]):
            try:
                rules = make_game(game)
            except InputError as error:
                assert isinstance(error.__cause__, ImportError), error  # an extra is missing
                continue
            for family in agent_names():
                if family in FAILING | SLOW:
                    continue
                for spec in AGENTS.get(family, [family]):
                    try:
                        make_agent(spec, rules)
                    except InputError:  # CannotPlay, or a checkpoint is needed
                        continue
                    yield spec, game


PAIRS = list(pairs())


@pytest.mark.parametrize(("spec", "game"), PAIRS)
def test_an_agent_keeps_the_contract(spec, game):
    assert check_agent(spec, game, tables=3, limit=30, other_process=False) > 0


def test_another_process_decides_alike():
    code = (
        "import sys\nfrom arena.agents.conformance import digest\n"
        "for line in sys.stdin:\n"
        "    spec, game = line.split()\n"
        "    print(digest(spec, game, tables=2, limit=5))\n"
    )
    pairs = list(PAIRS)
    if find_spec("transformers"):
        pairs.append(("lm:tiny?temperature=1", "gridworld"))
    lines = "\n".join(f"{spec} {game}" for spec, game in pairs)
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    there = done.stdout.split()
    here = [digest(spec, game, tables=2, limit=5) for spec, game in pairs]
    assert [pair for pair, a, b in zip(pairs, here, there, strict=True) if a != b] == []


@pytest.mark.parametrize(
    ("spec", "game"),
    [
        ("lm:tiny", "holdem?seats=6"),
        ("lm:tiny", "rtb"),
        ("lm:tiny", "minihack?steps=10"),
        ("lm:tiny?prompt=history,temperature=1", "gridworld"),
        ("lm:tiny?temperature=1", "science_birds?letters=IL,drops=4"),
        ("lm:tiny?decode=constrained,temperature=1", "holdem"),
        ("lm:tiny?decode=vote,samples=2,max_tokens=4", "gymnasium?id=CartPole-v1"),
        ("lm:tiny?decode=generate,prompt=zero_shot,max_tokens=4", "science_birds?letters=IL"),
    ],
)
def test_a_language_model_keeps_the_contract(spec, game):
    pytest.importorskip("transformers")
    if game.startswith("minihack"):
        pytest.importorskip("nle")
    assert check_agent(spec, game, tables=2, limit=2, other_process=False) > 0


@pytest.mark.parametrize("spec", ["crash", "illegal"])
def test_what_fails_by_design_is_found(spec):
    with pytest.raises(NotConforming, match=spec):
        check_agent(spec, "gymnasium?id=CartPole-v1", other_process=False)


def test_a_third_partys_player_is_found_and_wins(nim_plugin):
    assert "nim-master" in agent_names()
    assert check_agent("nim-master?blunders=0.3", "nim") > 0
    with pytest.raises(CannotPlay, match="nim only"):
        make_agent("nim-master", make_game("gymnasium?id=CartPole-v1"))


# -- the checker finds those that do not -------------------------------------------------------


class Player(Agent):
    def __init__(self, game, checkpoint=None):
        self.game, self.calls = game, 0

    def act(self, turns):
        return Decisions((turns.uniforms()[:, 0] * 3).astype(int) % turns.action_mask.sum(axis=1))


class Counting(Player):
    """Remembers, and is not told from table to table."""

    def act(self, turns):
        self.calls += 1
        return Decisions(self.calls % turns.action_mask.sum(axis=1))


class LookingAside(Player):
    """Decides by the batch's size."""

    def act(self, turns):
        return Decisions(np.full(len(turns), len(turns)) % turns.action_mask.sum(axis=1))


class LookingAtTheSlot(Player):
    def act(self, turns):
        return Decisions(turns.tables % turns.action_mask.sum(axis=1))


class Forgetful(Player):
    """Remembers the table's past by itself, and does not forget when it begins anew."""

    def __init__(self, game, checkpoint=None):
        self.seen = {}

    def act(self, turns):
        keys = list(zip(turns.tables.tolist(), turns.seats.tolist(), strict=True))
        for key in keys:
            self.seen[key] = self.seen.get(key, 0) + 1
        return Decisions(np.array([self.seen[key] for key in keys]) % turns.action_mask.sum(axis=1))


class Hashing(Player):
    """Decides by Python's salted hash."""

    def act(self, turns):
        salted = np.array([hash(text + "salt") for text in turns.text])
        return Decisions(salted % turns.action_mask.sum(axis=1))


class Dishonest(Player):
    """Tells of a policy that it does not play."""

    def act(self, turns):
        return Decisions(super().act(turns).actions * 0, np.eye(3)[[1] * len(turns)])


class Undecided(Player):
    """Has a policy, and does not declare it."""

    def policy(self, turns):
        return turns.action_mask / turns.action_mask.sum(axis=1, keepdims=True)


class Improper(Player):
    """Declares what sums to less than 1."""

    act = Agent.act

    def policy(self, turns):
        return turns.action_mask * 0.3


class Astray(Player):
    """Declares a chance for what is not legal."""

    act = Agent.act

    def policy(self, turns):
        return np.full(turns.action_mask.shape, 1 / turns.action_mask.shape[1])


class TooFew(Player):
    def act(self, turns):
        return Decisions(super().act(turns).actions[1:])


@pytest.mark.parametrize(
    ("player", "says"),
    [
        (Counting, "another"),
        (LookingAside, "another"),
        (LookingAtTheSlot, "another"),
        (Forgetful, "played before"),
        (Hashing, "another process"),
        (Dishonest, "probabilit"),
        (Undecided, "declares its policy"),
        (Improper, "sum to"),
        (Astray, "illegal action a probability"),
        (TooFew, "actions for"),
    ],
)
def test_the_checker_finds_an_agent(player, says, nim_plugin, tmp_path, monkeypatch):
    points = tmp_path / "faulty-0.dist-info"
    points.mkdir()
    (points / "METADATA").write_text("Metadata-Version: 2.4\nName: faulty\nVersion: 0\n")
    (points / "entry_points.txt").write_text(
        f"[arena.agents]\nfaulty = {__name__}:{player.__name__}\n"
    )
    monkeypatch.setenv("PYTHONHASHSEED", "1" if player is Hashing else "0")
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(NotConforming, match=says):
        check_agent("faulty", "nim", other_process=player is Hashing)
