"""``arena agent``: the players."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    from arena.cli.families import add_verbs

    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing, one = add_verbs(verbs, "agent")
    listing.add_argument("--game", metavar="GAME", help="only those that play this game spec")
    listing.set_defaults(run=list_agents)
    one.set_defaults(run=describe_agent)


def list_agents(options: argparse.Namespace) -> int:
    """Print every agent family: name, what it is, options with defaults."""
    from arena.agents.registry import GROUP, agent_names
    from arena.agents.suits import why_not
    from arena.cli.console import meter
    from arena.cli.families import print_families
    from arena.envs.registry import make_game

    names = agent_names()
    if options.game is not None:
        game = make_game(options.game, own=True)
        with meter("trying the agents"):
            names = [name for name in names if not why_not(name, game)]
    print_families(GROUP, names, "agent", json=options.json)
    return 0


def describe_agent(options: argparse.Namespace) -> int:
    """Print all about an agent family, and which games it plays as their defaults have them."""
    from arena.agents.registry import GROUP
    from arena.agents.suits import games_of
    from arena.cli.console import meter
    from arena.cli.families import describe, family

    one = family(GROUP, options.name, "agent")
    with meter("trying the games"):
        games = games_of(options.name)
    describe(one, games, "games", json=options.json)
    return 0
