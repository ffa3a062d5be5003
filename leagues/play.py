"""Play matches here and now: the roster of a league, and the call that plays a block of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.agents.agent import Agent, Identity
from arena.agents.registry import make_agent
from arena.envs.game import Game
from arena.envs.registry import make_game
from arena.leagues.block import Block, Timing
from arena.leagues.clock import Clock, Watch
from arena.leagues.match import Match, Result, Status
from arena.leagues.plan import Plan
from arena.leagues.players import Here
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

    def build(self) -> tuple[Game, dict[str, Agent]]:
        """The game and the agents, made now; InputError where one of them cannot be."""
        game = make_game(self.game)
        return game, {key: make_agent(who.spec, game) for key, who in self.agents.items()}


def play(
    game: Game,
    agents: Mapping[str, Agent],
    matches: Sequence[Match],
    identities: Mapping[str, Identity],
    *,
    clock: float | None = None,
    forfeiting: Mapping[str, Status] | None = None,
    capacity: int = CAPACITY,
    timing: Timing | None = None,
    watch: Watch | None = None,
) -> Iterator[Result]:
    """Play ``matches`` of ``game`` together; yields each result as soon as its match is over.

    ``agents`` and ``identities`` are by key. Agents in ``forfeiting`` are not asked: they forfeit
    every turn with that status (an executor uses it for one that killed its process).

    Raises RuntimeError for a clock outside the main thread, where nothing can be interrupted.
    """
    players = Here(agents, Clock(clock, watch))
    if matches:
        plan = Plan.of(matches, game.seats)
        tables = game.tables(min(capacity, len(plan)))
        block = Block(tables, players, plan, Recorder(plan, identities), timing or Timing())
        yield from block.run(forfeiting or {})
