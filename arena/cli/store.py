"""``arena store``: what keeps the log of matches well."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    check = verbs.add_parser("check", help="read all of it; exit code 1 where something is damaged")
    check.set_defaults(run=run_check)
    repair = verbs.add_parser(
        "repair", help="save what can be read into a new file; the old one is kept beside it"
    )
    repair.set_defaults(run=run_repair)
    compact = verbs.add_parser("compact", help="make it smaller")
    compact.add_argument(
        "--drop-replays",
        choices=["none", "reproducible", "all"],
        default="none",
        help="reproducible: those that, played again now, come out alike (arena replay again "
        "brings them back); default: none",
    )
    compact.set_defaults(run=run_compact)
    for verb in (check, repair, compact):
        verb.add_argument(
            "store", nargs="?", default="arena.db", help="SQLite file or database URL"
        )
    merge = verbs.add_parser("merge", help="put the leagues of several stores into one")
    merge.add_argument("store", nargs="+", metavar="STORE", help="what to read")
    merge.add_argument("-o", "--output", required=True, metavar="STORE", help="what to add to")
    merge.set_defaults(run=run_merge)


def run_check(options: argparse.Namespace) -> int:
    """Print what is wrong, a line each."""
    import logging

    from arena.cli.console import meter
    from arena.leagues import upkeep
    from arena.leagues.store import Store

    logging.disable()  # all of it is printed below
    try:
        store = Store(options.store)
        with meter("reading") as progress:
            faults = upkeep.check(store, progress.update)
    finally:
        logging.disable(logging.NOTSET)
    for fault in faults:
        print(fault)
    if faults:
        print(f"{store.where} is damaged; save the rest: arena store repair {_quoted(store.where)}")
        return 1
    leagues = store.leagues()
    print(f"{store.where} is sound: {len(leagues)} leagues, {len(store.match_ids())} matches")
    return 0


def run_repair(options: argparse.Namespace) -> int:
    """Repair, and say what was saved and what was not."""
    from arena.leagues import upkeep

    saved = upkeep.repair(options.store)
    rebuilt = f" ({saved.rebuilt} of them rebuilt from their replays)" if saved.rebuilt else ""
    print(f"saved {saved.leagues} leagues, {saved.matches} matches{rebuilt}, ", end="")
    print(f"{saved.replays} replays; the damaged file is kept as {saved.kept}")
    if saved.lost:
        print(f"lost {len(saved.lost)} matches: {', '.join(saved.lost[:8])}", end="")
        print(", …" if len(saved.lost) > 8 else "")
        print("run their leagues again to play what is missing")
    return 0


def run_compact(options: argparse.Namespace) -> int:
    """Compact, and say what it brought."""
    from arena.cli.console import meter
    from arena.leagues import upkeep
    from arena.leagues.store import Store

    Store(options.store).close()  # else it would be made
    store = Store(options.store, create=True)
    before = store.size()
    with meter("compacting") as progress:
        dropped = upkeep.compact(store, options.drop_replays, progress.update)
    after = store.size()
    print(f"{before:,} bytes are now {after:,}; {dropped} replays were dropped")
    return 0


def run_merge(options: argparse.Namespace) -> int:
    """Merge, and say what is there now."""
    from arena.cli.console import meter
    from arena.leagues import upkeep
    from arena.leagues.store import Store

    sources = [Store(where) for where in options.store]
    target = Store(options.output, create=True)
    for source in sources:
        with meter(source.where) as progress:
            upkeep.merge(source, target, progress.update)
    print(f"{target.where} holds {len(target.match_ids())} matches of these leagues:")
    for entry in target.leagues():
        print(f"  {entry}")
    return 0


def _quoted(where: str) -> str:
    import shlex

    return shlex.quote(where)
