"""Trainers by name. Each, ours or a third party's, joins by an entry point ``arena.trainers``.

A trainer is a module with ``Settings`` (see ``settings``) and ``train(settings, progress) ->
Report``. The first line of its docstring says what it is for.
"""

from __future__ import annotations

import ast
import dataclasses
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from arena.agents.learning.report import Progress, Report
from arena.agents.learning.settings import Common, from_values
from arena.envs.errors import InputError
from arena.envs.plugins import points
from arena.envs.registry import load

GROUP = "arena.trainers"


class Trainer(Protocol):
    """A module that trains."""

    Settings: type[Common]

    def train(self, settings: Any, progress: Progress) -> Report:
        """Train to the end, keep the run in ``settings.output``."""


def trainer_names() -> list[str]:
    """The names of all installed trainers, sorted; none of them is imported."""
    return list(points(GROUP))


def summary(name: str) -> str:
    """The first line of a trainer's docstring, read without importing what it needs."""
    module = points(GROUP)[name].module
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return ""
    words = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return words.partition("\n")[0].rstrip(".")


def trainer(name: str) -> Trainer:
    """The trainer of that name; InputError where there is none, or what it needs is missing."""
    found: Trainer = load(GROUP, name, "trainer")
    return found


def train(name: str, progress: Progress | None = None, **values: Any) -> Report:
    """Train by name, with settings by field name: ``train("ppo", game="holdem", output="run")``."""
    found = trainer(name)
    return found.train(from_values(values, found.Settings), progress or _silent)


def train_seeds(name: str, settings: Common, count: int, progress: Progress) -> list[Report]:
    """Train ``count`` runs with consecutive seeds, each in a folder ``seed-K`` of the output."""
    if not settings.output:
        raise InputError("-o FOLDER is needed: where the runs are kept")
    reports = []
    for number in range(count):
        seed = settings.seed + number
        folder = Path(settings.output) / f"seed-{seed}"
        one = dataclasses.replace(settings, seed=seed, output=str(folder))

        def note(done: int, total: int, words: str, number: int = number, seed: int = seed) -> None:
            progress(number * total + done, count * total, f"seed {seed}: {words}")

        reports.append(trainer(name).train(one, note))
    return reports


def _silent(_done: int, _total: int, _note: str) -> None:
    """Tell nobody."""
