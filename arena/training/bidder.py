"""Train a bidder by stable-baselines3 (PPO or DQN) and print it beside RLB and the baselines.

It learns on synthetic episodes of one campaign; ``learned:FOLDER`` plays it in a market.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, refuse_resume, setting


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """What is bid on, and how it is learned."""

    algorithm: Literal["ppo", "dqn"] = setting("ppo", "of stable-baselines3")
    campaign: str = setting("2997", "a synthetic campaign")
    auctions: int = setting(1000, "of an episode", least=1)
    budget: float = setting(1 / 8, "share of the auctions' average price", above=0)
    tick: int = setting(20, "auctions for each decision", least=1)
    total_timesteps: int = setting(120_000, "decisions to train on", least=1, options=("--steps",))


def train(settings: Settings, progress: Progress) -> Report:
    """Train, keep the policy, and count its clicks beside RLB's and the baselines'."""
    from arena.agents.device import choose_device
    from arena.agents.learning.runs import Run
    from arena.agents.value import rtb_learned
    from arena.agents.value.rlb_comparison import compare
    from arena.envs.rtb.synthetic import synthetic_campaign
    from arena.training import one_thread

    refuse_resume(settings, "bidder")
    device, law = choose_device(settings.device), synthetic_campaign(settings.campaign)
    run, begun = Run.begin("bidder", settings), time.perf_counter()
    with one_thread():
        policy = rtb_learned.train(
            settings.algorithm, settings.campaign, auctions=settings.auctions,
            fraction=settings.budget, tick=settings.tick, steps=settings.total_timesteps,
            seed=settings.seed, device=device,
            progress=lambda done, total: progress(done, total, ""),
        )  # fmt: skip
    policy.save(run.player)
    rows = compare(
        law.campaign, law.sample(350_000, settings.seed), law.sample(300_000, settings.seed + 1),
        auctions=settings.auctions, fraction=settings.budget,
        more={settings.algorithm.upper(): rtb_learned.LearnedBidder(policy, law.campaign)},
    )  # fmt: skip
    scores = tuple(
        Score(
            row.strategy, row.score, float("nan"), "clicks", row.outcome.impressions, "impressions"
        )
        for row in rows
    )
    return Report(
        f"learned:{run.folder}", f"{settings.total_timesteps:,} decisions",
        time.perf_counter() - begun, scores,
    )  # fmt: skip
