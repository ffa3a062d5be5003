"""Synthetic campaigns: the shape of iPinYou's nine campaigns in a few numbers each.

``campaigns.json`` holds, for each campaign, the training totals and the parameters of

- the market price: round prices that many rivals bid (atoms) and a mixture of log-normal laws,
  fitted by ``fit_prices`` to the training log's price counts;
- the predicted click-through rate: a mixture of log-normal laws, scaled to the campaign's mean;
- the correlation of the two, of a Gaussian copula.

Everything is sampled through tables of 4096 equally likely levels, so that a market of many bidders
draws a rate with one look-up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign

LEVELS = 4096
"""How many levels a tabulated law has."""

SPAN = 4.0
"""Scores of the Gaussian copula are tabulated over −SPAN … SPAN."""

NORMAL: NDArray[np.float32] = ndtri((np.arange(LEVELS) + 0.5) / LEVELS).astype(np.float32)
"""4096 equally likely levels of the standard normal law, float32."""

Mixture = tuple[tuple[float, float, float], ...]
"""Log-normal components: weight, mean and standard deviation of the logarithm."""


@dataclass(frozen=True)
class SyntheticCampaign:
    """The law that a campaign's auctions are drawn from.

    Attributes:
        name: the iPinYou advertiser whose log was fitted.
        impressions, clicks, cost: totals of that training log.
        atoms: (price, probability) of the round prices.
        prices: the mixture of the other prices; weights and atoms' probabilities sum to 1.
        rates: the mixture of the click-through rate.
        correlation: of the copula of price and rate.
    """

    name: str
    impressions: int
    clicks: int
    cost: int
    atoms: tuple[tuple[int, float], ...]
    prices: Mixture
    rates: Mixture
    correlation: float

    @cached_property
    def market(self) -> NDArray[np.float64]:
        """The probability of each market price 0 … 300, float64 ``(301,)``."""
        return price_law(self.atoms, self.prices)

    @cached_property
    def campaign(self) -> Campaign:
        """What a bidder knows: totals and price counts, as expected under this law."""
        counts = np.rint(self.market * self.impressions).astype(np.int64)
        return Campaign(self.name, self.impressions, self.clicks, self.cost, counts)

    @cached_property
    def price_table(self) -> NDArray[np.float32]:
        """The market price at each level of the copula's score; float32 ``(4096,)``."""
        ranks = ndtr(_scores())
        prices = np.searchsorted(np.cumsum(self.market)[:-1], ranks)
        table: NDArray[np.float32] = prices.astype(np.float32)
        return table

    @cached_property
    def rate_table(self) -> NDArray[np.float32]:
        """The click-through rate at each level of the copula's score; float32 ``(4096,)``.

        Scaled so that its mean under the normal law is clicks/impressions; at most 1.
        """
        logs = np.linspace(-16.0, 0.0, 16_384)
        mass = sum(w * ndtr((logs - mean) / deviation) for w, mean, deviation in self.rates)
        rates = np.exp(np.interp(ndtr(_scores()), mass, logs))
        drawn = np.clip((NORMAL + SPAN) * (LEVELS / (2 * SPAN)), 0, LEVELS - 1).astype(np.int64)
        for _ in range(50):  # the cap at 1 bends the scaling, so it is repeated until it holds
            rates *= self.clicks / self.impressions / rates[drawn].mean()
            rates = np.minimum(rates, 1.0)
        table: NDArray[np.float32] = rates.astype(np.float32)
        return table

    def sample(self, auctions: int, seed: int) -> AuctionLog:
        """A log of ``auctions`` drawn from this law; clicks follow the predicted rates."""
        clicks = np.empty(auctions, np.uint8)
        prices = np.empty(auctions, np.int64)
        rates = np.empty(auctions)
        _sample(
            np.uint64(seed), self.price_table, self.rate_table, self.correlation, NORMAL,
            clicks, prices, rates,
        )  # fmt: skip
        return AuctionLog(clicks, prices, rates)


def _scores() -> NDArray[np.float64]:
    """The middles of the levels of a table over −SPAN … SPAN."""
    return (np.arange(LEVELS) + 0.5) / LEVELS * (2 * SPAN) - SPAN


@numba.njit(cache=True, inline="always")
def level(score: float) -> int:
    """The index of a copula score in a table of LEVELS over −SPAN … SPAN."""
    return min(max(int((score + SPAN) * (LEVELS / (2 * SPAN))), 0), LEVELS - 1)


