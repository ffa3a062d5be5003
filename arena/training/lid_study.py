"""Train policies that begin as a language model, and the same with random weights; compare them.

    arena train lid_study --arms clone:25 clone:100 active:25 --seeds 3 -o runs/lid-study

An arm clones so many demonstrations, or begins with them and gathers by itself (active). All is
judged on known goals in new rooms, on pairs of words that no goal of the training had, and on goals
in other words. FOLDER holds ``results.json`` and ``curves.png``; finished runs in it are kept, so
that a study can go on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.llm.lid.study import LidResult

HELP = "compare policies that begin as a language model with random ones"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    from arena.training.lid import add_training

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--arms", nargs="+", metavar="ARM", required=True)
    add_training(parser)
    parser.add_argument("--lr", type=float, default=3e-4, help="of the language model")
    parser.add_argument("--random-lr", type=float, default=3e-4, help="of random weights")
    parser.add_argument(
        "--init", nargs="+", choices=("lm", "random", "whole"), default=["lm", "random"],
        help="of the weights; whole: random, and no layer frozen",
    )  # fmt: skip
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--evaluate", type=int, default=64, metavar="EPISODES")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, print the table, draw the curves."""
    from arena.agents.llm.lid.run import Settings
    from arena.agents.llm.lid.study import draw, study
    from arena.cli.console import meter, show
    from arena.envs.errors import InputError
    from arena.training import one_thread
    from arena.training.lid import shared

    if min(options.seeds, options.evaluate) < 1:
        raise InputError("--seeds and --evaluate must be at least 1")
    base = Settings(game="errand", teacher="courier", **shared(options))
    rates = {init: options.lr if init == "lm" else options.random_lr for init in options.init}
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with one_thread(), meter("runs", f"finished runs are kept in {options.output}") as progress:
        results = study(
            base, options.arms, rates, seeds,
            episodes=options.evaluate, folder=options.output, progress=progress.update,
        )  # fmt: skip
    show(_table(results), keys=3)
    draw(results, options.output / "curves.png")
    print(f"results: {options.output / 'results.json'}, {options.output / 'curves.png'}")
    return 0


def _table(results: list[LidResult]) -> Any:
    from arena.agents.llm.lid.study import SPLITS, by_cell, interval
    from arena.cli.console import table

    rows = table("goals", "arm", "init", "reached>", "95 %^", "by seed")
    for goals in SPLITS:
        for (arm, init), values in by_cell(results, goals).items():
            mean, low, high = interval(values)
            seeds = " ".join(f"{value:.2f}" for value in values)
            rows.add_row(goals, arm, init, f"{mean:.2f}", f"{low:.2f} – {high:.2f}", seeds)
    return rows
