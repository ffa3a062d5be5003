"""The Gymnasium and PettingZoo faces of real-time bidding.

Importing ``arena.envs.rtb.env`` registers with Gymnasium, each with a vectorised form for
``make_vec``:

- ``arena/RtbSynthetic-v0``: a fitted campaign; each reset draws a fresh episode from its law;
- ``arena/RtbLogged-v0``: a campaign's log (``campaign=…info.json, log=…txt``), one episode after
  the other; a reset with a seed picks where to begin.

``parallel_env(**options)`` is the market of ``arena.envs.rtb.game`` for PettingZoo, registered
there as ``arena/rtb_market_v0``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numba
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.env_registry.registration import register as register_pettingzoo

from arena.envs.errors import InputError
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign
from arena.envs.rtb.game import Market, Rtb
from arena.envs.rtb.logs import load_campaign, load_log
from arena.envs.rtb.synthetic import synthetic_campaign
from arena.envs.rtb.text import totals

Info = dict[str, Any]
Reward = Literal["clicks", "expected_clicks", "profit"]

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


class _Episodes:
    """Many episodes of one campaign, stepped together: what both Gymnasium classes run on."""

    def __init__(
        self,
        campaign: Campaign,
        source: Callable[[int, int], AuctionLog],
        *,
        count: int,
        auctions: int,
        fraction: float,
        tick: int,
        reward: Reward,
        levels: tuple[float, ...] | None,
    ) -> None:
        if auctions < 1 or tick < 1 or auctions % tick:
            raise InputError(
                f"auctions={auctions} must be a multiple of tick={tick}, and both at least 1"
            )
        self.campaign, self.source = campaign, source
        self.auctions, self.tick, self.reward = auctions, tick, reward
        self.budget = campaign.budget(auctions, fraction)
        self.levels = None if levels is None else np.array(levels)
        self.clicks = np.zeros((count, auctions), np.uint8)
        self.prices = np.zeros((count, auctions), np.int64)
        self.ctr = np.zeros((count, auctions))
        self.now = np.zeros(count, np.int64)
        self.left = np.zeros(count, np.int64)
        self.win_rate = np.zeros(count)
        # impressions, clicks, cost, expected clicks
        self.totals = np.zeros((count, 4))

    @property
    def action_space(self) -> gymnasium.Space[Any]:
        """The bid for an impression of the average rate, or which of the levels it is."""
        if self.levels is not None:
            return gymnasium.spaces.Discrete(len(self.levels))
        return gymnasium.spaces.Box(0.0, MAX_PRICE, (1,), np.float32)

    def begin(self, row: int, seed: int, number: int) -> None:
        log = self.source(seed, number)
        self.clicks[row], self.prices[row], self.ctr[row] = log.clicks, log.prices, log.ctr
        self.now[row], self.left[row], self.win_rate[row] = 0, self.budget, 0.0
        self.totals[row] = 0.0

    def observe(self) -> NDArray[np.float32]:
        upcoming = np.minimum(self.now[:, None] + np.arange(self.tick), self.auctions - 1)
        rate = np.take_along_axis(self.ctr, upcoming, axis=1).mean(axis=1) / self.campaign.ctr
        return observation(
            1.0 - self.now / self.auctions, self.left / self.budget, rate, self.win_rate
        )

    def step(self, rows: NDArray[np.int64], actions: NDArray[Any]) -> NDArray[np.float64]:
        """Bid on the next ``tick`` auctions of each of ``rows``; returns the rewards."""
        scale = np.clip(np.asarray(actions, np.float64).reshape(len(rows)), 0.0, MAX_PRICE)
        if self.levels is not None:
            scale = self.levels[np.asarray(actions, np.int64)] * self.campaign.cpm
        before = self.totals[rows].copy()
        _bid_ticks(
            rows, scale / self.campaign.ctr, self.tick, self.clicks, self.prices, self.ctr,
            self.now, self.left, self.totals,
        )  # fmt: skip
        gained = self.totals[rows] - before
        self.win_rate[rows] = gained[:, 0] / self.tick
        if self.reward == "profit":
            return self.campaign.cpc * gained[:, 1] - gained[:, 2]
        rewards: NDArray[np.float64] = gained[:, 1 if self.reward == "clicks" else 3]
        return rewards

    def info(self, row: int) -> Info:
        impressions, clicks, cost, expected = self.totals[row].tolist()
        return {
            "impressions": impressions,
            "clicks": clicks,
            "cost": cost,
            "expected_clicks": expected,
            "budget_use": cost / self.budget,
            "win_rate": impressions / max(int(self.now[row]), 1),
        }


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


def _source(
    campaign: str, log: str | None, auctions: int
) -> tuple[Campaign, Callable[[int, int], AuctionLog]]:
    """The campaign, and a function of (seed, episode number) to an episode's auctions."""
    if log is None:
        law = synthetic_campaign(campaign)
        return law.campaign, lambda seed, number: law.sample(auctions, seed)
    known, rows = load_campaign(Path(campaign)), load_log(Path(log))
    episodes = len(rows) // auctions
    if not episodes:
        raise InputError(f"{log}: has {len(rows)} rows, fewer than an episode of {auctions}")

    def episode(seed: int, number: int) -> AuctionLog:
        cut = slice(number % episodes * auctions, (number % episodes + 1) * auctions)
        return AuctionLog(rows.clicks[cut], rows.prices[cut], rows.ctr[cut])

    return known, episode


