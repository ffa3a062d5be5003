"""Bidders by rule for the market (``arena.envs.rtb.game``): truthful, shaded, ORTB, paced."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.envs.rtb.game import Market
from arena.envs.rtb.text import round_bids


def market(game: Game, family: str, checkpoint: str | None) -> Market:
    """The game as a market, for a bidder without a checkpoint; CannotPlay otherwise."""
    if checkpoint is not None:
        raise CannotPlay(f"{family} takes no checkpoint, not {checkpoint}")
    if not isinstance(game, Market):
        raise CannotPlay(f"{family} bids in markets (rtb, rtb_catalogue), not in {game.name}")
    return game


class Truthful(Agent):
    """Bids what an impression is worth: optimal at second price without a budget."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        market(game, "truthful", checkpoint)

    def act(self, turns: Turns) -> Decisions:
        """Bid the values."""
        return Decisions(round_bids(turns.observation["value"].astype(np.float64)))


class Shaded(Agent):
    """Bids a fixed share of what an impression is worth.

    Options:
        factor: the share; in a market with budgets this is Lin, with b₀ = factor · CPM.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, factor: float = 0.7) -> None:
        market(game, "shaded", checkpoint)
        if not 0.0 <= factor <= 100.0:
            raise InputError(f"agent 'shaded': factor={factor:g} must be from 0 to 100")
        self.factor = factor

    def act(self, turns: Turns) -> Decisions:
        """Bid the values' share."""
        return Decisions(round_bids(turns.observation["value"] * np.float64(self.factor)))


class OrtbBidder(Agent):
    """Bids √(c v/λ + c²) − c for a value v: see ``arena.agents.scripted.rtb_baselines.Ortb``.

    Options:
        c: the bid that wins half of the impressions.
        scale: 1/λ; the smaller, the less is spent.
    """

    def __init__(
        self, game: Game, checkpoint: str | None = None, *, c: float = 35.0, scale: float = 2.0
    ) -> None:
        market(game, "ortb", checkpoint)
        if not (0.0 < c < 1e9 and 0.0 < scale < 1e9):
            raise InputError(f"agent 'ortb': c={c:g} and scale={scale:g} must be above 0")
        self.c, self.scale = c, scale

    def act(self, turns: Turns) -> Decisions:
        """Bid by the formula."""
        value = turns.observation["value"].astype(np.float64)
        return Decisions(round_bids(np.sqrt(self.c * self.scale * value + self.c**2) - self.c))


class Paced(Agent):
    """Bids a multiple of the values that is steered so that the budget is spent evenly.

    AuctionNet's rule for its PID bidder: after a tick that spent less than 0.7 of its due the
    multiple grows by 1.2, after one that spent more than 1.1 of it, it shrinks by 0.7. The due is
    what was left of the budget over the ticks that were left. Without a budget it never changes.

    Options:
        start: the first multiple.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, start: float = 0.3) -> None:
        market(game, "paced", checkpoint)
        if not 0.0 < start <= 100.0:
            raise InputError(f"agent 'paced': start={start:g} must be above 0 and at most 100")
        self.start = start
        self.multiple: NDArray[np.float64] = np.zeros((0, game.seats))

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Start with the first multiple."""
        missing = int(tables.max()) + 1 - len(self.multiple)
        if missing > 0:
            self.multiple = np.pad(self.multiple, ((0, missing), (0, 0)))
        self.multiple[tables, seats] = self.start

    def act(self, turns: Turns) -> Decisions:
        """Compare the last tick's spend with its due, and bid."""
        seen = turns.observation
        at = (turns.tables, turns.seats)
        tick = seen["rate"].shape[1]
        left = seen["budget"][:, 0].astype(np.float64)
        ticks_left = seen["auctions_left"][:, 0] / tick
        spent = seen["paid"].sum(axis=1, dtype=np.float64)
        limited = np.isfinite(left)
        due = np.where(limited, left + spent, 1.0) / (ticks_left + 1.0)
        pace = spent / np.maximum(due, 1e-9)
        begun = seen["time_left"][:, 0] < 1.0
        steer = begun & limited
        factor = np.where(steer & (pace < 0.7), 1.2, np.where(steer & (pace > 1.1), 0.7, 1.0))
        self.multiple[at] = np.clip(self.multiple[at] * factor, 1e-3, 100.0)
        return Decisions(round_bids(seen["value"] * self.multiple[at][:, None]))
