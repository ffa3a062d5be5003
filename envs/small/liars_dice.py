"""Liar's dice: bids on all dice, of which one sees one's own; the highest face is wild.

A bid says that at least so many dice show a face. The next bid must be higher (more dice, or as
many of a higher face), or calls the last one a lie, which ends the game: who was right wins 1. The
rules are those of OpenSpiel's ``liars_dice``; with one die of six faces there are 24,576
information sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints, Observation, exactly_one
from arena.envs.small.dealt import Dealt, DealtTables


class LiarsDice(Dealt):
    """Liar's dice for two: bid on what all dice show together, or call the last bid a lie.

    Actions: bid ``(quantity - 1) * faces + face - 1``, and the last action, the call. Observations:
    ``seat``; ``dice``, how many of one's own show each face; ``bids``, which bids were made.

    Raises:
        InputError: for numbers of which no game can be made.
    """

    name = "liars_dice"
    version = 1
    session = 1
    seats = 2
    session = 1
    unit = "wins"

    def __init__(self, *, dice: int = 1, faces: int = 6) -> None:
        if not 1 <= dice <= 2 or not 2 <= faces <= 6:
            raise InputError(
                f"liars_dice: dice={dice}, faces={faces}; dice are 1 or 2, faces 2 to 6"
            )
        self.dice, self.faces = dice, faces
        self.bids = 2 * dice * faces
        self.action_space = spaces.Discrete(self.bids + 1)
        self.observation_space = spaces.Dict(
            {
                "seat": spaces.Discrete(2),
                "dice": spaces.MultiDiscrete([dice + 1] * faces),
                "bids": spaces.MultiBinary(self.bids),
            }
        )

    @cached_property
    def deals(self) -> Ints:
        """All throws: the first seat's dice, then the second's, faces from 0."""
        return np.array(list(product(range(self.faces), repeat=2 * self.dice)))

    def tables(self, capacity: int) -> LiarsDiceTables:
        """``capacity`` tables."""
        return LiarsDiceTables(self, capacity)


class LiarsDiceTables(DealtTables):
    """Tables as arrays.

    Attributes:
        bids: int8 ``(capacity, bids)``, 1 where a bid was made.
        last: int64 ``(capacity,)``, the last bid, or -1.
        turn: int64 ``(capacity,)``, whose turn it is.
        forfeiter: int64 ``(capacity,)``, the seat that forfeited, or -1.
    """

    game: LiarsDice
    state = ("deal", "bids", "last", "turn", "forfeiter")

    def __init__(self, game: LiarsDice, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self.bids = np.zeros((capacity, game.bids), np.int8)
        self.last = np.full(capacity, -1)
        self.turn = np.zeros(capacity, np.int64)
        self.forfeiter = np.full(capacity, -1)

    def start(self, tables: Ints, deals: Ints) -> None:
        """Throw these dice."""
        self.deal[tables] = deals
        self.bids[tables] = 0
        self.last[tables] = self.forfeiter[tables] = -1
        self.turn[tables] = 0
        self.returns[tables] = 0.0
        self.done[tables] = False

    def known(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """A seat knows its own dice."""
        known: NDArray[np.bool_] = np.arange(2 * self.game.dice) // self.game.dice == seats[:, None]
        return known

    def to_act(self) -> tuple[Ints, Ints]:
        """The seats in turn."""
        tables = np.flatnonzero(~self.done)
        return tables, self.turn[tables]

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """One's own dice and all bids."""
        own = self.dealt[tables].reshape(len(tables), 2, self.game.dice)
        own = own[np.arange(len(tables)), seats]
        counts = (own[:, :, None] == np.arange(self.game.faces)).sum(axis=1)
        return {"seat": seats.copy(), "dice": counts, "bids": self.bids[tables]}

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """Higher bids, and the call where there is a bid."""
        actions = np.arange(self.game.bids + 1)
        last = self.last[tables][:, None]
        mask: NDArray[np.bool_] = (actions > last) & ((actions < self.game.bids) | (last >= 0))
        return mask

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Bid, or call the last bid a lie."""
        calls = actions == self.game.bids
        bidding = tables[~calls]
        self.bids[bidding, actions[~calls]] = 1
        self.last[bidding] = actions[~calls]
        self.turn[bidding] = 1 - seats[~calls]
        called, callers = tables[calls], seats[calls]
        quantity, face = np.divmod(self.last[called], self.game.faces)
        dice = self.dealt[called]
        shown = ((dice == face[:, None]) | (dice == self.game.faces - 1)).sum(axis=1)
        self._end(called, np.where(shown > quantity, 1 - callers, callers))

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """The seat loses."""
        self.forfeiter[tables] = seats
        self._end(tables, 1 - seats)

    def _end(self, tables: Ints, winners: Ints) -> None:
        self.done[tables] = True
        self.returns[tables] = -1.0
        self.returns[tables, winners] = 1.0

    # -- words and pictures ------------------------------------------------------------------------

    def _name(self, action: int) -> str:
        if action == self.game.bids:
            return "liar"
        quantity, face = divmod(action, self.game.faces)
        return f"{quantity + 1} x {face + 1}"

    def _past(self, table: int) -> list[str]:
        made = np.flatnonzero(self.bids[table]).tolist()
        return [f"seat {i % 2} bids {self._name(bid)}" for i, bid in enumerate(made)]

    def facts(self, table: int, seat: int) -> Mapping[str, Any]:
        """Dice and bids by name."""
        return {
            "seat": seat,
            "dice": (self._throws(table)[seat]).tolist(),
            "wild": self.game.faces,
            "past": self._past(table),
            "actions": list(self.words(table, seat)),
        }

    def _throws(self, table: int) -> Ints:
        throws: Ints = np.sort(self.dealt[table].reshape(2, self.game.dice) + 1, axis=1)
        return throws

    def text(self, table: int, seat: int) -> str:
        """Dice and bids in words."""
        facts = self.facts(table, seat)
        past = ", ".join(facts["past"]) or "nobody has bid"
        dice = " ".join(map(str, facts["dice"]))
        return (
            f"Liar's dice. You are seat {seat}; your dice: {dice}; {facts['wild']} is wild. "
            f"So far: {past}."
        )

    def words(self, table: int, seat: int) -> Sequence[str]:
        """Bids as ``2 x 5`` (two dice show a five), and ``liar``."""
        mask = self.action_mask(np.array([table]), np.array([seat]))[0]
        return [self._name(action) for action in np.flatnonzero(mask).tolist()]

    def parse(self, table: int, seat: int, answer: str) -> int:
        """One of ``words``."""
        mask = self.action_mask(np.array([table]), np.array([seat]))[0]
        return int(np.flatnonzero(mask)[exactly_one(self.words(table, seat), answer)])

    def describe(self, table: int, seat: int, action: Any) -> str:
        """One of ``words``."""
        return self._name(int(action))

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """Dice (others' hidden from a seat), bids, returns."""
        over = bool(self.done[table])
        return {
            "dice": [
                throw if over or seat in (None, i) else None
                for i, throw in enumerate(self._throws(table).tolist())
            ],
            "wild": self.game.faces,
            "past": self._past(table),
            "to_act": None if over else int(self.turn[table]),
            "forfeiter": int(self.forfeiter[table]),
            "returns": self.returns[table].tolist(),
        }
