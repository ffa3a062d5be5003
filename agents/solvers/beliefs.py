"""What a player may hold in heads-up Hold'em, from what it did: it is asked with every hand.

A player that declares its policy can be asked what it would do with any cards. So after each of
its decisions the chance of every hand is known exactly (Bayes), and with it its range.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.answers import check
from arena.agents.solvers.exploit import require_policy
from arena.agents.solvers.ranges import HANDS
from arena.envs.game import Game, Ints, Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.rules import BOARD_CARDS
from arena.envs.holdem.tables import HoldemTables

Floats = NDArray[np.float64]

_BATCH = 8192  # turns that are asked at a time


def require_heads_up(game: Game) -> Holdem:
    """The game, if it is a single hand of Hold'em for two; else CannotPlay."""
    if not isinstance(game, Holdem) or game.seats != 2 or int(game.config["hands"][0]) != 1:
        raise CannotPlay(f"this looks at single hands of heads-up holdem, not at {game.name}")
    return game


def board(tables: HoldemTables, table: int) -> Ints:
    """The cards that lie on the board."""
    hand = tables.hands[table]
    first = 2 * int(hand["seats"])
    cards: Ints = hand["deck"][first : first + BOARD_CARDS[hand["street"]]].astype(np.int64)
    return cards


def possible(tables: HoldemTables, rows: Ints) -> NDArray[np.bool_]:
    """Which hands the board leaves at each table, bool ``(n, 1326)``."""
    found = [~np.isin(HANDS, board(tables, int(row))).any(axis=1) for row in rows]
    return np.array(found).reshape(len(rows), len(HANDS))


def ask(tables: HoldemTables, rows: Ints, seat: int, agent: Agent) -> Floats:
    """What the agent would do in ``seat``, which is to act, with each hand that the board leaves.

    Returns float64 ``(n, 1326, actions)``, zeros for other hands. Raises CannotPlay where the agent
    declares no policy.
    """
    require_policy(agent)
    actions = len(tables.game.menu) + 3
    found = np.zeros((len(rows), len(HANDS), actions))
    row, hand = np.nonzero(possible(tables, rows))
    for first in range(0, len(row), _BATCH):
        at, held = row[first : first + _BATCH], hand[first : first + _BATCH]
        asked = tables.game.tables(len(at))
        tables.copy(rows[at], asked)
        asked.hands["deck"][:, 2 * seat : 2 * seat + 2] = HANDS[held]
        every = np.arange(len(at))
        turns = Turns(asked, every, np.full(len(at), seat), every.astype(np.uint64))
        answers = check(turns, agent.act(turns))
        if not answers.drawn.all() or answers.probabilities is None:
            raise CannotPlay("its policy is not a distribution over the legal actions everywhere")
        found[at, held] = answers.probabilities
    return found


def holes(tables: HoldemTables, rows: Ints, seat: int) -> Ints:
    """What the seat holds, int64 ``(n, 2)``."""
    cards: Ints = tables.hands["deck"][rows, 2 * seat : 2 * seat + 2].astype(np.int64)
    return cards


def without(ranges: Floats, cards: Ints) -> Floats:
    """Ranges less the hands that hold one of ``cards``, ``(n, k)``; each range is a row."""
    held = (HANDS[None, :, :, None] == cards[:, None, None, :]).any(axis=(2, 3))
    return np.where(held, 0.0, ranges)
