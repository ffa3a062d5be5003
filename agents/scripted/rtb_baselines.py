"""What RLB is compared with on a log: bidding rules that know no dynamic programme.

Mcpc and Lin are those of Cai et al. (WSDM 2017, section 4.3), ORTB is Zhang, Yuan, Wang: Optimal
Real-Time Bidding for Display Advertising (KDD 2014, section 3.2), and the pacer a proportional-
integral-derivative controller on top of Lin (Zhang et al., Feedback Control of Real-Time Display
Advertising, WSDM 2016). SS-MDP is RLB with every rate replaced by the average: see
``arena.agents.value.rlb``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign, CampaignOutcome, replay_bids


class Strategy(Protocol):
    """A way to bid that a log can be replayed for."""

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """Replay ``log`` in episodes of ``auctions`` with ``budget`` each."""


@dataclass(frozen=True)
class LinearBid:
    """Bids int(θ · scale).

    Mcpc has the scale cost/clicks of the training log (``mcpc``), Lin b₀/θ̄ (``linear``).
    """

    scale: float

    def bids(self, ctr: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bids for impressions of rates ``ctr``, int64 of the same shape."""
        return np.minimum(ctr * self.scale, MAX_PRICE).astype(np.int64)

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """See ``Strategy``."""
        return replay_bids(log, self.bids(log.ctr), auctions=auctions, budget=budget)


def mcpc(campaign: Campaign) -> LinearBid:
    """Bid what a click cost on average in training, times the rate."""
    return LinearBid(campaign.cpc)


def linear(campaign: Campaign, b0: float) -> LinearBid:
    """Bid ``b0`` for an impression of the average rate, and in proportion for others."""
    return LinearBid(b0 / campaign.ctr)


@dataclass(frozen=True)
class Ortb:
    """Bids int(√(c θ/λ + c²) − c): optimal where a bid b wins with the chance b/(b + c).

    Attributes:
        scale: 1/λ, tuned on training data.
        c: fitted to the market (``fit_win_rate``).
    """

    scale: float
    c: float

    def bids(self, ctr: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bids for impressions of rates ``ctr``, int64 of the same shape."""
        bids = np.sqrt(self.c * self.scale * ctr + self.c**2) - self.c
        return np.minimum(bids, MAX_PRICE).astype(np.int64)

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """See ``Strategy``."""
        return replay_bids(log, self.bids(log.ctr), auctions=auctions, budget=budget)


def fit_win_rate(campaign: Campaign) -> float:
    """The c for which b/(b + c) is nearest to the market's win rate, in least squares over b."""
    bids = np.arange(MAX_PRICE + 1)
    wins = np.cumsum(campaign.market)
    fit = minimize_scalar(
        lambda c: float(((bids / (bids + c) - wins) ** 2).sum()), bounds=(1.0, 1000.0)
    )
    return float(fit.x)


@dataclass(frozen=True)
class Pacer:
    """Lin whose scale is steered so that the budget is spent evenly (linear pacing by PID).

    After each ``interval`` auctions the error e is the share of the interval's due spend that was
    missed (within ±1), and the scale becomes ``scale`` · exp(k_p e + k_i Σe + k_d Δe). The due
    spend is what was left of the budget, spread over what was left of the episode.
    """

    scale: float
    interval: int = 20
    proportional: float = 0.2
    integral: float = 0.1
    derivative: float = 0.05

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """See ``Strategy``."""
        totals = _pace(
            log.clicks, log.prices, log.ctr, auctions, budget, self.scale, self.interval,
            self.proportional, self.integral, self.derivative,
        )  # fmt: skip
        return CampaignOutcome(len(log), *(int(total) for total in totals))


@numba.njit(cache=True)
def _pace(
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    ctr: NDArray[np.float64],
    auctions: int,
    budget: int,
    scale: float,
    interval: int,
    proportional: float,
    integral: float,
    derivative: float,
) -> tuple[int, int, int]:
    won = clicked = cost = 0
    left = at_check = budget
    error = total = 0.0
    factor = 1.0
    for i in range(len(clicks)):
        n = i % auctions
        if n == 0:
            left = at_check = budget
            error = total = 0.0
            factor = 1.0
        elif n % interval == 0:
            due = at_check * interval / (auctions - n + interval)
            now = 1.0 - (at_check - left) / due if due > 0.0 else 0.0
            now = min(max(now, -1.0), 1.0)
            total += now
            factor = np.exp(proportional * now + integral * total + derivative * (now - error))
            error = now
            at_check = left
        bid = min(int(min(ctr[i] * scale * factor, MAX_PRICE)), left)
        if bid >= prices[i]:
            left -= prices[i]
            cost += prices[i]
            won += 1
            clicked += clicks[i]
    return won, clicked, cost


def tune(
    make: Callable[[float], Strategy],
    candidates: Sequence[float],
    log: AuctionLog,
    *,
    auctions: int,
    budget: int,
    score: Callable[[CampaignOutcome], float],
) -> tuple[float, Strategy]:
    """The candidate whose strategy scores most on the training ``log``; the first of equals."""
    scored = [
        (score(make(c).replay(log, auctions=auctions, budget=budget)), -i)
        for i, c in enumerate(candidates)
    ]
    best = -max(scored)[1]
    return candidates[best], make(candidates[best])
