"""``arena replay``: what was played.

A replay is named by a file (``.jsonl.zst``; hand histories ``.phh``, ``.phhs``, ``.acpc`` and
``.log``, packed or not), by the id of a match in the store, or, for ``verify``, by a whole store
(``.db``).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from arena.envs.outside import ending

if TYPE_CHECKING:
    from arena.leagues.match import Result
    from arena.leagues.replay import Replay

_HANDS = (".phh", ".phhs", ".acpc", ".log")  # see arena.cli.hands


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    show = verbs.add_parser("show", help="tell a match's deals in words")
    show.add_argument("--deal", type=int, metavar="N", help="only this deal")
    show.add_argument("--seating", type=int, metavar="N", help="only this seating")
    show.add_argument(
        "--prompts", action="store_true", help="tell everything, and what each seat saw"
    )
    show.set_defaults(run=run_show)
    verify = verbs.add_parser("verify", help="play it again and compare; exit code 1 on a mismatch")
    verify.set_defaults(run=run_verify)
    export = verbs.add_parser("export", help="write it to a file")
    export.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help=".jsonl.zst, .jsonl, .html; MiniHack also .ttyrec3.bz2, Hold'em .phh, .phhs, .acpc",
    )
    export.set_defaults(run=run_export)
    again = verbs.add_parser("again", help="play a match whose replay was dropped, and keep it")
    again.set_defaults(run=run_again)
    for verb in (show, verify, export, again):
        verb.add_argument("path", metavar="PATH", help="a replay file, or a match id in the store")
        verb.add_argument(
            "--strict", action="store_true", help="refuse a file of hands where one is unreadable"
        )
        verb.add_argument("--store", default="arena.db", help="SQLite file or database URL")


def _read(options: argparse.Namespace) -> Replay:
    import shlex

    from arena.envs.errors import InputError
    from arena.leagues import replay
    from arena.leagues.store import Store

    path = Path(options.path)
    if ending(path) == ".jsonl":
        return replay.read_file(path)
    if path.suffix or path.exists():
        raise InputError(
            f"{path} is not a replay: name a .jsonl.zst file, or a match id in the store"
        )
    store = Store(options.store)
    result = store.match(options.path)
    if not result.replay:
        raise InputError(
            f"the replay of match {result.match.id} was dropped to save space; make it again: "
            f"arena replay again {result.match.id} --store {shlex.quote(store.where)}"
        )
    record = replay.read(result.replay, f"match {result.match.id}")
    return record.named(store.names(result.match.id))


def run_show(options: argparse.Namespace) -> int:
    """Print the chosen deals in words."""
    if ending(Path(options.path)) in _HANDS:
        from arena.cli import hands

        return hands.show(Path(options.path), options.deal, strict=options.strict)
    from arena.cli.console import tell
    from arena.cli.narration import narrate
    from arena.envs.registry import make_game

    record = _read(options)
    game = make_game(record.header["game"])
    deal, seating = options.deal, options.seating
    if deal is not None or seating is not None:
        record.episode(deal or 0, seating or 0)  # says what there is, where there is no such
    for episode in record.episodes:
        if deal in (None, episode.deal) and seating in (None, episode.seating):
            tell(narrate(game, record, episode, prompts=options.prompts))
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Play again; print what differs, then the counts. Exit code 1 on a mismatch."""
    if ending(Path(options.path)) in _HANDS:
        from arena.cli import hands

        return hands.verify(Path(options.path), strict=options.strict)
    from arena.cli.console import meter
    from arena.leagues import replay

    matches = episodes = damaged = 0
    faults: list[str] = []
    with meter("verifying") as progress:
        for number, (total, record, logged) in enumerate(_records(options)):
            progress.update(number, total)
            if record is None:
                damaged += 1
                continue
            found = replay.verify(record)
            if logged is not None:
                found = found or replay.differences(record, logged)
            faults += [f"match {record.header['id']}, {fault}" for fault in found]
            matches += 1
            episodes += len(record.episodes)
    for fault in faults:
        print(fault)
    print(
        f"{matches} matches, {episodes} episodes played again: "
        f"{episodes - len(faults)} came out alike"
        + (f"; {damaged} matches are damaged" if damaged else "")
    )
    return 1 if faults or damaged else 0


def run_again(options: argparse.Namespace) -> int:
    """Play a match of the store again, and keep its replay where it comes out as it did."""
    import datetime as dt

    from arena.leagues.remake import remake
    from arena.leagues.store import Logged, Store

    Store(options.store).close()  # else it would be made
    store = Store(options.store, create=True)
    result = remake(store.match(options.path))
    store.take([Logged(result, dt.datetime.now(dt.UTC))])
    print(f"match {result.match.id} came out as it did; store {store.where} has its replay again")
    return 0


def _records(
    options: argparse.Namespace,
) -> Iterator[tuple[int, Replay | None, Result | None]]:
    """How many there are in all, each replay (None for a damaged one), what the log says of it."""
    from arena.envs.errors import InputError
    from arena.leagues import replay
    from arena.leagues.store import Store

    if not options.path.endswith(".db"):
        yield 1, _read(options), None
        return
    store = Store(options.path)
    total = len(store.match_ids())
    for logged in store.logged():
        result = logged.result
        if result.replay:
            try:
                yield total, replay.read(result.replay, f"match {result.match.id}"), result
            except InputError as error:
                print(error)
                yield total, None, result
    yield from [(total, None, None)] * len(store.told)


def run_export(options: argparse.Namespace) -> int:
    """Write a replay in the format that the file's ending names."""
    if ending(Path(options.path)) in _HANDS:
        from arena.cli import hands

        return hands.export(Path(options.path), Path(options.output), strict=options.strict)
    if options.output.endswith(".html"):
        from arena.viewer import export

        export.single(_read(options), Path(options.output))
    else:
        from arena.leagues import replay

        replay.export(_read(options), Path(options.output))
    print(f"wrote {options.output}")
    return 0
