"""Solve RLB for a campaign and print it beside its baselines; with -o also fit its network.

Without files the campaign is synthetic: one of the nine that were fitted to iPinYou's.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from arena.agents.value.rlb_comparison import Row
    from arena.envs.rtb.campaign import AuctionLog, Campaign

HELP = "solve RLB for a campaign, beside its baselines"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--campaign", default="2997", help="a synthetic campaign (default: 2997)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="the log to replay")
    parser.add_argument("--training", type=Path, metavar="FILE", help="the log to tune on")
    parser.add_argument(
        "--info", type=Path, metavar="FILE", help="training counts (default: those of --training)"
    )
    parser.add_argument(
        "--raw", action="store_true", help="the logs are make-ipinyou-data's: learn the pCTR too"
    )
    parser.add_argument("--auctions", type=int, default=1000, metavar="N", help="of an episode")
    parser.add_argument(
        "--budget", type=float, action="append", metavar="C0",
        help="share of the auctions' average price (repeat; default: 1/32 to 1/2)",
    )  # fmt: skip
    parser.add_argument("--objective", choices=("clicks", "profit"), default="clicks")
    parser.add_argument("--seed", type=int, default=0, help="of synthetic logs and the network")
    parser.add_argument("--device", default="auto", help="of the network")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="fit the network, and write it there"
    )


def run(options: argparse.Namespace) -> int:
    """Print the table; write the network of the first budget where it is asked for."""
    from arena.agents.value import rlb, rlb_network
    from arena.agents.value.rlb_comparison import FRACTIONS, compare
    from arena.cli.console import meter, show
    from arena.envs.errors import InputError
    from arena.training import fresh, one_thread

    if options.auctions < 1:
        raise InputError(f"--auctions {options.auctions} must be at least 1")
    campaign, log, training = read(options)
    fractions = options.budget or FRACTIONS
    objective = rlb.CLICKS if options.objective == "clicks" else rlb.profit(campaign)
    more = {}
    if options.output:
        folder = fresh(options.output)
        budget = campaign.budget(options.auctions, fractions[0])
        values = rlb.solve(campaign, auctions=options.auctions, budget=budget, objective=objective)
        with one_thread(), meter("fitting the network"):
            network = rlb_network.fit(
                campaign, values, objective=objective, seed=options.seed, device=options.device
            )
        more["RLB network"] = network
    rows: list[Row] = []
    with meter("budgets") as progress:
        for done, fraction in enumerate(fractions):
            progress.update(done, len(fractions), f"c0 = {fraction:g}")
            rows += compare(
                campaign, log, training, auctions=options.auctions, fraction=fraction,
                objective=objective, more=more,
            )  # fmt: skip
    if options.output:
        network.save(folder)
    show(table(rows, options.objective), keys=3)
    if options.output:
        print(f"network for c0 = {fractions[0]:g} (it scales to others): {folder}")
    return 0


def read(options: argparse.Namespace) -> tuple[Campaign, AuctionLog, AuctionLog]:
    """The campaign, the log to replay, the log to tune on."""
    from arena.envs.errors import InputError
    from arena.envs.rtb import ipinyou, logs
    from arena.envs.rtb.campaign import Campaign
    from arena.envs.rtb.synthetic import synthetic_campaign, synthetic_campaigns

    if not options.log:
        if options.training or options.info or options.raw:
            raise InputError("--training, --info and --raw need --log FILE, the log to replay")
        law = synthetic_campaign(options.campaign)
        return (
            law.campaign,
            law.sample(350_000, options.seed),
            law.sample(300_000, options.seed + 1),
        )
    if options.raw:
        if not options.training:
            raise InputError("--raw needs --training FILE: the pCTR is learned from it")
        raw = ipinyou.load_raw(options.training)
        model = ipinyou.train_ctr(raw)
        training = model.auction_log(raw)
        log = model.auction_log(ipinyou.load_raw(options.log))
        return Campaign.from_log(options.training.stem, training), log, training
    log = logs.load_log(options.log)
    if options.training:
        training = logs.load_log(options.training)
        known = options.info and logs.load_campaign(options.info)
        return known or Campaign.from_log(options.training.stem, training), log, training
    if not options.info:
        raise InputError("--log needs --training FILE or --info FILE: what is known beforehand")
    campaign = logs.load_campaign(options.info)
    if campaign.name not in synthetic_campaigns():
        raise InputError(f"campaign {campaign.name} needs --training FILE to tune its baselines on")
    return campaign, log, synthetic_campaign(campaign.name).sample(300_000, options.seed + 1)


def table(rows: list[Row], objective: str) -> Table:
    """The rows as a table for the terminal."""
    from arena.cli import console

    out = console.table(
        "campaign", "c0>", "strategy", "impressions>", "clicks>", "cost>", "win rate>", "CPM>",
        "eCPC>", *["profit>"] * (objective == "profit"), "over Lin>",
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
        if objective == "profit":
            cells.append(f"{row.score:,.0f}")
        out.add_row(*cells, "" if row.over_lin != row.over_lin else f"{row.over_lin:+.1%}")
    return out
