"""Solvers: iterations beside OpenSpiel's, and the time that spots of Hold'em take."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np

from arena.agents.solvers import ranges
from arena.agents.solvers.cfr import Cfr, exploitability
from arena.agents.solvers.mccfr import Mccfr
from arena.agents.solvers.spot import Spot, SpotSolver
from arena.agents.solvers.tree import Tree, compile_tree
from arena.bench.record import Record, rate
from arena.envs.holdem import cards
from arena.envs.registry import make_game

_RIVER, _TURN = "AhKd7c5s2h", "AhKd7c5s"


def records() -> Iterator[Record]:
    """Leduc by CFR+, DCFR and sampling; a river and a turn with all hands in both ranges."""
    tree = compile_tree(make_game("leduc"))
    ours = _speed(Cfr(tree, "cfr+", 10_000_000).run, 500)
    openspiel = f"OpenSpiel {version('open_spiel')}"
    for peer, name, once in (("python", "cfr", 1), ("cpp", "C++ CFRPlusSolver", 20)):
        figure = _speed(_peer(peer), once)
        yield Record.of(
            f"leduc_cfrplus_vs_openspiel_{peer}", "iterations/s", ours, figure,
            f"{openspiel}, {'Python CFRPlusSolver' if peer == 'python' else name}",
        )  # fmt: skip
    yield Record.of("leduc_dcfr", "s to 2e-4", _until(tree, "dcfr", 2e-4))
    sampled = Mccfr(tree, "external", 0)
    yield Record.of("mccfr_iterations", "iterations/s", _speed(sampled.run, 20_000))
    yield Record.of("river_solve", "s to .1 % of the pot", _spot(_RIVER, (0.33, 0.75, 1.5)))
    yield Record.of("turn_solve", "s to .3 % of the pot", _spot(_TURN, (0.5, 1.0), 0.3, 10))


def _speed(run: Callable[[int], object], count: int) -> float:
    def work() -> int:
        run(count)
        return count

    return rate(work)


def _peer(language: str) -> Callable[[int], object]:
    """So many iterations of OpenSpiel's CFR+ on its Leduc."""
    import pyspiel

    game = pyspiel.load_game("leduc_poker")
    if language == "python":
        solver = importlib.import_module("open_spiel.python.algorithms.cfr").CFRPlusSolver(game)
    else:
        solver = pyspiel.CFRPlusSolver(game)

    def run(count: int) -> None:
        for _ in range(count):
            solver.evaluate_and_update_policy()

    return run


def _until(tree: Tree, algorithm: str, goal: float) -> float:
    """Seconds of CPU until the average is that near, looked at every 50 iterations."""
    Cfr(tree, algorithm, 1).run(1)  # compiles
    exploitability(tree, tree.uniform())
    solver, begun = Cfr(tree, algorithm, 100_000), time.process_time()
    while exploitability(tree, solver.average) > goal:
        solver.run(50)
    return time.process_time() - begun


def _spot(board: str, sizes: tuple[float, ...], percent: float = 0.1, step: int = 25) -> float:
    """Seconds of CPU until a best response earns so little of the pot; stacks of two pots."""
    both = np.stack([ranges.parse("any")] * 2)
    spot = Spot(tuple(cards.parse(board)), both, 100.0, 200.0, sizes)
    warm = SpotSolver(spot)
    warm.run(1)
    warm.exploitability()
    begun = time.process_time()
    solver = SpotSolver(spot)
    while solver.done == 0 or solver.exploitability() > percent:
        solver.run(step)
    return time.process_time() - begun
