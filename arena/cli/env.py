"""``arena env``: the games."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    show = verbs.add_parser("list", help="every installed game and its options")
    show.set_defaults(run=list_games)
    check = verbs.add_parser("check", help="check games against the contract")
    check.add_argument("game", nargs="+", metavar="GAME", help="a game spec, e.g. holdem?seats=6")
    check.set_defaults(run=check_games)


def list_games(_options: argparse.Namespace) -> int:
    """Print every game: name, what it is, options with defaults."""
    from arena.cli.families import print_families
    from envs.registry import GROUP, game_names

    print_families(GROUP, game_names(), "game")
    return 0


def check_games(options: argparse.Namespace) -> int:
    """Check each game; exit code 1 where one fails."""
    from envs.conformance import check_game
    from envs.registry import make_game

    failed = 0
    for spec in options.game:
        game = make_game(spec)
        try:
            check_game(game)
        except AssertionError as error:
            failed += 1
            print(f"{spec}: fails: {error}")
        else:
            print(f"{spec}: keeps the contract")
    return 1 if failed else 0
