"""CALM in the loop: what is paid, that the judge is asked once, and that a run goes on exactly."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("nle")

from arena.agents.exploration.combination import parse
from arena.agents.exploration.curiosity import Curiosity
from arena.agents.learning import ppo
from arena.agents.llm import respondent
from arena.agents.llm.decoding.question import Reply
from arena.envs.errors import InputError
from arena.envs.registry import make_game

GAME = "minihack?task=KeyRoom-S5,steps=40,contexts=1"
SMALL = {
    "num_envs": 4, "num_steps": 16, "num_minibatches": 2, "update_epochs": 1, "hidden": (16,),
    "checkpoint_every": 1, "product": "torch",
}  # fmt: skip


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


def curious(bonus, game=GAME):
    made = make_game(game)
    tables = made.tables(4)
    return tables, Curiosity(
        made, tables, bonus, coef=1.0, clip=9.0, seed=0, device="cpu", learning_rate=1e-4
    )


def play(bonus, steps=120, seed=3):
    """A random player's steps: the bonus, and what it paid for each of them at each table."""
    tables, curiosity = curious(bonus)
    every, seats = np.arange(4), np.zeros(4, np.int64)
    tables.begin(every, np.arange(4, dtype=np.uint64) + np.uint64(seed))
    curiosity.begin(tables.turns())
    dice, paid = np.random.default_rng(0), []
    for step in range(steps):
        actions = dice.integers(0, 10, 4)
        after = tables.advance(every, seats, actions, every.astype(np.uint64) + np.uint64(9 * step))
        paid.append(curiosity.pay(actions, after, np.zeros((4, 1)))[:, 0])
    return curiosity.payer.bonus, np.array(paid)


def test_the_oracle_pays_a_whole_point_for_what_the_labels_say():
    bonus, paid = play("calm:oracle")
    figures = bonus.figures()
    assert set(np.unique(paid)) == {0.0, 1.0}  # not divided by a deviation: β alone weighs it
    assert figures["achieved"] == paid.sum() >= 1
    assert figures["precision"] == figures["recall"] == 1 and figures["steps"] == 480
    halved, half = play("0.5*calm:oracle")
    assert (half == 0.5 * paid).all() and halved.figures() == figures


def test_each_distinct_transition_is_asked_about_once(judge):
    planted = judge()
    bonus, paid = play("calm:lm:any")
    figures = bonus.figures()
    assert len(planted.prompts) == len(set(planted.prompts)) == figures["asked"] < 480
    assert len(set(planted.seeds)) == figures["asked"]
    _, oracle = play("calm:oracle")
    assert (paid <= oracle).all() and paid.sum() >= 1  # keys, but no doors


def test_a_poor_judge_is_shown_as_one(judge):
    judge(always="door")
    bonus, paid = play("calm:map:lm:any", steps=50)
    figures = bonus.figures()
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
def test_a_run_that_was_stored_resumes_with_its_judgements(bonus, judge):
    planted = judge()
    whole, again = (
        ppo.Learner(ppo.Settings(game=GAME, bonus=bonus, seed=2, **SMALL)) for _ in range(2)
    )
    for update in range(4):
        whole.begin()  # every checkpoint is where episodes begin anew
        if update == 2:
            again.restore(*whole.state())
            known = len(planted.prompts)
        whole.improve(whole.play())
    asked = len(planted.prompts)
    for _ in range(2):
        again.begin()
        again.improve(again.play())
    # What was known before the stop is not asked again.
    assert len(planted.prompts) - asked == asked - known <= known
    one, two = (found.curiosity.payer.memory() for found in (whole, again))
    assert one.keys() == two.keys() and all((one[key] == two[key]).all() for key in one)


def test_it_refuses_other_games_and_no_judge():
    assert str(parse("0.1*calm:own-map:lm:smollm2?decode=score")[0]) == (
        "0.1*calm:own-map:lm:smollm2?decode=score"
    )
    for bonus, problem in (("calm", "needs a judge"), ("calm:nobody", "nobody")):
        with pytest.raises(InputError, match=problem):
            curious(bonus)
    with pytest.raises(InputError, match="minihack"):
        curious("calm:oracle", "gridworld")
