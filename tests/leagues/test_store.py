"""The log: append-only, every match once, nothing lost."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.leagues import replay, runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.store import Store


def run(league: League, store: Store) -> list[runner.Progress]:
    with InProcess(runner.roster(league)) as executor:
        return list(runner.run(league, store, executor))


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request, tmp_path) -> Store:
    """A new store in SQLite; one in PostgreSQL where $ARENA_TEST_POSTGRESQL is its URL."""
    if request.param == "sqlite":
        return Store(str(tmp_path / "a.db"), create=True)
    url = os.environ.get("ARENA_TEST_POSTGRESQL")
    if url is None:
        pytest.skip("ARENA_TEST_POSTGRESQL names no database (postgresql+psycopg://…)")
    return Store(url, create=True)


def test_what_is_read_is_what_was_played(make_league, any_store):
    league, store = make_league(["random", "first"], seed=time.time_ns() % 10**9), any_store
    played = [p.result for p in run(league, store) if p.result]
    read = [result for _, result in store.results(league)]
    assert [r.match for r in read] == [p.match for p in played]
    for a, b in zip(played, read, strict=True):
        assert np.array_equal(a.returns, b.returns)
        assert np.array_equal(a.tiebreaks, b.tiebreaks)
        assert np.array_equal(a.statuses, b.statuses)
        assert (a.decisions, a.seconds) == (b.decisions, b.seconds)
        assert store.match(a.match.id).replay == a.replay
        assert replay.read(a.replay, "x").match == a.match


def test_a_second_run_plays_nothing(make_league, tmp_path):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    run(league, store)
    again = run(league, store)
    assert [(p.played, p.total, p.resumed, p.result) for p in again] == [(2, 2, 2, None)]


def test_a_league_whose_roster_grew_plays_only_what_is_new(make_league, tmp_path):
    store = Store(str(tmp_path / "a.db"), create=True)
    run(make_league(["random", "first"]), store)
    larger = make_league(["random", "first", "wordy"])
    assert sum(p.result is not None for p in run(larger, store)) == 4
    assert len(list(store.results(larger))) == 6
    assert len(store.match_ids()) == 6


def test_a_match_that_another_process_logged_too_is_logged_once(make_league, tmp_path):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    result = next(p.result for p in run(league, store) if p.result)
    store.append(league, result)
    assert [number for number, _ in store.results(league)] == [1, 2]


def test_new_results_can_be_followed(make_league, tmp_path):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    run(league, store)
    numbers = [number for number, _ in store.results(league)]
    assert numbers == [1, 2]
    assert [number for number, _ in store.results(league, after=1)] == [2]


def test_a_league_is_found_by_name_and_id(make_league, tmp_path):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    run(league, store)
    for name in (None, "test", league.id):
        assert store.find(name).league == league
    with pytest.raises(InputError, match="holds no league 'nope'; it holds: test"):
        store.find("nope")


@pytest.mark.parametrize("id", ["", "zz", "%"])
def test_a_match_that_is_not_there_is_a_sentence(make_league, tmp_path, id):
    league, store = make_league(["random", "first"]), Store(str(tmp_path / "a.db"), create=True)
    run(league, store)
    with pytest.raises(InputError, match=r"holds (no|more than one) match"):
        store.match(id)


def test_a_store_that_cannot_be_written_is_a_sentence(make_league, tmp_path):
    Store(str(tmp_path / "a.db"), create=True).close()
    store = Store(f"sqlite:///file:{tmp_path}/a.db?mode=ro&uri=true", create=True)
    with pytest.raises(InputError, match=r"attempt to write a readonly database\); it keeps"):
        store.add_league(make_league(["random", "first"]))


def test_a_password_is_never_shown():
    with pytest.raises(InputError) as refused:
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/arena")
    assert "secret" not in str(refused.value)
    assert "me:***@127.0.0.1" in str(refused.value)


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("missing.db", "does not exist; run a league first"),
        ("", "store '' would be forgotten"),
        ("sqlite://", "would be forgotten"),
        ("oracle://x", "cannot be opened"),
        ("notadb.db", "cannot be opened"),
        ("foreign.db", "holds no leagues"),
    ],
)
def test_a_store_that_cannot_be_opened_is_a_sentence(tmp_path, monkeypatch, where, sentence):
    monkeypatch.chdir(tmp_path)
    Path("notadb.db").write_bytes(b"not a database" * 100)
    sqlite3.connect("foreign.db").execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match=sentence):
        Store(where)
