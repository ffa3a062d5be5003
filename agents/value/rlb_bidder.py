"""RLB in the market: each seat bids by the value function of its campaign."""

from __future__ import annotations

from typing import Literal

import numpy as np

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.value import rlb
from arena.envs.game import Game, Turns
from arena.envs.rtb.game import Rtb


class RlbBidder(Agent):
    """Solves V(n, b) for each campaign of the game, and bids by it.

    The market price's law is the campaign's own, from its training log: rivals at the table are
    not foreseen. Only second price is played, and only with a budget: RLB is made for nothing else.

    Options:
        objective: clicks or profit.
    """

    def __init__(
        self,
        game: Game,
        checkpoint: str | None = None,
        *,
        objective: Literal["clicks", "profit"] = "clicks",
    ) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"rlb takes no checkpoint, not {checkpoint}: it solves the game anew")
        if not isinstance(game, Rtb):
            raise CannotPlay(f"rlb bids for campaigns (rtb), not in {game.name}")
        if game.mechanism != "second" or not np.isfinite(game.budgets).all():
            raise CannotPlay("rlb needs mechanism=second and a budget")
        solved: dict[str, rlb.Bidder] = {}
        for law, budget in zip(game.laws, game.budgets.tolist(), strict=True):
            if law.name not in solved:
                aim = rlb.CLICKS if objective == "clicks" else rlb.profit(law.campaign)
                values = rlb.solve(
                    law.campaign, auctions=game.auctions, budget=int(budget), objective=aim
                )
                solved[law.name] = rlb.Bidder(values, aim)
        self.bidders = [solved[law.name] for law in game.laws]

    def act(self, turns: Turns) -> Decisions:
        """Bid on each impression as if nothing of the tick had been won before it."""
        seen = turns.observation
        rate = seen["rate"].astype(np.float64)
        size = rate.shape[1]
        n = seen["auctions_left"].astype(np.int64) - np.arange(size)
        b = np.broadcast_to(seen["budget"].astype(np.int64), rate.shape)
        bids = np.zeros(rate.shape)
        for seat in np.unique(turns.seats).tolist():
            rows = turns.seats == seat
            flat = self.bidders[seat].bids(n[rows].ravel(), b[rows].ravel(), rate[rows].ravel())
            bids[rows] = flat.reshape(-1, size)
        return Decisions(bids)
