"""What a player's river decisions cost, beside the exact solution of each river that it comes to.

The player plays itself. Where a hand comes to the river, both ranges are known: it is asked with
every hand what it would have done. The river is then solved for these ranges, with the bets of the
game's menu, and the player is asked with every hand at every decision that may follow. What it
costs is what the solution earns against itself, less what the player earns against the solution: 0
for a player that can't be beaten there, and never below it by more than the solution is inexact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from arena.agents.agent import Agent
from arena.agents.rollout import rollout
from arena.agents.solvers import beliefs
from arena.agents.solvers.beliefs import Floats
from arena.agents.solvers.exploit import require_policy
from arena.agents.solvers.ranges import HANDS
from arena.agents.solvers.spot import DECISION, Spot, SpotSolver
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.holdem import Holdem
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.tables import HoldemTables

_BATCH = 25  # iterations between two looks at how near it is
_MOST = 2000


@dataclass(frozen=True)
class Losses:
    """What came of it, in the game's unit.

    Attributes:
        deals: float64 ``(deals,)``, what the river cost in each deal, the mean over both seats; 0
            where it did not come to decisions on the river.
        rivers: how many deals came to them.
        pot: their mean pot at the river, in big blinds.
        within: how inexact the solutions are at most, on average: what a best response earns.
    """

    deals: Floats
    rivers: int
    pot: float
    within: float


def losses(
    agent: Agent,
    game: Game,
    deals: int,
    seed: int,
    *,
    percent: float = 0.3,
    progress: Callable[[int, int], None] | None = None,
) -> Losses:
    """Let the agent play itself, and say what its rivers cost.

    Args:
        agent: who declares a policy; game: single hands of heads-up Hold'em, equal stacks.
        deals: how many; seed: of them and of what is drawn.
        percent: of the pot that a best response to a solution may earn.
        progress: is told how many of how many rivers are solved.

    Raises CannotPlay, or InputError for unequal stacks.
    """
    require_policy(agent)
    holdem = beliefs.require_heads_up(game)
    stacks = holdem.config["stacks"][0]
    if stacks[0] != stacks[1]:
        raise InputError("rivers are solved for equal stacks; give --game one stack")
    tables, ranges = rivers(agent, holdem, deals, seed)
    decided = np.flatnonzero(tables.hands["actor"] >= 0)
    cost, within = np.zeros(deals), []
    for number, table in enumerate(decided.tolist()):
        solver = solve(tables, table, ranges[table], percent)
        cost[table] = _cost(solver, tables, table, agent)
        within.append(solver.exploitability() / holdem.big_blind)
        if progress:
            progress(number + 1, len(decided))
    pots = tables.hands["pot"][decided] / holdem.big_blind
    scale = holdem.unit_scale
    return Losses(
        cost * scale, len(decided),
        float(pots.mean()) if len(decided) else 0.0,
        float(np.mean(within)) * scale if within else 0.0,
    )  # fmt: skip


def rivers(agent: Agent, game: Holdem, deals: int, seed: int) -> tuple[HoldemTables, Floats]:
    """Play to the first decision on the river, or the end; the tables, and both seats' ranges.

    The ranges are float64 ``(deals, 2, 1326)``, by seat.
    """
    seeds = np.array([seeding.derive(seed, "deal", deal) for deal in range(deals)], np.uint64)
    tables, kept = game.tables(deals), game.tables(deals)
    ranges = np.ones((deals, 2, len(HANDS)))
    found = np.zeros(deals, np.bool_)
    for turns, answers in rollout(tables, [agent] * 2, seeds):
        late = tables.hands["street"][turns.tables] == 3
        arrived = turns.tables[late & ~found[turns.tables]]
        tables.copy(arrived, kept, arrived)
        found[arrived] = True
        for seat in (0, 1):
            rows = np.flatnonzero(~late & (turns.seats == seat))
            if len(rows):
                asked = beliefs.ask(tables, turns.tables[rows], seat, agent)
                chances = asked[np.arange(len(rows)), :, answers.actions[rows]]
                ranges[turns.tables[rows], seat] *= chances
    return kept, ranges


def solve(tables: HoldemTables, table: int, ranges: Floats, percent: float) -> SpotSolver:
    """The river at a table solved for ``ranges``, float64 ``(2, 1326)`` by seat, in chips.

    The solution's first seat is the one that acts first, seat 0.
    """
    hand, game = tables.hands[table], tables.game
    board = tuple(int(card) for card in beliefs.board(tables, table))
    spot = Spot(board, ranges, float(hand["pot"]), float(hand["stacks"][0]), game.menu)
    solver = SpotSolver(spot)
    while solver.done < _MOST and (
        not solver.done or solver.exploitability() > percent / 100 * spot.pot
    ):
        solver.run(_BATCH)
    return solver


def _cost(solver: SpotSolver, tables: HoldemTables, table: int, agent: Agent) -> float:
    """Big blinds, the mean over the seats."""
    nodes = lay_out(solver, tables, table)
    right, cost = solver.values(), 0.0
    for seat in (0, 1):
        mine = [
            node
            for node, state in enumerate(solver.bets.states)
            if state.kind == DECISION and state.seat == seat
        ]
        asked = beliefs.ask(nodes, np.array(mine), seat, agent)
        strategy = {
            node: _translated(solver, nodes, node, asked[i][solver.numbers])
            for i, node in enumerate(mine)
        }
        cost += right[seat] - solver.value_of(seat, strategy)
    return cost / 2 / tables.game.big_blind


def lay_out(solver: SpotSolver, tables: HoldemTables, table: int) -> HoldemTables:
    """A table at each node of the solution's tree, brought there from ``table``."""
    bets, game = solver.bets, tables.game
    nodes = game.tables(len(bets.states))
    tables.copy(np.array([table]), nodes, np.zeros(1, np.int64))
    for node, state in enumerate(bets.states):
        if state.kind != DECISION:
            continue
        first = int(bets.first[node])
        children = np.arange(first, first + len(bets.actions[node]))
        nodes.copy(np.full(len(children), node), nodes, children)
        actions = np.array([_action(solver, game, node, child) for child in children.tolist()])
        nodes.step(children, np.full(len(children), state.seat), actions)
    return nodes


