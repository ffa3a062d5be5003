"""Leduc poker: two betting rounds, one card each and one on the board (Southey et al., UAI 2005).

Antes are one chip, bets two chips before the board and four after it, at most two a round. A pair
with the board wins, else the higher rank; equal ranks split. With three ranks in two suits the
first seat loses 0.0856 of a chip a deal.
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

FOLD, CALL, RAISE = 0, 1, 2
RAISES = 2  # a round
LONGEST = RAISES + 2  # actions of a round: check, raise, raise, call
SIZES = np.array([2, 4])
_RANKS, _SUITS = "23456789TJQKA", "shdc"


class Leduc(Dealt):
    """Leduc poker: J, Q, K in two suits, two rounds; ``leduc?ranks=4,suits=3`` has more cards.

    Actions: 0 folds, 1 checks or calls, 2 bets or raises. Observations: ``seat``; ``card``, rank
    times the number of suits plus suit; ``board``, the same plus 1, 0 before it lies there;
    ``bets``, what was done in the two rounds, four each: 0 nothing, else 1 plus the action.

    Raises:
        InputError: for ranks and suits of which no game can be made.
    """

    name = "leduc"
    version = 1
    seats = 2

    def __init__(self, *, ranks: int = 3, suits: int = 2) -> None:
        if not 2 <= ranks <= 13 or not 1 <= suits <= 4 or ranks * suits < 3:
            raise InputError(
                f"leduc: ranks={ranks}, suits={suits}; ranks are 2 to 13, suits 1 to 4, "
                "and there must be three cards"
            )
        self.ranks, self.suits = ranks, suits
        cards = ranks * suits
        high = _RANKS[12 - ranks : 12] if ranks < 13 else _RANKS
        self.names = [r + s for r in high for s in _SUITS[:suits]]
        self.action_space = spaces.Discrete(3)
        self.observation_space = spaces.Dict(
            {
                "seat": spaces.Discrete(2),
                "card": spaces.Discrete(cards),
                "board": spaces.Discrete(cards + 1),
                "bets": spaces.MultiDiscrete([4] * 2 * LONGEST),
            }
        )

    @cached_property
    def deals(self) -> Ints:
        """All triples of cards: each seat's, and the board."""
        return np.array(list(permutations(range(self.ranks * self.suits), 3)))

    def tables(self, capacity: int) -> LeducTables:
        """``capacity`` tables."""
        return LeducTables(self, capacity)


