"""Kuhn, Leduc, Liar's dice and matrix games: their rules, and that they keep the contract."""

import json

import numpy as np
import pytest

from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.registry import make_game

SPECS = [
    "kuhn",
    "kuhn?cards=13",
    "leduc",
    "leduc?ranks=4,suits=3",
    "liars_dice",
    "liars_dice?dice=2,faces=3",
    "rps",
    "rps?scissors=2",
]


def play(spec, dealt, actions):
    """The table after ``actions`` in the deal whose row is ``dealt``."""
    game = make_game(spec)
    tables = game.tables(1)
    row = np.flatnonzero((game.deals == dealt).all(axis=1))[:1]
    tables.start(np.zeros(1, np.int64), row)
    for action in actions:
        where, seats = tables.to_act()
        assert tables.legal(where, seats, np.array([action]))[0]
        tables.step(where, seats, np.array([action]))
    return tables


@pytest.mark.parametrize("spec", SPECS)
def test_a_small_game_keeps_the_contract(spec):
    checked = check_game(make_game(spec), tables=8)
    assert checked.ended == checked.episodes


def test_a_matrix_game_is_read_from_a_file(tmp_path):
    file = tmp_path / "pennies.json"
    sides = ["heads", "tails"]
    file.write_text(json.dumps({"rows": sides, "columns": sides, "payoffs": [[1, -1], [-1, 1]]}))
    game = make_game(f"matrix?file={file}")
    check_game(game)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    tables.step(np.zeros(2, np.int64), np.arange(2), np.array([0, 1]))
    assert tables.returns[0].tolist() == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "line 1, column 1: not JSON"),
        ("[1, 2]", "must hold an object"),
        ('{"rows": ["a"], "columns": ["b", "B "], "payoffs": [[1, 2]]}', "columns must be"),
        ('{"rows": ["a"], "columns": ["b"], "payoffs": [[1, 2]]}', "1 rows of 1 numbers"),
        ('{"rows": ["a"], "columns": ["b"], "payoffs": [[NaN]]}', "NaN is not a number"),
    ],
)
def test_a_file_that_is_no_matrix_game_is_refused_in_a_sentence(tmp_path, text, named):
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(InputError, match=named):
        make_game(f"matrix?file={file}")


@pytest.mark.parametrize(
    ("dealt", "actions", "first"),
    [
        ([2, 0], [0, 0], 1),  # both check: the king wins the ante
        ([0, 2], [1, 0], 1),  # a bluff that is not called
        ([0, 2], [1, 1], -2),
        ([2, 1], [0, 1, 1], 2),
        ([2, 1], [0, 1, 0], -1),
    ],
)
def test_kuhn_pays_what_its_rules_say(dealt, actions, first):
    tables = play("kuhn", dealt, actions)
    assert tables.done[0]
    assert tables.returns[0].tolist() == [first, -first]


@pytest.mark.parametrize(
    ("dealt", "actions", "first"),
    [
        ([0, 2, 4], [2, 0], 1),  # a bet before the board, and a fold
        ([0, 2, 1], [1, 1, 1, 1], 1),  # a pair of jacks beats a queen
        ([0, 2, 1], [2, 2, 1, 2, 2, 1], 13),  # everything goes in: 1 + 2 · 2 + 2 · 4
        ([4, 5, 0], [2, 1, 2, 1], 0),  # equal ranks split
        ([0, 4, 2], [1, 2, 1, 1, 2, 0], -3),
    ],
)
def test_leduc_pays_what_its_rules_say(dealt, actions, first):
    tables = play("leduc", dealt, actions)
    assert tables.done[0]
    assert tables.returns[0].tolist() == [first, -first]


def test_leduc_allows_a_fold_against_a_bet_only_and_two_raises_a_round():
    zero = np.zeros(1, np.int64)

    def mask(actions):
        tables = play("leduc", [0, 2, 4], actions)
        return tables.action_mask(zero, tables.to_act()[1])[0].tolist()

    assert mask([]) == [False, True, True]
    assert mask([2]) == [True, True, True]
    assert mask([2, 2]) == [True, True, False]
    assert mask([2, 2, 1]) == [False, True, True]


@pytest.mark.parametrize(
    ("dealt", "bids", "first"),
    [
        ([2, 2], [8, 12], 1),  # "2 x 3" of two threes is true
        ([2, 5], [8, 12], 1),  # a six is wild
        ([2, 1], [8, 12], -1),
        ([4, 0], [0, 6, 12], 1),  # the second seat's "2 x 1" is a lie
    ],
)
def test_a_call_in_liars_dice_asks_all_dice_and_sixes_are_wild(dealt, bids, first):
    assert play("liars_dice", dealt, bids).returns[0].tolist() == [first, -first]


@pytest.mark.parametrize(
    "spec", ["kuhn?cards=2", "leduc?suits=5", "leduc?ranks=2,suits=1", "liars_dice?dice=3"]
)
def test_numbers_that_make_no_game_are_refused(spec):
    with pytest.raises(InputError, match=spec.partition("?")[0]):
        make_game(spec)


def test_a_redeal_keeps_what_the_seat_has_seen_and_draws_the_rest():
    game = make_game("leduc")
    tables = game.tables(400)
    every, seats = np.arange(400), np.zeros(400, np.int64)
    tables.start(every, np.full(400, 7))
    tables.redeal(every, seats, np.arange(400, dtype=np.uint64))
    assert (tables.dealt[:, 0] == game.deals[7, 0]).all()
    drawn, counts = np.unique(tables.dealt[:, 1:], axis=0, return_counts=True)
    assert len(drawn) == 20  # five cards in two places
    assert counts.min() > 5
