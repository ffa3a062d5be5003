"""The rules of one hand of no-limit Texas Hold'em, as small functions over one record.

A table is one record of the dtype ``HAND`` and the functions here change it in place, so that a
kernel can play thousands of them. Seats are numbered clockwise. A set of seats is an int whose bit
``s`` stands for seat ``s``. Chips are int64 and none is ever made or lost.

The rules are those of Robert's Rules of Poker, version 11 (RRoP), sections 3 and 14, and of the
Tournament Directors Association (TDA):

- Antes are posted before blinds; who has less posts what there is and is all-in. A big-blind ante
  is posted by the big blind for all, and is dead money: the main pot's, whoever is in it.
- The largest blind or straddle is the bring-in, the minimum bet of the whole hand. A big blind that
  is posted short does not lower it: nobody enters for less, unless all-in (RRoP 14.2). Only where
  no two players can match it is it what two can match.
- A raise is at least as large as the last full bet or raise, unless it is all-in (RRoP 14.3).
- Who has acted on a street may raise again only when facing a full bet or raise, be it the sum of
  several short all-ins (TDA 47, RRoP 14.3 and 14.5).
- Nobody raises whom nobody can call: where all others are all-in, it is call or fold.
- A pot that does not divide is split as evenly as whole chips allow; all of its odd chips go to the
  first winner to the left of the button (TDA 20 B; where there are two, as PokerKit gives them).

PokerKit, which the tests compare with, departs from this in four points: a short big blind lowers
the price for all; an all-in bet below the minimum reopens the betting to who has checked; an all-in
raise below the minimum that is the first before the flop reopens it to who has limped; and short
all-ins that come after others which made up a full raise do not add up with these.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from arena.envs.holdem.evaluator import card_bit, evaluate_set

Hand = Any  # a record of dtype HAND, which the type checker cannot see into

MAX_SEATS = 10
HISTORY = 256  # decisions of a hand that are kept (a power of two); older ones give way
OVER = -1  # the actor of a hand that is over
BOARD_CARDS = (0, 3, 4, 5)  # that lie open, by street

ILLEGAL, FOLD, CALL = -2, -1, 0  # moves; a positive one is "bet or raise to so many chips"
FOLDED, CHECKED, CALLED, BET, RAISED = 1, 2, 3, 4, 5  # kinds of decision in a history

# NumPy's rules of division: a division that can raise would leave an exit in every kernel, and cost
# each table two atomic counts of its arrays' references.
compiled = numba.njit(cache=True, error_model="numpy")
inlined = numba.njit(cache=True, error_model="numpy", forceinline=True)

HAND = np.dtype(
    [
        # the hand
        ("seats", "i8"),
        ("button", "i8"),
        ("street", "i8"),  # 0 pre-flop, 1 flop, 2 turn, 3 river
        ("actor", "i8"),  # the seat whose decision is waited for, or OVER
        ("live", "i8"),  # set of seats that hold cards
        ("solvent", "i8"),  # set of seats that have chips behind
        ("waiting", "i8"),  # set of seats that have yet to act on this street
        ("acted", "i8"),  # set of seats that have acted on this street
        ("level", "i8"),  # the total to match on this street
        ("full_raise", "i8"),  # size of the last full bet or raise
        ("min_raise", "i8"),  # the least that the actor may bet or raise to; 0: it may not
        ("max_raise", "i8"),  # the most, its all-in
        ("min_bet", "i8"),
        ("big_blind", "i8"),  # the unit of observations and returns
        ("pot", "i8"),  # all that is committed, bets of this street included
        ("showdown", "i8"),  # set of seats whose cards were compared at the end
        ("decisions", "i8"),
        ("dead_antes", "i8"),  # 1 where antes are no part of a stake: a big-blind ante
        # the episode that the hand is part of (arena.envs.holdem.episode)
        ("seed", "u8"),
        ("number", "i8"),  # of the hand, from 0
        ("hands", "i8"),  # how many the episode has at most
        ("away", "i8"),  # set of seats that have forfeited: they fold whenever they are to act
        ("stage", "i8"),  # of a tournament's blinds, from 0
        ("stage_hands", "i8"),  # hands until they rise, this one included; 0: they never do
        ("next_stakes", "i8", 3),  # small blind, big blind and ante after that, else 0
        # by seat
        ("stacks", "i8", MAX_SEATS),  # chips behind
        ("bets", "i8", MAX_SEATS),  # put in on this street, without antes
        ("committed", "i8", MAX_SEATS),  # put in during the hand, without dead antes
        (
            "strengths",
            "i8",
            MAX_SEATS,
        ),  # of the cards that were shown down (arena.envs.holdem.evaluator)
        ("starting", "i8", MAX_SEATS),  # stacks before the hand
        ("blinds", "i8", MAX_SEATS),  # to post; a negative one does not move the first to act
        ("antes", "i8", MAX_SEATS),
        ("net", "i8", MAX_SEATS),  # chips won in the episode's finished hands
        ("standing", "i8", MAX_SEATS),  # of a tournament: the higher, the later one was out
        # holes of seat 0, 1, …, then the board; -1 is a card that nobody knows
        ("deck", "i1", 52),
        # decision i is at i % HISTORY
        ("history_amount", "i8", HISTORY),  # the seat's total for the street after it
        ("history_seat", "i1", HISTORY),
        ("history_street", "i1", HISTORY),
        ("history_kind", "i1", HISTORY),
    ],
    align=True,
)


@compiled
def has(seats: int, seat: int) -> bool:
    """Whether a set of seats holds ``seat``."""
    return (seats >> seat) & 1 != 0


@compiled
def is_single(seats: int) -> bool:
    """Whether a non-empty set holds one seat only."""
    return seats & (seats - 1) == 0


_LOWEST = np.array([0] + [(s & -s).bit_length() - 1 for s in range(1, 1 << MAX_SEATS)], np.int64)


@compiled
def lowest(seats: int) -> int:
    """The lowest seat of a non-empty set."""
    return int(_LOWEST[seats])


@compiled
def next_seat(seats: int, after: int) -> int:
    """The first seat of a non-empty set clockwise from ``after``, itself the last to be asked."""
    beyond = seats >> (after + 1) << (after + 1)
    return lowest(beyond if beyond else seats)


@compiled
def to_call(hand: Hand, seat: int) -> int:
    """What ``seat`` lacks to match the level; it may have less."""
    owed: int = hand.level - hand.bets[seat]
    return owed


@compiled
def pay(hand: Hand, seat: int, chips: int) -> int:
    """Move up to ``chips`` from a stack to the pot, as its seat's stake; what was moved."""
    paid = give(hand, seat, chips)
    hand.committed[seat] += paid
    return paid


