"""From hand to hand: the deal, the button, stacks that are reset, carried or rebought, tournaments.

An episode is a number of hands at one table. The button moves one seat clockwise before each hand
but the first, over seats without chips, and the blinds are posted by the next seats with chips (the
*moving button* of RRoP 3.1: nobody skips the button, a blind may be skipped when a player is out).
Heads-up the button posts the small blind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.envs import seeding
from arena.envs.game import AGAIN, PATIENCE
from arena.envs.holdem.rules import (
    BOARD_CARDS,
    FOLD,
    MAX_SEATS,
    OVER,
    Hand,
    begin_hand,
    compiled,
    has,
    inlined,
    is_single,
    next_seat,
    play,
)

Config = Any  # a record of dtype CONFIG

RESET, CARRY, REBUY, TOURNAMENT = range(4)
MAX_MENU = 16
LATER = 1 << 40  # the word of a redeal's seed that seeds the hands after this one
_BOARD_CARDS = np.array(BOARD_CARDS)
MAX_LEVELS = 64  # a tournament ends after so many levels, ranked by chips if need be

CONFIG = np.dtype(
    [
        ("seats", "i8"),
        ("hands", "i8"),
        ("mode", "i8"),  # RESET, CARRY, REBUY or TOURNAMENT
        ("straddles", "i8"),
        ("hands_per_level", "i8"),
        ("dead_antes", "i8"),  # 1: the big blind posts one ante for all
        ("stacks", "i8", MAX_SEATS),
        # of level 0, 1, …; without a tournament all are the same
        ("small_blind", "i8", MAX_LEVELS),
        ("big_blind", "i8", MAX_LEVELS),
        ("ante", "i8", MAX_LEVELS),
        ("prizes", "f8", MAX_SEATS),  # shares of the prize pool, by place
        ("menu_size", "i8"),
        ("menu", "f8", MAX_MENU),  # ascending pot fractions
    ],
    align=True,
)


@compiled
def begin_episode(hand: Hand, config: Config, seed: np.uint64) -> None:
    """Set a table up and deal its first hand, with the button at the last seat."""
    hand.seats = config.seats
    hand.seed = seed
    hand.number = 0
    hand.hands = config.hands
    hand.away = 0
    hand.button = config.seats - 1
    for seat in range(config.seats):
        hand.stacks[seat] = config.stacks[seat]
        hand.net[seat] = 0
        hand.standing[seat] = 0
    deal_hand(hand, config)
    pass_absent(hand, config)


@compiled
def renew_episode(hand: Hand, config: Config, seed: np.uint64) -> bool:
    """``Tables.renew`` for one table: an episode in which somebody is asked; False if none is."""
    for _ in range(PATIENCE):
        begin_episode(hand, config, seed)
        if hand.actor != OVER:
            return True
        seed = seeding.word(seed, AGAIN)
    return False


@compiled
def redeal(hand: Hand, seat: int, seed: np.uint64) -> None:
    """Draw from ``seed`` all that ``seat`` cannot know: cards, and the seed of later hands.

    The result depends on what the seat knows and on nothing else: not on where cards lay before.
    """
    first = 2 * hand.seats
    shown = first + _BOARD_CARDS[hand.street]
    known = np.uint64(0)
    for at in range(shown):
        if (at >> 1 == seat or at >= first) and hand.deck[at] >= 0:
            known |= np.uint64(1) << np.uint64(hand.deck[at])
    unseen = np.empty(52, np.int8)
    left = 0
    for card in range(52):
        if not (known >> np.uint64(card)) & np.uint64(1):
            unseen[left] = card
            left += 1
    drawn = 0
    for at in range(52):
        if at < shown and (at >> 1 == seat or at >= first):
            continue
        other = drawn + seeding.below(seed, drawn, left - drawn)
        hand.deck[at] = unseen[other]
        unseen[other] = unseen[drawn]
        drawn += 1
    hand.seed = seeding.word(seed, LATER)


@compiled
def begin_given(hand: Hand, config: Config) -> None:
    """Begin the only hand of an episode whose cards, stacks and stakes are set."""
    begin_hand(hand)
    pass_absent(hand, config)


@compiled
def deal_hand(hand: Hand, config: Config) -> None:
    """Shuffle, set the stakes and begin the hand."""
    shuffle(hand)
    set_stakes(hand, config)
    begin_hand(hand)


@compiled
def shuffle(hand: Hand) -> None:
    """Draw the hand's cards by Fisher and Yates from the episode's seed and the hand's number."""
    seed = seeding.word(hand.seed, hand.number)
    for card in range(52):
        hand.deck[card] = card
    for i in range(2 * hand.seats + 5):
        j = i + seeding.below(seed, i, 52 - i)
        card = hand.deck[i]
        hand.deck[i] = hand.deck[j]
        hand.deck[j] = card


