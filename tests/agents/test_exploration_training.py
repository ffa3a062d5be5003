"""Training alone: with bonuses and with a memory; and CALM's pairs."""

import numpy as np
import pytest
import recall

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from arena.agents.agent import CannotPlay  # noqa: E402
from arena.agents.conformance import check_agent  # noqa: E402
from arena.agents.learning import ppo  # noqa: E402
from arena.agents.learning.trainers import train  # noqa: E402
from arena.agents.registry import make_agent  # noqa: E402
from arena.envs.errors import InputError  # noqa: E402
from arena.envs.registry import make_game  # noqa: E402

SMALL = {
    "num_envs": 8, "num_steps": 16, "num_minibatches": 2, "update_epochs": 2, "hidden": (32,),
    "checkpoint_every": 2, "product": "torch", "evaluate_deals": 4, "report_deals": 4,
    "save_seconds": 0, "gamma": 0.99, "bonus_lr": 1e-3,
}  # fmt: skip


def weights(folder):
    return load_file(folder / "training/resume.safetensors")


def learner(**options):
    return ppo.Learner(ppo.Settings(**SMALL | options))


@pytest.mark.parametrize(
    ("bonus", "recurrent"),
    [("count:position*noveld+e3b", False), ("icm+episodic:position", True), ("", True)],
)
def test_a_run_resumes_to_the_same_weights_bonuses_and_memory(bonus, recurrent, tmp_path):
    options = SMALL | {
        "game": "gridworld?rooms=2,steps=20,contexts=3", "bonus": bonus, "recurrent": recurrent,
        "anneal_lr": False,
    }  # fmt: skip
    for name, steps in (("whole", 1024), ("cut", 512)):
        train("ppo", **options, output=str(tmp_path / name), total_timesteps=steps)
    config = tmp_path / "cut/config.json"
    config.write_text(config.read_text().replace('steps": 512', 'steps": 1024'))
    train("ppo", output=str(tmp_path / "cut"), resume=True)
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert one.keys() == two.keys()
    assert any(key.startswith("bonus.network") for key in one) == bool(bonus)
    assert any("memory" in key for key in one if key.startswith("network")) == recurrent
    assert all((one[key] == two[key]).all() for key in one if key != "facts")


@pytest.mark.parametrize("recurrent", [False, True])
def test_only_who_remembers_names_a_cue_later(recurrent, monkeypatch):
    monkeypatch.setattr(ppo, "make_game", lambda spec: recall.Recall())
    found = learner(
        game="recall", num_envs=64, num_steps=12, num_minibatches=4, update_epochs=4, hidden=(16,),
        learning_rate=5e-3, anneal_lr=False, recurrent=recurrent,
    )  # fmt: skip
    found.begin()
    for _ in range(40):
        figures = found.improve(found.play())
    assert (figures["charts/episodic_return"] > 0.9) == recurrent


def test_a_recurrent_update_sees_what_the_rollout_saw():
    found = learner(game="gridworld?rooms=1,steps=5", recurrent=True)
    found.begin()
    for _ in range(2):  # the second begins in the middle of episodes
        kept = found.play()
        every = found._minibatches(kept, np.random.default_rng(0))[0]
        seen = {"vector": torch.from_numpy(kept.shown("vector")[every])}
        mask = torch.from_numpy(kept.mask[every])
        logs, values = found.network(seen, mask, *found._past(kept, every))
        chosen = logs.gather(1, torch.from_numpy(kept.action[every])[:, None])[:, 0]
        assert np.allclose(chosen.detach(), kept.log_probability[every], atol=1e-5)
        assert np.allclose(values.detach(), kept.value[every], atol=1e-5)


def test_a_recurrent_player_keeps_the_contract(tmp_path):
    run, game = str(tmp_path / "run"), "gridworld?rooms=2,steps=20"
    train("ppo", **SMALL, game=game, output=run, total_timesteps=256, recurrent=True)
    assert check_agent(f"policy:{run}", game, tables=2, limit=20) > 0
    with pytest.raises(CannotPlay, match="was trained on"):
        make_agent(f"policy:{run}", make_game("holdem"))


@pytest.mark.slow
def test_a_room_with_a_goal_is_learned(tmp_path):
    report = train(
        "ppo", game="gridworld?rooms=1,steps=20", seed=1, num_envs=32, num_steps=32, hidden=(64,),
        num_minibatches=4, update_epochs=4, gamma=0.99, total_timesteps=60_000,
        output=str(tmp_path / "run"),
    )  # fmt: skip
    assert report.scores[0].mean > 0.9


def test_tensorboard_has_cleanrls_names(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tmp_path / "run"
    train(
        "ppo", **SMALL, game="gridworld?rooms=1,steps=10", bonus="rnd", output=str(run),
        total_timesteps=512,
    )  # fmt: skip
    events = EventAccumulator(str(run / "training"))
    events.Reload()
    assert set(events.Tags()["scalars"]) >= {
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
        "bonus/loss",
    }


@pytest.mark.parametrize(("size", "recurrent"), [("small", True), ("paper", False)])
def test_minihack_is_trained_on_in_both_sizes(size, recurrent):
    pytest.importorskip("nle")
    found = learner(
        game="minihack?task=MultiRoom-N2", bonus="e3b*noveld", num_envs=2, size=size,
        recurrent=recurrent,
    )  # fmt: skip
    before = {name: value.clone() for name, value in found.network.policy().items()}
    found.begin()
    found.improve(found.play())
    after = found.network.policy()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(before[name], value) for name, value in after.items())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"game": "holdem", "recurrent": True}, "--recurrent is for solo games"),
        ({"game": "holdem", "bonus": "rnd"}, "--bonus pays for exploring alone"),
        ({"game": "rtb?bidders=1", "bonus": "rnd"}, "--bonus looks at actions of a list"),
        ({"game": "gridworld", "bonus": "luck"}, "'luck' is not a bonus; there are count"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        learner(**options)


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
