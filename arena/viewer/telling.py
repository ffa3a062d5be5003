"""The deals that tell most: where one player did much better than another on the same cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nlargest
from typing import Any, NamedTuple

import numpy as np

from arena.leagues.match import Result

MOST = 12
"""How many deals are named."""
_OF_A_PAIR = 2  # so that one lopsided pair does not fill the list
_OF_A_MATCH = 4


class Deal(NamedTuple):
    """A deal of a match. ``swing`` is what its best earned an episode more than its worst."""

    swing: float
    result: Result
    deal: int
    best: int
    worst: int
    seating: int


def telling(results: Iterable[Result], agent: str = "") -> list[dict[str, Any]]:
    """The deals with the largest swings, the largest first, as JSON-able values.

    What an entrant earned on a deal is taken over all seatings, so that luck of the cards that
    both had counts for nobody.

    Args:
        agent: only deals in which this entrant is the best or the worst.
    """
    deals = (deal for result in results for deal in _of_match(result, agent))
    chosen: list[Deal] = []
    pairs: Counter[frozenset[int | str]] = Counter()
    for deal in nlargest(8 * MOST, deals, key=lambda deal: deal.swing):
        names = deal.result.match.entrants
        pair: frozenset[int | str] = frozenset((names[deal.best], names[deal.worst]))
        pairs[pair] += 1
        if deal.swing > 0 and pairs[pair] <= _OF_A_PAIR and len(chosen) < MOST:
            chosen.append(deal)
    return [_facts(deal) for deal in chosen]


def _of_match(result: Result, agent: str) -> Iterator[Deal]:
    match = result.match
    if agent and agent not in match.entrants:
        return
    earned = np.zeros((match.deals, len(match.entrants)))
    sat = np.zeros(len(match.entrants))
    for turn, seating in enumerate(match.seatings):
        for seat, entrant in enumerate(seating):
            earned[:, entrant] += result.returns[:, turn, seat]
            sat[entrant] += 1
    earned /= np.maximum(sat, 1)
    best, worst = earned.argmax(axis=1), earned.argmin(axis=1)
    rows = np.arange(match.deals)
    swing = earned[rows, best] - earned[rows, worst]
    if agent:
        place = match.entrants.index(agent)
        swing = np.where((best == place) | (worst == place), swing, 0.0)
    for deal in np.argsort(-swing, kind="stable")[:_OF_A_MATCH].tolist():
        decided = int(np.abs(result.returns[deal]).max(axis=1).argmax())
        yield Deal(float(swing[deal]), result, deal, int(best[deal]), int(worst[deal]), decided)


def _facts(deal: Deal) -> dict[str, Any]:
    match = deal.result.match
    return {
        "match": match.id,
        "deal": deal.deal,
        "number": match.first_deal + deal.deal,
        "seating": deal.seating,
        "best": match.entrants[deal.best],
        "worst": match.entrants[deal.worst],
        "swing": deal.swing,
    }
