"""BALROG's eight MiniHack tasks, played through the league: how often is the goal reached?

    arena eval balrog --agent "lm:smollm2?prompt=balrog" --episodes 5 -o runs/balrog

An episode has 100 steps. A scripted explorer and random play stand beside the agents, on the same
seeds. BALROG (Paglieri et al., 2024) plays 40 episodes of each task: --episodes 40.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.evaluation.leaguing import Played
    from arena.evaluation.report import SuiteReport

HELP = "MiniHack as BALROG has it: eight tasks of 100 steps"

TASKS = (
    *("Boxoban-Hard", "Boxoban-Medium", "MazeWalk-9x9", "MazeWalk-15x15"),
    *("Corridor-R3", "CorridorBattle-Dark", "Quest-Easy", "Quest-Medium"),
)
_SCRIPTED = {"explorer": "explorer", "random": "random"}
_PUBLISHED = (
    "Published for BALROG's MiniHack (40 episodes a task): DeepSeek-R1 25.0, Grok-4 17.5, "
    "Claude-3.5-Sonnet 15.0, GPT-4o 10.0, Llama-3.1-8B 5.0, Qwen2.5-7B 0.0."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK")
    parser.add_argument(
        "--episodes", type=int, default=5, help="of each task (default 5; full: 40)"
    )
    parser.add_argument("--steps", type=int, default=100, help="of an episode (default 100)")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes (default 0: none but this)"
    )


def run(options: argparse.Namespace) -> SuiteReport:
    """Play a league a task."""
    from arena.envs.errors import InputError
    from arena.evaluation.answering import named, open_folder
    from arena.evaluation.leaguing import entrants, episodes, play

    if options.episodes < 1 or options.workers < 0:
        raise InputError("--episodes must be at least 1, and --workers not negative")
    agents = named(options.agent)
    settings = {name: getattr(options, name) for name in ("tasks", "episodes", "steps", "seed")}
    configs = [
        {
            "name": f"balrog-{task}",
            "game": f"minihack?task={task},steps={options.steps}",
            "seed": options.seed,
            "agents": entrants(agents, _SCRIPTED),
            # Short matches: an interrupt loses no more than one of them.
            "schedule": {"deals": options.episodes, "deals_per_match": min(5, options.episodes)},
        }
        for task in options.tasks
    ]
    open_folder(options.output, {"suite": "balrog", **settings})
    store, leagues = play(options.output, "balrog", configs, options.workers)
    played = {
        task: episodes(store, league) for task, league in zip(options.tasks, leagues, strict=True)
    }
    return _report(settings, agents, played, store.where)


def _report(
    settings: Mapping[str, Any],
    agents: Mapping[str, str],
    played: Mapping[str, Mapping[str, Played]],
    where: str,
) -> SuiteReport:
    import numpy as np

    from arena.evaluation import estimates
    from arena.evaluation.report import Bar, Bars, Heat, Part, SuiteReport, Table, percent

    names = [*agents, *_SCRIPTED]
    tasks = list(played)
    returns = {
        (task, name): np.array(played[task][name].returns) for task in tasks for name in names
    }
    reached = {key: (values > 0).astype(np.float64) for key, values in returns.items()}
    by_task = {
        key: percent(estimates.shares({key: values}, seed=settings["seed"])[key])
        for key, values in reached.items()
    }
    every = {name: np.concatenate([reached[task, name] for task in tasks]) for name in names}
    paid = {name: np.concatenate([returns[task, name] for task in tasks]) for name in names}
    progress = {k: percent(v) for k, v in estimates.shares(every, seed=settings["seed"]).items()}
    mean = estimates.means(paid, seed=settings["seed"])
    forfeits = {name: sum(sum(played[t][name].forfeits.values()) for t in tasks) for name in names}
    parts: list[Part] = [
        Table(
            "All tasks",
            ("agent", "goal reached, %", "return", "episodes", "forfeits"),
            [
                (name, progress[name], mean[name], len(every[name]), forfeits[name])
                for name in names
            ],
            f"The return is 1 for the goal, less 0.01 for each step without time. {_PUBLISHED}",
            digits=(0, 1, 3, 0, 0),
        ),
        Table(
            "Goal reached by task, %",
            ("task", *names),
            [(task, *(by_task[task, name] for name in names)) for task in tasks],
        ),
        Bars(
            "Goal reached, all tasks",
            "%",
            [("", [Bar(name, progress[name], baseline=name in _SCRIPTED) for name in names])],
            (0.0, 100.0),
        ),
        Heat(
            "Mean return by task",
            tasks,
            names,
            [[float(returns[task, name].mean()) for name in names] for task in tasks],
            (-1.0, 1.0),
            [[f"{returns[task, name].mean():+.2f}" for name in names] for task in tasks],
        ),
    ]
    data = {
        "settings": dict(settings),
        "agents": {**agents, **_SCRIPTED},
        "all": {
            name: {
                "goal_reached": progress[name],
                "return": mean[name],
                "forfeits": forfeits[name],
            }
            for name in names
        },
        "tasks": {
            task: {
                name: {
                    "goal_reached": by_task[task, name],
                    "returns": returns[task, name].tolist(),
                    "forfeits": played[task][name].forfeits,
                }
                for name in names
            }
            for task in tasks
        },
    }
    lead = (
        f"{len(tasks)} tasks, {settings['episodes']} episodes each of {settings['steps']} steps, "
        f"on the same seeds for all (seed {settings['seed']}). Intervals are of 95 %, from a "
        f"bootstrap over episodes. Replays: arena view --store {where}"
    )
    return SuiteReport("MiniHack, as BALROG has it", lead, parts, data)
