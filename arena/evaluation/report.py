"""What a suite reports: tables, charts and examples, for the terminal, for JSON and as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.agents.llm.backends.backend import Prompt
from arena.leagues.ratings.estimates import Estimate

Cell = str | int | float | Estimate | None
"""What stands in a table: words, a number, a number with its interval, or nothing."""


@dataclass(frozen=True)
class Table:
    """Rows and columns.

    Attributes:
        columns: their headings, units in them.
        note: what a reader must know, in a sentence or two.
        digits: decimals of floats and estimates, of all columns or of each.
        printed: whether it is shown on the terminal, too, and not on the page alone.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    digits: int | Sequence[int] = 1
    printed: bool = True

    def words(self, row: Sequence[Cell]) -> list[str]:
        """A row's cells as text."""
        digits = [self.digits] * len(row) if isinstance(self.digits, int) else self.digits
        return [words(cell, places) for cell, places in zip(row, digits, strict=True)]


@dataclass(frozen=True)
class Bar:
    """One bar; ``baseline`` ones are drawn paler."""

    label: str
    value: Estimate
    baseline: bool = False


@dataclass(frozen=True)
class Bars:
    """Groups of bars with their intervals on one scale.

    Attributes:
        unit: of the scale, e.g. ``%``.
        groups: each group's name and its bars.
        limits: the ends of the scale; None: from 0 (or the lowest end) to the highest end.
    """

    title: str
    unit: str
    groups: Sequence[tuple[str, Sequence[Bar]]]
    limits: tuple[float, float] | None = None
    note: str = ""


@dataclass(frozen=True)
class Heat:
    """A matrix of numbers, coloured.

    Attributes:
        rows, columns: names along the sides; ``corner`` says what they are.
        values: float by row and column, None where there is nothing.
        texts: what stands in the cells; None: nothing does, a number is its tooltip.
        limits: the values of no colour and of full colour; where the first is negative, colours
            run both ways from 0.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    limits: tuple[float, float] = (0.0, 1.0)
    texts: Sequence[Sequence[str]] | None = None
    corner: str = ""
    note: str = ""


@dataclass(frozen=True)
class Excerpt:
    """A question, what was answered, and what would have been right."""

    agent: str
    name: str
    prompt: Prompt
    answer: str
    right: str
    verdict: str
    good: bool


@dataclass(frozen=True)
class Examples:
    """Some answers to read."""

    title: str
    items: Sequence[Excerpt]
    note: str = ""


Part = Table | Bars | Heat | Examples


@dataclass(frozen=True)
class SuiteReport:
    """All that comes of an evaluation.

    Attributes:
        title: what was evaluated.
        lead: how, in a sentence or two.
        parts: in the order in which they are shown.
        data: for ``result.json``: settings, agents, every figure. JSON-able, and estimates (what
            is not finite becomes null).
    """

    title: str
    lead: str
    parts: Sequence[Part]
    data: Mapping[str, Any] = field(default_factory=dict)


def percent(share: Estimate) -> Estimate:
    """A share as a percentage."""
    return Estimate(100 * share.value, 100 * share.error, 100 * share.low, 100 * share.high)


def exact(value: float) -> Estimate:
    """A number that is no estimate: its interval has no width."""
    return Estimate(value, 0.0, value, value)


def words(cell: Cell, digits: int) -> str:
    """A cell as text."""
    if cell is None:
        return "–"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return f"{cell:,}"
    value = cell.value if isinstance(cell, Estimate) else cell
    if math.isnan(value):
        return "–"
    text = f"{round(value, digits) + 0.0:,.{digits}f}"
    if isinstance(cell, Estimate) and cell.low < cell.high:
        text += f" ({cell.low:.{digits}f} … {cell.high:.{digits}f})".replace("inf", "∞")
    return text
