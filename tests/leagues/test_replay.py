"""Replays: what is written is read back, and what is damaged is refused in a sentence."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
import zstandard

from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues import replay, runner
from arena.leagues.executors import InProcess
from arena.leagues.store import Store


@pytest.fixture
def record(make_league, tmp_path) -> replay.Replay:
    """A replay of one match, with notes, probabilities and forfeits."""
    league = make_league(["wordy", "silent"], deals=6, deals_per_match=6)
    store = Store(str(tmp_path / "a.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        (_, progress) = runner.run(league, store, executor)
    return replay.read(progress.result.replay, "test")


def test_what_is_written_is_read_back(record, tmp_path):
    for path in (tmp_path / "a.jsonl.zst", tmp_path / "a.jsonl"):
        replay.export(record, path)
        assert replay.read_file(path) == record
    assert any("status" in d for e in record.episodes for d in e.decisions)
    assert any("notes" in d for e in record.episodes for d in e.decisions)


def test_the_header_names_the_match_and_its_agents(record):
    assert record.match.id == record.header["id"]
    for agent in record.header["agents"]:
        assert set(agent) == {"spec", "key", "checkpoint", "configuration"}


def rewritten(record: replay.Replay, edit) -> list[str]:
    """What ``verify`` says of the replay with its first episode edited."""
    first, *rest = record.episodes
    return replay.verify(replace(record, episodes=(edit(first), *rest)))


@pytest.mark.parametrize("action", ["call", None, 1.0, True, [1], [1, [2]], {"a": 1}, 2**70, -1])
def test_an_action_that_is_none_is_not_taken(record, action):
    def edit(episode):
        line = {"seat": 1, "legal": episode.decisions[0]["legal"], "ms": 0, "action": action}
        return replace(episode, decisions=(line, *episode.decisions[1:]))

    assert rewritten(record, edit) == [
        f"deal 0, seating 0: decision 0: action {action} is not legal"
    ]
    match = record.match
    with pytest.raises(InputError, match="is not legal"):
        list(replay.walk(make_game(match.game), match, edit(record.episodes[0])))


def test_an_untouched_replay_verifies(record):
    assert replay.verify(record) == []


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda e: replace(e, returns=(9.0, -9.0)), "returns were [9.0, -9.0]"),
        (lambda e: replace(e, tiebreaks=(1.0, 0.0)), "tiebreaks were"),
        (lambda e: replace(e, decisions=e.decisions[:-1]), "the record ends here"),
        (lambda e: replace(e, decisions=e.decisions + e.decisions[-1:]), "the game ends after"),
        (
            lambda e: replace(e, decisions=({**e.decisions[0], "seat": 0}, *e.decisions[1:])),
            "seat 0 decided, but was not to act",
        ),
        (
            lambda e: replace(e, decisions=({**e.decisions[0], "legal": [7]}, *e.decisions[1:])),
            "legal were [7], are",
        ),
        (
            lambda e: replace(
                e,
                decisions=(
                    {"seat": 1, "legal": e.decisions[0]["legal"], "action": 10**9},
                    *e.decisions[1:],
                ),
            ),
            "action 1000000000 is not legal",
        ),
    ],
)
def test_a_forged_replay_does_not(record, edit, fault):
    (said,) = rewritten(record, edit)
    assert said.startswith("deal 0, seating 0: ")
    assert fault in said


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: b"", "cut short"),
        (lambda data: b"not zstd", "is not a .zst file"),
        (lambda data: data[: len(data) // 2], "test"),
        (lambda data: zstandard.compress(b"[]\n"), "not a replay line"),
        (lambda data: zstandard.compress(b"{}\n"), "not a replay line"),
        (
            lambda data: zstandard.compress(b'{"type":"match","schema":99}\n'),
            "not a replay of schema 1",
        ),
        (
            lambda data: zstandard.compress(
                b"\n".join(
                    zstandard.ZstdDecompressor().decompressobj().decompress(data).splitlines()[:-1]
                )
            ),
            "cut short",
        ),
    ],
)
def test_a_damaged_file_is_a_sentence(record, damage, sentence):
    data = replay.compress(replay.lines(record))
    with pytest.raises(InputError, match="test") as refused:
        replay.read(damage(data), "test")
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("match", {"seatings": 3}),
        ("match", {"seatings": []}),
        ("match", {"seatings": [[0, 5], [1, 0]]}),
        ("match", {"seed": "7"}),
        ("match", {"agents": ["random"]}),
        ("match", {"deals": True}),
        ("match", {"game": None}),
        ("deal", {"deal": "0"}),
        ("deal", {"seating": 1}),
        ("decision", {"seat": [0]}),
        ("decision", {"legal": "01"}),
        ("decision", {"status": "bored"}),
        ("decision", {"ms": None}),
        ("end", {"returns": [0]}),
        ("end", {"returns": ["a", "b"]}),
        ("end", {"statuses": "ok"}),
        ("end", {"tiebreaks": 0}),
    ],
)
def test_a_line_with_a_field_of_another_type_is_a_sentence(record, kind, change):
    records = [orjson.loads(line) for line in replay.lines(record)]
    next(line for line in records if line["type"] == kind).update(change)
    with pytest.raises(InputError, match=r"^test[, ]"):
        replay.read(replay.compress(map(orjson.dumps, records)), "test")


def test_a_replay_without_some_of_its_deals_is_refused(record):
    shorter = replace(record, episodes=record.episodes[:-1])
    with pytest.raises(InputError, match="test does not hold every deal of its match"):
        replay.read(replay.compress(replay.lines(shorter)), "test")


def test_a_small_file_cannot_unpack_to_fill_the_memory():
    bomb = zstandard.compress(b" " * (2**26 + 1))
    assert len(bomb) < 10_000
    with pytest.raises(InputError, match="test holds more than the"):
        replay.read(bomb, "test")


def test_rules_of_another_version_are_not_replayed(record):
    header = {**record.header, "game_version": 99}
    with pytest.raises(InputError, match="was played by version 99 of holdem's rules"):
        replay.verify(replay.Replay(header, record.episodes))


def test_an_ending_that_the_game_does_not_write_is_a_sentence(record, tmp_path):
    with pytest.raises(InputError, match=r"holdem is written as \.jsonl\.zst, \.jsonl, \.phh"):
        replay.export(record, tmp_path / "a.sgf")


def test_lines_are_plain_json(record):
    for line in replay.lines(record):
        assert orjson.loads(line)["type"] in ("match", "deal", "decision", "end", "result")


@pytest.fixture
def drawn(make_league, tmp_path) -> replay.Replay:
    """A replay of players that declare their policies."""
    league = make_league(["tag", "random"], game="holdem?menu=1", deals=6, deals_per_match=6)
    store = Store(str(tmp_path / "b.db"), create=True)
    with InProcess(runner.roster(league)) as executor:
        (_, progress) = runner.run(league, store, executor)
    return replay.read(progress.result.replay, "test")


def test_declared_policies_are_kept_in_full_and_marked(drawn, record):
    lines = [line for episode in drawn.episodes for line in episode.decisions]
    assert all(line["drawn"] for line in lines)
    assert any(1 / 3 in line["probabilities"] for line in lines)
    commented = [line for episode in record.episodes for line in episode.decisions]
    assert not any("drawn" in line for line in commented)
    assert replay.verify(drawn) == []


def test_an_action_that_was_not_drawn_from_its_policy_is_found(drawn):
    def edit(episode):
        first, *rest = episode.decisions
        policy = [float(action != first["action"]) for action in range(4)]
        policy = [p * (a in first["legal"]) for a, p in enumerate(policy)]
        return replace(episode, decisions=({**first, "probabilities": policy}, *rest))

    (fault,) = rewritten(drawn, edit)
    assert "decision 0: drawn was" in fault


@pytest.mark.parametrize("policy", [None, [], "all", [0.5, "x"], [-1, 2], [2.0], [0, 0], {"a": 1}])
def test_a_policy_that_nothing_can_be_drawn_from_is_damage(drawn, policy):
    lines = [orjson.loads(line) for line in replay.lines(drawn)]
    at = next(i for i, line in enumerate(lines) if line["type"] == "decision")
    lines[at]["probabilities"] = policy
    data = zstandard.compress(b"\n".join(map(orjson.dumps, lines)) + b"\n")
    with pytest.raises(InputError, match="not a replay line"):
        replay.read(data, "test")
