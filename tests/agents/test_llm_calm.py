"""CALM's judge: prompts made of parts, answers by one strict grammar, pairs, baselines."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("nle")

from arena.agents.exploration.pairs import Pair, read_pairs
from arena.agents.llm.prompting.calm.judge import DEPARTURES, Variant
from arena.cli import main
from arena.envs.errors import InputError
from arena.evaluation.calm.baselines import BASELINES, achieved, questions, truth

SHOT = {"crop": "·" * 9, "map": "....", "message": ""}


def pair(message, label, action="pickup", *, before=""):
    return Pair(
        "KeyRoom-S5", "random", 1, 2, action, SHOT | {"message": before},
        SHOT | {"message": message}, label,
    )  # fmt: skip


KEY = pair("g - a key named The Master Key of Thievery.", "key")
DOOR = pair("The door opens.", "door", "apply")
NONE = pair("You see here a key named The Master Key of Thievery.", "none", "east")


def variants():
    kinds = [("norole",), ("nosymbols",), ("notask",), ("own",), ("json", "reason"), ("map",)]
    kinds.append(("progress", "optimality", "transition"))
    return st.tuples(*(st.sampled_from(("", *words)) for words in kinds)).map(
        lambda words: "-".join(filter(None, words)) or "base"
    )


@given(variants())
def test_a_variant_is_named_by_where_it_departs(text):
    variant = Variant.parse(text)
    assert set(str(variant).split("-")) == set(text.split("-"))
    assert Variant.parse(str(variant)) == variant


@pytest.mark.parametrize("text", ["", "base-map", "map-map", "json-reason", "role", "map-"])
def test_other_names_are_refused(text):
    with pytest.raises(InputError, match="not a variant"):
        Variant.parse(text)


def test_a_prompt_holds_its_parts_and_no_others():
    whole = questions([KEY], Variant())["00000"].prompt
    assert [message.role for message in whole] == ["system", "user"]
    assert "Message: g - a key" in whole[1].content and "Action: pickup" in whole[1].content
    prompts = {"base": whole[0].content}
    for word in DEPARTURES:
        variant = Variant.parse(word)
        prompts[word] = questions([KEY], variant)["00000"].prompt[0].content
    for word, part in (("norole", "You watch"), ("nosymbols", "Symbols"), ("notask", "task:")):
        assert part in prompts["base"] and part not in prompts[word]
    assert "two subgoals" in prompts["base"] and "two subgoals" not in prompts["own"]
    assert '{"key": …, "door": …}' in prompts["json"]
    assert len({Variant.parse(w).template.digest for w in ("base", *DEPARTURES[:-1])}) == 9
    seen = questions([KEY], Variant.parse("map"))["00000"].prompt[1].content
    assert SHOT["map"] in seen and SHOT["crop"] not in seen


@given(variants())
def test_every_choice_is_read_as_its_verdict(text):
    variant = Variant.parse(text)
    question = questions([KEY], variant)["00000"]
    assert [question.parse(choice) for choice in question.choices] == list(variant.verdicts)


@given(st.text() | st.sampled_from(["key door", "keys", "not a key", "key, door", "none.."]))
def test_a_word_is_read_and_nothing_else(answer):
    question = questions([KEY], Variant())["00000"]
    known = answer.strip().removesuffix(".").casefold() in ("key", "door", "none")
    if known:
        assert question.parse(answer) in ("key", "door", "none")
    else:
        with pytest.raises(InputError):
            question.parse(answer)


VALUES = st.recursive(
    st.booleans() | st.integers() | st.none() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["key", "door", "none", "x"]), inner, max_size=3
    ),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=200)
@given(VALUES)
def test_a_json_answer_is_an_object_of_the_two_flags(value):
    question = questions([KEY], Variant.parse("json"))["00000"]
    flags = (True, False)
    meant = {
        json.dumps({"key": k, "door": d}): "key" if k else "door" if d else "none"
        for k in flags for d in flags if not (k and d)
    }  # fmt: skip
    text = json.dumps(value)
    if isinstance(value, dict) and json.dumps(value, sort_keys=True) in {
        json.dumps(json.loads(m), sort_keys=True) for m in meant
    }:
        assert (
            question.parse(text) == meant[json.dumps({"key": value["key"], "door": value["door"]})]
        )
    else:
        with pytest.raises(InputError):
            question.parse(text)


@pytest.mark.parametrize(
    "answer",
    [
        "{'key': True, 'door': False}",
        '__import__("os").getcwd()',
        '{"key": true, "key": false, "door": false}',
        '{"key": true, "door": false} key',
        '{"key": 1, "door": 0}',
        "[" * 100_000,
        "",
    ],
)
def test_python_and_near_json_are_no_answers(answer):
    with pytest.raises(InputError):
        questions([KEY], Variant.parse("json"))["00000"].parse(answer)


def test_reasons_end_in_a_line_that_counts():
    question = questions([KEY], Variant.parse("reason"))["00000"]
    assert question.whole
    assert question.parse("The key is in the pack.\nIs the door open? No.\nAnswer: key\n") == "key"
    for answer in ("Answer: key\nbecause", "key", "It is so. Answer: key", "Answer: key or door"):
        with pytest.raises(InputError):
            question.parse(answer)


def test_truth_is_what_the_question_can_be_answered_by():
    own = Variant.parse("own")
    assert [truth(p, own) for p in (KEY, DOOR, NONE)] == ["achieved", "achieved", "none"]
    assert [truth(p, Variant()) for p in (KEY, DOOR, NONE)] == ["key", "door", "none"]
    assert [achieved(v) for v in ("key", "achieved", "none", None)] == [
        "achieved", "achieved", "none", None,
    ]  # fmt: skip


def test_baselines_say_what_their_names_say():
    said = {name: [rule(p) for p in (KEY, DOOR, NONE)] for name, rule in BASELINES.items()}
    assert said["always none"] == ["none"] * 3 and said["always key"] == ["key"] * 3
    assert said["message mentions it"] == ["key", "door", "key"]
    assert said["message says so"] == ["key", "door", "none"]
    drawn = [
        BASELINES["at random"](Pair("", "", seed, 0, "", SHOT, SHOT, "none")) for seed in range(300)
    ]
    assert all(70 < drawn.count(kind) < 130 for kind in ("key", "door", "none"))


def test_pairs_are_written_and_read_back(tmp_path, capsys):
    file = tmp_path / "pairs.jsonl"
    assert main(["env", "pairs", "--count", "9", "--seed", "4", "-o", str(file)]) == 0
    assert "9 transitions of KeyRoom-S5, 3 key, 3 door, 3 none" in capsys.readouterr().out
    found = read_pairs(file)
    assert [orjson.loads(line) for line in file.read_bytes().splitlines()] == [
        p.as_json() for p in found
    ]
    again = tmp_path / "again.jsonl"
    assert main(["env", "pairs", "--count", "9", "--seed", "4", "-o", str(again)]) == 0
    assert again.read_bytes() == file.read_bytes()
    assert main(["env", "pairs", "-o", str(file)]) == 2  # it is there already


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no pairs"),
        ("nonsense", "line 1: this line is not a pair"),
        ('{"task": "KeyRoom-S5"}', "line 1: this line is not a pair"),
        (
            orjson.dumps(KEY.as_json() | {"label": "all"}).decode(),
            "line 1: this line is not a pair",
        ),
        (orjson.dumps(KEY.as_json() | {"after": 3}).decode(), "line 1: this line is not a pair"),
    ],
)
def test_a_file_of_something_else_is_told(tmp_path, text, problem):
    file = tmp_path / "pairs.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_pairs(file)
