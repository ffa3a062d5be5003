"""``arena agent``: the players."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    show = verbs.add_parser("list", help="every installed agent family and its options")
    show.set_defaults(run=list_agents)


def list_agents(_options: argparse.Namespace) -> int:
    """Print every agent family: name, what it is, options with defaults."""
    from arena.agents.registry import GROUP, agent_names
    from arena.cli.families import print_families

    print_families(GROUP, agent_names(), "agent")
    return 0
