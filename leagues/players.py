"""Who answers for the agents of a block, and what becomes of one that fails."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.answers import Answers
from arena.envs.game import Ints, Turns
from arena.leagues.answers import ask
from arena.leagues.clock import Clock, TimeUp
from arena.leagues.match import Status
from arena.leagues.process import Interrupted

Verb = Literal["begin", "end", "took"]


class Hearing(NamedTuple):
    """What came of telling an agent something: DONE, or what it forfeits with.

    ``doubtful``: it was late, but by the wall clock only (see ``Clock``).
    """

    status: Status
    doubtful: bool = False


class Players(ABC):
    """The agents of a block by key, wherever they are."""

    @abstractmethod
    def ask(self, key: str, turns: Turns) -> Answers:
        """The agent's answers; whatever happens, each turn has one, or a forfeit's status.

        Where the agent declares its policy, the action is still to be drawn.
        """

    @abstractmethod
    def listens(self, key: str, verb: Verb) -> bool:
        """Whether the agent wants to hear of that at all."""

    @abstractmethod
    def begin(self, key: str, tables: Ints, seats: Ints) -> Hearing:
        """Tell the agent that its episodes begin there."""

    @abstractmethod
    def took(self, key: str, turns: Turns, actions: NDArray[Any]) -> Hearing:
        """Tell the agent what was drawn from its policy at these turns."""

    @abstractmethod
    def end(self, key: str, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> Hearing:
        """Tell the agent that its episodes are over there."""


class Here(Players):
    """Agents in this process, each call of which runs against the clock.

    Agents in ``final`` are not in doubt: they have been late by the wall clock alone before, or
    nobody will play their matches again.
    """

    def __init__(
        self, agents: Mapping[str, Agent], clock: Clock, final: Container[str] = ()
    ) -> None:
        self._agents, self._clock, self._final = agents, clock, final

    def ask(self, key: str, turns: Turns) -> Answers:
        """See Players."""
        answers = ask(self._agents[key], key, turns, self._clock)
        final = answers.doubtful and key in self._final
        return replace(answers, doubtful=False) if final else answers

    def listens(self, key: str, verb: Verb) -> bool:
        """See Players."""
        return getattr(type(self._agents[key]), verb) is not getattr(Agent, verb)

    def begin(self, key: str, tables: Ints, seats: Ints) -> Hearing:
        """See Players."""
        return self._tell(key, lambda: self._agents[key].begin(tables, seats))

    def took(self, key: str, turns: Turns, actions: NDArray[Any]) -> Hearing:
        """See Players."""
        return self._tell(key, lambda: self._agents[key].took(turns, actions))

    def end(self, key: str, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> Hearing:
        """See Players."""
        return self._tell(key, lambda: self._agents[key].end(tables, seats, returns))

    def _tell(self, key: str, message: Callable[[], None]) -> Hearing:
        try:
            with self._clock.running(key):
                message()
        except TimeUp as late:
            return Hearing(Status.TIMEOUT, late.doubtful and key not in self._final)
        except Interrupted:
            raise
        except BaseException:
            return Hearing(Status.CRASH)
        return Hearing(Status.DONE)
