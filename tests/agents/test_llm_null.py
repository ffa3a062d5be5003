"""Null models of language in every game, and as respondents of suites."""

from typing import Any

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.llm.backends.backend import Message
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.null import INJECTION, NullModel
from arena.agents.llm.respondent import respondent
from arena.agents.registry import agent_names, identify, make_agent
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.registry import make_game
from arena.leagues.clock import Clock, TimeUp

GAMES = {
    "holdem?seats=2": None,
    "rtb?bidders=2,auctions=40,tick=20": None,
    "gridworld": None,
    "minihack?task=KeyRoom-S5,steps=20": "nle",
    "science_birds?trials=1": "Box2D",
}
MUTE = ("all", "injection", "empty", "long")


@pytest.fixture(params=GAMES, scope="module")
def turns(request: pytest.FixtureRequest) -> Turns:
    """Three first turns of a game."""
    if (library := GAMES[request.param]) is not None:
        pytest.importorskip(library, reason=f"{library} is not installed")
    tables = make_game(request.param).tables(3)
    tables.begin(np.arange(3), np.arange(3, dtype=np.uint64))
    turns = tables.turns()
    turns.seeds = np.arange(len(turns), dtype=np.uint64)
    return turns


def test_the_family_is_registered() -> None:
    assert "lm_null" in agent_names()
    kinds = [f"lm_null?kind={kind}" for kind in ("constant", *MUTE, "slow")]
    assert len({identify(spec).key for spec in kinds}) == len(kinds)


@pytest.mark.parametrize("kind", MUTE)
def test_what_is_no_action_is_an_illegal_answer_in_every_game(turns: Turns, kind: str) -> None:
    decisions = NullModel(turns.game, kind=kind).act(turns)  # type: ignore[arg-type]
    assert decisions.failures == dict.fromkeys(range(len(turns)), "illegal")
    assert len(decisions.actions) == len(turns)
    assert decisions.notes is not None
    for row, note in enumerate(decisions.notes):
        assert note is not None and note["error"]
        said = note["answer"]
        words = turns.words[row]
        assert {
            "all": all(word in said for word in words),
            "injection": said.startswith(INJECTION) and note.get("thought") == INJECTION,
            "empty": said == "",
            "long": said.endswith(words[0]) and len(said) > 5000,
        }[kind]


def test_a_constant_answer_is_played_where_it_is_legal(turns: Turns) -> None:
    agent = make_agent("lm_null", turns.game)
    decisions = agent.act(turns)
    first = turns.words[0][0]
    for row in range(len(turns)):
        try:
            action = turns.parse(row, first)
        except InputError:
            assert decisions.failures[row] == "illegal"
        else:
            assert row not in decisions.failures
            np.testing.assert_array_equal(decisions.actions[row], action)
    assert 0 not in decisions.failures  # it is of this very turn
    assert decisions.notes is not None
    assert {note["answer"] for note in decisions.notes if note} == {first}


def test_it_is_told_once_that_an_answer_is_illegal(turns: Turns) -> None:
    decisions = make_agent("lm_null?kind=constant,answer=win", turns.game).act(turns)
    assert decisions.failures == dict.fromkeys(range(len(turns)), "illegal")
    assert decisions.notes is not None and decisions.notes[0] is not None
    assert decisions.notes[0]["first_answer"] == "win"
    assert "legal" in decisions.notes[0]["feedback"].lower()


def test_slow_is_ended_by_the_clock() -> None:
    tables = make_game("holdem?seats=2").tables(1)
    tables.begin(np.arange(1), np.arange(1, dtype=np.uint64))
    turns = tables.turns()
    turns.seeds = np.zeros(1, np.uint64)
    agent = make_agent("lm_null?kind=slow", tables.game)
    with pytest.raises(TimeUp), Clock(0.1).running("slow"):
        agent.act(turns)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("lm_null:model?kind=empty", "takes no checkpoint"),
        ("lm_null?kind=empty,answer=fold", "said by kind=constant only"),
        ("lm_null?kind=loud", "is none of constant, all"),
    ],
)
def test_what_no_null_model_is_is_refused(spec: str, sentence: str) -> None:
    with pytest.raises((InputError, CannotPlay), match=sentence):
        make_agent(spec, make_game("holdem?seats=2"))


def exactly(*legal: str) -> Any:
    def parse(answer: str) -> str:
        if answer not in legal:
            raise InputError(f"{answer!r} is none of {legal}")
        return answer

    return parse


def test_a_suite_can_ask_a_null_model() -> None:
    question = Question((Message("user", "yes or no?"),), ("yes", "no"), exactly("yes", "no"))
    seeds = np.zeros(1, np.uint64)
    (no,) = respondent("lm_null?answer=no").decide([question], seeds)
    assert (no.value, no.failure) == ("no", None)
    (both,) = respondent("lm_null?kind=all").decide([question], seeds)
    assert (both.value, both.failure, both.text) == (None, "illegal", "yes, no")
    with pytest.raises(InputError, match="needs answer"):
        respondent("lm_null")
    with pytest.raises(InputError, match="waits for a league's clock"):
        respondent("lm_null?kind=slow")
