"""What an agent's decisions come to: actions that may be taken, or forfeits with a status.

Here the venue draws: where an agent declares its policy, the action comes from the policy and from
a number that the agent never sees, so that what was recorded is what was played.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions, Failure
from arena.envs import seeding
from arena.envs.game import Turns

SUMS_TO = 1e-6  # how far a declared policy's sum may be from 1


class Status(enum.IntEnum):
    """How an episode ended for one seat. All but DONE are forfeits: scored, and shown apart."""

    DONE = 0
    ILLEGAL = 1
    CRASH = 2
    TIMEOUT = 3


FAILURES: tuple[Failure | None, ...] = (None, "illegal", "crash", "timeout")
"""What an agent calls a failure, by the value of its status."""


@dataclass(frozen=True)
class Answers:
    """A batch's answers, checked: ``status[i]`` is DONE where ``actions[i]`` may be taken.

    Nothing here is shared with the agent: what it changes after it has answered changes nothing.

    Attributes:
        actions: an array of the action space's dtype, zeros where nothing may be taken.
        status: uint8 ``(n,)``.
        late: bool ``(n,)``, where a clock ran out (an agent may also report a time-out itself).
        drawn: bool ``(n,)``, where the agent declared a policy, from which the venue draws the
            action (``draw``); elsewhere ``probabilities`` are the agent's comment.
        probabilities: ``(n, actions)``, float64 where declared, else float32.
        notes: one for each turn.
        doubtful: where turns are late, that it may be another's fault: by the wall clock only.
    """

    actions: NDArray[Any]
    status: NDArray[np.uint8]
    late: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    probabilities: NDArray[np.floating[Any]] | None = None
    notes: Sequence[Any] | None = None
    doubtful: bool = False


def consult(agent: Agent, turns: Turns, uniforms: NDArray[np.float64]) -> Answers:
    """Ask the agent, check what it says, draw, and tell it what was drawn.

    Raises what the agent raises, and what ``check`` does.
    """
    answers = draw(check(turns, agent.act(turns)), uniforms)
    if answers.drawn.any() and type(agent).took is not Agent.took:
        rows = np.flatnonzero(answers.drawn)
        agent.took(turns.select(rows), answers.actions[rows])
    return answers


def nothing(turns: Turns, status: Status | NDArray[np.uint8] = Status.DONE) -> Answers:
    """No action at all, with that status: one for all turns, or one for each."""
    space, n = turns.game.action_space, len(turns)
    return Answers(
        # A Tuple or Dict space has neither shape nor dtype: its actions are objects.
        np.zeros((n, *(space.shape or ())), object if space.dtype is None else space.dtype),
        np.full(n, status, np.uint8),
        np.full(n, status == Status.TIMEOUT),
        np.zeros(n, np.bool_),
    )


def check(turns: Turns, decisions: Decisions) -> Answers:
    """The decisions with a status for each; declared policies are still to be drawn from.

    A declared row that is not a distribution is a crash, one that gives an illegal action a chance
    is illegal, whatever would have been drawn.

    Raises ValueError or TypeError where these are not decisions on these turns.
    """
    answers = nothing(turns)
    for row, failure in decisions.failures.items():
        answers.status[row] = Status[failure.upper()]
    asked = np.flatnonzero(answers.status == Status.DONE)
    policies = _policies(turns, decisions, asked)
    if decisions.actions is None:
        if policies is None:
            raise ValueError("neither actions nor probabilities")
        answers.status[asked] = _verdicts(turns, policies)[asked]
        answers.drawn[:] = answers.status == Status.DONE
    else:
        actions = np.asarray(decisions.actions)
        if len(actions) != len(turns):
            raise ValueError(f"{len(actions)} actions for {len(turns)} turns")
        legal = turns.select(asked).legal(actions[asked])
        answers.status[asked[~legal]] = Status.ILLEGAL
        answers.actions[asked[legal]] = actions[asked[legal]]
    return replace(answers, probabilities=policies, notes=decisions.notes)


def draw(answers: Answers, uniforms: NDArray[np.float64]) -> Answers:
    """Fill in what is drawn from declared policies.

    Args:
        answers: what ``check`` gives.
        uniforms: float64 ``(n,)`` in [0, 1), from a stream that the agent cannot know.
    """
    if answers.drawn.any():
        assert answers.probabilities is not None
        rows = np.flatnonzero(answers.drawn)
        answers.actions[rows] = seeding.draw(answers.probabilities[rows], uniforms[rows])
    return answers


def _policies(
    turns: Turns, decisions: Decisions, asked: NDArray[np.int64]
) -> NDArray[np.floating[Any]] | None:
    if decisions.probabilities is None:
        return None
    declared = decisions.actions is None
    policies: NDArray[np.floating[Any]] = np.array(
        decisions.probabilities, np.float64 if declared else np.float32
    )
    wanted = (len(turns), getattr(turns.game.action_space, "n", 0))
    if policies.shape != wanted:
        raise ValueError(f"probabilities of shape {policies.shape}, not {wanted}")
    if not declared and not np.isfinite(policies[asked]).all():
        raise ValueError("a probability is not a finite number")
    return policies


def _verdicts(turns: Turns, policies: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """The status of each declared policy."""
    mask = turns.action_mask
    assert mask is not None  # a Discrete space has one, and the policies have its shape
    sums = np.abs(policies.sum(1) - 1.0)
    if policies.min(initial=0.0) >= 0 and (sums <= SUMS_TO).all() and not policies[~mask].any():
        return np.full(len(policies), Status.DONE, np.uint8)  # as a rule
    proper = np.isfinite(policies).all(1) & (policies >= 0).all(1)
    proper &= np.abs(np.where(proper, policies.sum(1), 0.0) - 1.0) <= SUMS_TO
    astray = ((policies != 0) & ~mask).any(1)
    verdicts = np.select([~proper, astray], [Status.CRASH, Status.ILLEGAL], Status.DONE)
    return verdicts.astype(np.uint8)
