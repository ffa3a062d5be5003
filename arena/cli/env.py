"""``arena env``: the games."""

from __future__ import annotations

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    from arena.cli.families import add_verbs

    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing, one = add_verbs(verbs, "game")
    listing.set_defaults(run=list_games)
    one.set_defaults(run=describe_game)
    check = verbs.add_parser("check", help="check games against the contract")
    check.add_argument("game", nargs="+", metavar="GAME", help="a game spec, e.g. holdem?seats=6")
    check.set_defaults(run=check_games)
    pairs = verbs.add_parser(
        "pairs",
        help="write transitions of MiniHack with what they achieved, as JSON lines",
        description="Write CALM's data: a line a transition, observations before and after it, "
        'the action, and by the game\'s own state its label: "key" (picked up), "door" (unlocked) '
        'or "none". Half of the plain transitions are a scripted explorer\'s, half random.',
    )
    pairs.add_argument("--count", type=int, default=300, help="how many (default 300)")
    pairs.add_argument(
        "--mode",
        choices=("balanced", "unbalanced"),
        default="balanced",
        help="a third of each label, or 4 %% key, 4 %% door (default balanced)",
    )
    pairs.add_argument("--task", default="KeyRoom-S5", help="a task with a key and a door")
    pairs.add_argument("--seed", type=int, default=0)
    pairs.add_argument("-o", "--output", required=True, metavar="JSONL")
    pairs.set_defaults(run=write_pairs)


def list_games(options: argparse.Namespace) -> int:
    """Print every game: name, what it is, options with defaults."""
    from arena.cli.families import print_families
    from arena.envs.registry import GROUP, game_names

    print_families(GROUP, game_names(), "game", json=options.json)
    return 0


def describe_game(options: argparse.Namespace) -> int:
    """Print all about a game as its spec makes it, and which agents play it."""
    from arena.agents.suits import agents_of
    from arena.cli.console import meter
    from arena.cli.families import describe, family
    from arena.envs.registry import GROUP, make_game
    from arena.envs.specs import Spec

    game = make_game(options.name, own=True)
    one = family(GROUP, Spec.parse(options.name).family, "game")
    with meter("trying the agents"):
        agents = agents_of(game)
    describe(
        one, agents, "agents", json=options.json, seats=game.seats,
        actions=str(game.action_space), observation=str(game.observation_space),
        offers=", ".join(sorted(game.offers)) or "nothing beside the contract",
    )  # fmt: skip
    return 0


def check_games(options: argparse.Namespace) -> int:
    """Check each game; exit code 1 where one fails."""
    from arena.envs.conformance import check_game
    from arena.envs.registry import make_game

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


def write_pairs(options: argparse.Namespace) -> int:
    """Play until enough transitions of each label have been seen, and write them."""
    from pathlib import Path

    import orjson

    from arena.agents.exploration.pairs import pairs
    from arena.cli.console import meter
    from arena.envs.errors import InputError

    output = Path(options.output)
    if output.exists():
        raise InputError(f"--output {output} is there already; name a file that is not")
    with meter("pairs") as progress:
        found = pairs(
            options.count, options.mode, task=options.task, seed=options.seed,
            progress=progress.update,
        )  # fmt: skip
    output.write_bytes(
        b"".join(orjson.dumps(p.as_json(), option=orjson.OPT_APPEND_NEWLINE) for p in found)
    )
    counts = {kind: sum(pair.label == kind for pair in found) for kind in ("key", "door", "none")}
    print(
        f"{output}: {len(found)} transitions of {options.task}, "
        + ", ".join(f"{count} {kind}" for kind, count in counts.items())
    )
    return 0
