"""The Gymnasium and PettingZoo faces: conformance, seeds, and what ends an episode."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from pettingzoo.test import parallel_api_test, parallel_seed_test

from arena.envs.errors import InputError
from arena.envs.faces.zoo import TableParallel
from arena.envs.rtb.campaign import replay_bids
from arena.envs.rtb.env import BiddingEnv, parallel_env
from arena.envs.rtb.logs import load_campaign, load_log

SYNTHETIC = "arena/RtbSynthetic-v0"
MARKETS = {
    "second price": {},
    "first price": {"mechanism": "first", "budget": None, "feedback": "full"},
    "gsp": {"bidders": 6, "mechanism": "gsp", "slots": 3, "reserve": 5.0, "noise": 0.2},
}


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
    for number, first in enumerate((0, 1000)):
        env.reset(options={"episode": number})
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
    def make() -> TableParallel:
        return parallel_env(auctions=100, tick=5, **options)

    parallel_api_test(make(), num_cycles=60)
    parallel_seed_test(make)


def test_bids_may_be_given_one_by_one() -> None:
    one, many = (parallel_env(auctions=40, tick=4, actions=kind) for kind in ("multiples", "bids"))
    seen, _ = one.reset(seed=1)
    many.reset(seed=1)
    value = many.game.tables(1).value  # the values on offer are in the observation
    assert value.shape == (1, 4, 4)
    worth = {a: many._table.tables.value[0, s] for s, a in enumerate(many.agents)}
    half = one.step({agent: np.array([0.5], np.float32) for agent in one.agents})
    same = many.step({agent: 0.5 * worth[agent].astype(float) for agent in many.agents})
    assert half[1] == same[1]
    assert seen["bidder_0"].dtype == np.float32


def test_bad_options_are_refused_as_the_game_refuses_them() -> None:
    with pytest.raises(InputError, match="third is none of first, second, gsp"):
        parallel_env(mechanism="third")
    with pytest.raises(InputError, match="no option 'biders'; did you mean 'bidders'"):
        parallel_env(biders=3)


def test_bidders_terminate_one_by_one_and_the_rest_with_the_last_tick() -> None:
    env = parallel_env(bidders=3, auctions=200, tick=1, budget=0.05, outside=False, actions="bids")
    env.reset(seed=1)
    ended, tick = {}, 0
    while env.agents:
        bids = {"bidder_0": 300.0, "bidder_1": 30.0, "bidder_2": 0.0}
        *_, over, cut, infos = env.step({a: np.array([bids[a]]) for a in env.agents})
        tick += 1
        ended |= {agent: tick for agent in over if over[agent]}
        assert not any(cut.values()), "the time left is seen: its end is an end"
        for info in infos.values():
            assert info["budget_use"] <= 1.0 + 1e-9
    assert ended["bidder_0"] < ended["bidder_2"] == 200