class BiddingEnv(gymnasium.Env[NDArray[np.float32], Any]):
    """One campaign bids on ``auctions`` impressions with a budget; second price.

    Observation, Box (5,), float32: share of the auctions left, share of the budget left, the second
    over the first (above 1: money must be spent faster), mean click-through rate of the ``tick``
    impressions on offer over the campaign's average, share of the last tick won; cut at 10.

    Action: the bid in price units for an impression of the average rate, Box (1,) in 0 … 300;
    bids for others are in proportion, rounded down, at most 300 and at most the budget. With
    ``levels``, Discrete: that multiple of the average market price.

    Reward: clicks won, the sum of their predicted rates, or profit in price units.

    Terminated when no money is left, truncated after ``auctions`` auctions.

    Args:
        campaign: a fitted campaign's name or, with ``log``, the path of an ``info.json``.
        log: a log's path (rows ``click price pCTR``); None for synthetic episodes.
        auctions, fraction: N, and c₀ of the budget int(CPM · c₀ · N).
        tick: auctions for each step.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium declares it so

    def __init__(
        self,
        campaign: str = "2997",
        *,
        log: str | None = None,
        auctions: int = 1000,
        fraction: float = 1 / 32,
        tick: int = 1,
        reward: Reward = "clicks",
        levels: tuple[float, ...] | None = None,
    ) -> None:
        known, source = _source(campaign, log, auctions)
        self.episodes = _Episodes(
            known, source, count=1, auctions=auctions, fraction=fraction, tick=tick,
            reward=reward, levels=levels,
        )  # fmt: skip
        self.logged = log is not None
        self.observation_space = OBSERVATION
        self.action_space = self.episodes.action_space
        self._number = -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], Info]:
        """Begin an episode: with a seed the one that it names, else the next."""
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(2**31))
        self._number = drawn if seed is not None else self._number + 1
        self.episodes.begin(0, drawn, self._number)
        return self.episodes.observe()[0], self.episodes.info(0)

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, Info]:
        """Bid on the next ``tick`` impressions."""
        reward = float(self.episodes.step(np.zeros(1, np.int64), np.asarray(action)[None])[0])
        truncated = bool(self.episodes.now[0] >= self.episodes.auctions)
        terminated = bool(self.episodes.left[0] <= 0)
        return self.episodes.observe()[0], reward, terminated, truncated, self.episodes.info(0)


class BiddingVectorEnv(VectorEnv[NDArray[np.float32], Any, NDArray[Any]]):
    """``BiddingEnv`` for many episodes at once, stepped by one call; see there.

    Episodes that are over begin anew at the next step (Gymnasium's NEXT_STEP autoreset). Infos are
    arrays over the environments.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP, "render_modes": []}  # noqa: RUF012

    def __init__(
        self,
        num_envs: int,
        campaign: str = "2997",
        *,
        log: str | None = None,
        auctions: int = 1000,
        fraction: float = 1 / 32,
        tick: int = 1,
        reward: Reward = "clicks",
        levels: tuple[float, ...] | None = None,
    ) -> None:
        known, source = _source(campaign, log, auctions)
        self.episodes = _Episodes(
            known, source, count=num_envs, auctions=auctions, fraction=fraction, tick=tick,
            reward=reward, levels=levels,
        )  # fmt: skip
        self.num_envs = num_envs
        self.single_observation_space = OBSERVATION
        self.single_action_space = self.episodes.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._over = np.ones(num_envs, np.bool_)
        self._number = -1

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[NDArray[np.float32], Info]:
        """Begin an episode everywhere; one seed stands for itself and the numbers after it."""
        seeds: list[int | None] = [None] * self.num_envs
        if isinstance(seed, list):
            seeds = seed
        elif seed is not None:
            seeds = [seed + row for row in range(self.num_envs)]
        if any(value is not None for value in seeds):
            self._rngs = [np.random.default_rng(value) for value in seeds]
        elif not hasattr(self, "_rngs"):
            self._rngs = [np.random.default_rng() for _ in range(self.num_envs)]
        for row in range(self.num_envs):
            self._begin(row, seeded=seeds[row] is not None)
        return self.episodes.observe(), self._info()

    def _begin(self, row: int, *, seeded: bool = False) -> None:
        self._number += 1
        drawn = int(self._rngs[row].integers(2**31))
        self.episodes.begin(row, drawn, drawn if seeded else self._number)
        self._over[row] = False

    def step(
        self, actions: Any
    ) -> tuple[
        NDArray[np.float32], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], Info
    ]:
        """Bid on the next ``tick`` impressions of every episode that is not over."""
        fresh = np.flatnonzero(self._over)
        rows = np.flatnonzero(~self._over)
        rewards = np.zeros(self.num_envs)
        rewards[rows] = self.episodes.step(rows, np.asarray(actions)[rows])
        for row in fresh.tolist():
            self._begin(row)
        truncated = self.episodes.now >= self.episodes.auctions
        terminated = self.episodes.left <= 0
        self._over = truncated | terminated
        return self.episodes.observe(), rewards, terminated, truncated, self._info()

    def _info(self) -> Info:
        names = ("impressions", "clicks", "cost", "expected_clicks")
        return {name: self.episodes.totals[:, i].copy() for i, name in enumerate(names)}


