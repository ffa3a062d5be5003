"""Run the fault campaign: a line for each trial, then a table, or JSON."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.table import Table

from arena.cli.console import stdout
from arena.faults.campaign import FaultCampaign, Trial
from arena.faults.kinds import KINDS


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 where every store came out as the undisturbed one, else 1."""
    parser = argparse.ArgumentParser(prog="python -m arena.faults", description=__doc__)
    parser.add_argument("kind", nargs="*", help=f"of {', '.join(KINDS)} (default: all)")
    parser.add_argument("--tries", type=int, default=3, metavar="N", help="of each kind")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn")
    parser.add_argument("--json", action="store_true", help="end in JSON")
    options = parser.parse_args(argv)
    if unknown := set(options.kind) - set(KINDS):
        parser.error(f"no fault is called {min(unknown)}; known: {', '.join(KINDS)}")
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory(prefix="arena-faults-") as folder:
        campaign = FaultCampaign(Path(folder), options.seed)
        for trial in campaign.trials(options.tries, options.kind or list(KINDS)):
            trials.append(trial)
            print(_line(trial), file=sys.stderr, flush=True)
    if options.json:
        print(orjson.dumps([it.to_json() for it in trials], option=orjson.OPT_INDENT_2).decode())
    else:
        stdout().print(_table(trials))
    return 0 if all(trial.good for trial in trials) else 1


def _line(trial: Trial) -> str:
    how = "good" if trial.good else f"BAD {trial.verdict} {trial.trouble}"
    return f"{trial.kind} {trial.number}: {trial.faults} faults, {trial.seconds:.0f} s, {how}"


def _table(trials: Sequence[Trial]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    headings = "fault", "trials", "faults", "matches", "lost", "wrong", "false forfeits", "troubles"
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "fault" else "right")
    for kind in dict.fromkeys(trial.kind for trial in trials):
        of = [trial for trial in trials if trial.kind == kind]
        verdicts = [trial.verdict for trial in of]
        table.add_row(
            kind,
            *(
                f"{count:,}"
                for count in (
                    len(of),
                    sum(trial.faults for trial in of),
                    sum(verdict.matches for verdict in verdicts),
                    sum(verdict.lost for verdict in verdicts),
                    sum(verdict.wrong for verdict in verdicts),
                    sum(verdict.forfeited for verdict in verdicts),
                    sum(bool(trial.trouble) for trial in of),
                )
            ),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
