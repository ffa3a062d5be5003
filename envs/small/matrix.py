"""Matrix games: both seats choose at once, and a table says what each earns.

``rps`` is rock, paper, scissors; ``matrix?file=FILE`` is any game from a JSON file:

    {"rows": ["heads", "tails"], "columns": ["heads", "tails"], "payoffs": [[1, -1], [-1, 1]]}

``payoffs[i][j]`` is what the first seat earns by row i against column j, and what the second seat
loses, unless ``column_payoffs`` says what it earns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints, Observation, exactly_one
from arena.envs.outside import read_json
from arena.envs.small.dealt import Dealt, DealtTables

LARGEST = 100
Payoffs = NDArray[np.float64]


class Matrix(Dealt):
    """A matrix game from a file; see the module for its form.

    Raises:
        InputError: where the file is not there, or is not a matrix game.
    """

    name = "matrix"
    version = 1
    session = 1
    seats = 2
    session = 100
    unit = "points"

    def __init__(self, *, file: str) -> None:
        self._set(*_read(Path(file)))

    def _set(
        self, actions: tuple[Sequence[str], Sequence[str]], payoffs: tuple[Payoffs, Payoffs]
    ) -> None:
        self.actions, self.payoffs = actions, payoffs
        self.action_space = spaces.Discrete(max(map(len, actions)))
        self.observation_space = spaces.Dict({"seat": spaces.Discrete(2)})

    @cached_property
    def deals(self) -> Ints:
        """Nothing is dealt."""
        return np.zeros((1, 1), np.int64)

    def tables(self, capacity: int) -> MatrixTables:
        """``capacity`` tables."""
        return MatrixTables(self, capacity)


class RockPaperScissors(Matrix):
    """Rock, paper, scissors: ``rps``; a win against scissors may count more: ``rps?scissors=2``."""

    name = "rps"

    def __init__(self, *, scissors: float = 1.0) -> None:
        if not 0 < scissors <= 1000:
            raise InputError(f"rps: scissors={scissors:g} must lie above 0 and at most at 1000")
        first = np.array([[0.0, -1.0, scissors], [1.0, 0.0, -1.0], [-scissors, 1.0, 0.0]])
        names = ("rock", "paper", "scissors")
        self._set((names, names), (first, -first))


class MatrixTables(DealtTables):
    """Tables as arrays.

    Attributes:
        chosen: int64 ``(capacity, 2)``, the actions; -1 before, and where a seat forfeited.
    """

    game: Matrix
    state = ("deal", "chosen")

    def __init__(self, game: Matrix, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.chosen = np.full((capacity, 2), -1)

    def start(self, tables: Ints, deals: Ints) -> None:
        """Nothing is dealt."""
        self.deal[tables] = deals
        self.chosen[tables] = -1
        self.returns[tables] = 0.0
        self.done[tables] = False

    def known(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """There is nothing to know."""
        return np.ones((len(tables), 1), np.bool_)

    def to_act(self) -> tuple[Ints, Ints]:
        """Both seats at once."""
        tables = np.flatnonzero(~self.done)
        return np.repeat(tables, 2), np.tile(np.arange(2), len(tables))

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """Which seat one is."""
        return {"seat": seats.copy()}

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """The seat's rows or columns."""
        counts = np.array([len(names) for names in self.game.actions])[seats]
        mask: NDArray[np.bool_] = np.arange(counts.max(initial=1)) < counts[:, None]
        size = int(self.game.action_space.n)  # type: ignore[attr-defined]
        return np.pad(mask, ((0, 0), (0, size - mask.shape[1])))

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Choose, and earn where both have chosen."""
        self.chosen[tables, seats] = actions
        ready = np.unique(tables)
        both = ready[(self.chosen[ready] >= 0).all(axis=1) & ~self.done[ready]]
        rows, columns = self.chosen[both].T
        for seat, payoffs in enumerate(self.game.payoffs):
            self.returns[both, seat] = payoffs[rows, columns]
        self.done[both] = True

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The seat earns the least there is, the other one the most it can."""
        for seat, payoffs in enumerate(self.game.payoffs):
            out = tables[seats == seat]
            self.returns[out, seat] = payoffs.min()
            others = np.setdiff1d(tables[seats == seat], tables[seats != seat])
            self.returns[others, 1 - seat] = self.game.payoffs[1 - seat].max()
        self.done[tables] = True

    # -- words and pictures ------------------------------------------------------------------------

    def facts(self, table: int, seat: int) -> Mapping[str, Any]:
        """The payoffs, from the seat's side."""
        own = self.game.payoffs[seat] if seat == 0 else self.game.payoffs[1].T
        return {
            "seat": seat,
            "actions": list(self.game.actions[seat]),
            "others": list(self.game.actions[1 - seat]),
            "payoffs": own.tolist(),
        }

    def text(self, table: int, seat: int) -> str:
        """What one earns by each action against each of the other's."""
        facts = self.facts(table, seat)
        lines = [
            f"{name}: "
            + ", ".join(f"{p:g} against {o}" for o, p in zip(facts["others"], row, strict=True))
            for name, row in zip(facts["actions"], facts["payoffs"], strict=True)
        ]
        return "\n".join(["Both choose at once. You earn by", *lines])

    def words(self, table: int, seat: int) -> Sequence[str]:
        """The actions' names."""
        return self.game.actions[seat]

    def parse(self, table: int, seat: int, answer: str) -> int:
        """One of ``words``."""
        return exactly_one(self.words(table, seat), answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """One of ``words``."""
        return self.game.actions[seat][int(action)]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """What was chosen, and what it came to."""
        chosen = self.chosen[table].tolist()
        return {
            "chosen": [None if c < 0 else self.game.actions[i][c] for i, c in enumerate(chosen)],
            "done": bool(self.done[table]),
            "returns": self.returns[table].tolist(),
        }


def _read(
    path: Path,
) -> tuple[tuple[Sequence[str], Sequence[str]], tuple[Payoffs, Payoffs]]:
    facts = read_json(path)
    if not isinstance(facts, dict):
        raise InputError(f"matrix: {path} must hold an object with rows, columns and payoffs")
    names = tuple(_names(path, facts, key) for key in ("rows", "columns"))
    first = _payoffs(path, facts, "payoffs", names)
    given = "column_payoffs" in facts
    second = _payoffs(path, facts, "column_payoffs", names) if given else -first
    return (names[0], names[1]), (first, second)


def _names(path: Path, facts: Mapping[str, Any], key: str) -> list[str]:
    names = facts.get(key)
    if (
        not isinstance(names, list)
        or not 1 <= len(names) <= LARGEST
        or not all(isinstance(name, str) and name.strip() for name in names)
        or len({" ".join(name.split()).casefold() for name in names}) < len(names)
    ):
        raise InputError(f"matrix: {path}: {key} must be 1 to {LARGEST} different names")
    return names


def _payoffs(path: Path, facts: Mapping[str, Any], key: str, names: Sequence[Any]) -> Payoffs:
    shape = tuple(map(len, names))
    try:
        payoffs = np.array(facts.get(key), np.float64)
    except (OverflowError, TypeError, ValueError):
        payoffs = np.zeros(0)
    if payoffs.shape != shape or not np.isfinite(payoffs).all() or np.abs(payoffs).max() > 1e12:
        raise InputError(f"matrix: {path}: {key} must be {shape[0]} rows of {shape[1]} numbers")
    return payoffs
