"""The command line: what it prints, and that a mistake is one sentence and exit code 2."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import orjson
import pytest
import zstandard

from arena.cli import NOUNS, main
from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.rows import match_row
from arena.leagues.store import Store

CONFIG = """
name: small
game: holdem?seats=2
seed: 3
agents: [random, first, {name: lawless, spec: illegal}]
schedule: {deals: 20, deals_per_match: 10}
"""


@pytest.fixture
def league(tmp_path, monkeypatch, capsys) -> Path:
    """A finished league in ./arena.db."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    assert main(["tournament", "run", str(path), "--workers", "0"]) == 0
    capsys.readouterr()
    return path


def test_help_imports_nothing_heavy():
    """So that it answers at once; NumPy alone would cost a tenth of a second."""
    command = [sys.executable, "-X", "importtime", "-m", "arena", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert "arena.cli" in imported
    assert not imported & {"numpy", "numba", "torch", "rich", "sqlalchemy", "gymnasium"}
    assert all(noun in done.stdout for noun in NOUNS)


def test_the_command_line_knows_the_ids_that_importing_arena_makes_known(tmp_path):
    words = ["play", "gymnasium?id=arena/Gridworld-v1", "random"]
    command = [sys.executable, "-m", "arena", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "deal 0, seating 0" in done.stdout, done.stderr


def test_a_league_ends_with_its_ranking(league, capsys):
    assert main(["tournament", "table"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    order = [row[3] for row in rows if row and row[0] in "123" and len(row) > 5][:3]
    assert order == ["random", "first", "lawless"]
    assert "illegal" in out  # forfeits are shown apart
    assert "mbb/hand" in out
    assert "arena replay show" in out


def test_running_again_plays_nothing_and_shows_the_same(league, capsys):
    main(["tournament", "table", "--json"])
    before = capsys.readouterr().out
    assert main(["tournament", "run", str(league), "--json"]) == 0
    assert capsys.readouterr().out == before


def test_json_is_json(league, capsys):
    main(["tournament", "table", "--json"])
    table = orjson.loads(capsys.readouterr().out)
    assert len(table["ranking"]["standings"]) == 3
    main(["tournament", "matches", "--json", "--agent", "lawless", "--forfeits"])
    matches = orjson.loads(capsys.readouterr().out)
    assert len(matches) == 4
    assert all("lawless" in match["returns"] and match["forfeits"] for match in matches)


def test_a_match_can_be_shown_verified_and_exported(league, capsys, tmp_path):
    main(["tournament", "matches", "--json", "--agent", "random"])
    match = orjson.loads(capsys.readouterr().out)[0]["match"]
    assert main(["replay", "show", match, "--deal", "3", "--seating", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("deal 3, seating 1: ")
    assert main(["replay", "verify", "arena.db"]) == 0
    assert "6 matches, 120 episodes played again: 120 came out alike" in capsys.readouterr().out
    for name in ("a.jsonl.zst", "a.jsonl", "a.phhs"):
        assert main(["replay", "export", match, "-o", name]) == 0
    assert main(["replay", "verify", "a.jsonl.zst"]) == 0
    capsys.readouterr()
    assert main(["replay", "verify", "a.phhs"]) == 0
    assert "20 hands replayed: 20 came out to the chip" in capsys.readouterr().out


def test_a_replay_that_was_tampered_with_fails(league, capsys):
    main(["tournament", "matches", "--json", "--agent", "random"])
    match = orjson.loads(capsys.readouterr().out)[0]["match"]
    main(["replay", "export", match, "-o", "a.jsonl"])
    text = Path("a.jsonl").read_text()
    was = re.search(r'"returns":\[(-?[\d.]+),(-?[\d.]+)\]', text)
    forged = text.replace(was[0], f'"returns":[{was[2]},{was[1]}]', 1)
    Path("a.jsonl.zst").write_bytes(zstandard.compress(forged.encode()))
    capsys.readouterr()
    assert main(["replay", "verify", "a.jsonl.zst"]) == 1
    assert f"returns were [{was[2]}, {was[1]}], are [{was[1]}, {was[2]}]" in capsys.readouterr().out


def test_a_log_that_was_tampered_with_fails(league, capsys):
    """Ratings come from the log's figures: they must be those of the replays."""
    result = Store("arena.db").match(Store("arena.db").match_ids()[0])
    forged = match_row(replace(result, returns=result.returns + 1), datetime.now())
    values = (forged["returns"], forged["checksum"], forged["id"])
    with closing(sqlite3.connect("arena.db")) as connection, connection:
        connection.execute("UPDATE matches SET returns = ?, checksum = ? WHERE id = ?", values)
    assert main(["replay", "verify", "arena.db"]) == 1
    out = capsys.readouterr().out
    assert f"match {forged['id']}, deal 0, seating 0: returns are" in out
    assert "in the log" in out


def test_play_tells_a_deal_in_words(capsys, tmp_path):
    output = tmp_path / "hand.jsonl.zst"
    assert main(["play", "holdem", "random", "random", "--seed", "5", "-o", str(output)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("deal 0, seating 0: random, random")
    assert main(["replay", "verify", str(output)]) == 0


def test_a_hand_is_told_as_a_spectator_tells_it(capsys):
    """Cards, the board as it runs out, and what was shown; prompts only where asked for."""
    assert main(["play", "holdem", "random", "allin", "--seed", "4"]) == 0
    out = capsys.readouterr().out
    assert "seat 1 allin: BTN, 100, holds 5d 8s, posts 0.5\n" in out
    for street in (r"flop: \w\w \w\w \w\w, pot 200", r"turn: \w\w", r"river: \w\w"):
        assert re.search(rf"^  {street}$", out, re.MULTILINE)
    assert re.search(r"^  seat 0 random shows 2s Jd: [a-z ]+$", out, re.MULTILINE)
    assert "It is your turn" not in out
    assert main(["play", "holdem", "random", "allin", "--seed", "4", "--prompts"]) == 0
    assert "It is your turn; to call: 99." in capsys.readouterr().out


def test_hands_of_one_deal_are_told_apart(capsys):
    assert main(["play", "holdem?hands=2", "random", "allin", "--seed", "4"]) == 0
    out = capsys.readouterr().out
    assert "hand 1 is over: seat 0 random -100, seat 1 allin +100\n  hand 2 of 2" in out


def test_a_long_game_is_summarised(capsys):
    assert main(["play", "gridworld?rooms=8", "random", "--seed", "1"]) == 0
    short = capsys.readouterr().out.splitlines()
    assert len(short) == 63 and re.search(r"… \d+ lines more, which --prompts tells", short[31])
    assert any(line.endswith(", 2 times") for line in short)
    assert main(["play", "gridworld?rooms=8", "random", "--seed", "1", "--prompts"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 2 * len(short)


def test_play_and_show_say_why_an_answer_was_illegal_and_what_was_said(capsys, tmp_path):
    output = str(tmp_path / "hand.jsonl.zst")
    who = "lm_null?kind=injection"
    assert main(["play", "holdem", who, "call", "--seed", "1", "-o", output]) == 0
    played = capsys.readouterr().out
    assert re.search(r"forfeits \(illegal\): '.*' is not a legal action; legal are: ", played)
    assert re.search(r"^    it said: \S", played, re.MULTILINE)
    assert main(["replay", "show", output]) == 0
    assert capsys.readouterr().out == played.replace(f"replay: {output}\n", "")


@pytest.mark.parametrize("seed", ["-1", "x", str(2**64)])
def test_a_seed_is_64_bits(capsys, seed):
    with pytest.raises(SystemExit):
        main(["play", "holdem", "call", "call", "--seed", seed])
    assert "is not a whole number from 0 to 18446744073709551615" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "arena", "agent", "list"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_seating_that_is_not_there_is_a_sentence(capsys, tmp_path):
    output = str(tmp_path / "hand.jsonl.zst")
    main(["play", "holdem", "random", "random", "-o", output])
    assert main(["replay", "show", output, "--seating", "1"]) == 2
    assert "has no deal 0 with seating 1" in capsys.readouterr().err


def test_lists_name_games_and_agents_with_their_options(capsys):
    main(["env", "list"])
    assert "seats=2" in capsys.readouterr().out
    main(["agent", "list"])
    assert "random" in capsys.readouterr().out
    main(["agent", "list", "--json"])
    found = {one["name"]: one for one in orjson.loads(capsys.readouterr().out)}
    assert found["equity"]["options"] == {"samples": "100"}


def test_a_game_names_the_agents_that_play_it_and_an_agent_its_games(capsys):
    main(["agent", "list", "--game", "kuhn"])
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:1].isalpha()]
    assert "random" in names and "tag" not in names
    assert main(["agent", "describe", "tag"]) == 0
    out = capsys.readouterr().out
    assert "\ngames: holdem\n" in out
    assert main(["env", "describe", "holdem?seats=2,stack=20", "--json"]) == 0
    game = orjson.loads(capsys.readouterr().out)
    assert (game["seats"], game["agents"]["tag"], game["agents"]["pushfold"]) == (2, "", "")
    assert main(["agent", "describe", "nobody at all"]) == 2
    assert "see arena agent list" in capsys.readouterr().err


def test_a_configuration_is_validated_and_tried_before_it_is_played(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = "name: x\ngame: holdem\nagents: [call, fold, allin]\nschedule: {deals: 400}"
    Path("x.yaml").write_text(text)
    plan = "x: holdem, 3 agents, 12 matches, seed 0\n"
    assert main(["tournament", "validate", "x.yaml"]) == 0
    assert capsys.readouterr().out == plan
    assert main(["tournament", "run", "x.yaml", "--dry-run", "--workers", "0"]) == 0
    assert re.match(re.escape(plan) + r"[\d,]+ of 12 took \d+ s", capsys.readouterr().out)
    assert [file.name for file in tmp_path.iterdir()] == ["x.yaml"]
    Path("x.yaml").write_text(text.replace("fold", '"policy:nowhere"'))
    assert main(["tournament", "validate", "x.yaml"]) == 1
    assert "policy:nowhere cannot be made: " in capsys.readouterr().err


def test_a_league_stops_when_its_time_is_up_and_goes_on(league, capsys):
    """It stops after the match during which the time is up."""
    line = ["tournament", "run", str(league), "--workers", "0", "--store", "short.db"]
    assert main([*line, "--time", "0s"]) == 0
    assert re.search(r"stopped after [\d,]+ of [\d,]+ matches; the same", capsys.readouterr().out)
    assert main(line) == 0
    assert "stopped" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*line, "--time", "soon"])
    assert "'soon' is not a span of time; write 90s, 30m or 2h" in capsys.readouterr().err


def test_a_table_is_written_for_other_programs(league, capsys):
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for form, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        assert main(["tournament", "table", "--format", form, "-o", f"t.{form}"]) == 0
        frame = read(f"t.{form}").reset_index()
        assert len(frame) == 3 and {"rating_low", "payoff", "forfeits_illegal"} <= set(frame)
    capsys.readouterr()
    assert main(["tournament", "table", "--format", "md"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert main(["tournament", "table", "--format", "html"]) == 0
    assert capsys.readouterr().out.count("<tr") == 5  # two of headings
    assert lines[0].startswith("| agent | ") and len({line.count(" | ") for line in lines}) == 1
    for line, why in (
        (["--format", "parquet"], "--format parquet is not text; name a file by --output"),
        (["-o", "x.csv"], "--output x.csv needs --format: csv, md, html, parquet"),
    ):
        assert main(["tournament", "table", *line]) == 2
        assert why in capsys.readouterr().err


def test_a_table_has_other_orders_than_the_ratings(league, capsys):
    for by, words in (("payoff", "mbb/hand"), ("nash", "share of the"), ("alpharank", "evolution")):
        assert main(["tournament", "table", "--by", by]) == 0
        out = capsys.readouterr().out
        assert words in out and "are a ladder" in out
        assert [line.split()[1] for line in out.splitlines() if line[:4].split() == ["1"]]


def test_luck_is_taken_out_by_the_value_of_a_named_player(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "leduc.yaml"
    agents = "[random, tabular:rough, tabular:solved]"
    config.write_text(f"{{game: leduc, agents: {agents}, schedule: {{deals: 99}}}}")
    for name, iterations in (("rough", "20"), ("solved", "100")):
        assert main(["solve", "leduc", "--iterations", iterations, "-o", name]) == 0
    assert main(["tournament", "run", str(config), "--workers", "0", "--store", "luck.db"]) == 0
    line = ["tournament", "table", "--store", "luck.db"]
    capsys.readouterr()
    assert main([*line, "--luck", "tabular:solved", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    for standing in told["ranking"]["standings"]:
        plain, left = standing["payoff"], told["luckless"]["payoff"][standing["agent"]]
        assert left["error"] < 0.8 * plain["error"]
        assert plain["low"] < left["value"] < plain["high"]
    assert main([*line, "--luck", "tabular:solved"]) == 0
    out = capsys.readouterr().out
    assert "no luck" in out and told["luckless"]["key"] in out and "times the deals" in out


def test_one_table_over_all_games_counts_each_the_same(league, capsys, tmp_path):
    other = tmp_path / "kuhn.yaml"
    other.write_text("{name: other, game: kuhn, agents: [random, first], schedule: {deals: 20}}")
    assert main(["tournament", "run", str(other), "--workers", "0"]) == 0
    capsys.readouterr()
    assert main(["tournament", "table", "--all", "--json"]) == 0
    rows = {row["name"]: row for row in orjson.loads(capsys.readouterr().out)}
    both = rows["random"]
    assert both["score"]["value"] == pytest.approx(sum(both["games"].values()) / 2)
    assert rows["lawless"]["score"]["low"] is None and len(rows["lawless"]["games"]) == 1
    assert main(["tournament", "table", "--all"]) == 0
    assert "do not compare" in capsys.readouterr().out
    assert main(["tournament", "table", "--all", "--by", "nash"]) == 2


def test_ratings_payoffs_and_curves_are_drawn(league, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    with tensorboard.SummaryWriter(str(tmp_path / "run" / "training")) as board:
        for step in range(3):
            board.add_scalar("charts/episodic_return", 0.5 * step, step)
    for line in (["ratings"], ["payoff"], ["curve", "run"]):
        for ending, head in (("png", b"\x89PNG"), ("svg", b"<?xml")):
            assert main(["plot", *line, "-o", f"x.{ending}"]) == 0
            assert Path(f"x.{ending}").read_bytes().startswith(head)
    capsys.readouterr()
    assert main(["plot", "curve", "run", "--figure", "loss", "-o", "x.png"]) == 2
    assert "run has no curve loss; it has charts/episodic_return" in capsys.readouterr().err
    assert main(["plot", "curve", "nowhere", "-o", "x.png"]) == 2
    assert "nowhere is not a folder of arena train" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["plot", "ratings", "-o", "x.jpg"])
    assert "x.jpg must end in .png, .svg, .pdf" in capsys.readouterr().err


def test_two_players_are_compared(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["compare", "call", "fold", "--game", "holdem?stack=20", "--workers", "0", "--deals"]
    assert main([*line, "40"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^call beats fold: \+225 ± \d+ mbb/hand \(95 %\)$", out, re.MULTILINE)
    assert main([*line, "40", "--json"]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert (told["better"], told["told"], told["margin"]["value"]) == ("call", True, 225.0)
    assert main(["compare", "random", "call", "--workers", "0", "--deals", "20"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"cannot be told apart: .*; if that is the difference, some [\d,]+ deals", out)
    for line, why in (
        (["calll", "tag"], "no agent is called 'calll'; did you mean 'call'"),
        (["call", "call"], "call is compared with itself; name two agents"),
        (["call", "tag", "--game", "holdem?seats=3"], "has 3 seats; two players are compared"),
    ):
        assert main(["compare", *line]) == 2
        assert why in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_a_shell_completes_words(capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    asks = "COMP_WORDS=(arena tournament ru); COMP_CWORD=2; _shtab_arena; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", script + asks], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["run"]


def test_the_doctor_says_what_is_missing_and_how_to_get_it(capsys, monkeypatch):
    from importlib import metadata

    needs = ["numpy>=2", 'zeppelin>=1; extra == "air"', 'rich>=99; extra == "air"']
    monkeypatch.setattr(metadata, "requires", lambda _: needs)
    assert main(["doctor", "--json"]) == 0
    found = {one["what"]: one for one in orjson.loads(capsys.readouterr().out)}
    assert found["arena itself"]["well"] and not found["extra air"]["well"]
    assert "zeppelin is missing, rich is 1" in found["extra air"]["found"]
    assert found["extra air"]["found"].endswith("pip install 'arena[air]'")
    needs.append("zeppelin>=1")
    assert main(["doctor"]) == 1
    assert "zeppelin is missing: pip install arena" in capsys.readouterr().out


def test_a_game_can_be_checked_against_the_contract(capsys):
    assert main(["env", "check", "holdem?seats=3"]) == 0
    assert capsys.readouterr().out == "holdem?seats=3: keeps the contract\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["tournament", "run", "nope"], "no preset is called 'nope'; presets are demo"),
        (["tournament", "run", "nope.yaml"], "nope.yaml cannot be read"),
        (["tournament", "table", "--store", "nope.db"], "store nope.db does not exist"),
        (["tournament", "table", "nope"], "holds no league 'nope'; it holds: small"),
        (["tournament", "matches", "--agent", "nope"], "has no agent 'nope'; it has random"),
        (["replay", "show", "nope.jsonl.zst"], "nope.jsonl.zst cannot be read"),
        (["replay", "show", "ffffff"], "holds no match whose id begins with 'ffffff'"),
        (["replay", "verify", "small.yaml"], "small.yaml is not a replay"),
        (["replay", "verify", "nope.phhs"], "nope.phhs"),
        (["play", "holdm", "random"], "no game is called 'holdm'; did you mean 'holdem'?"),
        (["play", "holdem?seets=3", "random"], "no option 'seets'; did you mean 'seats'?"),
        (["play", "holdem?seats=x", "random"], "seats=x is not a whole number"),
        (["play", "holdem?seats=99", "random"], "seats=99; 2 to 10 can play"),
        (["play", "holdem", "random"], "has 2 seats, and 1 agents were named"),
        (["play", "holdem", "randum", "first"], "no agent is called 'randum'; did you mean"),
        (["play", "holdem", "random?x=1", "first"], "agent 'random' has no option 'x'"),
        (["play", "holdem?seats=2,seats=3", "random"], "gives seats twice; keep one"),
        (["play", "holdem?stack=nan", "random"], "stack=nan is not a finite number"),
        (
            ["play", "holdem?seats=99999999999999999999999", "random"],
            "is not a whole number of 64 bits",
        ),
        (["play", "holdem", "call", "call", "-o", "no/a.jsonl.zst"], "no/a.jsonl.zst cannot be"),
        (["play", "holdem", "call", "call", "-o", "a.txt"], "a.txt: holdem is written as"),
        (["tournament", "run", "demo", "--store", ""], "store '' would be forgotten"),
        (["tournament", "run", "small.yaml", "--store", "."], "store . is a folder"),
        (["bench", "nope"], "no benchmark is called 'nope'"),
        (["bench", "league", "-o", "no/b.json"], "no/b.json cannot be written: there is no such"),
    ],
)
def test_a_mistake_is_one_sentence(league, capsys, arguments, sentence):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert sentence in captured.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a mapping"),
        ("game: holdem", "field 'agents' is missing"),
        ("game: holdem\nagents: [random, first]\nagent: 3", "unknown field 'agent'"),
        ("game: holdem\nagents: [random, random]", "the name 'random' is taken"),
        (
            "game: holdem\nagents: [random, {name: b, spec: random}]",
            "'b' is the same player as 'random'",
        ),
        ("game: holdem\nagents: [random, first]\ngame: rtb", "field 'game' is given twice"),
        ("game: holdem\nagents: [random, first]\nclock: -1", "clock=-1.0 must be above 0"),
        ("game: holdem\nagents: [random, first]\nclock: .inf", "clock=.inf is not a finite number"),
        ("game: holdem\nagents: [random, first]\nseed: -1", "seed=-1 must be from 0"),
        ("game: holdem\nagents: [random, first]\nschedule: {kind: [1]}", "no kind \"['1']\""),
        ("game: holdem\nagents: [random, first]\nschedule: {3: 1}", "no option '3'"),
        ("game: holdem\nagents: [random, 3]", "agents, item 2: no agent is called '3'"),
        ("game: [", "line 2, column 1: not YAML"),
        (
            "game: holdem\nagents: [random, first]\nschedule: {deals_per_match: 2147483647}",
            "deals_per_match=2147483647 must be from 1 to 10,000",
        ),
        (
            "game: holdem\nagents: [random, first]\nschedule: {deals: 9999999, deals_per_match: 1}",
            "schedule has 9,999,999 matches, and a league 1,000,000 at most",
        ),
        ("game: holdem\nagents: [random, {name: '', spec: first}]", "'' is not a name"),
        ('game: holdem\nagents: [random, {name: "\\e[31m", spec: first}]', "is not a name"),
        ("name: [x]\ngame: holdem\nagents: [random, first]", "name is ['x']; write it in quotes"),
        ("game: holdem?stack=1_0\nagents: [random, first]", "stack=1_0 is not a finite number"),
        ("game: rtb?bidders=100000\nagents: [random]", "bidders=100000 must be from 1 to 1,000"),
        ("game: holdem\nagents: [random, first]\nschedule: {deals: 0}", "deals=0 must be"),
    ],
)
def test_a_bad_configuration_is_one_sentence(tmp_path, capsys, text, sentence):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    assert main(["tournament", "run", str(path), "--store", str(tmp_path / "a.db")]) == 2
    err = capsys.readouterr().err
    assert sentence in err
    assert "bad.yaml" in err
    assert err.count("\n") == 1
    assert not (tmp_path / "a.db").exists()


def test_names_in_a_store_cannot_steer_a_terminal(tmp_path, monkeypatch, capsys):
    """A configuration's reader refuses such names, but others write stores, too."""
    monkeypatch.chdir(tmp_path)
    agents = ["random", "call"]
    good = League.from_config({"game": "holdem", "agents": agents, "schedule": {"deals": 2}}, "x")
    names = ("\x1b[2Jred", "a\n   9    9  forged")
    entrants = (replace(one, name=n) for one, n in zip(good.entrants, names, strict=True))
    bad = replace(good, name="\x9b31m\r", entrants=tuple(entrants))
    for _ in runner.run(bad, Store("arena.db", create=True), InProcess(runner.roster(bad))):
        pass
    for line in (
        ["tournament", "table"],
        ["tournament", "matches"],
        ["tournament", "table", "nobody"],
        ["tournament", "matches", "--agent", "nobody"],
        ["tournament", "table", "--json"],
    ):
        main(line)
        out, err = capsys.readouterr()
        assert not set(out + err) & set("\x1b\x9b\r"), line
        assert not re.search(r"^ +9", out, re.MULTILINE)
        assert "\\u001b[2J" in out + err or "\\u009b31m" in out + err
    assert list(orjson.loads(out)["names"].values()) == list(names)  # as JSON reads them back


def test_an_unknown_word_is_one_sentence(capsys):
    for line, sentence in (
        (
            "tournment",
            "arena: argument NOUN: invalid choice: 'tournment'; did you mean 'tournament'?",
        ),
        ("plot xyz", "invalid choice: 'xyz'; it is one of ratings, payoff, curve; see arena plot"),
        ("play kuhn first first --sede 4", "--sede 4; did you mean '--seed'?"),
        ("play kuhn first first --xyz=4", "arena play: unrecognized arguments: --xyz=4; see arena"),
    ):
        with pytest.raises(SystemExit) as exit:
            main(line.split())
        assert exit.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_small_game_is_told_with_its_cards_and_what_was_earned_in_its_unit(capsys):
    """Who holds what, the board when it is turned; a loss of nothing is +0."""
    assert main(["play", "leduc", "first", "random", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert re.search(
        r"^  seat 0 first holds [JQK][sh]\n  seat 1 random holds [JQK][sh]$", out, re.M
    )
    assert main(["play", "leduc", "call", "call", "--seed", "3"]) == 2
    assert main(["play", "liars_dice", "first", "first"]) == 0
    assert re.search(r"seat 1 first holds \d\n", capsys.readouterr().out)
    assert main(["play", "rps", "first", "first"]) == 0
    assert capsys.readouterr().out.endswith("seat 0 first: +0 points\n  seat 1 first: +0 points\n")
