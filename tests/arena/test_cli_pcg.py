"""``arena pcg``: what it prints."""

import orjson
import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from arena.cli import main
from arena.envs.science_birds import grid, text


@pytest.fixture
def folder(tmp_path):
    for team, kinds in (("alpha", ["b31", "b13", "b31"]), ("beta", ["b11", "b31"])):
        file = tmp_path / team / "raw" / "I" / f"{team}_I_1.txt"
        file.parent.mkdir(parents=True)
        file.write_text(text.write_program(grid.program([(kind, 9) for kind in kinds])))
    (tmp_path / "beta" / "raw" / "I" / "beta_I_2.txt").write_text("none")
    return tmp_path


def test_a_folder_is_scored(folder, capsys):
    assert main(["pcg", "score", str(folder), "--letters", "I", "--trials", "2", "--failures"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split() == [
        "team", "normalised", "total", "stability", "similarity", "diversity",
    ]  # fmt: skip
    assert "beta_I_2.txt: the answer has no block fenced by" in printed


def test_agents_compete_on_letters(tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    arguments = ["pcg", "compete", "birds_vocabulary", "random", "--letters", "HI", "--trials", "2"]
    assert main([*arguments, "--json", "--sheet", str(sheet)]) == 0
    data = orjson.loads(capsys.readouterr().out)
    assert [row["team"] for row in data["table"]] == ["birds_vocabulary", "random"]
    assert len(data["weights"]) == 2
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_a_level_is_drawn_from_an_answer_and_from_its_xml(folder, capsys):
    answer = folder / "alpha" / "raw" / "I" / "alpha_I_1.txt"
    picture, level = folder / "i.png", folder / "i.xml"
    assert main(["pcg", "draw", str(answer), "-o", str(picture), "--xml", str(level)]) == 0
    assert capsys.readouterr().out.startswith("stability 1.000, at rest after 0.")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(["pcg", "draw", str(level), "-o", str(picture), "--plain"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "nowhere"], "nowhere cannot be listed"),
        (["compete", "random", "--letters", "ab"], "must be different capitals"),
        (["compete", "random", "--trials", "0"], "--trials 0 must lie between 1 and 100"),
        (["draw", "none.xml", "-o", "x.png"], "none.xml cannot be read"),
        (["draw", "none.txt", "-o", "x.png"], "none.txt cannot be read"),
        (["compete", "nobody"], "no agent is called 'nobody'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, message, capsys):
    assert main(["pcg", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
