"""Bonuses against closed forms and hand-made trajectories."""

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sb3_contrib")

import torch
from gymnasium import spaces

from arena.agents.exploration.bonus import Kit, Transitions
from arena.agents.exploration.combination import Mixture, RunningStd, parse
from arena.agents.exploration.counts import EpisodicCount, GlobalCount
from arena.agents.exploration.e3b import E3b, Ellipses
from arena.agents.exploration.icm import Icm
from arena.agents.exploration.noveld import NovelD
from arena.agents.exploration.psi import psi
from arena.agents.exploration.ride import Ride
from arena.agents.exploration.rnd import Rnd
from arena.agents.exploration.vec import BonusTraining, VecBonus
from arena.envs.errors import InputError
from arena.envs.faces.sb3 import EpisodeVecEnv
from arena.envs.faces.seat import Seat
from arena.envs.registry import make_game

torch.set_num_threads(1)
SPACE = spaces.Dict(
    {
        "view": spaces.Box(0, 5, (3, 3), np.uint8),
        "position": spaces.Box(0, 24, (2,), np.int64),
    }
)
ACTIONS = 4


def kit(envs=2, **more):
    return Kit(SPACE, ACTIONS, envs, **more)


def seen(*places):
    """Observations at these places, each with a view of its own."""
    at = np.array([(place, 0) for place in places])
    views = np.array([np.random.default_rng(p).integers(0, 6, (3, 3)) for p in places], np.uint8)
    return {"view": views, "position": at}


def walk(before, after, *, first=False, actions=None):
    n = len(after)
    taken = np.zeros(n, np.int64) if actions is None else np.array(actions)
    flags = np.full(n, first), np.zeros(n, np.bool_)
    return Transitions(seen(*before), taken, seen(*after), *flags)


def paid(bonus, *rounds, start=(0, 0)):
    bonus.begin(np.arange(len(start)), seen(*start))
    places, out = start, []
    for after in rounds:
        out.append(bonus.pay(walk(places, after)).tolist())
        places = after
    return out


def test_global_counts_pay_one_over_the_root_of_all_visits():
    found = paid(GlobalCount(kit(), "position"), (1, 1), (1, 2), (3, 1))
    assert found[0] == pytest.approx([1, 2**-0.5])  # both in one batch, one after the other
    assert found[1] == pytest.approx([3**-0.5, 1])
    assert found[2] == pytest.approx([1, 0.5])


def test_episodic_counts_pay_the_first_visit_of_each_episode():
    bonus = EpisodicCount(kit(), "position")
    assert paid(bonus, (1, 0), (2, 2), (1, 3)) == [[1, 0], [1, 1], [0, 1]]
    bonus.begin(np.array([1]), seen(9))  # only the second environment forgets
    assert bonus.pay(walk((1, 9), (2, 2))).tolist() == [0, 1]


def test_what_is_counted():
    one, two = seen(1), seen(1)
    two["view"] = two["view"] ^ 1
    for name, same in (("position", True), ("observation", False)):
        of = psi(name, SPACE)
        assert (of(one).tolist() == of(two).tolist()) is same
    with pytest.raises(InputError, match="hold no glyphs"):
        psi("glyphs", SPACE)
    nethack = spaces.Dict({"blstats": spaces.Box(-9, 9, (27,), np.int64)})
    clock = {"blstats": np.zeros((2, 27), np.int64)}
    clock["blstats"][1, [9, 20]] = 5
    assert len(set(psi("observation", nethack)(clock).tolist())) == 1


@pytest.mark.parametrize("update", ["update", "update_on_device"])
def test_e3b_equals_the_direct_inverse(update):
    envs, features, ridge = 3, 16, 0.1
    ellipses = Ellipses(envs, features, ridge=ridge)
    dice = torch.Generator().manual_seed(0)
    covariance = torch.eye(features).double().repeat(envs, 1, 1) * ridge
    for step in range(60):
        if step == 30:
            ellipses.begin(np.array([1]))
            covariance[1] = torch.eye(features).double() * ridge
        phi = torch.randn(envs, features, generator=dice)
        wide = phi.double()
        direct = torch.einsum("ni,nij,nj->n", wide, torch.linalg.inv(covariance), wide)
        found = getattr(ellipses, update)(phi)
        assert torch.allclose(found.double(), direct, rtol=1e-5, atol=1e-5)
        covariance += torch.einsum("ni,nj->nij", wide, wide)


def test_e3b_pays_nothing_at_first_and_less_for_more_of_the_same():
    bonus = E3b(kit())
    bonus.begin(np.arange(2), seen(0, 0))
    assert bonus.pay(walk((0, 0), (1, 1), first=True)).tolist() == [0, 0]
    again = [bonus.pay(walk((1, 1), (1, 2)))[0] for _ in range(4)]
    assert all(a > b > 0 for a, b in pairwise(again))
    before = bonus.ellipses.inverse.clone()
    bonus.begin(np.array([0]), seen(5))
    assert torch.equal(bonus.ellipses.inverse[0], torch.eye(128) / 0.1)
    assert torch.equal(bonus.ellipses.inverse[1], before[1])


def trained(bonus, steps, rounds, lr=1e-3):
    parameters = [p for n in bonus.networks.values() for p in n.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr)
    for _ in range(rounds):
        optimizer.zero_grad()
        bonus.loss(steps).backward()
        optimizer.step()


