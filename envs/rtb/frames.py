"""What a replay shows of a market after each tick, as JSON-able values.

=============  =====================================================================================
``tick``       how many ticks are over; ``ticks`` of them make the episode
``mechanism``  first, second or gsp; ``score``: what the return counts; ``slots``; ``reserve``
``bidders``    for each seat: ``seat``, ``label``, ``budget`` and ``left`` (null: no limit),
               ``playing``, ``score``, and the totals so far: ``spend``, ``clicks``, ``ecpc``, …
               (as in the infos of ``arena.envs.rtb.view``, null where infinite)
``last``       the tick just auctioned, null before the first: ``bids``, ``slots`` and ``paid`` by
               seat and impression, and ``prices``, the price to beat for any slot by impression
=============  =====================================================================================

Lines over the frames are the curves of a replay: ``left`` the budget's pace, ``clicks`` the
cumulative clicks, ``last.bids`` against ``last.prices`` the bids against the market.

What a seat may not see is null: of the others their figures and bids, and the prices unless the
feedback is full.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from arena.envs.rtb.text import totals

if TYPE_CHECKING:
    from arena.envs.rtb.tables import RtbTables


def frame(tables: RtbTables, table: int, seat: int | None) -> dict[str, Any]:
    """The frame of ``table``: all of it, or what ``seat`` may see."""
    game = tables.game
    playing = tables.playing[table]
    bidders: list[dict[str, Any]] = []
    for other, label in enumerate(game.labels):
        bidder: dict[str, Any] = {"seat": other, "label": label}
        if seat is None or seat == other:
            budget = float(game.budgets[other])
            unlimited = bool(np.isinf(budget))
            bidder |= {
                "budget": None if unlimited else budget,
                "left": None if unlimited else float(tables.left[table, other]),
                "playing": bool(playing[other]),
                "score": float(tables.returns[table, other]),
                **_figures(tables, table, other),
            }
        bidders.append(bidder)
    return {
        "tick": int(tables.now[table]),
        "ticks": game.ticks,
        "mechanism": game.mechanism,
        "score": game.score,
        "slots": len(game.effects),
        "reserve": game.reserve,
        "bidders": bidders,
        "last": _last(tables, table, seat) if tables.now[table] else None,
    }


def _figures(tables: RtbTables, table: int, seat: int) -> dict[str, float | None]:
    """A seat's totals; None for what JSON cannot write."""
    found = totals(tables, np.array([table]), np.array([seat]))
    return {name: float(of[0]) if np.isfinite(of[0]) else None for name, of in found.items()}


def _last(tables: RtbTables, table: int, seat: int | None) -> dict[str, Any]:
    seats = range(tables.game.seats)

    def rows(array: Any) -> list[list[float] | None]:
        return [
            np.round(array[table, other].astype(np.float64), 4).tolist()
            if seat is None or seat == other
            else None
            for other in seats
        ]

    prices = None
    if seat is None or tables.game.feedback == "full":
        # What anybody else would have had to beat: the highest price that any seat had to.
        prices = np.round(tables.to_beat[table].max(axis=0).astype(np.float64), 4).tolist()
    return {
        "bids": rows(tables.bids),
        "slots": rows(tables.slot),
        "paid": rows(tables.paid),
        "prices": prices,
    }
