"""A campaign's log: what is read, what is refused, and how it is replayed."""

import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.envs.rtb.campaign import AuctionLog, Campaign, replay_bids
from arena.envs.rtb.logs import load_campaign, load_log


def auction_log(*rows: tuple[int, int, float]) -> AuctionLog:
    clicks, prices, ctr = zip(*rows, strict=True)
    return AuctionLog(np.array(clicks, np.uint8), np.array(prices), np.array(ctr))


def test_a_bid_wins_at_the_market_price_and_pays_it() -> None:
    log = auction_log((1, 10, 0.1), (0, 10, 0.1), (1, 10, 0.1))
    outcome = replay_bids(log, np.array([10, 9, 50]), auctions=3, budget=100)
    assert (outcome.impressions, outcome.clicks, outcome.cost) == (2, 2, 20)


def test_bids_are_cut_to_the_budget_which_returns_with_each_episode() -> None:
    log = auction_log(*[(1, 10, 0.1)] * 5)
    outcome = replay_bids(log, np.full(5, 300), auctions=2, budget=15)
    # Episodes of 2, 2 and 1 auctions: each affords one impression, the last partial one too.
    assert (outcome.impressions, outcome.cost) == (3, 30)


def test_budget_is_the_average_price_times_fraction_times_auctions() -> None:
    campaign = Campaign("x", 1000, 10, 63_018, np.zeros(301, np.int64))
    assert campaign.budget(1000, 1 / 32) == 1969
    with pytest.raises(InputError, match="budget of campaign x: the fraction 1e-09"):
        campaign.budget(1000, 1e-9)


def test_figures_of_an_outcome() -> None:
    outcome = replay_bids(
        auction_log((1, 10, 0.1), (0, 30, 0.1)), np.array([20, 20]), auctions=2, budget=100
    )
    assert outcome.win_rate == 0.5
    assert outcome.cpm == 10
    assert outcome.ecpc == 0.01
    assert outcome.profit(25) == 15


@pytest.mark.parametrize("suffix", [".txt", ".txt.xz"])
def test_a_log_is_read_plain_or_packed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    text = "0 70 0.002\n1\t6\t1e-3\t14\n"
    path.write_bytes(lzma.compress(text.encode()) if suffix.endswith("xz") else text.encode())
    log = load_log(path)
    assert log.clicks.tolist() == [0, 1]
    assert log.prices.tolist() == [70, 6]
    assert log.ctr.tolist() == [0.002, 0.001]


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("0 70", r"line 2, column 1: the row has 2 columns"),
        ("2 70 0.1", r"line 2, column 1: click '2' is neither 0 nor 1"),
        ("0 -3 0.1", r"line 2, column 2: price '-3' is not a whole number from 0"),
        ("0 7.5 0.1", r"line 2, column 2: price '7.5'"),
        ("0 70 1.5", r"line 2, column 3: pCTR '1.5' is not a number from 0 to 1"),
        ("0 70 nan", r"line 2, column 3: pCTR 'nan'"),
        ("0 70 ?", r"line 2, column 3: pCTR '\?'"),
    ],
)
def test_a_bad_row_is_refused_by_file_line_and_column(
    tmp_path: Path, row: str, complaint: str
) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(f"0 70 0.1\n{row}\n")
    with pytest.raises(InputError, match=rf"bad\.txt, {complaint}"):
        load_log(path)


def test_an_empty_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("")
    with pytest.raises(InputError, match=r"empty\.txt, line 1, column 1: the log is empty"):
        load_log(path)
    with pytest.raises(InputError, match=r"none\.txt cannot be read"):
        load_log(tmp_path / "none.txt")
    torn = tmp_path / "torn.txt.xz"
    torn.write_bytes(lzma.compress(b"0 70 0.1\n" * 1000)[:60])
    with pytest.raises(InputError, match=r"torn\.txt\.xz is not a whole \.xz file"):
        load_log(torn)


def test_campaign_counts_are_read_and_checked(tmp_path: Path) -> None:
    info = {
        "imp_train": 9,
        "clk_train": 3,
        "cost_train": 90,
        "price_counter_train": [9] + [0] * 300,
    }
    path = tmp_path / "7.info.json"
    path.write_text(json.dumps(info))
    campaign = load_campaign(path)
    assert (campaign.name, campaign.ctr, campaign.cpm, campaign.cpc) == ("7", 1 / 3, 10, 30)
    assert campaign.market.sum() == pytest.approx(1)
    assert campaign.market[0] == 10 / 310
    path.write_text(json.dumps(info | {"clk_train": 0}))
    with pytest.raises(
        InputError, match=r"7\.info\.json, field clk_train: 0 is not a whole number"
    ):
        load_campaign(path)
    path.write_text(json.dumps(info | {"price_counter_train": [1]}))
    with pytest.raises(InputError, match="field price_counter_train: it must be 301"):
        load_campaign(path)
    path.write_text("{")
    with pytest.raises(InputError, match=r"7\.info\.json, line 1, column 2: not JSON"):
        load_campaign(path)
