"""Clone a scripted player into a policy that begins as a language model (LID, 2202.01771).

    arena train lid --game errand --teacher courier --demonstrations 100 -o runs/lid
    arena train lid --game errand --teacher courier --demonstrations 25 --rounds 3 -o runs/active

With --rounds the policy also gathers episodes itself: what it reached, meant or not, is relabelled
in hindsight and cloned as well. The folder is a checkpoint: ``lid:runs/lid`` plays in a league,
--resume goes on exactly where it stopped, and TensorBoard shows its curves.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any, Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, setting
from arena.envs.errors import InputError

_EVERY = 50  # updates between checkpoints


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """Of cloning, and of gathering where there are rounds of it."""

    game: str = setting("", "the spec of a solo game")
    teacher: str = setting("", "the spec of who is imitated")
    demonstrations: int = setting(100, "episodes of the teacher", least=1)
    model: str = setting("smollm2", "a folder, hub id, smollm2 or tiny")
    init: Literal["lm", "random"] = setting("lm", "of the body")
    layers: int = setting(22, "of the model, 0: all", least=0)
    frozen: int = setting(16, "of them, the first", least=0)
    history: int = setting(0, "moves that are shown", least=0)
    longest: int = setting(96, "tokens of an observation", least=1)
    updates: int = setting(200, "gradient steps", least=1)
    batch_size: int = setting(16, "decisions in each", least=1, options=("--batch",))
    learning_rate: float = setting(3e-4, "AdamW's highest", above=0, options=("--lr",))
    rounds: int = setting(0, "of gathering", least=0)
    episodes: int = setting(64, "gathered in a round", least=1)
    explore: float = setting(0.2, "share of random moves in them", least=0, most=1)
    evaluate: int = setting(100, "episodes of the evaluation", least=1)


def train(settings: Settings, progress: Progress) -> Report:
    """Clone, store, evaluate."""
    import numpy as np

    from arena.agents.device import choose_device
    from arena.agents.learning.runs import Run
    from arena.agents.llm.lid import run as lid
    from arena.training import one_thread

    begun = time.perf_counter()
    with one_thread():
        if settings.resume:
            run = Run.open("lid", settings)
            settings = run.settings(Settings)
            training = lid.Run.load(run.folder)
        else:
            if not settings.game or not settings.teacher:
                raise InputError("--game and --teacher are needed, such as errand and courier")
            figures = lid.Settings(
                game=settings.game, teacher=settings.teacher, init=settings.init,
                lr=settings.learning_rate, demonstrations=settings.demonstrations,
                rounds=settings.rounds, seed=settings.seed, model=settings.model,
                layers=settings.layers, frozen=settings.frozen, history=settings.history,
                longest=settings.longest, updates=settings.updates, batch=settings.batch_size,
                episodes=settings.episodes, explore=settings.explore,
                device=choose_device(settings.device),
            )  # fmt: skip
            run = Run.begin("lid", settings)
            training = lid.Run(figures, run.folder)
        total = training.settings.updates

        def show(row: tuple[int, int, float, float]) -> None:
            progress(row[0], total, f"{row[1]} episodes, loss {row[2]:.3f}")

        with run.stoppable():
            while training.step < total:
                training.train(training.step + _EVERY, show)
                training.save()
        share = lid.evaluate(training, training.settings.game, settings.evaluate)
    error = float(np.sqrt(share * (1 - share) / settings.evaluate))
    score = Score("goals reached", share, error, "of 1", settings.evaluate, "fixed episodes")
    done = f"{total} updates on {len(training.episodes)} episodes"
    return Report(f"lid:{run.folder}", done, time.perf_counter() - begun, (score,))


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