class LeducTables(DealtTables):
    """Tables as arrays.

    Attributes:
        bets: int64 ``(capacity, 2, 4)``, what was done in each round: 0 nothing, else 1 + action.
        count: int64 ``(capacity, 2)``, how many actions were taken in each round.
        street: int64 ``(capacity,)``, 0 before the board, 1 after.
        paid: int64 ``(capacity, 2)``, chips in the pot by seat.
        forfeiter: int64 ``(capacity,)``, the seat that forfeited, or -1.
    """

    game: Leduc
    state = ("deal", "bets", "count", "street", "paid", "forfeiter")

    def __init__(self, game: Leduc, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.bets = np.zeros((capacity, 2, LONGEST), np.int64)
        self.count = np.zeros((capacity, 2), np.int64)
        self.street = np.zeros(capacity, np.int64)
        self.paid = np.zeros((capacity, 2), np.int64)
        self.forfeiter = np.full(capacity, -1)

    def start(self, tables: Ints, deals: Ints) -> None:
        """Deal these hands and this board."""
        self.deal[tables] = deals
        self.bets[tables] = self.count[tables] = 0
        self.street[tables] = 0
        self.paid[tables] = 1
        self.forfeiter[tables] = -1
        self.returns[tables] = 0.0
        self.done[tables] = False

    def known(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """A seat knows its own card, and the board once it lies there."""
        known: NDArray[np.bool_] = np.arange(3) == seats[:, None]
        known[:, 2] = self.street[tables] == 1
        return known

    def to_act(self) -> tuple[Ints, Ints]:
        """The first seat begins each round."""
        tables = np.flatnonzero(~self.done)
        return tables, self.count[tables, self.street[tables]] % 2

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """One's own card, the board and all bets."""
        dealt, street = self.dealt[tables], self.street[tables]
        return {
            "seat": seats.copy(),
            "card": dealt[np.arange(len(tables)), seats],
            "board": np.where(street == 1, dealt[:, 2] + 1, 0),
            "bets": self.bets[tables].reshape(len(tables), 2 * LONGEST),
        }

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """A fold needs a bet to be faced, a raise fewer than two before it."""
        facing = self.paid[tables, seats] < self.paid[tables, 1 - seats]
        raised = (self.bets[tables, self.street[tables]] == 1 + RAISE).sum(axis=1)
        return np.stack([facing, np.ones(len(tables), np.bool_), raised < RAISES], axis=1)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Fold, call or raise; the second street, or the end, where a round is over."""
        street = self.street[tables]
        number = self.count[tables, street]
        self.bets[tables, street, number] = 1 + actions
        self.count[tables, street] += 1
        owed = self.paid[tables, 1 - seats]
        self.paid[tables, seats] = np.where(actions == FOLD, self.paid[tables, seats], owed)
        self.paid[tables, seats] += np.where(actions == RAISE, SIZES[street], 0)
        folds = actions == FOLD
        self._pay(tables[folds], 1 - seats[folds])
        over = (actions == CALL) & (number > 0)
        self.street[tables[over & (street == 0)]] = 1
        self._show(tables[over & (street == 1)])

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The seat folds, also where it could check."""
        self.forfeiter[tables] = seats
        self._pay(tables, 1 - seats)

    def _pay(self, tables: Ints, winners: Ints) -> None:
        chips = self.paid[tables, 1 - winners]
        self.done[tables] = True
        self.returns[tables, winners] = chips
        self.returns[tables, 1 - winners] = -chips

    def _show(self, tables: Ints) -> None:
        rank = self.dealt[tables] // self.game.suits
        strength = rank[:, :2] + np.where(rank[:, :2] == rank[:, 2:], self.game.ranks, 0)
        self.done[tables] = True
        apart = np.flatnonzero(strength[:, 0] != strength[:, 1])
        self._pay(tables[apart], (strength[:, 1] > strength[:, 0])[apart].astype(np.int64))

    # -- words and pictures ------------------------------------------------------------------------

    def _past(self, table: int) -> list[str]:
        past = []
        for street in range(2):
            raises = 0
            for i in range(int(self.count[table, street])):
                action = int(self.bets[table, street, i]) - 1
                word = ("folds", "calls" if raises else "checks", "raises" if raises else "bets")
                raises += action == RAISE
                past.append(f"seat {i % 2} {word[action]}")
            if street == 0 and self.street[table] == 1:
                past.append(f"the board is {self.game.names[self.dealt[table, 2]]}")
        return past

    def facts(self, table: int, seat: int) -> Mapping[str, Any]:
        """Cards, chips and bets by name."""
        board = int(self.dealt[table, 2]) if self.street[table] == 1 else None
        paid = self.paid[table]
        return {
            "seat": seat,
            "card": self.game.names[self.dealt[table, seat]],
            "board": None if board is None else self.game.names[board],
            "pot": int(paid.sum()),
            "to_call": int(paid[1 - seat] - paid[seat]),
            "past": self._past(table),
            "actions": list(self.words(table, seat)),
        }

    def text(self, table: int, seat: int) -> str:
        """Cards, chips and bets in words."""
        facts = self.facts(table, seat)
        board = f"the board is {facts['board']}" if facts["board"] else "the board is not dealt yet"
        past = ", ".join(facts["past"]) or "nobody has acted"
        return (
            f"Leduc poker. You are seat {seat} and hold {facts['card']}; {board}. "
            f"The pot is {facts['pot']}, to call costs {facts['to_call']}. So far: {past}."
        )

    def _names(self, table: int) -> tuple[str, str, str]:
        raised = (self.bets[table, self.street[table]] == 1 + RAISE).any()
        return ("fold", "call", "raise") if raised else ("fold", "check", "bet")

    def words(self, table: int, seat: int) -> Sequence[str]:
        """``fold``, ``check`` or ``call``, ``bet`` or ``raise``: those that are legal."""
        mask = self.action_mask(np.array([table]), np.array([seat]))[0]
        return [name for name, legal in zip(self._names(table), mask, strict=True) if legal]

    def parse(self, table: int, seat: int, answer: str) -> int:
        """One of ``words``."""
        words = self.words(table, seat)
        return self._names(table).index(words[exactly_one(words, answer)])

    def describe(self, table: int, seat: int, action: Any) -> str:
        """One of ``words``."""
        return self._names(table)[int(action)]

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """Cards (others' hidden from a seat), board, chips, bets, returns."""
        cards = [self.game.names[card] for card in self.dealt[table]]
        over = bool(self.done[table])
        return {
            "cards": [c if over or seat in (None, i) else None for i, c in enumerate(cards[:2])],
            "board": cards[2] if self.street[table] == 1 else None,
            "paid": self.paid[table].tolist(),
            "past": self._past(table),
            "to_act": None if over else int(self.count[table, self.street[table]] % 2),
            "forfeiter": int(self.forfeiter[table]),
            "returns": self.returns[table].tolist(),
        }
