"""A damaged store: what is damaged is told and left out, nothing wrong is read, no traceback."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from arena.envs.errors import InputError
from arena.leagues import replay, runner
from arena.leagues.rows import Damaged
from arena.leagues.store import Store

PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A store of 60 matches."""
    from arena.leagues.executors import InProcess
    from arena.leagues.league import League

    config = {
        "name": "sound",
        "game": "holdem?seats=2",
        "agents": ["random", "first", "call"],
        "schedule": {"deals": 200, "deals_per_match": 10},
    }
    league = League.from_config(config, "test")
    store = Store(str(tmp_path_factory.mktemp("sound") / "sound.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        list(runner.run(league, store, executor))
    store.close()
    return Path(store.where)


def facts(store: Store) -> dict[int, tuple[str, bytes, bytes, int]]:
    """All that the newest league's results say, by number."""
    return {
        number: (r.match.id, r.returns.tobytes(), r.statuses.tobytes(), r.decisions)
        for number, r in store.results(store.find().league)
    }


def damaged(sound: Path, path: Path, damage: Callable[[bytearray], object]) -> Store:
    data = bytearray(sound.read_bytes())
    damage(data)
    path.write_bytes(data)
    return Store(str(path))


def read_everything(store: Store) -> int:
    """Call all that reads; how many matches were read, each as it was written."""
    read = 0
    for look in (
        lambda: store.leagues(),
        lambda: store.match_ids(),
        lambda: store.names("ab"),
        lambda: store.members(store.find().league),
        lambda: [store.match(logged.result.match.id) for logged in store.logged()],
        lambda: facts(store),
    ):
        try:
            found = look()
        except InputError:
            continue
        if isinstance(found, dict):
            read = len(found)
    return read


def test_whatever_page_is_damaged_the_rest_is_read_and_nothing_else(sound, tmp_path):
    truth = facts(Store(str(sound)))
    pages = sound.stat().st_size // PAGE
    read = []
    for page in range(pages):

        def spoil(data: bytearray, page: int = page) -> None:
            data[page * PAGE : (page + 1) * PAGE] = b"\xaa" * PAGE

        try:
            store = damaged(sound, tmp_path / f"{page}.db", spoil)
            read.append(read_everything(store))
            assert facts(store).items() <= truth.items()
        except InputError as error:
            assert "damaged" in str(error) or "not a database" in str(error)
    assert len(read) > 0.6 * pages  # those that hold the schema or a tree's root are needed
    assert sum(count > 0.5 * len(truth) for count in read) > 0.6 * pages


def test_whatever_bytes_are_flipped_nothing_wrong_is_read(sound, tmp_path):
    truth = facts(Store(str(sound)))
    chance = random.Random(7)
    for trial in range(15):

        def flip(data: bytearray) -> None:
            for _ in range(20):
                data[chance.randrange(PAGE, len(data))] ^= 1 << chance.randrange(8)

        try:
            store = damaged(sound, tmp_path / f"{trial}.db", flip)
            read_everything(store)
            assert facts(store).items() <= truth.items()
        except InputError:
            pass


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_store_that_was_copied_in_part_is_read_in_part(sound, tmp_path, share):
    def cut(data: bytearray) -> None:
        del data[int(share * len(data)) :]

    try:
        store = damaged(sound, tmp_path / "cut.db", cut)
        assert facts(store).items() <= facts(Store(str(sound))).items()
    except InputError as error:
        assert "damaged" in str(error) or "not a database" in str(error)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("entrants", b"[1"),
        ("specs", b'["random"]'),
        ("seatings", b"[]"),
        ("seed", "many"),
        ("deals", 11),
        ("decisions", 1),
        ("seconds", 1e9),
        ("returns", b""),
        ("returns", b"\x28\xb5\x2f\xfd" + b"x" * 9),
        ("statuses", b"\x01" * 20),
        ("tiebreaks", "text"),
        ("game", b"\xff\xfe"),
    ],
)
def test_a_damaged_row_is_told_and_left_out(sound, tmp_path, caplog, column, value):
    path = tmp_path / "a.db"
    path.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        (id,) = connection.execute("SELECT id FROM matches LIMIT 1").fetchone()
        connection.execute(f"UPDATE matches SET {column} = ? WHERE id = ?", (value, id))
        connection.commit()
    truth = facts(Store(str(sound)))
    read = facts(Store(str(path)))
    assert {number: fact for number, fact in truth.items() if fact[0] != id} == read
    assert "damaged" in caplog.text
    assert len(caplog.records) == 1
    with pytest.raises(Damaged):
        Store(str(path)).match(id)


def test_a_match_that_is_counted_and_not_there_is_told(sound, tmp_path, caplog):
    path = tmp_path / "a.db"
    path.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM matches WHERE rowid = 1")
        connection.commit()
    assert len(facts(Store(str(path)))) == 59
    assert "is counted, but not there" in caplog.text


