"""Say what players' river decisions cost in heads-up Hold'em, beside the exact solution.

    arena eval regret --agent tag --agent policy:runs/first --game "holdem?stack=20" -o results/tag

Each player plays itself. Every river that it comes to is solved exactly for the ranges with which
it comes there, its own policy asked with every hand, and the player is asked with every hand at
every decision that may follow. What it costs is what the solution earns more than the player does
against the solution, in mbb a hand dealt, with a 95 % interval over deals. 0 is faultless.

A player that declares no policy cannot be asked.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from arena.cli import whole

if TYPE_CHECKING:
    from arena.evaluation.report import SuiteReport

HELP = "what players' river decisions cost beside the exact solution"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--game", default="holdem?stack=20", help="single hands for two (default holdem?stack=20)"
    )
    parser.add_argument(
        "--deals", type=whole(2), default=200, metavar="N", help="hands dealt (default 200)"
    )


def run(options: argparse.Namespace) -> SuiteReport:
    """Let every player play itself, solve its rivers, and report."""
    from arena.agents.agent import CannotPlay
    from arena.agents.registry import make_agent
    from arena.agents.solvers.river import Losses, losses
    from arena.cli.console import meter
    from arena.envs.registry import named_game
    from arena.evaluation.answering import named, open_folder
    from arena.evaluation.estimates import means
    from arena.evaluation.report import Bar, Bars, Cell, SuiteReport, Table

    spec, game = named_game(options.game)
    specs = named(options.agent)
    agents = {name: make_agent(text, game) for name, text in specs.items()}
    settings = {"suite": "regret", "game": spec, "deals": options.deals, "seed": options.seed}
    open_folder(options.output, settings)
    found: dict[str, Losses] = {}
    for name, agent in agents.items():
        with meter(name) as progress:
            try:
                found[name] = losses(
                    agent, game, options.deals, options.seed,
                    progress=lambda done, total: progress.update(done, total, "rivers"),
                )  # fmt: skip
            except CannotPlay as error:
                raise CannotPlay(f"{name}: {error}") from None
    cost = {name: means({0: each.deals})[0] for name, each in found.items()}
    order = sorted(found, key=lambda name: cost[name].value)
    rows: list[tuple[Cell, ...]] = [
        (name, cost[name], found[name].rivers, found[name].pot, found[name].within)
        for name in order
    ]
    return SuiteReport(
        "What rivers cost",
        f"{spec}: {options.deals:,} deals of each player against itself, seed {options.seed}.",
        [
            Table(
                "What river decisions cost, mbb a hand dealt",
                ("player", "cost", "rivers", "mean pot, bb", "inexact by, mbb a river"),
                rows,
                "Beside the exact solution for the ranges that the player itself comes with: what "
                "it did before the river is not judged.",
                digits=(0, 1, 0, 1, 1),
            ),
            Bars(
                f"River decisions in {spec}", "mbb/hand", [("", [Bar(n, cost[n]) for n in order])]
            ),
        ],
        {
            "game": spec,
            "deals": options.deals,
            "agents": {
                name: {
                    "spec": specs[name],
                    "rivers": found[name].rivers,
                    "pot": found[name].pot,
                    "within": found[name].within,
                    **cost[name].to_json(),
                }
                for name in found
            },
        },
    )
