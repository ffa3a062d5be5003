"""``arena compare``: which of two players is better, by how much, and what else would tell."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from arena.cli import whole

if TYPE_CHECKING:
    from arena.leagues.ratings.estimates import Estimate


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("agents", nargs=2, metavar="AGENT", help="an agent spec")
    parser.add_argument(
        "--game", default="holdem", metavar="GAME", help="a game spec (default holdem)"
    )
    parser.add_argument(
        "--deals", type=whole(2), default=2000, metavar="N",
        help="how many, each in both seats (default 2000)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=whole(0, 2**63 - 1), default=0, metavar="N", help="the deals' seed"
    )
    parser.add_argument(
        "--workers", type=whole(0), metavar="N", help="processes (0: only this; default: a core)"
    )
    parser.add_argument("--store", default="arena.db", help="SQLite file or database URL")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Play the two against each other on the same deals, and say what that shows."""
    import sys
    from contextlib import redirect_stdout

    from arena import python
    from arena.agents.registry import make_agent
    from arena.cli.console import meter
    from arena.cli.families import print_json
    from arena.cli.ranking import digits_of, plus_minus
    from arena.envs.errors import InputError
    from arena.envs.registry import make_game

    game = make_game(options.game, own=True)
    if game.seats > 2:
        raise InputError(
            f"--game {options.game} has {game.seats} seats; two players are compared where there "
            "are one or two (for a table of many: arena tournament run)"
        )
    first, second = options.agents
    if first == second:
        raise InputError(f"{first} is compared with itself; name two agents")
    with redirect_stdout(sys.stderr), meter("making the agents"):
        for spec in options.agents:  # what is wrong with one is said of that one
            make_agent(spec, game)
    with redirect_stdout(sys.stderr):
        played = python.league(
            options.game, options.agents, deals=options.deals, seed=options.seed,
            store=options.store, name=f"{first} against {second}",
        )  # fmt: skip
        with meter(
            "matches", f"finished ones are kept in {options.store}, and the same command goes on"
        ) as progress:
            played.run(workers=options.workers, progress=progress.update)
    ranking = played.ranking
    ahead = 0 if ranking.payoff.value[0, 1] >= 0 else 1
    margin = ranking.payoff[ahead, 1 - ahead]
    better, worse = (
        played.league.names[ranking.standings[row].agent] for row in (ahead, 1 - ahead)
    )
    if options.json:
        print_json({
            "game": played.league.game, "better": better, "worse": worse, "unit": ranking.unit,
            "deals": ranking.deals, "margin": margin.to_json(),
            "win_rate": ranking.win_rate[ahead, 1 - ahead].to_json(), "told": margin.low > 0,
        })  # fmt: skip
        return 0
    shown = f"{plus_minus(margin, digits_of([margin]))} {ranking.unit}"
    print(f"{played.league.game}, {ranking.deals:,} deals, each in all seatings")
    print(_verdict(better, worse, shown, margin, ranking.deals))
    print(f"\nreplays: arena tournament matches --store {played.store.where}")
    return 0


def _verdict(better: str, worse: str, shown: str, margin: Estimate, deals: int) -> str:
    if margin.low > 0:
        return f"{better} beats {worse}: {shown} (95 %)"
    told = f"{better} and {worse} cannot be told apart: {shown} (95 %)"
    if not margin.value or not math.isfinite(margin.low):
        return told
    needed = deals * ((margin.value - margin.low) / margin.value) ** 2
    return f"{told}; if that is the difference, some {_round(needed):,} deals would tell"


def _round(number: float) -> int:
    """To one digit, upwards."""
    unit = 10 ** math.floor(math.log10(number))
    return int(math.ceil(number / unit) * unit)
