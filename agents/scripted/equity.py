"""Equity by Monte Carlo, for a batch of turns in one kernel, and the player that plays by it."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Decisions
from arena.agents.scripted.holdem import (
    ALL_IN,
    CALL,
    FOLD,
    HoldemPlayer,
    all_in_fraction,
    read_betting,
)
from arena.agents.scripted.preflop import CLASS_OF, strength
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.holdem.evaluator import card_bit, evaluate_set

_FIXED_SAMPLES = 200


def sample_equities(
    hole: NDArray[np.int8],
    board: NDArray[np.int8],
    opponents: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    samples: int,
) -> NDArray[np.float64]:
    """The share of the pot that each hand wins at a showdown, estimated, float64 ``(n,)``.

    Args:
        hole: own cards, ``(n, 2)``.
        board: ``(n, 5)``, -1 for what is not dealt yet.
        opponents: ``(n, opponents, 2)``, how strong each is taken to be. With (a, b) it is given
            the hand that turns out best of b hands, each of which is the strongest before the flop
            of a random ones. (1, 1) is a random hand, (0, 0) nobody.
        seeds: of each row's sample, uint64 ``(n,)``.
        samples: how many showdowns are drawn. The standard error is below ``.5 / sqrt(samples)``.
    """
    out = np.empty(len(hole))
    _sample(hole, board, opponents, seeds, samples, CLASS_OF, strength(), out)
    return out


@numba.njit(cache=True)
def _sample(
    hole: NDArray[np.int8],
    board: NDArray[np.int8],
    opponents: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    samples: int,
    class_of: NDArray[np.int64],
    strengths: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    deck = np.empty(52, np.int64)
    for row in range(len(hole)):
        own = card_bit(hole[row, 0]) | card_bit(hole[row, 1])
        table = np.uint64(0)
        missing = 0
        for card in board[row]:
            if card < 0:
                missing += 1
            else:
                table |= card_bit(card)
        left = 0
        for card in range(52):
            if not (own | table) & card_bit(card):
                deck[left] = card
                left += 1
        counter = 0
        won = 0.0
        for _ in range(samples):
            full = table
            for i in range(missing):
                _swap(deck, i, i + seeding.below(seeds[row], counter, left - i))
                counter += 1
                full |= card_bit(deck[i])
            mine = evaluate_set(full | own)
            at = missing
            sharers = 1
            for opponent in range(opponents.shape[1]):
                choices, candidates = opponents[row, opponent]
                best = 0
                for _ in range(candidates):
                    for choice in range(choices):
                        first = at if choice == 0 else at + 2
                        for i in range(first, first + 2):
                            _swap(deck, i, i + seeding.below(seeds[row], counter, left - i))
                            counter += 1
                        if choice > 0 and (
                            strengths[class_of[deck[first], deck[first + 1]]]
                            > strengths[class_of[deck[at], deck[at + 1]]]
                        ):
                            _swap(deck, at, first)
                            _swap(deck, at + 1, first + 1)
                    held = card_bit(deck[at]) | card_bit(deck[at + 1])
                    best = max(best, evaluate_set(full | held))
                at += 2 * (candidates > 0)
                if best > mine:
                    sharers = 0
                    break
                sharers += best == mine
            if sharers:
                won += 1.0 / sharers
        out[row] = won / samples


@numba.njit(cache=True, inline="always")
def _swap(deck: NDArray[np.int64], i: int, j: int) -> None:
    deck[i], deck[j] = deck[j], deck[i]


def fixed_equities(hole: NDArray[np.int8], board: NDArray[np.int8]) -> NDArray[np.float64]:
    """Equity against one random hand, by a sample that the cards decide: float64 ``(n,)``.

    Equal cards get equal estimates, so that a policy made of them is a function of what is seen.
    """
    seeds = np.zeros(len(hole), np.uint64)
    for column in np.concatenate([hole, board], axis=1).T:
        seeds = seeding.spread(seeds, column.astype(np.int64) + 1)
    opponents = np.ones((len(hole), 1, 2), np.int64)
    return sample_equities(hole, board, opponents, seeds, _FIXED_SAMPLES)


class Equity(HoldemPlayer):
    """Plays by its equity, estimated by Monte Carlo, against the pot odds and the position.

    Who has bet or raised is taken to hold more than a random hand: for each raise before the flop
    it gets one more hand to choose from there, for each one after it one more at the showdown (two
    at most). The player calls where its equity is worth the price, bets and raises where it is well
    above a fair share, asks for more out of position, and never bluffs.

    Args:
        game: Hold'em of any kind.
        checkpoint: none.
        samples: how many showdowns are drawn for each decision.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, samples: int = 100) -> None:
        super().__init__(game, checkpoint)
        if not 1 <= samples <= 100_000:
            raise InputError(f"equity: samples={samples}; it is from 1 to 100,000")
        self.samples = samples

    def act(self, turns: Turns) -> Decisions:
        """Decide by thresholds on the estimated equity."""
        seen = turns.observation
        betting = read_betting(seen)
        live = seen["live"][:, 1:] != 0
        ranges = np.where(live[..., None], 1 + np.minimum(betting.raises_by_seat[:, 1:], 2), 0)
        seeds = (turns.uniforms()[:, 0] * 2.0**53).astype(np.uint64)
        equity = sample_equities(seen["hole"], seen["board"], ranges, seeds, self.samples)

        opponents = live.sum(axis=1)
        fair = 1 / (1 + opponents)
        # Seats count clockwise from the observer, so those up to the button act after it.
        later = live & (np.arange(1, live.shape[1] + 1) <= seen["button"])
        caution = 0.04 * later.sum(axis=1) / np.maximum(opponents, 1)
        owed, pot = seen["to_call"][:, 0], seen["pot"][:, 0]
        intents = np.where(equity >= owed / (pot + owed) + caution, CALL, FOLD)

        lead = (equity - fair - caution) / (1 - fair)
        size = np.where(lead >= 0.4, 1.0, 0.6)
        # A raise that leaves less than its like behind is better made all-in at once.
        size[all_in_fraction(seen) < 2 * size] = ALL_IN
        raising = lead >= 0.15 * (1 + betting.raises)
        return Decisions(self.carry_out(turns, np.where(raising, size, intents)))