def _action(solver: SpotSolver, game: Holdem, node: int, child: int) -> int:
    """The game's action that leads from a node to its child."""
    states, name = solver.bets.states, solver.bets.actions[node][child - solver.bets.first[node]]
    if name == "fold":
        return FOLD_ACTION
    if name in ("check", "call"):
        return CALL_ACTION
    all_in = FIRST_FRACTION + len(game.menu)
    if name == "all-in":
        return all_in
    return all_in + 1 + round(states[child].paid[states[node].seat])


def _translated(solver: SpotSolver, nodes: HoldemTables, node: int, asked: Floats) -> Floats:
    """A policy over the menu as one over the node's actions, ``(actions, hands)``.

    A raise goes to the nearest one that the solution has.
    """
    bets, seat = solver.bets, solver.bets.states[node].seat
    names = bets.actions[node]
    amounts = np.array([
        -1.0 if name in ("fold", "check", "call") else bets.states[bets.first[node] + k].paid[seat]
        for k, name in enumerate(names)
    ])  # fmt: skip
    found = np.zeros((len(names), len(asked)))
    for action in range(asked.shape[1]):
        if not asked[:, action].any():
            continue
        if action == FOLD_ACTION:
            k = names.index("fold")
        elif action == CALL_ACTION:
            k = names.index("call" if "call" in names else "check")
        else:
            k = int(np.abs(amounts - _total(nodes, node, action)).argmin())
        found[k] += asked[:, action]
    return found


def _total(nodes: HoldemTables, node: int, action: int) -> float:
    """What a raise of the menu puts in on the river, in chips."""
    hand, menu = nodes.hands[node], nodes.game.menu
    if action == FIRST_FRACTION + len(menu):
        return float(hand["max_raise"])
    owed = float(hand["level"] - hand["bets"][hand["actor"]])
    return float(hand["level"] + menu[action - FIRST_FRACTION] * (hand["pot"] + owed))