def test_rnd_falls_on_what_was_seen_and_less_on_what_was_not():
    bonus = Rnd(kit())
    steps = walk((0, 1), (1, 2))
    known, unknown = bonus.novelty(seen(1, 2)), bonus.novelty(seen(30, 31))
    target = [p.clone() for p in bonus.target.parameters()]
    trained(bonus, steps, 150)
    assert (bonus.novelty(seen(1, 2)) < 0.2 * known).all()
    assert bonus.novelty(seen(30, 31)).mean() > 0.5 * unknown.mean()
    assert all(torch.equal(a, b) for a, b in zip(target, bonus.target.parameters(), strict=True))


def test_noveld_is_zero_on_revisits_and_else_the_clipped_difference():
    bonus = NovelD(kit())
    found = paid(bonus, (1, 0), (1, 2), (2, 1))
    n = {place: float(bonus.novelty(seen(place))[0]) for place in (0, 1, 2)}
    assert found[0][1] == found[1][0] == 0  # back at the start; standing still
    assert found[0][0] == pytest.approx(max(n[1] - 0.1 * n[0], 0), rel=1e-5)
    assert found[1][1] == pytest.approx(max(n[2] - 0.1 * n[0], 0), rel=1e-5)
    bonus.begin(np.array([0, 1]), seen(0, 0))
    assert (bonus.pay(walk((0, 0), (1, 2))) > 0).all()  # new again in a new episode


def test_ride_divides_by_the_root_of_the_visits_and_is_zero_where_nothing_changes():
    bonus = Ride(kit())
    found = paid(bonus, (1, 0), (0, 0), (1, 0))
    assert found[0][1] == found[1][1] == 0
    assert found[2][0] == pytest.approx(found[0][0] / 2**0.5, rel=1e-5)  # the second visit of 1
    assert found[1][0] == pytest.approx(found[0][0] / 2**0.5, rel=1e-5)  # of 0, seen at the start


def test_icm_falls_on_transitions_that_are_learnt_and_its_inverse_model_tells_actions():
    bonus = Icm(kit())
    steps = walk((0, 1), (1, 2), actions=(2, 3))
    trained(bonus, steps, 150)
    unknown = walk((8, 9), (30, 31), actions=(0, 1))
    assert bonus.pay(steps).max() < 0.5 * bonus.pay(unknown).min()
    features = torch.cat([bonus.inverse(kit().tensors(x)) for x in (steps.before, steps.after)], 1)
    assert bonus.inverse.head(features).argmax(1).tolist() == [2, 3]


def test_the_deviation_is_that_of_all_numbers_whatever_their_batches():
    values = np.random.default_rng(0).normal(3, 2, 1000)
    deviation = RunningStd()
    for part in np.split(values, [1, 8, 40, 700]):
        deviation.update(part)
    assert deviation.count == 1000
    assert deviation.std == pytest.approx(values.std(), rel=1e-12)


def test_products_and_sums_of_bonuses():
    assert [str(t) for t in parse("e3b*noveld + 0.5*count:position")] == [
        "e3b*noveld",
        "0.5*count:position",
    ]
    mixture = Mixture(kit(), "count:position*episodic:position+2*episodic:position")
    mixture.begin(np.arange(2), seen(0, 0))
    found = mixture.pay(walk((0, 0), (1, 0)))
    product, single = RunningStd(), RunningStd()
    product.update(np.array([1.0, 0.0]))
    single.update(np.array([1.0, 0.0]))
    assert found.tolist() == [1 / product.std + 2 / single.std, 0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("e4b", "is not a bonus"),
        ("", "is not a bonus"),
        ("e3b*", "is not a bonus"),
        ("2", "names no bonus"),
        ("-1*rnd", "above 0"),
        ("nan*rnd", "above 0"),
        ("rnd:position", "counts nothing"),
        ("__import__('os')", "is not a bonus"),
    ],
)
def test_what_is_no_bonus_is_told(text, says):
    with pytest.raises(InputError, match=says):
        parse(text)


def test_memories_come_back():
    for text in ("count:position+episodic", "noveld", "ride", "e3b*rnd"):
        one, two = Mixture(kit(), text), Mixture(kit(), text)
        for place in (1, 2, 3):
            if place == 1:
                one.begin(np.arange(2), seen(0, 0))
            one.pay(walk((place - 1, 0), (place, place % 2)))
        two.remember(one.memory())
        steps = walk((3, 1), (1, 7))
        assert one.pay(steps).tolist() == two.pay(steps).tolist()


@pytest.mark.parametrize("algorithm", ["ppo", "recurrent", "dqn"])
def test_any_of_stable_baselines_algorithms_takes_a_bonus(algorithm):
    from sb3_contrib import RecurrentPPO
    from stable_baselines3 import DQN, PPO

    torch.set_num_threads(1)
    seat = Seat(make_game("gridworld?rooms=2"), 4, flat=False, keys=("view",))
    env = VecBonus(EpisodeVecEnv(seat, seed=0), "e3b*noveld", beta=0.1)
    before = {k: p.clone() for k, n in env.bonus.networks.items() for p in n.parameters()}
    few = {"device": "cpu", "seed": 0}
    if algorithm == "ppo":
        model = PPO("MultiInputPolicy", env, n_steps=64, batch_size=128, n_epochs=1, **few)
    elif algorithm == "recurrent":
        model = RecurrentPPO(
            "MultiInputLstmPolicy", env, n_steps=64, batch_size=128, n_epochs=1, **few
        )
    else:
        model = DQN("MultiInputPolicy", env, learning_starts=50, buffer_size=1000, **few)
    model.learn(600, BonusTraining(env))
    after = {k: p for k, n in env.bonus.networks.items() for p in n.parameters()}
    assert env.paid.shape == (4,) and np.isfinite(env.paid).all()
    assert any(not torch.equal(before[k], after[k]) for k in after)
