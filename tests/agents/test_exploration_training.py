"""Training with bonuses: it goes on exactly, learns the trivial, plays in leagues, makes pairs."""

import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

import torch

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.exploration.ppo import Run, Settings, evaluate
from arena.agents.exploration.tables_env import TablesVecEnv
from arena.agents.registry import make_agent
from arena.cli import main
from arena.envs.errors import InputError
from arena.envs.registry import make_game

SMALL = {"envs": 4, "rollout": 32, "batch": 64, "epochs": 2, "width": 32}


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.policy.parameters()])


@pytest.mark.parametrize(
    ("bonus", "recurrent"),
    [("count:position*noveld+e3b", False), ("icm+episodic:position", True), ("", False)],
)
def test_a_run_that_was_stored_goes_on_as_if_it_had_not_stopped(bonus, recurrent, tmp_path):
    settings = Settings(
        "gridworld?rooms=2,contexts=3", bonus, recurrent=recurrent, seed=5, steps=512, **SMALL
    )
    whole = Run(settings, tmp_path / "whole")
    whole.train()
    parts = Run(settings, tmp_path / "parts")
    parts.train(256)
    parts.save()
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 - what SB3 shuffles by must come from the folder
    again = Run.load(tmp_path / "parts")
    assert again.steps == 256
    again.train()
    assert torch.equal(weights(whole), weights(again))
    np.testing.assert_equal(whole.curve, again.curve)
    if again.bonus_env is not None:
        one, two = whole.bonus_env.memory(), again.bonus_env.memory()
        assert all((one[key] == two[key]).all() for key in one)
    assert (evaluate(whole, 10) == evaluate(again, 10)).all()


def test_the_learning_rate_falls_over_the_whole_run_and_over_a_longer_one_once_it_is_longer(
    tmp_path,
):
    def rate(run):
        return run.model.policy.optimizer.param_groups[0]["lr"]

    run = Run(Settings("gridworld?rooms=1,steps=8", lr=1e-3, steps=512, **SMALL), tmp_path)
    run.train(256)  # two rollouts of 128
    assert rate(run) == pytest.approx(1e-3 * 3 / 4)
    run.save()
    run.train()
    assert run.steps == 512 and rate(run) == pytest.approx(1e-3 / 4)
    longer = Run.load(tmp_path, steps=1024)
    longer.train(384)
    assert rate(longer) == pytest.approx(1e-3 * 3 / 4)


def test_an_environment_comes_back_to_where_it_was():
    game = make_game("gridworld?rooms=2,steps=9")
    env, other = TablesVecEnv(game, 3, 1), TablesVecEnv(game, 3, 1)
    env.reset()
    dice = np.random.default_rng(0)
    for _ in range(25):
        seen, *_ = env.step(dice.integers(0, 4, 3))
    back = other.remember(env.memory())
    assert all((seen[key] == back[key]).all() for key in seen)
    for _ in range(12):
        actions = dice.integers(0, 4, 3)
        one, two = env.step(actions), other.step(actions)
        assert (one[1] == two[1]).all() and (one[2] == two[2]).all()


def test_a_room_with_a_goal_is_learnt():
    run = Run(
        Settings("gridworld?rooms=1,steps=20", seed=1, lr=1e-3, steps=40_000, envs=16, batch=256)
    )
    before = evaluate(run, 60).mean()
    run.train()
    assert evaluate(run, 60).mean() > max(0.9, before)


def test_from_the_command_line_to_the_league(tmp_path, capsys):
    folder = tmp_path / "run"
    line = ["train", "explore", "-o", str(folder), "--evaluate", "5"]
    small = ["--envs", "4", "--rollout", "32", "--batch", "64", "--epochs", "1"]
    assert (
        main([*line, *small, "--env", "gridworld?rooms=2", "--bonus", "rnd", "--steps", "256"]) == 0
    )
    assert "256 steps; return on 5 fixed seeds" in capsys.readouterr().out
    assert not {p.suffix for p in folder.iterdir()} & {".pkl", ".pt", ".pth", ".zip", ".part"}
    assert main([*line, "--resume", "--steps", "384"]) == 0
    assert Run.load(folder).steps == 384
    assert check_agent(f"ppo:{folder}", "gridworld?rooms=2", tables=2, limit=20) > 0
    with pytest.raises(CannotPlay, match="was trained on"):
        make_agent(f"ppo:{folder}", make_game("holdem"))
    with pytest.raises(InputError, match="cannot be read"):
        make_agent(f"ppo:{tmp_path}", make_game("gridworld"))
    assert main([*line, "--env", "gridworld"]) == 2  # the folder is there already
    assert "is there already" in capsys.readouterr().err


