"""Cloning of demonstrations, and the active loop around it, in runs that stop and go on exactly.

A run is a folder: ``player/`` is what plays; in ``training/`` are ``resume.safetensors`` and
``resume.json``, the optimiser and the gathered episodes, beside TensorBoard's event files.

Of ``updates`` gradient steps the first share is spent on the teacher's demonstrations; after it,
and after each further share but the last, the policy gathers episodes itself (Li et al.,
2202.01771, section 5): it explores, what it reached is relabelled in hindsight and joins what is
cloned. With ``rounds`` 0 there is one share, and all of it is plain behaviour cloning.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from arena.agents.llm.lid.episodes import Demonstration, examples, record, relabelled
from arena.agents.llm.lid.player import LidActor
from arena.agents.llm.lid.policy import (
    Init,
    LidPolicy,
    load_policy,
    make_policy,
    save_policy,
)
from arena.agents.networks.moments import moments, take_moments
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.checkpoints import fitting, read_tensors, typed, write_tensors
from arena.envs.errors import InputError
from arena.envs.files import write_json
from arena.envs.game import Game
from arena.envs.outside import read_json
from arena.envs.registry import make_game


@dataclass(frozen=True)
class LidSettings:
    """All that decides a run.

    Attributes:
        game, teacher: their specs.
        demonstrations: how many episodes of the teacher are cloned (its failures are left out).
        model, init, layers, frozen: of the body, see ``make_policy``; longest: tokens of a scene.
        history: how many of the last moves the policy sees.
        updates, batch: gradient steps, and decisions in each, drawn with replacement.
        lr: AdamW's, after a warm-up over a twentieth of the updates, falling linearly to 0.
        rounds, episodes: how often the policy gathers, and how many episodes each time.
        explore: the share of uniformly drawn moves in them; the others are drawn from the policy.
        seed: of everything.
        device: "cpu" or "cuda"; matrix products are in bfloat16 on both.
    """

    game: str
    teacher: str
    demonstrations: int = 100
    model: str = "smollm2"
    init: Init = "lm"
    layers: int = 22
    frozen: int = 16
    longest: int = 96
    history: int = 0
    updates: int = 200
    batch: int = 16
    lr: float = 3e-4
    rounds: int = 0
    episodes: int = 64
    explore: float = 0.2
    seed: int = 0
    device: str = "cpu"


Row = tuple[int, int, float, float]


@dataclass(frozen=True)
class _Past:
    """What a run has behind it, beside its tensors."""

    step: int
    curve: list[Row]
    recent: list[tuple[float, float]]
    episodes: list[Demonstration]

    def __post_init__(self) -> None:
        if self.step < 0:
            raise InputError("step of a run is 0 or more")


class LidRun:
    """A training run: made anew or read from its folder, trained for a while, stored.

    Args:
        settings: of the run.
        folder: where it is stored; None keeps nothing.

    Attributes:
        policy: what trains.
        episodes: what is cloned, the teacher's first.
        step: updates made so far.
        curve: rows of (updates, episodes cloned, loss, share of its decisions that are the
            demonstrations'), each over the updates since the last row.
    """

    def __init__(
        self, settings: LidSettings, folder: Path | None = None, policy: LidPolicy | None = None
    ) -> None:
        self.settings, self.folder = settings, folder
        self.game = _solo(settings.game)
        actions = int(self.game.action_space.n)  # type: ignore[attr-defined]
        made = policy or make_policy(
            settings.model,
            settings.init,
            layers=settings.layers,
            actions=actions,
            longest=settings.longest,
            frozen=settings.frozen,
            seed=seeding.derive(settings.seed, "weights") >> 1,
        )
        self.policy = made.to(settings.device)
        trained = [p for p in self.policy.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, weight_decay=0.01, fused=True)
        self.episodes = demonstrations(settings)
        self.step = 0
        self.curve: list[Row] = []
        self._recent: list[tuple[float, float]] = []

    def train(self, updates: int, progress: Callable[[Row], None] | None = None) -> None:
        """Go on until so many updates have been made in all, the settings' number at the most."""
        s = self.settings
        board = _board(self.folder)
        cloned = examples(self.episodes, s.history)
        while self.step < min(updates, s.updates):
            if self._gathers():
                self.episodes += self._gather()
                cloned = examples(self.episodes, s.history)
            if not cloned:
                raise InputError("no episode reached a goal: there is nothing to clone")
            dice = np.random.default_rng(seeding.derive(s.seed, "batch", self.step))
            batch = [cloned[i] for i in dice.integers(len(cloned), size=s.batch)]
            self._recent.append(self._update(batch))
            self.step += 1
            if self.step % 10 == 0 or self.step == s.updates:
                loss, right = np.mean(self._recent, 0).tolist()
                self._recent = []
                self.curve.append(row := (self.step, len(self.episodes), loss, right))
                if board is not None:
                    for name, value in zip(("episodes", "loss", "agreement"), row[1:], strict=True):
                        board.add_scalar(f"clone/{name}", value, self.step)
                if progress is not None:
                    progress(row)
        if board is not None:
            board.close()

    def _gathers(self) -> bool:
        """Whether a share of the updates has just ended, and is not the last."""
        parts = self.settings.rounds + 1
        ends = {self.settings.updates * part // parts for part in range(1, parts)}
        gathered = sum(end < self.step for end in ends)
        return self.step in ends and gathered < parts - 1

    def _gather(self) -> list[Demonstration]:
        s = self.settings
        seeds = [seeding.derive(s.seed, "gather", self.step, i) for i in range(s.episodes)]
        actor = LidActor(self.policy, history=s.history, explore=s.explore)
        with reduced(s.device):
            return relabelled(record(self.game, actor, seeds))

    def _update(self, batch: list[Any]) -> tuple[float, float]:
        """One gradient step; its loss, and the share of decisions that are the examples'."""
        s = self.settings
        warm = max(1, s.updates // 20)
        rate = s.lr * min((self.step + 1) / warm, (s.updates - self.step) / s.updates)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.policy.train()
        wanted = torch.tensor([example.action for example in batch], device=s.device)
        with reduced(s.device):
            logits = self.policy([example.sight for example in batch])
        loss = functional.cross_entropy(logits, wanted)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), 1.0)
        self.optimizer.step()
        return loss.item(), (logits.argmax(1) == wanted).float().mean().item()

    # -- storing -----------------------------------------------------------------------------------

    def save(self) -> None:
        """Write the folder; each file appears whole or not at all."""
        assert self.folder is not None
        save_policy(self.policy, self.folder / "player", asdict(self.settings))
        (self.folder / "training").mkdir(exist_ok=True)
        write_tensors(self.folder / "training" / "resume.safetensors", moments(self.optimizer))
        past = _Past(self.step, self.curve, self._recent, self.episodes)
        write_json(self.folder / "training" / "resume.json", asdict(past))

    @classmethod
    def load(cls, folder: Path) -> LidRun:
        """The run in ``folder``, ready to go on; InputError where there is none."""
        policy, facts = load_policy(folder / "player")
        run = cls(read_settings(facts, folder), folder, policy)
        tensors = read_tensors(folder / "training" / "resume.safetensors", None, framework="pt")
        file = folder / "training" / "resume.json"
        past: _Past = typed(read_json(file, most=2**28), _Past, str(file))
        with fitting(f"the run in {folder}"):
            take_moments(run.optimizer, tensors)
            actions = int(run.game.action_space.n)  # type: ignore[attr-defined]
            if not all(0 <= a < actions for one in past.episodes for a in one.actions):
                raise InputError(f"{file}: an episode has an action that the game has not")
        run.step, run.curve, run.episodes = past.step, past.curve, past.episodes
        run._recent = past.recent
        return run


def demonstrations(settings: LidSettings) -> list[Demonstration]:
    """The teacher's episodes that reached a goal; equal seeds share the first of them."""
    game = make_game(settings.game)
    seeds = [seeding.derive(settings.seed, "teach", i) for i in range(settings.demonstrations)]
    return relabelled(record(game, make_agent(settings.teacher, game), seeds)) if seeds else []


def evaluate(run: LidRun, game: str, episodes: int, *, seed: int = 1_000_003) -> float:
    """The share of ``episodes`` on fixed seeds that reach their goal, the likeliest move taken.

    Args:
        run: whose policy plays.
        game: its spec, with the same actions as the one that was trained on.
        episodes: how many; their seeds are the same for every run.
        seed: of those seeds.
    """
    seeds = [seeding.derive(seed, "evaluation", i) for i in range(episodes)]
    actor = LidActor(run.policy, history=run.settings.history, greedy=True)
    with reduced(run.settings.device):
        played = record(make_game(game), actor, seeds)
    return float(np.mean([one.won for one in played]))


def reduced(device: str) -> AbstractContextManager[Any]:
    """Matrix products in bfloat16."""
    return torch.autocast(device, torch.bfloat16)


def read_settings(facts: dict[str, Any], folder: Path) -> LidSettings:
    """The settings among a checkpoint's facts; InputError where they are not all known."""
    settings: LidSettings = typed(facts, LidSettings, f"{folder}/player/config.json")
    return settings


def _solo(spec: str) -> Game:
    game = make_game(spec)
    if game.seats != 1 or not hasattr(game.action_space, "n"):
        raise InputError(f"{spec} is not a solo game with a finite set of actions")
    return game


def _board(folder: Path | None) -> Any:
    if folder is None:
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "training"))
