"""What is fitted and what is trained: RLB's network, and bidders by stable-baselines3."""

from pathlib import Path

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.registry import make_agent
from arena.agents.scripted.rtb_baselines import linear
from arena.agents.value import rlb, rlb_network, rtb_learned
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.envs.rtb.campaign import AuctionLog
from arena.envs.rtb.env import LEVELS
from arena.envs.rtb.synthetic import synthetic_campaign

torch = pytest.importorskip("torch")
LAW = synthetic_campaign("2997")
AUCTIONS, FRACTION = 400, 1 / 4
BUDGET = LAW.campaign.budget(AUCTIONS, FRACTION)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def log() -> AuctionLog:
    return LAW.sample(160_000, seed=8)


@pytest.fixture(scope="module")
def exact() -> rlb.Bidder:
    return rlb.Bidder(rlb.solve(LAW.campaign, auctions=AUCTIONS, budget=BUDGET))


@pytest.fixture(scope="module")
def network(exact: rlb.Bidder) -> rlb_network.NetworkBidder:
    return rlb_network.fit(LAW.campaign, exact.values, steps=1500, batch=1024, device="cpu")


def test_the_network_wins_what_the_exact_values_win(
    log: AuctionLog, exact: rlb.Bidder, network: rlb_network.NetworkBidder
) -> None:
    setting = {"auctions": AUCTIONS, "budget": BUDGET}
    ours, theirs = network.replay(log, **setting), exact.replay(log, **setting)
    assert ours.clicks == pytest.approx(theirs.clicks, rel=0.01)
    assert ours.cost == pytest.approx(theirs.cost, rel=0.01)


def test_segments_without_a_network_are_exact(
    exact: rlb.Bidder, network: rlb_network.NetworkBidder
) -> None:
    rng = np.random.default_rng(0)
    ctr = rng.uniform(0.0, 0.02, 500)
    n = rng.integers(1, AUCTIONS + 1, 500)
    for b, rows in (
        (rng.integers(0, rlb_network.EXACT_BUDGET, 500), np.full(500, True)),
        (rng.integers(0, BUDGET + 1, 500), n <= rlb_network.EXACT_AUCTIONS),
    ):
        ours, theirs = network.bids(n, b, ctr), exact.bids(n, b, ctr)
        # Slopes are kept in single precision: a bid may differ by one where worth is nearly 0.
        assert (np.abs(ours - theirs)[rows] <= 1).all()
        assert (ours == theirs)[rows].mean() > 0.99


def test_both_scale_to_longer_episodes_and_larger_budgets(
    log: AuctionLog, exact: rlb.Bidder, network: rlb_network.NetworkBidder
) -> None:
    long = {"auctions": 4 * AUCTIONS, "budget": 4 * BUDGET}
    best = rlb.Bidder(rlb.solve(LAW.campaign, **long)).replay(log, **long).clicks
    assert exact.replay(log, **long).clicks == pytest.approx(best, rel=0.015)
    assert network.replay(log, **long).clicks == pytest.approx(best, rel=0.02)


def test_a_network_is_saved_loaded_and_fitted_again_alike(
    tmp_path: Path, exact: rlb.Bidder, network: rlb_network.NetworkBidder
) -> None:
    network.save(tmp_path / "net")
    loaded = rlb_network.load(tmp_path / "net")
    n, b = np.array([AUCTIONS, 300, 60]), np.array([BUDGET, 3000, 1000])
    ctr = np.array([0.002, 0.01, 0.005])
    np.testing.assert_array_equal(loaded.bids(n, b, ctr), network.bids(n, b, ctr))
    first, again, other = (
        rlb_network.fit(LAW.campaign, exact.values, steps=3, device="cpu", seed=seed).slopes
        for seed in (1, 1, 2)
    )
    assert first.b3 == again.b3 != other.b3
    (tmp_path / "net" / "config.json").write_text("{}")
    with pytest.raises(InputError, match="field 'b3' is missing"):
        rlb_network.load(tmp_path / "net")


@pytest.fixture(scope="module")
def ppo() -> rtb_learned.BidPolicy:
    return rtb_learned.train(
        "ppo", "2997", auctions=200, fraction=1 / 8, tick=20, steps=30_000, device="cpu"
    )


def test_ppo_learns_to_spend_well(log: AuctionLog, ppo: rtb_learned.BidPolicy) -> None:
    """Near to the best fixed multiple, found on the very log; far above the others' mean."""
    setting = {"auctions": 200, "budget": LAW.campaign.budget(200, 1 / 8)}
    learned = rtb_learned.LearnedBidder(ppo, LAW.campaign).replay(log, **setting).clicks
    fixed = [
        linear(LAW.campaign, level * LAW.campaign.cpm).replay(log, **setting).clicks
        for level in LEVELS
    ]
    assert learned > 0.95 * max(fixed)
    assert learned > 1.2 * np.mean(fixed)


def test_dqn_trains_and_its_policy_is_its_network() -> None:
    policy = rtb_learned.train(
        "dqn", "2997", auctions=100, fraction=1 / 8, tick=20, steps=2500, device="cpu"
    )
    assert policy.activation == "relu"
    assert [weight.shape[0] for weight, _ in policy.layers] == [64, 64, len(LEVELS)]
    assert set(policy.choose(np.random.default_rng(0).random((50, 5), np.float32))) <= set(LEVELS)


def test_a_policy_plays_in_the_market_from_its_folder(
    tmp_path: Path, ppo: rtb_learned.BidPolicy
) -> None:
    ppo.save(tmp_path / "ppo")
    spec = f"learned:{tmp_path / 'ppo'}"
    assert check_agent(spec, "rtb?auctions=100,bidders=2", other_process=False) > 20
    with pytest.raises(CannotPlay, match="learned needs a checkpoint"):
        make_agent("learned", make_game("rtb"))
    (tmp_path / "ppo" / "model.safetensors").write_bytes(b"\x80\x04")
    with pytest.raises(InputError, match=r"model\.safetensors is not a whole"):
        make_agent(spec, make_game("rtb"))
