"""``arena eval``: what language models know and how they play, beside what they must beat."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.evaluation.report import SuiteReport


def add(parser: argparse.ArgumentParser) -> None:
    """Declare a verb for each suite that is installed."""
    from arena.envs.registry import load
    from arena.evaluation import GROUP, suite_names

    verbs = parser.add_subparsers(metavar="SUITE", required=True)
    for name in suite_names():
        suite = load(GROUP, name, "suite")
        verb = verbs.add_parser(
            name,
            help=suite.HELP,
            description=suite.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        verb.add_argument(
            "--agent",
            action="append",
            default=[],
            metavar="[NAME=]SPEC",
            help="who is evaluated, e.g. lm:smollm2; several times for several",
        )
        verb.add_argument("--seed", type=int, default=0, help="of all that is drawn (default 0)")
        verb.add_argument(
            "-o", "--output", type=Path, metavar="FOLDER", required=True,
            help="where answers and results are kept; the same command goes on with it",
        )  # fmt: skip
        verb.add_argument("--json", action="store_true", help="print JSON")
        suite.add(verb)
        verb.set_defaults(run=run, suite=suite)


def run(options: argparse.Namespace) -> int:
    """Evaluate, then print the tables and write ``result.json`` and ``index.html``."""
    import sys
    from contextlib import redirect_stdout

    import orjson

    from arena.envs.files import write
    from arena.evaluation.page import page

    with redirect_stdout(sys.stderr):  # what a model's library prints is no result
        report: SuiteReport = options.suite.run(options)
    data = orjson.dumps(report.data, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    write(options.output / "result.json", data)
    write(options.output / "index.html", page(report))
    if options.json:
        print(data.decode())
        return 0
    _print(report)
    print(f"\nresults: {options.output / 'result.json'}; to read: {options.output / 'index.html'}")
    return 0


def _print(report: SuiteReport) -> None:
    from arena.cli.console import say, show, table
    from arena.evaluation.report import Table

    say(report.title, "bold")
    say(report.lead)
    for part in report.parts:
        if not isinstance(part, Table) or not part.printed:
            continue
        words = [
            all(isinstance(row[i], str) for row in part.rows) for i in range(len(part.columns))
        ]
        rows = table(
            *(name if left else f"{name}>" for name, left in zip(part.columns, words, strict=True))
        )
        for row in part.rows:
            rows.add_row(*part.words(row))
        print()
        say(part.title, "bold")
        show(rows)
        if part.note:
            say(part.note, "dim")
