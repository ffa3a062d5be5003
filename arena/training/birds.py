"""Train a builder of letters by PPO with action masks.

It learns to drop block after block; ``birds_ppo:FOLDER`` plays it in a league of ``science_birds``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "train a builder of Science Birds letters by PPO"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--steps", type=int, default=500_000, help="drops to train on")
    parser.add_argument("--letters", default="ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    parser.add_argument("--drops", type=int, default=40, help="blocks a level at most")
    parser.add_argument("--tables", type=int, default=64, help="levels built at a time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Train, write the checkpoint, print what the last episodes scored."""
    from arena.agents.generators.maskable_ppo import train
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.training import fresh, one_thread

    if options.steps < 1 or options.tables < 1:
        raise InputError("--steps and --tables must be at least 1")
    folder = fresh(options.output)
    with one_thread(), meter("steps") as progress:
        score = train(
            folder, steps=options.steps, letters=options.letters, drops=options.drops,
            tables=options.tables, seed=options.seed, progress=progress.update,
        )  # fmt: skip
    print(f"mean score of the last episodes: {100 * score:.1f} of 100")
    print(f"policy: {folder}; in a league: birds_ppo:{folder}")
    return 0
