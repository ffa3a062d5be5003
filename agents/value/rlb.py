"""RLB: bidding under a budget by dynamic programming.

Cai, Ren, Zhang, Malialis, Wang, Yu, Guo: Real-Time Bidding by Reinforcement Learning in Display
Advertising, WSDM 2017 (equations 6 to 8, algorithm 1).

V(n, b) is what n auctions are worth to a budget of b when bidding is optimal on average:

    V(0, b) = 0
    V(n, b) = γ V(n−1, b) + Σ_{δ=0..a} m(δ) [v₁ θ̄ − v₀ δ + γ (V(n−1, b−δ) − V(n−1, b))]

where m is the market price's distribution and a the largest δ that keeps the bracket at or above 0.
With n auctions to come, this one included, the bid for an impression of click-through rate θ is the
largest δ with v₁ θ − v₀ δ + γ (V(n−1, b−δ) − V(n−1, b)) ≥ 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign, CampaignOutcome


@dataclass(frozen=True)
class Objective:
    """What is maximised: ``click_value`` for each click less ``cost_weight`` times the cost.

    Clicks alone are (1, 0), profit is (what a click is worth in price units, 1).
    """

    click_value: float = 1.0
    cost_weight: float = 0.0


CLICKS = Objective()


def profit(campaign: Campaign) -> Objective:
    """Profit, with a click worth the whole price units of the campaign's average cost of one."""
    return Objective(float(int(campaign.cpc)), 1.0)


def solve(
    campaign: Campaign,
    *,
    auctions: int,
    budget: int,
    objective: Objective = CLICKS,
    gamma: float = 1.0,
) -> NDArray[np.float64]:
    """The value function V(n, b), exact; float64 ``(auctions + 1, budget + 1)``.

    V(n, 0) is 0: a spent budget is worth nothing, as in the authors' code, though an impression
    might cost 0. Takes O(auctions · budget · MAX_PRICE) at worst. Raises InputError where the array
    would need more than 4 GiB; ``Bidder`` scales a smaller one up.
    """
    if (auctions + 1) * (budget + 1) > 2**29:
        raise InputError(
            f"V(n, b) for N={auctions} and B={budget} needs more than 4 GiB; solve a smaller N or "
            "B, which the bidder scales up, or fit the network to it"
        )
    values = np.zeros((auctions + 1, budget + 1))
    gain = objective.click_value * campaign.ctr
    _solve(campaign.market, gain, objective.cost_weight, gamma, values)
    return values


@numba.njit(cache=True, fastmath={"reassoc", "contract"})
def _solve(
    market: NDArray[np.float64],
    gain: float,
    cost_weight: float,
    gamma: float,
    values: NDArray[np.float64],
) -> None:
    top = len(market) - 1
    budget = values.shape[1] - 1
    # The market price's law reversed: then price and value run the same way through memory, and
    # the sum over prices is a plain dot product.
    reverse = market[::-1].copy()
    mass = np.cumsum(market)
    spent = np.cumsum(market * np.arange(len(market)))
    for n in range(1, values.shape[0]):
        before = values[n - 1]
        after = values[n]
        # The budget that the best bid just keeps, b - a(b), only rises with b: two pointers.
        reach = budget - 1
        for b in range(budget, 0, -1):
            here = before[b]
            while (
                reach >= 0
                and gamma * (before[reach] - here) + gain - cost_weight * (b - reach) >= 0.0
            ):
                reach -= 1
            a = min(b - reach - 1, b, top)
            window = before[b - a : b + 1]
            weights = reverse[top - a :]
            total = 0.0
            for i in range(a + 1):
                total += weights[i] * window[i]
            after[b] = (
                gamma * (here * (1.0 - mass[a]) + total) + gain * mass[a] - cost_weight * spent[a]
            )


@dataclass(frozen=True)
class Bidder:
    """Bids by a value function, for any number of auctions and any budget.

    Beyond the N₀ auctions and the budget B₀ that ``values`` was solved for, the state is scaled
    down (coarse to fine): n > N₀ bids as (N₀, b N₀/n), b > B₀ as (n B₀/b, B₀).

    Attributes:
        values: V(n, b), float64 ``(N₀ + 1, B₀ + 1)``, from ``solve``.
        objective, gamma: those it was solved with.
    """

    values: NDArray[np.float64]
    objective: Objective = CLICKS
    gamma: float = 1.0

    def bids(
        self, n: NDArray[np.int64], b: NDArray[np.int64], ctr: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The bids, int64 ``(k,)``, with n auctions to come, b to spend, and rates ``ctr``."""
        return _bids(self.values, *self._weights(), n, b, ctr)

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """Replay the log in episodes of ``auctions``; the last may be shorter, and counts."""
        totals = _replay(
            self.values, *self._weights(), log.clicks, log.prices, log.ctr, auctions, budget
        )
        return CampaignOutcome(len(log), *(int(total) for total in totals))

    def _weights(self) -> tuple[float, float, float]:
        return self.objective.click_value, self.objective.cost_weight, self.gamma


@dataclass(frozen=True)
class StateOnly:
    """SS-MDP: bids by the same value function, as if every impression had the average rate."""

    values: NDArray[np.float64]
    average: float
    objective: Objective = CLICKS

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """See ``Bidder.replay``."""
        alike = AuctionLog(log.clicks, log.prices, np.full(len(log), self.average))
        return Bidder(self.values, self.objective).replay(alike, auctions=auctions, budget=budget)


@numba.njit(cache=True)
def _bid(
    values: NDArray[np.float64],
    click_value: float,
    cost_weight: float,
    gamma: float,
    n: int,
    b: int,
    theta: float,
) -> int:
    if n > values.shape[0] - 1:
        b = b * (values.shape[0] - 1) // n
        n = values.shape[0] - 1
    if b > values.shape[1] - 1:
        n = max(n * (values.shape[1] - 1) // b, 1)
        b = values.shape[1] - 1
    row = values[n - 1]
    gain = click_value * theta
    # What a bid is worth falls as it rises: bisect for the largest that is worth anything.
    low, high = 0, min(b, MAX_PRICE)
    while low < high:
        middle = (low + high + 1) // 2
        if gamma * (row[b - middle] - row[b]) + gain - cost_weight * middle >= 0.0:
            low = middle
        else:
            high = middle - 1
    return low


@numba.njit(cache=True)
def _bids(
    values: NDArray[np.float64],
    click_value: float,
    cost_weight: float,
    gamma: float,
    n: NDArray[np.int64],
    b: NDArray[np.int64],
    ctr: NDArray[np.float64],
) -> NDArray[np.int64]:
    out = np.empty(len(ctr), np.int64)
    for i in range(len(ctr)):
        out[i] = _bid(values, click_value, cost_weight, gamma, n[i], b[i], ctr[i])
    return out


@numba.njit(cache=True)
def _replay(
    values: NDArray[np.float64],
    click_value: float,
    cost_weight: float,
    gamma: float,
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    ctr: NDArray[np.float64],
    auctions: int,
    budget: int,
) -> tuple[int, int, int]:
    won = clicked = cost = 0
    left = budget
    for i in range(len(clicks)):
        n = auctions - i % auctions
        if n == auctions:
            left = budget
        if _bid(values, click_value, cost_weight, gamma, n, left, ctr[i]) >= prices[i]:
            left -= prices[i]
            cost += prices[i]
            won += 1
            clicked += clicks[i]
    return won, clicked, cost
