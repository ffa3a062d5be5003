"""The deals that tell most: what is luck of the cards counts for nobody."""

from __future__ import annotations

import numpy as np

from arena.leagues.match import Match, Result, seatings
from arena.viewer.telling import MOST, telling


def result(returns: list[list[list[float]]], a: str = "a", b: str = "b") -> Result:
    """A match of two, by deal, seating and seat."""
    match = Match("holdem", 1, (a, b), (a, b), 0, 100, len(returns), seatings(2, 2))
    array = np.array(returns, float)
    return Result(match, array, np.zeros_like(array), np.zeros(array.shape, np.uint8), 0, 0.0, b"")


def test_who_did_better_in_both_seats_is_told_and_luck_is_not():
    luck = [[50.0, -50.0], [50.0, -50.0]]  # the better cards won, whoever held them
    skill = [[10.0, -10.0], [-6.0, 6.0]]
    (told,) = telling([result([luck, skill])])
    assert (told["deal"], told["number"], told["swing"]) == (1, 101, 16.0)
    assert (told["best"], told["worst"], told["seating"]) == ("a", "b", 0)


def test_one_pair_does_not_fill_the_list():
    lopsided = result([[[99.0, -99.0], [-99.0, 99.0]]] * 50)
    other = result([[[1.0, -1.0], [-1.0, 1.0]]], "c", "d")
    told = telling([lopsided, other])
    assert [deal["best"] for deal in told] == ["a", "a", "c"]


def test_an_agents_own_deals_are_those_it_decided():
    told = telling([result([[[2.0, -2.0], [-2.0, 2.0]]], "a", x) for x in "bcdefghijklmnop"], "a")
    assert len(told) == MOST and all("a" in (deal["best"], deal["worst"]) for deal in told)
    assert telling([result([[[2.0, -2.0], [-2.0, 2.0]]])], "c") == []
