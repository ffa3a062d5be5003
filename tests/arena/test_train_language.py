"""``arena train sft`` and ``arena train grpo``: what they gather, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena import cli

pytest.importorskip("trl")

TEACHER = ["--teacher", "call", "--game", "holdem", "--prompt", "brief"]


def test_a_teachers_examples_are_written_and_read_again(tmp_path, capsys):
    from arena.agents.llm.learning.examples import read_examples

    file = tmp_path / "calls.jsonl"
    assert cli.main(["train", "sft", *TEACHER, "--decisions", "30", "--write", str(file)]) == 0
    assert capsys.readouterr().out == f"30 examples written to {file}\n"
    again = tmp_path / "again.jsonl"
    argv = ["train", "sft", "--examples", str(file), str(file), "--write", str(again)]
    assert cli.main(argv) == 0
    assert read_examples(again) == 2 * read_examples(file)


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["sft", "-o", "x"], "there is nothing to learn from"),
        (["sft", *TEACHER, "-o", "x"], "--teacher needs --decisions"),
        (["sft", "--teacher", "call", "--decisions", "5", "-o", "x"], "--teacher needs --game"),
        (["sft", *TEACHER], "give -o FOLDER to train, or --write FILE"),
        (["sft", "--examples", "no.jsonl", "-o", "x"], "no.jsonl cannot be read"),
        (["sft", "--batch", "0", "-o", "x"], "--batch-size 0 must be at least 1"),
        (["sft", "--lora", "4", "--layers", "2", "-o", "x"], "not both above 0"),
        (["sft", *TEACHER, "--decisions", "9", "-o", "x", "--resume"], "leave --teacher"),
        (
            ["sft", *TEACHER[:-1], "reasoned_", "--decisions", "9", "-o", "x"],
            "there is no prompt 'reasoned_'",
        ),
        (["grpo", "-o", "x"], "give --game GAME with --agent SPEC, or --pokerbench"),
        (["grpo", "--game", "holdem", "-o", "x"], "--game needs --agent"),
        (["grpo", "--game", "rtb", "--agent", "random", "-o", "x"], "asks several seats at once"),
        (["grpo", "--group", "1", "-o", "x"], "answers are compared"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(argv, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", *argv]) == 2
    assert sentence in capsys.readouterr().err
    assert not Path("x").exists()
