"""A campaign against its log or its law for Gymnasium, and the market for PettingZoo.

``arena/RtbSynthetic-v0`` is a fitted campaign, ``arena/RtbLogged-v0`` a campaign's log
(``campaign=…info.json, log=…txt``); both have a vectorised form. The market where bidders meet is
the game of ``arena.envs.rtb.game``; ``env``, ``raw_env`` and ``parallel_env`` take its options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs import pictures
from arena.envs.errors import InputError
from arena.envs.faces import zoo
from arena.envs.faces.seat import Episodes, Outcome
from arena.envs.faces.single import EpisodeEnv
from arena.envs.faces.vector import EpisodeVectorEnv
from arena.envs.faces.view import Info
from arena.envs.game import Ints
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign
from arena.envs.rtb.logs import load_campaign, load_log
from arena.envs.rtb.synthetic import synthetic_campaign

Reward = Literal["clicks", "expected_clicks", "profit"]
Source = Callable[[int, int | None], AuctionLog]

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.3, 1.7, 2.5)
"""The multiples of the linear bid that a discrete action chooses among."""

OBSERVATION = gymnasium.spaces.Box(0.0, 10.0, (5,), np.float32)
"""Shares of the episode and of the budget left, their ratio, the rate over θ̄, the win rate."""


def observation(
    time_left: NDArray[np.float64],
    budget_left: NDArray[np.float64],
    rate: NDArray[np.float64],
    win_rate: NDArray[np.float64],
) -> NDArray[np.float32]:
    """``OBSERVATION`` for many episodes, float32 ``(n, 5)``; cut at its bounds."""
    pace = np.divide(budget_left, time_left, out=np.zeros(len(rate)), where=time_left > 0)
    stacked = np.stack([time_left, budget_left, pace, rate, win_rate], axis=1)
    bounded: NDArray[np.float32] = np.clip(stacked, 0.0, 10.0).astype(np.float32)
    return bounded


class BiddingEpisodes(Episodes):
    """One campaign bids on ``auctions`` impressions with a budget; second price.

    Observation, Box (5,), float32: share of the auctions left, share of the budget left, the second
    over the first (above 1: money must be spent faster), mean click-through rate of the ``tick``
    impressions on offer over the campaign's average, share of the last tick won; cut at 10.

    Action: the bid in price units for an impression of the average rate, Box (1,) in 0 … 300;
    bids for others are in proportion, rounded down, at most 300 and at most the budget. With
    ``levels``, Discrete: that multiple of the average market price.

    Reward: clicks won, the sum of their predicted rates, or profit in price units.

    Terminated when no money is left, truncated after ``auctions`` auctions. A log's episodes follow
    each other without overlap; the seed draws one, and ``episode`` in the options of ``reset``
    names it (in a vector environment that of the first row).

    Args:
        count: of episodes at once.
        campaign: a fitted campaign's name or, with ``log``, the path of an ``info.json``.
        log: a log's path (rows ``click price pCTR``); None for synthetic episodes.
        auctions, fraction: N, and c₀ of the budget int(CPM · c₀ · N).
        tick: auctions for each step.
    """

    def __init__(
        self,
        count: int,
        campaign: str = "2997",
        *,
        log: str | None = None,
        auctions: int = 1000,
        fraction: float = 1 / 32,
        tick: int = 1,
        reward: Reward = "clicks",
        levels: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(count)
        if auctions < 1 or tick < 1 or auctions % tick:
            raise InputError(
                f"auctions={auctions} must be a multiple of tick={tick}, and both at least 1"
            )
        self.campaign, self._source = _source(campaign, log, auctions)
        self.auctions, self.tick, self.reward = auctions, tick, reward
        self.limit = auctions // tick
        self.budget = self.campaign.budget(auctions, fraction)
        self.levels = None if levels is None else np.array(levels)
        self.observation_space = OBSERVATION
        self.action_space: gymnasium.Space[Any] = (
            gymnasium.spaces.Box(0.0, MAX_PRICE, (1,), np.float32)
            if self.levels is None
            else gymnasium.spaces.Discrete(len(self.levels))
        )
        self.clicks = np.zeros((count, auctions), np.uint8)
        self.prices = np.zeros((count, auctions), np.int64)
        self.ctr = np.zeros((count, auctions))
        self.now = np.zeros(count, np.int64)
        self.left = np.zeros(count, np.int64)
        self.win_rate = np.zeros(count)
        # impressions, clicks, cost, expected clicks
        self.totals = np.zeros((count, 4))

    def begin(self, rows: Ints, seeds: NDArray[np.uint64], options: Mapping[str, Any]) -> None:
        """See ``Episodes``."""
        first = options.get("episode")
        for row, seed in zip(rows.tolist(), seeds.tolist(), strict=True):
            log = self._source(seed, None if first is None else first + row)
            self.clicks[row], self.prices[row], self.ctr[row] = log.clicks, log.prices, log.ctr
        self.now[rows], self.left[rows], self.win_rate[rows] = 0, self.budget, 0.0
        self.totals[rows] = 0.0

    def observe(self, rows: Ints) -> NDArray[np.float32]:
        """See the class."""
        now = self.now[rows]
        upcoming = np.minimum(now[:, None] + np.arange(self.tick), self.auctions - 1)
        rate = np.take_along_axis(self.ctr[rows], upcoming, axis=1).mean(axis=1)
        return observation(
            1.0 - now / self.auctions,
            self.left[rows] / self.budget,
            rate / self.campaign.ctr,
            self.win_rate[rows],
        )

    def step(self, rows: Ints, actions: NDArray[Any]) -> Outcome:
        """Bid on the next ``tick`` auctions of each of ``rows``."""
        if self.levels is None:
            scale = np.clip(np.asarray(actions, np.float64).reshape(len(rows)), 0.0, MAX_PRICE)
        else:
            scale = self.levels[np.asarray(actions, np.int64)] * self.campaign.cpm
        before = self.totals[rows].copy()
        _bid_ticks(
            rows, scale / self.campaign.ctr, self.tick, self.clicks, self.prices, self.ctr,
            self.now, self.left, self.totals,
        )  # fmt: skip
        gained = self.totals[rows] - before
        self.win_rate[rows] = gained[:, 0] / self.tick
        spent = self.left[rows] <= 0
        return Outcome(self._worth(gained), spent, ~spent & (self.now[rows] >= self.auctions))

    def _worth(self, gained: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.reward == "profit":
            return self.campaign.cpc * gained[:, 1] - gained[:, 2]
        return gained[:, 1 if self.reward == "clicks" else 3]

    def info(self, rows: Ints) -> Info:
        """The figures so far."""
        impressions, clicks, cost, expected = self.totals[rows].T.copy()
        return {
            "impressions": impressions,
            "clicks": clicks,
            "cost": cost,
            "expected_clicks": expected,
            "budget_use": cost / self.budget,
            "win_rate": impressions / np.maximum(self.now[rows], 1),
        }

    def text(self, row: int) -> str:
        """The figures so far, a line each."""
        figures = {name: values[0] for name, values in self.info(np.array([row])).items()}
        lines = [f"auctions: {self.now[row]} of {self.auctions}", f"budget left: {self.left[row]}"]
        return "\n".join([*lines, *(f"{name}: {value:g}" for name, value in figures.items())])

    def picture(self, row: int) -> NDArray[np.uint8]:
        """The figures so far in words."""
        return pictures.words(self.text(row))


@numba.njit(cache=True)
def _bid_ticks(
    rows: NDArray[np.int64],
    scale: NDArray[np.float64],
    tick: int,
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    ctr: NDArray[np.float64],
    now: NDArray[np.int64],
    left: NDArray[np.int64],
    totals: NDArray[np.float64],
) -> None:
    for at in range(len(rows)):
        row = rows[at]
        for i in range(now[row], now[row] + tick):
            bid = min(int(min(ctr[row, i] * scale[at], MAX_PRICE)), left[row])
            if bid >= prices[row, i]:
                left[row] -= prices[row, i]
                totals[row, 0] += 1.0
                totals[row, 1] += clicks[row, i]
                totals[row, 2] += prices[row, i]
                totals[row, 3] += ctr[row, i]
        now[row] += tick


def _source(campaign: str, log: str | None, auctions: int) -> tuple[Campaign, Source]:
    """The campaign, and what makes an episode's auctions of its seed, or of its number."""
    if log is None:
        law = synthetic_campaign(campaign)

        def drawn(seed: int, number: int | None) -> AuctionLog:
            return law.sample(auctions, seed if number is None else number)

        return law.campaign, drawn
    known, rows = load_campaign(Path(campaign)), load_log(Path(log))
    episodes = len(rows) // auctions
    if not episodes:
        raise InputError(f"{log}: has {len(rows)} rows, fewer than an episode of {auctions}")

    def episode(seed: int, number: int | None) -> AuctionLog:
        at = (seed if number is None else number) % episodes * auctions
        cut = slice(at, at + auctions)
        return AuctionLog(rows.clicks[cut], rows.prices[cut], rows.ctr[cut])

    return known, episode


class BiddingEnv(EpisodeEnv):
    """``BiddingEpisodes`` one after the other; the options are theirs."""

    episodes: BiddingEpisodes

    def __init__(
        self, campaign: str = "2997", *, render_mode: str | None = None, **options: Any
    ) -> None:
        super().__init__(BiddingEpisodes(1, campaign, **options), render_mode)


class BiddingVectorEnv(EpisodeVectorEnv):
    """``BiddingEpisodes``, many at once; the options are theirs and ``EpisodeVectorEnv``'s."""

    def __init__(
        self,
        num_envs: int = 1,
        campaign: str = "2997",
        *,
        autoreset_mode: gymnasium.vector.AutoresetMode | str = "NextStep",
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        episodes = BiddingEpisodes(num_envs, campaign, **options)
        super().__init__(episodes, autoreset_mode, render_mode, max_episode_steps)


env = partial(zoo.aec_env, "rtb")
raw_env = partial(zoo.raw_env, "rtb")
parallel_env = partial(zoo.parallel_env, "rtb")
