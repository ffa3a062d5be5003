"""Value-based learning: a linked ring of decisions, masks, best responses, fictitious self-play."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from arena.agents.conformance import check_agent  # noqa: E402
from arena.agents.learning import dqn, nfsp  # noqa: E402
from arena.agents.learning.replay import ReplayMemory, Reservoir  # noqa: E402
from arena.agents.learning.trainers import train  # noqa: E402
from arena.agents.networks.encodings import encoding_of  # noqa: E402
from arena.agents.registry import make_agent  # noqa: E402
from arena.agents.solvers.exploit import exploit  # noqa: E402
from arena.agents.solvers.tree import compile_tree  # noqa: E402
from arena.envs.errors import InputError  # noqa: E402
from arena.envs.registry import make_game  # noqa: E402

SMALL = {
    "num_envs": 8, "num_steps": 16, "buffer_size": 2000, "learning_starts": 100, "batch_size": 16,
    "hidden": (16,), "checkpoint_every": 2, "evaluate_every": 2, "evaluate_deals": 4,
    "report_deals": 8, "save_seconds": 0,
}  # fmt: skip


def ring(capacity=64, seats=2):
    return ReplayMemory(encoding_of(make_game("kuhn")), actions=2, tables=1, seats=seats,
                  capacity=capacity)  # fmt: skip


def decide(memory, seat, action=0, mask=(True, True)):
    size = memory.arrays["vector"].shape[1]
    seen = {"vector": np.full((1, size), memory.at, np.float32)}
    memory.add(seen, np.array([mask]), np.array([action]), np.array([0]), np.array([seat]))


def test_a_seats_returns_run_through_its_own_decisions():
    memory = ring()
    for seat, gains in ((0, (0, 0)), (1, (1, -1)), (0, (0, 0)), (1, (4, -4))):
        decide(memory, seat)
        memory.earn(np.array([gains], np.float64))
    memory.end(np.array([0]))
    sums, discounts, _ = memory.returns(np.array([0, 1, 2]), 2, 0.5)
    assert sums.tolist() == [1 + 0.5 * 4, -1 + 0.5 * -4, 4]
    assert discounts.tolist() == [0, 0, 0]
    sums, discounts, ends = memory.returns(np.array([0]), 1, 0.5)
    assert (sums.tolist(), discounts.tolist(), ends.tolist()) == ([1], [0.5], [2])


def test_after_a_time_limit_the_value_of_what_was_seen_last_counts():
    memory = ring(seats=1)
    decide(memory, 0, mask=(True, False))
    memory.earn(np.array([[3.0]]))
    memory.cut(np.array([0]), {"vector": np.ones((1, 2), np.float32)})
    sums, discounts, ends = memory.returns(np.array([0]), 5, 0.5)
    assert (sums.tolist(), discounts.tolist(), ends.tolist()) == ([3], [0.5], [1])
    assert memory.mask[1].tolist() == [True, False]
    assert memory.sample(20, np.random.default_rng(0)).max() == 0  # nothing followed the last


def test_a_full_ring_never_leads_to_a_decision_of_another_episode():
    memory = ring(capacity=5, seats=1)
    for episode in range(20):
        for _ in range(1 + episode % 3):
            decide(memory, 0, action=episode % 2)
            memory.earn(np.array([[1.0]]))
        memory.end(np.array([0]))
        rows = memory.sample(50, np.random.default_rng(episode))
        sums, discounts, _ = memory.returns(rows, 10, 1.0)
        assert (discounts == 0).all()
        assert sums.max() <= 3


def test_a_reservoir_keeps_every_choice_equally_often():
    kept, encoding = np.zeros(40), encoding_of(make_game("kuhn"))
    for seed in range(400):
        draw = np.random.default_rng(seed)
        reservoir = Reservoir(encoding, 40, 10)
        for first in range(0, 40, 8):
            arrays = {"vector": np.zeros((8, 3), np.float32)}
            legal = np.ones((8, 40), np.bool_)
            reservoir.add(arrays, legal, first + np.arange(8), draw)
        kept[reservoir.action] += 1
    # Each is kept in a quarter of the runs: 100 times, give or take 8.7.
    assert abs(kept - 100).max() < 4 * 8.7


@pytest.mark.parametrize("trainer", ["dqn", "nfsp"])
@pytest.mark.parametrize("game", ["holdem?seats=2", "leduc", "gridworld?rooms=2", "rps"])
def test_what_was_trained_plays_and_keeps_the_contract(trainer, game, tmp_path):
    run = tmp_path / "run"
    train(trainer, **SMALL, game=game, output=str(run), total_timesteps=600)
    assert check_agent(f"policy:{run}", game, tables=2, other_process=False) > 0


def learner(kind=dqn, game="leduc", **more):
    found = kind.Learner(kind.Settings(**SMALL | {"game": game, "total_timesteps": 5000} | more))
    found.begin()
    return found


def test_illegal_actions_have_no_value_neither_played_nor_aimed_at():
    found = learner(start_e=1.0)
    found.play()
    rows = np.arange(found.replay.size)
    assert found.replay.mask[rows, found.replay.action[rows]].all()
    mask = found.replay.mask[rows]
    seen = {"vector": torch.from_numpy(found.replay.seen(rows)["vector"])}
    values = found.values(found.network, seen, torch.from_numpy(mask)).detach().numpy()
    assert (np.isfinite(values) == mask).all()
    # The value is the mean over what is legal: what the illegal advantages are does not matter.
    worth = found.network.critic(found.network.body(seen)).detach().numpy()[:, 0]
    means = [row[legal].mean() for row, legal in zip(values, mask, strict=True)]
    assert means == pytest.approx(worth, abs=1e-6)


def test_who_is_trained_against_somebody_is_a_best_response(tmp_path):
    game, run = make_game("kuhn"), tmp_path / "run"
    report = train(
        "dqn", game="kuhn", opponents=("random",), output=str(run), total_timesteps=16_000,
        hidden=(32,), num_envs=32, learning_starts=500, exploration_fraction=0.3,
        train_frequency=8, batch_size=128, learning_rate=4e-3, report_deals=50, evaluate_every=100,
    )  # fmt: skip
    tree = compile_tree(game)
    best = exploit(tree, make_agent("random", game)).exploitability
    assert earned(tree, f"policy:{run}") > 0.95 * best
    assert [score.name for score in report.scores] == ["random", "exploitability"]


def earned(tree, spec):
    """What the player earns of uniform play, on average over the seats, exactly."""
    from arena.agents.solvers.cfr import values

    own = exploit(tree, make_agent(spec, tree.game)).strategy
    total = 0.0
    for seat in (0, 1):
        mine = np.repeat(tree.owner == seat, np.diff(tree.sets))
        total += values(tree, np.where(mine, own, tree.uniform()))[seat] / 2
    return total


def test_fictitious_play_acts_with_the_average_and_imitates_best_responses_alone(tmp_path):
    found = learner(nfsp, anticipatory_param=0.3)
    for _ in range(6):
        found.play()
    assert found.playing() is found.average
    assert 0.15 < found.reservoir.offered / found.steps < 0.45


@pytest.mark.slow
def test_fictitious_play_comes_nearer_to_an_equilibrium(tmp_path):
    report = train("nfsp", game="kuhn", output=str(tmp_path / "run"), total_timesteps=150_000,
                   hidden=(64,), train_frequency=32)  # fmt: skip
    assert report.scores[-1].mean < 0.2  # uniform play: .458


@pytest.mark.parametrize("trainer", ["dqn", "nfsp"])
def test_a_run_that_was_cut_resumes_to_the_same_weights(trainer, tmp_path):
    options = SMALL | {"game": "leduc", "exploration_fraction": 1.0}
    if trainer == "dqn":  # its exploration falls with the length of the run
        options |= {"start_e": 0.1, "end_e": 0.1}
    else:
        options |= {"start_e": 0.1, "end_e": 0.1, "reservoir_size": 100}
    for name, steps in (("whole", 1024), ("cut", 512)):
        train(trainer, **options, output=str(tmp_path / name), total_timesteps=steps)
    config = tmp_path / "cut/config.json"
    facts = json.loads(config.read_text())
    facts["settings"]["total_timesteps"] = 1024
    config.write_text(json.dumps(facts))
    train(trainer, output=str(tmp_path / "cut"), resume=True)
    one, two = (
        load_file(tmp_path / name / "training/resume.safetensors") for name in ("whole", "cut")
    )
    assert one.keys() == two.keys()
    assert all((one[key] == two[key]).all() for key in one)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "--game is needed"),
        ({"game": "rtb_catalogue"}, "no list of actions for a policy to choose"),
        ({"game": "leduc", "buffer_size": 100}, "--buffer-size 100 is small for 64 tables"),
        ({"game": "leduc", "end_e": 2}, "--end-e 2 must be at most 1"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(values, sentence, tmp_path):
    with pytest.raises(InputError, match=sentence):
        train("dqn", **values, output=str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
