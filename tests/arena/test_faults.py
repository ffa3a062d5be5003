"""The fault campaign in short form, and that its checker sees what is lost, wrong or blamed."""

from __future__ import annotations

import pytest

from arena.faults.campaign import FaultCampaign
from arena.faults.checker import Facts, compare

RIGHT = {
    "a": Facts(b"12", b"00", b"\0\0", 3, b"told"),
    "b": Facts(b"34", b"00", b"\0\2", 3, b"told"),
}


def test_equal_stores_are_good():
    assert compare(RIGHT, dict(RIGHT)).good


def test_what_is_missing_is_lost():
    verdict = compare(RIGHT, {"a": RIGHT["a"]})
    assert (verdict.lost, verdict.wrong, verdict.good) == (1, 0, False)


@pytest.mark.parametrize("change", [{"returns": b"13"}, {"decisions": 4}, {"replay": b"else"}])
def test_what_differs_is_wrong(change):
    verdict = compare(RIGHT, RIGHT | {"a": RIGHT["a"]._replace(**change)})
    assert (verdict.lost, verdict.wrong, verdict.forfeited) == (0, 1, 0)


def test_who_is_blamed_and_should_not_be_is_counted():
    verdict = compare(RIGHT, RIGHT | {"a": RIGHT["a"]._replace(statuses=b"\0\3")})
    assert (verdict.wrong, verdict.forfeited, verdict.good) == (1, 1, False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kill_main", "kill_workers", "damage", "accident"])
def test_a_league_comes_out_as_if_nothing_had_happened(kind, tmp_path):
    trial = FaultCampaign(tmp_path, deals=25).trial(kind, 0)
    assert trial.good, trial
    assert trial.faults
