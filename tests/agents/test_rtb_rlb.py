"""RLB: the published rows of campaign 2997, the recursion itself, and what budget buys."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.agents.scripted.rtb_baselines import (
    LinearBid,
    Ortb,
    Pacer,
    Strategy,
    fit_win_rate,
    linear,
    mcpc,
    tune,
)
from arena.agents.value import rlb
from arena.envs.errors import InputError
from arena.envs.rtb.campaign import AuctionLog, Campaign
from arena.envs.rtb.logs import load_campaign, load_log
from arena.envs.rtb.synthetic import synthetic_campaign


@pytest.fixture(scope="module")
def campaign_2997(arena_data: Path) -> tuple[Campaign, AuctionLog]:
    folder = arena_data / "rtb"
    return (
        load_campaign(folder / "2997.info.json"),
        load_log(folder / "2997.test.theta.txt.xz"),
    )


@pytest.mark.parametrize(
    ("strategy", "row"),
    [
        ("rlb", (39680, 78, 304375)),
        ("ss-mdp", (40395, 80, 306637)),
        ("mcpc", (14752, 48, 307751)),
        ("lin", (32208, 71, 203610)),
    ],
)
def test_published_rows_of_2997(
    strategy: str, row: tuple[int, int, int], campaign_2997: tuple[Campaign, AuctionLog]
) -> None:
    """Impressions, clicks and cost at N = 1000, c₀ = 1/32: the authors' published log."""
    campaign, log = campaign_2997
    budget = campaign.budget(1000, 1 / 32)
    bidder: Strategy
    if strategy in ("rlb", "ss-mdp"):
        values = rlb.solve(campaign, auctions=1000, budget=budget)
        bidder = rlb.Bidder(values) if strategy == "rlb" else rlb.StateOnly(values, campaign.ctr)
    else:
        bidder = mcpc(campaign) if strategy == "mcpc" else linear(campaign, 10)
    outcome = bidder.replay(log, auctions=1000, budget=budget)
    assert (outcome.impressions, outcome.clicks, outcome.cost) == row


def plain_values(
    campaign: Campaign, auctions: int, budget: int, objective: rlb.Objective, gamma: float
) -> np.ndarray:
    """The recursion as the paper writes it, one sum after the other."""
    values = np.zeros((auctions + 1, budget + 1))
    for n in range(1, auctions + 1):
        before = values[n - 1]
        for b in range(1, budget + 1):
            values[n, b] = gamma * before[b]
            for price in range(min(b, 300) + 1):
                worth = (
                    objective.click_value * campaign.ctr
                    - objective.cost_weight * price
                    + gamma * (before[b - price] - before[b])
                )
                if worth < 0:
                    break
                values[n, b] += campaign.market[price] * worth
    return values


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.integers(0, 1000), min_size=301, max_size=301),
    budget=st.integers(1, 350),
    gamma=st.sampled_from([1.0, 0.9]),
    for_profit=st.booleans(),
)
def test_the_programme_is_the_papers_recursion(
    counts: list[int], budget: int, gamma: float, for_profit: bool
) -> None:
    campaign = Campaign("x", 1000, 50, 60_000, np.array(counts))
    objective = rlb.profit(campaign) if for_profit else rlb.CLICKS
    exact = plain_values(campaign, 4, budget, objective, gamma)
    solved = rlb.solve(campaign, auctions=4, budget=budget, objective=objective, gamma=gamma)
    np.testing.assert_allclose(solved, exact, rtol=1e-10, atol=1e-12)


def test_a_bid_is_the_largest_that_is_worth_it() -> None:
    campaign = synthetic_campaign("2997").campaign
    values = rlb.solve(campaign, auctions=50, budget=400)
    bidder = rlb.Bidder(values)
    rng = np.random.default_rng(0)
    n, b = rng.integers(1, 51, 200), rng.integers(0, 401, 200)
    ctr = rng.uniform(0, 0.02, 200)
    for bid, n_, b_, theta in zip(bidder.bids(n, b, ctr), n, b, ctr, strict=True):
        worth = [theta + values[n_ - 1, b_ - d] - values[n_ - 1, b_] for d in range(b_ + 1)]
        assert bid == max(d for d in range(min(b_, 300) + 1) if worth[d] >= 0)


def test_the_value_function_foretells_its_own_clicks() -> None:
    """In the world the programme assumes (rates θ̄, prices from m), V(N, B) is what comes out."""
    law = synthetic_campaign("2997")
    log = law.sample(400_000, seed=5)
    log = AuctionLog(log.clicks, log.prices, np.full(len(log), law.campaign.ctr))
    budget = law.campaign.budget(500, 1 / 8)
    values = rlb.solve(law.campaign, auctions=500, budget=budget)
    outcome = rlb.Bidder(values).replay(log, auctions=500, budget=budget)
    assert outcome.impressions * law.campaign.ctr / 800 == pytest.approx(
        values[500, budget], rel=0.02
    )


def test_profit_bids_below_clicks_where_the_budget_is_ample() -> None:
    law = synthetic_campaign("2997")
    log = law.sample(40_000, seed=6)
    objective = rlb.profit(law.campaign)
    budget = law.campaign.budget(100, 4.0)
    values = rlb.solve(law.campaign, auctions=100, budget=budget, objective=objective)
    for_profit = rlb.Bidder(values, objective).replay(log, auctions=100, budget=budget)
    values = rlb.solve(law.campaign, auctions=100, budget=budget)
    for_clicks = rlb.Bidder(values).replay(log, auctions=100, budget=budget)
    assert for_profit.clicks < for_clicks.clicks
    worth = objective.click_value
    assert for_profit.profit(worth) > for_clicks.profit(worth)


def test_rlb_beats_the_static_rules_in_clicks_where_money_is_short() -> None:
    law = synthetic_campaign("2997")
    train, test = law.sample(200_000, seed=1), law.sample(1_000_000, seed=2)
    budget = law.campaign.budget(1000, 1 / 16)
    setting = {"auctions": 1000, "budget": budget}

    def worth(strategy: Strategy) -> int:
        return strategy.replay(test, **setting).clicks

    c = fit_win_rate(law.campaign)
    rule = tune(
        lambda b0: linear(law.campaign, b0), range(2, 61, 2), train, **setting,
        score=lambda outcome: outcome.clicks,
    )[1]  # fmt: skip
    curve = tune(
        lambda scale: Ortb(scale, c), np.geomspace(3e3, 3e5, 40).tolist(), train, **setting,
        score=lambda outcome: outcome.clicks,
    )[1]  # fmt: skip
    best = worth(rlb.Bidder(rlb.solve(law.campaign, **setting)))
    assert best > worth(curve)
    assert best > worth(rule) > worth(mcpc(law.campaign))
    assert isinstance(rule, LinearBid)
    assert worth(Pacer(rule.scale)) > worth(mcpc(law.campaign))


def test_a_pacer_spends_the_budget_that_a_low_scale_leaves() -> None:
    law = synthetic_campaign("2997")
    log = law.sample(50_000, seed=3)
    setting = {"auctions": 1000, "budget": law.campaign.budget(1000, 1 / 8)}
    low = linear(law.campaign, 8)
    paced = Pacer(low.scale).replay(log, **setting)
    assert low.replay(log, **setting).cost < 0.35 * 50 * setting["budget"]
    assert paced.cost > 0.8 * 50 * setting["budget"]


def test_an_array_beyond_memory_is_refused() -> None:
    with pytest.raises(InputError, match="needs more than 4 GiB"):
        rlb.solve(synthetic_campaign("2997").campaign, auctions=10**5, budget=10**5)
