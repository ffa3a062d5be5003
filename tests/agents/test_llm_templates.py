"""Prompt templates: a strict format, and every one of them renders for its game."""

from importlib.resources import files

import numpy as np
import pytest

from arena.agents.llm.backends.backend import Message
from arena.agents.llm.prompting import holdem
from arena.agents.llm.prompting.history import Past
from arena.agents.llm.prompting.holdem import words as poker_words
from arena.agents.llm.prompting.holdem.words import features, hand_rank
from arena.agents.llm.prompting.prompts import Prompts, plain
from arena.agents.llm.prompting.templates import Template, load_template
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.registry import make_game

HOLDEM = files(holdem)


def test_a_file_is_a_conversation_with_holes():
    template = Template("t", "=== system\nRules.\n\n=== user\n{a} {{set}}\n{b}\n")
    assert template.render(a=1, b="{a}", c="unused") == (
        Message("system", "Rules."),
        Message("user", "1 {set}\n{a}"),
    )


def test_worked_examples_are_not_answered_and_an_answer_can_be_begun():
    template = Template(
        "t", "=== user\none\n=== assistant\nfold\n=== user\ntwo\n=== user\nthree\n=== assistant\nI"
    )
    first, second = template.render_rounds()
    assert [m.content for m in first] == ["one", "fold", "two"]
    assert [m.role for m in second] == ["user", "assistant"]
    with pytest.raises(InputError, match="prompt t has 2 user turns"):
        template.render()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no turn"),
        ("Hello\n=== user\nHi", "before its first turn"),
        ("=== tool\nHi", "unknown section '=== tool'"),
        ("=== user\nHi\n=== system\nRules", "'=== system' stands first only"),
        ("=== assistant\nHi", "'=== assistant' stands after a user turn only"),
        ("=== user\n\n", "is empty"),
        ("=== system\nRules", "asks nothing"),
        ("=== user\n{open", "write {name} for a field"),
        ("=== user\n{a.b}", "is not a placeholder"),
        ("=== user\n{a!r}", "is not a placeholder"),
        ("=== user\n{}", "is not a placeholder"),
    ],
)
def test_a_faulty_file_is_named(text, says, tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=f"{path}.*{says}"):
        load_template(HOLDEM, str(path), "holdem")


def test_an_unknown_placeholder_and_an_unknown_template_are_named():
    with pytest.raises(InputError, match=r"prompt t: unknown placeholder \{b\}; known are a"):
        Template("t", "=== user\n{b}").render(a=1)
    with pytest.raises(InputError, match=r"no prompt 'nope' for holdem; known are .*pokergpt"):
        load_template(HOLDEM, "nope", "holdem")
    with pytest.raises(InputError, match=r"no/such\.txt cannot be read"):
        load_template(HOLDEM, "no/such.txt", "holdem")


def test_the_digest_is_of_the_text():
    one, two = Template("a", "=== user\nHi"), Template("a", "=== user\nHi!")
    assert one.digest == Template("b", one.text).digest != two.digest


GAMES = (
    "holdem?seats=6",
    "rtb",
    "science_birds?letters=I",
    "gridworld",
    "minihack?steps=10",
    "gymnasium?id=CartPole-v1",
)


@pytest.mark.parametrize("spec", GAMES)
def test_every_template_renders_for_its_game(spec):
    if spec.startswith("minihack"):
        pytest.importorskip("nle")
    game = make_game(spec)
    tables = game.tables(1)
    tables.begin(np.array([0]), np.array([5], np.uint64))
    turns, prompts = tables.turns(), Prompts.of(game)
    assert prompts.family == (game.name if spec != GAMES[-1] else "generic")
    for name in set(prompts.names) - {"tree_of_thoughts_vote"}:
        template = prompts.load(name)
        filled = prompts.fill(turns, 0, "none", template.placeholders)
        extra = {"depth": "plan", "thought": "none"} if name == "tree_of_thoughts" else {}
        for prompt in template.render_rounds(**filled, **extra):
            assert all(message.content.strip() for message in prompt)


