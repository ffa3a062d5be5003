"""What a language model learns from a match log is what was played, asked as it would be asked."""

from __future__ import annotations

import pytest

from arena.agents.llm.learning.scribe import Scribe
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues import examples, replay, runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.store import Store

pytest.importorskip("transformers")
LM = "lm:tiny"


@pytest.fixture(scope="module")
def record(tmp_path_factory) -> replay.Replay:
    """A match of a language model and a player that folds, six deals both ways round."""
    schedule = {"kind": "round-robin", "deals": 6, "deals_per_match": 6}
    league = League.from_config(
        {"game": "holdem", "agents": [LM, "fold"], "schedule": schedule}, "test"
    )
    store = Store(str(tmp_path_factory.mktemp("s") / "a.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        (_, progress) = runner.run(league, store, executor)
    return replay.read(progress.result.replay, "test")


def learnt(record: replay.Replay, keys: set[str]) -> list:
    game = make_game(record.match.game)
    return list(examples.learn_from(game, record, keys, Scribe(game)))


def test_prompts_are_those_that_the_player_was_asked_with(record):
    (spec,) = (spec for spec in record.match.specs if spec.startswith(LM))
    key = next(iter(examples.named([record.match], [spec])))
    entrant = record.match.entrants.index(key)
    played = [
        line
        for episode in record.episodes
        for line in episode.decisions
        if record.match.seatings[episode.seating][line["seat"]] == entrant
    ]
    found = learnt(record, {key})
    assert len(found) == len(played) > 0
    for example, line in zip(found, played, strict=True):
        asked = [{"role": m.role, "content": m.content} for m in example.prompt]
        assert asked == line["notes"]["prompt"]
        assert example.answer in line["notes"]["scores"]  # which of them, the venue drew


def test_winners_have_the_highest_mean_return(record):
    folder = next(iter(examples.named([record.match], ["fold"])))
    assert examples.winners([(record.match, examples.returns(record))]) == set(
        record.match.entrants
    ) - {folder}
    assert {example.answer for example in learnt(record, {folder})} <= {"fold", "check"}


def test_a_stranger_is_refused(record):
    with pytest.raises(InputError, match=r"equity is in none of these matches; there played: fold"):
        examples.named([record.match], ["equity"])
