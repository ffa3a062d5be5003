"""``arena tournament``: leagues."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from arena.cli import plan, span, tables, whole
from arena.cli.tables import FORMATS

if TYPE_CHECKING:
    from arena.leagues.league import League
    from arena.leagues.match import Result
    from arena.leagues.store import Store


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    start = verbs.add_parser("run", help="play what a league lacks, then show its tables")
    start.add_argument("config", metavar="CONFIG", help="a .yaml file, or a preset such as demo")
    start.add_argument(
        "--workers",
        type=whole(0),
        metavar="N",
        help="processes (0: none but this; default: a core)",
    )
    start.add_argument(
        "--deals", type=whole(1), metavar="N", help="of a pairing, instead of the configuration's"
    )
    start.add_argument(
        "--time", type=span, metavar="SPAN", help="stop after so long (90s, 30m, 2h); it resumes"
    )
    start.add_argument(
        "--dry-run", action="store_true", help="only say how many matches, and about how long"
    )
    start.set_defaults(run=run)

    check = verbs.add_parser("validate", help="say whether a configuration is well; play nothing")
    check.add_argument("config", metavar="CONFIG", help="a .yaml file, or a preset such as demo")
    check.set_defaults(run=plan.validate)

    table = verbs.add_parser("table", help="show a league's tables")
    table.add_argument("--format", choices=FORMATS, help="for other programs, all columns")
    table.add_argument("-o", "--output", metavar="FILE", help="write that format to a file")
    table.add_argument(
        "--by", choices=("bt", "payoff", "nash", "alpharank"), default="bt",
        help="in which order: by rating (bt), payoff, against the Nash mixture, α-Rank",
    )  # fmt: skip
    table.add_argument(
        "--all", action="store_true", help="one table over all leagues, each game counting the same"
    )
    table.add_argument(
        "--luck", metavar="AGENT",
        help="take luck out of what was earned (AIVAT), by the value of this player: "
        "tabular:runs/leduc, made before the deals were played",
    )  # fmt: skip
    table.set_defaults(run=show_table)

    matches = verbs.add_parser("matches", help="list a league's matches")
    matches.add_argument("--agent", action="append", default=[], help="only those with this agent")
    matches.add_argument("--forfeits", action="store_true", help="only those with a forfeit")
    matches.set_defaults(run=list_matches)

    listing = verbs.add_parser("list", help="list the store's leagues")
    listing.set_defaults(run=list_leagues)

    rename = verbs.add_parser("rename", help="give a league another name")
    rename.add_argument("league", metavar="LEAGUE", help="name or id")
    rename.add_argument("name", metavar="NAME", help="its new name")
    rename.set_defaults(run=rename_league)

    delete = verbs.add_parser(
        "delete", help="forget a league and the matches that no other league counts"
    )
    delete.add_argument("league", metavar="LEAGUE", help="name or id")
    delete.set_defaults(run=delete_league)

    for verb in (table, matches):
        verb.add_argument(
            "league", nargs="?", metavar="LEAGUE", help="name or id (default: newest)"
        )
    for verb in (start, table, matches, listing, rename, delete):
        verb.add_argument("--store", default="arena.db", help="SQLite file or database URL")
    for verb in (start, table, matches, listing):
        verb.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Run a league to its end, or to an interrupt, after which the same command goes on."""
    import sys
    import time
    from contextlib import redirect_stdout

    from arena.cli.console import meter
    from arena.leagues import runner
    from arena.leagues.executors import make_executor
    from arena.leagues.league import load
    from arena.leagues.store import Store

    with redirect_stdout(sys.stderr):
        league = load(options.config)
        if options.deals is not None:
            league = league.with_deals(options.deals)
    if options.dry_run:
        return plan.estimate(league, options.workers)
    store = Store(options.store, create=True)
    begun = time.monotonic()
    hands = decisions = 0
    with (
        redirect_stdout(sys.stderr),  # what a game or an agent prints is no result
        make_executor(runner.roster(league), options.workers) as executor,
        meter(
            f"league {league.name}",
            f"finished matches are kept in {store.where}, and the same command plays the rest",
        ) as progress,
    ):
        for key, why in executor.unmade.items():
            print(f"{league.names[key]} cannot be made and forfeits every turn: {why}")
        for state in runner.run(league, store, executor):
            note = f"{state.resumed:,} from the log" if state.resumed else ""
            if state.result is not None:
                hands += state.result.returns.shape[0] * state.result.returns.shape[1]
                decisions += state.result.decisions
            progress.update(state.played, state.total, note)
            if options.time is not None and time.monotonic() - begun > options.time:
                break
    if state.played < state.total and not options.json:
        counts = f"{state.played:,} of {state.total:,} matches"
        print(f"stopped after {counts}; the same command goes on")
    seconds = time.monotonic() - begun
    if hands and not options.json:
        print(
            f"played {hands:,} episodes with {decisions:,} decisions in {seconds:.1f} s "
            f"({executor.workers} worker{'s' * (executor.workers != 1)})\n"
        )
    _print_league(store, league, options)
    return 0


