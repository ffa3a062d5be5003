"""Solve RLB for a campaign, beside its baselines; with -o also fit its network.

    arena train rlb --campaign 2997 --budget 0.125
    arena train rlb --campaign 2997 --budget 0.125 -o runs/rlb

Without files the campaign is synthetic: one of the nine that were fitted to iPinYou's. The network
is that of the first budget; it scales to others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, refuse_resume, setting
from arena.agents.value.rlb_comparison import FRACTIONS
from arena.envs.errors import InputError

if TYPE_CHECKING:
    from arena.agents.value.rlb_comparison import CampaignResult
    from arena.envs.rtb.campaign import AuctionLog, Campaign


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """Which campaign, and what is known of it."""

    campaign: str = setting("2997", "a synthetic campaign")
    log: str = setting("", "a file: the log to replay")
    training: str = setting("", "a file: the log to tune on")
    info: str = setting("", "a file: training counts (default: those of --training)")
    raw: bool = setting(False, "the logs are make-ipinyou-data's: learn the pCTR too")
    auctions: int = setting(1000, "of an episode", least=1)
    budget: tuple[float, ...] = setting(FRACTIONS, "shares of the auctions' average price")
    objective: Literal["clicks", "profit"] = setting("clicks", "what is maximised")


def train(settings: Settings, progress: Progress) -> Report:
    """Replay the log by each strategy, with each budget; keep the first budget's network.

    Raises InputError where a file is missing or damaged, or a budget is 0.
    """
    from arena.agents.device import choose_device
    from arena.agents.learning.runs import Run
    from arena.agents.value import rlb, rlb_network
    from arena.agents.value.rlb_comparison import compare
    from arena.training import one_thread

    refuse_resume(settings, "rlb")
    begun, device = time.perf_counter(), choose_device(settings.device)
    campaign, log, training = read(settings)
    objective = rlb.CLICKS if settings.objective == "clicks" else rlb.profit(campaign)
    more: dict[str, Any] = {}
    if settings.output:
        run = Run.begin("rlb", settings)
        budget = campaign.budget(settings.auctions, settings.budget[0])
        values = rlb.solve(campaign, auctions=settings.auctions, budget=budget, objective=objective)
        progress(0, len(settings.budget), "fitting the network")
        with one_thread():
            network = rlb_network.fit(
                campaign, values, objective=objective, seed=settings.seed, device=device
            )
        network.save(run.player)
        more["RLB network"] = network
    rows: list[CampaignResult] = []
    for done, fraction in enumerate(settings.budget):
        progress(done, len(settings.budget), f"c0 = {fraction:g}")
        rows += compare(
            campaign, log, training, auctions=settings.auctions, fraction=fraction,
            objective=objective, more=more,
        )  # fmt: skip
    progress(len(settings.budget), len(settings.budget), "")
    unit = "clicks" if settings.objective == "clicks" else "price units"
    notes = (f"network: {run.player}",) if settings.output else ()
    scores = tuple(_score(row, unit) for row in rows)
    done_words = f"campaign {campaign.name} solved for {len(settings.budget)} budgets"
    return Report("", done_words, time.perf_counter() - begun, scores, notes)


def _score(row: CampaignResult, unit: str) -> Score:
    what = row.outcome
    facts = [
        f"impressions of {what.auctions:,}",
        f"{what.clicks:,} clicks",
        f"cost {what.cost:,}",
        f"CPM {what.cpm:.2f}",
        f"eCPC {what.ecpc:.2f}",
    ]
    if row.over_lin == row.over_lin:
        facts.append(f"{row.over_lin:+.1%} over Lin")
    tuned = "" if row.b0 is None else f" (b₀ = {row.b0:g})"
    name = f"c₀ = 1/{1 / row.fraction:g}, {row.strategy}{tuned}"
    return Score(name, row.score, float("nan"), unit, what.impressions, ", ".join(facts))


def read(settings: Settings) -> tuple[Campaign, AuctionLog, AuctionLog]:
    """The campaign, the log to replay, the log to tune on."""
    from arena.envs.rtb import ipinyou, logs
    from arena.envs.rtb.campaign import Campaign
    from arena.envs.rtb.synthetic import synthetic_campaign, synthetic_campaigns

    log_file, training_file = Path(settings.log), Path(settings.training)
    if not settings.log:
        if settings.training or settings.info or settings.raw:
            raise InputError("--training, --info and --raw need --log FILE, the log to replay")
        law = synthetic_campaign(settings.campaign)
        seed = settings.seed
        return law.campaign, law.sample(350_000, seed), law.sample(300_000, seed + 1)
    if settings.raw:
        if not settings.training:
            raise InputError("--raw needs --training FILE: the pCTR is learned from it")
        raw = ipinyou.load_raw(training_file)
        model = ipinyou.train_ctr(raw)
        training = model.auction_log(raw)
        log = model.auction_log(ipinyou.load_raw(log_file))
        return Campaign.from_log(training_file.stem, training), log, training
    log = logs.load_log(log_file)
    known = logs.load_campaign(Path(settings.info)) if settings.info else None
    if settings.training:
        training = logs.load_log(training_file)
        return known or Campaign.from_log(training_file.stem, training), log, training
    if known is None:
        raise InputError("--log needs --training FILE or --info FILE: what is known beforehand")
    if known.name not in synthetic_campaigns():
        raise InputError(f"campaign {known.name} needs --training FILE to tune its baselines on")
    return known, log, synthetic_campaign(known.name).sample(300_000, settings.seed + 1)
