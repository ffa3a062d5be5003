"""Solve all of heads-up Hold'em in coarse: a blueprint by Monte-Carlo CFR over buckets of hands.

    arena train blueprint --game "holdem?stack=20" --minutes 30 -o runs/blueprint

External sampling (Lanctot et al., 2009) over the game's own bets (``betting``) and hands by their
share of the pot (``buckets``); in each round of iterations what was learned before counts less, so
that early play is forgotten (linear CFR, as Pluribus did it). ``blueprint:RUN`` plays the average
strategy, ``search:RUN`` solves each river afresh. It takes as much memory as ``--memory`` allows
and as long as ``--minutes`` says, and resumes where it was.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.device import choose_device
from arena.agents.learning.evaluation import evaluate
from arena.agents.learning.report import Progress, Report
from arena.agents.learning.runs import Board, Run
from arena.agents.learning.settings import Common, setting
from arena.agents.solvers import beliefs, buckets
from arena.agents.solvers.abstraction import (
    CONFIG,
    FILE,
    Abstraction,
    Blueprint,
    BlueprintFacts,
    Kernel,
)
from arena.agents.solvers.betting import DECIDE, FOLD
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Ints
from arena.envs.holdem.evaluator import evaluate7
from arena.envs.registry import named_game
from arena.envs.seeding import word

Numbers = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """All that decides a blueprint."""

    game: str = setting(
        "holdem?stack=20", "single hands for two; its menu is what is bet", options=("--env",)
    )
    buckets: tuple[int, ...] = setting((40, 40, 40), "of hands on flop, turn and river")
    minutes: float = setting(10.0, "of processor time in all", above=0)
    iterations: int = setting(0, "stop after so many deals; 0: no limit but time", least=0)
    memory: float = setting(2.0, "GiB that may be used", above=0, record=False)
    round_size: int = setting(20_000, "deals between two discounts of what went before", least=1)
    save_seconds: float = setting(
        60, "at least so long between two checkpoints on disk", least=0, record=False
    )
    evaluate: tuple[str, ...] = setting(
        ("call", "tag", "lag", "equity", "pushfold"), "agents that the report plays against"
    )
    report_deals: int = setting(1000, "deals of the report, each in both seats", least=2)


def train(settings: Settings, progress: Progress) -> Report:
    """Solve for ``minutes``, or ``iterations``.

    Raises InputError where the game does not fit, or is too large for the memory.
    """
    if settings.device == "cuda":
        choose_device("cuda")  # where there is none, that is the reason
        raise InputError("a blueprint is solved on the processor; leave --device out")
    if settings.resume:
        run = Run.open("blueprint", settings)
        solver = BlueprintSolver(
            dataclasses.replace(run.settings(Settings), memory=settings.memory)
        )
        solver.restore(*run.load_state())
    else:
        solver = BlueprintSolver(settings)
        run = Run.begin("blueprint", settings)
    settings, begun = solver.settings, time.perf_counter()
    with closing(Board(run, track=False)) as board, run.keeping(settings.save_seconds) as keep:
        while not solver.over:
            solver.round()
            keep(*solver.state())
            board.log({"charts/seconds": solver.seconds}, solver.done)
            progress(*solver.progress, f"{solver.done:,} deals")
    solver.save(run)
    player = Blueprint(solver.game, str(run.folder))
    scores = evaluate(
        player, solver.game, settings.evaluate, settings.report_deals,
        seeding.derive(settings.seed, "report"),
    )  # fmt: skip
    done = f"{solver.done:,} deals, {solver.seconds:.0f} s of the processor"
    return Report(f"blueprint:{run.folder}", done, time.perf_counter() - begun, tuple(scores))


class BlueprintSolver:
    """MCCFR at work.

    Attributes:
        done: deals so far; seconds: of processor time.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        spec, game = named_game(settings.game)
        self.spec, self.game = spec, beliefs.require_heads_up(game)
        if len(settings.buckets) != 3 or not all(1 <= n <= 5000 for n in settings.buckets):
            raise InputError("--buckets are three numbers from 1 to 5,000: flop, turn, river")
        self.limits = buckets.limits(np.array(settings.buckets), settings.seed)
        self.abstraction = Abstraction(self.game, self.limits)
        size = self.abstraction.size
        if 4 * 8 * size > settings.memory * 2**30:
            raise InputError(
                f"this takes {4 * 8 * size / 2**30:.1f} GiB; --memory allows {settings.memory:g}. "
                "Fewer --buckets, a shorter stack or fewer sizes in the game's menu take less"
            )
        self.regrets, self.sums = np.zeros(size, np.float32), np.zeros(size, np.float32)
        self.done, self.seconds = 0, 0.0

    @property
    def progress(self) -> tuple[int, int]:
        """How much is done, of how much."""
        if self.settings.iterations:
            return self.done, self.settings.iterations
        return min(round(self.seconds), self._allowed), self._allowed

    @property
    def _allowed(self) -> int:
        return math.ceil(60 * self.settings.minutes)

    @property
    def over(self) -> bool:
        """Whether it has worked long enough."""
        limit = self.settings.iterations
        return bool(limit and self.done >= limit) or self.seconds >= 60 * self.settings.minutes

    def round(self) -> None:
        """One round of deals, each walked for both seats; then all of it counts less."""
        count, begun = self.settings.round_size, time.process_time()
        seed = np.uint64(seeding.derive(self.settings.seed, "deals", self.done))
        _deals(self.abstraction.kernel, seed, count, self.regrets, self.sums)
        self.done += count
        rounds = np.float32(self.done / count)
        self.regrets *= rounds / (rounds + 1)
        self.sums *= rounds / (rounds + 1)
        self.seconds += time.process_time() - begun

    def save(self, run: Run) -> None:
        """Write what plays."""
        from safetensors.numpy import save

        facts = BlueprintFacts(self.spec, self.settings.buckets, self.done)
        run.save_player(CONFIG, json.dumps(dataclasses.asdict(facts), indent=1).encode() + b"\n")
        strategy = _average(self.abstraction.kernel, self.regrets, self.sums)
        parts = {f"limits{street}": part for street, part in enumerate(self.limits, 1)}
        run.save_player(FILE, save({"strategy": strategy.astype(np.float16), **parts}))

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """All that the rest follows from."""
        import torch

        tensors = {"regrets": self.regrets, "sums": self.sums}
        kept = {name: torch.from_numpy(values.copy()) for name, values in tensors.items()}
        return kept, {"done": self.done, "seconds": self.seconds}

    def restore(self, tensors: dict[str, Any], facts: dict[str, Any]) -> None:
        """Take ``state`` back."""
        for name in ("regrets", "sums"):
            if len(tensors[name]) != self.abstraction.size:
                raise InputError("what the run would resume from is of another game or --buckets")
        self.regrets, self.sums = tensors["regrets"].numpy(), tensors["sums"].numpy()
        self.done, self.seconds = facts["done"], facts["seconds"]