def test_tensorboard_has_cleanrls_names(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = Run(Settings("gridworld?rooms=1,steps=10", "rnd", **SMALL), tmp_path)
    run.train(512)
    run.model.logger.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    names = set(events.Tags()["scalars"])
    assert {
        "charts/SPS",
        "charts/episodic_return",
        "charts/episodic_length",
        "charts/learning_rate",
        "losses/value_loss",
        "losses/policy_loss",
        "losses/entropy",
        "losses/approx_kl",
        "losses/clipfrac",
        "losses/explained_variance",
        "bonus/mean",
        "bonus/raw/rnd",
    } <= names


def test_minihack_is_trained_on_in_both_sizes():
    pytest.importorskip("nle")
    for size, recurrent in (("small", True), ("paper", False)):
        run = Run(
            Settings(
                "minihack?task=MultiRoom-N2",
                "e3b*noveld",
                envs=2,
                rollout=16,
                batch=16,
                epochs=1,
                size=size,
                recurrent=recurrent,
                width=64,
            )
        )
        run.train(32)
        assert torch.isfinite(weights(run)).all()


def test_the_explorer_keeps_the_contract_and_beats_chance():
    pytest.importorskip("nle")
    from arena.agents.rollout import play_out

    task = "minihack?task=MultiRoom-N4-Locked"
    won = {}
    for name in ("explorer", "random"):
        game = make_game(task)
        agent, tables = make_agent(name, game), game.tables(12)
        play_out(tables, [agent], np.arange(100, 112).astype(np.uint64))
        won[name] = sum(tables.outcome(row) == "won" for row in range(12))
    assert won["explorer"] >= 9 > won["random"] + 5
    with pytest.raises(CannotPlay, match="minihack only"):
        make_agent("explorer", make_game("gridworld"))


def test_pairs_are_balanced_true_and_told_apart():
    pytest.importorskip("nle")
    from arena.agents.exploration.pairs import pairs

    found = pairs(30, seed=3)
    counts = {kind: sum(p.label == kind for p in found) for kind in ("key", "door", "none")}
    assert counts == {"key": 10, "door": 10, "none": 10}
    for pair in found:
        assert all(len(side["crop"].splitlines()) == 9 for side in (pair.before, pair.after))
        if pair.label == "key":
            assert pair.action == "pickup" and "key" in pair.after["message"].lower()
        if pair.label == "door":
            assert pair.action == "apply" and "+" in pair.before["map"]
    assert {p.player for p in found} == {"explorer", "random"}
    with pytest.raises(InputError, match="mode"):
        pairs(3, "skewed")
    few = pairs(50, "unbalanced", seed=1)
    assert sum(p.label == "key" for p in few) == sum(p.label == "door" for p in few) == 2


def test_a_study_goes_on_where_it_stopped_and_its_intervals_hold_the_middle(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    line = ["train", "exploration_study", "--env", "gridworld?rooms=1,steps=8", "--steps", "2048"]
    line += ["--contexts", "1", "--bonus", "none", "count:position", "-o", str(tmp_path)]
    assert main([*line, "--seeds", "1"]) == 0
    first = json.loads((tmp_path / "results.json").read_text())
    assert main([*line, "--seeds", "2"]) == 0
    assert json.loads((tmp_path / "results.json").read_text())[: len(first)] == first
    assert "count:position" in capsys.readouterr().out
    assert (tmp_path / "curves.png").stat().st_size > 1000
    make_agent(f"ppo:{tmp_path}/count-position-contexts-1-seed-1", make_game("gridworld?rooms=1"))


def test_the_interquartile_mean_forgets_extremes_and_its_interval_covers_it():
    from arena.agents.exploration.study import iqm

    middle, low, high = iqm(np.array([0.0, 0.4, 0.5, 0.6, 0.5, 0.5, 0.4, 9.0]))
    assert middle == pytest.approx(0.475) and low <= middle <= high
    assert iqm(np.full(3, 0.7)) == pytest.approx((0.7, 0.7, 0.7))
    # what rliable 1.2.0 gives: resamples of the two runs are 0, 1/2 and 1
    assert iqm(np.array([0.0, 1.0])) == (0.5, 0.0, 1.0)
    assert iqm(np.array([0.3])) == pytest.approx((0.3, np.nan, np.nan), nan_ok=True)
