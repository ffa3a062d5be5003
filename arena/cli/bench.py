"""``arena bench``: our speed beside the peers', measured in the same run."""

from __future__ import annotations

import argparse
from typing import Any

GPU = "gpu"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "name", nargs="*", metavar="NAME", help="which benchmarks (default: all but gpu)"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="of gpu: the same at tiny sizes on the CPU"
    )
    parser.add_argument("--json", action="store_true", help="print records as JSON")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the JSON to FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run benchmarks and print a row for each record."""
    import json
    from dataclasses import asdict
    from importlib import import_module
    from pathlib import Path

    from arena import bench
    from arena.bench.record import Record
    from arena.cli.console import meter, show, table
    from arena.envs.errors import InputError
    from arena.envs.files import write

    asked = [name.replace("-", "_") for name in options.name]
    names = asked or [name for name in bench.names() if name != GPU]
    if options.smoke and GPU not in names:
        raise InputError("--smoke is an option of arena bench gpu")
    for name in names:
        if name not in bench.names():
            raise InputError(
                f"no benchmark is called {name!r}; there are {', '.join(bench.names())}"
            )
    if options.output and not Path(options.output).absolute().parent.is_dir():
        raise InputError(f"{options.output} cannot be written: there is no such folder")
    records: list[Record] = []
    modules: list[Any] = [import_module(f"arena.bench.{name}") for name in names]
    parts = [m.Bench(options.smoke) if n == GPU else m for n, m in zip(names, modules, strict=True)]
    with meter("benchmarks") as progress:
        for index, (name, part) in enumerate(zip(names, parts, strict=True)):
            progress.update(index, len(names), name)
            records += part.records()
        progress.update(len(names), len(names))
    failed = any(getattr(part, "failed", ()) for part in parts)
    data = json.dumps([asdict(r) for r in records], indent=2)
    if options.output:
        write(Path(options.output), data.encode() + b"\n")
    if options.json:
        print(data)
        return int(failed)
    rows = table("record", "unit", "ours>", "peer>", "ratio>", "peer's name")
    for r in records:
        rows.add_row(
            r.name, r.unit, _number(r.ours), _number(r.peer), _number(r.ratio), r.peer_name or ""
        )
    show(rows)
    print(f"machine: {records[0].machine}")
    for part in parts:
        if hasattr(part, "tables"):
            for shown in part.tables():
                print()
                show(shown)
    return int(failed)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
