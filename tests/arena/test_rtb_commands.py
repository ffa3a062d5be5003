"""``arena train rlb``: what it prints, and what it refuses in one sentence."""

from pathlib import Path

import pytest

from arena.cli import main


def test_the_report_has_the_published_row(
    arena_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = arena_data / "rtb"
    files = ["--info", str(folder / "2997.info.json")]
    files += ["--log", str(folder / "2997.test.theta.txt.xz")]
    assert main(["train", "rlb", *files, "--budget", "0.03125"]) == 0
    out = capsys.readouterr().out
    assert (
        "  c₀ = 1/32, RLB: +78 clicks, 39,680 impressions of 156,063, 78 clicks, cost 304,375, "
        "CPM 7.67, eCPC 3.90, +9.9% over Lin\n" in out
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "log.txt, line 1, column 1: the log is empty"),
        ("0 5 0.1\n0 -5 0.1\n", "log.txt, line 2, column 2: price '-5'"),
        ("0 5 0.1\n0 5 7\n", "log.txt, line 2, column 3: pCTR '7'"),
    ],
)
def test_a_bad_log_writes_nothing(
    tmp_path: Path, text: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.txt"
    log.write_text(text)
    out = tmp_path / "out"
    arguments = ["train", "rlb", "--log", str(log), "--training", str(log), "-o", str(out)]
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not out.exists()


def test_odd_options_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, complaint in (
        (["--budget", "0"], "is 0; choose a larger fraction or N"),
        (["--auctions", "0"], "--auctions 0 must be at least 1"),
        (["--campaign", "7"], "no synthetic campaign is called '7'"),
        (["--raw"], "need --log FILE"),
        (["-o", str(tmp_path), "--budget", "0.1"], "exists already"),
    ):
        assert main(["train", "rlb", *arguments]) == 2
        assert complaint in capsys.readouterr().err
