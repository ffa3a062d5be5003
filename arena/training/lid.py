"""Clone a scripted player into a policy that begins as a language model (LID, 2202.01771).

    arena train lid --game errand --teacher courier --demonstrations 100 -o runs/lid
    arena train lid --game errand --teacher courier --demonstrations 25 --rounds 3 -o runs/active

With --rounds the policy also gathers episodes itself: what it reached, meant or not, is relabelled
in hindsight and cloned as well. The folder is a checkpoint: ``lid:runs/lid`` plays in a league,
--resume goes on exactly where it stopped, and TensorBoard shows its curves.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

HELP = "clone demonstrations into a policy that begins as a language model"
_EVERY = 50


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--game", metavar="GAME", help="a solo game's spec")
    parser.add_argument("--teacher", metavar="AGENT", help="the spec of who is imitated")
    parser.add_argument("--demonstrations", type=int, default=100, metavar="EPISODES")
    add_training(parser)
    parser.add_argument("--init", choices=("lm", "random"), default="lm", help="of the body")
    parser.add_argument("--lr", type=float, default=3e-4, help="learning rate (default 3e-4)")
    parser.add_argument("--rounds", type=int, default=0, help="of gathering (default: none)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evaluate", type=int, default=100, metavar="EPISODES")
    parser.add_argument("--resume", action="store_true", help="go on with the run in FOLDER")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def add_training(parser: argparse.ArgumentParser) -> None:
    """Declare the options that a run shares with a study of runs."""
    parser.add_argument("--model", default="smollm2", help="a folder, hub id, smollm2 or tiny")
    parser.add_argument("--layers", type=int, default=22, help="of the model, 0: all (default 22)")
    parser.add_argument("--frozen", type=int, default=16, help="of them (default the first 16)")
    parser.add_argument(
        "--history", type=int, default=0, help="moves that are shown (default none)"
    )
    parser.add_argument("--longest", type=int, default=96, help="tokens of an observation")
    parser.add_argument("--updates", type=int, default=200, help="gradient steps (default 200)")
    parser.add_argument("--batch", type=int, default=16, help="decisions in each (default 16)")
    parser.add_argument("--episodes", type=int, default=64, help="gathered in a round")
    parser.add_argument("--explore", type=float, default=0.2, help="share of random moves in them")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")


def shared(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that ``add_training`` asks for, checked."""

    from arena.agents.device import choose_device
    from arena.envs.errors import InputError

    for name in ("updates", "batch", "episodes", "longest"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name} must be at least 1")
    for name in ("layers", "frozen", "history"):
        if getattr(options, name) < 0:
            raise InputError(f"--{name} must not be below 0")
    if not 0 <= options.explore <= 1:
        raise InputError(f"--explore {options.explore:g} must lie between 0 and 1")
    device = choose_device(options.device)
    names = [
        "model",
        "layers",
        "frozen",
        "history",
        "longest",
        "updates",
        "batch",
        "episodes",
        "explore",
    ]
    return {name: getattr(options, name) for name in names} | {"device": device}


def run(options: argparse.Namespace) -> int:
    """Train, store, evaluate."""
    import numpy as np

    from arena.agents.llm.lid.run import Run, Settings, evaluate
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.training import fresh, one_thread, resumed_from

    if min(options.demonstrations, options.evaluate) < 1 or options.rounds < 0:
        raise InputError("--demonstrations and --evaluate must be at least 1, --rounds at least 0")
    with one_thread(), meter("updates", resumed_from(options.output)) as progress:
        if options.resume:
            if options.game or options.teacher:
                raise InputError(
                    "--resume takes game and teacher from the folder; leave --game and --teacher"
                )
            training = Run.load(options.output)
        else:
            if not options.game or not options.teacher:
                raise InputError("--game and --teacher are needed, such as errand and courier")
            settings = Settings(
                game=options.game, teacher=options.teacher, init=options.init, lr=options.lr,
                demonstrations=options.demonstrations, rounds=options.rounds, seed=options.seed,
                **shared(options),
            )  # fmt: skip
            training = Run(settings, fresh(options.output))
        total = training.settings.updates

        def show(row: tuple[int, int, float, float]) -> None:
            progress.update(row[0], total, f"{row[1]} episodes, loss {row[2]:.3f}")

        while training.step < total:
            training.train(training.step + _EVERY, show)
            training.save()
    with one_thread(), meter("evaluating"):
        share = evaluate(training, training.settings.game, options.evaluate)
    error = np.sqrt(share * (1 - share) / options.evaluate)
    print(
        f"{total} updates on {len(training.episodes)} episodes; goals reached in "
        f"{options.evaluate} fixed episodes {share:.3f} ± {error:.3f} (standard error)"
    )
    print(f"policy: {options.output}; in a league: lid:{options.output}")
    return 0
