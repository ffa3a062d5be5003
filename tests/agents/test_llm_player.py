"""Language models at the table, with planted answers."""

import numpy as np
import pytest
from fake_backend import Fake

from arena.agents.agent import CannotPlay
from arena.agents.answers import consult
from arena.agents.llm.backends.backend import Answer, Message
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.respondent import respondent
from arena.agents.registry import identify, make_agent
from arena.envs.errors import InputError
from arena.envs.game import Turns, exactly_one
from arena.envs.registry import make_game
from arena.leagues import replay, runner
from arena.leagues.league import League
from arena.leagues.match import Status
from arena.leagues.play import play


@pytest.fixture
def plant(monkeypatch):
    """Makes ``lm`` open the model that is given, whatever its checkpoint."""

    def plant(fake):
        monkeypatch.setattr(
            "arena.agents.llm.player.open_backend", lambda checkpoint, **options: fake
        )
        return fake

    return plant


def begin(game, seeds=(5,)):
    tables = game.tables(len(seeds))
    tables.begin(np.arange(len(seeds)), np.array(seeds, np.uint64))
    return tables


def seeded(turns):
    return Turns(turns._source, turns.tables, turns.seats, np.arange(len(turns), dtype=np.uint64))


def first_choice(prompt, text):
    return -1.0


# -- decisions ---------------------------------------------------------------------------------


def test_an_answer_off_the_menu_is_an_action(plant):
    plant(Fake(lambda *_: "raise to 2.5"))
    game = make_game("holdem")
    tables = begin(game)
    decisions = make_agent("lm?decode=generate", game).act(seeded(tables.turns()))
    assert decisions.failures == {}
    assert decisions.actions.tolist() == [tables.parse(0, 1, "raise to 2.5")]
    assert decisions.actions[0] >= game.action_space.n
    assert decisions.probabilities is None


def test_scores_become_probabilities_over_the_games_actions(plant):
    plant(Fake(like=lambda prompt, text: np.log({"check": 0.6, "all-in": 0.4}.get(text, 1e-30))))
    game = make_game("holdem")
    tables = begin(game)
    tables.step(np.array([0]), np.array([1]), np.array([1]))  # the button calls: no fold for BB
    decisions = make_agent("lm?temperature=1", game).act(seeded(tables.turns()))
    np.testing.assert_allclose(decisions.probabilities, [[0, 0.6, 0, 0, 0.4]], atol=1e-3)
    assert decisions.actions is None and "answer" not in decisions.notes[0]  # the venue draws
    assert set(decisions.notes[0]["scores"]) >= {"check", "all-in"}


def test_a_bidder_bids_any_multiple(plant):
    plant(Fake(lambda *_: "times 0.37"))
    game = make_game("rtb")
    turns = begin(game).turns()
    decisions = make_agent("lm?prompt=free,decode=generate", game).act(seeded(turns))
    assert decisions.actions.shape == (len(turns), 20)
    wanted = turns.observation["value"].astype(float) * 0.37
    np.testing.assert_allclose(decisions.actions, wanted, rtol=1e-3)


def test_a_game_without_prompts_is_played_by_the_generic_one(plant):
    fake = plant(Fake(like=first_choice))
    game = make_game("kuhn")
    turns = seeded(begin(game).turns())
    answers = consult(make_agent("lm", game), turns, np.zeros(1))
    assert answers.status.tolist() == [Status.DONE] and answers.drawn.all()
    assert turns.text[0] in fake.calls[0][0][-1].content


def test_an_illegal_answer_and_a_broken_model_fail_their_own_turns(plant):
    def say(prompt, seed):
        text = prompt[1].content
        if "at (8" in text:
            return Answer("", error="the prompt is too long")
        return "up" if "at (6" in text else "north"

    plant(Fake(say))
    game = make_game("gridworld")
    places = {}
    for seed in range(40):  # levels that begin in different columns
        places.setdefault(int(begin(game, [seed]).at[0, 0]), seed)
    tables = begin(game, [places[8], places[6], places[7]])
    decisions = make_agent("lm?decode=generate", game).act(seeded(tables.turns()))
    assert decisions.failures == {0: "crash", 1: "illegal"}
    assert decisions.actions[2] == 0
    assert decisions.notes[0]["error"] == "the prompt is too long"
    assert "'up' is not a legal action" in decisions.notes[1]["error"]


