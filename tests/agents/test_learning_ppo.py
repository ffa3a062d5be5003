"""PPO on any masked game: it learns, it resumes exactly, its pool breaks cycles."""

import json
import os
import signal
import subprocess
import sys
import time

import cyclic
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from arena.agents.agent import CannotPlay  # noqa: E402
from arena.agents.conformance import check_agent  # noqa: E402
from arena.agents.learning import ppo  # noqa: E402
from arena.agents.learning.experience import Experience  # noqa: E402
from arena.agents.learning.opponents import LEARNER, Opponents, priorities  # noqa: E402
from arena.agents.learning.trainers import train  # noqa: E402
from arena.agents.networks.encodings import FlatEncoding, encoding_of  # noqa: E402
from arena.agents.networks.moments import moments, take_moments  # noqa: E402
from arena.agents.networks.products import Linear, choose  # noqa: E402
from arena.agents.registry import identify, make_agent  # noqa: E402
from arena.envs.errors import InputError  # noqa: E402
from arena.envs.registry import make_game  # noqa: E402

HOLDEM = "holdem?seats=2,stack=20"
SMALL = {
    "game": HOLDEM, "num_envs": 32, "num_steps": 8, "num_minibatches": 2, "hidden": (16,),
    "product": "torch", "pool_every": 1, "checkpoint_every": 2, "evaluate_every": 1,
    "evaluate_deals": 4, "report_deals": 8, "save_seconds": 0,
}  # fmt: skip


def weights(folder):
    return load_file(folder / "training/resume.safetensors")


@pytest.mark.slow
def test_a_short_run_learns_to_beat_who_always_calls(tmp_path):
    report = train(
        "ppo", game=HOLDEM, opponents=("call",), output=str(tmp_path / "run"), seed=1,
        total_timesteps=120_000, num_envs=512, num_steps=16, hidden=(64,), report_deals=1500,
        learning_rate=3e-3,
    )  # fmt: skip
    (score,) = report.scores
    assert score.mean - 1.96 * score.error > 0
    assert report.player == f"policy:{tmp_path / 'run'}"


@pytest.mark.parametrize(
    ("game", "opponents"),
    [(HOLDEM, "self,tag,call"), ("holdem?seats=4", "self,random"), ("gridworld?rooms=2", "self")],
)
def test_what_was_trained_plays_and_keeps_the_contract(game, opponents, tmp_path):
    run = tmp_path / "run"
    train(
        "ppo", **SMALL | {"game": game}, opponents=opponents, output=str(run), total_timesteps=500
    )
    assert check_agent(f"policy:{run}", game, tables=2, other_process=False) > 0


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name in ("a", "b"):
        train(
            "ppo", **SMALL, opponents="self,call", output=str(tmp_path / name), total_timesteps=900
        )
    one, two = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.slow
