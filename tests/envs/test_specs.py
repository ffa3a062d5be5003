"""Specs: one short form, strictly read, and one way to write what is the same."""

from __future__ import annotations

from typing import Literal

import pytest

from arena.agents.registry import identify
from arena.envs.errors import InputError
from arena.envs.registry import named_game
from arena.envs.specs import Spec, bind, canonical


def factory(
    *,
    count: int = 1,
    share: float | None = 0.5,
    menu: tuple[float, ...] = (0.5, 1.0),
    fast: bool = False,
    kind: Literal["a", "b"] = "a",
    name: str = "",
) -> None:
    """Takes an option of every type."""


def bound(text: str) -> dict[str, object]:
    return dict(bind(factory, Spec.parse(text), "thing"))


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("x?count=-3", "count", -3),
        ("x? count = 3 ", "count", 3),
        ("x?share=none", "share", None),
        ("x?share=1e-3", "share", 0.001),
        ("x?menu=.5/2", "menu", (0.5, 2.0)),
        ("x?fast=True", "fast", True),
        ("x?name=", "name", ""),
        ("x?name=a b=c?d", "name", "a b=c?d"),
        ("x?", "count", 1),
    ],
)
def test_an_option_is_read_by_its_type(text, name, value):
    assert bound(text)[name] == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no family"),
        ("?count=1", "names no family"),
        ("x?count", "option 'count' has no value"),
        ("x?count=1,count=2", "gives count twice"),
        ("x?count=", "count= is not a whole number"),
        ("x?count=1.5", "count=1.5 is not a whole number"),
        ("x?count=18446744073709551616", "is not a whole number of 64 bits"),
        ("x?share=nan", "share=nan is not a finite number"),
        ("x?menu=1/inf", "menu=inf is not a finite number"),
        ("x?menu=", "menu= is not a finite number"),
        ("x?fast=yes", "fast=yes is neither true nor false"),
        ("x?kind=c", "kind=c is none of a, b"),
        ("x?cuont=1", "did you mean 'count'"),
    ],
)
def test_a_mistake_in_a_spec_is_a_sentence(text, sentence):
    with pytest.raises(InputError, match=sentence):
        bound(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x?name=b,count=+07", "x?count=7,name=b"),
        ("x?menu=.50/1.0", "x?menu=0.5/1"),
        ("x?fast=TRUE", "x?fast=true"),
        ("x?share=none", "x?share=none"),
        ("x:a/b?share=1e3", "x:a/b?share=1000"),
    ],
)
def test_what_is_the_same_is_written_the_same(text, written):
    spec = Spec.parse(text)
    assert str(canonical(spec, bind(factory, spec, "thing"))) == written
    assert bound(written) == bound(text)


def test_games_and_agents_are_named_canonically():
    """So that two leagues that write a game differently share their matches."""
    assert named_game("holdem?stack=100.0,seats=02")[0] == "holdem?seats=2,stack=100"
    assert identify("equity?samples=0300") == identify("equity?samples=300")
