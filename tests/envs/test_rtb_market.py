"""The market's rules: who wins, who pays what, what is counted, and what nobody may see."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.envs.rtb.auction import Stat
from arena.envs.rtb.game import Market, Rtb, RtbCatalogue
from arena.envs.rtb.tables import RtbTables

SPECS = [
    "rtb?auctions=60",
    "rtb?bidders=1,auctions=10,tick=1",
    "rtb?bidders=3,mechanism=gsp,slots=2,feedback=full,noise=0.3,score=conversions,auctions=60,tick=5,reserve=10",
    "rtb?mechanism=first,budget=none,score=profit,expected=false,auctions=60",
    "rtb_catalogue?auctions=60,tick=5",
    "rtb_catalogue?config=first-price,feedback=full,auctions=60",
]


@pytest.mark.parametrize("spec", SPECS)
def test_the_game_keeps_the_contract_and_hides_what_is_hidden(spec: str) -> None:
    game = make_game(spec)
    assert {"copy", "redeal"} <= game.offers  # so that check_game looks for leaks
    assert check_game(game).ended == 4


def one_tick(game: Market, bids: list[list[float]], seed: int = 0) -> RtbTables:
    """A table after one tick with these bids by seat and impression."""
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.array([seed], np.uint64))
    seats = np.arange(game.seats)
    tables.step(np.zeros(game.seats, np.int64), seats, np.array(bids))
    return tables


@pytest.mark.parametrize(
    ("options", "slot", "paid", "to_beat"),
    [
        ({"mechanism": "first"}, [0, 1, 0], [0, 50, 0], [50, 30, 50]),
        ({"mechanism": "second"}, [0, 1, 0], [0, 30, 0], [50, 30, 50]),
        ({"mechanism": "second", "reserve": 40.0}, [0, 1, 0], [0, 40, 0], [50, 40, 50]),
        ({"mechanism": "second", "reserve": 60.0}, [0, 0, 0], [0, 0, 0], [60, 60, 60]),
        ({"mechanism": "gsp", "slots": 2}, [2, 1, 0], [20, 30, 0], [20, 20, 30]),
        ({"mechanism": "gsp", "slots": 3}, [2, 1, 3], [20, 30, 0], [0, 0, 0]),
        ({"mechanism": "gsp", "slots": 3, "reserve": 5.0}, [2, 1, 3], [20, 30, 5], [5, 5, 5]),
        ({"mechanism": "first", "slots": 2}, [2, 1, 0], [30, 50, 0], [20, 20, 30]),
    ],
)
def test_slots_and_prices(
    options: dict[str, object], slot: list[int], paid: list[float], to_beat: list[float]
) -> None:
    game = Rtb(bidders=3, outside=False, budget=None, auctions=1, tick=1, **options)
    tables = one_tick(game, [[30.0], [50.0], [20.0]])
    assert tables.slot[0, :, 0].tolist() == slot
    assert tables.paid[0, :, 0].tolist() == paid
    assert tables.to_beat[0, :, 0].tolist() == to_beat
    assert tables.market[0, 0] == sum(paid)


def plain_auction(
    bids: list[float], slots: int, first_price: bool, floor: float
) -> tuple[list[int], list[float]]:
    """Slots and prices by sorting."""
    ranked = sorted((s for s in range(len(bids)) if bids[s] >= floor and bids[s] > 0),
                    key=lambda s: -bids[s])  # fmt: skip
    slot, paid = [0] * len(bids), [0.0] * len(bids)
    for place, seat in enumerate(ranked[:slots]):
        below = [bids[s] for s in ranked[place + 1 :]] + [floor]
        slot[seat] = place + 1
        paid[seat] = bids[seat] if first_price else max(below[0], floor)
    return slot, paid


@settings(max_examples=150, deadline=None)
@given(
    bids=st.lists(st.integers(0, 1000), min_size=2, max_size=7, unique=True),
    slots=st.integers(1, 4),
    first_price=st.booleans(),
    reserve=st.sampled_from([0.0, 100.0, 500.0]),
)
def test_any_auction_agrees_with_sorting(
    bids: list[int], slots: int, first_price: bool, reserve: float
) -> None:
    game = Rtb(
        bidders=len(bids), outside=False, budget=None, auctions=1, tick=1, slots=slots,
        mechanism="first" if first_price else "gsp", reserve=reserve,
    )  # fmt: skip
    tables = one_tick(game, [[float(bid)] for bid in bids])
    slot, paid = plain_auction([float(b) for b in bids], slots, first_price, reserve)
    assert tables.slot[0, :, 0].tolist() == slot
    assert tables.paid[0, :, 0].tolist() == paid


def test_ties_are_broken_by_the_seed_and_evenly() -> None:
    game = Rtb(bidders=3, outside=False, budget=None, auctions=3000, tick=3000)
    tables = one_tick(game, [[10.0] * 3000] * 3)
    wins = (tables.slot[0] == 1).sum(axis=1)
    assert wins.sum() == 3000
    assert abs(wins - 1000).max() < 4 * math.sqrt(3000 * 2 / 9)
    again = one_tick(game, [[10.0] * 3000] * 3)
    np.testing.assert_array_equal(tables.slot, again.slot)


def test_money_spent_on_one_impression_is_gone_at_the_next() -> None:
    game = Rtb(bidders=2, outside=False, mechanism="first", auctions=100, tick=100, budget=0.1)
    tables = one_tick(game, [[300.0] * 100, [0.0] * 100])
    assert tables.stats[0, 0, Stat.SPENT] == pytest.approx(game.budgets[0])
    paid = tables.paid[0, 0]
    assert paid[paid > 0][-1] == pytest.approx(game.budgets[0] % 300, abs=1e-3)
    assert tables.spent_up[0].tolist() == [True, False]


def test_outcomes_follow_the_true_rates_and_the_positions() -> None:
    game = Rtb(
        bidders=2, outside=False, budget=None, mechanism="gsp", slots=2, decay=0.25,
        auctions=200_000, tick=200_000, campaigns=("2997",), conversion_rate=0.5, noise=0.5,
    )  # fmt: skip
    tables = one_tick(game, [[20.0] * 200_000, [10.0] * 200_000])
    stats, truth = tables.stats[0], tables.truth[0].astype(np.float64).sum(axis=1)
    assert stats[:, Stat.EXPECTED_CLICKS] == pytest.approx(truth * [1.0, 0.25], rel=1e-6)
    expected = stats[:, Stat.EXPECTED_CLICKS]
    assert (np.abs(stats[:, Stat.CLICKS] - expected) < 4 * np.sqrt(expected)).all()
    half = stats[:, Stat.CLICKS] / 2
    assert (np.abs(stats[:, Stat.CONVERSIONS] - half) < 4 * np.sqrt(half / 2)).all()
    assert tables.market[0, 1] == pytest.approx(stats[:, Stat.EXPECTED_VALUE].sum())
    assert tables.rate[0].mean() == pytest.approx(tables.truth[0].mean(), rel=0.02)


def test_regrets_are_auctiongyms() -> None:
    game = Rtb(bidders=3, outside=False, budget=None, mechanism="first", auctions=1, tick=1)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    tables.truth[0, :, 0] = [0.5, 0.5, 0.01]
    tables.rate[0, :, 0] = [0.6, 0.5, 0.01]
    tables.value[0, :, 0] = [60.0, 50.0, 1.0]  # a click is worth 100
    tables.step(np.zeros(3, np.int64), np.arange(3), np.array([[40.0], [25.0], [5.0]]))
    stats = tables.stats[0]
    assert stats[:, Stat.ESTIMATION_REGRET] == pytest.approx([10.0, 0.0, 0.0], abs=1e-4)
    assert stats[:, Stat.OVERBID_REGRET] == pytest.approx([15.0, 0.0, 0.0], abs=1e-4)
    # The second would have gained by outbidding 40 for what is worth 50; the third would not.
    assert stats[:, Stat.UNDERBID_REGRET] == pytest.approx([0.0, 15.0, 0.0], abs=1e-4)
    assert not stats[:, Stat.ALLOCATION_REGRET].any()


def test_who_sees_the_whole_context_has_no_allocation_regret() -> None:
    game = RtbCatalogue(auctions=2000, tick=2000)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    assert ((tables.rate[0] > 0).sum(axis=0) == 2).all()  # two of six are invited to each
    tables.step(np.zeros(6, np.int64), np.arange(6), tables.value[0])
    stats = tables.stats[0]
    assert stats[:3, [Stat.ALLOCATION_REGRET, Stat.ESTIMATION_REGRET]] == pytest.approx(0, abs=1e-3)
    assert (stats[3:, Stat.ALLOCATION_REGRET] > 5.0).all()


def test_scores() -> None:
    stats = np.zeros((1, len(Stat)))
    stats[0, Stat.SPENT], stats[0, Stat.CLICKS], stats[0, Stat.EXPECTED_CLICKS] = 600.0, 3.0, 4.0
    stats[0, Stat.CONVERSIONS], stats[0, Stat.EXPECTED_VALUE] = 2.0, 1000.0

    def score(**options: object) -> float:
        game = Rtb(bidders=1, conversion_rate=0.5, **options)
        game.cpa_limits = np.array([150.0])
        return float(game.scores(stats)[0])

    assert score() == 4.0
    assert score(expected=False) == 3.0
    assert score(score="profit") == 400.0
    # Two conversions for 600 cost 300 each, twice the limit: a quarter of them counts.
    assert score(score="conversions", expected=False) == 0.5
    assert score(score="conversions") == 0.5
    stats[0, Stat.SPENT] = 100.0
    assert score(score="conversions", expected=False) == 2.0


def test_feedback_shows_only_what_it_says() -> None:
    seen = {}
    for feedback in ("win", "full"):
        game = Rtb(bidders=2, outside=False, budget=None, auctions=4, tick=2, feedback=feedback)
        tables = one_tick(game, [[30.0, 10.0], [20.0, 40.0]])
        seen[feedback] = tables.observe(np.zeros(2, np.int64), np.arange(2))["to_beat"].tolist()
    assert seen["win"] == [[20.0, 0.0], [0.0, 10.0]]
    assert seen["full"] == [[20.0, 40.0], [30.0, 10.0]]


def test_words_name_bids() -> None:
    game = Rtb(bidders=2, auctions=4, tick=2)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    tables.value[0, 0] = [10.0, 123.456]
    assert tables.parse(0, 0, "times 0.5").tolist() == [5.0, 61.73]
    assert tables.parse(0, 0, " BID 3  4.25 ").tolist() == [3.0, 4.25]
    assert tables.parse(0, 0, "pass").tolist() == [0.0, 0.0]
    assert tables.describe(0, 0, np.array([3.0, 4.25])) == "bid 3 4.25"
    for odd in ("bid 3", "bid 3 -4", "times", "times nan", "times 1_0", "bid 3 4 5", "3 4"):
        with pytest.raises(InputError, match="is not a bid; write 'times M'"):
            tables.parse(0, 0, odd)
    assert "You bid for ad impressions" in tables.text(0, 0)


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ("rtb?auctions=7,tick=2", "auctions=7 must be a multiple of tick=2"),
        ("rtb?slots=2", "second price sells one slot"),
        ("rtb?campaigns=9", "no synthetic campaign is called '9'"),
        ("rtb?budget=0", "budget of campaign 2997: the fraction 0"),
        ("rtb?bidders=0", "bidders=0 must be from 1 to 1,000"),
        ("rtb?reserve=-1", "reserve=-1 must be a price from 0 up"),
        ("rtb_catalogue?config=nowhere", "no market is called 'nowhere'"),
    ],
)
def test_odd_options_are_refused_in_a_sentence(spec: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        make_game(spec)


def test_an_auctiongym_configuration_makes_a_market(tmp_path: Path) -> None:
    config = {
        "random_seed": 3, "num_runs": 1, "num_iter": 2, "rounds_per_iter": 10,
        "num_participants_per_round": 2, "embedding_size": 5, "embedding_var": 1.0,
        "obs_embedding_size": 4, "allocation": "FirstPrice", "output_dir": "results/",
        "agents": [
            {"name": "A", "num_copies": 2, "num_items": 12,
             "allocator": {"type": "OracleAllocator", "kwargs": {}},
             "bidder": {"type": "TruthfulBidder", "kwargs": {}}},
            {"name": "B", "num_items": 4, "budget": 20,
             "allocator": {"type": "OracleAllocator", "kwargs": {}},
             "bidder": {"type": "EmpiricalShadedBidder", "kwargs": {"gamma_sigma": 0.02}}},
        ],
    }  # fmt: skip
    path = tmp_path / "market.json"
    path.write_text(json.dumps(config))
    game = RtbCatalogue(config=str(path))
    assert game.labels == ("A 1", "A 2", "B")
    assert game.mechanism == "first"
    assert game.budgets.tolist() == [math.inf, math.inf, 20.0]
    config["agents"][1]["bidder"]["type"] = "__import__('os')"
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"market\.json: agents\[1\]: bidder: type="):
        RtbCatalogue(config=str(path))
    config["agents"] = []
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"market\.json: agents must be a list"):
        RtbCatalogue(config=str(path))