# -- kernels ---------------------------------------------------------------------------------------


@numba.njit(cache=False)
def _deals(kernel: Kernel, seed: np.uint64, count: int, regrets: Numbers, sums: Numbers) -> None:
    cards, own = np.empty(9, np.int64), np.empty(7, np.int64)
    held, strength = np.empty((2, 4), np.int64), np.empty(2, np.int64)
    counter = np.zeros(1, np.int64)
    for _ in range(count):
        counter[0] = buckets.deal(seed, counter[0], cards)
        for seat in range(2):
            own[:2], own[2:] = cards[2 * seat : 2 * seat + 2], cards[4:]
            held[seat, 0] = buckets.bucket(own, 0, kernel.flop)
            held[seat, 1] = buckets.bucket(own, 3, kernel.flop)
            held[seat, 2] = buckets.bucket(own, 4, kernel.turn)
            held[seat, 3] = buckets.bucket(own, 5, kernel.river)
            strength[seat] = evaluate7(own)
        for player in range(2):
            _walk(kernel, 0, player, held, strength, seed, counter, regrets, sums)


@numba.njit(cache=False)
def _walk(
    kernel: Kernel, node: int, player: int, held: Ints, strength: Ints, seed: np.uint64,
    counter: Ints, regrets: Numbers, sums: Numbers,
) -> float:  # fmt: skip
    """What comes of a node for ``player``, whose actions are all walked; the other's are drawn."""
    tree = kernel.tree
    kind, seat, amount = tree.kind[node], tree.seat[node], tree.amount[node]
    if kind == FOLD:
        return float(-amount if seat == player else amount)
    if kind != DECIDE:
        ahead = strength[player] - strength[1 - player]
        return float(amount if ahead > 0 else -amount if ahead < 0 else 0.0)
    width, first = tree.width[node], tree.first[node]
    row = kernel.row[node] + held[seat, tree.street[node]] * width
    strategy, total = np.empty(width), 0.0
    for k in range(width):
        strategy[k] = max(regrets[row + k], np.float32(0))
        total += strategy[k]
    for k in range(width):
        strategy[k] = strategy[k] / total if total > 0 else 1.0 / width
    if seat != player:
        left = float(word(seed, counter[0]) >> np.uint64(11)) * 2.0**-53
        counter[0] += 1
        taken = width - 1
        for k in range(width):
            sums[row + k] += strategy[k]
            left -= strategy[k]
            if left < 0.0 and taken == width - 1:
                taken = k
        return _walk(kernel, first + taken, player, held, strength, seed, counter, regrets, sums)
    worth, mean = np.empty(width), 0.0
    for k in range(width):
        worth[k] = _walk(kernel, first + k, player, held, strength, seed, counter, regrets, sums)
        mean += strategy[k] * worth[k]
    for k in range(width):
        regrets[row + k] += worth[k] - mean
    return mean


@numba.njit(cache=True)
def _average(kernel: Kernel, regrets: Numbers, sums: Numbers) -> Numbers:
    """The average strategy; where the walk never came, what regrets say, or all alike."""
    found, tree = np.empty_like(sums), kernel.tree
    for node in range(len(tree.kind)):
        if tree.kind[node] != DECIDE:
            continue
        width = tree.width[node]
        for held in range(kernel.counts[tree.street[node]]):
            row = kernel.row[node] + held * width
            total, positive = 0.0, 0.0
            for k in range(row, row + width):
                total += sums[k]
                positive += max(regrets[k], np.float32(0))
            for k in range(row, row + width):
                if total > 0:
                    found[k] = sums[k] / total
                elif positive > 0:
                    found[k] = max(regrets[k], np.float32(0)) / positive
                else:
                    found[k] = 1.0 / width
    return found
