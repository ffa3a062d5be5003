"""``arena train``: every example in a help runs; several seeds; curves elsewhere; mistakes."""

import json
import lzma
import re
import shlex
import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from arena.agents.learning.report import Report, Score, over_seeds  # noqa: E402
from arena.agents.learning.trainers import train, trainer, trainer_names  # noqa: E402
from arena.cli import main  # noqa: E402
from arena.envs.errors import InputError  # noqa: E402
from arena.leagues.store import Store  # noqa: E402

_FEW = "--hidden 8 --evaluate-deals 2 --report-deals 2"
SMALL = {  # as little of each as there can be
    "ppo": f"--steps 64 --num-envs 8 --num-steps 8 --num-minibatches 1 {_FEW}",
    "dqn": f"--steps 64 --num-envs 4 --num-steps 8 --learning-starts 16 --batch-size 8 {_FEW}",
    "nfsp": f"--steps 64 --num-envs 4 --num-steps 8 --learning-starts 16 --batch-size 8 {_FEW}",
    "blueprint": "--iterations 200 --round-size 200 --buckets 4 4 4 --report-deals 4",
    "sft": "--model tiny --decisions 4 --least-hands 1 --batch 4 --longest 8192",
    "grpo": "--model tiny --problems 2 --rollouts 2 --updates 1 --prompts 1 --group 2",
    "lid": "--model tiny --layers 0 --frozen 0 --demonstrations 2 --batch 2 --updates 2 "
    "--episodes 2 --evaluate 2",
    "rlb": "--auctions 200",
}
GRID = {
    "game": "gridworld?rooms=1,steps=10", "num_envs": 8, "num_steps": 8, "num_minibatches": 1,
    "hidden": (8,), "total_timesteps": 64, "evaluate_deals": 2, "report_deals": 2,
    "product": "torch",
}  # fmt: skip
LEAGUE = """
name: six
game: holdem?seats=6
agents: [random, call, tag, rock, station, lag]
schedule: {kind: rotation, rounds: 1, deals: 1}
"""
PREFLOP = """\
,prev_line,hero_pos,hero_holding,correct_decision,num_players,num_bets,available_moves,pot_size
3,HJ/2.0bb/BTN/allin,BB,9c8c,fold,3,2,"['allin', 'call', 'fold']",104.5
4,,CO,AhKh,2.3bb,6,1,"['call', '2.3bb', 'fold']",1.5
5,,CO,7h2c,fold,6,1,"['call', '2.3bb', 'fold']",1.5
6,,UTG,AhAc,2.3bb,6,1,"['call', '2.3bb', 'fold']",1.5
"""

POSTFLOP = """\
,preflop_action,board_flop,board_turn,board_river,aggressor_position,postflop_action,\
evaluation_at,available_moves,pot_size,hero_position,holding,correct_decision
5,BTN/2.5bb/BB/call,Qs8h2c,5d,6h,IP,OOP_CHECK/IP_BET_4/OOP_CALL/dealcards/5d/OOP_BET_9,\
Turn,"['Fold', 'Call', 'Raise 30', 'Raise 55']",22,IP,QdQh,Raise 30
"""


def examples(name):
    """The commands in a trainer's help."""
    text = re.sub(r"\\\n\s*", "", trainer(name).__doc__)
    return re.findall(r"^    arena (train .*?)$", text, re.MULTILINE)


