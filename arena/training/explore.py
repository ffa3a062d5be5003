"""Train a policy by PPO on a solo game, with exploration bonuses if wanted.

    arena train explore --env "minihack?task=KeyRoom-S5" --bonus "e3b*noveld" -o runs/key-room

The folder is a checkpoint: ``ppo:runs/key-room`` plays in a league, ``--resume`` goes on exactly
where it stopped, to the run's end or, with --steps, to another, and TensorBoard shows its curves. A
bonus is a sum of products of count, episodic, noveld, ride (each with :observation, :message,
:glyphs or :position where it counts), rnd, icm, e3b, numbers, and on KeyRoom calm:JUDGE, which pays
for steps that achieve a subgoal by the word of a judge: calm:oracle (exact), calm:lm:smollm2.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "train a policy by PPO with exploration bonuses"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--env", metavar="GAME", help="a solo game's spec")
    parser.add_argument(
        "--bonus", default="", metavar="BONUS", help="e.g. e3b*noveld; none if left"
    )
    parser.add_argument("--beta", type=float, default=0.1, help="weight of the bonus (default .1)")
    parser.add_argument(
        "--steps",
        type=int,
        help="of the whole run, in all environments together; the learning rate falls linearly "
        "over them (default: 1000000, with --resume those that the run was begun with)",
    )
    parser.add_argument("--envs", type=int, default=32, help="environments (default 32)")
    parser.add_argument("--rollout", type=int, default=64, help="steps of each between updates")
    parser.add_argument("--batch", type=int, default=512, help="of an update")
    parser.add_argument("--epochs", type=int, default=4, help="over each rollout")
    parser.add_argument("--lr", type=float, default=3e-4, help="learning rate (default 3e-4)")
    parser.add_argument("--entropy", type=float, default=0.005, help="its weight (default .005)")
    parser.add_argument(
        "--size", choices=("small", "paper"), default="small", help="of the network"
    )
    parser.add_argument("--recurrent", action="store_true", help="an LSTM after the encoder")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--save-every", type=int, default=100_000, metavar="STEPS")
    parser.add_argument("--evaluate", type=int, default=100, metavar="EPISODES")
    parser.add_argument("--resume", action="store_true", help="go on with the run in FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Train, store, evaluate."""
    import numpy as np

    from arena.agents.device import choose_device
    from arena.agents.exploration.ppo import Run, Settings, evaluate
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.training import fresh, resumed_from

    counts = [options.save_every, options.evaluate]
    if min(counts if options.steps is None else [*counts, options.steps]) < 1:
        raise InputError("--steps, --save-every and --evaluate must be at least 1")
    if options.resume:
        if options.env or options.bonus:
            raise InputError(
                "--resume takes game and bonus from the folder; leave --env and --bonus"
            )
        training = Run.load(options.output, options.steps)
    else:
        if not options.env:
            raise InputError("--env is needed: a solo game's spec, such as gridworld?contexts=1")
        device = choose_device(options.device)
        settings = Settings(
            game=options.env, bonus=options.bonus, beta=options.beta, envs=options.envs,
            rollout=options.rollout, batch=options.batch, epochs=options.epochs, lr=options.lr,
            steps=options.steps or 1_000_000, entropy=options.entropy, size=options.size,
            recurrent=options.recurrent, seed=options.seed, device=device,
        )  # fmt: skip
        training = Run(settings, fresh(options.output))
    whole = training.settings.steps
    with meter("steps", resumed_from(options.output)) as progress:
        progress.update(training.steps, whole)

        def show(steps: int, mean: float, paid: float) -> None:
            progress.update(min(steps, whole), whole, f"return {mean:.3f}")

        while training.steps < whole:
            training.train(training.steps + options.save_every, show)
            training.save()
    with meter("evaluating"):
        returns = evaluate(training, options.evaluate)
    error = returns.std(ddof=1) / np.sqrt(len(returns)) if len(returns) > 1 else float("nan")
    print(
        f"{training.steps} steps; return on {len(returns)} fixed seeds {returns.mean():.3f} "
        f"± {error:.3f} (standard error)"
    )
    figures = {} if training.bonus_env is None else training.bonus_env.bonus.figures()
    if figures:
        print("bonus: " + ", ".join(f"{name} {value:.6g}" for name, value in figures.items()))
    print(f"policy: {options.output}; in a league: ppo:{options.output}")
    return 0
