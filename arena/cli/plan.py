"""What a league would play, and whether it can: nothing of it is kept."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.leagues.league import League

_TRIED = 5.0  # seconds of play from which a league's time is judged


def estimate(league: League, workers: int | None) -> int:
    """Play for some seconds, keep nothing, and say how long all of it would take."""
    import sys
    import tempfile
    import time
    from contextlib import redirect_stdout

    from arena.cli.console import clock, meter
    from arena.leagues import runner
    from arena.leagues.executors import make_executor
    from arena.leagues.store import Store

    with (
        tempfile.TemporaryDirectory(prefix="arena-") as folder,
        redirect_stdout(sys.stderr),
        make_executor(runner.roster(league), workers) as executor,
        meter("trying") as progress,
    ):
        states = runner.run(league, Store(f"{folder}/arena.db", create=True), executor)
        total = next(states).total
        begun = time.monotonic()
        for played, _ in enumerate(states, 1):
            progress.update(played, total)
            if time.monotonic() - begun > _TRIED:
                break
        taken = time.monotonic() - begun
    _say(league)
    print(
        f"{played:,} of {total:,} took {taken:.0f} s with {executor.workers} workers, so all take "
        f"about {clock(taken / played * total)}; nothing of it is kept"
    )
    return 0


def validate(options: argparse.Namespace) -> int:
    """Read a configuration, make its game and its agents; exit code 1 where one cannot be made."""
    import sys
    from contextlib import redirect_stdout

    from arena.agents.registry import make_agent
    from arena.envs.errors import InputError
    from arena.leagues.league import load

    failed = 0
    with redirect_stdout(sys.stderr):
        league = load(options.config)
        game = league.make_game()
        for entrant in league.entrants:
            try:
                make_agent(entrant.identity.spec, game)
            except InputError as error:
                failed += 1
                print(f"{entrant.name} cannot be made: {error}")
    _say(league)
    return 1 if failed else 0


def _say(league: League) -> None:
    """Say in a line what a league plays."""
    game, count = league.make_game(), len(league.entrants)
    total = league.make_schedule().total(game.seats, count)
    print(f"{league.name}: {league.game}, {count} agents, {total:,} matches, seed {league.seed}")
