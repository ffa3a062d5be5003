"""Real-time bidding: RLB's programme and replay, the market's auctions, the network's error."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.value import rlb, rlb_network
from arena.agents.value.rlb_comparison import FRACTIONS, CampaignResult, compare
from arena.bench.record import Record, rate
from arena.envs.rtb.campaign import AuctionLog, Campaign
from arena.envs.rtb.game import Rtb
from arena.envs.rtb.logs import load_campaign, load_log
from arena.envs.rtb.synthetic import synthetic_campaign
from arena.training import one_thread

if TYPE_CHECKING:
    from rich.table import Table

_ROWS = 156_063  # of campaign 2997's test log
_PLAIN_AUCTIONS = 100


def records() -> Iterator[Record]:
    """Campaign 2997 at N = 1000 and c0 = 1/32 (synthetic where its log is not there), markets."""
    campaign, log = _logged("2997") or (
        synthetic_campaign("2997").campaign,
        synthetic_campaign("2997").sample(_ROWS, 0),
    )
    budget = campaign.budget(1000, 1 / 32)
    ours = _seconds(lambda: rlb.solve(campaign, auctions=1000, budget=budget))
    plain = _seconds(lambda: _plain(campaign, _PLAIN_AUCTIONS, budget), times=1)
    plain *= 1000 / _PLAIN_AUCTIONS
    name = f"the same in plain NumPy ({_PLAIN_AUCTIONS} of 1000 auctions measured)"
    yield Record.of("rlb_dp", "s", ours, plain, name, less_is_better=True)

    bidder = rlb.Bidder(rlb.solve(campaign, auctions=1000, budget=budget))
    seconds = _seconds(lambda: bidder.replay(log, auctions=1000, budget=budget))
    yield Record.of("rlb_replay", "s", seconds)

    yield Record.of("market_2", "impressions/s", _market(Rtb(bidders=2)))
    three_slots = Rtb(bidders=48, mechanism="gsp", slots=3, tick=40)
    yield Record.of("market_48", "impressions/s", _market(three_slots))
    yield Record.of("approximation_error", "fraction", approximation_error())


def approximation_error(auctions: int = 5000, rows: int = 1_000_000) -> float:
    """Clicks of the network over those of the exact values, less 1, without its sign.

    The worst of three synthetic logs of campaign 2997, so long that a click is no percent.
    """
    law = synthetic_campaign("2997")
    budget = law.campaign.budget(auctions, 1 / 32)
    values = rlb.solve(law.campaign, auctions=auctions, budget=budget)
    with one_thread():
        network = rlb_network.fit(law.campaign, values)
    errors = []
    for seed in range(3):
        log = law.sample(rows, seed)
        exact = rlb.Bidder(values).replay(log, auctions=auctions, budget=budget).clicks
        ours = network.replay(log, auctions=auctions, budget=budget).clicks
        errors.append(abs(ours / exact - 1.0))
    return max(errors)


def tables() -> Iterator[Table]:
    """Campaign × strategy for c0 = 1/32 … 1/2, on what data there is."""
    rows: list[CampaignResult] = []
    for name in ("2997", "1458"):
        law = synthetic_campaign(name)
        known = _logged(name)
        campaign, log = known or (law.campaign, law.sample(350_000, 0))
        folder = _data()
        tuned_on = folder / f"{name}.train.txt.xz" if known and folder else Path()
        training = load_log(tuned_on) if tuned_on.is_file() else law.sample(300_000, 1)
        for fraction in FRACTIONS:
            rows += compare(campaign, log, training, auctions=1000, fraction=fraction)
    yield _table(rows)


def _table(rows: list[CampaignResult]) -> Table:
    """The rows as a table for the terminal."""
    from arena.cli import console

    out = console.table(
        "campaign", "c0>", "strategy", "impressions>", "clicks>", "cost>", "win rate>", "CPM>",
        "eCPC>", "over Lin>",
    )  # fmt: skip
    for row in rows:
        what = row.outcome
        cells = [
            row.campaign,
            f"1/{1 / row.fraction:g}",
            row.strategy + ("" if row.b0 is None else f", b₀ = {row.b0:g}"),
            f"{what.impressions:,}",
            f"{what.clicks:,}",
            f"{what.cost:,}",
            f"{what.win_rate:.2%}",
            f"{what.cpm:.2f}",
            f"{what.ecpc:.2f}",
        ]
        out.add_row(*cells, "" if row.over_lin != row.over_lin else f"{row.over_lin:+.1%}")
    return out


def _data() -> Path | None:
    """The folder of reference logs, $ARENA_DATA/rtb, or None."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("ARENA_DATA", default)) / "rtb"
    return folder if folder.is_dir() else None


def _logged(name: str) -> tuple[Campaign, AuctionLog] | None:
    folder = _data()
    if folder is None:
        return None
    log = folder / f"{name}.test.theta.txt.xz"
    if not log.is_file():
        log = folder / f"{name}.test.txt.xz"
    return load_campaign(folder / f"{name}.info.json"), load_log(log)


def _seconds(work: Callable[[], Any], times: int = 5) -> float:
    """The least CPU time of so many calls, after one that compiles."""
    work()
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def _plain(campaign: Campaign, auctions: int, budget: int) -> NDArray[np.float64]:
    """The programme as one would write it in NumPy: a dot product for each state."""
    theta, law = campaign.ctr, campaign.market
    before = np.zeros(budget + 1)
    for _ in range(auctions):
        after = before.copy()
        reach = budget - 1
        for b in range(budget, 0, -1):
            while reach >= 0 and before[reach] - before[b] + theta >= 0:
                reach -= 1
            a = min(b - reach - 1, b, len(law) - 1)
            gains = theta + before[b - a : b + 1][::-1] - before[b]
            after[b] += law[: a + 1] @ gains
        before = after
    return before


def _market(game: Rtb) -> float:
    """Impressions auctioned a second: drawn, bid on (0.9 of the values) and accounted for."""
    tables = game.tables(64)
    every = np.arange(tables.capacity)
    episode = 0

    def work() -> int:
        nonlocal episode
        episode += 1
        tables.begin(every, every.astype(np.uint64) + np.uint64(1000 * episode))
        auctioned = 0
        while not tables.done.all():
            at, seats = tables.to_act()
            tables.step(at, seats, tables.value[at, seats] * 0.9)
            auctioned += game.tick * len(np.unique(at))
        return auctioned

    return rate(work)
