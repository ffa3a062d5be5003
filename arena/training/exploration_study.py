"""Train every bonus in every number of contexts with several seeds, and tabulate who solves what.

    arena train exploration_study --env gridworld?rooms=4 --contexts 1 0 --bonus none \\
        count:position episodic:position --seeds 3 --steps 400000 -o runs/study

Each run is trained alone and then plays 200 fixed seeds. The table gives the interquartile mean
over seeds with a 95 % bootstrap interval (rliable's estimators; Agarwal et al., NeurIPS 2021).
FOLDER holds ``results.json``, ``curves.png`` and each run's folder (``ppo:FOLDER/RUN`` plays);
finished runs in it are kept, so that a study can go on.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.exploration.study import StudyResult

HELP = "compare exploration bonuses over contexts and seeds"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--env", metavar="GAME", required=True, help="a spec without contexts")
    parser.add_argument("--contexts", type=int, nargs="+", default=[1, 0], help="0: a level a seed")
    parser.add_argument("--bonus", nargs="+", required=True, help="bonuses, none for none")
    parser.add_argument("--beta", type=float, default=0.01)
    parser.add_argument("--entropy", type=float, default=0.02)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--steps", type=int, default=400_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, print the table, draw the curves."""
    from arena.agents.exploration.study import draw, intervals, study
    from arena.cli.console import meter, show
    from arena.envs.errors import InputError
    from arena.training import one_thread

    if min(options.seeds, options.steps) < 1 or min(options.contexts) < 0:
        raise InputError("--seeds and --steps must be at least 1, --contexts not below 0")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with one_thread(), meter("runs", f"finished runs are kept in {options.output}") as progress:
        results = study(
            options.env, options.contexts, options.bonus, seeds,
            steps=options.steps, beta=options.beta, entropy=options.entropy, lr=options.lr,
            folder=options.output, progress=progress.update,
        )  # fmt: skip
    show(_table(results, intervals(results)), keys=2)
    draw(results, options.output / "curves.png")
    print(f"results: {options.output / 'results.json'}")
    return 0


def _table(
    results: list[StudyResult], found: dict[tuple[str, int], tuple[float, float, float]]
) -> Any:
    from arena.cli.console import table

    rows = table("bonus", "contexts>", "IQM>", "95 %^", "mean>", "seeds")
    for (bonus, contexts), (middle, low, high) in found.items():
        values = [r.score for r in results if (r.bonus, r.contexts) == (bonus, contexts)]
        rows.add_row(
            bonus or "none",
            str(contexts or "∞"),
            f"{middle:.2f}",
            f"{low:.2f} – {high:.2f}" if len(values) > 1 else "–",
            f"{sum(values) / len(values):.2f}",
            " ".join(f"{value:.2f}" for value in values),
        )
    return rows