class MarketEnv(ParallelEnv):  # type: ignore[misc]  # PettingZoo ships no types
    """A market as a PettingZoo parallel environment: agents ``bidder_0`` …

    Observations and actions are the game's (``envs/rtb/README.md``). A reward is what the score
    rose by. A bidder whose budget is spent is terminated; all others are truncated after the last
    tick. Infos hold spend, clicks, conversions, eCPC, budget use and regrets so far, and the
    market's revenue and welfare. A seed at ``reset`` decides the episode; without one, episodes
    follow from the last seed.
    """

    metadata = {"name": "rtb_market_v0", "is_parallelizable": True, "render_modes": []}  # noqa: RUF012

    def __init__(self, game: Market) -> None:
        self.game = game
        self.render_mode = None
        self.possible_agents = [f"bidder_{seat}" for seat in range(game.seats)]
        self.agents: list[str] = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, game.observation_space)
        self.action_spaces = {
            agent: gymnasium.spaces.Box(0.0, np.inf, (game.tick,), np.float64)
            for agent in self.possible_agents
        }
        self._tables = game.tables(1)
        self._rng = np.random.default_rng()

    def observation_space(self, agent: str) -> gymnasium.Space[Any]:
        """The space of every bidder's observation."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space[Any]:
        """The space of a bidder's bids, its own to sample from."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, dict[str, NDArray[Any]]], dict[str, Info]]:
        """Begin an episode."""
        if seed is not None:
            self._rng = np.random.default_rng(seed)
        drawn = self._rng.integers(2**63, size=1, dtype=np.uint64)
        self._tables.begin(np.zeros(1, np.int64), drawn)
        self.agents = list(self.possible_agents)
        return self._observe(self.agents), self._infos(self.agents)

    def step(
        self, actions: Mapping[str, NDArray[np.float64]]
    ) -> tuple[
        dict[str, dict[str, NDArray[Any]]],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, Info],
    ]:
        """Auction a tick with everybody's bids."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        acting = list(self.agents)
        seats = np.array([self.possible_agents.index(agent) for agent in acting])
        before = self._tables.returns[0].copy()
        bids = np.array([np.asarray(actions[agent], np.float64) for agent in acting])
        self._tables.step(np.zeros(len(seats), np.int64), seats, np.maximum(bids, 0.0))
        gained = self._tables.returns[0] - before
        horizon = bool(self._tables.now[0] == self.game.ticks)
        spent_up = self._tables.spent_up[0]
        terminations = {a: bool(spent_up[s]) for a, s in zip(acting, seats, strict=True)}
        truncations = {a: horizon and not terminations[a] for a in acting}
        self.agents = [a for a in acting if not (terminations[a] or truncations[a])]
        rewards = {a: float(gained[s]) for a, s in zip(acting, seats, strict=True)}
        return self._observe(acting), rewards, terminations, truncations, self._infos(acting)

    def _observe(self, agents: list[str]) -> dict[str, dict[str, NDArray[Any]]]:
        seats = np.array([self.possible_agents.index(agent) for agent in agents])
        seen = self._tables.observe(np.zeros(len(seats), np.int64), seats)
        return {
            agent: {name: array[row] for name, array in seen.items()}
            for row, agent in enumerate(agents)
        }

    def _infos(self, agents: list[str]) -> dict[str, Info]:
        revenue, welfare = self._tables.market[0].tolist()
        return {
            agent: totals(self._tables, 0, self.possible_agents.index(agent))
            | {"revenue": revenue, "welfare": welfare}
            for agent in agents
        }


def parallel_env(**options: Any) -> MarketEnv:
    """The market of game ``rtb`` with these options, for PettingZoo."""
    return MarketEnv(Rtb(**options))


gymnasium.register(
    "arena/RtbSynthetic-v0",
    entry_point="arena.envs.rtb.env:BiddingEnv",
    vector_entry_point="arena.envs.rtb.env:BiddingVectorEnv",
    kwargs={"log": None},
)
gymnasium.register(
    "arena/RtbLogged-v0",
    entry_point="arena.envs.rtb.env:BiddingEnv",
    vector_entry_point="arena.envs.rtb.env:BiddingVectorEnv",
    kwargs={"log": ""},  # to be given; "" is refused as a file that cannot be read
)
register_pettingzoo(
    "parallel", "arena/rtb_market_v0", entry_point="arena.envs.rtb.env:parallel_env"
)
