"""A blueprint that thinks: on the river it solves the hand afresh (``search:RUN``).

Before the river it plays the blueprint. On it both ranges are tracked: each hand is as likely as
the blueprint, asked with it, would have come there. The river is then solved for them, all hands
apart and not in buckets, and it plays that. The other is taken to play the blueprint as well, so
what is found is best against who does, and is not proof against who does not (no gadget).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.solvers.abstraction import Blueprint
from arena.agents.solvers.beliefs import Floats
from arena.agents.solvers.ranges import HANDS
from arena.agents.solvers.spot import Spot, SpotSolver
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION, FOLD_ACTION
from arena.envs.holdem.rules import BET, BOARD_CARDS, RAISED

_RIVER = 3
_NUMBER = np.zeros((52, 52), np.int64)  # of two cards, the lower first
_NUMBER[HANDS[:, 0], HANDS[:, 1]] = np.arange(len(HANDS))
_NEVER = 1e-9  # a hand that never comes is still thought of, lest a range be empty

Row = Mapping[str, NDArray[Any]]


class Search(Blueprint):
    """Plays a blueprint, and solves rivers: ``search:RUN?iterations=200``.

    Args:
        game: single hands of heads-up Hold'em with equal stacks.
        checkpoint: the folder of ``arena train blueprint``.
        iterations: of DCFR, for each river.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, iterations: int = 200) -> None:
        super().__init__(game, checkpoint)
        if not 1 <= iterations <= 100_000:
            raise InputError(f"search: iterations={iterations}; it is from 1 to 100,000")
        stacks = self.game.config["stacks"][0]
        if stacks[0] != stacks[1]:
            raise InputError("search solves rivers for equal stacks; give the game one stack")
        self.iterations = iterations

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The blueprint's, and on the river the solution's."""
        found, seen, mask = super().policy(turns), turns.observation, turns.action_mask
        assert mask is not None
        nodes, paths = self.abstraction.locate(seen)
        alike: dict[bytes, list[int]] = {}  # of all hands that are asked about here, one solution
        for row in np.flatnonzero((seen["street"][:, 0] == _RIVER) & (nodes >= 0)).tolist():
            parts = (paths[row], seen["board"][row], seen["history_amount"][row], turns.seats[row])
            alike.setdefault(b"".join(part.tobytes() for part in parts), []).append(row)
        for rows in alike.values():
            one = {name: values[rows[0]] for name, values in seen.items()}
            solver = self._solve(one, paths[rows[0]])
            node = _walk(solver, one)
            taken = self._menu(solver, node, one, mask[rows[0]])
            chances = np.zeros((mask.shape[1], len(solver.numbers)))
            np.add.at(chances, taken, solver.strategy(node))
            low, high = np.sort(seen["hole"][rows], axis=1).astype(np.int64).T
            held = np.searchsorted(solver.numbers, _NUMBER[low, high])
            found[rows] = chances[:, held].T
        return found

    def _solve(self, one: Row, path: Ints) -> SpotSolver:
        """The river, from its beginning."""
        before = one["committed"] - one["bets"]
        stack = float((one["stacks"] + one["bets"]).min())
        board = tuple(int(card) for card in one["board"])
        spot = Spot(board, self.track(board, path), float(before.sum()), stack, self.game.menu)
        solver = SpotSolver(spot)
        solver.run(self.iterations)
        return solver

    def track(self, board: tuple[int, ...], path: Ints) -> Floats:
        """How likely each hand comes to the river, by seat, float64 ``(2, 1326)``."""
        kernel = self.abstraction.kernel
        tree, ranges = kernel.tree, np.full((2, len(HANDS)), 1.0)
        free = np.flatnonzero(~np.isin(HANDS, board).any(axis=1))
        held: dict[int, Ints] = {}
        nodes = path[path >= 0].tolist()
        for node, child in pairwise(nodes):
            street = int(tree.street[node])
            if street == _RIVER:
                break
            if street not in held:
                laid = np.full(5, -1)
                laid[: BOARD_CARDS[street]] = board[: BOARD_CARDS[street]]
                held[street] = self.abstraction.hold(
                    HANDS[free], np.tile(laid, (len(free), 1)), np.full(len(free), street)
                )
            rows = kernel.row[node] + held[street] * tree.width[node] + child - tree.first[node]
            ranges[tree.seat[node], free] *= self.strategy[rows] + _NEVER
        taken = np.ones(len(HANDS), np.bool_)
        taken[free] = False
        ranges[:, taken] = 0.0
        found: Floats = ranges / ranges.max(axis=1, keepdims=True)
        return found

    def _menu(self, solver: SpotSolver, node: int, one: Row, mask: NDArray[np.bool_]) -> Ints:
        """The game's action for each of the solution's; a raise is the nearest legal one."""
        state, first = solver.bets.states[node], int(solver.bets.first[node])
        level, after = float(one["bets"].max()), float(one["pot"][0] + one["to_call"][0])
        totals = np.array([*(level + size * after for size in self.game.menu), one["max_raise"][0]])
        totals[~mask[FIRST_FRACTION:]] = np.inf
        taken = []
        for child, name in enumerate(solver.bets.actions[node], first):
            if name == "fold":
                taken.append(FOLD_ACTION if mask[FOLD_ACTION] else CALL_ACTION)
            elif name in ("check", "call") or not mask[FIRST_FRACTION:].any():
                taken.append(CALL_ACTION)
            else:
                to = solver.bets.states[child].paid[state.seat]
                taken.append(FIRST_FRACTION + int(np.abs(totals - to).argmin()))
        return np.array(taken)


def _walk(solver: SpotSolver, one: Row) -> int:
    """The node to which the river's decisions so far lead; a bet is the nearest there is."""
    bets, node = solver.bets, 0
    for i in range(int(one["decisions"][0])):
        _, street, kind = one["history"][i]
        if street != _RIVER:
            continue
        names, first = bets.actions[node], int(bets.first[node])
        passive = names.index("call" if "call" in names else "check")
        if kind not in (BET, RAISED):
            node = first + passive
            continue
        seat, amount = bets.states[node].seat, float(one["history_amount"][i])
        raises = [k for k, n in enumerate(names) if n not in ("fold", "check", "call")]
        totals = np.array([bets.states[first + k].paid[seat] for k in raises])
        node = first + raises[int(np.abs(totals - amount).argmin())]
    return node
