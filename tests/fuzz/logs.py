"""What runs leave behind: stores of leagues, records of answers; a browser."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.fuzz import mutations
from tests.fuzz.kind import Kind, database, either, values
from tests.fuzz.mutations import Dice

ANSWER = {
    "name": "q1", "value": 1, "text": "fold", "said": "fold", "failure": None, "error": "",
    "tokens_in": 9, "tokens_out": 1, "seconds": 0.5,
}  # fmt: skip
ASKED = {"suite": "pokerbench", "questions": 100, "letters": "AB", "agents": {"tag": "tag"}}
POSTS = [
    {"game": "holdem?seats=2,stack=20", "opponents": ["call"]},
    {"game": "errand", "opponents": []},
    {"hand": 0, "action": 1, "known": 0},
]  # fmt: skip


def kinds() -> list[Kind]:
    """All of them."""
    return [
        _store(),
        _record(),
        *_answers(),
        _browser(),
    ]


def _store() -> Kind:
    import datetime as dt

    import arena
    from arena.envs.errors import InputError
    from arena.leagues import replay, rows, upkeep
    from arena.leagues.standings import rank
    from arena.leagues.store import Store

    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "league.db"
        league = arena.league("holdem?stack=5", ["call", "random"], deals=2, store=where)
        league.run()
        results = [result for _, result in league.store.results(league.league)]
        league.store.close()
        with closing(sqlite3.connect(where)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
            sample = connection.serialize()

    def forged(dice: Dice) -> bytes:
        """A match that nobody played, with the id and the checksum of one that was."""
        result = mutations.pick(results, dice)
        match = result.match
        with suppress(Exception):  # what cannot even be written is the sample itself
            match = replace(match, **_of_fields(vars(match), dice))
            row = rows.match_row(replace(result, match=match), dt.datetime(2026, 1, 1))
            with closing(sqlite3.connect(":memory:")) as connection:
                connection.deserialize(sample)
                for table, column in (("league_matches", "match"), ("replays", "match")):
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? WHERE {column} = ?",
                        (row["id"], result.match.id),
                    )
                cells = ", ".join(f"{name} = :{name}" for name in row)
                connection.execute(
                    f"UPDATE matches SET {cells} WHERE id = :old",
                    row | {"finished": "2026-01-01 00:00:00.000000", "old": result.match.id},
                )
                connection.commit()
                return connection.serialize()
        return sample

    def read(path: Path) -> object:
        store = Store(str(path))
        try:
            for entry in store.leagues():
                rank(store, entry.league)
            for logged in store.logged():
                store.names(logged.result.match.id)
                with suppress(InputError):
                    replay.verify(replay.read(logged.result.replay, "a replay"))
            return upkeep.check(store, lambda number, total: None)
        finally:
            store.close()

    name = "league.db"
    return either(database(name, sample, read), Kind(name, forged, read))


def _of_fields(fields: dict[str, Any], dice: Dice) -> dict[str, Any]:
    changed = mutations.of_value(json.loads(json.dumps(fields)), dice)
    lists = ("entrants", "specs")
    return {
        name: tuple(map(tuple, value)) if name == "seatings"
        else tuple(value) if name in lists else value
        for name, value in changed.items()
    }  # fmt: skip


def _record() -> Kind:
    from arena.agents.llm.backends.records import RecordedAnswer
    from arena.envs.errors import InputError

    key = RecordedAnswer.key("http://x/v1", {"model": "m"})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.sqlite"
        RecordedAnswer(file).put(key, "http://x/v1", {"model": "m"}, {"choices": [{}]})
        sample = file.read_bytes()

    def read(path: Path) -> object:
        with suppress(sqlite3.Error):  # as an endpoint does: the answer is a failure
            return RecordedAnswer(path).get(key)
        raise InputError("damaged")

    return database("answers.sqlite", sample, read)


def _answers() -> list[Kind]:
    from arena.evaluation import answering

    def answers(path: Path) -> object:
        return answering.read_answers(path)

    def settings(path: Path) -> object:
        folder = path.parent / "evaluation"
        folder.mkdir(exist_ok=True)
        (folder / "settings.json").write_bytes(path.read_bytes())
        return answering.open_folder(folder, ASKED)

    return [
        values("answers.jsonl", [ANSWER], answers, 3),
        values("settings.json", [ASKED], settings),
    ]


def _browser() -> Kind:
    from starlette.testclient import TestClient

    from arena.envs.errors import InputError
    from arena.viewer.app import make_app
    from arena.viewer.library import Library

    client = TestClient(make_app(Library("nowhere.db")), base_url="http://127.0.0.1")
    client.__enter__()

    def post(path: Path) -> object:
        for where in ("/api/play", "/api/play/x/decide"):
            answer = client.post(
                where, content=path.read_bytes(), headers={"content-type": "application/json"}
            )
            if answer.status_code >= 500:
                raise AssertionError(answer.text)
        if answer.status_code >= 400:
            raise InputError(answer.json()["error"])
        return answer

    return values("post.json", POSTS, post)
