"""Errands: rooms in which both words of a goal count, kept-back pairs apart, and a teacher."""

import numpy as np
import pytest

from arena.agents.conformance import check_agent
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out
from arena.envs.conformance import check_game
from arena.envs.errand import rules
from arena.envs.errors import InputError
from arena.envs.registry import make_game


def begun(spec, count):
    game = make_game(spec)
    tables = game.tables(count)
    tables.begin(np.arange(count), np.arange(count).astype(np.uint64))
    return tables


def pairs(tables):
    return tables.things[:, :, :2]


def goal_pairs(tables):
    return pairs(tables)[np.arange(tables.capacity), tables.meant]


def test_each_word_of_a_goal_leaves_two_things_and_both_leave_one():
    tables = begun("errand", 50)
    for things, (colour, kind) in zip(pairs(tables), goal_pairs(tables), strict=True):
        assert (things[:, 0] == colour).sum() == (things[:, 1] == kind).sum() == 2
        assert (things == (colour, kind)).all(1).sum() == 1


def test_kept_back_pairs_are_goals_of_their_own_game_and_in_no_other_room():
    for goals in ("known", "words"):
        things = pairs(begun(f"errand?goals={goals}", 200))
        assert (things[..., 0] != things[..., 1]).all()
    apart = begun("errand?goals=pairs", 200)
    assert (goal_pairs(apart)[:, 0] == goal_pairs(apart)[:, 1]).all()
    assert ((pairs(apart)[..., 0] == pairs(apart)[..., 1]).sum(1) == 1).all()
    meant = {tuple(pair) for pair in goal_pairs(begun("errand", 600)).tolist()}
    assert len(meant) == len(rules.COLOURS) * (len(rules.KINDS) - 1)


def test_text_names_the_goal_and_the_way_to_everything():
    tables = begun("errand?goals=words", 1)
    tables.things[0] = [[0, 2, 3, 3], [0, 5, 1, 1], [2, 2, 3, 0], [2, 5, 0, 3]]
    tables.at[0], tables.meant[0] = (1, 3), 2
    assert tables.text(0, 0).splitlines() == [
        "goal: go to the azure mug",
        "red cup: east two",
        "red knife: north two",
        "blue cup: east two north three",
        "blue knife: west one",
    ]


@pytest.mark.parametrize(("walk", "reached", "paid"), [("EN", 1, 1.0), ("S", 0, 0.0)])
def test_the_first_thing_touched_ends_the_episode(walk, reached, paid):
    tables = begun("errand", 1)
    tables.things[0] = [[0, 1, 0, 2], [0, 2, 1, 0], [3, 1, 3, 3], [3, 2, 2, 3]]
    tables.at[0], tables.meant[0] = (0, 1), 1
    for way in walk:
        assert not tables.done[0] and tables.reached(0) is None
        tables.step(np.array([0]), np.array([0]), np.array(["NESW".index(way)]))
    assert tables.done[0] and tables.touched[0] == reached and tables.returns[0, 0] == paid
    assert tables.reached(0) == ("go to the red box", "go to the red cup")[reached]


def test_distances_go_around_other_things():
    things = np.array([[0, 0, 3, 0], [0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 1, 2]])
    assert rules.distances(things, 0, 4)[0].tolist() == [9, -1, 1, 0]


def test_the_courier_always_takes_a_shortest_way():
    tables = begun("errand", 40)
    least = [
        rules.distances(tables.things[i], tables.meant[i], 8)[tuple(tables.at[i, ::-1])]
        for i in range(40)
    ]
    agent = make_agent("courier", tables.game)
    play_out(tables, [agent], np.zeros(40, np.uint64), begin=False)
    assert (tables.returns[:, 0] == 1).all()
    assert tables.steps.tolist() == least


def test_game_and_courier_keep_the_contract():
    assert check_game(make_game("errand?goals=pairs,contexts=3")).ended > 0
    assert check_agent("courier", "errand?goals=words", other_process=False) > 0
    with pytest.raises(InputError, match="between 4 and 12"):
        make_game("errand?size=3")