def test_a_prompt_shows_the_last_observations_of_its_own_episode(plant):
    fake = plant(Fake(lambda prompt, seed: "east"))
    game = make_game("gridworld")
    agent = make_agent("lm?prompt=history,decode=generate,memory=3", game)
    tables = begin(game, [1, 2])
    here, seats = np.arange(2), np.zeros(2, np.int64)
    agent.begin(here, seats)
    for _ in range(4):
        turns = seeded(tables.turns())
        tables.step(turns.tables, turns.seats, agent.act(turns).actions)
    told = fake.calls[-1][1][-1].content
    assert [f"Observation {number}:" in told for number in (1, 2, 3, 4)] == [
        False,
        True,
        True,
        False,
    ]
    assert told.count("Action taken: east") == 2
    assert "step 1" in told and "step 2" in told
    agent.begin(here[1:], seats[1:])
    agent.act(seeded(tables.turns()))
    first, second = (prompt[-1].content for prompt in fake.calls[-1])
    assert "Observation 3:" in first and "Observation" not in second


# -- whole programs ----------------------------------------------------------------------------

LETTER_I = "A plan.\n```\ndrop_block('b31', 9)\ndrop_block('b13', 9)\n```\nDone."
DROPS = [2 * 20 + 9, 1 * 20 + 9]


def play_letters(spec, game):
    """The actions of one episode, and the notes with them."""
    rules = make_game(game)
    agent, tables = make_agent(spec, rules), begin(rules)
    agent.begin(np.array([0]), np.array([0]))
    actions, notes = [], []
    while not tables.done[0]:
        turns = seeded(tables.turns())
        decisions = agent.act(turns)
        notes.append(decisions.notes[0])
        if decisions.failures:
            return decisions.failures[0], notes
        tables.step(turns.tables, turns.seats, decisions.actions)
        actions.append(decisions.actions[0].tolist())
    return actions, notes


def test_a_program_is_asked_for_once_a_level_and_played_call_by_call(plant):
    fake = plant(Fake(lambda *_: LETTER_I))
    spec = "lm?prompt=zero_shot,decode=generate"
    actions, notes = play_letters(spec, "science_birds?letters=I,trials=2")
    assert actions == [*DROPS, 60] * 2
    assert len(fake.asked) == 2
    assert [note is not None for note in notes] == [True, False, False] * 2
    assert "letter I" in fake.asked[0][0].content


def test_a_game_of_whole_levels_takes_the_program_as_it_is(plant):
    plant(Fake(lambda *_: "```drop_block('b31', 0)```"))  # sticks out: the level scores 0
    spec = "lm?prompt=zero_shot,decode=generate"
    actions, _ = play_letters(spec, "science_birds?letters=I,mode=one_shot,drops=3")
    assert actions == [[40, 60, 60]]
    assert play_letters(spec, "science_birds?letters=I")[0] == "illegal"


def test_several_turns_are_a_conversation(plant):
    said = ["Strokes.", "Blocks.", LETTER_I]
    fake = plant(Fake(lambda prompt, seed: said[sum(m.role == "assistant" for m in prompt)]))
    actions, notes = play_letters("lm?prompt=multi_turn,decode=generate", "science_birds?letters=I")
    assert actions == [*DROPS, 60]
    assert [m.content for m in fake.asked[2] if m.role == "assistant"] == said[:2]
    assert notes[0]["tokens_in"] == 30
    assert notes[0]["seconds"] == 1.5
    assert notes[0]["prompt"][1] == {"role": "assistant", "content": "Strokes."}


def test_in_a_tree_of_thoughts_votes_choose_plan_and_program(plant):
    proposals = iter(["plan a", "plan b", "no program", LETTER_I])

    def say(prompt, seed):
        text = prompt[-1].content
        return "Hm.\nsecond" if "Two proposals" in text else next(proposals)

    fake = plant(Fake(say))
    spec = "lm?prompt=tree_of_thoughts,decode=generate"
    actions, notes = play_letters(spec, "science_birds?letters=I")
    assert actions == [*DROPS, 60]
    assert [len(call) for call in fake.calls] == [2, 1, 2, 1]
    assert "plan b" in fake.calls[2][0][-1].content
    assert notes[0]["plan"] == "plan b"


