"""The command line: nouns, then verbs. One module a noun, imported when that noun is used."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import Any, NoReturn

# Nothing heavy may be imported here: ``arena --help`` answers at once.
NOUNS = {
    "env": "the games: list them, check one against the contract",
    "agent": "the players: list them",
    "play": "play a few deals and read what happens",
    "compare": "play two players against each other, and say which is better",
    "tournament": "run a league, show its tables and matches",
    "replay": "show, verify and export what was played",
    "store": "check a store, mend it, make it smaller, put several together",
    "view": "leagues and replays in the browser, and a seat at the table",
    "pcg": "score generated levels as the competition does",
    "solve": "find an equilibrium of a small game, or of a turn or river of Hold'em",
    "eval": "examine language models, and play what they must beat",
    "train": "learn or solve a player, and say how good it is",
    "plot": "draw ratings, payoffs and training curves",
    "doctor": "say what is installed here, what is missing, and what that stops",
    "completion": "print what completes arena's words in a shell",
    "results": "check published figures: is every row complete",
    "bench": "measure our speed against the peers' in one run",
}


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one sentence, without the usage text before it."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with code 2."""
        see = "" if message.endswith("?") else f"; see {self.prog} --help"
        complain(f"{self.prog}: {message}{see}")
        self.exit(2)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; the parser that does not know an option says so, and what comes near it."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            near = _near(unknown[0].split("=")[0], self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            near = _near(str(value), map(str, action.choices))
            among = "" if near else f"; it is one of {', '.join(map(str, action.choices))}"
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}{near or among}")


def _near(word: str, known: Iterable[str]) -> str:
    found = get_close_matches(word, list(known), 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def complain(words: str) -> None:
    """Print a sentence on standard error; a terminal's lines break between words."""
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        words = textwrap.fill(words, width, break_long_words=False, break_on_hyphens=False)
    print(words, file=sys.stderr)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """What reads an option that is a whole number within limits, in ASCII digits."""

    def read(text: str) -> int:
        if text.isascii() and text.isdigit() and len(text) <= 40:
            value = int(text)
            if value >= least and (most is None or value <= most):
                return value
        limits = f"from {least}" if most is None else f"from {least} to {most}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {limits}")

    return read


def span(text: str) -> float:
    """What reads a span of time, such as 90s, 30m or 2h: in seconds."""
    number, unit = text[:-1], {"s": 1, "m": 60, "h": 3600}.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit() and 0 < len(number) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is not a span of time; write 90s, 30m or 2h")
    return float(number) * unit


class _Version(argparse.Action):
    """Prints the installed version, which is looked up only when it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"arena {version('arena')}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code.

    0: well, 1: a check failed, 2: a user's mistake, or something damaged was left out.
    """
    try:
        with _interrupts_heard():
            return _run(list(sys.argv[1:] if argv is None else argv))
    except KeyboardInterrupt as interrupt:
        words = "; ".join(["interrupted", *getattr(interrupt, "__notes__", [])])
        print(f"arena: {words}", file=sys.stderr)
        return 130


@contextmanager
def _interrupts_heard() -> Iterator[None]:
    """Interrupt again where a library's callback, which cannot raise, swallowed it."""
    before = sys.unraisablehook

    def hook(ignored: sys.UnraisableHookArgs) -> None:
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        else:
            before(ignored)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before


def _trust(arguments: Sequence[str]) -> None:
    """What the command line names may be imported: ``gymnasium?id=module:Name-v0``."""
    specs = [word for word in arguments if "id=" in word]
    if specs:
        from arena.envs.errors import InputError
        from arena.envs.registry import trust

        for spec in specs:
            with suppress(InputError):
                trust(spec)


def parser(chosen: Collection[str]) -> Parser:
    """The parser of the command line; of ``chosen`` nouns with their verbs and options."""
    parser = Parser(prog="arena", description="Game-playing agents train, compete and are ranked.")
    parser.add_argument("--version", action=_Version)
    nouns = parser.add_subparsers(dest="noun", metavar="NOUN", required=True, parser_class=Parser)
    for noun, help_text in NOUNS.items():
        sub = nouns.add_parser(noun, help=help_text, description=help_text.capitalize() + ".")
        if noun in chosen:
            importlib.import_module(f"arena.cli.{noun}").add(sub)
    return parser


def _run(arguments: Sequence[str]) -> int:
    noun = next((word for word in arguments if not word.startswith("-")), None)
    options = parser([noun] if noun else []).parse_args(arguments)

    # Late: they import Rich, and the floors below NumPy.
    from arena.cli.console import Told, door
    from arena.envs.errors import InputError
    from arena.envs.printable import one_line

    if options.noun != "bench":  # arena bench gpu runs where not even Gymnasium is installed
        from arena import ids

        ids.register()
    _trust(arguments)
    try:
        with door(), Told() as told:
            code: int | None = options.run(options)
        sys.stdout.flush()
    except InputError as error:
        complain(f"arena: {one_line(str(error))}")
        return 2
    except BrokenPipeError:  # the reader (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code or 2 * bool(told.errors)
