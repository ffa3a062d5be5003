"""RLB beside its baselines on one campaign's log: the rows of the paper's tables.

What a strategy has to tune (Lin's b₀, ORTB's λ) it tunes on the training log, or where there is
none on a synthetic one that was fitted to the campaign's training counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from arena.agents.scripted.rtb_baselines import (
    Ortb,
    Pacer,
    Strategy,
    fit_win_rate,
    linear,
    mcpc,
    tune,
)
from arena.agents.value import rlb
from arena.envs.rtb.campaign import AuctionLog, Campaign, CampaignOutcome

FRACTIONS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""The budgets of the paper: c₀."""


@dataclass(frozen=True)
class CampaignResult:
    """What one strategy came to on a campaign's log with budgets of c₀ = ``fraction``.

    ``score`` is the objective: clicks, or profit in price units.
    """

    campaign: str
    fraction: float
    strategy: str
    outcome: CampaignOutcome
    score: float
    over_lin: float
    """The score over Lin's, less 1; NaN where Lin's is not above 0."""
    b0: float | None = None
    """Of Lin: its bid for an impression of the average rate, tuned on the training log."""


def compare(
    campaign: Campaign,
    log: AuctionLog,
    training: AuctionLog,
    *,
    auctions: int,
    fraction: float,
    objective: rlb.Objective = rlb.CLICKS,
    more: Mapping[str, Strategy] | None = None,
) -> Iterator[CampaignResult]:
    """Replay ``log`` by every strategy; ``more`` names others to add, such as learned ones."""
    budget = campaign.budget(auctions, fraction)
    setting = {"auctions": auctions, "budget": budget}

    def score(outcome: CampaignOutcome) -> float:
        return objective.click_value * outcome.clicks - objective.cost_weight * outcome.cost

    values = rlb.solve(campaign, **setting, objective=objective)
    half = fit_win_rate(campaign)
    b0, lin = tune(
        lambda x: linear(campaign, x), range(2, 301, 2), training, **setting, score=score
    )
    scales = (np.geomspace(1.0, 3000.0, 60) / campaign.ctr).tolist()
    _, curve = tune(lambda scale: Ortb(scale, half), scales, training, **setting, score=score)
    strategies: dict[str, Strategy] = {
        "SS-MDP": rlb.StateOnly(values, campaign.ctr, objective),
        "Mcpc": mcpc(campaign),
        "Lin": lin,
        "ORTB": curve,
        "paced Lin": Pacer(b0 / campaign.ctr),
        "RLB": rlb.Bidder(values, objective),
        **(more or {}),
    }
    outcomes = {name: s.replay(log, **setting) for name, s in strategies.items()}
    base = score(outcomes["Lin"])
    for name, outcome in outcomes.items():
        over = score(outcome) / base - 1.0 if base > 0 else float("nan")
        tuned = b0 if name == "Lin" else None
        yield CampaignResult(campaign.name, fraction, name, outcome, score(outcome), over, tuned)
