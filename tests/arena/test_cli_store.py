"""The command line of stores: checked, mended, merged; leagues listed, renamed, deleted."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from arena.cli import main
from arena.leagues import replay
from arena.leagues.store import Store

CONFIG = """
name: small
game: holdem?seats=2,stack=20
seed: 3
agents: [{name: "to:the|point", spec: call}, {name: "50% fold", spec: fold}, first]
schedule: {deals: 8, deals_per_match: 4}
"""


@pytest.fixture
def league(tmp_path, monkeypatch, capsys) -> Path:
    """A finished league in ./arena.db; its configuration's file."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    assert main(["tournament", "run", str(path), "--workers", "0"]) == 0
    capsys.readouterr()
    return path


def spoil(statement: str) -> None:
    """Change the store's file itself, and not the log beside it."""
    with closing(sqlite3.connect("arena.db")) as connection, connection:
        connection.execute(statement)
    with closing(sqlite3.connect("arena.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_sound_store_is_said_to_be(league, capsys):
    assert main(["store", "check"]) == 0
    assert capsys.readouterr().out == "arena.db is sound: 1 leagues, 6 matches\n"


def test_a_damaged_store_is_checked_and_repaired(league, capsys):
    spoil("DELETE FROM matches WHERE rowid = 1")
    assert main(["store", "check"]) == 1
    assert capsys.readouterr().out.endswith("save the rest: arena store repair arena.db\n")
    assert main(["store", "repair"]) == 0
    out = capsys.readouterr().out
    assert "saved 1 leagues, 6 matches (1 of them rebuilt from their replays), 6 replays" in out
    assert "kept as arena.db.damaged" in out
    assert main(["store", "check"]) == 0
    assert Path("arena.db.damaged").is_file()


def test_what_a_repair_could_not_save_is_told_and_played_again(league, capsys):
    spoil("UPDATE matches SET decisions = 0 WHERE rowid = 1")
    spoil("DELETE FROM replays WHERE match = (SELECT id FROM matches WHERE rowid = 1)")
    assert main(["store", "repair"]) == 0
    assert "lost 1 matches: " in capsys.readouterr().out
    assert main(["tournament", "run", str(league), "--workers", "0"]) == 0
    assert main(["store", "check"]) == 0


def test_a_table_is_shown_without_what_is_damaged_and_the_exit_code_is_2(league, capsys):
    spoil("UPDATE matches SET seconds = 9 WHERE rowid = 1")
    assert main(["tournament", "table"]) == 2
    captured = capsys.readouterr()
    assert "small: holdem" in captured.out
    assert re.fullmatch(r"arena: store arena.db: match .* is damaged .*\n", captured.err)
    assert main(["replay", "verify", "arena.db"]) == 1
    assert "5 matches, 40 episodes played again: 40 came out alike; 1 matches are damaged" in (
        capsys.readouterr().out
    )


def test_a_store_whose_pages_are_damaged_is_no_traceback(league, capsys):
    spoil("PRAGMA user_version")
    data = bytearray(Path("arena.db").read_bytes())
    data[4 * 4096 :] = b"\xaa" * (len(data) - 4 * 4096)
    Path("arena.db").write_bytes(data)
    for arguments in (["tournament", "table"], ["tournament", "matches"]):
        assert main(arguments) == 2
        assert "damaged" in capsys.readouterr().err


def test_dropped_replays_are_made_again(league, capsys):
    (match, *_) = Store("arena.db").match_ids()
    assert main(["store", "compact", "--drop-replays", "reproducible"]) == 0
    assert "6 replays were dropped" in capsys.readouterr().out
    assert main(["replay", "show", match]) == 2
    assert f"make it again: arena replay again {match}" in capsys.readouterr().err
    assert main(["replay", "again", match]) == 0
    assert main(["replay", "show", match]) == 0
    assert main(["replay", "verify", "arena.db"]) == 0
    assert capsys.readouterr().out.endswith(
        "1 matches, 8 episodes played again: 8 came out alike\n"
    )


def test_stores_are_merged(league, capsys):
    assert main(["store", "merge", "arena.db", "arena.db", "-o", "all.db"]) == 0
    assert re.search(r"holds 6 matches of these leagues:\n  small \(20", capsys.readouterr().out)
    assert main(["store", "check", "all.db"]) == 0


@pytest.mark.parametrize("verb", ["check", "repair", "compact"])
def test_a_store_that_is_not_there_is_not_made(tmp_path, monkeypatch, capsys, verb):
    monkeypatch.chdir(tmp_path)
    assert main(["store", verb, "missing.db"]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_leagues_are_listed_with_dates_and_ids(league, capsys):
    assert main(["tournament", "list", "--json"]) == 0
    (told,) = orjson.loads(capsys.readouterr().out)
    assert (told["name"], told["matches"]) == ("small", 6)
    assert main(["tournament", "list"]) == 0
    out = capsys.readouterr().out
    assert told["id"] in out
    assert told["created"][:10] in out


def test_two_leagues_of_one_name_are_told_by_date_and_id(league, capsys):
    league.write_text(CONFIG.replace(", first]", "]"))
    assert main(["tournament", "run", str(league), "--workers", "0"]) == 0
    newer, older = (entry.league.id for entry in Store("arena.db").leagues())
    capsys.readouterr()
    assert main(["tournament", "delete", "small"]) == 2
    said = capsys.readouterr().err
    assert "several leagues are called 'small', name one by its id: small (20" in said
    assert older in said
    assert newer in said
    assert main(["tournament", "delete", older]) == 0
    assert "and 4 matches; 2 are in other leagues, too" in capsys.readouterr().out
    assert main(["tournament", "rename", "small", "tiny"]) == 0
    assert "is now tiny (20" in capsys.readouterr().out
    assert main(["tournament", "table", "tiny"]) == 0


@pytest.mark.parametrize("ending", ["acpc", "phhs"])
def test_exports_carry_the_leagues_names_whatever_signs_they_have(league, capsys, ending):
    main(["tournament", "matches", "--json", "--agent", "to:the|point", "--agent", "50% fold"])
    match = orjson.loads(capsys.readouterr().out)[0]["match"]
    assert main(["replay", "export", match, "-o", f"x.{ending}"]) == 0
    assert main(["replay", "verify", f"x.{ending}"]) == 0
    assert "8 hands replayed: 8 came out to the chip" in capsys.readouterr().out
    text = Path(f"x.{ending}").read_text()
    assert "call" not in text
    assert "50% fold" in text or "50%25%20fold" in text  # as the format can say it


def test_a_replays_file_keeps_the_names_too(league, capsys):
    (match, *_) = Store("arena.db").match_ids()
    assert main(["replay", "export", match, "-o", "x.jsonl.zst"]) == 0
    record = replay.read_file(Path("x.jsonl.zst"))
    assert set(record.names) <= {"to:the|point", "50% fold", "first"}
    assert main(["replay", "verify", "x.jsonl.zst"]) == 0
    assert main(["replay", "show", "x.jsonl.zst", "--deal", "0"]) == 0
    assert record.names[0] in capsys.readouterr().out
