"""``arena train``: learn or solve a player, and say how good it is."""

from __future__ import annotations

import argparse
from importlib import import_module


def add(parser: argparse.ArgumentParser) -> None:
    """Declare a verb for each recipe of ``arena.training``."""
    from arena import training

    verbs = parser.add_subparsers(metavar="RECIPE", required=True)
    for name in training.names():
        recipe = import_module(f"arena.training.{name}")
        verb = verbs.add_parser(name, help=recipe.HELP, description=recipe.__doc__)
        recipe.add(verb)
        verb.set_defaults(run=recipe.run)
