"""What a replay shows of a Hold'em table: every chip, and no card that its viewer may not see."""

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.holdem.game import Holdem
from arena.envs.registry import make_game

AT = np.array([0])


def begun(spec, seed=1):
    tables = make_game(spec).tables(1)
    tables.begin(AT, np.array([seed], np.uint64))
    return tables


def act(tables, action):
    tables.step(AT, tables.to_act()[1], np.array([action]))


def test_a_frame_of_the_first_decision():
    tables = begun("holdem?seats=3,ante=10")
    frame = orjson.loads(orjson.dumps(tables.frame(0)))
    assert (frame["hand"], frame["hands"], frame["street"], frame["board"]) == (
        1,
        1,
        "pre-flop",
        [],
    )
    assert (frame["pot"], frame["big_blind"], frame["button"], frame["to_act"]) == (180, 100, 2, 2)
    assert frame["pots"] == [{"chips": 180, "seats": [0, 1, 2]}]
    assert frame["last"] is None
    assert frame["result"] is None
    small_blind = frame["seats"][0]
    assert small_blind["position"] == "SB"
    assert (small_blind["stack"], small_blind["bet"], small_blind["committed"]) == (9940, 50, 60)
    assert not small_blind["folded"]


def test_cards_are_shown_to_their_seat_and_to_the_spectator():
    tables = begun("holdem?seats=3")
    everything = [seat["cards"] for seat in tables.frame(0)["seats"]]
    assert len({card for held in everything for card in held}) == 6
    for viewer in range(3):
        seen = [seat["cards"] for seat in tables.frame(0, viewer)["seats"]]
        hidden = [["??", "??"]] * 3
        hidden[viewer] = everything[viewer]
        assert seen == hidden


def test_a_showdown_is_open_to_all_and_a_fold_stays_hidden():
    tables = begun("holdem?seats=3")
    act(tables, 0)
    act(tables, 4)
    act(tables, 1)
    assert tables.done[0]
    frame = tables.frame(0, 2)
    assert len(frame["board"]) == 5
    assert set(frame["result"]["shown"]) == {"0", "1"}
    assert sum(frame["result"]["net"]) == 0
    assert frame["last"] == {"seat": 1, "words": "calls 99 (all-in)", "bet": 10_000}
    assert tables.frame(0, 0)["seats"][1]["cards"] != ["??", "??"]
    assert tables.frame(0, 0)["seats"][2]["cards"] == ["??", "??"]
    assert frame["seats"][2]["folded"]
    assert frame["to_act"] is None


def test_an_uncontested_pot_shows_nothing():
    tables = begun("holdem")
    act(tables, 0)
    frame = tables.frame(0, 0)
    assert frame["result"] == {"net": [50, -50], "shown": {}}
    assert frame["returns"] == [0.5, -0.5]
    assert frame["seats"][1]["cards"] == ["??", "??"]


def test_side_pots_are_cut_where_somebody_is_all_in():
    tables = begun("holdem?seats=3,stack=10/20/30")
    act(tables, 4)  # the button: 30
    act(tables, 1)  # the small blind calls 10 all-in
    frame = tables.frame(0)
    assert frame["pots"] == [
        {"chips": 1000 + 1000 + 100, "seats": [0, 1, 2]},
        {"chips": 3000 - 1000, "seats": [1, 2]},
    ]
    assert frame["seats"][0]["all_in"]
    assert not frame["seats"][1]["all_in"]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    seats=st.integers(2, 9),
    stack=st.integers(1, 40),
    choices=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=60),
)
def test_every_chip_is_in_a_frame(seed, seats, stack, choices):
    game = Holdem(seats=seats, stack=float(stack), ante=7, hands=3, stacks="carry")
    tables = game.tables(1)
    tables.begin(AT, np.array([seed], np.uint64))
    for choice in choices:
        frame = tables.frame(0)
        chips = sum(seat["stack"] for seat in frame["seats"])
        if frame["result"] is None:
            assert chips + frame["pot"] == seats * stack * 100
            assert sum(pot["chips"] for pot in frame["pots"]) == frame["pot"]
            assert all(pot["seats"] for pot in frame["pots"])
            assert frame["seats"][frame["to_act"]]["cards"] is not None
        else:
            assert chips == seats * stack * 100
            assert sum(frame["result"]["net"]) == 0
        assert frame["pot"] == sum(seat["committed"] for seat in frame["seats"])
        if tables.done[0]:
            break
        legal = np.flatnonzero(tables.action_mask(*tables.to_act())[0])
        act(tables, legal[int(choice * len(legal))])


@pytest.mark.parametrize("spec", ["holdem", "holdem?seats=9,hands=4,stacks=rebuy"])
def test_the_hands_of_an_episode_are_counted(spec):
    tables = begun(spec)
    seen = []
    while not tables.done[0]:
        seen.append(tables.frame(0)["hand"])
        act(tables, int(tables.action_mask(*tables.to_act())[0].argmax()))
    seen.append(tables.frame(0)["hand"])
    assert sorted(set(seen)) == list(range(1, tables.frame(0)["hands"] + 1))
