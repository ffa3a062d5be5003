"""A store is checked, mended, made smaller, put together with others, and loses nothing by it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from arena.envs.errors import InputError
from arena.leagues import replay, upkeep
from arena.leagues.remake import alike, remake
from arena.leagues.store import Store


def silent(done: int, total: int) -> None:
    """A report that nobody hears."""


@pytest.fixture
def played(make_league, play, store) -> Store:
    """A store with a league of 60 matches, closed."""
    play(make_league(["random", "first", "call"], deals=200, deals_per_match=10), store)
    store.close()
    return store


def facts(store: Store) -> list[tuple[str, bytes, bytes]]:
    results = [result for _, result in store.results(store.find().league)]
    return [(r.match.id, r.returns.tobytes(), r.statuses.tobytes()) for r in results]


def change(store: Store, *statements: str) -> None:
    with closing(sqlite3.connect(store.where)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


# -- check -----------------------------------------------------------------------------------------


def test_a_sound_store_has_no_faults(played):
    assert upkeep.check(Store(played.where), silent) == []


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE matches SET decisions = 1 WHERE rowid = 3", "its fields are not those"),
        ("UPDATE leagues SET config = '{}'", "league .* is damaged"),
        ("UPDATE replays SET data = 'x' WHERE rowid = 3", "the replay of match .*not a replay"),
        ("DELETE FROM matches WHERE rowid = 3", "refers to a row that is not there"),
        (
            "UPDATE replays SET data = (SELECT data FROM replays WHERE rowid = 4) WHERE rowid = 3",
            "the replay of match .*: the log has match",
        ),
    ],
)
def test_a_check_finds_every_kind_of_damage(played, statement, fault):
    change(played, statement)
    faults = upkeep.check(Store(played.where), silent)
    assert any(re.search(fault, text) for text in faults), faults


# -- repair ----------------------------------------------------------------------------------------


def test_repairing_a_sound_store_changes_nothing(played):
    before = facts(Store(played.where))
    saved = upkeep.repair(played.where)
    assert (saved.leagues, saved.matches, saved.replays) == (1, 60, 60)
    assert (saved.rebuilt, saved.lost) == (0, ())
    assert facts(Store(played.where)) == facts(Store(str(saved.kept))) == before


def test_whatever_page_is_damaged_a_repaired_store_is_sound(played, tmp_path):
    truth = set(facts(Store(played.where)))
    data = Path(played.where).read_bytes()
    saved_most = 0
    pages = range(1, len(data) // 4096, 2)
    for page in pages:
        path = tmp_path / f"page{page}.db"
        path.write_bytes(data[: 4096 * page] + b"\xaa" * 4096 + data[4096 * (page + 1) :])
        try:
            saved = upkeep.repair(str(path))
        except InputError as error:
            assert "nothing in it can be read" in str(error) or "damaged" in str(error)
            continue
        mended = Store(str(path))
        assert upkeep.check(mended, silent) == []
        assert saved.matches == len(mended.match_ids())
        if saved.leagues:
            assert set(facts(mended)) <= truth
        saved_most += saved.matches >= 50
        assert saved.kept.stat().st_size == len(data)
    assert saved_most > 0.8 * len(pages)


def test_matches_whose_rows_are_lost_are_rebuilt_from_their_replays(played):
    before = facts(Store(played.where))
    change(played, "DELETE FROM matches WHERE rowid % 2")
    saved = upkeep.repair(played.where)
    assert (saved.matches, saved.rebuilt, saved.lost) == (60, 30, ())
    assert facts(Store(played.where)) == before


def test_what_is_lost_is_named_and_played_again_by_the_next_run(played, play):
    before = facts(Store(played.where))
    lost = before[7][0]
    change(
        played,
        f"DELETE FROM matches WHERE id = '{lost}'",
        f"DELETE FROM replays WHERE match = '{lost}'",
    )
    assert upkeep.repair(played.where).lost == (lost,)
    store = Store(played.where, create=True)
    assert sum(state.result is not None for state in play(store.find().league, store)) == 1
    assert sorted(facts(store)) == sorted(before)


def test_a_store_on_a_server_is_not_a_file_to_repair():
    with pytest.raises(InputError, match="is not a file"):
        upkeep.repair("postgresql+psycopg://me@nowhere/arena")


# -- compact ---------------------------------------------------------------------------------------


def test_compacting_an_older_store_makes_it_smaller_and_keeps_all(played, tmp_path):
    """Stores of before had plain arrays and replays that were compressed less."""
    with closing(sqlite3.connect(played.where)) as connection, connection:
        for id, data in connection.execute("SELECT match, data FROM replays").fetchall():
            text = zstandard.ZstdDecompressor().decompressobj().decompress(data)
            old = zstandard.compress(text, 1)
            connection.execute("UPDATE replays SET data = ? WHERE match = ?", (old, id))
        connection.execute("UPDATE matches SET tiebreaks = zeroblob(320), checksum = NULL")
    before = facts(Store(played.where))
    size = Path(played.where).stat().st_size
    store = Store(played.where, create=True)
    assert upkeep.compact(store, "none", silent) == 0
    store.close()
    assert Path(played.where).stat().st_size < 0.9 * size
    assert facts(Store(played.where)) == before


def test_all_replays_can_be_dropped(played):
    before = facts(Store(played.where))
    store = Store(played.where, create=True)
    assert upkeep.compact(store, "all", silent) == 60
    assert facts(store) == before
    assert upkeep.check(store, silent) == []
    assert {store.match(id).replay for id in store.match_ids()} == {b""}


def test_only_replays_that_come_out_alike_are_dropped_as_reproducible(make_league, play, store):
    """Wordy's notes may come from a language model, which is not asked twice."""
    play(make_league(["random", "first", "wordy"], deals=4, deals_per_match=2), store)
    assert upkeep.compact(store, "reproducible", silent) == 2
    for _, result in store.results(store.find().league):
        kept = store.match(result.match.id).replay
        assert bool(kept) == any("wordy" in spec for spec in result.match.specs)