@compiled
def give(hand: Hand, seat: int, chips: int) -> int:
    """Move up to ``chips`` from a stack to the pot; what was moved."""
    paid: int = min(chips, hand.stacks[seat])
    hand.stacks[seat] -= paid
    if hand.stacks[seat] == 0:
        hand.solvent &= ~(1 << seat)
    hand.pot += paid
    return paid


# -- the course of a hand --------------------------------------------------------------------------


@compiled
def begin_hand(hand: Hand) -> None:
    """Post antes and blinds and ask the first player; seats without chips are not dealt in.

    Stacks, button, antes, blinds, ``min_bet``, ``big_blind`` and the deck are set before.
    """
    hand.street = 0
    hand.live = 0
    hand.pot = 0
    hand.decisions = 0
    hand.showdown = 0
    for seat in range(hand.seats):
        hand.starting[seat] = hand.stacks[seat]
        hand.committed[seat] = 0
        hand.bets[seat] = 0
        if hand.stacks[seat] > 0:
            hand.live |= 1 << seat
    hand.solvent = hand.live
    post_antes(hand)
    last_poster = post_blinds(hand)
    open_first_street(hand)
    proceed(hand, last_poster)


@compiled
def post_antes(hand: Hand) -> None:
    """Antes go into the pot and are no part of a bet; dead ones no part of a stake either."""
    for seat in range(hand.seats):
        if hand.antes[seat] > 0:
            if hand.dead_antes:
                give(hand, seat, hand.antes[seat])
            else:
                pay(hand, seat, hand.antes[seat])


