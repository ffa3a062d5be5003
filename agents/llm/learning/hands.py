"""Examples from hand histories: what players with a high win rate did, as PokerGPT learns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from arena.agents.llm.learning.examples import Example
from arena.agents.llm.learning.scribe import Scribe
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.holdem import Holdem, cards
from arena.envs.holdem.history import HandHistory
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.spots import play_again
from arena.envs.holdem.tables import HoldemTables


@dataclass(frozen=True, slots=True)
class PlayerRecord:
    """What a player came to: ``hands`` played, ``won`` in big blinds a hand."""

    hands: int
    won: float


def records(hands: Iterable[HandHistory]) -> dict[str, PlayerRecord]:
    """The record of every named player, over the hands that tell the finishing stacks."""
    counts: dict[str, int] = defaultdict(int)
    sums: dict[str, float] = defaultdict(float)
    for hand in hands:
        if hand.players is None or hand.finishing is None:
            continue
        for player, before, after in zip(hand.players, hand.stacks, hand.finishing, strict=True):
            counts[player] += 1
            sums[player] += (after - before) / hand.min_bet
    return {
        player: PlayerRecord(counts[player], sums[player] / counts[player]) for player in counts
    }


def winners(hands: Sequence[HandHistory], *, least_won: float, least_hands: int) -> set[str]:
    """The players who won more than ``least_won`` big blinds a hand over ``least_hands`` or more.

    That is PokerGPT's rule (arXiv:2401.06781, section 3.1), which names no figures. InputError
    where nobody did.
    """
    found = records(hands)
    kept = {p for p, r in found.items() if r.hands >= least_hands and r.won > least_won}
    if not kept:
        best = max(found.items(), key=lambda one: one[1].won, default=None)
        told = "" if best is None else (
            f"; the best, {best[0]}, won {best[1].won:.3f} over {best[1].hands} hands"
        )  # fmt: skip
        raise InputError(
            f"no player won more than {least_won:g} big blinds a hand over {least_hands} hands"
            f"{told}"
        )
    return kept


def learn_from(
    hands: Iterable[HandHistory], players: set[str], scribe: Scribe, *, exact: bool = False
) -> Iterator[Example]:
    """The decisions of ``players``, hand by hand.

    Args:
        hands: any; those of another number of seats than the scribe's game are left out, as are
            decisions with cards that are not told.
        players: whose.
        scribe: of a game of Hold'em.
        exact: whether amounts stay as they were bet; else a bet or raise becomes the one on the
            game's menu whose size is nearest as a ratio, which is what a player that chooses from
            the menu can learn.
    """
    game = scribe.game
    if not isinstance(game, Holdem):
        raise InputError(f"hand histories teach holdem, not {game.name}")
    for hand in hands:
        if hand.players is not None and len(hand.stacks) == game.seats:
            yield from _decisions(game, hand, players, scribe, exact)


def _decisions(
    game: Holdem, hand: HandHistory, players: set[str], scribe: Scribe, exact: bool
) -> Iterator[Example]:
    assert hand.players is not None
    tables = _deal(game, hand)
    scribe.begin(0)
    at = np.zeros(1, np.int64)
    # A fold where checking was free ends it: the words have no name for it.
    for action in play_again(tables, _actions(game, hand)):
        seat = int(tables.hands[0]["actor"])
        told = cards.UNKNOWN not in tables.hands[0]["deck"][2 * seat : 2 * seat + 2]
        if told and hand.players[seat] in players:
            choice = action if exact else _nearest(tables, seat, action)
            yield scribe.write(
                Turns(tables, at, np.array([seat])), 0, choice,
                player=hand.players[seat], hand=hand.number, seat=seat,
            )  # fmt: skip


def _actions(game: Holdem, hand: HandHistory) -> Iterator[tuple[int, int]]:
    """The decisions of a hand, as (seat, action)."""
    for verb, seat, amount, _ in hand.actions:
        if verb == "raise":
            yield seat, FIRST_FRACTION + len(game.menu) + 1 + amount
        elif verb in ("fold", "call"):
            yield seat, FOLD_ACTION if verb == "fold" else CALL_ACTION


def _deal(game: Holdem, hand: HandHistory) -> HoldemTables:
    seats = len(hand.stacks)
    deck = np.full(2 * seats + 5, cards.UNKNOWN)
    board: list[int] = []
    for verb, seat, _, dealt in hand.actions:
        if verb in ("hole", "show") and len(dealt) == 2 and cards.UNKNOWN not in dealt:
            deck[2 * seat : 2 * seat + 2] = dealt
        elif verb == "board":
            board += dealt
    deck[2 * seats : 2 * seats + len(board)] = board
    tables = game.tables(1)
    tables.deal(
        np.zeros(1, np.int64),
        stacks=np.array(hand.stacks),
        blinds=np.array(hand.blinds),
        antes=np.array(hand.antes),
        decks=deck,
        min_bet=hand.min_bet,
    )
    return tables


def _nearest(tables: HoldemTables, seat: int, action: int) -> int:
    """The legal bet or raise of the menu that is nearest to an exact one; others stay."""
    game = tables.game
    if action < FIRST_FRACTION:
        return action
    amount = action - FIRST_FRACTION - len(game.menu) - 1
    mask = tables.action_mask(np.zeros(1, np.int64), np.array([seat]))[0]
    hand = tables.hands[0]
    offered = {
        int(option): _total(tables, int(option))
        for option in np.flatnonzero(mask)
        if option >= FIRST_FRACTION
    }
    level = float(hand["level"])
    return min(
        offered,
        key=lambda option: abs(np.log((offered[option] - level) / max(amount - level, 1e-9))),
    )


def _total(tables: HoldemTables, action: int) -> int:
    """The street's total that a bet or raise on the menu makes."""
    from arena.envs.holdem.menu import decode

    return int(decode(tables.hands[0], tables.game.config[0], action))