def test_a_game_without_words_of_its_own_offers_its_facts(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("=== user\n{goal}: {scene}")
    prompts = Prompts.of(make_game("errand"))
    tables = prompts.game.tables(1)
    tables.begin(np.array([0]), np.array([5], np.uint64))
    (message,) = prompts.load(str(path)).render(
        **prompts.fill(tables.turns(), 0, "none", {"goal", "scene"})
    )
    assert message.content == "{goal}: {scene}".format(**tables.facts(0, 0))


def test_facts_are_told_as_they_are():
    facts = {"cards": ["Ks", "2d"], "seen": [], "pot": 1.5, "last": None, "of": {"a": 1}}
    told = {"cards": "Ks, 2d", "seen": "none", "pot": "1.5", "last": "none", "of": "a: 1"}
    assert plain(facts) == told


def test_history_shows_the_last_observations_and_what_was_done():
    past = Past(memory=3)
    for number in range(4):
        past.add((0, 0), f"seen {number}", f"did {number}")
    assert past.show((0, 0)) == (
        "Observation 3:\nseen 2\nAction taken: did 2\n\nObservation 4:\nseen 3\nAction taken: did 3"
    )
    past.forget([(0, 0)])
    assert past.show((0, 0)) == "none"


# -- Hold'em in words --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hole", "says"),
    [
        ("8c8h", "a pair"),
        ("KdQd", "suited, connected"),
        ("As2s", "suited, connected"),
        ("AsQd", "not suited, not connected"),
        ("Th9c", "not suited, connected"),
    ],
)
def test_two_cards_have_features(hole, says):
    assert features(cards.parse(hole)) == says


@pytest.mark.parametrize(
    ("hole", "board", "rank"),
    [
        ("8c8h", "", "pair"),
        ("Kd2d", "", "high card"),
        ("8c8h", "8d2s2c", "full house"),
        ("AsQd", "KhJcTs2d", "straight"),
        ("As2s", "KsJsTs2d9c", "flush"),
    ],
)
def test_a_hand_has_a_rank(hole, board, rank):
    assert hand_rank(cards.parse(hole), cards.parse(board)) == rank


def test_a_prompt_says_of_a_hand_what_the_games_facts_hold():
    tables = make_game("holdem?seats=6").tables(1)
    tables.begin(np.array([0]), np.array([5], np.uint64))
    said = ["call 1", "fold", "raise to 3", "fold", "fold", "call 2", "call 2", "check", "bet 4.75"]
    for word in said:
        turns = tables.turns()
        tables.step(turns.tables, turns.seats, np.array([turns.parse(0, word)]))
    face = poker_words.fields(tables.turns().facts[0])
    assert face | {"stacks": ""} == {
        "players": "6",
        "big_blind": "100",
        "position": "CO",
        "positions": "UTG, HJ, CO, BTN, SB, BB",
        "cards": "Td Qh",
        "cards_in_words": "ten of diamonds and queen of hearts",
        "features": "not suited, not connected",
        "hand_rank": "pair",
        "grade": "strong",
        "street": "flop",
        "board": "Th 5c Js",
        "board_in_words": "ten of hearts, five of clubs and jack of spades",
        "pot": "14.25",
        "stacks": "",
        "posts": "SB 0.5, BB 1",
        "betting": "pre-flop: UTG calls 1, HJ folds, CO raises to 3, BTN folds, SB folds, "
        "BB calls 2, UTG calls 2\nflop: BB checks, UTG bets 4.75",
        "story": "Before the flop: UTG calls 1, HJ folds, CO raises to 3, BTN folds, SB folds, "
        "BB calls 2, UTG calls 2.\n"
        "The flop brings the ten of hearts, five of clubs and jack of spades: BB checks, "
        "UTG bets 4.75.",
        "to_call": "4.75",
    }
