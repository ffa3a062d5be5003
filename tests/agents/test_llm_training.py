"""Language models learn: examples, teachers, hand histories, fine-tuning, rewards."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from arena.agents.llm.backends.backend import Message
from arena.agents.llm.backends.opening import open_backend
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.learning.examples import Example, read_examples, write_examples
from arena.agents.llm.learning.hands import learn_from, records, winners
from arena.agents.llm.learning.problems import Problem, Situation, situations
from arena.agents.llm.learning.scribe import Scribe
from arena.agents.llm.learning.teachers import teach
from arena.agents.registry import make_agent
from arena.envs.errors import InputError
from arena.envs.holdem import phh
from arena.envs.registry import make_game

if TYPE_CHECKING:
    from arena.agents.llm.learning.sft import SftSettings

pytest.importorskip("trl")

HANDS = """
[1]
variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [1, 2]
min_bet = 2
starting_stacks = [200, 200]
actions = ['d dh p1 AsAh', 'd dh p2 7c2d', 'p2 cbr 6', 'p1 cc', 'd db 2h3h4h', 'p1 cbr 9', 'p2 f']
players = ['Ann', 'Bob']
finishing_stacks = [206, 194]
[2]
variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [1, 2]
min_bet = 2
starting_stacks = [200, 200]
actions = ['d dh p1 8s3h', 'd dh p2 KcKd', 'p2 f']
players = ['Bob', 'Ann']
finishing_stacks = [201, 199]
"""


def say(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


MOVES = {"AA": "raise", "72": "fold", "TT": "call", "93": "fold", "KK": "raise"}
LESSONS = [Example(say(f"{hand}?"), move) for hand, move in MOVES.items()]


# -- examples --------------------------------------------------------------------------------------


def test_examples_are_read_as_they_were_written(tmp_path: Path) -> None:
    examples = [Example((Message("system", "ä"), *say("1")), "fold", {"row": 3}), *LESSONS]
    assert write_examples(tmp_path / "e.jsonl", examples) == 6
    assert read_examples(tmp_path / "e.jsonl") == examples


@pytest.mark.parametrize(
    "line",
    [
        "fold",
        "{}",
        '{"prompt": [{"role": "user", "content": "1"}], "completion": []}',
        '{"prompt": [{"role": "judge", "content": "1"}],'
        ' "completion": [{"role": "assistant", "content": "a"}]}',
        '{"prompt": [{"role": "assistant", "content": "1"}],'
        ' "completion": [{"role": "assistant", "content": "a"}]}',
    ],
)
def test_a_line_that_is_no_example_is_named(tmp_path: Path, line: str) -> None:
    write_examples(tmp_path / "e.jsonl", LESSONS)
    with (tmp_path / "e.jsonl").open("a") as file:
        file.write(line)
    with pytest.raises(InputError, match=r"e\.jsonl, line 6: not an example"):
        read_examples(tmp_path / "e.jsonl")


def test_a_teachers_decisions_are_its_own_and_legal() -> None:
    game = make_game("holdem?seats=3")
    examples = list(islice(teach(game, "call", Scribe(game), seed=1), 50))
    assert {example.answer.split()[0] for example in examples} == {"call", "check"}
    assert all(example.answer in example.prompt[-1].content for example in examples)
    again = list(islice(teach(game, "call", Scribe(game), seed=1), 50))
    assert again == examples
    other = list(islice(teach(game, "call", Scribe(game), seed=2), 50))
    assert other != examples


def test_a_scribe_keeps_the_history_that_a_template_shows() -> None:
    game = make_game("gridworld?rooms=2,steps=20")
    examples = list(islice(teach(game, "random", Scribe(game, "history"), seed=0), 3))
    second = examples[1].prompt[-1].content
    assert f"Action taken: {examples[0].answer}" in second


def test_the_winners_of_hands_are_those_with_a_high_win_rate() -> None:
    hands = phh.loads(HANDS)
    assert {p: (r.hands, r.won) for p, r in records(hands).items()} == {
        "Ann": (2, (6 - 1) / 2 / 2),
        "Bob": (2, (-6 + 1) / 2 / 2),
    }
    assert winners(hands, least_won=0.0, least_hands=2) == {"Ann"}
    with pytest.raises(InputError, match="the best, Ann, won 1"):
        winners(hands, least_won=2.0, least_hands=2)
    with pytest.raises(InputError, match="over 3 hands"):
        winners(hands, least_won=0.0, least_hands=3)


def test_a_winners_hands_become_examples_on_the_menu_or_exact() -> None:
    hands = phh.loads(HANDS)
    game = make_game("holdem?menu=0.5/1")
    snapped = list(learn_from(hands, {"Ann"}, Scribe(game)))
    exact = list(learn_from(hands, {"Ann"}, Scribe(game), exact=True))
    # Heads-up the format lists the blinds against the seats: p2 posts the small one.
    assert [example.answer for example in exact] == ["call 2", "bet 4.5", "fold"]
    assert [example.answer for example in snapped] == ["call 2", "bet 6", "fold"]
    assert "As Ah" in exact[0].prompt[-1].content
    assert exact[1].meta["player"] == "Ann"


# -- fine-tuning -----------------------------------------------------------------------------------


def answers(folder: Path, examples: list[Example]) -> list[str]:
    backend = open_backend(str(folder), dtype="float32")
    replies = backend.generate([one.prompt for one in examples], max_tokens=8)
    return [reply.text for reply in replies]


def settings(**more: object) -> SftSettings:
    from arena.agents.llm.learning.sft import SftSettings

    figures = {"model": "tiny", "batch": 5, "lr": 1e-2, "epochs": 40, "save_every": 20}
    return SftSettings(**{**figures, **more})  # type: ignore[arg-type]


def test_a_model_learns_a_handful_of_examples_by_heart(tmp_path: Path) -> None:
    from arena.agents.llm.learning import sft

    losses: list[float] = []
    sft.train(LESSONS, settings(), tmp_path / "m", progress=lambda n, of, loss: losses.append(loss))
    assert losses[-1] < 0.1 < losses[0]
    assert answers(tmp_path / "m", LESSONS) == [example.answer for example in LESSONS]
    assert not list((tmp_path / "m" / "training").glob("checkpoint-*"))
    assert json.loads((tmp_path / "m" / "player" / "sft.json").read_text())["model"] == "tiny"


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from arena.agents.llm.learning import sft

    def stop(done: int, total: int, loss: float) -> None:
        if done > 20:
            raise KeyboardInterrupt

    whole, halved = tmp_path / "whole", tmp_path / "halved"
    sft.train(LESSONS, settings(epochs=30), whole)
    with pytest.raises(KeyboardInterrupt):
        sft.train(LESSONS, settings(epochs=30), halved, progress=stop)
    assert not (halved / "model.safetensors").exists()
    sft.train(LESSONS, settings(epochs=30), halved, resume=True)
    one, two = (load_file(folder / "player" / "model.safetensors") for folder in (whole, halved))
    assert all(one[name].equal(two[name]) for name in one)
    with pytest.raises(InputError, match="no interrupted run"):
        sft.train(LESSONS, settings(), halved, resume=True)


def test_adapters_are_merged_so_that_the_folder_plays(tmp_path: Path) -> None:
    from arena.agents.llm.learning import sft

    sft.train(LESSONS, settings(lora=16, lr=3e-2, epochs=5), tmp_path / "m")
    assert not (tmp_path / "m" / "player" / "adapter_config.json").exists()
    game = make_game("holdem")
    agent = make_agent(f"lm:{tmp_path / 'm'}", game)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.ones(1, np.uint64))
    turns = tables.turns()
    turns.seeds = np.ones(1, np.uint64)
    decisions = agent.act(turns)
    assert not decisions.failures


def test_an_example_that_is_too_long_is_named(tmp_path: Path) -> None:
    from arena.agents.llm.learning import sft

    long = Example(say("A" * 50), "fold")
    with pytest.raises(InputError, match=r"example 2 has .* tokens; 40 are trained on"):
        sft.train([LESSONS[0], long], settings(longest=40), tmp_path / "m")


# -- rewards ---------------------------------------------------------------------------------------


def test_a_situations_worth_is_the_mean_over_its_own_continuations() -> None:
    game = make_game("holdem")
    agents = [make_agent("call", game)] * 2
    here = game.tables(1)
    here.begin(np.zeros(1, np.int64), np.array([5], np.uint64))
    here = Situation(here, 1, agents, np.arange(64).astype(np.uint64))
    fold, call, shove = (here.worth(action) for action in (0, 1, 4))
    assert fold == -0.5  # the small blind
    # Nobody bets after a call: the same showdowns for 1 and for 100 big blinds.
    assert shove == pytest.approx(100 * call)
    assert -1 < call < 1


def test_situations_ask_about_the_decisions_that_are_wanted() -> None:
    game = make_game("holdem")
    found = list(
        situations(game, "call", Scribe(game), count=8, rollouts=2, illegal=-9.0, seed=0, latest=3)
    )
    streets = {"Street: flop" in problem.question.prompt[-1].content for problem in found}
    assert streets == {False, True}
    assert found[0].reward("checkmate") == -9.0
    assert found[0].reward(found[0].question.choices[0]) > -9.0


def test_a_model_is_rewarded_into_a_habit(tmp_path: Path) -> None:
    from arena.agents.llm.learning.grpo import GrpoSettings, train

    question = Question(say("Say a."), ["a"], lambda text: text)
    often_a = Problem(question, lambda text: text.count("a") / 4, 0.0)
    figures = GrpoSettings(
        model="tiny", updates=40, prompts=1, group=32, lr=1e-2, answer=4, save_every=100
    )
    rewards = train([often_a], figures, tmp_path / "m")
    assert np.mean(rewards[:5]) < 0.1
    assert np.mean(rewards[-5:]) > 0.8