@numba.njit(cache=True)
def _sample(
    seed: np.uint64,
    price_table: NDArray[np.float32],
    rate_table: NDArray[np.float32],
    correlation: float,
    normal: NDArray[np.float32],
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    rates: NDArray[np.float64],
) -> None:
    rest = np.sqrt(1.0 - correlation * correlation)
    for i in range(len(clicks)):
        word = seeding.word(seed, i)
        first = normal[np.int64(word & np.uint64(LEVELS - 1))]
        second = normal[np.int64((word >> np.uint64(12)) & np.uint64(LEVELS - 1))]
        chance = np.float64(word >> np.uint64(32)) * (1.0 / 4294967296.0)
        rates[i] = rate_table[level(first)]
        prices[i] = np.int64(price_table[level(correlation * first + rest * second)])
        clicks[i] = chance < rates[i]


@cache
def synthetic_campaigns() -> dict[str, SyntheticCampaign]:
    """The nine fitted campaigns by name."""
    text = files("arena.envs.rtb").joinpath("campaigns.json").read_text(encoding="utf-8")
    return {
        name: SyntheticCampaign(
            name=name,
            impressions=entry["impressions"],
            clicks=entry["clicks"],
            cost=entry["cost"],
            atoms=tuple((int(price), mass) for price, mass in entry["atoms"]),
            prices=tuple((w, m, d) for w, m, d in entry["prices"]),
            rates=tuple((w, m, d) for w, m, d in entry["rates"]),
            correlation=entry["correlation"],
        )
        for name, entry in json.loads(text)["campaigns"].items()
    }


def synthetic_campaign(name: str) -> SyntheticCampaign:
    """The fitted campaign of that name, or InputError."""
    known = synthetic_campaigns()
    if name not in known:
        raise InputError(f"no synthetic campaign is called {name!r}; known: {', '.join(known)}")
    return known[name]


def price_law(atoms: tuple[tuple[int, float], ...], mixture: Mixture) -> NDArray[np.float64]:
    """The probability of each price 0 … 300 under atoms and a log-normal mixture of price + 1.

    The mixture is cut at 300 and scaled to what the atoms leave.
    """
    logs = np.log(np.arange(MAX_PRICE + 2) + 0.5)  # the borders of prices + 1
    logs[0] = -np.inf
    body = np.zeros(MAX_PRICE + 1)
    for weight, mean, deviation in mixture:
        body += weight * np.diff(ndtr((logs - mean) / deviation))
    law: NDArray[np.float64] = body * ((1.0 - sum(mass for _, mass in atoms)) / body.sum())
    for price, mass in atoms:
        law[price] += mass
    return law


def fit_prices(
    counts: NDArray[np.int64], *, atoms: int = 8, components: int = 2
) -> tuple[tuple[tuple[int, float], ...], Mixture]:
    """Fit ``price_law`` to price counts by maximum likelihood.

    The atoms are the ``atoms`` prices that stand out most above the median of their neighbours.
    """
    shares = counts / counts.sum()
    around = np.lib.stride_tricks.sliding_window_view(np.pad(shares, 5, mode="edge"), 11)
    excess = shares - np.median(around, axis=1)
    points = np.sort(np.argsort(excess)[::-1][:atoms])
    logs = np.log(np.arange(MAX_PRICE + 1) + 1.0)
    quartiles = np.interp([0.25, 0.75], np.cumsum(shares), logs)

    def law(x: NDArray[np.float64]) -> tuple[tuple[tuple[int, float], ...], Mixture]:
        masses, (weights, means, deviations) = x[:atoms], x[atoms:].reshape(3, components)
        scale = np.exp(np.append(masses, 0.0))
        shared = np.exp(weights) / np.exp(weights).sum()
        return (
            tuple(zip(points.tolist(), (scale / scale.sum())[:-1].tolist(), strict=True)),
            tuple(zip(shared.tolist(), means.tolist(), np.exp(deviations).tolist(), strict=True)),
        )

    def surprise(x: NDArray[np.float64]) -> float:
        return -float(shares @ np.log(np.maximum(price_law(*law(x)), 1e-12)))

    first = np.concatenate(
        [
            np.log(excess[points] / (1.0 - excess[points].sum())),
            np.zeros(components),
            np.resize(quartiles, components),
            np.full(components, np.log(0.7)),
        ]
    )
    return law(minimize(surprise, first, method="L-BFGS-B", options={"maxiter": 2000}).x)
