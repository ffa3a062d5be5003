"""Whoever is to blame is found by playing apart; nobody is blamed for what another did."""

from __future__ import annotations

import random

import pytest

from arena.leagues.jobs import PROOF, PROOF_OF_KILL, Job
from arena.leagues.match import Match, Status, seatings


def job(*lineups: str) -> Job:
    """Matches of agents that are named by a letter."""
    matches = [Match("game", 1, tuple(who), tuple(who), 0, 0, 1, seatings(2, 2)) for who in lineups]
    return Job({match.id: match for match in matches})


def lose(work: Job, dead, asked, *, killed=False) -> None:
    """The process of the team that ``dead`` is in is lost while ``asked`` is asked."""
    (team,) = (team for team in work.teams() if dead in team)
    work.lose(team, asked, alone=bool(work.apart), killed=killed)


def test_one_loss_blames_nobody_and_sets_apart_who_was_asked():
    work = job("ab", "ac", "bc")
    lose(work, "b", "b")
    assert work.forfeiting == {}
    assert work.teams() == [{"b"}, {"a", "c"}]


def test_a_worker_that_is_lost_while_nobody_is_asked_is_replaced_by_its_like():
    work = job("ab", "ac")
    lose(work, "a", None)
    assert work.teams() == [{"a", "b", "c"}]


@pytest.mark.parametrize(("killed", "needed"), [(False, PROOF), (True, PROOF_OF_KILL)])
def test_who_kills_its_own_process_again_and_again_forfeits(killed, needed):
    """A signal that others send, too, takes one time more."""
    work = job("ab", "ac", "bc")
    lose(work, "b", "b", killed=killed)
    for _ in range(needed):
        assert work.forfeiting == {}
        lose(work, "b", "b", killed=killed)
    assert work.forfeiting == {"b": Status.CRASH}
    assert work.teams() == [{"a", "c"}]


@pytest.mark.parametrize("culprit", "abcdefg")
def test_a_culprit_that_is_never_asked_as_it_strikes_is_found_by_halving(culprit):
    """A thread that ends the process while another agent is thinking."""
    work = job("ab", "cd", "ef", "ag", "bg")
    losses = 0
    while not work.forfeiting:
        (team,) = (team for team in work.teams() if culprit in team)
        asked = next((key for key in sorted(team) if key != culprit), None)
        lose(work, culprit, asked)
        losses += 1
    assert work.forfeiting == {culprit: Status.CRASH}
    assert losses <= 7


@pytest.mark.parametrize("seed", range(20))
def test_workers_that_are_killed_at_random_among_many_agents_are_no_agents_fault(seed):
    draw = random.Random(seed)
    work = job("ab", "cd", "ef", "gh")
    with pytest.raises(RuntimeError, match="not by one agent; is the machine short of memory"):
        while True:
            team = draw.choice([team for team in work.teams() if len(team) > 1])
            work.lose(team, draw.choice(sorted(team)), alone=bool(work.apart), killed=True)
    assert work.forfeiting == {}


def test_who_hangs_beyond_reach_has_a_second_try_on_its_own():
    work = job("ab", "ac")
    work.overrun("a")
    assert work.forfeiting == {}
    assert work.teams() == [{"a"}, {"b", "c"}]
    work.overrun("a")
    assert work.forfeiting == {"a": Status.TIMEOUT}
