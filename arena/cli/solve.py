"""``arena solve``: an equilibrium of a small game, and how near to one each step has come.

    arena solve leduc --algorithm cfr+ --iterations 1000 -o runs/leduc
    arena solve kuhn --algorithm lp --json
    arena solve spot --board AhKd7c5s2h --ranges AA-TT,AK,AQ 99-22,KQ --pot 10 --stack 20

Exploitability is what a perfect opponent earns a deal against the average strategy (NashConv / 2).
The folder is a player: tabular:runs/leduc. A spot is a turn or a river of heads-up Hold'em
(``arena.cli.solve_spot``).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.cli import solve_spot

if TYPE_CHECKING:
    from arena.agents.solvers.cfr import Cfr
    from arena.agents.solvers.mccfr import Mccfr
    from arena.agents.solvers.mmd import Mmd
    from arena.agents.solvers.tree import Floats, Tree

_MONTE_CARLO = {"mccfr-external": "external", "mccfr-outcome": "outcome"}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = __doc__
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "game", metavar="GAME", help="kuhn, leduc, liars_dice, rps, matrix?file=…, or spot"
    )
    parser.add_argument(
        "--algorithm", default="cfr+", metavar="NAME",
        help="cfr, cfr+, linear, dcfr, pcfr+, hs-dcfr, hs-pcfr+, mccfr-external, mccfr-outcome, "
        "mmd, or lp, which is exact (default cfr+)",
    )  # fmt: skip
    parser.add_argument("--iterations", type=int, default=1000, metavar="N", help="(default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of what mccfr draws (default 0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="keep the strategy")
    solve_spot.add(parser.add_argument_group("a spot of Hold'em"))
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Solve, print the curve, keep the strategy."""
    if options.game == "spot":
        return solve_spot.run(options)
    import time

    import orjson

    from arena.agents.solvers import sequence_form
    from arena.agents.solvers.cfr import exploitability, values
    from arena.agents.solvers.tabular import save_strategy
    from arena.agents.solvers.tree import compile_tree
    from arena.envs.errors import InputError
    from arena.envs.registry import named_game

    if options.iterations < 1:
        raise InputError(f"--iterations {options.iterations} must be at least 1")
    if options.output is not None and options.output.exists():
        raise InputError(f"{options.output} exists already; name a new folder")
    spec, game = named_game(options.game)
    tree = compile_tree(game)
    begun = time.perf_counter()
    if options.algorithm == "lp":
        strategy = sequence_form.solve(tree)[1]
        curve = [(0, exploitability(tree, strategy))]
    else:
        strategy, curve = _iterate(options, tree)
    seconds = time.perf_counter() - begun
    facts = {
        "algorithm": options.algorithm,
        "iterations": curve[-1][0],
        "seed": options.seed,
        "exploitability": curve[-1][1],
        "value": values(tree, strategy).tolist(),
    }
    if options.output is not None:
        save_strategy(options.output, spec, tree, strategy, facts)
    if options.json:
        size = {"nodes": len(tree.seat), "infosets": len(tree.owner), "seconds": seconds}
        print(orjson.dumps({"game": spec, **facts, **size, "curve": curve}).decode())
        return 0
    _print(options, tree, facts, curve, seconds)
    return 0


def _iterate(options: argparse.Namespace, tree: Tree) -> tuple[Floats, list[tuple[int, float]]]:
    from arena.agents.solvers.cfr import exploitability
    from arena.cli.console import meter

    solver = _solver(options, tree)
    curve = []
    with meter("iterations") as progress:
        for until in _stops(options.iterations):
            while solver.done < until:
                solver.run(min(_chunk(tree), until - solver.done))
                progress.update(solver.done, options.iterations)
            curve.append((until, exploitability(tree, solver.average)))
    return solver.average, curve


def _solver(options: argparse.Namespace, tree: Tree) -> Cfr | Mccfr | Mmd:
    from arena.agents.solvers.cfr import SCHEDULES, Cfr
    from arena.agents.solvers.mccfr import Mccfr
    from arena.agents.solvers.mmd import Mmd
    from arena.envs.errors import InputError

    name = options.algorithm
    if name in _MONTE_CARLO:
        return Mccfr(tree, _MONTE_CARLO[name], options.seed)
    if name == "mmd":
        return Mmd(tree)
    if name not in SCHEDULES:
        known = ", ".join([*SCHEDULES, *_MONTE_CARLO, "mmd", "lp"])
        raise InputError(f"--algorithm {name} is none of {known}")
    return Cfr(tree, name, options.iterations)


def _stops(iterations: int) -> list[int]:
    """1, 2, 5, 10, 20, 50, … and the last."""
    stops = {iterations}
    power = 1
    while power <= iterations:
        stops |= {power * step for step in (1, 2, 5) if power * step <= iterations}
        power *= 10
    return sorted(stops)


def _chunk(tree: Tree) -> int:
    """So many iterations that an interrupt is heard within a second or so."""
    return max(1, 5_000_000 // len(tree.seat))


def _print(
    options: argparse.Namespace,
    tree: Tree,
    facts: dict[str, Any],
    curve: list[tuple[int, float]],
    seconds: float,
) -> None:
    from arena.cli.console import say, show, table

    print(f"{options.game}: {len(tree.seat):,} decisions, {len(tree.owner):,} information sets")
    rows = table("iterations>", "exploitability>")
    for iterations, gain in curve:
        rows.add_row("exact" if options.algorithm == "lp" else f"{iterations:,}", f"{gain:.7f}")
    show(rows)
    worth = facts["value"][0]
    say(f"the first seat earns {worth:+.7f} a deal; {options.algorithm} took {seconds:.2f} s")
    if options.output is not None:
        print(f"strategy: {options.output}; in a league: tabular:{options.output}")
