"""Kuhn poker: one card each, one bet (H. W. Kuhn, A simplified two-person poker, 1950).

Both antes are one chip. The first seat passes or bets one chip; against a bet a pass is a fold and
a bet is a call; after a pass the second seat passes, which shows the cards, or bets, and the first
answers. The higher card wins. With three cards the first seat loses 1/18 of a chip a deal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import permutations
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints, Observation, exactly_one
from arena.envs.small.dealt import Dealt, DealtTables

PASS, BET = 0, 1
_RANKS = "23456789TJQKA"


class Kuhn(Dealt):
    """Kuhn poker: a jack, a queen, a king, and one bet; ``kuhn?cards=13`` has more cards.

    Actions: 0 passes (checks or folds), 1 bets (or calls). Observations: ``seat``; ``card``, 0 the
    lowest; ``bets``, what was done so far: 0 nothing yet, 1 a pass, 2 a bet.

    Raises:
        InputError: for fewer than 3 or more than 13 cards.
    """

    name = "kuhn"
    version = 1
    seats = 2

    def __init__(self, *, cards: int = 3) -> None:
        if not 3 <= cards <= 13:
            raise InputError(f"kuhn: cards={cards} must lie between 3 and 13")
        self.cards = cards
        self.names = _RANKS[12 - cards : 12] if cards < 13 else _RANKS
        self.action_space = spaces.Discrete(2)
        self.observation_space = spaces.Dict(
            {
                "seat": spaces.Discrete(2),
                "card": spaces.Discrete(cards),
                "bets": spaces.MultiDiscrete([3, 3]),
            }
        )

    @cached_property
    def deals(self) -> Ints:
        """All pairs of two cards: the first seat's, the second's."""
        return np.array(list(permutations(range(self.cards), 2)))

    def tables(self, capacity: int) -> KuhnTables:
        """``capacity`` tables."""
        return KuhnTables(self, capacity)


class KuhnTables(DealtTables):
    """Tables as arrays.

    Attributes:
        bets: int64 ``(capacity, 3)``, what was done, in order: 0 nothing, 1 a pass, 2 a bet.
        count: int64 ``(capacity,)``, how many actions were taken.
        forfeiter: int64 ``(capacity,)``, the seat that forfeited, or -1.
    """

    game: Kuhn
    state = ("deal", "bets", "count", "forfeiter")

    def __init__(self, game: Kuhn, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.bets = np.zeros((capacity, 3), np.int64)
        self.count = np.zeros(capacity, np.int64)
        self.forfeiter = np.full(capacity, -1)

    def start(self, tables: Ints, deals: Ints) -> None:
        """Deal these hands."""
        self.deal[tables] = deals
        self.bets[tables] = self.count[tables] = 0
        self.forfeiter[tables] = -1
        self.returns[tables] = 0.0
        self.done[tables] = False

    def known(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """A seat knows its own card."""
        known: NDArray[np.bool_] = np.arange(2) == seats[:, None]
        return known

    def to_act(self) -> tuple[Ints, Ints]:
        """The seats in turn."""
        tables = np.flatnonzero(~self.done)
        return tables, self.count[tables] % 2

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """One's own card and all bets."""
        return {
            "seat": seats.copy(),
            "card": self.dealt[tables, seats],
            "bets": self.bets[tables, :2],
        }

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """One may always pass or bet."""
        return np.ones((len(tables), 2), np.bool_)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Pass or bet."""
        before = self.bets[tables, np.maximum(self.count[tables] - 1, 0)]
        self.bets[tables, self.count[tables]] = 1 + actions
        self.count[tables] += 1
        folds = (before == 1 + BET) & (actions == PASS)
        calls = (before == 1 + BET) & (actions == BET)
        checks = (before == 1 + PASS) & (actions == PASS)
        self._pay(tables[folds], 1 - seats[folds], 1.0)
        cards = self.dealt[tables]
        best = (cards[:, 1] > cards[:, 0]).astype(np.int64)
        self._pay(tables[calls], best[calls], 2.0)
        self._pay(tables[checks], best[checks], 1.0)

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The seat folds."""
        self.forfeiter[tables] = seats
        self._pay(tables, 1 - seats, 1.0)

    def _pay(self, tables: Ints, winners: Ints, chips: float) -> None:
        self.done[tables] = True
        self.returns[tables] = -chips
        self.returns[tables, winners] = chips

    # -- words and pictures ------------------------------------------------------------------------

    def _past(self, table: int) -> list[str]:
        done = self.bets[table, : self.count[table]].tolist()
        words = (("checks", "bets"), ("folds", "calls"))
        return [f"seat {i % 2} {words[1 + BET in done[:i]][bet - 1]}" for i, bet in enumerate(done)]

    def facts(self, table: int, seat: int) -> Mapping[str, Any]:
        """Card and bets by name."""
        return {
            "seat": seat,
            "card": self.game.names[self.dealt[table, seat]],
            "past": self._past(table),
            "actions": list(self.words(table, seat)),
        }

    def text(self, table: int, seat: int) -> str:
        """Card and bets in words."""
        facts = self.facts(table, seat)
        past = ", ".join(facts["past"]) or "nobody has acted"
        return f"Kuhn poker. You are seat {seat} and hold {facts['card']}. So far: {past}."

    def words(self, table: int, seat: int) -> Sequence[str]:
        """``check`` and ``bet``, or ``fold`` and ``call``."""
        facing = self.count[table] > 0 and self.bets[table, self.count[table] - 1] == 1 + BET
        return ("fold", "call") if facing else ("check", "bet")

    def parse(self, table: int, seat: int, answer: str) -> int:
        """One of ``words``."""
        return exactly_one(self.words(table, seat), answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """One of ``words``."""
        return self.words(table, seat)[int(action)]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """Cards (others' hidden from a seat), bets, returns."""
        cards = [self.game.names[card] for card in self.dealt[table]]
        over = bool(self.done[table])
        return {
            "cards": [c if over or seat in (None, i) else None for i, c in enumerate(cards)],
            "past": self._past(table),
            "to_act": None if over else int(self.count[table] % 2),
            "forfeiter": int(self.forfeiter[table]),
            "returns": self.returns[table].tolist(),
        }
