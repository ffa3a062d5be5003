"""The log: append-only, every match once, nothing lost."""

from __future__ import annotations

import multiprocessing as mp
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.leagues import location, replay
from arena.leagues.league import League
from arena.leagues.match import Match, Result
from arena.leagues.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request, tmp_path) -> str:
    """Where a store can be created: a file, or a database in a PostgreSQL of the tests' own."""
    if request.param == "sqlite":
        return str(tmp_path / "any.db")
    return request.getfixturevalue("postgresql")


@pytest.fixture
def any_store(where) -> Store:
    return Store(where, create=True)


def results(league: League, count: int, first: int = 0) -> list[Result]:
    """Results of one deal each, of the league's first two entrants."""
    keys = [who.identity.key for who in league.entrants[:2]]
    specs = [who.identity.spec for who in league.entrants[:2]]
    zeros = np.zeros((1, 2, 2))
    statuses = zeros.astype(np.uint8)
    return [
        Result(
            Match(league.game, 1, tuple(keys), tuple(specs), 7, deal, 1, ((0, 1), (1, 0))),
            zeros + deal,
            zeros,
            statuses,
            4,
            0.5,
            b"replay",
        )
        for deal in range(first, first + count)
    ]


def test_what_is_read_is_what_was_played(make_league, any_store, play):
    league, store = make_league(["random", "first"], seed=time.time_ns() % 10**9), any_store
    played = [p.result for p in play(league, store) if p.result]
    read = [result for _, result in store.results(league)]
    assert [r.match for r in read] == [p.match for p in played]
    for a, b in zip(played, read, strict=True):
        assert np.array_equal(a.returns, b.returns)
        assert np.array_equal(a.tiebreaks, b.tiebreaks)
        assert np.array_equal(a.statuses, b.statuses)
        assert (a.decisions, a.seconds) == (b.decisions, b.seconds)
        assert store.match(a.match.id).replay == a.replay
        assert replay.read(a.replay, "x").match == a.match


def test_a_second_run_plays_nothing(make_league, store, play):
    league = make_league(["random", "first"])
    play(league, store)
    again = play(league, store)
    assert [(p.played, p.total, p.resumed, p.result) for p in again] == [(2, 2, 2, None)]


def test_a_league_whose_roster_grew_plays_only_what_is_new(make_league, any_store, play):
    store = any_store
    play(make_league(["random", "first"]), store)
    larger = make_league(["random", "first", "wordy"])
    assert sum(p.result is not None for p in play(larger, store)) == 4
    assert len(list(store.results(larger))) == 6
    assert len(store.match_ids()) == 6


def test_a_match_that_another_process_logged_too_is_logged_once(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    one, two, three = results(league, 3)
    store.append(league, one, two)
    store.append(league, two, three, one)
    assert [(n, r.match.id) for n, r in store.results(league)] == [
        (n, r.match.id) for n, r in enumerate([one, two, three], 1)
    ]


def test_many_matches_are_attached_without_reading_all_ids(make_league, any_store):
    """More than a statement may have parameters, some of them in the log."""
    league, store = make_league(["random", "first"]), any_store
    logged = results(league, 1200)
    store.add_league(league)
    store.append(league, *logged)
    other = replace(league, name="other")
    store.add_league(other)
    ids = [result.match.id for result in logged]
    strangers = [f"{number:016x}" for number in range(50_000)]
    assert store.attach(other, strangers + ids) == set(ids)
    assert store.members(other) == ids


def _write(where: str, league: League, first: int) -> None:
    store = Store(where, create=True)
    for result in results(league, 120, first):
        store.append(league, result)


def test_four_writers_lose_nothing_and_wait_for_each_other(make_league, where):
    """They share half of their matches, and number them without gaps."""
    league = make_league(["random", "first"])
    Store(where, create=True).add_league(league)
    context = mp.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(where, league, 60 * number)) for number in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    read = list(Store(where).results(league))
    assert [number for number, _ in read] == list(range(1, 301))
    assert sorted(result.match.first_deal for _, result in read) == list(range(300))


