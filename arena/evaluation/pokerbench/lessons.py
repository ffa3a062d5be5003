"""What can be learnt from PokerBench: its rows as examples, and as problems with rewards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from arena.agents.llm.learning.examples import Example
from arena.agents.llm.learning.problems import Problem
from arena.agents.llm.prompting.templates import Template
from arena.evaluation.pokerbench.rows import Row, ask, load_all, split
from arena.evaluation.pokerbench.scores import judge


def train_side(folder: str, share: float, seed: int, by: Literal["row", "group"]) -> list[Row]:
    """The rows of a folder's files that may be learnt from; see ``rows.split``."""
    return split(load_all(Path(folder)), share, seed, by)[0]


def examples(rows: Sequence[Row], template: Template) -> list[Example]:
    """The solver's move in each row."""
    return [Example(ask(row, template).prompt, row.answer, {"row": row.key}) for row in rows]


def problems(rows: Sequence[Row], template: Template) -> list[Problem]:
    """Each row as a question: 1 for the solver's own move, else 0."""
    return [
        Problem(ask(row, template), lambda move, row=row: judge(row, move).exact, 0.0)  # type: ignore[misc]
        for row in rows
    ]
