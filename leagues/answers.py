"""Ask an agent, and turn whatever happens into answers: decisions, or forfeits with a status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions
from arena.envs.game import Ints, Turns
from arena.leagues.clock import Clock, TimeUp
from arena.leagues.match import Status


@dataclass(frozen=True)
class Answers:
    """A batch's answers, checked: ``status[i]`` is DONE where ``actions[i]`` may be taken.

    ``late[i]`` says that the clock ran out on turn ``i`` (an agent may also report a time-out).
    """

    actions: NDArray[Any]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    probabilities: NDArray[Any] | None = None
    notes: Sequence[Mapping[str, Any] | None] | None = None


def ask(agent: Agent, key: str, turns: Turns, clock: Clock) -> Answers:
    """Ask the agent ``key``; whatever happens, each turn has an action or a forfeit's status."""
    try:
        with clock.running(key):
            decisions = agent.act(turns)
        return _check(turns, decisions)
    except TimeUp:
        return nothing(turns, Status.TIMEOUT)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() in an agent ends the agent, not the league
        if len(turns) == 1:
            note = {"error": f"{type(error).__name__}: {error}"}
            return replace(nothing(turns, Status.CRASH), notes=[note])
    # One table's trouble must not cost the others: ask again, one by one, while time is not up.
    parts: list[Answers] = []
    for row in range(len(turns)):
        turn = turns.select(np.array([row]))
        late = bool(parts) and bool(parts[-1].late[0])
        parts.append(nothing(turn, Status.TIMEOUT) if late else ask(agent, key, turn, clock))
    return _join(parts)


def nothing(turns: Turns, status: Status = Status.DONE) -> Answers:
    """No action at all, and the same status everywhere."""
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
    probabilities, notes = decisions.probabilities, decisions.notes
    if probabilities is not None:
        probabilities = np.asarray(probabilities, np.float64)
        wanted = (n, getattr(turns.source.game.action_space, "n", 0))
        if probabilities.shape != wanted:
            raise ValueError(f"probabilities of shape {probabilities.shape}, not {wanted}")
    if notes is not None:
        notes = list(notes)
        if len(notes) != n or not all(note is None or isinstance(note, dict) for note in notes):
            raise ValueError(f"notes are not {n} mappings, one for each turn")
        orjson.dumps(notes, option=orjson.OPT_SERIALIZE_NUMPY)  # TypeError where not JSON
    answers = nothing(turns, Status.DONE)
    for row, failure in decisions.failures.items():
        answers.status[row] = Status[failure.upper()]
    asked = np.flatnonzero(answers.status == Status.DONE)
    legal = turns.source.legal(turns.tables[asked], turns.seats[asked], actions[asked])
    answers.status[asked[~legal]] = Status.ILLEGAL
    answers.actions[asked[legal]] = actions[asked[legal]]
    return replace(answers, probabilities=probabilities, notes=notes)


def _join(parts: list[Answers]) -> Answers:
    def rows(values: Any) -> Any:
        return [None] if values is None else values

    some = [part.probabilities for part in parts if part.probabilities is not None]
    blank = None if not some else [[0.0] * len(some[0][0])]
    return Answers(
        np.concatenate([part.actions for part in parts]),
        np.concatenate([part.status for part in parts]),
        np.concatenate([part.late for part in parts]),
        None
        if blank is None
        else np.concatenate([blank if p.probabilities is None else p.probabilities for p in parts]),
        [note for part in parts for note in rows(part.notes)],
    )


def spread(answers: Answers, asked: Ints, status: NDArray[np.uint8]) -> Answers:
    """Answers to the turns ``asked`` of a larger batch, the others forfeited with ``status``."""
    n = len(status)

    def rows(values: NDArray[Any]) -> NDArray[Any]:
        spread = np.zeros((n, *values.shape[1:]), values.dtype)
        spread[asked] = values
        return spread

    notes: list[Mapping[str, Any] | None] | None = None
    if answers.notes is not None:
        notes = [None] * n
        for row, note in zip(asked.tolist(), answers.notes, strict=True):
            notes[row] = note
    probabilities = answers.probabilities
    return Answers(
        rows(answers.actions),
        np.where(np.isin(np.arange(n), asked), rows(answers.status), status),
        rows(answers.late),
        None if probabilities is None else rows(np.asarray(probabilities)),
        notes,
    )
