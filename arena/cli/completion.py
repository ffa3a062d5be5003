"""``arena completion``: what completes the command line's words in a shell."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "tcsh")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=SHELLS, help="whose completion")
    parser.epilog = "Once: arena completion bash > ~/.local/share/bash-completion/completions/arena"
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script, to be sourced."""
    import shtab

    from arena.cli import NOUNS, parser

    print(shtab.complete(parser(NOUNS), options.shell))
    return 0
