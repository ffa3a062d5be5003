"""Whatever accident an agent has: the league ends, it alone is blamed, every replay verifies."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from arena.agents.scripted.hostile import ACCIDENTS, ELSEWHERE
from arena.leagues import replay, runner
from arena.leagues.executors import Executor, InProcess, Processes
from arena.leagues.league import League
from arena.leagues.match import Match, Result, Status

# What comes of an accident; in all that are not named here the agent crashes.
words = re.compile(r"\w+").findall
HARMLESS = words(
    """
    folder folder_gone environment import_path locale recursion_limit collector seeds warnings
    numpy_errors hooks umask handlers blocked_signals timer other_timers output output_closed
    output_gone thread_error busy_thread waiting_thread child fork leaked_files fewer_files writes
    later long_notes end_writes
    """
)
ILLEGAL = words(
    """
    nan_actions infinite_actions huge_actions negative_actions unsigned_actions words booleans
    complex_actions objects
    """
)
LATE = words("sleeps computes swallows out_of_reach")
# What only a process of its own survives.
DEADLY = words(
    """
    made_exit made_thread_exit process_exit process_kill process_abort segfault terminated
    thread_exit files_closed output_files_closed out_of_reach
    """
)

SCHEDULE = {"deals": 6, "deals_per_match": 6}


def expected(how: str) -> Status:
    if how in HARMLESS:
        return Status.DONE
    if how in ILLEGAL:
        return Status.ILLEGAL
    return Status.TIMEOUT if how in LATE else Status.CRASH


def blocks(league: League) -> list[list[Match]]:
    """All matches together, where the accident can do the most harm."""
    pairings = league.make_schedule().pairings(2, len(league.entrants), league.seed, ()) or ()
    return [[runner.make_match(league, 2, pairing) for pairing in pairings]]


def by_names(league: League, results: Iterable[Result]) -> dict[frozenset[str], Result]:
    found = {frozenset(league.names[key] for key in r.match.entrants): r for r in results}
    assert len(found) == 3
    return found


@pytest.fixture(scope="module")
def harmless() -> dict[frozenset[str], Result]:
    """The results of a league in which ``first`` sits where ``hostile`` will."""
    config = {"name": "t", "game": "holdem?seats=2", "seed": 7, "schedule": SCHEDULE}
    league = League.from_config({**config, "agents": ["first", "call", "random"]}, "t")
    with InProcess(runner.roster(league)) as executor:
        return by_names(league, executor.run(blocks(league)))


def check(how: str, league: League, executor: Executor, harmless) -> None:
    name = f"hostile?how={how}"
    found = by_names(league, executor.run(blocks(league)))
    for who, result in found.items():
        assert replay.verify(replay.read(result.replay, how)) == []
        (key,) = [k for k, n in league.names.items() if n == name]
        harmed = result.forfeited(expected(how)) if expected(how) else set()
        assert harmed == ({key} if name in who and expected(how) else set())
        for status in set(Status) - {Status.DONE, expected(how)}:
            assert result.forfeited(status) == set()
        if name not in who or expected(how) == Status.DONE:
            like = harmless[frozenset("first" if n == name else n for n in who)]
            assert result.returns.tobytes() == like.returns.tobytes()


def league_of(make_league, how: str) -> League:
    clock = 1.0 if how in LATE else 30.0
    return make_league([f"hostile?how={how}", "call", "random"], clock=clock, **SCHEDULE)


@pytest.mark.parametrize("how", [how for how in [*ACCIDENTS, *ELSEWHERE] if how not in DEADLY])
def test_an_accident_in_this_process(how, make_league, harmless):
    league = league_of(make_league, how)
    with InProcess(runner.roster(league)) as executor:
        check(how, league, executor, harmless)


def _workers(how: str) -> object:
    return how if how in QUICK else pytest.param(how, marks=pytest.mark.slow)


QUICK = ["thread_exit", "files_closed"]  # the two most different; the others take as long


@pytest.mark.parametrize("how", [_workers(how) for how in [*ACCIDENTS, *ELSEWHERE]])
def test_an_accident_in_a_worker(how, make_league, harmless):
    league = league_of(make_league, how)
    with Processes(runner.roster(league), 1) as executor:
        check(how, league, executor, harmless)
