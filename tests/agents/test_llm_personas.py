"""Pre-flop personas: D and S by hand, openings of agents whose ranges are known."""

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.scripted import openings
from arena.agents.scripted.preflop import CLASSES, class_name, class_number
from arena.envs.errors import InputError
from arena.evaluation.personas.openings import (
    OpeningSeat,
    Room,
    combinations,
    distance,
    persona,
    tilt,
    weights,
)

SMALL = "holdem?seats=3,stack=5"


def ask(spec, room, samples=1):
    questions = room.questions(samples, seed=1)
    seeds = np.arange(len(questions)).astype(np.uint64)
    replies = OpeningSeat(spec, room).decide(list(questions.values()), seeds)
    return dict(zip(questions, replies, strict=True))


def personas(spec, room, samples=1):
    values = {name: reply.value for name, reply in ask(spec, room, samples).items()}
    return {p: persona(values, p, range_) for p, range_ in room.reference().items()}


def test_all_hands_are_there_with_their_combinations():
    sizes = {name: len(combinations()[class_number(name)]) for name in ("AA", "AKs", "72o")}
    assert sizes == {"AA": 6, "AKs": 4, "72o": 12}
    assert sum(map(len, combinations())) == 1326 and weights().sum() == pytest.approx(1)


def test_distance_and_tilt_by_hand():
    reference, opens = np.zeros(CLASSES), np.zeros(CLASSES)
    reference[[class_number("AA"), class_number("AKs")]] = 1.0, 0.5
    opens[[class_number("AKs"), class_number("72o")]] = 1.0, 0.25
    # aces are missed (6), half of suited ace-kings are too many (2), and a quarter of 72o (3)
    assert distance(opens, reference) == pytest.approx((6 + 2 + 3) / 1326)
    assert tilt(opens, reference) == pytest.approx((-6 + 2 + 3) / 1326)
    assert distance(reference, reference) == tilt(reference, reference) == 0


def test_who_plays_the_reference_has_no_distance():
    room = Room.of("holdem?stack=10")
    assert room.names == ("BTN",)
    found = personas("pushfold", room)["BTN"]
    assert found.distance == pytest.approx(0, abs=1e-9) and found.tilt == pytest.approx(0, abs=1e-9)
    assert found.floor == 0 and 0.55 < found.share < 0.6  # its policy is told


def test_who_always_opens_is_a_maniac_and_who_never_does_a_nit():
    room = Room.of(SMALL)
    assert room.names == ("BTN", "SB")
    for position, reference in room.reference().items():
        solved = float(weights() @ reference)
        loose, tight = (personas(spec, room)[position] for spec in ("allin", "fold"))
        assert loose.tilt == loose.distance == pytest.approx(1 - solved)
        assert tight.tilt == -tight.distance == pytest.approx(-solved)
        assert (loose.share, tight.share) == pytest.approx((1, 0))
        caller = personas("call", room)[position]
        assert (caller.tilt, caller.limp_share) == pytest.approx((-solved, 1))


def test_the_reference_is_that_of_the_tables_stacks_and_antes():
    room = Room.of("holdem?seats=3,stack=6,small_blind=20,big_blind=100,ante=10")
    solved = openings.solve(3, 6.0, 0.2, 0.1)
    assert all(
        (room.reference()[n] == o.push).all() for n, o in zip(room.names, solved, strict=True)
    )


def test_seats_are_in_their_positions_and_hold_the_hands_asked_about():
    room = Room.of("holdem?seats=6,stack=10")
    assert room.names == ("UTG", "HJ", "CO", "BTN", "SB")
    seat = OpeningSeat("fold", room)
    seen = []
    seat.agent.begin = lambda tables, seats: None
    original = seat.agent.act

    def act(turns):
        seen.extend(turns.text)
        return original(turns)

    seat.agent.act = act
    questions = room.questions(1, seed=0)
    names = [f"{p}/{hand}/0" for p in room.names for hand in ("AA", "T9s")]
    seat.decide([questions[n] for n in names], np.arange(10).astype(np.uint64))
    for name, text in zip(names, seen, strict=True):
        position, shown = questions[name].prompt[0].content.split()
        assert f"You are {position} and hold {shown[:2]} {shown[2:]}." in text
        folded = room.names[: room.names.index(position)]
        assert text.count("folds") == len(folded) and "raises" not in text
        suits, ranks = {shown[1], shown[3]}, {shown[0], shown[2]}
        assert len(suits) == (2 if "AA" in name else 1) and len(ranks) == (1 if "AA" in name else 2)


def test_samples_are_of_different_suits_and_tell_how_sure_the_figures_are():
    room = Room.of(SMALL)
    questions = room.questions(7, seed=3)
    assert len(questions) == 2 * 169 * 7
    aces = [questions[f"SB/AA/{n}"].prompt[0].content for n in range(7)]
    assert len(set(aces[:6])) == 6 and aces[6] in aces[:6]
    assert room.questions(7, seed=3).keys() == questions.keys()
    # Pushing by the toss of a coin, in two of two, one of two or none, for three classes in turn.
    values = {
        f"SB/{class_name(number)}/{sample}": (float(sample < number % 3), 0.0, 0.0)
        for number in range(CLASSES)
        for sample in range(2)
    }
    found = persona(values, "SB", np.full(CLASSES, 0.5))
    mixed = [number % 3 == 1 for number in range(CLASSES)]
    assert found.error == pytest.approx(np.sqrt((weights()[mixed] ** 2 * 0.25).sum()))
    assert found.floor == pytest.approx(0.25)  # of two tosses: ½ off half of the time
    one = {name: value for name, value in values.items() if name.endswith("/0")}
    assert np.isnan(persona(one, "SB", np.full(CLASSES, 0.5)).error)
    assert persona(one, "SB", np.full(CLASSES, 0.5)).floor == pytest.approx(0.5)


def test_failures_are_folds_and_are_told():
    replies = ask("illegal", Room.of("holdem?stack=10"))
    assert {reply.failure for reply in replies.values()} == {"illegal"}
    assert all(reply.value == [0, 0, 0] for reply in replies.values())


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("gridworld", "not Hold'em"),
        ("holdem", "no measure above 25"),
        ("holdem?seats=3,stack=10/10/20", "equal stacks"),
        ("holdem?seats=4,stack=10,straddles=1", "without straddles"),
        ("holdem?stack=10,hands=2", "one hand"),
    ],
)
def test_rooms_without_a_reference_are_refused(spec, problem):
    with pytest.raises(InputError, match=problem):
        Room.of(spec)
    with pytest.raises(CannotPlay):
        OpeningSeat("pushfold", Room.of(SMALL))
