"""Here or in several processes a league comes out the same; a dead worker is a forfeit."""

from __future__ import annotations

import multiprocessing as mp

import pytest

from arena.envs.errors import InputError
from arena.leagues import runner
from arena.leagues.executors import InProcess, Processes, make_executor
from arena.leagues.match import Match, Result, Status


def blocks(league) -> list[list[Match]]:
    pairings = league.make_schedule().pairings(2, len(league.entrants), league.seed, ()) or ()
    return [[runner.make_match(league, 2, pairing)] for pairing in pairings]


def facts(results: list[Result]) -> dict[str, tuple[bytes, bytes, int]]:
    assert len({result.match.id for result in results}) == len(results)
    return {r.match.id: (r.returns.tobytes(), r.statuses.tobytes(), r.decisions) for r in results}


def test_workers_change_nothing_but_the_time(make_league):
    league = make_league(["random", "first", "wordy"])
    with InProcess(runner.roster(league)) as executor:
        here = facts(list(executor.run(blocks(league))))
    with Processes(runner.roster(league), 2) as executor:
        there = facts(list(executor.run(blocks(league))))
    assert here == there


@pytest.mark.parametrize(("agent", "status"), [("killer", Status.CRASH), ("stuck", Status.TIMEOUT)])
def test_who_kills_or_hangs_a_worker_forfeits_and_the_others_play_on(make_league, agent, status):
    league = make_league([agent, "random", "first"], clock=2.0, deals=3, deals_per_match=3)
    with Processes(runner.roster(league), 2) as executor:
        results = list(executor.run(blocks(league)))
    assert len(facts(results)) == 3
    for result in results:
        if agent in result.match.specs:
            assert (result.statuses == status).any()
            assert set(result.statuses.ravel().tolist()) <= {Status.DONE, status}
        else:
            assert (result.statuses == Status.DONE).all()


@pytest.mark.parametrize(
    ("agent", "workers"),
    [("unlucky", 1), ("delayed", 0), ("delayed", 1), ("paused", 1)],
)
def test_what_happens_once_is_nobodys_fault(make_league, agent, workers):
    """The unfinished matches are played again, and come out as if nothing had happened."""
    league = make_league([agent, "random", "call"], clock=1.0, deals=3, deals_per_match=3)
    together = [[match for block in blocks(league) for match in block]]
    with make_executor(runner.roster(league), workers) as executor:
        results = list(executor.run(together))
    assert len(facts(results)) == 3
    assert all((result.statuses == Status.DONE).all() for result in results)
    with InProcess(runner.roster(league)) as executor:
        assert facts(results) == facts(list(executor.run(together)))


def test_who_is_late_again_on_its_own_forfeits(make_league):
    league = make_league(["timeout", "random", "call"], clock=0.5, deals=3, deals_per_match=3)
    (late,) = (key for key, name in league.names.items() if name == "timeout")
    with InProcess(runner.roster(league)) as executor:
        results = list(executor.run(blocks(league)))
    assert len(facts(results)) == 3
    for result in results:
        assert result.forfeited(Status.TIMEOUT) == {late} & set(result.match.entrants)


def test_a_worker_that_dies_idle_is_replaced(make_league):
    league = make_league(["random", "first"])
    with Processes(runner.roster(league), 1) as executor:
        for worker in mp.active_children():
            worker.kill()
            worker.join()
        results = list(executor.run(blocks(league)))
    assert len(facts(results)) == 2


def test_a_fault_of_the_game_is_told_with_its_traceback(make_league):
    league = make_league(["call", "random"], game="cursed")
    with (
        Processes(runner.roster(league), 1) as executor,
        pytest.raises(RuntimeError, match="Doom: doom: the deck is gone"),
    ):
        list(executor.run(blocks(league)))


@pytest.mark.parametrize("workers", [0, 1])
def test_an_agent_that_cannot_play_says_so_before_the_league_starts(make_league, workers):
    league = make_league(["random", "random:some/checkpoint"])
    with pytest.raises(InputError, match="takes no checkpoint"):
        make_executor(runner.roster(league), workers)