@compiled
def post_blinds(hand: Hand) -> int:
    """Post blinds and straddles, set the level to the largest of them, and say who posted it.

    The first to act sits after that seat: after the button where there is no blind.
    """
    hand.level = 0
    largest = 0
    last_poster: int = hand.button
    seat = hand.button
    for _ in range(hand.seats):
        seat = seat + 1 if seat + 1 < hand.seats else 0
        blind = hand.blinds[seat]
        if not has(hand.live, seat) or blind == 0:
            continue
        hand.bets[seat] = pay(hand, seat, abs(blind))
        hand.level = max(hand.level, abs(blind))
        if blind >= largest:
            largest = blind
            last_poster = seat
    return last_poster


@compiled
def open_first_street(hand: Hand) -> None:
    """Say what is to be matched and who is to act before the flop.

    A player who has put in as much as any other can match has nothing to decide.
    """
    most = posted = matchable = 0
    for seat in range(hand.seats):
        if has(hand.live, seat):
            total = hand.stacks[seat] + hand.bets[seat]
            matchable = max(matchable, min(most, total))
            most = max(most, total)
            posted = max(posted, hand.bets[seat])
    hand.level = max(posted, min(hand.level, matchable))
    hand.full_raise = hand.min_bet
    hand.acted = 0
    hand.waiting = 0
    owes = False
    for seat in range(hand.seats):
        if has(hand.live & hand.solvent, seat) and hand.bets[seat] < matchable:
            hand.waiting |= 1 << seat
            owes |= to_call(hand, seat) > 0
    if is_single(hand.waiting) and not owes:
        hand.waiting = 0


@compiled
def open_next_street(hand: Hand) -> None:
    """Deal the next board cards; all with chips are to act, if there are two of them."""
    hand.street += 1
    hand.level = 0
    hand.bets[:] = 0
    hand.full_raise = hand.min_bet
    hand.acted = 0
    hand.waiting = hand.live & hand.solvent
    if is_single(hand.waiting):
        hand.waiting = 0


@compiled
def proceed(hand: Hand, after: int) -> None:
    """Find the next to act after a seat, on this street or a later one, or end the hand."""
    hand.actor = OVER
    hand.min_raise = hand.max_raise = 0
    if is_single(hand.live):
        award_uncontested(hand)
        return
    while not hand.waiting:
        if hand.street == 3:
            award_pots(hand)
            return
        open_next_street(hand)
        after = hand.button
    hand.actor = next_seat(hand.waiting, after)
    hand.min_raise, hand.max_raise = raise_bounds(hand)


# -- decisions -------------------------------------------------------------------------------------


@compiled
def raise_bounds(hand: Hand) -> tuple[int, int]:
    """The least and the most that the actor may bet or raise to; (0, 0) where it may not.

    All-in is allowed below the minimum; then both are the all-in.
    """
    actor = hand.actor
    owed = to_call(hand, actor)
    if hand.stacks[actor] <= owed:
        return 0, 0
    if has(hand.acted, actor) and owed < hand.full_raise:
        return 0, 0
    all_in = hand.stacks[actor] + hand.bets[actor]
    others = hand.live & hand.solvent & ~(1 << actor)
    while others:
        seat = lowest(others)
        if hand.stacks[seat] + hand.bets[seat] > hand.level:
            return min(hand.level + hand.full_raise, all_in), all_in
        others ^= 1 << seat
    return 0, 0


@compiled
def play(hand: Hand, move: int) -> None:
    """Make the actor's move, a legal one, or a fold where it could check (a forfeit)."""
    actor = hand.actor
    if move == FOLD:
        fold(hand, actor)
    elif move == CALL:
        check_or_call(hand, actor)
    else:
        raise_to(hand, actor, move)
    hand.acted |= 1 << actor
    proceed(hand, actor)


@compiled
def fold(hand: Hand, actor: int) -> None:
    """Give up the cards."""
    hand.live &= ~(1 << actor)
    hand.waiting &= ~(1 << actor)
    record(hand, actor, FOLDED)


@compiled
def check_or_call(hand: Hand, actor: int) -> None:
    """Match the level, with all that is left where that is less."""
    owed = to_call(hand, actor)
    hand.bets[actor] += pay(hand, actor, owed)
    hand.waiting &= ~(1 << actor)
    record(hand, actor, CALLED if owed > 0 else CHECKED)


