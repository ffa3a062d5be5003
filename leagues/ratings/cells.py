"""Totals by deal and column, where a column is an entrant or a pair of entrants that met.

A league is sparse: of all pairs few may have met, and a pair plays few of all deals. So there is a
number for each *cell*, a deal and a column of which something is known, and for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Codes that reach no further than this are counted, others sorted.
_COUNTED = 20_000_000


def numbered(codes: Ints, span: int) -> tuple[Ints, Ints]:
    """The different ``codes`` in order, and for each code which of them it is.

    Args:
        codes: int64 ``(c,)``, from 0 to ``span`` - 1.
    """
    if span > _COUNTED:
        found, which = np.unique(codes, return_inverse=True)
        return found, which.astype(np.int64)
    there = np.zeros(span, np.bool_)
    there[codes] = True
    return np.flatnonzero(there), (np.cumsum(there) - 1)[codes]


@dataclass(frozen=True)
class Cells:
    """Which cells there are, and to which of them each of ``r`` rows adds.

    Attributes:
        columns: how many columns there are.
        deal, column: int64 ``(cells,)``, sorted by deal, then by column.
        row: int64 ``(r,)``, the rows' cells.
    """

    columns: int
    deal: Ints
    column: Ints
    row: Ints

    @classmethod
    def of(cls, deal: Ints, column: Ints, columns: int) -> Cells:
        """The cells of rows ``deal``, ``column``, int64 ``(r,)``."""
        deals = int(deal.max(initial=-1)) + 1
        codes, row = numbered(deal * columns + column, deals * columns)
        return cls(columns, codes // max(1, columns), codes % max(1, columns), row)

    def add(self, rows: Floats) -> Floats:
        """Rows summed by cell, float64 ``(cells,)``."""
        return np.bincount(self.row, rows, minlength=len(self.column)).astype(np.float64)

    def total(self, cells: Floats) -> Floats:
        """Cells summed over deals, float64 ``(columns,)``."""
        return np.bincount(self.column, cells, minlength=self.columns).astype(np.float64)

    @cached_property
    def deals(self) -> Ints:
        """On how many deals each column has a cell, int64 ``(columns,)``."""
        return np.bincount(self.column, minlength=self.columns)


@dataclass(frozen=True)
class Pairs:
    """The ``m`` pairs i < j of ``n`` entrants that met, and the ``r`` rows that say how.

    A contest of two is a row. A contest of many is a row for each of its pairs; two copies of one
    entrant are no pair.

    Attributes:
        i, j: int64 ``(m,)``.
        contest: int64 ``(r,)``, which contest.
        first, second: int64 ``(r,)``, the places of i and j in its lineup.
        cells: by deal and pair.
    """

    n: int
    i: Ints
    j: Ints
    contest: Ints
    first: Ints
    second: Ints
    cells: Cells

    @classmethod
    def of(cls, deal: Ints, lineup: Ints, n: int) -> Pairs:
        """The pairs of contests that are sorted by deal (``Log``)."""
        rows: list[tuple[Ints, Ints, Ints]] = [(np.zeros(0, np.int64),) * 3]
        for a in range(lineup.shape[1]):
            for b in range(a + 1, lineup.shape[1]):
                low, high = lineup[:, a], lineup[:, b]
                met = np.flatnonzero((low >= 0) & (high >= 0) & (low != high))
                turned = low[met] > high[met]
                rows.append((met, np.where(turned, b, a), np.where(turned, a, b)))
        contest, first, second = (np.concatenate(part) for part in zip(*rows, strict=True))
        if len(rows) > 2:
            order = np.argsort(contest, kind="stable")
            contest, first, second = contest[order], first[order], second[order]
        codes, pair = numbered(lineup[contest, first] * n + lineup[contest, second], n * n)
        cells = Cells.of(deal[contest], pair, len(codes))
        return cls(n, codes // max(1, n), codes % max(1, n), contest, first, second, cells)

    def of_both(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """``values`` ``(contests, places)`` of i and of j, ``(r,)`` each."""
        return values[self.contest, self.first], values[self.contest, self.second]

    @cached_property
    def entrants(self) -> Cells:
        """By deal and entrant: all rows as i sees them, then all as j does, int64 ``(2 * r,)``."""
        deal, pair = self.cells.deal[self.cells.row], self.cells.column[self.cells.row]
        who = np.concatenate([self.i[pair], self.j[pair]])
        return Cells.of(np.tile(deal, 2), who, self.n)

    @cached_property
    def groups(self) -> Ints:
        """Which entrants are joined by a chain of meetings: a number for each, int64 ``(n,)``."""
        return components(self.n, self.i, self.j)

    def matrix(self, upper: Floats, lower: Floats, fill: float = np.nan) -> Floats:
        """A value for each pair seen from i and from j as ``(n, n)``, ``fill`` elsewhere."""
        table = np.full((self.n, self.n), fill, np.float64)
        table[self.i, self.j], table[self.j, self.i] = upper, lower
        return table


def components(n: int, i: Ints, j: Ints) -> Ints:
    """The connected components of ``n`` nodes and edges i – j, int64 ``(n,)``."""
    edges = csr_array((np.ones(len(i), np.int8), (i, j)), shape=(n, n))
    labels: Ints = connected_components(edges, directed=False)[1].astype(np.int64)
    return labels
