"""CALM in the loop: what is paid, that the judge is asked once, and that a run goes on exactly."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")
pytest.importorskip("nle")

from arena.agents.exploration.combination import parse
from arena.agents.exploration.ppo import Run, Settings
from arena.agents.exploration.tables_env import TablesVecEnv
from arena.agents.exploration.vec import VecBonus
from arena.agents.llm import respondent
from arena.agents.llm.decoding.question import Reply
from arena.envs.errors import InputError
from arena.envs.registry import make_game

GAME = "minihack?task=KeyRoom-S5,steps=40,contexts=1"
SMALL = {"envs": 4, "rollout": 16, "batch": 32, "epochs": 1, "width": 16, "beta": 0.1}


class Judge:
    """Says key where an item enters the inventory, or always the same."""

    spec = key = "planted"

    def __init__(self, always=None, failure=None):
        self.always, self.failure = always, failure
        self.prompts, self.seeds = [], []

    def decide(self, questions, seeds):
        self.prompts += [question.prompt for question in questions]
        self.seeds += np.asarray(seeds).tolist()
        return [self.answer(question.prompt[-1].content) for question in questions]

    def answer(self, shown):
        if self.failure:
            return Reply(None, "", None, {"error": "the model is away"}, self.failure)
        after = shown.rpartition("Message: ")[2]
        value = self.always or ("key" if after[1:4] == " - " else "none")
        return Reply(value, value)


@pytest.fixture
def judge(monkeypatch):
    def plant(**more):
        found = Judge(**more)
        monkeypatch.setattr(respondent, "respondent", lambda spec: found)
        return found

    return plant


def play(bonus, steps=120, seed=3):
    env = VecBonus(TablesVecEnv(make_game(GAME), 4, seed, KEYS), bonus, beta=0.1)
    env.reset()
    dice = np.random.default_rng(0)
    paid = []
    for _ in range(steps):
        env.step(dice.integers(0, 10, 4))
        paid.append(env.paid.copy())
    return env, np.array(paid)


KEYS = ("glyphs", "blstats", "message", "inv_glyphs", "inv_letters")


def test_the_oracle_pays_a_whole_point_for_what_the_labels_say():
    env, paid = play("calm:oracle")
    figures = env.bonus.figures()
    assert set(np.unique(paid)) == {0.0, 1.0}  # not divided by a deviation: β alone weighs it
    assert figures["achieved"] == paid.sum() >= 1
    assert figures["precision"] == figures["recall"] == 1 and figures["steps"] == 480
    halved, half = play("0.5*calm:oracle")
    assert (half == 0.5 * paid).all() and halved.bonus.figures() == figures


def test_each_distinct_transition_is_asked_about_once(judge):
    planted = judge()
    env, paid = play("calm:lm:any")
    figures = env.bonus.figures()
    assert len(planted.prompts) == len(set(planted.prompts)) == figures["asked"] < 480
    assert len(set(planted.seeds)) == figures["asked"]
    _, oracle = play("calm:oracle")
    assert (paid <= oracle).all() and paid.sum() >= 1  # keys, but no doors
    before = figures["asked"]
    for _ in range(2):  # nothing new: the same episodes again
        env.reset()
    assert env.bonus.figures()["asked"] == before


def test_a_poor_judge_is_shown_as_one(judge):
    judge(always="door")
    env, paid = play("calm:map:lm:any", steps=50)
    figures = env.bonus.figures()
    assert (paid == 1).all() and figures["judged_achieved"] == figures["steps"] == 200
    assert figures["precision"] == figures["achieved"] / 200 < 0.1


def test_the_variant_stands_before_the_judge(judge):
    planted = judge()
    play("calm:map-json:lm:any", steps=1)
    system, shown = (message.content for message in planted.prompts[0])
    assert "JSON" in system and "  \n" not in shown.partition("Message")[0]


def test_no_judgement_pays_nothing_and_no_judge_stops_the_run(judge):
    judge(failure="illegal")
    _, paid = play("calm:lm:any", steps=20)
    assert not paid.any()
    judge(failure="crash")
    with pytest.raises(InputError, match="the judge cannot answer: the model is away"):
        play("calm:lm:any", steps=1)


@pytest.mark.parametrize("bonus", ["calm:oracle", "calm:lm:any+0.5*count:position"])
def test_a_run_that_was_stored_goes_on_with_its_judgements(bonus, judge, tmp_path):
    planted = judge()
    settings = Settings(GAME, bonus, seed=2, **SMALL)
    whole = Run(settings, tmp_path / "whole")
    whole.train(256)
    asked = len(planted.prompts)
    parts = Run(settings, tmp_path / "parts")
    parts.train(128)
    parts.save()
    again = Run.load(tmp_path / "parts")
    again.train(256)
    assert len(planted.prompts) == 2 * asked  # what was known before the stop is not asked again
    one, two = whole.bonus_env.memory(), again.bonus_env.memory()
    assert one.keys() == two.keys() and all((one[key] == two[key]).all() for key in one)
    np.testing.assert_equal(whole.curve, again.curve)


def test_it_refuses_other_games_and_no_judge():
    assert str(parse("0.1*calm:own-map:lm:smollm2?decode=score")[0]) == (
        "0.1*calm:own-map:lm:smollm2?decode=score"
    )
    for bonus, problem in (("calm", "needs a judge"), ("calm:nobody", "nobody")):
        with pytest.raises(InputError, match=problem):
            VecBonus(TablesVecEnv(make_game(GAME), 1, 0, KEYS), bonus)
    with pytest.raises(InputError, match="minihack"):
        VecBonus(TablesVecEnv(make_game("gridworld"), 1, 0), "calm:oracle")