def test_a_damaged_league_is_told_and_the_others_are_listed(sound, tmp_path, caplog, make_league):
    path = tmp_path / "a.db"
    path.write_bytes(sound.read_bytes())
    store = Store(str(path), create=True)
    store.add_league(make_league(["random", "first"]))
    with closing(sqlite3.connect(path)) as connection:
        change = "UPDATE leagues SET config = replace(config, 'call', 'fold') WHERE name = 'sound'"
        connection.execute(change)
        connection.commit()
    assert [entry.league.name for entry in store.leagues()] == ["test"]
    assert "its configuration was changed" in caplog.text


def test_a_damaged_replay_is_a_sentence(sound):
    store = Store(str(sound))
    id = store.match_ids()[0]
    data = store.match(id).replay
    for at in range(len(data)):
        spoilt = data[:at] + bytes([data[at] ^ 16]) + data[at + 1 :]
        try:
            assert replay.read(spoilt, "it") == replay.read(data, "it")
        except InputError as error:
            assert str(error).startswith("it")


# -- stores of other versions ----------------------------------------------------------------------

FIRST_SCHEMA = """
CREATE TABLE leagues (id VARCHAR(16) NOT NULL, name VARCHAR NOT NULL, config BLOB NOT NULL,
    created DATETIME NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_leagues_name ON leagues (name);
CREATE TABLE matches (id VARCHAR(16) NOT NULL, game VARCHAR NOT NULL, game_version INTEGER NOT NULL,
    entrants BLOB NOT NULL, specs BLOB NOT NULL, seed VARCHAR(20) NOT NULL,
    first_deal INTEGER NOT NULL, deals INTEGER NOT NULL, seatings BLOB NOT NULL,
    returns BLOB NOT NULL, tiebreaks BLOB NOT NULL, statuses BLOB NOT NULL,
    decisions INTEGER NOT NULL, seconds FLOAT NOT NULL, finished DATETIME NOT NULL,
    PRIMARY KEY (id));
CREATE TABLE league_matches (league VARCHAR(16) NOT NULL, number INTEGER NOT NULL,
    "match" VARCHAR(16) NOT NULL, PRIMARY KEY (league, number), UNIQUE (league, "match"),
    FOREIGN KEY(league) REFERENCES leagues (id), FOREIGN KEY("match") REFERENCES matches (id));
CREATE TABLE replays ("match" VARCHAR(16) NOT NULL, data BLOB NOT NULL, PRIMARY KEY ("match"),
    FOREIGN KEY("match") REFERENCES matches (id));
"""


@pytest.fixture
def first(sound, tmp_path) -> Path:
    """The sound store as the first schema had it: no meta, no checksums, plain arrays."""
    path = tmp_path / "first.db"
    store = Store(str(sound))
    league = store.find().league
    with closing(sqlite3.connect(path)) as old:
        old.executescript(FIRST_SCHEMA)
        now = "2026-11-30 16:20:11.882209"
        config = orjson.dumps(league.to_json())
        old.execute("INSERT INTO leagues VALUES (?,?,?,?)", (league.id, league.name, config, now))
        for number, result in store.results(league):
            m = result.match
            arrays = (result.returns, result.tiebreaks, result.statuses)
            row = [m.id, m.game, m.game_version, orjson.dumps(m.entrants), orjson.dumps(m.specs)]
            row += [str(m.seed), m.first_deal, m.deals, orjson.dumps(m.seatings)]
            row += [array.tobytes() for array in arrays]
            row += [result.decisions, result.seconds, now]
            old.execute(f"INSERT INTO matches VALUES ({','.join('?' * 15)})", row)
            old.execute("INSERT INTO replays VALUES (?,?)", (m.id, store.match(m.id).replay))
            old.execute("INSERT INTO league_matches VALUES (?,?,?)", (league.id, number, m.id))
        old.commit()
    return path


def test_a_store_of_the_first_schema_is_read_as_it_is(sound, first):
    before = first.read_bytes()
    assert facts(Store(str(first))) == facts(Store(str(sound)))
    assert first.read_bytes() == before


def test_whoever_writes_to_an_older_store_brings_it_up_to_date(sound, first, play):
    store = Store(str(first), create=True)
    assert facts(store) == facts(Store(str(sound)))
    assert [state.result for state in play(store.find().league, store)] == [None]
    store.close()

    def columns(path: Path) -> set[tuple[str, str]]:
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
            return set(connection.execute(query))

    assert columns(first) == columns(sound)
    with closing(sqlite3.connect(first)) as connection:
        assert connection.execute("SELECT * FROM meta").fetchall() == [("schema", "2")]


@pytest.mark.parametrize("create", [False, True])
def test_a_store_of_a_newer_schema_is_refused(sound, tmp_path, create):
    path = tmp_path / "newer.db"
    path.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = '3'")
        connection.commit()
    with pytest.raises(InputError, match=r"has schema 3, of a newer Arena.*: upgrade it"):
        Store(str(path), create=create)