def test_a_run_that_was_killed_resumes_to_the_same_weights(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    options = {**SMALL, "opponents": "self,call", "total_timesteps": 20_000}
    train("ppo", **options, output=str(whole))
    script = (
        "import sys, json; from arena.agents.learning.trainers import train;"
        "train('ppo', **json.loads(sys.argv[1]))"
    )
    told = json.dumps({**options, "hidden": "16", "output": str(cut)})
    process = subprocess.Popen([sys.executable, "-c", script, told], env=os.environ)
    state = cut / "training/resume.safetensors"
    while not state.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    train("ppo", output=str(cut), resume=True)
    one, two = weights(whole), weights(cut)
    assert one.keys() == two.keys()
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.parametrize(
    ("game", "opponents"),
    [
        ("holdem?seats=3", "self,call"),
        ("leduc", "self"),
        ("rtb?auctions=60,bidders=3", "self,paced"),
        ("science_birds?letters=IL,drops=4,reward=dense", "self"),
    ],
)
def test_a_run_of_any_game_resumes_to_the_same_weights(game, opponents, tmp_path):
    if "birds" in game:
        pytest.importorskip("Box2D")
    options = SMALL | {
        "game": game, "opponents": opponents, "anneal_lr": False, "checkpoint_every": 1,
        "pool_draw": "prioritized" if game == "leduc" else "uniform",
    }  # fmt: skip
    for name, steps in (("whole", 1500), ("cut", 700)):
        train("ppo", **options, output=str(tmp_path / name), total_timesteps=steps)
    config = tmp_path / "cut/config.json"
    config.write_text(config.read_text().replace('steps": 700', 'steps": 1500'))
    train("ppo", output=str(tmp_path / "cut"), resume=True)
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert one.keys() == two.keys()
    assert all((one[key] == two[key]).all() for key in one if key != "facts")


def test_what_a_run_keeps_for_training_does_not_change_who_plays(tmp_path):
    run = tmp_path / "run"
    train("ppo", **SMALL, output=str(run), total_timesteps=500, evaluate="call")
    before = identify(f"policy:{run}").key
    (run / "training/more").write_text("curves")
    assert identify(f"policy:{run}").key == before
    (run / "player/policy.safetensors").write_bytes(b"others")
    assert identify(f"policy:{run}").key != before


def test_the_latest_copy_alone_runs_in_circles_where_the_game_has_a_cycle(monkeypatch):
    monkeypatch.setattr(ppo, "make_game", lambda spec: cyclic.Cyclic())
    settings = ppo.Settings(
        game="cyclic", past=0.0, num_envs=64, num_steps=4, num_minibatches=1,
        update_epochs=8, hidden=(8,), learning_rate=0.02, anneal_lr=False, ent_coef=0.05,
        norm_adv=False, pool_every=1, pool_size=400, pool_slots=8, product="torch",
    )  # fmt: skip
    learner = ppo.Learner(settings)
    learner.begin()
    latest = []
    for _ in range(120):
        learner.improve(learner.play())
        latest.append(learner.chances())
    policies = np.array(latest[-60:])
    assert set(policies.argmax(1)) == {0, 1, 2}  # rock, then paper, then scissors, then rock
    assert (cyclic.PAYOFF @ policies[-1]).max() > 0.3  # and each is easily beaten


@pytest.mark.parametrize("past", [0.0, 0.5, 1.0])
def test_so_large_a_share_of_self_is_drawn_from_all_snapshots(past):
    opponents = Opponents(cyclic.Cyclic(), ["self"], 4000, past=past, slots=4)
    opponents.snapshots = [None] * 4
    opponents.seat(np.arange(4000), np.arange(4000, dtype=np.uint64))
    others = opponents.owner.max(1)  # of each table's two seats one is the learner's
    drawn = np.bincount(others + 1, minlength=5) / 4000
    assert drawn[0] == pytest.approx(1 - past, abs=0.03)
    assert drawn[1:] == pytest.approx(past / 4, abs=0.03)


def test_a_prioritized_pool_draws_who_wins_and_all_alike_where_nobody_does():
    records = np.array([[9.0, 10], [5, 10], [0, 0], [10, 10]])  # of the third nothing is known
    weights = np.array([0.01, 0.25, 0.25, 0])
    assert priorities(records) == pytest.approx(weights / weights.sum())
    assert priorities(np.array([[4.0, 4], [7, 7]])).tolist() == [0.5, 0.5]


def test_who_won_against_a_snapshot_is_counted():
    opponents = Opponents(cyclic.Cyclic(), ["self"], 3, past=1.0, slots=2)
    opponents.owner = np.array([[LEARNER, 0], [1, LEARNER], [LEARNER, 1]])
    opponents.end(np.arange(3), np.array([[1.0, -1], [1, -1], [0, 0]]))
    assert opponents.scored.tolist() == [[1.0, 1.0], [0.5, 2.0]]


def test_advantages_follow_each_seat_through_its_own_decisions():
    kept = Experience(FlatEncoding(cyclic.Cyclic()), tables=1, seats=2, actions=3, steps=3)
    nothing = {"vector": np.zeros((1, 1), np.float32)}
    for seat, value, gains, ended in (
        (0, 1.0, (0, 0), 0),
        (1, 2.0, (0, 0), 0),
        (0, 3.0, (4, -4), 1),
    ):
        rows, _ = kept.observe(nothing)
        one = np.ones(1, np.float32)
        kept.act(rows, np.zeros(1, int), np.array([seat]), np.ones((1, 3), bool),
                 np.zeros(1, int), one, value * one)  # fmt: skip
        kept.end_step(np.array([gains], np.float32), np.array([bool(ended)]))
    found, targets = kept.advantages(np.full((1, 2), 9, np.float32), 0.5, 1.0)
    # Seat 0: 4 - 3 at its last decision; before it 0 + 0.5 * 3 - 1 and half of what followed.
    assert found.tolist() == [0.5 + 0.5 * 1, -4 - 2, 1.0]
    assert targets.tolist() == [2.0, -4.0, 4.0]


def test_onednns_product_is_as_exact_as_torchs():
    assert choose("cpu") in ("torch", "onednn")
    x = torch.randn(70, 40)
    found = []
    for product in ("torch", "onednn"):
        torch.manual_seed(0)
        layer = Linear(50, 30, 1.0, product)
        out = layer(x)
        out.square().sum().backward()
        found.append((out, layer.weight.grad, layer.bias.grad))
    for ours, theirs in zip(*found, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_holdems_vector_is_cut_where_all_rows_are_zero():
    game = make_game(HOLDEM)
    tables = game.tables(3)
    tables.begin(np.arange(3), np.arange(3, dtype=np.uint64))
    encoding = encoding_of(game)
    short = encoding.encode(tables.turns().observation)["vector"]
    assert short.shape[1] < encoding.size
    from arena.envs.holdem.encoding import encode

    whole = encode(tables.turns().observation)
    assert (whole[:, : short.shape[1]] == short).all()
    assert not whole[:, short.shape[1] :].any()


def test_a_policy_refuses_what_it_was_not_trained_on(tmp_path):
    run = tmp_path / "run"
    train("ppo", **SMALL, output=str(run), total_timesteps=300, evaluate="call")
    for game, sentence in (
        ("holdem?seats=3", "was trained on"),
        ("gridworld", "was trained on"),
        ("rtb", "was trained on"),
    ):
        with pytest.raises(CannotPlay, match=sentence):
            make_agent(f"policy:{run}", make_game(game))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "--game is needed"),
        ({"game": "rtb_catalogue"}, "no list of actions for a policy to choose among"),
        ({"game": HOLDEM, "opponents": "explorer"}, "explorer"),
        ({"game": HOLDEM, "opponents": "selff"}, "no agent is called 'selff'"),
        ({"game": HOLDEM, "clip": 1}, "there is no setting clip"),
        ({"game": HOLDEM, "num_envs": 0}, "--num-envs 0 must be at least 1"),
        ({"game": HOLDEM, "gamma": 1.5}, "--gamma 1.5 must be at most 1"),
        ({"game": HOLDEM, "learning_rate": "fast"}, "--learning-rate fast is not a finite number"),
        ({"game": HOLDEM, "device": "cuda"}, "no CUDA device"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(values, sentence, tmp_path):
    if values.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InputError, match=sentence):
        train("ppo", **values, output=str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("0.step", torch.tensor(-1.0), "are those of no gradients"),
        ("0.exp_avg", torch.full((2, 3), 1e9), "are those of no gradients"),
        ("0.exp_avg", torch.zeros(3), "has shape .3., not its parameter's"),
        ("0.exp_avg", None, "lacks the moment exp_avg"),
        ("9.exp_avg", torch.zeros(3), "has no moment '9.exp_avg'"),
    ],
)
def test_what_an_optimizer_cannot_remember_is_refused(key, value, says):
    layer = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(3)).sum().backward()
    optimizer.step()
    kept = moments(optimizer)
    take_moments(torch.optim.Adam(layer.parameters()), kept)
    spoilt = {k: v for k, v in (kept | {key: value}).items() if v is not None}
    with pytest.raises(InputError, match=says):
        take_moments(optimizer, spoilt)


def test_a_folder_of_another_trainer_is_not_resumed(tmp_path):
    run = tmp_path / "run"
    train("ppo", **SMALL, output=str(run), total_timesteps=300, evaluate="call")
    facts = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(facts | {"trainer": "sft"}))
    with pytest.raises(InputError, match="is a run of sft, not of ppo"):
        train("ppo", output=str(run), resume=True)
    with pytest.raises(InputError, match="exists already"):
        train("ppo", game=HOLDEM, output=str(run))
