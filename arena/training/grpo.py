"""Train a language model on rewards by GRPO: what its answers earn in a game, or exact matches.

    arena train grpo --game holdem --agent equity --prompt brief -o runs/grpo
    arena train grpo --game "gridworld?contexts=1" --agent random --prompt default -o runs/grpo
    arena train grpo --pokerbench DATA --share 0.5 --prompt facts --model runs/sft -o runs/grpo

In a game the model is asked at one decision of each episode, which --agent has played up to there
and plays to its end, --rollouts times for each action, on the same seeds for all of them. An answer
that names no legal action earns --illegal. The folder is a model, lm:runs/grpo plays it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, setting
from arena.envs.errors import InputError

if TYPE_CHECKING:
    from arena.agents.llm.learning.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """What it is rewarded for, and how it learns."""

    game: str = setting("", "in which one seat decides at a time")
    agent: str = setting("", "the spec of who plays the rest of the game")
    problems: int = setting(256, "how many", least=1)
    latest: int = setting(
        0, "ask about one of the decisions 0 to this of an episode (0: the first)", least=0
    )
    rollouts: int = setting(16, "of each action", least=1)
    illegal: float = setting(-1.0, "what an illegal answer earns")
    pokerbench: str = setting("", "the folder of its scenario files")
    share: float = setting(0.8, "of its train side", above=0, most=1)
    split_seed: int = setting(0, "of the split", least=0)
    by: Literal["row", "group"] = setting("row", "what is split")
    prompt: str = setting("default", "the template")
    model: str = setting("smollm2", "to begin with: a folder, hub id, smollm2 or tiny")
    updates: int = setting(100, "of the weights", least=1)
    prompts: int = setting(4, "of an update", least=1)
    group: int = setting(8, "answers to each prompt")
    learning_rate: float = setting(1e-5, "constant", above=0, options=("--lr",))
    temperature: float = setting(1.0, "of the answers", above=0)
    answer: int = setting(16, "tokens of an answer", least=1)
    beta: float = setting(0.0, "weight of the KL divergence", least=0)
    lora: int = setting(0, "rank of LoRA's adapters; 0 trains the weights themselves", least=0)
    save_every: int = setting(25, "updates between checkpoints", least=1)


def train(settings: Settings, progress: Progress) -> Report:
    """Make the problems, train the model on their rewards."""
    from arena.agents.device import choose_device
    from arena.agents.learning.runs import Run

    if settings.resume:
        run = Run.open("grpo", settings)
        settings = run.settings(Settings)
    if settings.group < 2:
        raise InputError(f"--group {settings.group}: answers are compared, which takes 2 or more")
    begun = time.perf_counter()
    device = choose_device(settings.device)
    problems = gather(settings)
    from arena.agents.llm.learning import grpo

    figures = grpo.GrpoSettings(
        model=settings.model, updates=settings.updates, prompts=settings.prompts,
        group=settings.group, lr=settings.learning_rate, temperature=settings.temperature,
        answer=settings.answer, beta=settings.beta, lora=settings.lora, seed=settings.seed,
        save_every=settings.save_every, device=device,
    )  # fmt: skip
    if not settings.resume:
        run = Run.begin("grpo", settings)
    with run.stoppable():
        rewards = grpo.train(
            problems, figures, run.folder, resume=settings.resume,
            progress=lambda done, total, mean: progress(done, total, f"reward {mean:.3f}"),
        )  # fmt: skip
    tenth = max(1, len(rewards) // 10)
    scores = tuple(
        Score(name, sum(part) / tenth, float("nan"), "reward", tenth, "updates")
        for name, part in (("first updates", rewards[:tenth]), ("last updates", rewards[-tenth:]))
    )
    asked = "" if settings.prompt == "default" else f"?prompt={settings.prompt}"
    return Report(
        f"lm:{run.folder}{asked}", f"{len(rewards)} updates", time.perf_counter() - begun, scores
    )


def gather(settings: Settings) -> list[Problem]:
    """The problems that the options name; InputError where they name none."""
    if bool(settings.game) == bool(settings.pokerbench):
        raise InputError("give --game GAME with --agent SPEC, or --pokerbench FOLDER")
    if settings.pokerbench:
        return _from_pokerbench(settings)
    if not settings.agent:
        raise InputError("--game needs --agent: who plays the rest of it, such as equity")
    from arena.agents.llm.learning.problems import situations
    from arena.agents.llm.learning.scribe import Scribe
    from arena.envs.registry import make_game

    game = make_game(settings.game)
    found = situations(
        game, settings.agent, Scribe(game, settings.prompt), count=settings.problems,
        rollouts=settings.rollouts, illegal=settings.illegal, seed=settings.seed,
        latest=settings.latest,
    )  # fmt: skip
    return list(found)


def _from_pokerbench(settings: Settings) -> list[Problem]:
    from arena.envs import seeding
    from arena.evaluation.pokerbench import lessons
    from arena.evaluation.pokerbench.rows import prompt

    template = prompt(settings.prompt)
    rows = lessons.train_side(settings.pokerbench, settings.share, settings.split_seed, settings.by)
    drawn = sorted(rows, key=lambda row: seeding.derive(settings.seed, "problem", row.key))
    return lessons.problems(drawn[: settings.problems], template)
