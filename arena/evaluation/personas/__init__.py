"""Draw who opens with what before the flop, and say how far from a solved range, and which way.

    arena eval personas --agent lm:smollm2 --agent tag --agent rock -o results/personas

Any agent that plays Hold'em is put into every position: all before it have folded, it holds one of
the 169 kinds of hands, and it opens where it raises. The reference is the equilibrium of all-in or
fold for the table's stacks, solved here. D is the share of all hands that is played otherwise, S
the share that is opened more (a maniac) or less (a nit) than by the reference.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arena.evaluation.personas.openings import Floats, Persona, Room
    from arena.evaluation.report import Heat, SuiteReport
    from arena.leagues.ratings.estimates import Estimate

HELP = "draw opening hands by position, beside a solved range"
_REACH = 1.96  # standard errors of a 95 % interval


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--game", default="holdem?seats=6,stack=10",
        help="one hand of Hold'em with stacks of at most 25 big blinds (default "
        "holdem?seats=6,stack=10)",
    )  # fmt: skip
    parser.add_argument(
        "--samples", type=int, default=2,
        help="hands of each kind and position, with different suits (default 2)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> SuiteReport:
    """Ask what is not answered yet, and report."""
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.evaluation.answering import ask, kept_in, named, open_folder
    from arena.evaluation.personas.openings import OpeningSeat, Room, persona

    if options.samples < 1:
        raise InputError(f"--samples {options.samples} must be at least 1")
    room = Room.of(options.game)
    with meter("loading models"):
        seats = {name: OpeningSeat(spec, room) for name, spec in named(options.agent).items()}
    settings = {"suite": "personas", "game": options.game, "samples": options.samples}
    open_folder(options.output, settings | {"seed": options.seed})
    questions = room.questions(options.samples, options.seed)
    with meter("solving the reference"):
        reference = room.reference()
    found: dict[str, dict[str, Persona]] = {}
    failures: dict[str, int] = {}
    with meter("hands", kept_in(options.output)) as progress:
        for number, (name, seat) in enumerate(seats.items()):

            def show(count: int, done: int = number * len(questions), note: str = name) -> None:
                progress.update(done + count, len(seats) * len(questions), note)

            answers = ask(options.output, seat, questions, seed=options.seed, progress=show)
            values = {key: answer.value for key, answer in answers.items()}
            failures[name] = sum(answer.failure is not None for answer in answers.values())
            found[name] = {p: persona(values, p, reference[p]) for p in room.names}
    return _report(options, room, reference, found, failures)


def _report(
    options: argparse.Namespace,
    room: Room,
    reference: Mapping[str, Floats],
    found: Mapping[str, Mapping[str, Persona]],
    failures: Mapping[str, int],
) -> SuiteReport:
    from arena.evaluation.personas.openings import distance, tilt, weights
    from arena.evaluation.report import Cell, Part, SuiteReport, Table

    asked = len(room.names) * 169 * options.samples
    solved = sum(float(weights() @ reference[p]) for p in room.names) / len(room.names)
    rows: list[tuple[Cell, ...]] = []
    for word, opens in (("never opens", 0.0), ("always opens", 1.0)):
        gaps = [distance(opens + 0 * reference[p], reference[p]) for p in room.names]
        ways = [tilt(opens + 0 * reference[p], reference[p]) for p in room.names]
        mean = [100 * sum(values) / len(values) for values in (gaps, ways)]
        rows.append((word, 100 * opens, 0.0, *mean, 0.0, "", None))
    rows.append(("the reference", 100 * solved, 0.0, 0.0, 0.0, 0.0, "", None))
    positions: list[tuple[Cell, ...]] = []
    for name, by_position in found.items():
        each = list(by_position.values())
        gap, way = (
            _mean([(getattr(p, figure), p.error) for p in each]) for figure in ("distance", "tilt")
        )
        rows.append(
            (
                name,
                100 * sum(p.share for p in each) / len(each),
                100 * sum(p.limp_share for p in each) / len(each),
                gap,
                way,
                100 * sum(p.floor for p in each) / len(each),
                _word(way),
                f"{failures[name]} of {asked}",
            )
        )
        for position, p in by_position.items():
            gap, way = _mean([(p.distance, p.error)]), _mean([(p.tilt, p.error)])
            solved_here = 100 * float(weights() @ reference[position])
            positions.append(
                (
                    name, position, 100 * p.share, solved_here, 100 * p.limp_share, gap, way,
                    100 * p.floor,
                )
            )  # fmt: skip
    parts: list[Part] = [
        Table(
            "Personas, mean over positions",
            ("agent", "opens %", "limps %", "D %", "S %", "floor of D %", "persona", "failures"),
            rows,
            "Shares of all 1,326 hands. S below 0 is a nit, above 0 a maniac, named where the 95 % "
            "interval is clear of 0. Where an agent does not tell its policy, D is of a few draws: "
            "the floor is what the reference itself would show. A failure counts as a fold.",
        ),
        Table(
            "By position",
            ("agent", "position", "opens %", "reference %", "limps %", "D %", "S %",
             "floor of D %"),
            positions,
        ),
    ]  # fmt: skip
    for position in room.names:
        parts.append(_chart(f"{position}: the reference", reference[position]))
        for name, by_position in found.items():
            parts.append(_chart(f"{position}: {name}", by_position[position].opens))
    return SuiteReport(
        "Who opens with what",
        f"{options.game}: {', '.join(room.names)}, all before them having folded; "
        f"{options.samples} hands of each kind and position. The reference is all-in or fold, "
        "solved.",
        parts,
        {
            "game": options.game,
            "samples": options.samples,
            "seed": options.seed,
            "reference": {position: opens.tolist() for position, opens in reference.items()},
            "agents": {
                name: {
                    "failures": failures[name],
                    "positions": {position: _plain(p) for position, p in by_position.items()},
                }
                for name, by_position in found.items()
            },
        },
    )


def _plain(p: Persona) -> dict[str, object]:
    from arena.leagues.ratings.estimates import plain

    lists = {"opens": p.opens.tolist(), "limps": p.limps.tolist()}
    return lists | {
        name: plain(getattr(p, name))
        for name in ("share", "limp_share", "distance", "tilt", "error", "floor")
    }


def _mean(values: Sequence[tuple[float, float]]) -> Estimate:
    """The mean of independent figures and their standard errors, in percent."""
    from arena.leagues.ratings.estimates import Estimate

    value = 100 * sum(v for v, _ in values) / len(values)
    error = 100 * sum(e**2 for _, e in values) ** 0.5 / len(values)
    return Estimate(value, error, value - _REACH * error, value + _REACH * error)


def _word(way: Estimate) -> str:
    low, high = round(way.low, 1), round(way.high, 1)  # as the table shows them
    return "nit" if high < 0 else "maniac" if low > 0 else ""


def _chart(title: str, opens: Floats) -> Heat:
    """The usual 13 × 13 chart: aces first, suited above the diagonal."""
    from arena.agents.scripted.preflop import class_name
    from arena.envs.holdem.cards import RANKS
    from arena.evaluation.report import Heat

    ranks = list(reversed(range(13)))
    return Heat(
        title,
        [RANKS[rank] for rank in ranks],
        [RANKS[rank] for rank in ranks],
        [[float(opens[13 * row + column]) for column in ranks] for row in ranks],
        texts=[[class_name(13 * row + column) for column in ranks] for row in ranks],
    )
