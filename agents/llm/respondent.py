"""Agents that are asked questions outside a game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from arena.agents.llm.backends.backend import Backend
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.reading import Decoding, Seeds
from arena.agents.registry import GROUP, identify
from arena.envs.errors import InputError
from arena.envs.registry import load
from arena.envs.specs import Spec, bind


class Responding(Protocol):
    """Answers questions in batches."""

    def decide(self, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """A reply to each question; ``seeds`` is uint64 ``(n,)``."""


@dataclass(frozen=True)
class Direct:
    """A model that is asked by a decoding, with the questions' own prompts."""

    backend: Backend
    decoding: Decoding

    def decide(self, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Responding``."""
        return self.decoding.decide(self.backend, questions, seeds)


@dataclass(frozen=True)
class Respondent:
    """An agent that is asked questions outside a game, by suites.

    Attributes:
        spec, key: its canonical spec and its identity's key.
        responding: what answers.
    """

    spec: str
    key: str
    responding: Responding

    def decide(self, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """A reply to each question; ``seeds`` is uint64 ``(n,)``, one for each."""
        return self.responding.decide(questions, seeds)


def respondent(spec: str) -> Respondent:
    """The respondent that an agent's spec names.

    A family can be asked where its factory has a classmethod ``respondent(checkpoint, options)``,
    which returns a ``Responding``. Raises InputError for a spec that names no such family, and what
    the family raises.
    """
    parsed = Spec.parse(spec)
    factory = load(GROUP, parsed.family, "agent")
    if not hasattr(factory, "respondent"):
        raise InputError(f"agent {parsed.family!r} answers no questions outside a game; use lm:…")
    identity = identify(parsed)
    options = bind(factory, parsed, "agent")
    return Respondent(identity.spec, identity.key, factory.respondent(parsed.checkpoint, options))
