"""Published figures: a row says its command, seeds, interval and cost, and stands in the page."""

import json
from pathlib import Path

import pytest

from arena.cli import main
from arena.cli.results import problems

PUBLISHED = Path(__file__).parents[2] / "docs/results/strength.json"
ROW = {
    "name": "kuhn", "command": "arena train ppo", "seeds": [0, 1], "unit": "chips", "value": 0.02,
    "low": 0.01, "high": 0.03, "wall_seconds": None, "cpu_seconds": 12.0,
}  # fmt: skip


def test_what_is_published_is_complete(capsys):
    assert main(["results", "check", str(PUBLISHED)]) == 0, capsys.readouterr().out


def test_a_complete_row_has_no_problems():
    assert problems(ROW, "| `kuhn` | 0.02 |") == []
    left_out = {"name": "x", "command": "y", "unit": "z", "seeds": [0], "value": None}
    assert problems(left_out | {"note": "not run: no time"}, "") == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"seeds": []}, "seeds is not a list"),
        ({"value": 0.5}, "not within its interval"),
        ({"cpu_seconds": None}, "neither wall_seconds nor cpu_seconds"),
        ({"command": None}, "command is not a text"),
        ({"value": None}, "needs a note"),
        ({"name": "leduc"}, "does not name it"),
        ({"value": 0.025}, "does not show 0.025"),
    ],
)
def test_what_a_row_lacks_is_said(change, problem):
    assert any(problem in said for said in problems(ROW | change, "| `kuhn` | 0.02 |"))


def test_a_file_with_problems_fails(tmp_path, capsys):
    (tmp_path / "some.json").write_text(json.dumps([ROW]))
    (tmp_path / "some.md").write_text("`kuhn` 0.02")
    assert main(["results", "check", str(tmp_path / "some.json")]) == 0
    (tmp_path / "some.md").write_text("nothing")
    assert main(["results", "check", str(tmp_path / "some.json")]) == 1
    assert "does not name it" in capsys.readouterr().out
    (tmp_path / "some.md").unlink()
    assert main(["results", "check", str(tmp_path / "some.json")]) == 2
