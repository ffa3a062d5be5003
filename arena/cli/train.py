"""``arena train``: learn or solve a player, and say how good it is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from arena.cli import Parser, whole

if TYPE_CHECKING:
    from arena.agents.learning.report import Report, Score


class _TrainerParser(Parser):
    """Learns its options from the trainer when it is used: others are not imported."""

    trainer: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Add the trainer's options, then parse."""
        from arena.agents.learning.settings import add_options
        from arena.agents.learning.trainers import trainer
        from arena.envs.errors import InputError

        if self.trainer is None:
            return super().parse_known_args(args, namespace)
        try:
            found = trainer(self.trainer)
        except InputError as error:
            self.error(str(error))
        self.description = found.__doc__
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        add_options(self, found.Settings)
        self.add_argument(
            "--seeds", type=whole(1), default=1, metavar="N",
            help="train N runs, from --seed on, and report the interquartile mean",
        )  # fmt: skip
        return super().parse_known_args(args, namespace)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare a verb for each trainer."""
    from arena.agents.learning.trainers import summary, trainer_names

    verbs = parser.add_subparsers(metavar="TRAINER", required=True, parser_class=_TrainerParser)
    for name in trainer_names():
        verb = verbs.add_parser(name, help=summary(name))
        verb.trainer = name
        verb.set_defaults(run=run, trainer=name)


def run(options: argparse.Namespace) -> int:
    """Train, and print what came of it."""
    from arena.agents.learning.settings import from_options
    from arena.agents.learning.trainers import train_seeds, trainer
    from arena.cli.console import meter

    found = trainer(options.trainer)
    settings = from_options(options, found.Settings)
    with meter(options.trainer) as progress:
        if options.seeds > 1:
            reports = train_seeds(options.trainer, settings, options.seeds, progress.update)
        else:
            reports = [found.train(settings, progress.update)]
    for report in reports:
        _print(report)
    if len(reports) > 1:
        _print_seeds(reports)
    return 0


def _print(report: Report) -> None:
    print(f"{report.done} in {report.seconds:.0f} s" if report.player else report.done)
    for score in report.scores:
        print(f"  {_words(score)}")
    for note in report.notes:
        print(note)
    if report.player:
        print(f"player: {report.player}")


def _words(score: Score) -> str:
    interval = "" if score.error != score.error else f" ± {1.96 * score.error:,.3g}"
    return f"{score.name}: {score.mean:+,.4g}{interval} {score.unit}, {score.count:,} {score.of}"


def _print_seeds(reports: Sequence[Report]) -> None:
    from arena.agents.learning.report import over_seeds

    print(f"{len(reports)} runs, interquartile mean and 95 % interval over them")
    for name, unit, middle, low, high in over_seeds(reports):
        print(f"  {name}: {middle:+,.4g} [{low:+,.4g}, {high:+,.4g}] {unit}")