@pytest.mark.parametrize(
    ("spec", "game", "says"),
    [
        ("lm", "holdem", "use decode=constrained or decode=generate"),
        ("lm?decode=constrained,prompt=zero_shot", "science_birds", "writes* whole programs"),
        ("lm?decode=constrained", "science_birds?mode=one_shot", "whole programs"),
        ("lm?decode=vote,prompt=tree_of_thoughts", "science_birds", "draws and votes by itself"),
    ],
)
def test_what_does_not_suit_the_game_is_told_at_once(spec, game, says, plant):
    plant(Fake(lambda *_: ""))
    with pytest.raises(CannotPlay, match=says):
        make_agent(spec, make_game(game))


def test_a_prompt_of_another_games_fields_is_told_at_once(plant, tmp_path):
    plant(Fake(like=first_choice))
    path = tmp_path / "mine.txt"
    path.write_text("=== user\n{letter} {observation}")
    make_agent(f"lm?prompt={path}", make_game("science_birds"))
    with pytest.raises(InputError, match=r"unknown placeholder \{letter\}; known are action_lines"):
        make_agent(f"lm?prompt={path}", make_game("holdem"))


# -- identity ----------------------------------------------------------------------------------


def test_another_text_of_the_prompt_is_another_player(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("=== user\n{observation}")
    game = make_game("holdem")
    one = identify(f"lm?prompt={path}", game)
    assert identify(f"lm?prompt={path}", game) == one
    path.write_text("=== user\n{observation}!")
    assert identify(f"lm?prompt={path}", game).key != one.key
    lenient = "lm?decode=generate,reader=lenient"
    specs = ("lm", "lm?prompt=history", "lm:tiny", "lm?memory=2", "lm?decode=generate", lenient)
    assert len({identify(spec, game).key for spec in specs}) == 6
    assert identify("lm", make_game("rtb")) != identify("lm", game)  # another game's prompt


# -- leagues -----------------------------------------------------------------------------------


def test_a_league_goes_on_where_a_model_fails_and_its_replays_hold_the_notes(plant):
    def say(prompt, seed):
        text = prompt[1].content
        if "hold A" in text:
            return Answer("", error="the prompt is too long")
        return "bluff" if "hold K" in text else "fold" if "to call: 0.5" in text else "check"

    plant(Fake(say))
    league = League.from_config(
        {
            "name": "words",
            "game": "holdem",
            "agents": ["lm?decode=generate", "call"],
            "schedule": {"deals": 60, "deals_per_match": 60},
        },
        "test",
    )
    roster = runner.roster(league)
    game, agents = roster.build()
    (pairing,) = league.make_schedule().pairings(game.seats, 2, league.seed, ())
    (result,) = play(game, agents, [runner.make_match(league, 2, pairing)], roster.agents)
    statuses = result.statuses.ravel().tolist()
    assert set(statuses) == {Status.DONE, Status.CRASH, Status.ILLEGAL}
    assert statuses.count(Status.DONE) > len(statuses) / 2
    record = replay.read(result.replay, "test")
    assert replay.verify(record) == []
    told = [line for episode in record.episodes for line in episode.decisions if "notes" in line]
    assert {"prompt", "answer", "tokens_in", "tokens_out", "seconds"} <= set(told[0]["notes"])
    failed = {line["status"]: line["notes"]["error"] for line in told if "status" in line}
    assert failed["crash"] == "the prompt is too long"
    assert "'bluff' is not a legal action" in failed["illegal"]


# -- questions outside a game ------------------------------------------------------------------


def test_a_suite_asks_a_respondent(plant):
    plant(Fake(lambda prompt, seed: prompt[-1].content))
    asked = respondent("lm:tiny?decode=generate")
    assert asked.key == identify("lm:tiny?decode=generate").key
    colours = ("red", "green")
    questions = [
        Question((Message("user", text),), colours, lambda answer: exactly_one(colours, answer))
        for text in ("green", "blue")
    ]
    one, two = asked.decide(questions, np.arange(2, dtype=np.uint64))
    assert (one.value, two.failure) == (1, "illegal")
    with pytest.raises(InputError, match="answers no questions outside a game"):
        respondent("random")
