"""What a replay shows of a Hold'em table at each step, as plain JSON-able values.

Amounts are whole chips. Keys of a frame:

==============  ====================================================================================
``hand``        number of the hand, from 1; ``hands`` is how many the episode has at most
``street``      ``pre-flop``, ``flop``, ``turn`` or ``river``
``board``       the open cards, like ``["7d", "5h", "9d"]``
``pot``         all chips that are committed, bets of this street included
``pots``        main pot and side pots: ``chips`` and the ``seats`` that contend for it
``big_blind``   chips of a big blind
``button``      the button's seat
``to_act``      the seat whose decision is waited for, or null
``seats``       a list, by seat: ``position`` (null where not dealt in), ``stack``, ``bet``,
                ``committed``, ``cards`` (``["??", "??"]`` where hidden, null where not dealt in),
                ``folded``, ``all_in``
``last``        the last decision of the hand: ``seat``, ``words``, and ``bet``, the seat's total
                for the street; or null
``result``      null until the hand is over; then for each seat ``net`` (chips won in the hand),
                and ``shown``: the kind of hand of each seat that came to showdown, by its number
``won``         chips won in the episode's hands before this one, by seat
``returns``     by seat; final when the episode is over
==============  ====================================================================================

Hole cards are shown to the spectator (``seat=None``) and to their own seat, and at the showdown to
everybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arena.envs.holdem import cards, rules
from arena.envs.holdem.evaluator import category
from arena.envs.holdem.history import STREETS
from arena.envs.holdem.text import hand_number, positions, told, visible_board

if TYPE_CHECKING:
    from arena.envs.holdem.tables import HoldemTables


def frame(tables: HoldemTables, table: int, seat: int | None = None) -> dict[str, Any]:
    """The table as everybody's, or as one seat's, to see."""
    hand = tables.hands[table]
    name = positions(hand)
    over = hand["actor"] == rules.OVER
    story = told(hand)
    last = None
    if story:
        last = {"seat": story[-1].seat, "words": story[-1].words, "bet": story[-1].amount}
    return {
        "hand": hand_number(hand),
        "hands": int(hand["hands"]),
        "street": STREETS[hand["street"]],
        "board": [cards.name(card) for card in visible_board(hand)],
        "pot": int(hand["pot"]),
        "pots": _pots(hand),
        "big_blind": int(hand["big_blind"]),
        "button": int(hand["button"]),
        "to_act": None if over else int(hand["actor"]),
        "seats": [_seat(hand, at, name.get(at), seat) for at in range(hand["seats"])],
        "last": last,
        "result": _result(hand) if over else None,
        "won": [int(chips) for chips in hand["net"][: hand["seats"]]],
        "returns": tables.returns[table].tolist(),
    }


def _seat(hand: rules.Hand, at: int, position: str | None, viewer: int | None) -> dict[str, Any]:
    holds = None
    if position is not None:
        open_ = viewer is None or viewer == at or rules.has(int(hand["showdown"]), at)
        held = hand["deck"][2 * at : 2 * at + 2] if open_ else (cards.UNKNOWN, cards.UNKNOWN)
        holds = [cards.name(int(card)) for card in held]
    live = rules.has(int(hand["live"]), at)
    broke = not rules.has(int(hand["solvent"]), at)
    return {
        "position": position,
        "stack": int(hand["stacks"][at]),
        "bet": int(hand["bets"][at]),
        "committed": int(hand["committed"][at]),
        "cards": holds,
        "folded": position is not None and not live,
        "all_in": live and broke,
    }


def _pots(hand: rules.Hand) -> list[dict[str, Any]]:
    """Main pot and side pots: who is all-in contends for what all others match, and no more."""
    committed = [int(chips) for chips in hand["committed"][: hand["seats"]]]
    live = [seat for seat in range(hand["seats"]) if rules.has(int(hand["live"]), seat)]
    solvent = int(hand["solvent"])
    limit = {s: None if rules.has(solvent, s) else committed[s] for s in live}
    dead = int(hand["pot"]) - sum(committed)  # antes that are the first pot's
    ends = {most for most in limit.values() if most or (most == 0 and dead)}
    pots: list[dict[str, Any]] = []
    floor = 0
    for level in [*sorted(ends), max(committed)]:
        chips = dead + sum(min(c, level) - min(c, floor) for c in committed)
        dead = 0
        seats = [s for s, most in limit.items() if most is None or most >= level]
        if chips and seats:
            pots.append({"chips": chips, "seats": seats})
        elif chips:  # put in by seats that have folded since
            pots[-1]["chips"] += chips
        floor = max(floor, level)
    return pots


def _result(hand: rules.Hand) -> dict[str, Any]:
    shown = {
        str(seat): category(int(hand["strengths"][seat]))
        for seat in range(hand["seats"])
        if rules.has(int(hand["showdown"]), seat)
    }
    net = hand["stacks"] - hand["starting"]
    return {"net": [int(chips) for chips in net[: hand["seats"]]], "shown": shown}
