"""The evaluator: every five-card hand counted, every strength in phevaluator's order."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.evaluator import CATEGORIES, category, evaluate

# Of the 2,598,960 five-card hands; 7,462 are of different strength.
FREQUENCIES = {
    "high card": 1_302_540,
    "pair": 1_098_240,
    "two pair": 123_552,
    "three of a kind": 54_912,
    "straight": 10_200,
    "flush": 5_108,
    "full house": 3_744,
    "four of a kind": 624,
    "straight flush": 40,
}


def strength(text: str) -> int:
    return int(evaluate(np.array([cards.parse(text)], np.int8))[0])


@pytest.fixture(scope="module")
def five_card_strengths() -> np.ndarray:
    hands = np.fromiter(
        itertools.chain.from_iterable(itertools.combinations(range(52), 5)), np.int8, 2_598_960 * 5
    )
    return evaluate(hands.reshape(-1, 5))


def test_all_five_card_hands_fall_into_the_known_classes(five_card_strengths):
    strengths, counts = np.unique(five_card_strengths, return_counts=True)
    assert len(strengths) == 7462
    found = Counter()
    for value, count in zip(strengths.tolist(), counts.tolist(), strict=True):
        found[category(value)] += count
    assert found == FREQUENCIES


def test_the_categories_are_in_order():
    assert list(FREQUENCIES) == list(CATEGORIES)
    ladder = [
        "2c4d6h8sTc", "2c2d6h8sTc", "2c2d6h6sTc", "2c2d2h8sTc", "2c3d4h5sAc",
        "2c4c6c8cTc", "2c2d2h3s3c", "2c2d2h2sTc", "2c3c4c5cAc",
    ]  # fmt: skip
    values = [strength(hand) for hand in ladder]
    assert values == sorted(values)
    assert [category(value) for value in values] == list(CATEGORIES)


@pytest.mark.parametrize("size", [5, 6, 7])
def test_strengths_order_hands_as_phevaluator_does(size):
    phevaluator = pytest.importorskip("phevaluator")
    rng = np.random.default_rng(size)
    hands = rng.permuted(np.tile(np.arange(52), (30_000, 1)), axis=1)[:, :size]
    ours = evaluate(hands)
    theirs = np.array([-phevaluator.evaluate_cards(*hand) for hand in hands.tolist()])
    order = np.argsort(theirs, kind="stable")
    assert (np.sign(np.diff(ours[order])) == np.sign(np.diff(theirs[order]))).all()


@settings(max_examples=150, deadline=None)
@given(st.permutations(range(52)), st.integers(5, 7))
def test_a_hand_is_worth_its_best_five_cards_in_any_order(deck, size):
    held = deck[:size]
    fives = np.array(list(itertools.combinations(held, 5)))
    assert evaluate(np.array([held]))[0] == evaluate(fives).max()
    assert evaluate(np.array([held[::-1]]))[0] == evaluate(np.array([held]))[0]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("AcKcQcJcTc2d3d", "KcQcJcTc9cAdAh"),  # a straight flush is made of its suit's ranks only
        ("6d5h4s3c2cKdKh", "5d4h3s2cAcKdKh"),  # the wheel is the lowest straight
        ("AcAdKhKsQcQdJh", "AcAdKhKsJcTdTh"),  # of three pairs two count, and the best kicker
        ("AcAdAhKcKdKh2c", "AcAdAhQcQd3h2c"),  # two threes are a full house
        ("2c2d2h2sAcAdAh", "2c2d2h2sKcKdKh"),  # four of a kind takes the best kicker
        ("AcQcTc8c2cAdAh", "KcQcTc8c3cAdAh"),
    ],
)
def test_hands_that_are_easily_confused(better, worse):
    assert strength(better) > strength(worse)


def test_hands_tie_whose_best_five_cards_do():
    assert strength("AcKdQhJsTc2c2d") == strength("AdKhQsJcTd3h4h")
    assert strength("AcAdKhKsQcQd2h") == strength("AhAsKcKdQh3c4d")


def test_cards_have_names():
    assert cards.names([0, 1, 2, 3, 48, 51, cards.UNKNOWN]) == "2c2d2h2sAcAs??"
    assert cards.parse("Td ??9s") == [33, cards.UNKNOWN, 31]
    with pytest.raises(InputError, match="'1d' in '1d' is not a card"):
        cards.parse("1d")


def test_too_few_cards_are_refused():
    with pytest.raises(ValueError, match=r"\(n, 5\)"):
        evaluate(np.zeros((3, 4), np.int8))
