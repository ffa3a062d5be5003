"""Train a bidder by stable-baselines3 (PPO or DQN) and print it beside RLB and the baselines.

It learns on synthetic episodes of one campaign; ``learned:FOLDER`` plays it in a market.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "train a bidder for markets by PPO or DQN"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--algorithm", choices=("ppo", "dqn"), default="ppo")
    parser.add_argument("--campaign", default="2997", help="a synthetic campaign (default: 2997)")
    parser.add_argument("--auctions", type=int, default=1000, metavar="N", help="of an episode")
    parser.add_argument("--budget", type=float, default=1 / 8, metavar="C0")
    parser.add_argument("--tick", type=int, default=20, help="auctions for each decision")
    parser.add_argument("--steps", type=int, default=120_000, help="decisions to train on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Train, write the policy, print the table."""
    from arena.agents.value import rtb_learned
    from arena.agents.value.rlb_comparison import compare
    from arena.cli.console import meter, show
    from arena.envs.errors import InputError
    from arena.envs.rtb.synthetic import synthetic_campaign
    from arena.training import fresh, one_thread
    from arena.training.rlb import table

    if options.steps < 1:
        raise InputError(f"--steps {options.steps} must be at least 1")
    folder = fresh(options.output)
    law = synthetic_campaign(options.campaign)
    with one_thread(), meter("steps") as progress:
        policy = rtb_learned.train(
            options.algorithm, options.campaign, auctions=options.auctions,
            fraction=options.budget, tick=options.tick, steps=options.steps, seed=options.seed,
            device=options.device, progress=progress.update,
        )  # fmt: skip
    policy.save(folder)
    with meter("comparing"):
        rows = list(
            compare(
                law.campaign,
                law.sample(350_000, options.seed),
                law.sample(300_000, options.seed + 1),
                auctions=options.auctions,
                fraction=options.budget,
                more={options.algorithm.upper(): rtb_learned.LearnedBidder(policy, law.campaign)},
            )
        )
    show(table(rows, "clicks"), keys=3)
    print(f"policy: {folder}; in a league: learned:{folder}")
    return 0