def test_a_dropped_replay_can_be_made_again(played):
    store = Store(played.where, create=True)
    id = store.match_ids()[0]
    before = replay.read(store.match(id).replay, "before")
    upkeep.compact(store, "all", silent)
    again = remake(store.match(id))
    store.append(store.find().league, again)
    assert alike(replay.read(store.match(id).replay, "again"), before)


def test_a_match_that_comes_out_otherwise_is_not_made_again(played):
    result = Store(played.where).match(Store(played.where).match_ids()[0])
    with pytest.raises(InputError, match="comes out otherwise when it is played again"):
        remake(replace(result, decisions=1))
    players = ("random", "first?x=1", "call")[: len(result.match.specs)]
    other = replace(result.match, specs=tuple(players))
    with pytest.raises(InputError):
        remake(replace(result, match=other))


# -- merge -----------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request, tmp_path) -> Store:
    if request.param == "sqlite":
        return Store(str(tmp_path / "target.db"), create=True)
    return Store(request.getfixturevalue("postgresql"), create=True)


def test_stores_are_merged_without_doubles(played, make_league, play, tmp_path, target):
    """Two leagues of one name, which share matches; times and replays are kept."""
    other = Store(str(tmp_path / "other.db"), create=True)
    play(make_league(["random", "first"], deals=300, deals_per_match=10), other)
    for _ in range(2):
        for source in (played, other):
            upkeep.merge(Store(source.where), target, silent)
    assert len(target.match_ids()) == 60 + 30 - 20
    told = {str(entry): entry.matches for entry in target.leagues()}
    assert told == {str(s.find()): s.find().matches for s in (played, other)}
    for source in (played, other):
        league = source.find().league
        assert target.members(league) == source.members(league)
        for id in source.match_ids():
            replays = (replay.read(s.match(id).replay, "it") for s in (source, target))
            assert alike(*replays)
