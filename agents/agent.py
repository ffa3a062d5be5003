"""What a league needs of a player: a batch of turns in, a batch of decisions out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints, Turns

Failure = Literal["illegal", "crash", "timeout"]
Null = Literal["constant", "forfeiting"]


class CannotPlay(InputError):
    """The agent does not fit the game; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """An agent's answers to a batch of ``n`` turns.

    Attributes:
        actions: array of shape ``(n,)`` for a Discrete space, ``(n, …)`` for a Box. None declares
            ``probabilities`` as the agent's policy: the venue draws from them.
        probabilities: float ``(n, actions)`` of a Discrete space. Where ``actions`` is None, rows
            of finite numbers from 0 that sum to 1 (within 1e-6), with nothing on an illegal action:
            what estimators, best responses and search may trust, kept at full precision. Beside
            actions that the agent chose itself they are a comment, shown in replays and no more.
        notes: a JSON-able dict for each turn (a language model's prompt, answer, tokens,
            seconds), or None; kept in the replay.
        failures: rows for which the agent has no answer, and why. Each is a forfeit.
    """

    actions: NDArray[Any] | None
    probabilities: NDArray[np.floating[Any]] | None = None
    notes: Sequence[Mapping[str, Any] | None] | None = None
    failures: Mapping[int, Failure] = field(default_factory=dict)


class Agent:
    """A player, made for one game: ``Factory(game, checkpoint, *, options…)``.

    It overrides ``policy``, or ``act``, or both. The keyword-only parameters of ``__init__`` are
    the options of its specs. ``__init__`` raises ``CannotPlay`` where the game does not suit it, so
    that a league hears of it before it starts.

    Bump the class attribute ``version`` when equal turns no longer give equal decisions; it is part
    of the agent's identity.
    """

    version: ClassVar[int] = 1

    @classmethod
    def null(cls, options: Mapping[str, Any]) -> Null | None:
        """With these options, is it a player that plays no game, and of which kind?

        "constant" takes one action whatever it sees, "forfeiting" never gives a legal answer. A
        league holds both against ``random``: one that ranks above it is an alarm.
        """
        return None

    @property
    def declares(self) -> bool:
        """Whether it declares its policy, so that the venue draws its actions.

        An agent that overrides ``act`` as well, or whose options decide, says so itself.
        """
        return type(self).policy is not Agent.policy

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """How likely it takes each action, float64 ``(n, actions)``, in a Discrete space.

        A function of the turn alone and, of a player that remembers, of what went before at its
        table. It draws nothing; what is drawn from it, ``took`` says. See
        ``Decisions.probabilities`` for what rows must be.
        """
        raise NotImplementedError(f"{type(self).__name__} must define policy or act")

    def act(self, turns: Turns) -> Decisions:
        """Decide every turn: here, declare the policy.

        Randomness that an agent needs itself comes from ``turns.uniforms`` and nowhere else.
        """
        return Decisions(None, self.policy(turns))

    def took(self, turns: Turns, actions: NDArray[Any]) -> None:
        """``actions[i]`` was drawn from its policy at turn ``i``: for an agent that remembers."""

    def begin(self, tables: Ints, seats: Ints) -> None:
        """An episode begins for this agent at these tables and seats: forget what was there.

        There need not have been an ``end``: a match may be given up, and played again elsewhere. An
        error here, or in ``end``, forfeits the episodes.
        """

    def end(self, tables: Ints, seats: Ints, returns: NDArray[np.float64]) -> None:
        """The episodes at these tables and seats are over, with these returns."""


@dataclass(frozen=True)
class Identity:
    """Who exactly plays.

    Attributes:
        spec: the canonical spec.
        checkpoint: SHA-256 of the checkpoint's files (hex), or "" where there is none.
        configuration: SHA-256 of the family, its version and all options, defaults included.
    """

    spec: str
    checkpoint: str
    configuration: str

    @cached_property
    def key(self) -> str:
        """12 hex digits of checkpoint and configuration: equal keys, equal players.

        Where the checkpoint lies does not count, so that a moved folder is the same player.
        """
        return hashlib.sha256(f"{self.checkpoint}:{self.configuration}".encode()).hexdigest()[:12]