@compiled
def raise_to(hand: Hand, actor: int, total: int) -> None:
    """Put in ``total`` chips for the street; all others with chips are to act again."""
    kind = RAISED if hand.level > 0 else BET
    hand.bets[actor] += pay(hand, actor, total - hand.bets[actor])
    hand.full_raise = max(hand.full_raise, total - hand.level)
    hand.level = total
    hand.waiting = hand.live & hand.solvent & ~(1 << actor)
    record(hand, actor, kind)


@compiled
def record(hand: Hand, actor: int, kind: int) -> None:
    """Add a decision to the history."""
    at = hand.decisions & (HISTORY - 1)
    hand.history_seat[at] = actor
    hand.history_street[at] = hand.street
    hand.history_kind[at] = kind
    hand.history_amount[at] = hand.bets[actor]
    hand.decisions += 1


# -- the end ---------------------------------------------------------------------------------------


@compiled
def award_uncontested(hand: Hand) -> None:
    """The last player with cards takes all."""
    hand.stacks[lowest(hand.live)] += hand.pot


@compiled
def compare(hand: Hand) -> None:
    """Work out the strengths of the live hands: 0, below all others, where a card is unknown."""
    board = np.uint64(0)
    known = True
    for i in range(5):
        card = hand.deck[2 * hand.seats + i]
        known &= card >= 0
        board |= card_bit(max(card, 0))
    seats = hand.live
    while seats:
        seat = lowest(seats)
        seats ^= 1 << seat
        first, second = hand.deck[2 * seat], hand.deck[2 * seat + 1]
        if known and first >= 0 and second >= 0:
            hand.strengths[seat] = evaluate_set(board | card_bit(first) | card_bit(second))
        else:
            hand.strengths[seat] = 0


@compiled
def award_pots(hand: Hand) -> None:
    """Compare the hands and award main pot and side pots, from the smallest stake up.

    An uncalled bet comes back as a pot of which its owner is the only contender. What is above all
    contenders' stakes goes with the last pot: who put it in forfeited where it could check. Dead
    antes are in the first.
    """
    hand.showdown = hand.live
    compare(hand)
    contenders = unbeaten(hand)
    dead = hand.pot
    for seat in range(hand.seats):
        dead -= hand.committed[seat]
    awarded = 0
    while contenders:
        stake = 1 << 62
        best = 0
        seats = contenders
        while seats:
            seat = lowest(seats)
            seats ^= 1 << seat
            stake = min(stake, hand.committed[seat])
            best = max(best, hand.strengths[seat])
        winners = 0
        deeper = 0
        seats = contenders
        while seats:
            seat = lowest(seats)
            seats ^= 1 << seat
            winners |= int(hand.strengths[seat] == best) << seat
            deeper |= int(hand.committed[seat] > stake) << seat
        pot = dead if deeper else hand.pot
        if deeper:
            for seat in range(hand.seats):
                pot += min(hand.committed[seat], stake)
        split(hand, pot - awarded, winners)
        awarded = pot
        contenders = deeper


@compiled
def unbeaten(hand: Hand) -> int:
    """Seats that win a pot or a part of one: nobody with as much at stake has a better hand.

    All others muck before the pots are made up, so that pots which only the same hands can win
    are one pot, and have their odd chips once.
    """
    unbeaten = 0
    deeper = hand.live
    while deeper:
        best = -1
        winners = 0
        covered = 0  # the most that one of the winners has at stake
        seats = deeper
        while seats:
            seat = lowest(seats)
            seats ^= 1 << seat
            if hand.strengths[seat] > best:
                best = hand.strengths[seat]
                winners = 0
                covered = 0
            if hand.strengths[seat] == best:
                winners |= 1 << seat
                covered = max(covered, hand.committed[seat])
        unbeaten |= winners
        seats = deeper
        while seats:
            seat = lowest(seats)
            seats ^= 1 << seat
            if hand.committed[seat] <= covered:
                deeper ^= 1 << seat
    return unbeaten


@compiled
def split(hand: Hand, pot: int, winners: int) -> None:
    """Share a pot evenly; odd chips go to the first winner to the left of the button."""
    first = next_seat(winners, hand.button)
    if is_single(winners):
        hand.stacks[first] += pot
        return
    count = 0
    for seat in range(hand.seats):
        count += has(winners, seat)
    share = pot // count
    for seat in range(hand.seats):
        if has(winners, seat):
            hand.stacks[seat] += share
    hand.stacks[first] += pot - share * count
