"""``arena eval calm`` and ``personas``: figures of known tables, answers asked for once."""

import math

import orjson
import pytest

from arena.agents.llm import respondent
from arena.agents.llm.decoding.question import Reply
from arena.cli import main
from arena.evaluation.confusion import confusion


def test_figures_are_those_of_the_table():
    # truth ↓ answer →      key  door  none  nothing
    table = {
        "key": {"key": 6, "door": 1, "none": 2, None: 1},
        "door": {"key": 0, "door": 3, "none": 2, None: 0},
        "none": {"key": 2, "door": 0, "none": 8, None: 0},
    }
    rows = [(t, a) for t, row in table.items() for a, n in row.items() for _ in range(n)]
    found = confusion([t for t, _ in rows], [a for _, a in rows], ("key", "door", "none"))
    assert found.accuracy.value == pytest.approx(17 / 25)
    key, door, none = (found.classes[name] for name in ("key", "door", "none"))
    assert key.precision.value == pytest.approx(6 / 8)
    assert key.recall.value == pytest.approx(6 / 10)
    assert key.f1.value == pytest.approx(2 * 6 / (8 + 10))
    assert (door.precision.value, door.recall.value) == pytest.approx((3 / 4, 3 / 5))
    assert none.f1.value == pytest.approx(2 * 8 / (12 + 10))
    f1s = [scores.f1.value for scores in found.classes.values()]
    assert found.macro.value == pytest.approx(sum(f1s) / 3)
    assert found.counts["key", None] == 1
    for scores in found.classes.values():
        for estimate in vars(scores).values():
            assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_what_was_never_said_has_no_precision_and_intervals_shrink():
    few = confusion(["a", "b"] * 10, ["b"] * 20, ("a", "b", "c"))
    assert math.isnan(few.classes["a"].precision.value) and few.classes["a"].recall.value == 0
    assert few.classes["a"].f1.value == 0
    assert math.isnan(few.classes["c"].f1.value)  # never there, never said
    assert few.macro.value == pytest.approx((0 + 2 / 3) / 2)
    many = confusion(["a", "b"] * 1000, ["b"] * 2000, ("a", "b", "c"))
    width = many.accuracy.high - many.accuracy.low
    assert 4 * 0.5 / 2000**0.5 * 0.8 < width < 4 * 0.5 / 2000**0.5 * 1.2  # ± two standard errors
    assert few.accuracy.high - few.accuracy.low > 5 * width


class Judge:
    """Says key of an item that enters the inventory and else none; nothing to JSON prompts."""

    key = "0123456789ab"

    def __init__(self, spec):
        self.spec, self.asked, self.left = spec, 0, 1_000_000

    def decide(self, questions, seeds):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        self.asked += len(questions)
        return [self.answer(question) for question in questions]

    def answer(self, question):
        said = "key" if "\nMessage: g - " in question.prompt[1].content[-80:] else "none"
        try:
            return Reply(question.parse(said), said, None, {"answer": said, "seconds": 0.5})
        except ValueError as error:
            return Reply(None, "", None, {"answer": said, "error": str(error)}, "illegal")


@pytest.fixture
def judge(monkeypatch):
    found = Judge("lm:planted")
    monkeypatch.setattr(respondent, "respondent", lambda spec: found)
    return found


def test_judgements_are_compared_with_labels_and_asked_for_once(judge, tmp_path, capsys):
    pytest.importorskip("nle")
    folder = tmp_path / "calm"
    line = ["eval", "calm", "--agent", "planted=lm:planted", "-o", str(folder), "--json"]
    line += ["--count", "9", "--seed", "2"]
    judge.left = 1
    assert main([*line, "--variant", "base", "--variant", "json"]) == 130
    assert judge.asked == 9  # and kept
    judge.left = 1_000_000
    assert main([*line, "--variant", "base", "--variant", "json"]) == 0
    assert judge.asked == 18
    found = orjson.loads(capsys.readouterr().out)
    base, json_ = (j for j in found["judges"] if j["judge"] == "planted")
    assert base["own"]["classes"]["door"]["recall"]["value"] == 0
    assert base["achieved"]["classes"]["achieved"]["precision"]["value"] == 1
    assert base["own"]["classes"]["none"]["recall"]["value"] == 1
    assert json_["own"]["accuracy"]["value"] == 0  # words are no JSON, and count as no answer
    assert sum(n for _, said, n in json_["own"]["confusion"] if said is None) == 9
    rules = {j["judge"]: j["own"]["accuracy"]["value"] for j in found["judges"] if not j["prompt"]}
    assert rules["message says so"] == 1 and rules["always none"] == pytest.approx(1 / 3)
    assert found["prompts"].keys() == {"base", "json"}
    # The same transitions from the file that the folder keeps, and another variant added.
    assert main([*line, "--variant", "own"]) == 0 and judge.asked == 27
    other = tmp_path / "other"
    file = ["--pairs", str(folder / "pairs.jsonl"), "-o", str(other), "--variant", "base"]
    assert main(["eval", "calm", "--agent", "lm:planted", *file, "--seed", "2"]) == 0
    assert "message says so" in capsys.readouterr().out
    assert b"Judgements to read" in (other / "index.html").read_bytes()
    assert main([*line[:-3], "10", "--variant", "base"]) == 2
    assert "was made with count 9, not 10" in capsys.readouterr().err
    assert main([*line, "--variant", "basic"]) == 2
    assert "not a variant" in capsys.readouterr().err


def test_the_tiny_model_judges(tmp_path, capsys):
    pytest.importorskip("nle")
    pytest.importorskip("transformers")
    line = ["eval", "calm", "--count", "3", "--variant", "norole", "--variant", "own-json"]
    assert main([*line, "--agent", "tiny=lm:tiny", "-o", str(tmp_path / "r")]) == 0
    assert "own-json" in capsys.readouterr().out


def test_charts_of_scripted_players(tmp_path, capsys):
    line = ["eval", "personas", "--game", "holdem?stack=8", "--samples", "1", "--json"]
    line += ["--agent", "solved=pushfold", "--agent", "allin", "-o", str(tmp_path / "p")]
    assert main(line) == 0
    found = orjson.loads(capsys.readouterr().out)
    solved, loose = (found["agents"][n]["positions"]["BTN"] for n in ("solved", "allin"))
    assert solved["distance"] == pytest.approx(0, abs=1e-9)
    assert loose["tilt"] == pytest.approx(1 - solved["share"])
    page = (tmp_path / "p" / "index.html").read_text()
    assert page.count("<h2>BTN: ") == 3 and "maniac" in page
    first = {f.name: f.read_bytes() for f in (tmp_path / "p" / "answers").iterdir()}
    assert main(line) == 0
    assert first == {f.name: f.read_bytes() for f in (tmp_path / "p" / "answers").iterdir()}
    assert main([*line, "--agent", "x=rock", "--game", "holdem"]) == 2
    assert "stack=10 is a good choice" in capsys.readouterr().err
