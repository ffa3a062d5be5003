"""Play matches here and now: the roster of a league, and the call that plays a block of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from arena.agents.agent import Agent, Identity
from arena.agents.registry import make_agent
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.registry import make_game
from arena.leagues.block import Block, Timing
from arena.leagues.clock import Clock, Watch
from arena.leagues.match import Match, Result
from arena.leagues.notes import described
from arena.leagues.plan import Plan
from arena.leagues.players import Here, Players
from arena.leagues.process import Interrupted
from arena.leagues.recording import Recorder

# So many tables step together: enough to drown the cost of a call, few enough for the cache and for
# matches to finish one by one (what a kill loses is what has not finished).
CAPACITY = 1024


@dataclass(frozen=True)
class Roster:
    """Who plays what: all that a process needs to know to play matches of one league.

    Attributes:
        game: canonical game spec.
        agents: identities by their key.
        clock: seconds that one call of an agent may take, whatever its batch; None: no limit. An
            agent that overruns forfeits every turn it was asked, and is not asked again in those
            matches.
    """

    game: str
    agents: Mapping[str, Identity]
    clock: float | None = None

    def build(
        self,
        keys: Collection[str] | None = None,
        unmade: Mapping[str, str] | None = None,
        watch: Watch | None = None,
    ) -> tuple[Game, dict[str, Agent]]:
        """The game and the agents, made now; InputError where one of them cannot be.

        An agent that fails to be made in another way is an ``Unmade``, which forfeits.

        Args:
            keys: of the agents to make; None: of all.
            unmade: agents that must not be tried, and why not.
            watch: told which one is being made.
        """
        game = make_game(self.game, own=True)  # the league has made it already
        failed = dict(unmade or {})
        clock = Clock(None, watch)
        agents: dict[str, Agent] = {}
        for key in self.agents if keys is None else keys:
            try:
                if key not in failed:
                    with clock.running(key):
                        agents[key] = make_agent(self.agents[key].spec, game)
                        continue
            except (InputError, Interrupted):
                raise
            except BaseException as error:
                failed[key] = described(error)
            agents[key] = Unmade(failed[key])
        return game, agents


class Unmade(Agent):
    """An agent that could not be made, for a ``reason`` that is no mistake of the user's."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def act(self, turns: Turns) -> NoReturn:
        """Crash, at every turn."""
        raise RuntimeError(f"it could not be made: {self.reason}")


def play(
    game: Game,
    agents: Mapping[str, Agent],
    matches: Sequence[Match],
    identities: Mapping[str, Identity],
    *,
    clock: float | None = None,
    capacity: int = CAPACITY,
    timing: Timing | None = None,
    watch: Watch | None = None,
) -> Iterator[Result]:
    """Play ``matches`` of ``game`` together; yields each result as soon as its match is over.

    ``agents`` and ``identities`` are by key. Who is late forfeits: there is no second try here.
    ``watch`` is told who is asked, by key, and when nobody is any more.

    Raises RuntimeError for a clock outside the main thread, where nothing can be interrupted.
    """
    players = Here(agents, Clock(clock, watch), final=agents)
    if matches:
        for results in make_block(game, players, matches, identities, capacity, timing).run({}):
            yield from results


def make_block(
    game: Game,
    players: Players,
    matches: Sequence[Match],
    identities: Mapping[str, Identity],
    capacity: int = CAPACITY,
    timing: Timing | None = None,
) -> Block:
    """At least one match, to be played together by ``players``."""
    plan = Plan.of(matches, game.seats)
    tables = game.tables(min(capacity, len(plan)))
    return Block(tables, players, plan, Recorder(plan, identities), timing or Timing())
