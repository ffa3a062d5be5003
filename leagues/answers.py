"""Ask an agent against the clock, and turn whatever happens into answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from arena.agents.agent import Agent
from arena.agents.answers import Answers, Status, check, nothing
from arena.envs.game import Turns
from arena.leagues import notes
from arena.leagues.clock import Clock, TimeUp
from arena.leagues.process import Interrupted


def ask(agent: Agent, key: str, turns: Turns, clock: Clock) -> Answers:
    """Ask the agent ``key``; whatever happens, each turn has an answer or a forfeit's status.

    Where it declares its policy, the action is still to be drawn.
    """
    fault: bytes
    try:
        with clock.running(key):
            try:
                said = agent.act(turns.select(np.arange(len(turns))))
                told = notes.written(said.notes, len(turns))
                return replace(check(turns, said), notes=told)
            except (TimeUp, Interrupted):
                raise
            except BaseException as error:  # sys.exit() in an agent ends the agent, not the league
                fault = notes.of_error(error)
    except TimeUp as end:
        return replace(nothing(turns, Status.TIMEOUT), doubtful=end.doubtful)
    except Interrupted:
        raise
    except BaseException as error:  # from a timer of its own, on the way out of its call
        fault = notes.of_error(error)
    if len(turns) == 1:
        return replace(nothing(turns, Status.CRASH), notes=[fault])
    # One table's trouble must not cost the others: ask again, one by one, while time is not up.
    parts: list[Answers] = []
    for row in range(len(turns)):
        turn = turns.select(np.array([row]))
        late = bool(parts) and bool(parts[-1].late[0])
        parts.append(nothing(turn, Status.TIMEOUT) if late else ask(agent, key, turn, clock))
    return _join(parts)


def _join(parts: list[Answers]) -> Answers:
    def rows(values: Any) -> Any:
        return [None] if values is None else values

    some = [part.probabilities for part in parts if part.probabilities is not None]
    blank = None if not some else np.zeros((1, len(some[0][0])), np.float32)
    return Answers(
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.status for part in parts]),
        np.concatenate([part.late for part in parts]),
        np.concatenate([part.drawn for part in parts]),
        None
        if blank is None
        else np.concatenate([blank if p.probabilities is None else p.probabilities for p in parts]),
        [note for part in parts for note in rows(part.notes)],
        any(part.doubtful for part in parts),
    )
