"""Hold'em: steps a second of random play beside OpenSpiel's and PettingZoo's, hands beside
PokerKit's, evaluations beside phevaluator's. Everything runs on one core.

A step is one decision: the actor's observation and legal actions are made, one of these is drawn
uniformly and taken. All games are of 100 big blinds, and are played with the peer's own menu. Ours
and the peer take turns, so that whatever else the machine does slows both.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from statistics import median
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from arena.bench.record import Record, rate
from arena.envs import seeding
from arena.envs.game import Ints
from arena.envs.holdem import Holdem
from arena.envs.holdem.evaluator import evaluate

_TABLES = 512
_ROUNDS = 3

Work = Callable[[], int]


def records() -> Iterator[Record]:
    """``steps_…`` and ``hands_6_…`` a second, and ``eval7_…``: evaluations of seven cards."""
    for seats in (2, 6):
        ours = _ours(Holdem(seats=seats, menu=(1.0,)))
        peer = f"OpenSpiel {version('open_spiel')} universal_poker, fcpa, observation tensor"
        yield _compare(f"steps_{seats}_vs_openspiel", "1/s", ours, _openspiel(seats), peer)
    for seats in (2, 6):
        ours = _ours(Holdem(seats=seats, menu=(0.5, 1.0)))
        peer = f"PettingZoo {version('pettingzoo')} texas_holdem_no_limit_v6"
        yield _compare(f"steps_{seats}_vs_pettingzoo", "1/s", ours, _pettingzoo(seats), peer)
    ours = _ours(Holdem(seats=6, menu=(1.0,)), count_hands=True)
    peer = f"PokerKit {version('pokerkit')} NoLimitTexasHoldem"
    yield _compare("hands_6_vs_pokerkit", "1/s", ours, _pokerkit(6), peer)
    peer = f"phevaluator {version('phevaluator')} evaluate_cards"
    yield _compare("eval7_vs_phevaluator", "1/s", *_evaluators(), peer)


def _compare(name: str, unit: str, ours: Work, peer: Work, peer_name: str) -> Record:
    """The medians of a few rounds in turn."""
    rounds = [(rate(ours, 0.5), rate(peer, 1.0)) for _ in range(_ROUNDS)]
    mine, theirs = (median(rates) for rates in zip(*rounds, strict=True))
    return Record.of(name, unit, mine, theirs, peer_name)


def _ours(game: Holdem, count_hands: bool = False) -> Work:
    tables = game.tables(_TABLES)
    bases = np.arange(_TABLES).astype(np.uint64)
    tables.renew(np.arange(_TABLES), bases)
    turns = tables.turns()
    actions = np.zeros(_TABLES, np.int64)
    turn = 0

    def work() -> int:
        nonlocal turn, turns
        hands = 0
        for _ in range(20):
            turn += 1
            assert turns.action_mask is not None
            _choose(turns.action_mask, np.uint64(turn), actions)
            seeds = bases + np.uint64(turn * _TABLES)
            now = tables.advance(turns.tables, turns.seats, actions, seeds)
            turns = now.turns
            hands += int(now.ended.sum()) if count_hands else 0
        return hands if count_hands else 20 * _TABLES

    return work


@numba.njit(cache=True)
def _choose(mask: NDArray[np.bool_], seed: np.uint64, actions: Ints) -> None:
    """Draw one of each row's legal actions (without a branch that nobody could predict)."""
    for row in range(len(mask)):
        legal = 0
        for action in range(mask.shape[1]):
            legal += mask[row, action]
        left = seeding.below(seed, row, legal)
        passed = 0
        for action in range(mask.shape[1]):
            left -= mask[row, action]
            passed += left >= 0
        actions[row] = passed


def _openspiel(seats: int) -> Work:
    import pyspiel

    # Heads-up the button has the small blind and acts first before the flop, last after.
    blinds = "100 50" if seats == 2 else "50 100" + " 0" * (seats - 2)
    first = "2 1 1 1" if seats == 2 else "3 1 1 1"
    game = pyspiel.load_game(
        f"universal_poker(betting=nolimit,numPlayers={seats},numRounds=4,blind={blinds},"
        f"firstPlayer={first},numSuits=4,numRanks=13,numHoleCards=2,numBoardCards=0 3 1 1,"
        f"stack={' '.join(['10000'] * seats)},bettingAbstraction=fcpa)"
    )
    rng = random.Random(0)

    def work() -> int:
        steps = 0
        for _ in range(50):
            state = game.new_initial_state()
            while not state.is_terminal():
                if not state.is_chance_node():
                    state.observation_tensor(state.current_player())
                    steps += 1
                state.apply_action(rng.choice(state.legal_actions()))
        return steps

    return work


def _pettingzoo(seats: int) -> Work:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pettingzoo.classic import texas_holdem_no_limit_v6

        env: Any = texas_holdem_no_limit_v6.env(num_players=seats)
        env.reset(seed=0)
    rng = random.Random(0)

    def work() -> int:
        steps = 0
        for _ in range(10):
            env.reset()
            for _ in env.agent_iter():
                seen, _, terminated, truncated, _ = env.last()
                if terminated or truncated:
                    env.step(None)
                    continue
                env.step(rng.choice(seen["action_mask"].nonzero()[0].tolist()))
                steps += 1
        return steps

    return work


def _pokerkit(seats: int) -> Work:
    from pokerkit import Automation, NoLimitTexasHoldem

    # All but the players' decisions; it deals at random by itself.
    automations = tuple(
        step for step in Automation if step is not Automation.RUNOUT_COUNT_SELECTION
    )
    rng = random.Random(0)

    def work() -> int:
        hands = 5
        for _ in range(hands):
            state = NoLimitTexasHoldem.create_state(
                automations, True, 0, (50, 100), 100, 10_000, seats
            )
            while state.status:
                raises: list[int | None] = []
                if state.can_complete_bet_or_raise_to():
                    raises.append(state.pot_completion_betting_or_raising_to_amount)
                    raises.append(state.max_completion_betting_or_raising_to_amount)
                folds = bool(state.checking_or_calling_amount)
                move = rng.randrange(1 + folds + len(raises))
                if move < len(raises):
                    state.complete_bet_or_raise_to(raises[move])
                elif move == len(raises):
                    state.check_or_call()
                else:
                    state.fold()
        return hands

    return work


def _evaluators() -> tuple[Work, Work]:
    from phevaluator import evaluate_cards

    decks = np.tile(np.arange(52, dtype=np.int8), (100_000, 1))
    cards = np.random.default_rng(0).permuted(decks, axis=1)[:, :7]
    few = cards[:5000].tolist()

    def ours() -> int:
        evaluate(cards)
        return len(cards)

    def peer() -> int:
        for hand in few:
            evaluate_cards(*hand)
        return len(few)

    return ours, peer
