"""PokerBench: rows, the strict grammar, splits, and the figures that are known of the files."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.evaluation.pokerbench import rows as pokerbench
from arena.evaluation.pokerbench.rows import Row, ask, class_of, draw_examples, read_move, split
from arena.evaluation.pokerbench.scores import (
    EVERYTHING,
    judge,
    judge_by_substrings,
    judge_chance,
    majority,
)

PREFLOP = """\
,prev_line,hero_pos,hero_holding,correct_decision,num_players,num_bets,available_moves,pot_size
3,HJ/2.0bb/BTN/allin,BB,9c8c,fold,3,2,"['allin', 'call', 'fold']",104.5
7,,UTG,AsKs,2.0bb,0,0,"['2.0bb', 'fold']",1.5
"""
POSTFLOP = """\
,preflop_action,board_flop,board_turn,board_river,aggressor_position,postflop_action,\
evaluation_at,available_moves,pot_size,hero_position,holding,correct_decision
5,BTN/2.5bb/BB/call,Qs8h2c,5d,6h,IP,OOP_CHECK/IP_BET_4/OOP_CALL/dealcards/5d/OOP_BET_9,\
Turn,"['Fold', 'Call', 'Raise 30', 'Raise 55']",22,IP,QdQh,Raise 30
"""


@pytest.fixture
def data(tmp_path):
    (tmp_path / "a_preflop.csv").write_text(PREFLOP)
    with gzip.open(tmp_path / "a_postflop.csv.gz", "wt") as stream:
        stream.write(POSTFLOP)
    return tmp_path


@pytest.fixture
def rows(data) -> list[Row]:
    return pokerbench.load_all(data)


def test_a_row_is_read_whole(rows):
    assert rows[0] == Row(
        source="preflop",
        number=3,
        street="preflop",
        position="BB",
        hole="9c8c",
        board="",
        acts=((("HJ", "raise 2"), ("BTN", "all-in")),),
        pot=104.5,
        moves=("all-in", "call", "fold"),
        answer="fold",
    )
    # Of two players the button acts last after the flop, so it is in position.
    assert rows[2] == Row(
        source="postflop",
        number=5,
        street="turn",
        position="BTN",
        hole="QdQh",
        board="Qs8h2c5d",
        acts=(
            (("BTN", "raise 2.5"), ("BB", "call")),
            (("BB", "check"), ("BTN", "bet 4"), ("BB", "call")),
            (("BB", "bet 9"),),
        ),
        pot=22.0,
        moves=("fold", "call", "raise 30", "raise 55"),
        answer="raise 30",
    )
    assert [row.key for row in rows] == ["preflop/3", "preflop/7", "postflop/5"]


@pytest.mark.parametrize("prompt", ["compact", "full"])
def test_a_question_shows_the_situation_and_no_later_card(rows, prompt):
    question = ask(rows[2], pokerbench.prompt(prompt))
    text = "".join(message.content for message in question.prompt)
    assert "three of a kind" in text and "BB bet 9" in text
    assert "fold, call, raise 30, raise 55" in text
    assert "6h" not in text and "six of hearts" not in text  # the river, which the file tells, too
    assert question.choices == rows[2].moves
    assert question.parse("RAISE 30.0 ") == "raise 30"


def test_examples_stand_before_the_question_with_their_answers(rows):
    template = pokerbench.prompt("full")
    plain, shown = ask(rows[0], template), ask(rows[0], template, [rows[1]])
    roles = [message.role for message in shown.prompt]
    assert roles == ["system", "user", "assistant", "user"]
    assert shown.prompt[2].content == "raise 2"
    assert (shown.prompt[0], shown.prompt[3]) == plain.prompt


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("9c8c", "9c9c", "not 2 different cards"),
        ("9c8c", "9cXc", "not a card"),
        ("HJ/2.0bb", "XX/2.0bb", "not a seat"),
        ("HJ/2.0bb", "HJ/2.0", "'2.0' is not a move"),
        ("HJ/2.0bb/", "HJ/", "SEAT/MOVE"),
        (",BB,9c8c,fold", ",BB,9c8c,2.5bb", "'raise 2.5' is not one of"),
        ("['allin', 'call', 'fold']", "__import__('os')", "not a list of moves"),
        ("7,,UTG", "3,,UTG", "row 3 is there twice"),
        ("104.5", "1e9", "is not a number above 0"),
        ("104.5", "0.0", "is not a number above 0"),
        (",104.5", "", "has 8 fields"),
    ],
)
def test_a_faulty_file_is_a_sentence_that_names_the_line(data, before, after, sentence):
    file = data / "a_preflop.csv"
    assert before in PREFLOP
    file.write_text(PREFLOP.replace(before, after, 1))
    with pytest.raises(InputError, match=sentence) as error:
        pokerbench.load(file)
    assert f"{file}, line " in str(error.value)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("dealcards/5d", "dealcards/5c", "deals 5c, which the board does not"),
        ("/dealcards/5d/OOP_BET_9", "", "ends before the street"),
        ("IP_BET_4", "IP_BET_four", "is not an action"),
        ("Turn", "Showdown", "not Flop, Turn or River"),
        (",IP,QdQh", ",BTN,QdQh", "not IP or OOP"),
        ("BTN/2.5bb/BB/call,", "BTN/2.5bb,", "does not leave two players"),
        ("QdQh", "QdQs", "not 6 different cards"),
    ],
)
def test_a_faulty_line_after_the_flop_likewise(tmp_path, before, after, sentence):
    file = tmp_path / "postflop.csv"
    assert before in POSTFLOP
    file.write_text(POSTFLOP.replace(before, after, 1))
    with pytest.raises(InputError, match=sentence):
        pokerbench.load(file)


def test_what_is_no_such_file_is_told(data):
    with pytest.raises(InputError, match="neither header"):
        other = data / "other.csv"
        other.write_text("a,b\n1,2\n")
        pokerbench.load(other)
    (data / "b_preflop.csv").write_text(PREFLOP)
    with pytest.raises(InputError, match=r"2 files .*preflop.* needs one"):
        pokerbench.load_all(data)
    (data / "a_postflop.csv.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match=r"is not a \.gz file"):
        pokerbench.load(data / "a_postflop.csv.gz")


# -- the grammar -----------------------------------------------------------------------------------

ROW = Row("postflop", 1, "flop", "BTN", "AhKd", "Qs8h2c", ((), ()), 9.0, (), "fold")
SIZES = st.integers(1, 400).map(lambda tenths: f"{tenths / 10:.1f}".removesuffix(".0"))
MOVES = st.one_of(
    st.sampled_from(["fold", "check", "call", "all-in"]),
    st.tuples(st.sampled_from(["bet", "raise"]), SIZES).map(" ".join),
)


@given(st.lists(MOVES, min_size=1, unique=True), st.data())
def test_a_choice_scores_by_its_own_text_and_by_no_other(moves, data):
    row = replace(ROW, moves=tuple(moves), answer=data.draw(st.sampled_from(moves)))
    blank = data.draw(st.sampled_from(["", " ", "\n"]))
    written = data.draw(st.sampled_from([str.upper, str.title, str]))(row.answer) + blank
    assert judge(row, pokerbench.answer_to(row, written)) == (1, 1)
    for move in moves:
        verdict = judge(row, pokerbench.answer_to(row, move))
        assert verdict.exact == (move == row.answer)
        assert verdict.action == (class_of(move) == class_of(row.answer))


@given(MOVES, MOVES, st.text(max_size=6), st.text(max_size=6), st.text(max_size=6))
def test_no_answer_stands_for_two_moves(first, second, before, between, after):
    with pytest.raises(InputError, match="is not a move"):
        read_move(f"{before}{first}{between}{second}{after}")


@pytest.mark.parametrize(
    "answer",
    [
        EVERYTHING,
        "",
        "raise",
        "raise 14bb",
        "raise to 14",
        "fold.",
        "I fold",
        "raise 014",
        "bet -5",
    ],
)
def test_what_is_not_exactly_one_move_is_none(answer):
    with pytest.raises(InputError, match="is not a move"):
        read_move(answer)


def test_another_size_is_right_in_its_class_and_an_impossible_class_is_no_answer():
    row = replace(ROW, moves=("check", "bet 6"), answer="bet 6")
    assert judge(row, pokerbench.answer_to(row, "bet 7")) == (1, 0)
    with pytest.raises(InputError, match="not possible here"):
        pokerbench.answer_to(row, "raise 6")
    assert judge(row, None) == (0, 0)


# -- splits, examples, majorities ------------------------------------------------------------------

FLOPS = ("Qs8h2c", "Kh7d3s", "9c6c5h", "AdTh4s", "JdJc2h")


@st.composite
def many_rows(draw):
    count = draw(st.integers(2, 60))
    return [
        replace(ROW, number=number, board=draw(st.sampled_from(FLOPS)), moves=("fold", "call"))
        for number in range(count)
    ]


@given(many_rows(), st.floats(0.1, 0.9), st.integers(0, 5), st.sampled_from(["row", "group"]))
def test_sides_of_a_split_share_nothing(rows, share, seed, by):
    train, test = split(rows, share, seed, by)
    assert sorted(train + test, key=lambda row: row.number) == rows
    again, _ = split(rows[::-1], share, seed, by)
    assert again == train[::-1]
    if by == "row":
        assert abs(len(train) - share * len(rows)) <= 0.5 + 1e-9
    else:
        assert not {row.group for row in train} & {row.group for row in test}


def test_before_the_flop_a_group_is_the_line_and_the_hand_up_to_suits(rows):
    suited = replace(rows[1], hole="KsAs")
    assert rows[1].group == suited.group == replace(rows[1], hole="KdAd").group
    assert rows[1].group != replace(rows[1], hole="KdAs").group != rows[0].group


def test_examples_take_classes_in_turn_from_the_pool_alone():
    pool = [
        replace(ROW, number=n, moves=("fold", "call", "raise 9"), answer=answer)
        for n, answer in enumerate(["fold"] * 9 + ["call", "raise 9"])
    ]
    chosen = draw_examples(pool, "postflop", 4, 1)
    assert [class_of(row.answer) for row in chosen] == ["fold", "call", "raise", "fold"]
    assert chosen == draw_examples(pool[::-1], "postflop", 4, 1)
    assert chosen != draw_examples(pool, "postflop", 4, 2)
    with pytest.raises(InputError, match=r"12 shots .* 11 postflop rows are left"):
        draw_examples(pool, "postflop", 12, 1)


def test_a_majority_held_out_does_not_know_its_own_row():
    # Every row has moves of its own size, so that in-sample each is told its own answer.
    rows = [
        replace(ROW, number=n, moves=("check", f"bet {n + 1}"), answer=answer)
        for n, answer in enumerate(["check"] * 30 + [f"bet {n + 1}" for n in range(30, 50)])
    ]
    right = [row.answer for row in rows]
    assert majority(rows, sized=True, held_out=False) == right
    assert set(majority(rows, sized=True, held_out=True)) == {"check"}
    assert set(majority(rows, sized=False, held_out=False)) == {"check"}


# -- the files themselves --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(arena_data) -> list[Row]:
    return pokerbench.load_all(arena_data / "holdem")


def of(rows, source, values):
    return np.array([v for r, v in zip(rows, values, strict=True) if r.source == source]).mean(0)


@pytest.mark.parametrize(
    ("source", "sized", "held_out", "action"),
    [
        # Published 81.3 (of 1,000 rows, of which these are 800) and 51.3: before the flop by moves
        # with their sizes, after it by their names.
        ("preflop", True, False, 0.815),
        ("postflop", False, False, 0.5135),
        ("preflop", True, True, 0.78),
        ("preflop", False, True, 0.78125),
        ("postflop", False, True, 0.5135),
        ("postflop", True, True, 0.570625),
    ],
)
def test_what_the_majority_gets_without_a_card(published, source, sized, held_out, action):
    moves = majority(published, sized=sized, held_out=held_out)
    scores = [judge(row, move) for row, move in zip(published, moves, strict=True)]
    assert of(published, source, scores)[0] == pytest.approx(action, abs=1e-9)


def test_naming_every_move_pays_by_substrings_and_not_by_the_grammar(published):
    scores = [judge_by_substrings(row, EVERYTHING) for row in published]
    # An exact match wherever no size is asked for: 75.0 % of the whole test set.
    assert of(published, "preflop", scores) == pytest.approx([1, 0.74125])
    assert of(published, "postflop", scores) == pytest.approx([1, 0.74825])
    for row in published[::97]:
        with pytest.raises(InputError):
            pokerbench.answer_to(row, EVERYTHING)


def test_chance_and_truth_score_as_they_must(published):
    assert len(published) == 8800
    assert {judge(row, pokerbench.answer_to(row, row.answer)) for row in published} == {(1, 1)}
    chance = [judge_chance(row) for row in published]
    assert of(published, "preflop", chance) == pytest.approx([0.43875, 0.422604], abs=1e-6)
    assert of(published, "postflop", chance) == pytest.approx([0.393490, 0.380531], abs=1e-6)


def test_a_split_by_groups_keeps_flops_apart(published):
    train, test = split(published, 0.8, 0, "group")
    flops = [{row.board[:6] for row in side if row.board} for side in (train, test)]
    assert not flops[0] & flops[1] and len(flops[0] | flops[1]) == 22
    assert 0.75 < len(train) / len(published) < 0.85
