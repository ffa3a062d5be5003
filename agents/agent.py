"""What a league needs of a player: a batch of turns in, a batch of decisions out."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Ints, Turns

Failure = Literal["illegal", "crash", "timeout"]


class CannotPlay(InputError):
    """The agent does not fit the game; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """An agent's answers to a batch of ``n`` turns.

    Attributes:
        actions: array of shape ``(n,)`` for a Discrete space, ``(n, …)`` for a Box.
        probabilities: float ``(n, actions)``, in a Discrete space the policy that the actions were
            drawn from, if known: rows sum to 1. Shown in replays and used for variance reduction.
        notes: a JSON-able dict for each turn (a language model's prompt, answer, tokens,
            seconds), or None; kept in the replay.
        failures: rows for which the agent has no answer, and why. Each is a forfeit.
    """

    actions: NDArray[Any]
    probabilities: NDArray[np.floating[Any]] | None = None
    notes: Sequence[Mapping[str, Any] | None] | None = None
    failures: Mapping[int, Failure] = field(default_factory=dict)


class Agent(ABC):
    """A player, made for one game: ``Factory(game, checkpoint, *, options…)``.

    The keyword-only parameters of ``__init__`` are the options of its specs. ``__init__`` raises
    ``CannotPlay`` where the game does not suit it, so that a league hears of it before it starts.

    Class attribute ``version`` counts up when equal turns no longer give equal decisions; it is
    part of the agent's identity.
    """

    version: ClassVar[int] = 1

    @abstractmethod
    def act(self, turns: Turns) -> Decisions:
        """Decide every turn. Randomness comes from ``turns.uniforms`` and nowhere else."""

    def begin(self, tables: Ints, seats: Ints) -> None:  # noqa: B027 - most agents remember nothing
        """An episode begins for this agent at these tables and seats: forget what was there.

        An error here, or in ``end``, forfeits the episodes.
        """

    def end(  # noqa: B027
        self, tables: Ints, seats: Ints, returns: NDArray[np.float64]
    ) -> None:
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
