"""Many markets stepped together: the game's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.game import Ints, Observation, Tables
from arena.envs.rtb import frames, text
from arena.envs.rtb.auction import Stat, run_auctions

if TYPE_CHECKING:
    from arena.envs.rtb.game import Market

SPENT_UP = 0.001
"""A budget counts as spent when less than this share of it is left."""

_SHARES = 1 << 40  # the word of a redeal's seed that the others' budgets are drawn from


class RtbTables(Tables):
    """Tables of a market.

    A step auctions one tick of impressions. A seat whose budget is spent is asked no more; the
    table is done when all are, or with its last tick. Arrays are indexed table, seat and, where a
    name below says so, impression of the current tick (``rate``, ``value``: on offer) or of the
    last one (``bids``, ``slot``, ``paid``, ``to_beat``: what became of it).
    """

    game: Market
    state = (
        *("seeds", "now", "forfeited", "left", "stats", "market"),
        *("rate", "value", "truth", "best", "floor", "bids", "slot", "paid", "to_beat"),
    )

    def __init__(self, game: Market, capacity: int) -> None:
        super().__init__(game, capacity)
        shape = (capacity, game.seats, game.tick)
        self.seeds = np.zeros(capacity, np.uint64)
        self.now = np.zeros(capacity, np.int64)  # the number of the tick on offer
        self.forfeited = np.zeros(shape[:2], np.bool_)
        self.left = np.zeros(shape[:2])
        self.stats = np.zeros((*shape[:2], len(Stat)))
        self.market = np.zeros((capacity, 2))
        self.rate = np.zeros(shape, np.float32)
        self.value = np.zeros(shape, np.float32)
        self.truth = np.zeros(shape, np.float32)
        self.best = np.zeros(shape if game.several_items else (capacity, 0, 0), np.float32)
        self.floor = np.zeros((capacity, game.tick), np.float32)
        self.bids = np.zeros(shape)
        self.slot = np.zeros(shape, np.int8)
        self.paid = np.zeros(shape, np.float32)
        self.to_beat = np.zeros(shape, np.float32)

    @property
    def playing(self) -> NDArray[np.bool_]:
        """Which seats still bid, bool ``(capacity, seats)``."""
        playing: NDArray[np.bool_] = ~(self.spent_up | self.forfeited | self.done[:, None])
        return playing

    @property
    def spent_up(self) -> NDArray[np.bool_]:
        """Which seats have spent their budgets, bool ``(capacity, seats)``."""
        limited = np.isfinite(self.game.budgets)
        least = np.where(limited, SPENT_UP * self.game.budgets, 0.0)
        spent: NDArray[np.bool_] = limited & (self.left < least)
        return spent

    @property
    def first(self) -> Ints:
        """The number of the first impression on offer, by table."""
        return self.now * self.game.tick

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """See ``Tables``."""
        self.seeds[tables] = seeds
        self.now[tables] = 0
        self.forfeited[tables] = False
        self.left[tables] = self.game.budgets
        for array in (self.stats, self.market, self.bids, self.slot, self.paid, self.to_beat):
            array[tables] = 0

        self.returns[tables] = 0.0
        self.done[tables] = False
        self.game.draw(tables, self)

    def to_act(self) -> tuple[Ints, Ints]:
        """See ``Tables``."""
        tables, seats = np.nonzero(self.playing)
        return tables, seats

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """See ``Tables``; what each array means is told in the README."""
        game = self.game
        full = game.feedback == "full"
        slot = self.slot[tables, seats]
        budget = game.budgets[seats]
        left = self.left[tables, seats]
        ticks_left = game.ticks - self.now[tables]
        share = np.divide(left, budget, out=np.ones(len(seats)), where=np.isfinite(budget))
        stats = self.stats[tables, seats]

        def column(values: NDArray[Any]) -> NDArray[np.float32]:
            return values.astype(np.float32)[:, None]

        return {
            "rate": self.rate[tables, seats],
            "value": self.value[tables, seats],
            "click_value": column(game.click_values[seats]),
            "cpa_limit": column(game.cpa_limits[seats]),
            "budget": column(left),
            "budget_left": column(np.clip(share, 0.0, 1.0)),
            "auctions_left": column(ticks_left * game.tick),
            "time_left": column(ticks_left / game.ticks),
            "bid": self.bids[tables, seats].astype(np.float32),
            "slot": slot.astype(np.float32),
            "paid": self.paid[tables, seats],
            "to_beat": self.to_beat[tables, seats] if full else self._known_prices(tables, seats),
            "totals": stats[
                :, [Stat.SPENT, Stat.IMPRESSIONS, Stat.CLICKS, Stat.CONVERSIONS]
            ].astype(np.float32),
        }

    def action_mask(self, tables: Ints, seats: Ints) -> None:
        """Bids are continuous: there is no mask."""
        return None

    def legal(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each row is ``tick`` finite bids from 0 up."""
        try:
            bids = np.asarray(actions, np.float64)
        except (TypeError, ValueError):
            return np.zeros(len(tables), np.bool_)
        if bids.shape != (len(tables), self.game.tick):
            return np.zeros(len(tables), np.bool_)
        good: NDArray[np.bool_] = np.all(np.isfinite(bids) & (bids >= 0.0), axis=1)
        return good

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Auction the current tick at each of ``tables`` with all its seats' bids."""
        at = np.unique(tables)
        playing = self.playing
        self.bids[at] = 0.0
        self.bids[tables, seats] = actions
        game = self.game
        run_auctions(
            at, self.seeds, self.first, game.mechanism_code, game.effects, game.conversion_rates,
            playing, self.bids, self.rate, self.value, self.truth, self.best, self.floor,
            self.left, self.stats, self.market, self.slot, self.paid, self.to_beat,
        )  # fmt: skip

        self.now[at] += 1
        self.returns[at] = game.scores(self.stats[at])
        self._end(at)
        more = at[~self.done[at]]
        game.draw(more, self)

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """A bidder who forfeits bids no more; what it has won stays."""
        self.forfeited[tables, seats] = True
        at = np.unique(tables)
        self._end(at)

    def _end(self, at: Ints) -> None:
        self.done[at] = (self.now[at] == self.game.ticks) | ~self.playing[at].any(axis=1)

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """The others' values and budgets, and all impressions to come; see ``Tables.redeal``.

        Nothing tells a seat what the others have done: each may have anything from all of its
        budget to none of it. Of its own, it takes the rates that it believes in for the true ones.
        """
        game = self.game
        known = self.rate[tables, seats].copy(), self.value[tables, seats].copy()
        self.seeds[tables] = seeds
        game.draw(tables, self)
        self.rate[tables, seats], self.value[tables, seats] = known
        self.truth[tables, seats] = known[0]
        if game.several_items:
            self.best[tables, seats] = known[1]
        self.market[tables] = 0.0
        self.forfeited[tables] = False
        other = np.arange(game.seats) != seats[:, None]
        shares = seeding.uniforms(seeding.spread(seeds, np.array(_SHARES)), game.seats)
        left = np.where(np.isfinite(game.budgets), game.budgets * shares, np.inf)
        self.left[tables] = np.where(other, left, self.left[tables])
        if game.feedback != "full":
            self.to_beat[tables] = np.where(
                other[..., None], 0.0, self._known_prices(tables, seats)[:, None]
            )
        for array in (self.stats, self.bids, self.slot, self.paid):
            array[tables] = np.where(other[..., None], 0, array[tables])
        self.returns[tables] = game.scores(self.stats[tables])

    def _known_prices(self, tables: Ints, seats: Ints) -> NDArray[np.float32]:
        """The last prices to beat that a seat has seen, where they are not shown to all.

        Who won at second price has seen it: it is what was paid. Who won at first price has not,
        and who lost has seen nothing.
        """
        paid = self.paid[tables, seats]
        return paid if self.game.mechanism == "second" else np.zeros_like(paid)

    # -- words and pictures --------------------------------------------------------------------

    def facts(self, table: int, seat: int) -> dict[str, str]:
        """``time_left`` and ``budget_left``, as shares of all."""
        seen = self.observe(np.array([table]), np.array([seat]))
        return {name: f"{seen[name][0, 0]:.0%}" for name in ("time_left", "budget_left")}

    def text(self, table: int, seat: int) -> str:
        """See ``Tables``."""
        return text.observation(self, table, seat)

    def words(self, table: int, seat: int) -> Sequence[str]:
        """Examples of the grammar: multiples of the impressions' values."""
        return text.examples(self.value[table, seat])

    def parse(self, table: int, seat: int, answer: str) -> NDArray[np.float64]:
        """``times 0.8`` (of each value), ``bid 12.5 0 …`` (each impression's bid) or ``pass``."""
        return text.parse(self.value[table, seat], answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """See ``Tables``."""
        return text.describe(self.value[table, seat], np.asarray(action, np.float64))

    def picture(self, table: int, seat: int) -> NDArray[np.uint8]:
        """See ``arena.envs.rtb.picture``."""
        from arena.envs.rtb import picture

        return picture.picture(self.frame(table, seat))

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """See ``arena.envs.rtb.frames``."""
        return frames.frame(self, table, seat)
