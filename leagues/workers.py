"""A worker: a process that plays blocks of matches, seen from both of its sides.

Processes are forked from a server, as POSIX systems can.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent
from arena.agents.answers import Answers
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.leagues.clock import Clock, Watch
from arena.leagues.jobs import Job, Keys
from arena.leagues.match import Match, Status
from arena.leagues.play import Roster, Unmade, make_block
from arena.leagues.players import Hearing, Here, Players, Verb
from arena.leagues.process import Process

_CONTEXT = mp.get_context("forkserver")
# What every worker needs is imported once, in the server that they are forked from.
_CONTEXT.set_forkserver_preload([__name__])

# What a worker's shared note says: the number of the agent that it waits for, and since when.
_NOBODY = -1.0


@dataclass(frozen=True)
class Order:
    """What a worker is to play."""

    matches: list[Match]
    forfeiting: dict[str, Status]
    final: Keys

    @classmethod
    def of(cls, job: Job) -> Order:
        """The order for a job."""
        return cls(list(job.left.values()), dict(job.forfeiting), job.final)


class Worker:
    """The parent's side of a child process that plays one job at a time.

    Args:
        roster: who plays what.
        team: the agents that are made there; None: all.
        unmade: agents that are not to be made, and why.
        partner: to the process of the other agents of the same matches.
    """

    def __init__(
        self,
        roster: Roster,
        team: Keys | None,
        unmade: Mapping[str, str],
        partner: Connection | None = None,
    ) -> None:
        self.team = team
        self.busy = False
        self._keys = sorted(roster.agents)
        self._note: Any = _CONTEXT.RawArray("d", [_NOBODY, 0.0])
        self.connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(
            target=_work,
            args=(theirs, self._note, roster, team, dict(unmade), partner),
            name="arena-worker",
            daemon=True,
        )
        with _interrupts_held():
            self._process.start()
        theirs.close()

    def greet(self) -> dict[str, str]:
        """Wait until it has made game and agents; those that could not be made, and why.

        Raises what the game or an agent refuses with; EOFError where the process is lost.
        """
        answer = self.connection.recv()
        if isinstance(answer, BaseException):
            raise answer
        unmade: dict[str, str] = answer
        return unmade

    def give(self, job: Job) -> None:
        """Have it play a job; ConnectionError where the process is lost."""
        self.connection.send(Order.of(job))
        self.busy = True

    @property
    def asked(self) -> str | None:
        """The agent that it waits for."""
        number = int(self._note[0])
        return None if number == _NOBODY else self._keys[number]

    @property
    def since(self) -> float:
        """Since when, by ``time.monotonic``."""
        return float(self._note[1])

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """How it ended: minus the signal's number, or what it returned; None: it has not."""
        self._process.join(1)
        code: int | None = self._process.exitcode
        return code

    def end(self) -> None:
        """End the process, whatever it does."""
        self.connection.close()
        self._process.kill()
        self._process.join()


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes in the body: they never hear an interrupt from the terminal.

    It reaches the parent, too, which ends its workers itself, once the body is left.
    """
    resource_tracker.ensure_running()  # it would let them through again as it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- the child's side --------------------------------------------------------------------------


def _work(
    parent: Connection,
    note: Any,
    roster: Roster,
    team: Keys | None,
    unmade: dict[str, str],
    partner: Connection | None,
) -> None:
    """A worker's life: make game and agents, then play jobs until the parent is gone."""
    os.dup2(2, 1)  # what an agent prints must not come between the results on standard output
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends this process
    number = {key: float(index) for index, key in enumerate(sorted(roster.agents))}

    def watch(agent: str | None) -> None:
        note[1] = time.monotonic()
        note[0] = _NOBODY if agent is None else number[agent]

    with suppress(EOFError, ConnectionError):
        made = _make(parent, roster, team, unmade, watch)
        if made is None:
            return
        game, agents = made
        vital = [parent.fileno(), *([] if partner is None else [partner.fileno()])]
        clock = Clock(roster.clock, watch, Process(vital, _die))
        while True:
            order: Order = parent.recv()
            players: Players = Here(agents, clock, order.final)
            if partner is not None:
                players = _Apart(players, agents, partner, parent)
            try:
                block = make_block(game, players, order.matches, roster.agents)
                for results in block.run(order.forfeiting):
                    for result in results:
                        parent.send(result)
                for doubt in block.doubts:
                    parent.send(doubt)
                parent.send(None)
            except (EOFError, ConnectionError):
                raise
            except Exception:
                parent.send(traceback.format_exc())


def _make(
    parent: Connection, roster: Roster, team: Keys | None, unmade: dict[str, str], watch: Watch
) -> tuple[Game, dict[str, Agent]] | None:
    """Game and agents, or None where the parent has been told why there are none."""
    try:
        game, agents = roster.build(team, unmade, watch)
    except InputError as error:
        parent.send(InputError(str(error)))
    except Exception:
        parent.send(RuntimeError(f"a worker failed to start\n{traceback.format_exc()}"))
    else:
        parent.send({key: it.reason for key, it in agents.items() if isinstance(it, Unmade)})
        return game, agents
    return None


def _die(sentence: str) -> NoReturn:
    """End the process while the parent sees which agent is asked."""
    with suppress(OSError):
        os.write(2, f"arena: {sentence}\n".encode())
    os._exit(1)


_T = TypeVar("_T")


class _Apart(Players):
    """Some agents here, the others in the partner process; each tells the other what its own say.

    Both play the same tables, so that they ask in the same order.
    """

    def __init__(
        self, here: Players, own: Collection[str], partner: Connection, parent: Connection
    ) -> None:
        self._here, self._own = here, own
        self._partner, self._parent = partner, parent

    def _shared(self, key: str, answer: Callable[[], _T]) -> _T:
        """What an agent answers, asked by whichever process it is in."""
        if key in self._own:
            mine = answer()
            with suppress(ConnectionError):  # it will be noticed by the next that is to be heard
                self._partner.send(mine)
            return mine
        try:
            theirs: _T = self._partner.recv()
        except (EOFError, ConnectionError):
            self._parent.recv()  # the partner is lost: the parent ends this process, too
            raise
        return theirs

    def ask(self, key: str, turns: Turns) -> Answers:
        """See Players."""
        return self._shared(key, lambda: self._here.ask(key, turns))

    def listens(self, key: str, verb: Verb) -> bool:
        """See Players. Here only the partner may know."""
        return True

    def begin(self, key: str, tables: Ints, seats: Ints) -> Hearing:
        """See Players."""
        return self._shared(key, lambda: self._here.begin(key, tables, seats))

    def took(self, key: str, turns: Turns, actions: NDArray[Any]) -> Hearing:
        """See Players."""
        return self._shared(key, lambda: self._here.took(key, turns, actions))

    def end(self, key: str, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> Hearing:
        """See Players."""
        return self._shared(key, lambda: self._here.end(key, tables, seats, returns))
