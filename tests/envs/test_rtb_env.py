"""The Gymnasium and PettingZoo faces: conformance, seeds, and what ends an episode."""

from pathlib import Path

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test, parallel_seed_test

from arena.envs.errors import InputError
from arena.envs.rtb.campaign import replay_bids
from arena.envs.rtb.env import LEVELS, BiddingEnv, MarketEnv, parallel_env
from arena.envs.rtb.game import RtbCatalogue
from arena.envs.rtb.logs import load_campaign, load_log

SYNTHETIC = "arena/RtbSynthetic-v0"
MARKETS = {
    "second price": {},
    "first price": {"mechanism": "first", "budget": None, "feedback": "full"},
    "gsp": {"bidders": 6, "mechanism": "gsp", "slots": 3, "reserve": 5.0, "noise": 0.2},
}


@pytest.mark.filterwarnings("ignore:.*not a multiple.*", "ignore:.*Box.*precision.*")
@pytest.mark.parametrize("options", [{}, {"levels": LEVELS, "tick": 20}])
def test_single_campaign_passes_both_checkers(options: dict[str, object]) -> None:
    check_env(gymnasium.make(SYNTHETIC, **options).unwrapped, skip_render_check=True)
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    checker.check_env(gymnasium.make(SYNTHETIC, **options), warn=False)


def test_a_log_is_replayed_episode_by_episode(arena_data: Path) -> None:
    campaign, log = (
        arena_data / "rtb" / "2997.info.json",
        arena_data / "rtb" / "2997.test.theta.txt.xz",
    )
    env = gymnasium.make(
        "arena/RtbLogged-v0", campaign=str(campaign), log=str(log), auctions=1000, tick=20
    ).unwrapped
    known, rows = load_campaign(campaign), load_log(log)
    bids = (rows.ctr * (np.float32(10.0) / known.ctr)).astype(np.int64)
    for first in (0, 1000):
        env.reset()
        while True:
            *_, terminated, truncated, info = env.step(np.array([10.0], np.float32))
            if terminated or truncated:
                break
        cut = slice(first, first + 1000)
        episode = type(rows)(rows.clicks[cut], rows.prices[cut], rows.ctr[cut])
        outcome = replay_bids(episode, bids[cut], auctions=1000, budget=known.budget(1000, 1 / 32))
        assert (info["impressions"], info["cost"]) == (outcome.impressions, outcome.cost)
    with pytest.raises(InputError, match="cannot be read"):
        gymnasium.make("arena/RtbLogged-v0", campaign=str(campaign))


def test_the_vectorised_form_plays_the_same_episodes() -> None:
    options = {"auctions": 100, "tick": 10, "fraction": 0.1}
    many = gymnasium.make_vec(
        SYNTHETIC, num_envs=3, vectorization_mode="vector_entry_point", **options
    )
    seen, _ = many.reset(seed=7)
    envs = [gymnasium.make(SYNTHETIC, **options) for _ in range(3)]
    rows = [env.reset(seed=7 + row)[0] for row, env in enumerate(envs)]
    # Both draw an episode's seed as the first integer of a generator seeded alike.
    np.testing.assert_array_equal(seen, rows)
    bids = np.array([[20.0], [40.0], [80.0]], np.float32)
    over = np.zeros(3, bool)
    while not over.all():
        seen, rewards, terminated, truncated, _ = many.step(bids)
        for row in np.flatnonzero(~over):
            one = envs[row].step(bids[row])
            np.testing.assert_array_equal(one[0], seen[row])
            assert one[1:4] == (rewards[row], terminated[row], truncated[row])
        over |= terminated | truncated


def test_a_spent_budget_terminates_and_the_last_auction_truncates() -> None:
    env = BiddingEnv(auctions=100, tick=10, fraction=1 / 32)
    env.reset(seed=0)
    ends = []
    for bid in (300.0, 0.0):
        env.reset(seed=0)
        while True:
            _, _, terminated, truncated, info = env.step(np.array([bid], np.float32))
            if terminated or truncated:
                ends.append((terminated, truncated))
                break
        assert info["cost"] <= env.episodes.budget
    assert ends[1] == (False, True)


@pytest.mark.parametrize("options", MARKETS.values(), ids=MARKETS)
def test_market_passes_pettingzoos_tests(options: dict[str, object]) -> None:
    def make() -> MarketEnv:
        return parallel_env(auctions=100, tick=5, **options)

    parallel_api_test(make(), num_cycles=60)
    parallel_seed_test(make)


def test_catalogue_market_passes_pettingzoos_tests() -> None:
    parallel_api_test(MarketEnv(RtbCatalogue(auctions=50, tick=5)), num_cycles=30)
    parallel_seed_test(lambda: MarketEnv(RtbCatalogue(auctions=50, tick=5)))


def test_market_is_in_pettingzoos_registry() -> None:
    env = pettingzoo.make("parallel", "arena/rtb_market_v0", bidders=2)
    assert env.unwrapped.possible_agents == ["bidder_0", "bidder_1"]


def test_bidders_terminate_one_by_one_and_the_horizon_truncates_the_rest() -> None:
    env = parallel_env(bidders=3, auctions=200, tick=1, budget=0.05, outside=False)
    env.reset(seed=1)
    terminated, truncated = set(), set()
    while env.agents:
        acting = set(env.agents)
        bids = {"bidder_0": 300.0, "bidder_1": 30.0, "bidder_2": 0.0}
        *_, over, cut, infos = env.step({a: np.array([bids[a]]) for a in env.agents})
        terminated |= {a for a in acting if over[a]}
        truncated |= {a for a in acting if cut[a]}
        for info in infos.values():
            assert info["budget_use"] <= 1.0 + 1e-9
    assert "bidder_2" in truncated
    assert terminated | truncated == {"bidder_0", "bidder_1", "bidder_2"}
    assert not terminated & truncated
