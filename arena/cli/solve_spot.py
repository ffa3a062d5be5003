"""``arena solve spot``: a turn or a river of heads-up Hold'em, both ranges at once.

The first range acts first. Shown is one decision, the first of the spot or the one --after a line
of actions: what each action earns, how often it is taken, and a chart of the range.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.solvers.spot import Floats, SpotSolver

_BATCH = 25  # iterations between two looks at how near it is


def add(group: argparse._ArgumentGroup) -> None:
    """Declare the options."""
    group.add_argument("--board", metavar="CARDS", help="four or five cards, e.g. AhKd7c5s2h")
    group.add_argument(
        "--ranges", nargs=2, metavar="RANGE", default=("any", "any"),
        help="of who acts first and of the other one: AA,AKs,88+,A5s-A2s,76s:0.5 (default any any)",
    )  # fmt: skip
    group.add_argument("--pot", type=float, metavar="CHIPS", help="in the pot")
    group.add_argument("--stack", type=float, metavar="CHIPS", help="that each has behind")
    group.add_argument(
        "--bets", type=float, nargs="+", metavar="SHARE", default=(0.5, 1.0),
        help="sizes of bets and raises as shares of the pot; all-in is always one (default .5 1)",
    )  # fmt: skip
    group.add_argument(
        "--within", type=float, metavar="PERCENT", default=0.1,
        help="of the pot that a best response may earn more (default .1)",
    )  # fmt: skip
    group.add_argument(
        "--after", default="", metavar="LINE", help='show what follows, e.g. "check,bet 5"'
    )


def run(options: argparse.Namespace) -> int:
    """Solve the spot and show a decision."""
    import numpy as np
    import orjson

    from arena.agents.solvers import ranges
    from arena.agents.solvers.spot import Spot, SpotSolver
    from arena.envs.errors import InputError
    from arena.envs.holdem import cards

    for name in ("board", "pot", "stack"):
        if getattr(options, name) is None:
            raise InputError(f"--{name} is needed to solve a spot")
    if not 0 < options.within <= 100:
        raise InputError(f"--within {options.within:g} is a percentage above 0")
    try:
        board = tuple(cards.parse(options.board))
    except (KeyError, ValueError):
        raise InputError(f"--board {options.board} is not cards; write AhKd7c5s2h") from None
    both = np.stack([ranges.parse(text) for text in options.ranges])
    solver = SpotSolver(Spot(board, both, options.pot, options.stack, tuple(options.bets)))
    node = _find(solver, options.after)
    seconds = _solve(solver, options)
    data = _data(solver, node) | {
        "board": options.board,
        "iterations": solver.done,
        "seconds": seconds,
        "percent_of_pot": 100 * solver.exploitability() / options.pot,
    }
    if options.json:
        print(orjson.dumps(data, option=orjson.OPT_SERIALIZE_NUMPY).decode())
        return 0
    _print(solver, node, data)
    return 0


def _find(solver: SpotSolver, line: str) -> int:
    """The node after a line of actions."""
    from arena.agents.solvers.spot import DECISION
    from arena.envs.errors import InputError
    from arena.envs.game import exactly_one

    node = 0
    for word in filter(None, (word.strip() for word in line.split(","))):
        node = int(solver.bets.first[node]) + exactly_one(solver.bets.actions[node], word)
    if solver.bets.states[node].kind != DECISION:
        raise InputError(f"--after {line}: nobody has to decide there")
    return node


def _solve(solver: SpotSolver, options: argparse.Namespace) -> float:
    import time

    from arena.cli.console import meter

    begun = time.perf_counter()
    goal = options.within / 100 * options.pot
    with meter("iterations") as progress:
        while True:
            solver.run(_BATCH)
            found = solver.exploitability()
            progress.update(min(solver.done, options.iterations), options.iterations,
                            f"{100 * found / options.pot:.3f} % of the pot")  # fmt: skip
            if found <= goal or solver.done >= options.iterations:
                return time.perf_counter() - begun


def _data(solver: SpotSolver, node: int) -> dict[str, Any]:
    import numpy as np

    state = solver.bets.states[node]
    strategy, values = solver.strategy(node), solver.action_values(node)
    reach = solver.reaches(node)[state.seat]
    weights = reach / max(reach.sum(), 1e-300)
    values = values + solver.spot.pot / 2 + state.paid[state.seat]  # from here on: a fold earns 0
    return {
        "seat": state.seat,
        "value": solver.values() + solver.spot.pot / 2,
        "actions": [
            {
                "action": name,
                "frequency": float(strategy[k] @ weights),
                "value": float(np.nansum(values[k] * weights * strategy[k])
                               / max(strategy[k] @ weights, 1e-300)),
            }
            for k, name in enumerate(solver.bets.actions[node])
        ],
    }  # fmt: skip


def _print(solver: SpotSolver, node: int, data: dict[str, Any]) -> None:
    from arena.cli.console import say, show, table

    say(
        f"{data['board']}: {data['iterations']} iterations in {data['seconds']:.2f} s; a best "
        f"response earns {data['percent_of_pot']:.3f} % of the pot"
    )
    value = data["value"]
    say(f"the first seat earns {value[0]:.3f} of the pot and stacks, "
        f"the second {value[1]:.3f}")  # fmt: skip
    rows = table(f"seat {data['seat']}", "how often>", "earns from here>")
    for entry in data["actions"]:
        rows.add_row(entry["action"], f"{100 * entry['frequency']:.1f} %", f"{entry['value']:+.3f}")
    print()
    show(rows)
    print()
    _chart(solver, node)


def _chart(solver: SpotSolver, node: int) -> None:
    """How often each hand puts chips in of its own accord; blank where it never comes here."""
    import numpy as np

    from arena.agents.solvers import ranges
    from arena.cli.console import say
    from arena.envs.holdem.cards import RANKS

    seat = solver.bets.states[node].seat
    active = [not name.startswith(("fold", "check", "call")) for name in solver.bets.actions[node]]
    bets: Floats = np.zeros(len(ranges.HANDS))
    bets[solver.numbers] = solver.strategy(node)[active].sum(axis=0)
    reach: Floats = np.zeros(len(ranges.HANDS))
    reach[solver.numbers] = solver.reaches(node)[seat]
    grid = ranges.grid(reach, 100 * bets)
    say("how often it bets or raises, %; suited hands above the diagonal", "bold")
    print("   " + " ".join(f"{rank:>3}" for rank in reversed(RANKS)))
    for rank, row in zip(reversed(RANKS), grid, strict=True):
        print(f"{rank:>2} " + " ".join("  ." if np.isnan(v) else f"{v:3.0f}" for v in row))
