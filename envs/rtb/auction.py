"""The market's two hot loops: what is on offer in a tick, and how its auctions go.

All tables step together. A tick is ``K`` impressions, auctioned one after the other, so that money
spent on the first is gone at the second. Arrays are indexed table, seat, impression.

Randomness is a function of the table's seed, the impression's number and the seat (``seeding``),
never of the order in which anything is computed.
"""

from __future__ import annotations

from enum import IntEnum

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.rtb.synthetic import LEVELS, level

FIRST_PRICE, SECOND_PRICE, GSP = range(3)


class Stat(IntEnum):
    """What is counted for each seat; the axis of ``stats``. Money is in price units."""

    SPENT = 0
    IMPRESSIONS = 1
    CLICKS = 2
    CONVERSIONS = 3
    EXPECTED_CLICKS = 4  # the sum of the true rates of what was won, position effects included
    EXPECTED_VALUE = 5  # the same, times what a click is worth
    VALUE = 6  # what the clicks that happened were worth
    ALLOCATION_REGRET = 7
    ESTIMATION_REGRET = 8
    OVERBID_REGRET = 9
    UNDERBID_REGRET = 10


_SPENT, _IMPRESSIONS, _CLICKS, _CONVERSIONS = 0, 1, 2, 3
_EXPECTED_CLICKS, _EXPECTED_VALUE, _VALUE = 4, 5, 6
_ALLOCATION, _ESTIMATION, _OVERBID, _UNDERBID = 7, 8, 9, 10

# Streams of a table's seed: each purpose has counters of its own.
_QUALITY, _OUTSIDE, _RATES, _OUTCOMES, _TIES = range(5)


@numba.njit(cache=True, inline="always")
def _stream(seed: np.uint64, purpose: int) -> np.uint64:
    return seeding.mix(seed ^ (np.uint64(purpose + 1) * np.uint64(0xD1B54A32D192ED03)))


