"""Hold'em in words: a hand reads as it was played, and one strict grammar reads the answers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.game import Holdem
from arena.envs.holdem.tables import HoldemTables
from arena.envs.holdem.text import amount, positions
from arena.envs.registry import make_game


def dealt(holes, board, *, stacks=None, blinds=(50, 100), button=-1, game=None, **keywords):
    """One table with given cards; holes by seat."""
    seats = len(holes)
    tables = (game or Holdem(seats=seats)).tables(1)
    posted = [0] * seats
    if seats == 2:
        posted = [blinds[1], blinds[0]]
    else:
        posted[: len(blinds)] = blinds
    tables.deal(
        np.zeros(1, np.int64),
        stacks=np.array(stacks or [10_000] * seats),
        blinds=np.array(posted),
        antes=np.array(keywords.pop("antes", [0] * seats)),
        decks=np.array(cards.parse("".join(holes) + board)),
        button=button,
        min_bet=blinds[1],
        **keywords,
    )
    return tables


def say(tables, *answers):
    for answer in answers:
        seat = actor(tables)
        tables.step(np.array([0]), np.array([seat]), np.array([tables.parse(0, seat, answer)]))


def actor(tables):
    return int(tables.to_act()[1][0])


SIX = ["AhKd", "7c7s", "QsJs", "2c3d", "9h9d", "TcTd"]


def test_a_hand_reads_as_it_was_played():
    tables = dealt(SIX, "7d5h9cTh2s", antes=[10] * 6)
    say(tables, "raise to 2.5", "fold", "fold", "raise to 8", "call 7.5", "fold", "call 5.5")
    say(tables, "bet 12.25", "raise to 30")
    assert actor(tables) == 5
    assert tables.text(0, 5) == (
        "No-limit Texas Hold'em, 6 players, hand 1. Amounts are in big blinds; one is 100 chips.\n"
        "You are BTN and hold Tc Td.\n"
        "Street: flop: 7d 5h 9c. Pot: 67.85.\n"
        "Stacks: UTG 61.9 (30 bet), HJ 99.9 (folded), CO 99.9 (folded), BTN 91.9 (you), "
        "SB 79.65 (12.25 bet), BB 98.9 (folded).\n"
        "Posts: ante 0.1 each, SB 0.5, BB 1.\n"
        "Pre-flop: UTG raises to 2.5, HJ folds, CO folds, BTN raises to 8, SB calls 7.5, "
        "BB folds, UTG calls 5.5.\n"
        "Flop: SB bets 12.25, UTG raises to 30.\n"
        "It is your turn; to call: 30."
    )


def test_an_all_in_is_told_and_a_short_call_names_what_is_left():
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s", stacks=[600, 10_000])
    say(tables, "raise to 5")
    assert tables.words(0, 0) == ["fold", "call 4", "all-in"]
    say(tables, "call 4", "bet 1")
    assert "BTN raises to 5, BB calls 4.\nFlop: BB bets 1 (all-in)." in tables.text(0, 1)


def test_a_call_of_less_than_the_bet_is_all_in():
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s", stacks=[600, 10_000])
    say(tables, "all-in")
    assert "BTN raises to 100 (all-in)." in tables.text(0, 0)
    assert tables.words(0, 0) == ["fold", "call 5"]
    say(tables, "call 5")
    assert "BB calls 5 (all-in)." in tables.text(0, 0)


def test_the_big_blind_may_check_but_not_fold():
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s")
    assert actor(tables) == 1, "heads-up the button acts first"
    assert tables.words(0, 1) == ["fold", "call 0.5", "raise to 2", "raise to 3", "all-in"]
    say(tables, "call 0.5")
    assert tables.words(0, 0)[0] == "check"
    say(tables, "check")
    assert tables.words(0, 0) == ["check", "bet 1", "bet 2", "all-in"]


def test_who_is_out_of_the_hand_is_told_so():
    tables = make_game("holdem?seats=3,hands=2,stacks=carry,stack=2/9/9").tables(1)
    for seed in range(100):  # until the short stack, and nobody else, is out after the first hand
        tables.begin(np.array([0]), np.array([seed], np.uint64))
        say(tables, "call 1", "all-in", "call 1", "fold")
        if tables.done[0] or tables.hands["starting"][0, 0] == 0:
            break
    assert "You are out of this hand." in tables.text(0, 0)
    assert "2 players, hand 2 of 2." in tables.text(0, 0)
    assert "You are B" in tables.text(0, 1)


@pytest.mark.parametrize(
    ("seats", "names"),
    [
        (2, "BTN BB"),
        (3, "BTN SB BB"),
        (4, "CO BTN SB BB"),
        (5, "HJ CO BTN SB BB"),
        (6, "UTG HJ CO BTN SB BB"),
        (7, "UTG LJ HJ CO BTN SB BB"),
        (9, "UTG UTG+1 UTG+2 LJ HJ CO BTN SB BB"),
        (10, "UTG UTG+1 UTG+2 UTG+3 LJ HJ CO BTN SB BB"),
    ],
)
def test_positions_are_named_from_the_first_to_act(seats, names):
    tables = make_game(f"holdem?seats={seats}").tables(1)
    tables.begin(np.array([0]), np.array([1], np.uint64))
    named = positions(tables.hands[0])
    assert " ".join(named.values()) == names
    assert next(iter(named)) == actor(tables)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("", "legal are: fold, call 0.5"),
        ("check", "call 0.5"),
        ("call", "call 0.5"),
        ("call 1", "call 0.5"),
        ("bet 3", "raise to any amount"),
        ("raise 3", "raise to any amount"),
        ("raise to 1.5", "from 2 to 100"),
        ("raise to 100.5", "from 2 to 100"),
        ("raise to 2.505", "whole chips"),
        ("raise to -3", "raise to"),
        ("raise to 3e0", "raise to"),
        ("raise to 03", "raise to"),
        ("raise to 3 bb", "raise to"),
        ("raise to 3.", "raise to"),
        ("fold, call, check, raise or bet", "fold"),
        ("fold call 0.5", "fold"),
        ("I fold", "fold"),
        ("all in", "all-in"),
    ],
)
def test_what_is_no_action_is_refused_in_a_sentence(answer, hint):
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s")
    with pytest.raises(InputError, match="is not a legal action") as error:
        tables.parse(0, 1, answer)
    assert hint in str(error.value)


def test_white_space_and_case_are_free_and_zeros_do_not_matter():
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s")
    assert tables.parse(0, 1, "  Raise\nTO  2.50 ") == 5 + 250
    assert tables.parse(0, 1, "raise to 3.00") == tables.parse(0, 1, "raise to 3") == 3
    assert tables.parse(0, 1, "raise to 100") == tables.parse(0, 1, "ALL-IN") == 4


def test_an_amount_that_the_menu_lacks_can_be_raised_to():
    tables = dealt(["AhKd", "7c7s"], "7d5h9cTh2s")
    action = tables.parse(0, 1, "raise to 2.37")
    assert action == 5 + 237
    assert tables.describe(0, 1, action) == "raise to 2.37"
    say(tables, "raise to 2.37")
    assert tables.hands["bets"][0, 1] == 237


@given(st.integers(1, 5000), st.sampled_from([1, 2, 3, 7, 8, 15, 50, 64, 100, 300]))
def test_an_amount_names_its_chips_and_no_others(chips, unit):
    text = amount(chips, unit)
    assert round(Fraction(text) * unit) == chips
    assert text != amount(chips + 1, unit)
    if 100 % unit == 0:
        assert Fraction(text) * unit == chips


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    seats=st.integers(2, 9),
    unit=st.sampled_from([2, 3, 7, 50, 100]),
    stack=st.integers(2, 120),
    choices=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=40),
)
def test_every_action_survives_the_way_through_words(seed, seats, unit, stack, choices):
    game = Holdem(seats=seats, small_blind=1, big_blind=unit, stack=float(stack))
    tables = game.tables(1)
    tables.begin(np.array([0]), np.array([seed], np.uint64))
    at = np.array([0])
    for choice in choices:
        if tables.done[0]:
            break
        seat = tables.to_act()[1]
        mask = tables.action_mask(at, seat)[0]
        menu = np.flatnonzero(mask).tolist()
        assert tables.words(0, seat[0]) == [tables.describe(0, seat[0], a) for a in menu]
        assert [tables.parse(0, seat[0], w) for w in tables.words(0, seat[0])] == menu
        least, most = tables.raise_bounds(at)[0].tolist()
        exact = []
        if most:
            total = least + int(choice * (most - least + 1))
            action = len(mask) + total
            word = tables.describe(0, seat[0], action)
            read = tables.parse(0, seat[0], word)
            assert tables.describe(0, seat[0], read) == word
            assert tables.legal(at, seat, np.array([read]))[0]
            assert read == action or read in menu
            exact = [read]
        action = [*menu, *exact][int(choice * len([*menu, *exact]))]
        tables.step(at, seat, np.array([action]))


@pytest.mark.parametrize("options", ["seats=2", "seats=6,ante=10", "seats=9,hands=3,stacks=carry"])
def test_nothing_shown_depends_on_a_hidden_card(options):
    assert check_game(make_game(f"holdem?{options}"), tables=12).ended == 12


def test_the_check_of_hidden_cards_would_find_a_leak(monkeypatch):
    class Leaking(HoldemTables):
        def text(self, table, seat):
            return cards.names(self.hands["deck"][table, :4])

    monkeypatch.setattr(Holdem, "tables", lambda self, capacity: Leaking(self, capacity))
    with pytest.raises(AssertionError, match="see what is hidden"):
        check_game(make_game("holdem"))


@pytest.mark.parametrize(
    ("moves", "action", "reason"),
    [
        ([1], 0, "nothing to call"),
        ([], 5 + 150, "raise to 1.5 is not possible; the least is 2, the most 100"),
        ([1], 5 + 150, "raise to 1.5 is not possible"),
        ([4], 2, "nobody could call it"),
        ([], -3, "-3 is not an action"),
        ([], None, "None is not a legal action; legal are: fold, call 0.5"),
    ],
)
def test_an_illegal_action_is_told_why(moves, action, reason):
    tables = make_game("holdem").tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    for move in moves:
        turns = tables.turns()
        tables.step(turns.tables, turns.seats, np.array([move]))
    assert reason in tables.turns().why_not(0, action)
    assert tables.turns().why_not(0, 1) is None
