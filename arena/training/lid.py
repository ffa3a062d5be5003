"""Clone a scripted player into a policy that begins as a language model (LID, 2202.01771).

    arena train lid --game errand --teacher courier --demonstrations 100 -o runs/lid
    arena train lid --game errand --teacher courier --demonstrations 25 --rounds 3 -o runs/active

With --rounds the policy also gathers episodes itself: what it reached, meant or not, is relabelled
in hindsight and cloned as well. ``lid:RUN`` plays what was learned. --evaluate-on judges it by
other goals, too: in errand by pairs of words that no goal had (``errand?goals=pairs``).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, setting
from arena.envs.errors import InputError

if TYPE_CHECKING:
    from arena.agents.llm.lid.run import LidRun

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
    evaluate_on: tuple[str, ...] = setting((), "specs of games to be judged on (default: the game)")


def train(settings: Settings, progress: Progress) -> Report:
    """Clone, store, evaluate."""
    from arena.agents.device import choose_device
    from arena.agents.learning import runs
    from arena.agents.llm.lid import run as lid
    from arena.training import one_thread

    begun = time.perf_counter()
    with one_thread():
        if settings.resume:
            run = runs.Run.open("lid", settings)
            settings = run.settings(Settings)
            training = lid.LidRun.load(run.folder)
        else:
            if not settings.game or not settings.teacher:
                raise InputError("--game and --teacher are needed, such as errand and courier")
            figures = lid.LidSettings(
                game=settings.game, teacher=settings.teacher, init=settings.init,
                lr=settings.learning_rate, demonstrations=settings.demonstrations,
                rounds=settings.rounds, seed=settings.seed, model=settings.model,
                layers=settings.layers, frozen=settings.frozen, history=settings.history,
                longest=settings.longest, updates=settings.updates, batch=settings.batch_size,
                episodes=settings.episodes, explore=settings.explore,
                device=choose_device(settings.device),
            )  # fmt: skip
            run = runs.Run.begin("lid", settings)
            training = lid.LidRun(figures, run.folder)
        total = training.settings.updates

        def show(row: tuple[int, int, float, float]) -> None:
            progress(row[0], total, f"{row[1]} episodes, loss {row[2]:.3f}")

        with run.stoppable():
            while training.step < total:
                training.train(training.step + _EVERY, show)
                training.save()
        games = settings.evaluate_on or (training.settings.game,)
        scores = tuple(_score(training, game, settings.evaluate) for game in games)
    done = f"{total} updates on {len(training.episodes)} episodes"
    return Report(f"lid:{run.folder}", done, time.perf_counter() - begun, scores)


def _score(training: LidRun, game: str, episodes: int) -> Score:
    from arena.agents.llm.lid.run import evaluate

    share = evaluate(training, game, episodes)
    error = (share * (1 - share) / episodes) ** 0.5
    return Score(f"goals reached in {game}", share, error, "of 1", episodes, "fixed episodes")