@numba.njit(cache=True, inline="always")
def _uniform(word: np.uint64) -> float:
    return np.float64(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit(cache=True)
def draw_campaigns(
    tables: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    first: NDArray[np.int64],
    rate_tables: NDArray[np.float32],
    price_tables: NDArray[np.float32],
    click_values: NDArray[np.float64],
    normal: NDArray[np.float32],
    common: float,
    price_loading: NDArray[np.float64],
    noise: float,
    outside: bool,
    reserve: float,
    rate: NDArray[np.float32],
    value: NDArray[np.float32],
    truth: NDArray[np.float32],
    floor: NDArray[np.float32],
) -> None:
    """Draw the next tick of ``tables`` where each seat has a campaign.

    A click-through rate is the campaign's quantile of a normal score, which is ``common`` parts the
    impression's quality (shared by all seats) and the rest the seat's own. The floor is the
    reserve or, where ``outside``, the bid of the rest of the world if that is more: a draw from
    the price law of one of the seats' campaigns, chosen at random, correlated with the quality.

    Args:
        first: the number of the tick's first impression, by table.
        rate_tables, price_tables: ``(seats, LEVELS)``; see ``arena.envs.rtb.synthetic``.
        click_values: what a click is worth to each seat.
        price_loading: the correlation of the outside price's score with the quality, by seat.
        noise: standard deviation of the logarithm of what a seat believes a rate to be.
    """
    seats, size = rate.shape[1], rate.shape[2]
    own = np.sqrt(1.0 - common * common)
    mask = np.uint64(LEVELS - 1)
    for at in range(len(tables)):
        t = tables[at]
        seed = seeds[t]
        quality_stream = _stream(seed, _QUALITY)
        outside_stream = _stream(seed, _OUTSIDE)
        rate_stream = _stream(seed, _RATES)
        for k in range(size):
            i = first[t] + k
            quality = normal[np.int64(seeding.word(quality_stream, i) & mask)]
            floor[t, k] = reserve
            if outside:
                word = seeding.word(outside_stream, i)
                whose = np.int64(((word >> np.uint64(32)) * np.uint64(seats)) >> np.uint64(32))
                loading = price_loading[whose]
                score = (
                    loading * quality
                    + np.sqrt(1.0 - loading * loading) * (normal[np.int64(word & mask)])
                )
                floor[t, k] = max(price_tables[whose, level(score)], np.float32(reserve))
            shared = common * quality
            for s in range(seats):
                word = seeding.word(rate_stream, i * seats + s)
                score = shared + own * normal[np.int64(word & mask)]
                true_rate = rate_tables[s, level(score)]
                believed = true_rate
                if noise > 0.0:
                    error = normal[np.int64((word >> np.uint64(12)) & mask)]
                    factor = np.exp(noise * error - 0.5 * noise * noise)
                    believed = np.float32(min(true_rate * factor, 1.0))
                truth[t, s, k] = true_rate
                rate[t, s, k] = believed
                value[t, s, k] = believed * click_values[s]


@numba.njit(cache=True)
def draw_catalogues(
    tables: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    first: NDArray[np.int64],
    items: NDArray[np.float64],
    item_values: NDArray[np.float64],
    sizes: NDArray[np.int64],
    seen: NDArray[np.int64],
    normal: NDArray[np.float32],
    deviation: float,
    participants: int,
    reserve: float,
    rate: NDArray[np.float32],
    value: NDArray[np.float32],
    truth: NDArray[np.float32],
    best: NDArray[np.float32],
    floor: NDArray[np.float32],
) -> None:
    """Draw the next tick of ``tables`` where each seat has a catalogue of items (AuctionGym).

    An impression is a normal context; an item's rate the logistic of context · item + intercept.
    The seat shows the item of the highest estimated value; it estimates from the context's first
    ``seen`` numbers and takes the others as 0, so that what it does not see costs it allocation
    and estimation regret. ``participants`` seats are invited to each impression; for the others
    rate and value are 0.

    Args:
        items: ``(seats, largest catalogue, dimension + 1)``, the intercept last.
        item_values: ``(seats, largest catalogue)``, what a click on each is worth.
        sizes: how many items each seat has.
        best: out, the highest true expected value among the seat's items.
    """
    seats, size = rate.shape[1], rate.shape[2]
    dimension = items.shape[2] - 1
    context = np.empty(dimension)
    invited = np.arange(seats)
    mask = np.uint64(LEVELS - 1)
    for at in range(len(tables)):
        t = tables[at]
        context_stream = _stream(seeds[t], _QUALITY)
        invitation_stream = _stream(seeds[t], _RATES)
        for k in range(size):
            i = first[t] + k
            floor[t, k] = reserve
            for d in range(dimension):
                word = seeding.word(context_stream, i * dimension + d)
                context[d] = deviation * normal[np.int64(word & mask)]
            for s in range(seats):
                invited[s] = s
                rate[t, s, k] = value[t, s, k] = truth[t, s, k] = best[t, s, k] = 0.0
            for j in range(participants):
                if participants < seats:
                    other = j + seeding.below(invitation_stream, i * seats + j, seats - j)
                    invited[j], invited[other] = invited[other], invited[j]
                s = invited[j]
                chosen_value = -1.0
                for item in range(sizes[s]):
                    partial = items[s, item, dimension]
                    for d in range(seen[s]):
                        partial += context[d] * items[s, item, d]
                    full = partial
                    for d in range(seen[s], dimension):
                        full += context[d] * items[s, item, d]
                    true_rate = 1.0 / (1.0 + np.exp(-full))
                    believed = true_rate if full == partial else 1.0 / (1.0 + np.exp(-partial))
                    best[t, s, k] = max(best[t, s, k], true_rate * item_values[s, item])
                    if believed * item_values[s, item] > chosen_value:
                        chosen_value = believed * item_values[s, item]
                        rate[t, s, k] = believed
                        truth[t, s, k] = true_rate
                value[t, s, k] = chosen_value


@numba.njit(cache=True)
def run_auctions(
    tables: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    first: NDArray[np.int64],
    mechanism: int,
    effects: NDArray[np.float64],
    conversion_rates: NDArray[np.float64],
    playing: NDArray[np.bool_],
    bids: NDArray[np.float64],
    rate: NDArray[np.float32],
    value: NDArray[np.float32],
    truth: NDArray[np.float32],
    best: NDArray[np.float32],
    floor: NDArray[np.float32],
    left: NDArray[np.float64],
    stats: NDArray[np.float64],
    market: NDArray[np.float64],
    slot: NDArray[np.int8],
    paid: NDArray[np.float32],
    to_beat: NDArray[np.float32],
) -> None:
    """Auction the tick's impressions at ``tables``, one after the other.

    A bid counts for at most what is left of the seat's budget, and takes part if it is above 0 and
    at least the floor. The highest bids win the slots, best slot first; equal bids are ordered at
    random by the seed. The winner of a slot pays its bid (first price) or the next bid below, at
    least the floor (second price; GSP slot by slot).

    Args:
        effects: of the slots' positions on the rates; their number is the number of slots.
        conversion_rates: chance that a click converts, by seat.
        playing: which seats bid.
        best: highest true expected value of a seat's items; of no impressions where seats have
            one item.
        left: what is left of the budgets; changed.
        stats: ``(tables, seats, Stat)``; changed.
        market: ``(tables, 2)``, revenue and welfare; changed.
        slot: out, which slot was won (1 is the best), 0 where none was.
        paid: out, what was paid.
        to_beat: out, the price that the seat had to beat to win any slot.
    """
    seats, size = rate.shape[1], rate.shape[2]
    slots = len(effects)
    several_items = best.shape[2] > 0
    # The slots' winners, the best loser, and one more: what the last winner had to beat is the
    # bid after it, and a loser's price to beat is the last winner's bid.
    top_seat = np.empty(slots + 1, np.int64)
    top_bid = np.empty(slots + 1)
    for at in range(len(tables)):
        t = tables[at]
        outcome_stream = _stream(seeds[t], _OUTCOMES)
        tie_stream = _stream(seeds[t], _TIES)
        for k in range(size):
            i = first[t] + k
            least = floor[t, k]
            found = 0
            for s in range(seats):
                slot[t, s, k] = 0
                paid[t, s, k] = 0.0
                if not playing[t, s] or rate[t, s, k] <= 0.0:
                    continue
                bid = min(bids[t, s, k], left[t, s])
                if bid <= 0.0 or bid < least:
                    continue
                if found == slots + 1 and bid < top_bid[slots]:
                    continue
                place = found
                while place > 0:
                    rival = top_bid[place - 1]
                    if bid < rival:
                        break
                    if bid == rival and seeding.word(tie_stream, i * seats + s) < seeding.word(
                        tie_stream, i * seats + top_seat[place - 1]
                    ):
                        break
                    place -= 1
                if place > slots:
                    continue
                found = min(found + 1, slots + 1)
                for j in range(found - 1, place, -1):
                    top_seat[j] = top_seat[j - 1]
                    top_bid[j] = top_bid[j - 1]
                top_seat[place] = s
                top_bid[place] = bid
            winners = min(found, slots)
            # To win any slot, a loser must beat the last winner where all slots are taken, and a
            # winner the best loser.
            entry = max(top_bid[slots - 1], least) if winners == slots else least
            below = max(top_bid[slots], least) if found > slots else least
            for s in range(seats):
                to_beat[t, s, k] = entry
                if playing[t, s] and rate[t, s, k] > 0.0:
                    worth = truth[t, s, k] * (value[t, s, k] / rate[t, s, k])
                    stats[t, s, _ESTIMATION] += value[t, s, k] - worth
                    if several_items:
                        stats[t, s, _ALLOCATION] += best[t, s, k] - worth
                    bid = min(bids[t, s, k], left[t, s])
                    if bid < entry < worth:
                        stats[t, s, _UNDERBID] += entry - bid
            for j in range(winners):
                s = top_seat[j]
                after = max(top_bid[j + 1], least) if j + 1 < found else least
                price = top_bid[j] if mechanism == FIRST_PRICE else after
                chance = truth[t, s, k] * effects[j]
                click_value = value[t, s, k] / rate[t, s, k]
                left[t, s] -= price
                slot[t, s, k] = j + 1
                paid[t, s, k] = price
                to_beat[t, s, k] = below
                stats[t, s, _SPENT] += price
                stats[t, s, _IMPRESSIONS] += 1.0
                stats[t, s, _EXPECTED_CLICKS] += chance
                stats[t, s, _EXPECTED_VALUE] += chance * click_value
                stats[t, s, _OVERBID] += price - after
                word = seeding.word(outcome_stream, 2 * (i * slots + j))
                if _uniform(word) < chance:
                    stats[t, s, _CLICKS] += 1.0
                    stats[t, s, _VALUE] += click_value
                    word = seeding.word(outcome_stream, 2 * (i * slots + j) + 1)
                    if _uniform(word) < conversion_rates[s]:
                        stats[t, s, _CONVERSIONS] += 1.0
                market[t, 0] += price
                market[t, 1] += chance * click_value
