"""A small league for the viewer's tests, played by scripted agents, and a server for browsers."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

import numpy as np

from arena.agents.agent import Agent, Decisions, Identity
from arena.agents.registry import identify, make_agent
from arena.agents.scripted.generic import First, Random
from arena.envs.game import Turns
from arena.envs.registry import make_game
from arena.leagues.league import Entrant, League
from arena.leagues.match import Match, Result, seatings
from arena.leagues.play import play
from arena.leagues.store import Store
from arena.viewer.library import Library

MARKUP = "<img src=x onerror=\"document.title='broken'\">"
SCRIPT = "</script><script>document.title='broken'</script>"


class Wordy(Agent):
    """Checks or calls, and notes what a language model would: with markup in it."""

    def act(self, turns: Turns) -> Decisions:
        n = len(turns)
        actions = np.ones(n, np.int64)
        assert turns.action_mask is not None
        probabilities = np.zeros(turns.action_mask.shape)
        probabilities[:, 1], probabilities[:, -1] = 0.75, 0.25
        note = {"prompt": f"Your turn. {SCRIPT}", "answer": f"call {MARKUP}", "tokens": 321}
        return Decisions(actions, probabilities, [note] * n)


def _identity(spec: str) -> Identity:
    return Identity(spec, "", hashlib.sha256(spec.encode()).hexdigest())


NAMES = {"first": "first", "wordy": f"wordy {MARKUP}", "random": "random"}
PER_MATCH = 4


def make_league(name: str = "tiny", game: str = "holdem?seats=2") -> League:
    """Three agents, of whom one has markup for a name; 12 matches when it is complete."""
    return League(
        name=name,
        game=game,
        game_version=make_game(game).version,
        seed=11,
        entrants=tuple(Entrant(NAMES[spec], _identity(spec)) for spec in NAMES),
        schedule={"kind": "round-robin", "deals": 4 * PER_MATCH, "deals_per_match": PER_MATCH},
    )


def results(league: League, rounds: Sequence[int]) -> Iterator[Result]:
    """The matches of all pairs in those rounds, played."""
    game = make_game(league.game)
    agents: dict[str, Agent] = {
        _identity("first").key: First(game),
        _identity("wordy").key: Wordy(),
        _identity("random").key: Random(game),
    }
    matches = [
        Match(
            game=league.game,
            game_version=league.game_version,
            entrants=(a.identity.key, b.identity.key),
            specs=(a.identity.spec, b.identity.spec),
            seed=league.seed,
            first_deal=PER_MATCH * number,
            deals=PER_MATCH,
            seatings=seatings(2, 2),
        )
        for number in rounds
        for a, b in combinations(league.entrants, 2)
    ]
    yield from play(game, agents, matches, league.identities)


def fill(path: Path, league: League, rounds: Sequence[int]) -> Store:
    """A store that holds those rounds of the league."""
    store = Store(str(path), create=True)
    store.add_league(league)
    for result in results(league, rounds):
        store.append(league, result)
    return store


def play_match(spec: str, players: Sequence[str]) -> tuple[League, Result]:
    """One deal of a game, played once by registered agents, and a league for it."""
    game = make_game(spec)
    who = {identify(player).key: identify(player) for player in players}
    seated = [identify(player) for player in players]
    match = Match(
        game=spec,
        game_version=game.version,
        entrants=tuple(identity.key for identity in seated),
        specs=tuple(identity.spec for identity in seated),
        seed=5,
        first_deal=0,
        deals=1,
        seatings=(tuple(range(game.seats)),),
    )
    agents = {key: make_agent(identity.spec, game) for key, identity in who.items()}
    (result,) = play(game, agents, [match], who)
    entrants = tuple(Entrant(identity.spec, identity) for identity in who.values())
    return League("one", spec, game.version, 5, entrants, {"kind": "one"}), result


@contextmanager
def serving(library: Library, hands: object = None) -> Iterator[str]:
    """The address of a server of that library, for as long as the body runs."""
    import uvicorn

    from arena.viewer.app import make_app

    app = make_app(library, hands)  # type: ignore[arg-type]
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