def test_new_results_can_be_followed(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    store.append(league, *results(league, 700))
    assert [number for number, _ in store.results(league)] == list(range(1, 701))
    assert [number for number, _ in store.results(league, after=699)] == [700]


def test_a_hand_takes_at_most_thirty_bytes_with_its_replay(make_league, store, play):
    agents = ["tag", "station", "call", "allin"]
    play(make_league(agents, deals=1500, deals_per_match=100), store)
    store.close()
    assert Path(store.where).stat().st_size <= 30 * 6 * 2 * 1500


# -- leagues ---------------------------------------------------------------------------------------


def test_a_league_is_found_by_name_and_id(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    for name in (None, "test", league.id):
        assert store.find(name).league == league
    with pytest.raises(InputError, match=rf"no league 'nope'; it holds: test \(20.*{league.id}\)"):
        store.find("nope")


def test_a_renamed_league_keeps_its_matches(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    store.append(league, *results(league, 3))
    before = store.find("test")
    after = store.rename(before, "finals")
    assert [str(entry) for entry in store.leagues()] == [str(after)]
    assert (after.league.name, after.matches, after.created) == ("finals", 3, before.created)
    assert len(list(store.results(after.league))) == 3


def test_a_league_cannot_take_the_name_of_its_twin(make_league, store):
    league = make_league(["random", "first"])
    store.add_league(league)
    store.add_league(replace(league, name="twin"))
    with pytest.raises(InputError, match="holds that very league under 'twin', too"):
        store.rename(store.find("test"), "twin")


def test_a_deleted_league_leaves_what_others_count(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    larger = make_league(["random", "first", "wordy"])
    one, two, three = results(league, 3)
    for each in (league, larger):
        store.add_league(each)
    store.append(league, one, two)
    store.append(larger, two, three)
    assert store.delete(store.find(league.id)) == 1
    assert [entry.league for entry in store.leagues()] == [larger]
    assert set(store.match_ids()) == {two.match.id, three.match.id}
    assert store.match(two.match.id).replay == b"replay"


def test_a_league_that_is_deleted_while_it_runs_says_so(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    store.delete(store.find())
    with pytest.raises(InputError, match=r"is not in store .* any more; it was deleted or renamed"):
        store.append(league, *results(league, 1))
    assert store.match_ids() == []


def test_agents_of_a_match_are_called_as_in_the_newest_league(make_league, store):
    league = make_league(["random", "first"])
    store.add_league(league)
    (result,) = results(league, 1)
    store.append(league, result)
    assert store.names(result.match.id) == league.names
    assert store.names("0" * 16) == {}


@pytest.mark.parametrize("id", ["", "zz", "%"])
def test_a_match_that_is_not_there_is_a_sentence(make_league, any_store, id):
    league, store = make_league(["random", "first"]), any_store
    store.add_league(league)
    store.append(league, *results(league, 2))
    with pytest.raises(InputError, match=r"holds (no|more than one) match"):
        store.match(id)


def test_a_match_is_found_by_the_beginning_of_its_id(make_league, any_store):
    league, store = make_league(["random", "first"]), any_store
    (result,) = results(league, 1)
    store.add_league(league)
    store.append(league, result)
    assert store.match(result.match.id[:3]).match == result.match


# -- what goes wrong -------------------------------------------------------------------------------


def test_a_store_that_is_held_for_too_long_is_a_sentence(make_league, store, monkeypatch):
    monkeypatch.setattr(location, "BUSY_SECONDS", 0.1)
    waiting = Store(store.where, create=True)
    holder = sqlite3.connect(store.where, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match=r"is busy: .* held it for 0\.1 s .*; try again"):
        waiting.add_league(make_league(["random", "first"]))
    holder.execute("ROLLBACK")
    waiting.add_league(make_league(["random", "first"]))


@pytest.mark.parametrize("between", [lambda path: None, lambda path: Store(path, create=True)])
def test_a_store_that_is_deleted_while_a_league_runs_is_noticed(make_league, store, between):
    league = make_league(["random", "first"])
    store.add_league(league)
    Path(store.where).unlink()
    between(store.where)
    with pytest.raises(InputError, match="was deleted, moved or replaced while it was in use"):
        store.append(league, *results(league, 1))


def test_a_reader_notices_that_its_store_has_gone(make_league, store):
    reader = Store(store.where)
    Path(store.where).unlink()
    with pytest.raises(InputError, match="was deleted"):
        reader.leagues()


def test_a_store_that_is_read_is_not_written(make_league, store):
    with pytest.raises(InputError, match=r"attempt to write a readonly database\)"):
        Store(store.where).add_league(make_league(["random", "first"]))


def test_a_password_is_never_shown():
    with pytest.raises(InputError) as refused:
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/arena")
    assert "secret" not in str(refused.value)
    assert "me:***@127.0.0.1" in str(refused.value)


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("missing.db", "does not exist; run a league first"),
        ("oracle://x", "cannot be opened"),
        (".", "is a folder"),
        ("notadb.db", r"cannot be opened.*\(file is not a database\)"),
        ("foreign.db", "holds no leagues"),
    ],
)
def test_a_store_that_cannot_be_opened_is_a_sentence(tmp_path, monkeypatch, where, sentence):
    monkeypatch.chdir(tmp_path)
    Path("notadb.db").write_bytes(b"not a database" * 100)
    sqlite3.connect("foreign.db").execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match=sentence):
        Store(where)
