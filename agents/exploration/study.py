"""Many training runs and what they come to: bonuses by contexts by seeds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, trim_mean

from arena.agents.exploration.ppo import Run, Settings, evaluate
from arena.envs.errors import InputError
from arena.envs.files import write_json

EPISODES = 200
Key = tuple[str, int]


@dataclass(frozen=True)
class StudyResult:
    """One run: its settings, its curve (steps, task return), and the mean return at the end."""

    game: str
    bonus: str
    contexts: int
    seed: int
    steps: int
    beta: float
    entropy: float
    lr: float
    score: float
    curve: list[tuple[int, float]]


def study(
    game: str,
    contexts: Sequence[int],
    bonuses: Sequence[str],
    seeds: Sequence[int],
    *,
    steps: int,
    beta: float,
    entropy: float,
    lr: float,
    folder: Path,
    progress: Callable[[int, int, str], None],
) -> list[StudyResult]:
    """Train what ``folder/results.json`` does not hold yet; all results that were asked for.

    Each run is stored in a folder of its own inside, as one that plays and can go on.
    """
    path = folder / "results.json"
    done: list[StudyResult] = []
    if path.exists():
        try:
            done = [StudyResult(**row) for row in json.loads(path.read_text())]
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} holds no results of a study: {error}") from None
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(product(seeds, contexts, ("" if b == "none" else b for b in bonuses)))
    chosen = []
    for number, (seed, count, bonus) in enumerate(wanted):
        facts = {
            "game": game, "bonus": bonus, "contexts": count, "seed": seed, "steps": steps,
            "beta": beta, "entropy": entropy, "lr": lr,
        }  # fmt: skip
        title = f"{bonus or 'none'}, contexts {count or '∞'}, seed {seed}"
        progress(number, len(wanted), title)
        found = next((r for r in done if facts.items() <= asdict(r).items()), None)
        if found is None:
            spec = f"{game}{',' if '?' in game else '?'}contexts={count}"
            name = re.sub("[^a-z0-9]+", "-", bonus or "none")
            run = Run(
                Settings(spec, bonus, beta, entropy=entropy, lr=lr, steps=steps, seed=seed),
                folder / f"{name}-contexts-{count}-seed-{seed}",
            )

            def show(
                taken: int, mean: float, _: float, at: int = number, note: str = title
            ) -> None:
                progress(at, len(wanted), f"{note}: {taken} steps, return {mean:.3f}")

            run.train(progress=show)
            run.save()
            run.model.logger.close()
            score = float(evaluate(run, EPISODES).mean())
            curve = [(n, round(mean, 4)) for n, mean, _ in run.curve if mean == mean]
            found = StudyResult(**facts, score=score, curve=curve[::4])  # type: ignore[arg-type]
            done.append(found)
            write_json(path, [asdict(r) for r in done])
        chosen.append(found)
    progress(len(wanted), len(wanted), "")
    return chosen


def intervals(results: Sequence[StudyResult]) -> dict[Key, tuple[float, float, float]]:
    """By bonus and contexts: the interquartile mean over seeds, and its 95 % interval."""
    found = {}
    for key in dict.fromkeys((r.bonus, r.contexts) for r in results):
        found[key] = iqm(np.array([r.score for r in results if (r.bonus, r.contexts) == key]))
    return found


def iqm(scores: NDArray[np.float64]) -> tuple[float, float, float]:
    """The interquartile mean of ``(runs,)`` scores and its 95 % bootstrap interval.

    The estimators of rliable (Agarwal et al., NeurIPS 2021) for one task: percentiles of resampled
    runs. Fewer than four runs have no outer quarters: their interquartile mean is the mean. The
    interval of a single run is NaN.
    """
    middle = float(trim_mean(scores, 0.25))
    if len(scores) < 2:
        return middle, float("nan"), float("nan")
    found = bootstrap(
        (scores,),
        lambda drawn, axis: trim_mean(drawn, 0.25, axis=axis),
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = found.confidence_interval
    return middle, float(low), float(high)


def draw(results: Sequence[StudyResult], path: Path) -> None:
    """Learning curves, a panel for each number of contexts: means over seeds, ranges shaded."""
    from matplotlib.figure import Figure

    contexts = list(dict.fromkeys(r.contexts for r in results))
    figure = Figure(figsize=(5 * len(contexts), 3.6), layout="constrained")
    panels = figure.subplots(1, len(contexts), sharey=True, squeeze=False)[0]
    for panel, count in zip(panels, contexts, strict=True):
        for bonus in dict.fromkeys(r.bonus for r in results):
            runs = [r for r in results if (r.bonus, r.contexts) == (bonus, count)]
            if not runs:
                continue
            grid = np.linspace(0, max(r.steps for r in runs), 60)[1:]
            lines = np.array([_smooth(r, grid) for r in runs])
            (line,) = panel.plot(grid, lines.mean(0), label=bonus or "none")
            panel.fill_between(grid, lines.min(0), lines.max(0), color=line.get_color(), alpha=0.15)
        panel.set_title(f"contexts: {count or '∞'}")
        panel.set_xlabel("steps")
        panel.locator_params(axis="x", nbins=5)
    panels[0].set_ylabel("task return")
    panels[-1].legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _smooth(result: StudyResult, grid: NDArray[np.float64]) -> list[float]:
    """The mean of the curve's last three points before each place of the grid."""
    steps, values = np.array(result.curve).T
    out = []
    for at in grid.tolist():
        before = values[steps <= at][-3:]
        out.append(float(before.mean()) if len(before) else float("nan"))
    return out
