"""What is fitted and what is trained: RLB's network, and policies that bid."""

from pathlib import Path

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.learning.evaluation import evaluate
from arena.agents.learning.trainers import train
from arena.agents.registry import make_agent
from arena.agents.value import rlb, rlb_network
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


CAMPAIGN = "rtb?bidders=1,campaigns=2997,auctions=200,budget=0.125,tick=20"


@pytest.fixture(scope="module")
def bidder(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = tmp_path_factory.mktemp("bidder") / "run"
    report = train(
        "ppo", game=CAMPAIGN, total_timesteps=60_000, num_envs=64, num_steps=32, hidden="64,64",
        num_minibatches=4, update_epochs=4, learning_rate=1e-3, output=str(run), report_deals=10,
    )  # fmt: skip
    return report.player


def test_ppo_learns_to_spend_well(bidder: str) -> None:
    """Near to the best fixed multiple, found on the very auctions; above the others' mean."""
    game = make_game(CAMPAIGN)

    def clicks(spec: str) -> float:
        return evaluate(make_agent(spec, game), game, (), 2000, seed=5)[0].mean

    fixed = [clicks(f"shaded?factor={min(level, 1.0)}") for level in LEVELS if level <= 1]
    learned = clicks(bidder)
    assert learned > 0.95 * max(fixed)
    assert learned > 1.1 * np.mean(fixed)


@pytest.mark.parametrize("trainer", ["ppo", "dqn", "nfsp"])
def test_any_trainer_bids_in_the_market_against_others(trainer: str, tmp_path: Path) -> None:
    game = "rtb?auctions=100,bidders=3"
    report = train(
        trainer, game=game, opponents=("self", "paced"), total_timesteps=300, num_envs=8,
        num_steps=4, hidden="8", output=str(tmp_path / "run"), report_deals=2, evaluate_deals=2,
        **({"num_minibatches": 1} if trainer == "ppo" else {"learning_starts": 100}),
    )  # fmt: skip
    assert report.scores[0].name == "paced"
    assert check_agent(report.player, game, tables=2, other_process=False) > 5


def test_a_campaigns_policy_bids_in_markets(bidder: str) -> None:
    assert check_agent(bidder, "rtb?auctions=100,bidders=2", other_process=False) > 20
    with pytest.raises(CannotPlay, match="no list of actions for a policy to choose among"):
        make_agent(bidder, make_game("rtb_catalogue"))
