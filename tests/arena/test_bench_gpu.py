"""Every CUDA path at tiny sizes on the CPU, and what ``arena bench gpu`` says without a card."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from arena.bench.gpu import Bench, Figure
from arena.cli import main
from arena.envs import plugins

torch = pytest.importorskip("torch")


@pytest.mark.slow
def test_every_part_runs_at_tiny_sizes_and_equals_the_cpu(capsys):
    assert main(["bench", "gpu", "--smoke", "--json"]) == 0
    records = {r["name"]: r["ours"] for r in json.loads(capsys.readouterr().out)}
    checked = {name.removeprefix("gpu_") for name in records if name.endswith("_error")}
    ppo = {f"{game}_ppo_error" for game in ("holdem", "gridworld", "minihack")}
    assert checked == ppo | {"e3b_error", "scoring_error", "generation_error", "sft_error"}
    speeds = [v for name, v in records.items() if name.endswith(("steps", "updates", "tokens"))]
    assert len(speeds) == 7
    assert min(speeds) > 0


def test_where_there_is_no_card_it_says_so_in_a_sentence(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert main(["bench", "gpu"]) == 2
    assert "finds no CUDA device here; --smoke runs the same" in capsys.readouterr().err
    assert main(["bench", "rtb", "--smoke"]) == 2


def test_a_part_whose_library_is_absent_is_skipped_with_the_reason():
    script = (
        "import sys; sys.modules['gymnasium'] = None; sys.argv = ['-m']; "
        "from arena.cli import main; sys.exit(main(['bench', 'gpu', '--smoke']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gpu_card_copy" in done.stdout
    assert "gymnasium is not installed" in done.stdout.partition("skipped")[2]


def test_a_part_that_differs_from_the_cpu_fails():
    bench = Bench(smoke=True)
    list(bench._run("one", lambda: iter([Figure("error", "relative", 0.1, most=0.01)])))
    list(bench._run("two", lambda: iter([Figure("error", "relative", float("nan"), most=0.01)])))
    assert set(bench.failed) == {"one", "two"}
    (table,) = bench.tables()
    assert table.row_count == 2


def test_a_source_folder_runs_without_installation(monkeypatch):
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    monkeypatch.syspath_prepend("nowhere")  # another path is looked through anew
    ours = {p.name for p in entry_points(group="arena.envs") if p.value.startswith("arena.")}
    assert set(plugins.points("arena.envs")) == ours
