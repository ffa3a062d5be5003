"""One campaign against a recorded market: what it knows beforehand, the log, and its replay.

The setting is that of Cai et al., Real-Time Bidding by Reinforcement Learning in Display
Advertising (WSDM 2017): a log of auctions is cut into episodes of N auctions; in each of them the
campaign starts with a budget B, bids on one auction after the other, wins where its bid is at least
the market price, and pays the market price (a second-price auction against the rest of the world).

Prices are whole numbers in the currency's CPM unit (iPinYou: 1/1000 fen an impression).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError

MAX_PRICE = 300
"""The highest bid; iPinYou's market prices lie in 0 … 300."""


@dataclass(frozen=True)
class Campaign:
    """What a campaign knows of its market beforehand: the counts of its training log.

    Attributes:
        name: the advertiser's id.
        impressions, clicks, cost: totals of the training log (cost in price units).
        price_counts: int64 ``(301,)``, how often each market price 0 … 300 occurred in training.
    """

    name: str
    impressions: int
    clicks: int
    cost: int
    price_counts: NDArray[np.int64]

    @classmethod
    def from_log(cls, name: str, log: AuctionLog) -> Campaign:
        """The campaign whose training log is ``log``; InputError where it saw no click or cost."""
        clicks, cost = int(log.clicks.sum()), int(log.prices.sum())
        if not clicks or not cost:
            raise InputError(
                f"training log of campaign {name}: it has {clicks} clicks at a total price of "
                f"{cost}; both must be above 0 to set a budget and a bid"
            )
        counts = np.bincount(np.minimum(log.prices, MAX_PRICE), minlength=MAX_PRICE + 1)
        return cls(name, len(log), clicks, cost, counts.astype(np.int64))

    @property
    def ctr(self) -> float:
        """The average click-through rate θ̄."""
        return self.clicks / self.impressions

    @property
    def cpm(self) -> float:
        """The average market price, in price units an impression."""
        return self.cost / self.impressions

    @property
    def cpc(self) -> float:
        """The average cost of a click if everything is bought, in price units."""
        return self.cost / self.clicks

    @cached_property
    def market(self) -> NDArray[np.float64]:
        """m(δ), the probability of each market price, with add-one smoothing; float64 (301,)."""
        total = self.price_counts.sum() + MAX_PRICE + 1
        law: NDArray[np.float64] = (self.price_counts + 1) / total
        return law

    def budget(self, auctions: int, fraction: float) -> int:
        """B = int(CPM · c₀ · N), the budget of an episode of ``auctions``; InputError for 0."""
        exact = self.cpm * fraction * auctions
        budget = int(exact) if exact < 2.0**53 else 0
        if budget <= 0:
            raise InputError(
                f"budget of campaign {self.name}: the fraction {fraction:g} of {auctions} auctions "
                f"at an average price of {self.cpm:.4g} is {budget}; choose a larger fraction or N"
            )
        return budget


@dataclass(frozen=True)
class AuctionLog:
    """A log of auctions, one entry each.

    Attributes:
        clicks: uint8 ``(n,)``, whether the impression was clicked.
        prices: int64 ``(n,)``, market prices, at least 0.
        ctr: float64 ``(n,)``, predicted click-through rates in [0, 1].
    """

    clicks: NDArray[np.uint8]
    prices: NDArray[np.int64]
    ctr: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.clicks)

    def head(self, n: int) -> AuctionLog:
        """The first ``n`` auctions."""
        return AuctionLog(self.clicks[:n], self.prices[:n], self.ctr[:n])


@dataclass(frozen=True)
class CampaignOutcome:
    """What a replay came to: totals over all its episodes, cost in price units."""

    auctions: int
    impressions: int
    clicks: int
    cost: int

    @property
    def win_rate(self) -> float:
        """Impressions won for each auction."""
        return self.impressions / self.auctions

    @property
    def cpm(self) -> float:
        """Cost for each impression won, NaN without any."""
        return self.cost / self.impressions if self.impressions else float("nan")

    @property
    def ecpc(self) -> float:
        """Cost for each click in thousands of price units (iPinYou: fen), NaN without any."""
        return self.cost / 1000 / self.clicks if self.clicks else float("nan")

    def profit(self, click_value: float) -> float:
        """``click_value`` for each click, less the cost."""
        return click_value * self.clicks - self.cost


def replay_bids(
    log: AuctionLog, bids: NDArray[np.int64], *, auctions: int, budget: int
) -> CampaignOutcome:
    """Replay bids that were fixed beforehand, in episodes of ``auctions`` with ``budget`` each.

    Args:
        bids: int64 ``(len(log),)``; each is cut to what is left of the budget and to MAX_PRICE.

    The last episode may be shorter; it counts, with a whole budget.
    """
    totals = _replay_bids(log.clicks, log.prices, bids, auctions, budget)
    return CampaignOutcome(len(log), *(int(t) for t in totals))


@numba.njit(cache=True)
def _replay_bids(
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    bids: NDArray[np.int64],
    auctions: int,
    budget: int,
) -> tuple[int, int, int]:
    won = clicked = cost = 0
    left = budget
    for i in range(len(clicks)):
        if i % auctions == 0:
            left = budget
        if min(bids[i], left, MAX_PRICE) >= prices[i]:
            left -= prices[i]
            cost += prices[i]
            won += 1
            clicked += clicks[i]
    return won, clicked, cost