def test_every_trainer_shows_how_it_is_called():
    assert set(SMALL) == set(trainer_names())
    assert all(examples(name) for name in SMALL)


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory):
    """What the examples speak of: a store, hand histories, PokerBench's files, examples."""
    folder = tmp_path_factory.mktemp("help")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "l.yaml").write_text(LEAGUE)
        assert main(["tournament", "run", "l.yaml", "--workers", "0"]) == 0
        (match,) = Store("arena.db").match_ids()
        assert main(["replay", "export", match, "-o", "pluribus.phhs"]) == 0
        hands = (folder / "pluribus.phhs").read_bytes()
        (folder / "pluribus.phhs.xz").write_bytes(lzma.compress(hands))
        (folder / "DATA").mkdir()
        (folder / "DATA/a_preflop.csv").write_text(PREFLOP)
        (folder / "DATA/a_postflop.csv").write_text(POSTFLOP)
        teacher = "train sft --teacher call --game holdem --prompt brief --decisions 4"
        assert main([*teacher.split(), "--write", "mine.jsonl"]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_every_example_in_a_help_runs(name, surroundings, tmp_path, monkeypatch):
    if name in ("sft", "grpo", "lid"):
        pytest.importorskip("trl")
    monkeypatch.chdir(surroundings)
    for number, line in enumerate(examples(name)):
        argv = [*shlex.split(line), *SMALL[name].split()]
        if "-o" in argv:
            argv += ["-o", str(tmp_path / str(number))]
        assert main(argv) == 0, line


# -- several seeds ---------------------------------------------------------------------------------


def test_several_seeds_are_trained_and_summed_up(tmp_path, capsys):
    argv = ["train", "ppo", "--game", "gridworld?rooms=1,steps=10", *SMALL["ppo"].split()]
    assert main([*argv, "--seeds", "3", "--seed", "4", "-o", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "3 runs, interquartile mean and 95 % interval over them" in out
    assert re.search(r"^  alone: [+-][\d.]+ \[.*, .*\] points$", out, re.MULTILINE)
    seeds = [json.loads((tmp_path / f"seed-{s}/config.json").read_text()) for s in (4, 5, 6)]
    assert [facts["settings"]["seed"] for facts in seeds] == [4, 5, 6]


def summed(*means):
    reports = [Report("", "", 0.0, (Score("x", mean, 0.1, "points", 9),)) for mean in means]
    ((name, unit, *found),) = over_seeds(reports)
    assert (name, unit) == ("x", "points")
    return found


def test_the_interquartile_mean_forgets_extremes_and_its_interval_covers_it():
    middle, low, high = summed(0.0, 0.4, 0.5, 0.6, 0.5, 0.5, 0.4, 9.0)
    assert middle == pytest.approx(0.475) and low <= middle <= high
    # What rliable 1.2.0 gives: resamples of the two runs are 0, 1/2 and 1.
    assert summed(0.0, 1.0) == [0.5, 0.0, 1.0]
    assert summed(0.7, 0.7) == pytest.approx([0.7, np.nan, np.nan], nan_ok=True)


# -- curves ----------------------------------------------------------------------------------------


def test_track_without_the_library_is_one_sentence_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match="--track needs Weights & Biases: pip install wandb"):
        train("ppo", **GRID, output=str(tmp_path / "run"), track=True)
    assert not (tmp_path / "run").exists()


def test_track_sends_settings_and_curves(tmp_path, monkeypatch):
    begun, points, ended = [], [], []
    run = SimpleNamespace(
        log=lambda figures, step: points.append((step, figures)), finish=lambda: ended.append(1)
    )
    fake = SimpleNamespace(init=lambda **told: begun.append(told) or run)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    train("ppo", **GRID, output=str(tmp_path / "run"), track=True)
    assert begun[0]["name"] == "run" and begun[0]["config"]["settings"]["hidden"] == [8]
    assert points[0][0] == 64 and "charts/episodic_return" in points[0][1]
    assert ended == [1]


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("ppoo", "invalid choice: 'ppoo'"),
        ("ppo --gmae holdem", "unrecognized arguments: --gmae"),
        ("ppo --game holdm -o run", "no game is called 'holdm'"),
        ("ppo --game holdem?seat=2 -o run", "seat"),
        ("ppo --game rtb_catalogue -o run", "no list of actions for a policy to choose among"),
        ("ppo --game science_birds?mode=one_shot -o run", "no list of actions for a policy"),
        ("ppo --game holdem --opponents explorer -o run", "explorer"),
        ("ppo --game holdem --opponents policy:nowhere -o run", "nowhere holds no policy"),
        ("ppo --game gridworld", "-o FOLDER is needed"),
        ("ppo --resume -o nowhere", "nowhere is not a training run"),
        ("ppo --resume --seed 3 -o nowhere", "--resume takes the settings from the run's folder"),
        ("dqn --resume -o run-of-ppo", "run-of-ppo is a run of ppo, not of dqn"),
        ("ppo --game gridworld -o run-of-ppo", "exists already"),
        ("rlb --resume -o run-of-ppo", "rlb cannot be resumed"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(
    line, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    if "run-of-ppo" in line:
        train("ppo", **GRID, output="run-of-ppo")
    try:
        code = main(["train", *line.split()])
    except SystemExit as stopped:  # argparse's own
        code = stopped.code
    assert code == 2
    err = capsys.readouterr().err
    assert sentence in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()


TOLD = {
    "ppo": "--game gridworld",
    "dqn": "--game gridworld",
    "nfsp": "--game gridworld",
    "lid": "--game errand --teacher courier --model tiny",
    "sft": "--teacher call --game holdem --prompt brief --decisions 2 --model tiny",
    "grpo": "--game gridworld?contexts=1 --agent random --model tiny",
}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_cuda_is_refused_where_there_is_none(name, tmp_path, capsys):
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    if name in ("sft", "grpo", "lid"):
        pytest.importorskip("trl")
    argv = ["train", name, "--device", "cuda", "-o", str(tmp_path / "run")]
    argv += TOLD.get(name, "").split()
    assert main(argv) == 2
    assert "no CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_of_another_observation_version_is_refused(tmp_path):
    from arena.agents.registry import make_agent
    from arena.envs.registry import make_game

    run = tmp_path / "run"
    train("ppo", **GRID, output=str(run))
    config = run / "player/config.json"
    config.write_text(config.read_text().replace("observation version 1", "observation version 0"))
    with pytest.raises(
        InputError, match=r"reads observation version 0 .* gridworld has observation"
    ):
        make_agent(f"policy:{run}", make_game("gridworld?rooms=1"))
