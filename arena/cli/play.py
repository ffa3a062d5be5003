"""``arena play``: a few deals, told in words."""

from __future__ import annotations

import argparse
from pathlib import Path

from arena.cli import whole


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("game", metavar="GAME", help="a game spec, e.g. holdem?seats=2")
    parser.add_argument("agent", nargs="+", metavar="AGENT", help="an agent spec for each seat")
    parser.add_argument("--deals", type=whole(1), default=1, metavar="N", help="how many deals")
    parser.add_argument(
        "--seed", type=whole(0, 2**64 - 1), default=0, metavar="N", help="the deals' seed"
    )
    parser.add_argument(
        "--rotate", action="store_true", help="play each deal in every seating, as leagues do"
    )
    parser.add_argument(
        "--prompts", action="store_true", help="tell everything, and what each seat saw"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="also save the replay: .jsonl.zst")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Play, print what happened, and save it where asked."""
    import sys
    from contextlib import redirect_stdout

    from arena.agents.registry import identify, make_agent
    from arena.cli.console import meter, tell
    from arena.cli.narration import narrate
    from arena.envs.errors import InputError
    from arena.envs.registry import named_game
    from arena.leagues import replay
    from arena.leagues.match import Match, seatings
    from arena.leagues.play import play

    name, game = named_game(options.game)
    solo = game.seats == 1
    if not solo and len(options.agent) != game.seats:
        raise InputError(
            f"game {options.game} has {game.seats} seats, and {len(options.agent)} agents were "
            "named; name one for each seat"
        )
    who = [identify(spec, game) for spec in options.agent]
    orders = seatings(game.seats, len(who))
    match = Match(
        game=name,
        game_version=game.version,
        entrants=tuple(agent.key for agent in who),
        specs=tuple(agent.spec for agent in who),
        seed=options.seed,
        first_deal=0,
        deals=options.deals,
        seatings=orders if solo or options.rotate else orders[:1],
    )
    with redirect_stdout(sys.stderr):  # what an agent prints is no part of the story
        with meter("making the agents") as progress:
            agents = {}
            for agent in who:
                progress.tell(agent.spec)
                agents[agent.key] = make_agent(agent.spec, game)
        with meter("playing") as progress:
            specs = {agent.key: agent.spec for agent in who}
            (result,) = play(
                game, agents, [match], {agent.key: agent for agent in who},
                watch=lambda key: progress.tell(f"{specs[key]} decides" if key else ""),
            )  # fmt: skip
    record = replay.read(result.replay, "this match")
    if options.output:
        replay.export(record, Path(options.output))
    for episode in record.episodes:
        tell(narrate(game, record, episode, prompts=options.prompts))
    if options.output:
        print(f"replay: {options.output}")
    return 0
