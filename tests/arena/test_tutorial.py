"""The tutorial's commands run as they stand."""

import re
import shlex
from pathlib import Path

import pytest

from arena.cli import main

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"


@pytest.mark.slow
def test_every_command_of_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"```(console|yaml)\n(.*?)```", text, re.DOTALL)
    said = []
    for kind, block in blocks:
        if kind == "yaml":
            name = block.splitlines()[0].removeprefix("# ")
            Path(name).write_text(block, encoding="utf-8")
            continue
        for line in re.findall(r"^\$ arena (.*)$", block, re.MULTILINE):
            assert main(shlex.split(line)) == 0, line
            said.append(capsys.readouterr().out)
    assert len(said) == 6
    (measured,) = (out for out in said if "Exploitability" in out)
    gains = dict(re.findall(r"^(\S+:\S+|random) +([\d.]+)", measured, re.MULTILINE))
    assert float(gains["tabular:runs/solved"]) < 0.001
    assert float(gains["policy:runs/leduc"]) < float(gains["random"])
