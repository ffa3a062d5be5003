"""The market as a game: bidders with budgets and private values meet in the same auctions.

``rtb`` seats advertisers whose campaigns were fitted to iPinYou's; ``rtb_catalogue`` reads a market
of item catalogues from a configuration like AuctionGym's. A decision is the bids for one tick of
impressions. What each option means is told in ``envs/rtb/README.md``.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Game, Ints
from arena.envs.rtb import auction
from arena.envs.rtb.auction import Stat
from arena.envs.rtb.catalogue import MOST_BIDDERS, load_config
from arena.envs.rtb.synthetic import NORMAL, SyntheticCampaign, synthetic_campaign
from arena.envs.rtb.tables import RtbTables
from arena.envs.rtb.view import MarketView

Mechanism = Literal["first", "second", "gsp"]
Score = Literal["clicks", "profit", "conversions"]
Feedback = Literal["win", "full"]

_MECHANISMS = {
    "first": auction.FIRST_PRICE,
    "second": auction.SECOND_PRICE,
    "gsp": auction.GSP,
}
_UNITS: dict[Score, str] = {
    "clicks": "clicks",
    "profit": "price units",
    "conversions": "conversions",
}


class Market(Game):
    """What both games share: the auction, the feedback, and the score.

    Attributes:
        ticks: how many decisions an episode has.
        tick: how many impressions one decision bids on.
        effects: float64 ``(slots,)``, of a slot's position on click-through rates.
        click_values: float64 ``(seats,)``, what a click is worth on average, in price units.
        budgets: float64 ``(seats,)``, infinite where there is no limit.
        conversion_rates: float64 ``(seats,)``, the chance that a click converts.
        cpa_limits: float64 ``(seats,)``, what a conversion may cost, in price units.
        labels: what each seat advertises.
        outside: whether the rest of the world bids too.
    """

    version = 1
    seat_name = "bidder"
    session = 1
    outside: bool = False

    def __init__(
        self,
        *,
        labels: tuple[str, ...],
        click_values: NDArray[np.float64],
        budgets: NDArray[np.float64],
        mechanism: Mechanism,
        slots: int,
        decay: float,
        reserve: float,
        auctions: int,
        tick: int,
        feedback: Feedback,
        score: Score,
        expected: bool,
        conversion_rate: float,
        cpa: float,
    ) -> None:
        where = f"game {self.name!r}"
        _within(where, "slots", slots, MOST_BIDDERS)
        _within(where, "tick", tick, 10**6)
        _within(where, "auctions", auctions, 10**6)
        if tick * len(labels) > 10**6:
            raise InputError(f"{where}: tick={tick} with {len(labels)} bidders is over 1,000,000")
        if auctions % tick:
            raise InputError(f"{where}: auctions={auctions} must be a multiple of tick={tick}")
        if mechanism == "second" and slots > 1:
            raise InputError(f"{where}: second price sells one slot; for {slots} use mechanism=gsp")
        if not 0.0 < decay <= 1.0:
            raise InputError(f"{where}: decay={decay:g} must be above 0 and at most 1")
        if not (math.isfinite(reserve) and reserve >= 0.0):
            raise InputError(f"{where}: reserve={reserve:g} must be a price from 0 up")
        if not 0.0 < conversion_rate <= 1.0:
            raise InputError(
                f"{where}: conversion_rate={conversion_rate:g} must be above 0 and at most 1"
            )
        if not cpa > 0.0:
            raise InputError(f"{where}: cpa={cpa:g} must be above 0")
        self.seats = len(labels)
        self.labels = labels
        self.click_values = click_values
        self.budgets = budgets
        self.mechanism: Mechanism = mechanism
        self.mechanism_code = _MECHANISMS[mechanism]
        self.effects = decay ** np.arange(slots, dtype=np.float64)
        self.reserve = reserve
        self.auctions, self.tick, self.ticks = auctions, tick, auctions // tick
        self.max_steps = self.ticks
        self.feedback: Feedback = feedback
        self.score: Score = score
        self.expected = expected
        self.conversion_rates = np.full(self.seats, conversion_rate)
        self.cpa_limits = cpa * click_values / conversion_rate
        self.unit = _UNITS[score]
        self.action_space = gymnasium.spaces.Box(0.0, np.inf, (tick,), np.float64)

        def numbers(size: int, high: float = np.inf) -> gymnasium.spaces.Box:
            return gymnasium.spaces.Box(0.0, high, (size,), np.float32)

        self.observation_space = gymnasium.spaces.Dict(
            {
                "rate": numbers(tick, 1.0),
                "value": numbers(tick),
                "click_value": numbers(1),
                "cpa_limit": numbers(1),
                "budget": numbers(1),
                "budget_left": numbers(1, 1.0),
                "auctions_left": numbers(1),
                "time_left": numbers(1, 1.0),
                "bid": numbers(tick),
                "slot": numbers(tick),
                "paid": numbers(tick),
                "to_beat": numbers(tick),
                "totals": numbers(4),
            }
        )

    def view(self, **options: Any) -> MarketView:
        """See ``MarketView``."""
        return MarketView(self, **options)

    def tables(self, capacity: int) -> RtbTables:
        """``capacity`` tables, all of them idle."""
        return RtbTables(self, capacity)

    @property
    def several_items(self) -> bool:
        """Whether a seat chooses among items, so that it may choose the wrong one."""
        return False

    @abstractmethod
    def draw(self, tables: Ints, at: RtbTables) -> None:
        """Fill the next tick of ``tables`` into the arrays of ``at``."""

    def scores(self, stats: NDArray[np.float64]) -> NDArray[np.float64]:
        """The score of each seat, float64 ``(…, seats)``, of stats ``(…, seats, Stat)``.

        clicks; profit (what clicks are worth less what was spent); or conversions, scaled by
        (limit/CPA)² where a conversion cost more than the limit. Expected scores take what was won
        as it is and, of clicks and conversions, the expectation: the same mean, less noise.
        """
        clicks = stats[..., Stat.EXPECTED_CLICKS if self.expected else Stat.CLICKS]
        if self.score == "clicks":
            return clicks
        spent = stats[..., Stat.SPENT]
        if self.score == "profit":
            worth = stats[..., Stat.EXPECTED_VALUE if self.expected else Stat.VALUE]
            profit: NDArray[np.float64] = worth - spent
            return profit
        conversions = clicks * self.conversion_rates
        if not self.expected:
            conversions = stats[..., Stat.CONVERSIONS]
        allowed = conversions * self.cpa_limits
        share = np.divide(allowed, spent, out=np.ones_like(spent), where=spent > allowed)
        scaled: NDArray[np.float64] = conversions * share**2
        return scaled


def _within(where: str, option: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise InputError(f"{where}: {option}={value} must be from 1 to {most:,}")


class Rtb(Market):
    """Advertisers with budgets bid for impressions that each values in its own way."""

    name = "rtb"

    def __init__(
        self,
        *,
        bidders: int = 4,
        campaigns: tuple[str, ...] = ("2997", "1458", "3386", "2821"),
        mechanism: Mechanism = "second",
        slots: int = 1,
        decay: float = 0.5,
        reserve: float = 0.0,
        outside: bool = True,
        auctions: int = 960,
        tick: int = 20,
        budget: float | None = 0.125,
        common: float = 0.7,
        noise: float = 0.0,
        feedback: Feedback = "win",
        score: Score = "clicks",
        expected: bool = True,
        conversion_rate: float = 0.1,
        cpa: float = 1.0,
    ) -> None:
        where = "game 'rtb'"
        _within(where, "bidders", bidders, MOST_BIDDERS)
        if not campaigns:
            raise InputError(f"{where}: campaigns names none")
        if not 0.0 <= common <= 1.0:
            raise InputError(f"{where}: common={common:g} must be from 0 to 1")
        if not 0.0 <= noise <= 3.0:
            raise InputError(f"{where}: noise={noise:g} must be from 0 to 3")
        laws = [synthetic_campaign(campaigns[s % len(campaigns)]) for s in range(bidders)]
        self.laws: tuple[SyntheticCampaign, ...] = tuple(laws)
        budgets = np.full(bidders, np.inf)
        if budget is not None:
            budgets = np.array([law.campaign.budget(auctions, budget) for law in laws], np.float64)
        super().__init__(
            labels=tuple(law.name for law in laws),
            click_values=np.array([law.campaign.cpc for law in laws]),
            budgets=budgets,
            mechanism=mechanism,
            slots=slots,
            decay=decay,
            reserve=reserve,
            auctions=auctions,
            tick=tick,
            feedback=feedback,
            score=score,
            expected=expected,
            conversion_rate=conversion_rate,
            cpa=cpa,
        )
        self._rates = np.stack([law.rate_table for law in laws])
        self._prices = np.stack([law.price_table for law in laws])
        correlations = np.array([law.correlation for law in laws])
        # A seat's rate has the correlation ``common`` with the quality, the price this one: their
        # product is the campaign's own correlation of price and rate.
        self._loading = np.minimum(correlations / max(common, 1e-9), 1.0) * (common > 0.0)
        self._common, self._noise, self.outside = common, noise, outside

    def draw(self, tables: Ints, at: RtbTables) -> None:
        """See ``auction.draw_campaigns``."""
        auction.draw_campaigns(
            tables, at.seeds, at.first, self._rates, self._prices, self.click_values, NORMAL,
            self._common, self._loading, self._noise, self.outside, self.reserve,
            at.rate, at.value, at.truth, at.floor,
        )  # fmt: skip


class RtbCatalogue(Market):
    """Agents with catalogues of items bid for contexts, as an AuctionGym configuration says."""

    name = "rtb_catalogue"

    def __init__(
        self,
        *,
        config: str = "second-price",
        auctions: int = 1000,
        tick: int = 20,
        feedback: Feedback = "win",
        score: Score = "profit",
        expected: bool = True,
    ) -> None:
        self.config = load_config(config)
        catalogues = self.config.catalogues()
        super().__init__(
            labels=tuple(agent.name for agent in self.config.agents),
            click_values=catalogues.mean_values,
            budgets=np.array([agent.budget for agent in self.config.agents]),
            mechanism=self.config.mechanism,
            slots=self.config.slots,
            decay=self.config.decay,
            reserve=self.config.reserve,
            auctions=auctions,
            tick=tick,
            feedback=feedback,
            score=score,
            expected=expected,
            conversion_rate=self.config.conversion_rate,
            cpa=1.0,
        )
        self._catalogues = catalogues

    @property
    def bidders(self) -> tuple[str, ...]:
        """The specs of the agents that the configuration names, by seat."""
        return tuple(agent.bidder for agent in self.config.agents)

    @property
    def several_items(self) -> bool:
        """Seats choose among the items of their catalogues."""
        return True

    def draw(self, tables: Ints, at: RtbTables) -> None:
        """See ``auction.draw_catalogues``."""
        own = self._catalogues
        auction.draw_catalogues(
            tables, at.seeds, at.first, own.items, own.values, own.sizes, own.seen, NORMAL,
            self.config.embedding_var, self.config.participants, self.reserve,
            at.rate, at.value, at.truth, at.best, at.floor,
        )  # fmt: skip
