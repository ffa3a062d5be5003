"""PokerBench: decisions that a solver has made, before and after the flop.

    arena eval pokerbench --agent lm:smollm2 --data DATA --limit 200 -o runs/pokerbench

DATA is a folder with the two files of game scenarios of the data set RZ412/PokerBench (its test
set: preflop_1k and postflop_10k …_game_scenario_information.csv, or the same as .csv.gz). Answers
are read by one strict grammar. Beside every score stand what chance gives, what the majority answer
among rows with the same legal moves gives, which sees no card, and the answer that names all moves.

Every agent is asked with each --prompt and each number of --shots. A model that was trained on a
split of these rows is evaluated on the other side of it: --side test, with the split's --share,
--split-seed and --by.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.evaluation.pokerbench.rows import Row
    from arena.evaluation.report import SuiteReport

HELP = "poker decisions against a solver's: PokerBench, before and after the flop"

_SOURCES = ("preflop", "postflop")  # as in arena.evaluation.pokerbench.rows, which is heavier


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="the scenario files (default: $ARENA_DATA/holdem)",
    )
    parser.add_argument("--source", choices=("both", *_SOURCES), default="both")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="rows of each source, drawn by --seed"
    )
    parser.add_argument(
        "--prompt", nargs="+", default=["full"], metavar="NAME",
        help="templates: full, compact, facts or a file of yours that ends in .txt (default full)",
    )  # fmt: skip
    parser.add_argument(
        "--shots", nargs="+", type=int, default=[0], metavar="K",
        help="examples shown, drawn by --seed from rows that are not evaluated (default 0)",
    )  # fmt: skip
    parser.add_argument("--side", choices=("all", "train", "test"), default="all")
    parser.add_argument("--share", type=float, default=0.8, help="of the train side (default .8)")
    parser.add_argument("--split-seed", type=int, default=0, metavar="S")
    parser.add_argument("--by", choices=("row", "group"), default="row", help="what is split")


def run(options: argparse.Namespace) -> SuiteReport:
    """Ask every row, and score."""
    from arena.agents.llm.respondent import respondent
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.evaluation.answering import ask, kept_in, named, open_folder
    from arena.evaluation.pokerbench import rows as pokerbench
    from arena.evaluation.pokerbench.report import Sheet, report

    specs = named(options.agent)
    if not specs:
        raise InputError("--agent is needed: who is asked, e.g. --agent lm:smollm2")
    rows = pokerbench.load_all(_folder(options))
    asked, pool = _choose(options, rows)
    templates = {name: pokerbench.prompt(name) for name in options.prompt}
    shown = {
        (source, shots): pokerbench.draw_examples(pool, source, shots, options.seed)
        for source in pokerbench.SOURCES
        if any(row.source == source for row in asked)
        for shots in options.shots
    }
    # All of them now, so that a mistake in the last one is told before the first has answered.
    with meter("loading models"):
        respondents = {name: respondent(spec) for name, spec in specs.items()}
    settings = _settings(options, rows)
    open_folder(options.output, settings)
    conditions = [
        (name, prompt, shots)
        for name in specs
        for prompt in templates
        for shots in dict.fromkeys(options.shots)
    ]
    sheets: list[Sheet] = []
    with meter("questions", kept_in(options.output)) as progress:

        def counter(label: str) -> Callable[[int], None]:
            before, total = len(sheets) * len(asked), len(conditions) * len(asked)
            return lambda done: progress.update(before + done, total, label)

        for name, prompt, shots in conditions:
            label = _label(options, name, prompt, shots)
            questions = {
                row.key: pokerbench.ask(row, templates[prompt], shown[row.source, shots])
                for row in asked
            }
            who = respondents[name]
            answers = ask(
                options.output, who, questions, seed=options.seed, progress=counter(label)
            )
            sheets.append(Sheet(label, who.spec, templates[prompt], shots, answers))
    return report(settings, rows, asked, sheets)


def _folder(options: argparse.Namespace) -> Path:
    from arena.envs.errors import InputError

    if options.data is not None:
        return Path(options.data)
    if "ARENA_DATA" not in os.environ:
        raise InputError(
            "--data is needed: a folder with PokerBench's two files of game scenarios (from "
            "RZ412/PokerBench on the Hugging Face hub)"
        )
    return Path(os.environ["ARENA_DATA"]) / "holdem"


def _choose(options: argparse.Namespace, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """The rows that are evaluated, and those that may be shown as examples."""
    from arena.envs import seeding
    from arena.envs.errors import InputError
    from arena.evaluation.pokerbench.rows import split

    if options.limit is not None and options.limit < 1:
        raise InputError(f"--limit {options.limit} must be at least 1")
    if min(options.shots) < 0:
        raise InputError(f"--shots {min(options.shots)} must not be negative")
    if not 0 < options.share < 1:
        raise InputError(f"--share {options.share} must lie between 0 and 1")
    pool = list(rows)
    if options.side != "all":
        train, test = split(rows, options.share, options.split_seed, options.by)
        pool, rows = train, train if options.side == "train" else test
    asked = []
    for source in _SOURCES:
        own = [row for row in rows if row.source == source and options.source in ("both", source)]
        drawn = sorted(own, key=lambda row: seeding.derive(options.seed, "sample", row.key))
        asked += drawn[: options.limit]
    if not asked:
        raise InputError(f"no row is on the {options.side} side; choose another --share or --side")
    chosen = {row.key for row in asked}
    return asked, [row for row in pool if row.key not in chosen]


def _settings(options: argparse.Namespace, rows: Sequence[Row]) -> dict[str, Any]:
    """All that decides which rows are asked; agents and prompts may be added to a folder."""
    import hashlib

    settings: dict[str, Any] = {
        "suite": "pokerbench",
        "data": hashlib.sha256(repr(rows).encode()).hexdigest()[:16],
        "source": options.source,
        "limit": options.limit,
        "seed": options.seed,
        "side": options.side,
    }
    if options.side != "all":
        settings |= {"share": options.share, "split_seed": options.split_seed, "by": options.by}
    return settings


def _label(options: argparse.Namespace, name: str, prompt: str, shots: int) -> str:
    parts = [name]
    if len(options.prompt) > 1:
        parts.append(prompt)
    if len(options.shots) > 1:
        parts.append("zero-shot" if shots == 0 else f"{shots}-shot")
    return ", ".join(parts)
