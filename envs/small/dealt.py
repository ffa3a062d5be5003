"""Games small enough to be solved: all their chance is a deal, and the deals can be listed.

A solver (``arena.agents.solvers``) begins a table at each of the deals and walks through all that
can follow. So that what it walks through is the game that is played, both use the same tables.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.game import Game, Ints, Tables


class Dealt(Game):
    """A game whose chance is the choice of one of ``deals``, all of them equally likely.

    Attributes:
        deals: int64 ``(deals, width)``: what is dealt, one hidden or open thing a column.
    """

    session = 100
    unit = "chips"
    session = 100

    @cached_property
    @abstractmethod
    def deals(self) -> Ints:
        """Every deal, a row each; equally likely."""

    @abstractmethod
    def tables(self, capacity: int) -> DealtTables:
        """``capacity`` tables."""


class DealtTables(Tables):
    """Tables of a dealt game; ``deal[i]`` is the row of ``game.deals`` that table i plays.

    What a seat is shown must tell it all of its own past (perfect recall): solvers take two states
    that look alike to the seat for one.
    """

    game: Dealt

    def __init__(self, game: Dealt, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.deal = np.zeros(capacity, np.int64)

    @abstractmethod
    def start(self, tables: Ints, deals: Ints) -> None:
        """Begin an episode at each of ``tables`` with that row of ``game.deals``."""

    @abstractmethod
    def known(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """Which columns of its deal each seat has seen, bool ``(n, width)``."""

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Begin with a deal that the seed draws."""
        share = seeding.uniforms(seeds, 1)[:, 0]
        self.start(tables, (share * len(self.game.deals)).astype(np.int64))

    def story(
        self, table: int, before: Mapping[str, Any] | None, names: Sequence[str]
    ) -> Iterable[str]:
        """At the beginning what each seat holds; then an open card, once it is turned."""
        now = self.frame(table)
        if before is None:
            held = now.get("cards") or [" ".join(map(str, dice)) for dice in now.get("dice", ())]
            return [f"{name} holds {what}" for name, what in zip(names, held, strict=False)]
        if now.get("board") != before.get("board"):
            return [f"the board is {now['board']}"]
        return ()

    @property
    def dealt(self) -> Ints:
        """What lies at each table, int64 ``(capacity, width)``."""
        dealt: Ints = self.game.deals[self.deal]
        return dealt

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """Another of the deals that look the same to the seat, each equally likely."""
        deals = self.game.deals
        apart = deals[None] != deals[self.deal[tables]][:, None]
        alike = ~(apart & self.known(tables, seats)[:, None]).any(axis=2)
        self.deal[tables] = seeding.draw(alike, seeding.uniforms(seeds, 1)[:, 0])