@compiled
def set_stakes(hand: Hand, config: Config) -> None:
    """The antes and blinds of this hand; straddles are posted left of the big blind, doubling."""
    level = set_stage(hand, config)
    dealt = 0
    players = 0
    hand.dead_antes = config.dead_antes
    for seat in range(hand.seats):
        hand.antes[seat] = 0 if config.dead_antes else config.ante[level]
        hand.blinds[seat] = 0
        if hand.stacks[seat] > 0:
            dealt |= 1 << seat
            players += 1
    hand.big_blind = config.big_blind[level]
    hand.min_bet = hand.big_blind
    seat = hand.button if players == 2 else next_seat(dealt, hand.button)
    hand.blinds[seat] = config.small_blind[level]
    seat = next_seat(dealt, seat)
    hand.blinds[seat] = hand.big_blind
    hand.antes[seat] = config.ante[level]
    for _ in range(min(config.straddles, players - 2)):
        seat = next_seat(dealt, seat)
        hand.min_bet *= 2
        hand.blinds[seat] = hand.min_bet


@compiled
def set_stage(hand: Hand, config: Config) -> int:
    """Say which level of a tournament this hand is of, and when and to what the blinds rise."""
    hand.stage = 0
    hand.stage_hands = 0
    hand.next_stakes[:] = 0
    if config.mode != TOURNAMENT:
        return 0
    level: int = min(hand.number // config.hands_per_level, MAX_LEVELS - 1)
    hand.stage = level
    if level + 1 < MAX_LEVELS:
        hand.stage_hands = (level + 1) * config.hands_per_level - hand.number
        hand.next_stakes[0] = config.small_blind[level + 1]
        hand.next_stakes[1] = config.big_blind[level + 1]
        hand.next_stakes[2] = config.ante[level + 1]
    return level


@compiled
def take(hand: Hand, config: Config, move: int) -> None:
    """Make the actor's move and go on to the next decision that somebody is waited for."""
    play(hand, move)
    pass_absent(hand, config)


@compiled
def forfeit(hand: Hand, config: Config) -> None:
    """Take the actor out of play: it folds now and whenever it is to act in the episode."""
    hand.away |= 1 << hand.actor
    pass_absent(hand, config)


@compiled
def pass_absent(hand: Hand, config: Config) -> None:
    """Fold for who is away, and deal hands, until a present player is to act or all is over."""
    while True:
        while hand.actor != OVER and has(hand.away, hand.actor):
            play(hand, FOLD)
        if hand.actor != OVER or not next_hand(hand, config):
            return


@compiled
def next_hand(hand: Hand, config: Config) -> bool:
    """Book the finished hand and deal the next one; False where the episode is over."""
    solvent = 0
    for seat in range(hand.seats):
        hand.net[seat] += hand.stacks[seat] - hand.starting[seat]
        if hand.stacks[seat] > 0:
            solvent |= 1 << seat
    if config.mode == TOURNAMENT:
        rank(hand)
    hand.number += 1
    if hand.number >= hand.hands:
        return False
    if config.mode == RESET or config.mode == REBUY:
        for seat in range(hand.seats):
            if config.mode == RESET or hand.stacks[seat] == 0:
                hand.stacks[seat] = config.stacks[seat]
        solvent = (1 << hand.seats) - 1
    if is_single(solvent):
        return False
    hand.button = next_seat(solvent, hand.button)
    deal_hand(hand, config)
    return True


@compiled
def rank(hand: Hand) -> None:
    """Order the players of a hand by who is still in, then by chips: those that it began with for
    who went out in it.
    """
    for seat in range(hand.seats):
        if hand.stacks[seat] > 0:
            hand.standing[seat] = ((hand.number + 1) << 40) | hand.stacks[seat]
        elif hand.starting[seat] > 0:
            hand.standing[seat] = (hand.number << 40) | hand.starting[seat]


@inlined
def settle(hand: Hand, config: Config, returns: Any, row: int) -> None:
    """Write the returns by seat into a row: big blinds a hand, or buy-ins in a tournament.

    A tournament's prizes are shared by place; who went out in the same hand is ranked by the chips
    it began that hand with (TDA's rule), and equals share their prizes.
    """
    for seat in range(hand.seats):
        if config.mode != TOURNAMENT:
            returns[row, seat] = hand.net[seat] / (hand.big_blind * hand.hands)
            continue
        better = 0
        equal = 0
        for other in range(hand.seats):
            better += hand.standing[other] > hand.standing[seat]
            equal += hand.standing[other] == hand.standing[seat]
        prize = 0.0
        for place in range(better, better + equal):
            prize += config.prizes[place]
        returns[row, seat] = prize / equal * hand.seats - 1.0
