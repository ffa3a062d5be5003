"""``arena eval``: answers that are kept, tables, pages, and what a mistake looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import orjson
import pytest
from scipy.stats import beta

from arena.agents.llm import respondent as asking
from arena.agents.llm.decoding.question import Question, Reply
from arena.cli import main
from arena.envs.errors import InputError
from arena.evaluation import estimates
from arena.evaluation.answering import ask, named, open_folder
from arena.evaluation.page import page
from arena.evaluation.report import Bar, Bars, Examples, Excerpt, Heat, SuiteReport, Table, exact
from arena.leagues.store import Store

HANDS = [a + b for a in ("As", "Kd", "7c", "2h") for b in ("Qh", "Js", "9d", "5c", "3s")]


@pytest.fixture
def data(tmp_path):
    """Both files, of 80 rows each: two hundred answers are more than one batch."""
    folder = tmp_path / "data"
    folder.mkdir()
    before = [
        ",prev_line,hero_pos,hero_holding,correct_decision,num_players,num_bets,available_moves,"
        "pot_size"
    ]
    after = [
        ",preflop_action,board_flop,board_turn,board_river,aggressor_position,postflop_action,"
        "evaluation_at,available_moves,pot_size,hero_position,holding,correct_decision"
    ]
    for number in range(80):
        hand, raised = HANDS[number % len(HANDS)], f"{2 + number % 4}.0bb"
        answer = "call" if hand[0] in "AK" else "fold"
        before.append(
            f"{number},HJ/{raised},BB,{hand},{answer},2,1,\"['call', 'fold']\",{number}.5"
        )
        bet = f"Bet {3 + number % 4}"
        answer = bet if hand[0] == "A" else "Check"
        after.append(
            f"{number},HJ/2.0bb/BB/call,Tc8d4s,6h,2c,IP,OOP_CHECK,Flop,\"['Check', '{bet}']\","
            f"{number + 1},IP,{hand},{answer}"
        )
    (folder / "preflop.csv").write_text("\n".join(before))
    (folder / "postflop.csv").write_text("\n".join(after))
    return folder


@dataclass
class Fake:
    """Answers by a rule of the prompt, and can be made to fail.

    Attributes:
        interrupt: after so many batches, None: never.
        broken: says whether the model can't answer a question.
    """

    spec: str = "fake"
    key: str = "0123456789ab"
    interrupt: int | None = None
    broken: bool = False
    asked: list[Question] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    def decide(self, questions, seeds):
        if self.interrupt is not None:
            self.interrupt -= 1
            if self.interrupt < 0:
                raise KeyboardInterrupt
        self.asked += questions
        self.seeds += np.asarray(seeds).tolist()
        return [
            self.answer(question, seed) for question, seed in zip(questions, seeds, strict=True)
        ]

    def answer(self, question, seed):
        notes = {
            "tokens_in": sum(len(m.content) for m in question.prompt),
            "tokens_out": 1,
            "seconds": 0.25,
        }
        if self.broken and seed % 3 == 0:
            return Reply(None, "", None, notes | {"error": "the model is away"}, "crash")
        text = question.choices[int(seed) % len(question.choices)]
        if seed % 7 == 0:
            text = "<script>alert(1)</script>"
            notes |= {"error": "no move", "answer": text}
            return Reply(None, text, None, notes, "illegal")
        return Reply(question.parse(text), text, None, notes)


@pytest.fixture
def fake(monkeypatch):
    """One respondent for every spec."""
    respondents = {}

    def respondent(spec):
        return respondents.setdefault(spec, Fake(spec, spec.encode().hex()[-12:]))

    monkeypatch.setattr(asking, "respondent", respondent)
    return respondents


def run(data, folder, *more, agents=("fake:a",)):
    named = [word for agent in agents for word in ("--agent", agent)]
    return main(["eval", "pokerbench", *named, "--data", str(data), "-o", str(folder), *more])


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


# -- the command -----------------------------------------------------------------------------------


def test_several_agents_stand_beside_what_they_must_beat(data, tmp_path, fake, capsys):
    out = tmp_path / "out"
    more = ("--shots", "0", "2", "--limit", "70", "--prompt", "compact")
    assert run(data, out, *more, agents=("first=fake:a", "fake:b")) == 0
    printed = capsys.readouterr().out
    result = orjson.loads((out / "result.json").read_bytes())
    names = ["first, zero-shot", "first, 2-shot", "fake:b, zero-shot", "fake:b, 2-shot"]
    assert list(result["agents"]) == names
    assert result["agents"]["first, 2-shot"]["spec"] == "fake:a"
    for source in ("preflop", "postflop"):
        figures = result["results"][source]
        assert figures["rows"] == 70
        for name in names:
            facts = figures["agents"][name]
            assert facts["AA"]["low"] < facts["AA"]["value"] < facts["AA"]["high"]
            ahead = facts["AA_above_majority, same moves"]["value"]
            base = figures["baselines"]["majority, same moves"]["AA"]["value"]
            assert ahead == pytest.approx(facts["AA"]["value"] - base)
            assert name in printed
        assert figures["baselines"]["random legal move"]["AA"]["value"] == 50
        everything = figures["baselines"]["“fold, call, check, raise or bet”"]
        assert everything["AA"]["value"] == 0 and everything["AA_by_substrings"]["value"] == 100


def test_a_null_model_that_names_all_moves_earns_nothing(data, tmp_path):
    agents = ("all=lm_null?kind=all", "fold=lm_null?kind=constant,answer=fold")
    assert run(data, tmp_path / "out", "--source", "preflop", agents=agents) == 0
    result = orjson.loads((tmp_path / "out" / "result.json").read_bytes())
    facts = result["results"]["preflop"]["agents"]
    assert facts["all"]["AA"]["value"] == 0 and facts["all"]["failures"]["illegal"] == 80
    assert facts["all"]["EM_by_substrings"]["value"] == 100
    assert facts["fold"]["EM"]["value"] == 50 and facts["fold"]["failures"]["illegal"] == 0


def test_shots_are_of_rows_that_are_not_asked(data, tmp_path, fake):
    assert run(data, tmp_path / "out", "--shots", "3", "--limit", "70", "--prompt", "compact") == 0
    asked = {question.prompt[-1].content for question in fake["fake:a"].asked}
    shown = {q.prompt[at].content for q in fake["fake:a"].asked for at in (0, 2, 4)}
    assert len(shown) == 6 and not shown & asked


def test_a_side_of_a_split_is_the_trainers_other_side(data, tmp_path, fake):
    from arena.evaluation.pokerbench import rows as pokerbench

    more = ("--side", "test", "--share", "0.7", "--split-seed", "5")
    assert run(data, tmp_path / "out", *more) == 0
    train, test = pokerbench.split(pokerbench.load_all(data), 0.7, 5)
    (answers,) = (tmp_path / "out" / "answers").iterdir()
    keys = {orjson.loads(line)["name"] for line in answers.read_bytes().splitlines()}
    assert keys == {row.key for row in test} and len(train) == 112


def test_an_interrupted_run_ends_as_one_that_was_not(data, tmp_path, fake, capsys):
    assert run(data, tmp_path / "whole") == 0
    whole = capsys.readouterr().out
    fake["fake:a"].interrupt = 2
    assert run(data, tmp_path / "cut") == 130
    assert "finished answers are kept in" in capsys.readouterr().err
    # The kill came in the middle of a line.
    (answers,) = (tmp_path / "cut" / "answers").iterdir()
    answers.write_bytes(answers.read_bytes() + b'{"name": "postfl')
    fake["fake:a"].interrupt, before = None, len(fake["fake:a"].asked)
    assert run(data, tmp_path / "cut") == 0
    assert len(fake["fake:a"].asked) - before == 160 - 2 * 64
    assert capsys.readouterr().out == whole.replace("/whole/", "/cut/")
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def test_a_finished_run_asks_nothing_again_and_takes_another_agent(data, tmp_path, fake):
    assert run(data, tmp_path / "out") == 0
    before = len(fake["fake:a"].asked)
    assert run(data, tmp_path / "out", agents=("fake:a", "fake:b")) == 0
    assert len(fake["fake:a"].asked) == before == len(fake["fake:b"].asked)


def test_what_a_model_could_not_answer_is_asked_again(data, tmp_path, fake):
    asking.respondent("fake:a").broken = True
    assert run(data, tmp_path / "out") == 0
    result = orjson.loads((tmp_path / "out" / "result.json").read_bytes())
    away = [
        result["results"][s]["agents"]["fake:a"]["failures"]["crash"] for s in result["results"]
    ]
    before = len(fake["fake:a"].asked)
    fake["fake:a"].broken = False
    assert run(data, tmp_path / "out") == 0
    assert len(fake["fake:a"].asked) - before == sum(away) > 0


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--limit", "0"), "--limit 0 must be at least 1"),
        (("--shots", "-1"), "--shots -1 must not be negative"),
        (("--shots", "9", "--limit", "75"), "9 shots are asked for, and 5 preflop rows are left"),
        (("--share", "1"), "--share 1.0 must lie between 0 and 1"),
        (("--side", "train", "--share", "0.001"), "no row is on the train side"),
        (("--prompt", "poem"), "there is no prompt 'poem'"),
        (("--data", "nowhere"), "nowhere holds 0 files"),
        (("--agent", "fake:a"), "--agent fake:a is there twice"),
    ],
)
def test_a_mistake_is_one_sentence(data, tmp_path, fake, capsys, more, sentence):
    assert run(data, tmp_path / "out", *more) == 2
    said = capsys.readouterr()
    assert sentence in said.err and said.err.count("\n") == 1 and not said.out
    assert not (tmp_path / "out").exists()


def test_who_answers_no_questions_is_told(data, tmp_path, capsys):
    assert run(data, tmp_path / "out", agents=("tag",)) == 2
    assert "'tag' answers no questions outside a game" in capsys.readouterr().err
    assert main(["eval", "pokerbench", "--data", str(data), "-o", str(tmp_path / "out")]) == 2
    assert "--agent is needed" in capsys.readouterr().err


def test_other_settings_want_another_folder(data, tmp_path, fake, capsys):
    assert run(data, tmp_path / "out", "--limit", "9") == 0
    capsys.readouterr()
    assert run(data, tmp_path / "out", "--limit", "10") == 2
    assert "out was made with limit 9, not 10; go on with the same" in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    assert run(data, tmp_path / "full") == 2
    assert "holds something else already" in capsys.readouterr().err


def test_a_page_needs_nothing_outside_and_runs_nothing(data, tmp_path, fake):
    assert run(data, tmp_path / "out") == 0
    html = (tmp_path / "out" / "index.html").read_text()
    assert "&lt;script&gt;alert(1)" in html and "<script" not in html
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]", html)
    assert "default-src 'none'" in html
    for heading in ("Before the flop, 80 rows", "Action accuracy", "worst situations", "Answers"):
        assert heading in html


# -- its parts -------------------------------------------------------------------------------------


def test_a_question_has_a_seed_of_its_own(tmp_path):
    questions = {str(n): Question((), ("yes", "no"), str) for n in range(10)}
    alone, together = Fake(), Fake()
    for name in ("7", "2"):
        (tmp_path / name).mkdir()
        ask(tmp_path / name, alone, {name: questions[name]}, seed=3)
    ask(tmp_path, together, questions, seed=3, batch=4)
    assert alone.seeds == [together.seeds[7], together.seeds[2]]
    assert len(set(together.seeds)) == 10


def test_changed_questions_are_asked_anew(tmp_path):
    for choices in (("yes", "no"), ("yes", "no", "both"), ("yes", "no")):
        who = Fake()
        ask(tmp_path, who, {"a": Question((), choices, str)}, seed=3)
    assert not who.asked and len(list((tmp_path / "answers").iterdir())) == 2


def test_a_record_that_is_none_is_a_sentence(tmp_path):
    questions = {"a": Question((), ("yes",), str)}
    ask(tmp_path, Fake(), questions, seed=0)
    (file,) = (tmp_path / "answers").iterdir()
    file.write_bytes(b"[]\n")
    with pytest.raises(InputError, match="is not a record of answers"):
        ask(tmp_path, Fake(), questions, seed=0)


def test_agents_have_names():
    specs = named(["lm:m?decode=score", "small=lm:m?decode=vote", "random", "x=random"])
    assert specs == {
        "lm:m?decode=score": "lm:m?decode=score",
        "small": "lm:m?decode=vote",
        "random": "random",
        "x": "random",
    }


def test_settings_are_compared_as_json(tmp_path):
    open_folder(tmp_path / "out", {"tasks": ("a", "b")})
    open_folder(tmp_path / "out", {"tasks": ["a", "b"]})
    with pytest.raises(InputError, match="made with steps None, not 3"):
        open_folder(tmp_path / "out", {"tasks": ["a", "b"], "steps": 3})


@pytest.mark.parametrize(("right", "rows"), [(0, 40), (7, 40), (40, 40), (300, 900)])
def test_a_share_has_jeffreys_interval(right, rows):
    column = np.repeat([1.0, 0.0], [right, rows - right])
    found = estimates.shares({"it": column})["it"]
    low, high = beta.ppf([0.025, 0.975], right + 0.5, rows - right + 0.5)
    assert found.value == right / rows
    assert found.low == pytest.approx(low, abs=0.012) and found.high == pytest.approx(
        high, abs=0.012
    )


def test_one_row_tells_nothing(data, tmp_path, fake, capsys):
    assert run(data, tmp_path / "out", "--limit", "1", "--source", "preflop") == 0
    assert "(0.0 … 100.0)" in capsys.readouterr().out
    result = orjson.loads((tmp_path / "out" / "result.json").read_bytes())
    ahead = result["results"]["preflop"]["agents"]["fake:a"]["AA_above_majority, same moves"]
    assert ahead["low"] is None and ahead["high"] is None


def test_differences_are_paired():
    generator = np.random.default_rng(0)
    hard = generator.random(400) < 0.5  # what is common to both cancels
    better = np.where(generator.random(400) < 0.1, 1.0, hard)
    found = estimates.means({"ahead": better - hard})["ahead"]
    assert 0 < found.low < found.value < found.high < 0.09


def test_every_part_has_its_place_on_the_page():
    nan = exact(float("nan"))
    parts = [
        Table("T & co", ("agent", "x"), [("<b>", exact(1.25)), ("c", None)], "note", digits=(0, 2)),
        Bars("B", "%", [("g", [Bar("one", exact(-3.0)), Bar("none", nan, baseline=True)])]),
        Heat("H", ["r"], ["a", "b"], [[-0.5, None]], (-1.0, 1.0), [["-½", "?"]]),
        Examples("E", [Excerpt("me", "q/1", (), "yes", "no", "wrong", False)]),
    ]
    html = page(SuiteReport("All", "a lead", parts)).decode()
    for words in (
        "T &amp; co",
        "&lt;b&gt;",
        "1.25",
        "-3.0",
        "-½",
        "r, a: -0.5",
        "<code>yes</code>",
    ):
        assert words in html


# -- suites that play ------------------------------------------------------------------------------


def test_a_league_suite_leaves_a_league_to_look_at(tmp_path, capsys):
    line = ["eval", "bidding", "--agent", "mine=ucb", "--auctions", "40", "--rounds", "1"]
    line += ["--deals", "1", "-o", str(tmp_path / "out")]
    assert main(line) == 0
    first = capsys.readouterr().out
    before = contents(tmp_path / "out")
    store = Store(str(tmp_path / "out" / "arena.db"))
    (entry,) = store.leagues()
    assert entry.matches == 2 and "mine" in entry.league.names.values()
    assert main(line) == 0 and capsys.readouterr().out == first
    assert contents(tmp_path / "out")["result.json"] == before["result.json"]
    assert Store(str(tmp_path / "out" / "arena.db")).find().matches == 2
    result = orjson.loads(before["result.json"])
    assert {result["names"][s["agent"]] for s in result["ranking"]["standings"]} >= {
        "mine",
        "paced",
    }


def test_balrog_counts_goals(tmp_path, capsys):
    pytest.importorskip("nle", reason="NLE is not installed; it is in the extra minihack")
    line = ["eval", "balrog", "--tasks", "MazeWalk-9x9", "--episodes", "2", "-o"]
    assert main([*line, str(tmp_path / "out")]) == 0
    task = orjson.loads((tmp_path / "out" / "result.json").read_bytes())["tasks"]["MazeWalk-9x9"]
    assert set(task) == {"explorer", "random"}
    reached = [value > 0 for value in task["explorer"]["returns"]]
    assert task["explorer"]["goal_reached"]["value"] == 100 * np.mean(reached) == 100
    assert main([*line, str(tmp_path / "new"), "--tasks", "Chess"]) == 2
    assert "Chess" in capsys.readouterr().err


def test_letters_are_scored_by_the_formula(tmp_path, capsys):
    pytest.importorskip("Box2D", reason="Box2D is not installed; it is in the extra science-birds")
    line = [
        "eval",
        "letters",
        "--agent",
        "same=birds_vocabulary?variants=1",
        "--letters",
        "IL",
        "--trials",
    ]
    assert main([*line, "2", "-o", str(tmp_path / "out")]) == 0
    result = orjson.loads((tmp_path / "out" / "result.json").read_bytes())
    teams = {row["team"]: row for row in result["competition"]}
    assert set(teams) == {"same", "vocabulary", "random"}
    # One way to build a letter has no diversity; that is not worth a point.
    assert teams["same"]["stability"] > 0.9 and max(result["points"]["same"].values()) < 1e-9
    assert sum(float(row["normalised"]) for row in teams.values()) == pytest.approx(100)
    assert main([*line, "0", "-o", str(tmp_path / "new")]) == 2
    assert "trials=0" in capsys.readouterr().err
