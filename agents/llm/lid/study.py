"""Does it help that a policy begins as a language model? Arms by initialisations by seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student
from torch import Tensor

from arena.agents.llm.lid.policy import Sight
from arena.agents.llm.lid.run import Run, Settings, evaluate
from arena.envs.checkpoints import read_list
from arena.envs.errors import InputError
from arena.envs.files import write_json

SPLITS = ("known", "pairs", "words")
ROUNDS = 3
# What a policy begins as. A frozen layer of random weights may be a burden rather than a help, so
# "whole" are the same random weights with all of them training.
INITS: Mapping[str, Mapping[str, Any]] = {
    "lm": {"init": "lm"},
    "random": {"init": "random"},
    "whole": {"init": "random", "frozen": 0},
}
Cell = tuple[str, str]


@dataclass(frozen=True)
class LidResult:
    """One run.

    Attributes:
        arm: ``clone:N`` or ``active:N``, N demonstrations; init: one of ``INITS``.
        settings: all of the run's.
        scores: by the goals that were drawn, the share that was reached at the end.
        curve: (updates, episodes cloned, share of known goals reached).
    """

    arm: str
    init: str
    settings: dict[str, Any]
    scores: dict[str, float]
    curve: list[list[float]]

    @property
    def cell(self) -> Cell:
        """Arm and initialisation: what a study compares."""
        return self.arm, self.init


def study(
    base: Settings,
    arms: Sequence[str],
    rates: Mapping[str, float],
    seeds: Iterable[int],
    *,
    episodes: int,
    folder: Path,
    progress: Callable[[int, int, str], None],
) -> list[LidResult]:
    """Train what ``folder/results.json`` does not hold yet; all results that were asked for.

    Within a seed all runs are taught by the same episodes (a smaller number is the beginning of a
    larger one), draw batches by the same numbers and are judged on the same rooms.

    Args:
        base: what all runs share; its game takes the option ``goals``.
        arms: ``clone:N`` clones N demonstrations; ``active:N`` begins so and gathers in three
            rounds, with as many updates in all.
        rates: of ``INITS`` those that are compared, with the learning rate of each.
        seeds: of the runs.
        episodes: how many judge a run, of each kind of goal.
        folder: of the results.
        progress: told what is done, of how many, and what is next.

    Raises:
        InputError: for an arm that is none, or results that are none.
    """
    path = folder / "results.json"
    done: list[LidResult] = read_list(path, LidResult) if path.exists() else []
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(product(seeds, arms, rates))
    features: dict[tuple[str, int], dict[Sight, Tensor]] = {}  # of runs with equal frozen layers
    chosen = []
    for number, (seed, arm, init) in enumerate(wanted):
        settings = replace(base, lr=rates[init], seed=seed, **_arm(arm), **INITS[init])
        progress(number, len(wanted), f"{arm}, {init}, seed {seed}")
        found = next((r for r in done if r.settings == asdict(settings)), None)
        if found is None:
            shared = features.setdefault((init, seed), {})
            found = _result(arm, init, settings, episodes, shared)
            done.append(found)
            write_json(path, [asdict(r) for r in done])
        chosen.append(found)
    progress(len(wanted), len(wanted), "")
    return chosen


def _result(
    arm: str, init: str, settings: Settings, episodes: int, features: dict[Sight, Tensor]
) -> LidResult:
    run = Run(settings)
    run.policy.features = features
    curve: list[list[float]] = []
    for part in range(1, ROUNDS + 2):
        run.train(settings.updates * part // (ROUNDS + 1))
        known = evaluate(run, f"{settings.game}?goals=known", episodes)
        curve.append([run.step, len(run.episodes), known])
    scores = {
        goals: evaluate(run, f"{settings.game}?goals={goals}", episodes) for goals in SPLITS[1:]
    }
    return LidResult(arm, init, asdict(settings), {SPLITS[0]: known} | scores, curve)


def _arm(text: str) -> dict[str, Any]:
    """The settings of an arm."""
    kind, _, number = text.partition(":")
    if kind not in ("clone", "active") or not number.isdigit() or int(number) < 1:
        raise InputError(f"arm {text!r} is neither clone:N nor active:N with N demonstrations")
    return {"demonstrations": int(number), "rounds": ROUNDS if kind == "active" else 0}


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The mean over seeds and its 95 % interval by Student's t (nan where there is one seed)."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    error = float(np.std(values, ddof=1)) / np.sqrt(len(values))
    half = float(student.ppf(0.975, len(values) - 1) * error)
    return mean, mean - half, mean + half


def by_cell(results: Sequence[LidResult], goals: str) -> dict[Cell, list[float]]:
    """Scores by arm and initialisation, in the order of the seeds."""
    found: dict[Cell, list[float]] = {}
    for result in results:
        found.setdefault(result.cell, []).append(result.scores[goals])
    return found


_LINES = {"lm": "-", "random": "--", "whole": ":"}
_HATCHES = {"lm": None, "random": "///", "whole": "..."}


def draw(results: Sequence[LidResult], path: Path) -> None:
    """Success over updates, means and ranges over seeds; and at the end, by kind of goal."""
    from matplotlib.figure import Figure

    cells = list(dict.fromkeys(r.cell for r in results))
    arms = list(dict.fromkeys(arm for arm, _ in cells))
    figure = Figure(figsize=(11, 4), layout="constrained")
    over, end = figure.subplots(1, 2, sharey=True)
    for cell in cells:
        arm, init = cell
        style = {"color": f"C{arms.index(arm)}", "linestyle": _LINES[init]}
        curves = np.array([r.curve for r in results if r.cell == cell])
        updates, success = curves[0, :, 0], curves[:, :, 2]
        over.plot(
            updates, success.mean(0), marker="o", markersize=3, label=f"{arm}, {init}", **style
        )
        over.fill_between(updates, success.min(0), success.max(0), color=style["color"], alpha=0.12)
    width = 0.8 / len(cells)
    for number, cell in enumerate(cells):
        places = np.arange(len(SPLITS)) + (number - (len(cells) - 1) / 2) * width
        scores = [by_cell(results, goals)[cell] for goals in SPLITS]
        color, hatch = f"C{arms.index(cell[0])}", _HATCHES[cell[1]]
        means = [float(np.mean(values)) for values in scores]
        end.bar(
            places, means, width * 0.92, color=color, alpha=0.55, hatch=hatch, edgecolor="white"
        )
        for place, values in zip(places, scores, strict=True):
            end.plot([place] * len(values), values, "k.", markersize=4)
    end.set_xticks(range(len(SPLITS)), ["known goals", "kept-back pairs", "other words"])
    over.set_xlabel("updates")
    over.set_ylabel("goals reached")
    over.set_title("known goals, rooms not seen before")
    end.set_title("at the end")
    over.set_ylim(0, 1.02)
    for panel in (over, end):
        panel.axhline(0.25, color="grey", linewidth=0.8, linestyle=":")
    over.legend(fontsize="small")
    figure.savefig(path, dpi=110)