def show_table(options: argparse.Namespace) -> int:
    """Print a league's tables from the log."""
    from arena.cli.orders import print_order, print_overall
    from arena.envs.errors import InputError
    from arena.leagues.store import Store

    store = Store(options.store)
    if options.all:
        if options.league or options.format or options.by != "bt":
            raise InputError("--all shows all leagues; it takes no LEAGUE, --by or --format")
        print_overall(store, json=options.json)
        return 0
    league = store.find(options.league).league
    if options.output and not options.format:
        raise InputError(f"--output {options.output} needs --format: {', '.join(FORMATS)}")
    if options.format:
        from arena.leagues.standings import rank
        from arena.python import ratings

        tables.write(ratings(rank(store, league), league), options.format, options.output)
    elif options.by != "bt" and not options.json:
        print_order(store, league, options.by)
    else:
        _print_league(store, league, options, options.luck)
    return 0


def _print_league(
    store: Store, league: League, options: argparse.Namespace, luck: str | None = None
) -> None:
    from arena.cli.ranking import print_ranking, ranking_json

    if options.json:
        print(ranking_json(store, league, luck))
    else:
        print_ranking(store, league, luck)


def list_leagues(options: argparse.Namespace) -> int:
    """Print a line for each league, the newest first."""
    import orjson
    from rich.table import Table

    from arena.cli.console import stdout
    from arena.leagues.store import Store

    entries = Store(options.store).leagues()
    if options.json:
        plain = [
            {
                "name": entry.league.name,
                "id": entry.league.id,
                "created": entry.created,
                "game": entry.league.game,
                "agents": [who.name for who in entry.league.entrants],
                "matches": entry.matches,
            }
            for entry in entries
        ]
        print(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("league", "id", "created (UTC)", "game", "agents", "matches"):
        table.add_column(heading, justify="right" if heading in ("agents", "matches") else "left")
    for entry in entries:
        league = entry.league
        created = f"{entry.created:%Y-%m-%d %H:%M}"
        counts = (str(len(league.entrants)), str(entry.matches))
        table.add_row(league.name, league.id, created, league.game, *counts)
    stdout().print(table)
    return 0


def rename_league(options: argparse.Namespace) -> int:
    """Rename, and say what is called what now."""
    store = _writable(options)
    before = store.find(options.league, only=True)
    print(f"{before} is now {store.rename(before, options.name)}")
    return 0


def delete_league(options: argparse.Namespace) -> int:
    """Delete, and say what went with it."""
    store = _writable(options)
    entry = store.find(options.league, only=True)
    alone = store.delete(entry)
    print(f"deleted {entry} and {alone} matches; {entry.matches - alone} are in other leagues, too")
    return 0


def _writable(options: argparse.Namespace) -> Store:
    """A store that is there, opened to write."""
    from arena.leagues.store import Store

    Store(options.store).close()  # else it would be made
    return Store(options.store, create=True)


def list_matches(options: argparse.Namespace) -> int:
    """Print a line for each match: id, who, what came out, forfeits."""
    import shlex

    import orjson

    from arena.cli.console import show, table
    from arena.envs.errors import InputError
    from arena.leagues.store import Store

    store = Store(options.store)
    league = store.find(options.league).league
    keys = {name: key for key, name in league.names.items()}
    for name in options.agent:
        if name not in keys:
            raise InputError(
                f"league {league.name} has no agent {name!r}; it has {', '.join(keys)}"
            )
    entrants = [keys[name] for name in options.agent]
    rows = [
        (number, result, int((result.statuses != 0).sum()))
        for number, result in store.results(league, entrants=entrants)
    ]
    rows = [row for row in rows if row[2] or not options.forfeits]
    if options.json:
        plain = [
            {
                "number": number,
                "match": result.match.id,
                "first_deal": result.match.first_deal,
                "deals": result.match.deals,
                "returns": _totals(league, result),
                "forfeits": forfeits,
            }
            for number, result, forfeits in rows
        ]
        print(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return 0
    game = league.make_game()
    earned = f"earned, {game.return_unit or game.unit}"
    listed = table("no.>", "match", "deals", earned, "forfeits>")
    for number, result, forfeits in rows:
        match = result.match
        totals = (f"{name} {total:+.1f}" for name, total in _totals(league, result).items())
        listed.add_row(
            str(number),
            match.id,
            f"{match.first_deal}–{match.first_deal + match.deals - 1}",
            ", ".join(totals),
            str(forfeits or ""),
        )
    show(listed, keys=2)
    print(f"a match's deals in words: arena replay show MATCH --store {shlex.quote(store.where)}")
    return 0


def _totals(league: League, result: Result) -> dict[str, float]:
    """What each entrant of a match earned in all, by name."""
    totals = dict.fromkeys((league.names[key] for key in result.match.entrants), 0.0)
    for turn, seating in enumerate(result.match.seatings):
        for seat, entrant in enumerate(seating):
            name = league.names[result.match.entrants[entrant]]
            totals[name] += float(result.returns[:, turn, seat].sum())
    return totals
