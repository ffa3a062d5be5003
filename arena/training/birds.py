"""Train a builder of letters by PPO with action masks.

It learns to drop block after block; ``birds_ppo:FOLDER`` plays it in a league of ``science_birds``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, refuse_resume, setting


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """Of MaskablePPO, on levels that are built side by side."""

    total_timesteps: int = setting(500_000, "drops to train on", least=1, options=("--steps",))
    letters: str = setting("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "that are built")
    drops: int = setting(40, "blocks of a level at most", least=1)
    num_envs: int = setting(64, "levels that are built at a time", least=1, options=("--tables",))


def train(settings: Settings, progress: Progress) -> Report:
    """Train, and keep the policy."""
    from arena.agents.generators import maskable_ppo
    from arena.agents.learning.runs import Run
    from arena.training import one_thread

    refuse_resume(settings, "birds")
    run, begun = Run.begin("birds", settings), time.perf_counter()
    with one_thread():
        score = maskable_ppo.train(
            run.player, steps=settings.total_timesteps, letters=settings.letters,
            drops=settings.drops, tables=settings.num_envs, seed=settings.seed,
            progress=lambda done, total: progress(done, total, ""),
        )  # fmt: skip
    return Report(
        f"birds_ppo:{run.folder}", f"{settings.total_timesteps:,} drops",
        time.perf_counter() - begun,
        (Score("last episodes", 100 * score, float("nan"), "of 100", 200, "episodes"),),
    )  # fmt: skip
