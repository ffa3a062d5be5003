"""Ask an agent, and turn whatever happens into answers: decisions, or forfeits with a status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions
from arena.envs.game import Turns
from arena.leagues import notes
from arena.leagues.clock import Clock, TimeUp
from arena.leagues.match import Status


@dataclass(frozen=True)
class Answers:
    """A batch's answers, checked: ``status[i]`` is DONE where ``actions[i]`` may be taken.

    Nothing here is shared with the agent: what it changes after it has answered changes nothing.

    Attributes:
        late: that the clock ran out on turn ``i`` (an agent may also report a time-out).
        probabilities: float32 ``(n, actions)``.
        notes: JSON, for each turn, or None.
    """

    actions: NDArray[Any]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    probabilities: NDArray[np.float32] | None = None
    notes: Sequence[bytes | None] | None = None


def ask(agent: Agent, key: str, turns: Turns, clock: Clock) -> Answers:
    """Ask the agent ``key``; whatever happens, each turn has an action or a forfeit's status."""
    try:
        with clock.running(key):
            try:
                return _check(turns, agent.act(turns.select(np.arange(len(turns)))))
            except (TimeUp, KeyboardInterrupt):
                raise
            except BaseException as error:  # sys.exit() in an agent ends the agent, not the league
                if len(turns) == 1:
                    return replace(nothing(turns, Status.CRASH), notes=[notes.of_error(error)])
    except TimeUp:
        return nothing(turns, Status.TIMEOUT)
    # One table's trouble must not cost the others: ask again, one by one, while time is not up.
    parts: list[Answers] = []
    for row in range(len(turns)):
        turn = turns.select(np.array([row]))
        late = bool(parts) and bool(parts[-1].late[0])
        parts.append(nothing(turn, Status.TIMEOUT) if late else ask(agent, key, turn, clock))
    return _join(parts)


def nothing(turns: Turns, status: Status | NDArray[np.uint8] = Status.DONE) -> Answers:
    """No action at all, with that status: one for all turns, or one for each."""
    space = turns.source.game.action_space
    n = len(turns)
    return Answers(
        np.zeros((n, *(space.shape or ())), space.dtype),
        np.full(n, status, np.uint8),
        np.full(n, status == Status.TIMEOUT),
    )


def _check(turns: Turns, decisions: Decisions) -> Answers:
    """The decisions, with a status for each; raises where they are not answers to these turns."""
    n = len(turns)
    actions = np.asarray(decisions.actions)
    if len(actions) != n:
        raise ValueError(f"{len(actions)} actions for {n} turns")
    answers = nothing(turns, Status.DONE)
    for row, failure in decisions.failures.items():
        answers.status[row] = Status[failure.upper()]
    asked = np.flatnonzero(answers.status == Status.DONE)
    legal = turns.source.legal(turns.tables[asked], turns.seats[asked], actions[asked])
    answers.status[asked[~legal]] = Status.ILLEGAL
    answers.actions[asked[legal]] = actions[asked[legal]]
    probabilities = None
    if decisions.probabilities is not None:
        probabilities = np.array(decisions.probabilities, np.float32)
        wanted = (n, getattr(turns.source.game.action_space, "n", 0))
        if probabilities.shape != wanted:
            raise ValueError(f"probabilities of shape {probabilities.shape}, not {wanted}")
        if not np.isfinite(probabilities[asked]).all():
            raise ValueError("a probability is not a finite number")
    return replace(answers, probabilities=probabilities, notes=notes.written(decisions.notes, n))


def _join(parts: list[Answers]) -> Answers:
    def rows(values: Any) -> Any:
        return [None] if values is None else values

    some = [part.probabilities for part in parts if part.probabilities is not None]
    blank = None if not some else np.zeros((1, len(some[0][0])), np.float32)
    return Answers(
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.status for part in parts]),
        np.concatenate([part.late for part in parts]),
        None
        if blank is None
        else np.concatenate([blank if p.probabilities is None else p.probabilities for p in parts]),
        [note for part in parts for note in rows(part.notes)],
    )
