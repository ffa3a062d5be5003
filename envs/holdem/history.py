"""What happened in one hand, apart from any file format and from the engine.

The seats of a history are numbered from the left of the button, so the last one is the button;
PHH and ACPC count so too. Heads-up seat 0 is therefore the big blind. Amounts are whole chips.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from arena.envs.errors import InputError
from arena.envs.holdem import episode, rules
from arena.envs.holdem.menu import decode
from arena.envs.holdem.rules import BOARD_CARDS

if TYPE_CHECKING:
    from arena.envs.holdem.game import Holdem

CHIPS = 1 << 40
"""More chips than a table may hold: what the engine counts in stays far from overflowing."""

Verb = Literal["hole", "board", "fold", "call", "raise", "show", "muck"]
STREETS = ("pre-flop", "flop", "turn", "river")


class Action(NamedTuple):
    """One thing that happened.

    Attributes:
        verb: hole or board cards are dealt; a seat folds, checks or calls, bets or raises, shows or
            mucks its cards.
        seat: whose action or cards; -1 for the board.
        amount: of a raise, the seat's total for the street.
        cards: those dealt or shown; ``cards.UNKNOWN`` where the source does not tell.
    """

    verb: Verb
    seat: int = -1
    amount: int = 0
    cards: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HandHistory:
    """One hand, from antes to showdown.

    Attributes:
        stacks: before anything is posted.
        antes, blinds: what each seat owes before the deal; straddles count as blinds.
        min_bet: the smallest bet, and the least by which it is raised.
        actions: in the order in which they happened.
        finishing: the stacks afterwards as the source states them, or None.
        players: the names at the seats, or None.
        number: the hand's number or name in its source, or None.
        trimmed: whether an ante is a stake, and comes back where it is larger than any other;
            else it is dead money, the main pot's.
        endless: seats whose stack the source calls infinite; here it covers every bet of the hand.
        chip: one chip in the source's unit: 0.01 where a file counts dollars and cents.
        details: other facts of the source that the game does not need (event, date, …).
        where: what messages call this hand: its file and number there.
    """

    stacks: tuple[int, ...]
    antes: tuple[int, ...]
    blinds: tuple[int, ...]
    min_bet: int
    actions: tuple[Action, ...]
    finishing: tuple[int, ...] | None = None
    players: tuple[str, ...] | None = None
    number: int | str | None = None
    trimmed: bool = True
    endless: frozenset[int] = frozenset()
    chip: Decimal = Decimal(1)
    details: Mapping[str, Any] = field(default_factory=dict)
    where: str = "hand"


def raised(found: HandHistory | InputError) -> HandHistory:
    """The hand, or its InputError raised."""
    if isinstance(found, InputError):
        raise found
    return found


def history_of(
    hand: rules.Hand, players: tuple[str, ...] | None = None, number: int | str | None = None
) -> HandHistory:
    """The history of a finished hand of the engine, a record of dtype ``rules.HAND``.

    Seats that were not dealt in are left out. ``players`` are named by the engine's seats. Whoever
    reaches the showdown shows, in the order of the table: the last to bet or raise on the last
    street of betting first, else the first to act there.

    Raises ValueError where the hand is not over or had more decisions than the engine keeps.
    """
    if hand["actor"] != rules.OVER:
        raise ValueError("the hand is not over")
    if hand["decisions"] > rules.HISTORY:
        raise ValueError(f"the hand had {hand['decisions']} decisions; {rules.HISTORY} are kept")
    around = (np.arange(hand["seats"]) + hand["button"] + 1) % hand["seats"]
    dealt = [int(seat) for seat in around if hand["starting"][seat] > 0]
    place = {seat: i for i, seat in enumerate(dealt)}
    deck = [int(card) for card in hand["deck"]]
    board = deck[2 * hand["seats"] : 2 * hand["seats"] + 5]

    actions = [Action("hole", place[s], 0, tuple(deck[2 * s : 2 * s + 2])) for s in dealt]
    street = 0
    first = _first_to_act(hand, dealt)  # to show
    for i in range(hand["decisions"]):
        if hand["history_street"][i] > street:
            actions += _deals(board, street, hand["history_street"][i])
            street, first = int(hand["history_street"][i]), 0
        seat = place[int(hand["history_seat"][i])]
        kind = hand["history_kind"][i]
        if kind == rules.FOLDED:
            actions.append(Action("fold", seat))
        elif kind in (rules.CHECKED, rules.CALLED):
            actions.append(Action("call", seat))
        else:
            actions.append(Action("raise", seat, int(hand["history_amount"][i])))
            first = seat
    if hand["showdown"]:
        for i in range(len(dealt)):
            seat = dealt[(first + i) % len(dealt)]
            if rules.has(hand["showdown"], seat):
                actions.append(Action("show", place[seat], 0, tuple(deck[2 * seat : 2 * seat + 2])))
        actions += _deals(board, street, 3)

    def by_seat(name: str) -> tuple[int, ...]:
        return tuple(int(hand[name][seat]) for seat in dealt)

    return HandHistory(
        stacks=by_seat("starting"),
        antes=by_seat("antes"),
        blinds=by_seat("blinds"),
        min_bet=int(hand["min_bet"]),
        actions=tuple(actions),
        finishing=by_seat("stacks"),
        players=None if players is None else tuple(players[seat] for seat in dealt),
        number=number,
        trimmed=not hand["dead_antes"],
    )


def _deals(board: list[int], street: int, until: int) -> list[Action]:
    """The board cards that are dealt after one street and up to another."""
    sizes = BOARD_CARDS[street : until + 1]
    return [Action("board", -1, 0, tuple(board[i:j])) for i, j in pairwise(sizes)]


def _first_to_act(hand: rules.Hand, dealt: list[int]) -> int:
    """Who sits behind the largest blind, in the history's numbers."""
    blinds = [int(hand["blinds"][seat]) for seat in dealt]
    last = max(range(len(dealt)), key=lambda i: (blinds[i], i))
    return (last + 1) % len(dealt)


def episode_histories(
    game: Holdem,
    seed: int,
    decisions: Iterable[int | None],
    players: tuple[str, ...] | None = None,
) -> list[HandHistory]:
    """The hands of an episode, played again from its seed and its decisions, numbered from 0.

    A decision is an action of the game, or None where the seat forfeited. A hand that the decisions
    do not finish is left out. Raises ValueError for an action that is not legal.
    """
    hand = np.zeros(1, rules.HAND)[0]
    config = game.config[0]
    one_hand = game.config.copy()
    one_hand["hands"] = 1  # so that the first hand is still there if it is over at once
    episode.begin_episode(hand, one_hand[0], np.uint64(seed))
    hand["hands"], hand["number"], hand["net"] = config["hands"], 0, 0
    histories: list[HandHistory] = []
    queue = iter(decisions)
    while True:
        while hand["actor"] != rules.OVER:
            action = None
            if not rules.has(hand["away"], hand["actor"]):
                try:
                    action = next(queue)
                except StopIteration:
                    return histories
                if action is None:
                    hand["away"] |= 1 << hand["actor"]
            move = rules.FOLD if action is None else decode(hand, config, action)
            if move == rules.ILLEGAL:
                raise ValueError(f"action {action} of seat {hand['actor']} is not legal")
            rules.play(hand, move)
        histories.append(history_of(hand, players, len(histories)))
        if not episode.next_hand(hand, config):
            return histories
