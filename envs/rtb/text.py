"""The market in words: what a bidder sees, and the grammar of its bids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints
from arena.envs.rtb.auction import Stat

if TYPE_CHECKING:
    from arena.envs.rtb.tables import RtbTables

MULTIPLES = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
"""The multiples of the impressions' values that ``examples`` names."""

_PAYS = {
    "first": "The highest bid wins and pays what it bid.",
    "second": "The highest bid wins and pays the next highest bid.",
    "gsp": "The highest bids win the slots, best slot first; each pays the bid below its own.",
}
_GOALS = {
    "clicks": "win as many clicks as you can",
    "profit": "earn as much as you can: what clicks are worth, less what you pay",
    "conversions": "win as many conversions as you can at no more than {limit:.4g} each",
}


def round_bids(bids: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bids to four significant digits, so that a replay need not keep seventeen."""
    with np.errstate(divide="ignore"):
        digits = 3.0 - np.floor(np.log10(bids))
    scale = 10.0 ** np.where(np.isfinite(digits), digits, 0.0)
    rounded: NDArray[np.float64] = np.round(bids * scale) / scale
    return rounded


def times(value: NDArray[np.float32], multiple: float) -> NDArray[np.float64]:
    """The bids ``multiple`` times each value, to four significant digits."""
    return round_bids(value.astype(np.float64) * multiple)


def observation(tables: RtbTables, table: int, seat: int) -> str:
    """What ``seat`` sees, in a few lines."""
    game = tables.game
    seen = tables.observe(np.array([table]), np.array([seat]))
    spent, impressions, clicks, conversions = seen["totals"][0].tolist()
    left = seen["budget"][0, 0]
    goal = _GOALS[game.score].format(limit=game.cpa_limits[seat])
    lines = [
        f"You bid for ad impressions on behalf of {game.labels[seat]} against {game.seats - 1} "
        f"other bidder{'s' * (game.seats != 2)}{' and the rest of the market' * game.outside}; "
        f"{goal}.",
        _PAYS[game.mechanism] + (f" The reserve is {game.reserve:g}." if game.reserve else ""),
        f"A click is worth {game.click_values[seat]:.5g} on average.",
        f"Tick {tables.now[table] + 1} of {game.ticks}, {game.tick} impressions each.",
        "Your budget has no limit."
        if np.isinf(left)
        else f"Of your budget of {game.budgets[seat]:.6g}, {left:.6g} is left.",
        f"So far you paid {spent:.6g} for {impressions:.0f} impressions, {clicks:.0f} clicks and "
        f"{conversions:.0f} conversions.",
    ]
    if tables.now[table]:
        lines += [
            "Last tick, your bids: " + _numbers(seen["bid"][0]),
            "slots won (0: none): " + " ".join(f"{slot:.0f}" for slot in seen["slot"][0]),
            "paid: " + _numbers(seen["paid"][0]),
        ]
        if game.feedback == "full":
            lines.append("price to beat: " + _numbers(seen["to_beat"][0]))
    lines += [
        "On offer, click-through rate (0: you are not invited): " + _numbers(seen["rate"][0]),
        "worth to you (rate times a click's value): " + _numbers(seen["value"][0]),
        f"Answer 'times M' to bid M times each worth, 'bid' and {game.tick} "
        f"price{'s' * (game.tick > 1)}, or 'pass'.",
    ]
    return "\n".join(lines)


def _numbers(values: NDArray[np.float32]) -> str:
    return " ".join(f"{value:.4g}" for value in values.tolist())


def examples(value: NDArray[np.float32]) -> list[str]:
    """``pass`` and the multiples that lead to different bids."""
    words = ["pass"]
    seen = {times(value, 0.0).tobytes()}
    for multiple in MULTIPLES:
        bids = times(value, multiple).tobytes()
        if bids not in seen:
            seen.add(bids)
            words.append(f"times {multiple:g}")
    return words


def parse(value: NDArray[np.float32], answer: str) -> NDArray[np.float64]:
    """The bids that an answer names; InputError, with the grammar, where it names none."""
    words = answer.casefold().split()
    try:
        if words == ["pass"]:
            return np.zeros(len(value))
        if words[:1] == ["times"] and len(words) == 2:
            return times(value, _price(words[1]))
        if words[:1] == ["bid"] and len(words) == 1 + len(value):
            return np.array([_price(word) for word in words[1:]])
    except ValueError:
        pass
    raise InputError(
        f"{answer!r} is not a bid; write 'times M' with a number M from 0 up, 'bid' and "
        f"{len(value)} numbers from 0 up, or 'pass'"
    )


def _price(word: str) -> float:
    if not word.isascii() or "_" in word:
        raise ValueError
    price = float(word)
    if not 0.0 <= price <= 1e12:
        raise ValueError
    return price


def describe(value: NDArray[np.float32], bids: NDArray[np.float64]) -> str:
    """Bids in words: a multiple where they are one of the examples', else each bid."""
    if not bids.any():
        return "pass"
    for multiple in MULTIPLES:
        if np.array_equal(bids, times(value, multiple)):
            return f"times {multiple:g}"
    return "bid " + " ".join(repr(bid).removesuffix(".0") for bid in bids.tolist())


def totals(tables: RtbTables, at: Ints, seats: Ints) -> dict[str, NDArray[np.float64]]:
    """Seats' figures under the names that infos and frames give them, float64 ``(n,)`` each.

    What something has cost is infinite where there is none of it yet, 0 where nothing was spent.
    (Not nan: two episodes of equal seeds must have equal infos.)
    """
    stats = tables.stats[at, seats]
    spent, clicks, conversions = (
        stats[:, stat] for stat in (Stat.SPENT, Stat.CLICKS, Stat.CONVERSIONS)
    )

    def each(of: NDArray[np.float64]) -> NDArray[np.float64]:
        none = np.where(spent > 0, np.inf, 0.0)
        return np.divide(spent, of, out=none, where=of > 0)

    return {
        "spend": spent,
        "budget_use": spent / tables.game.budgets[seats],
        "impressions": stats[:, Stat.IMPRESSIONS],
        "clicks": clicks,
        "conversions": conversions,
        "expected_clicks": stats[:, Stat.EXPECTED_CLICKS],
        "value": stats[:, Stat.VALUE],
        "ecpc": each(clicks),
        "cpa": each(conversions),
        "allocation_regret": stats[:, Stat.ALLOCATION_REGRET],
        "estimation_regret": stats[:, Stat.ESTIMATION_REGRET],
        "overbid_regret": stats[:, Stat.OVERBID_REGRET],
        "underbid_regret": stats[:, Stat.UNDERBID_REGRET],
    }
