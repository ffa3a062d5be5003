"""``arena bench``: our speed beside the peers', measured in the same run."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", nargs="*", metavar="NAME", help="which benchmarks (default: all)")
    parser.add_argument("--json", action="store_true", help="print records as JSON")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the JSON to FILE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run benchmarks and print a row for each record."""
    from dataclasses import asdict
    from importlib import import_module
    from pathlib import Path

    import orjson

    from arena import bench
    from arena.bench.record import Record
    from arena.cli.console import meter, show, table
    from arena.envs.errors import InputError
    from arena.envs.files import write

    names = options.name or bench.names()
    for name in names:
        if name not in bench.names():
            raise InputError(
                f"no benchmark is called {name!r}; there are {', '.join(bench.names())}"
            )
    if options.output and not Path(options.output).absolute().parent.is_dir():
        raise InputError(f"{options.output} cannot be written: there is no such folder")
    records: list[Record] = []
    modules = [import_module(f"arena.bench.{name}") for name in names]
    with meter("benchmarks") as progress:
        for index, (name, module) in enumerate(zip(names, modules, strict=True)):
            progress.update(index, len(names), name)
            records += module.records()
        progress.update(len(names), len(names))
    data = orjson.dumps([asdict(r) for r in records], option=orjson.OPT_INDENT_2).decode()
    if options.output:
        write(Path(options.output), data.encode() + b"\n")
    if options.json:
        print(data)
        return 0
    rows = table("record", "unit", "ours>", "peer>", "ratio>", "peer's name")
    for r in records:
        rows.add_row(
            r.name, r.unit, _number(r.ours), _number(r.peer), _number(r.ratio), r.peer_name or ""
        )
    show(rows)
    print(f"machine: {records[0].machine}")
    for module in modules:
        if hasattr(module, "tables"):
            for shown in module.tables():
                print()
                show(shown)
    return 0


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
