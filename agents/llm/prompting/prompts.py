"""The prompts of a game: its templates, and the fields that fill them.

A game's prompts join by an entry point ``arena.prompts`` of the game's name. What it names is a
package: each of its files ``NAME.txt`` is a template (see ``templates``), and it may define

- ``fields(facts)``: the words that its templates may show, made from a turn's facts. Without it
  they are the facts themselves, by their names.
- ``programs(game, template)``: a ``Programs`` where the template asks for more than one decision
  at once, else None.

Every game has the fields ``observation`` (its text), ``actions`` (the legal actions in words, or
the examples of an open grammar, in one line), ``action_lines`` (one a line) and ``history``. A game
without an entry point has the prompts of ``generic``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from arena.agents.agent import Decisions
from arena.agents.llm.backends.backend import Backend
from arena.agents.llm.decoding.reading import Decoding
from arena.agents.llm.prompting.history import Key
from arena.agents.llm.prompting.interview import Asking
from arena.agents.llm.prompting.templates import Template, load_template, template_names
from arena.envs.game import Game, Turns
from arena.envs.plugins import points
from arena.envs.registry import load

GROUP = "arena.prompts"
COMMON = frozenset({"observation", "actions", "action_lines", "history"})

Fields = Mapping[str, str]


class Programs(Protocol):
    """Plays answers that hold many decisions; of a league's match, one object.

    Attributes:
        fields: what its template may show beside the game's fields.
        temperature: at which a model writes that is told none; None: the decoding's own.
    """

    fields: frozenset[str]
    temperature: float | None

    def check(self, decoding: Decoding, *, lenient: bool) -> None:
        """Raise CannotPlay where the programs cannot be had by this decoding."""

    def interview(self, template: Template, backend: Backend, decoding: Decoding) -> Asking:
        """What asks for a program."""

    def forget(self, keys: Sequence[Key]) -> None:
        """Episodes begin at these tables and seats."""

    def act(
        self, turns: Turns, keys: Sequence[Key], fields: Sequence[Fields], asking: Asking
    ) -> Decisions:
        """The next decision of every program, each asked for where it begins."""


@dataclass(frozen=True)
class Prompts:
    """The prompts of one game.

    Attributes:
        game: whose turns are told.
        family: what the templates' names begin with: the game's name, or ``generic``.
        package: where they lie.
    """

    game: Game
    family: str
    package: ModuleType

    @classmethod
    def of(cls, game: Game) -> Prompts:
        """Those that the game's name has joined with, else those of every game.

        Raises InputError where they cannot be imported.
        """
        if game.name in points(GROUP):
            return cls(game, game.name, load(GROUP, game.name, "prompts of the game"))
        return cls(game, "generic", import_module("arena.agents.llm.prompting.generic"))

    @property
    def names(self) -> list[str]:
        """Of all templates, sorted."""
        return template_names(files(self.package))

    def load(self, name: str) -> Template:
        """The template of that name, or in one's own file; InputError for any other, or a fault."""
        template = load_template(files(self.package), name, self.family)
        programs = self.programs(template)
        asked = template.placeholders - COMMON - (programs.fields if programs else frozenset())
        if asked:  # else no table need be dealt to find out
            template.check(self.fields | (template.placeholders - asked))
        return template

    def digest(self, name: str) -> str:
        """SHA-256 (hex) over the template ``name`` and those that it leads to, ``name_…``."""
        known = [name] if name.endswith(".txt") else self.names
        chosen = [one for one in known if one == name or one.startswith(f"{name}_")]
        texts = [load_template(files(self.package), one, self.family).text for one in chosen]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()

    @cached_property
    def fields(self) -> frozenset[str]:
        """The names of all fields."""
        tables = self.game.tables(1)
        tables.renew(np.zeros(1, np.int64), np.zeros(1, np.uint64))
        return COMMON | set(self._words(tables.turns().facts[0]))

    def fill(self, turns: Turns, row: int, history: str, wanted: Iterable[str]) -> Fields:
        """The fields ``wanted`` of turn ``row``; ``history`` as the player has kept it."""
        asked = set(wanted)
        out = {"history": history}
        if "observation" in asked:
            out["observation"] = turns.text[row]
        if asked & {"actions", "action_lines"}:
            words = turns.words[row]
            out |= {"actions": ", ".join(words), "action_lines": "\n".join(words)}
        if asked - COMMON:
            out |= self._words(turns.facts[row])
        return out

    def programs(self, template: Template) -> Programs | None:
        """What plays this template's answers where they are more than a decision."""
        make: Callable[[Game, Template], Programs | None] | None
        make = getattr(self.package, "programs", None)
        return None if make is None else make(self.game, template)

    def _words(self, facts: Mapping[str, Any]) -> dict[str, str]:
        make: Callable[[Mapping[str, Any]], Fields] = getattr(self.package, "fields", plain)
        return dict(make(facts))


def plain(facts: Mapping[str, Any]) -> dict[str, str]:
    """Facts as they are: words and numbers, lists in one line, ``none`` for nothing."""
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(one)}" for name, one in value.items()) or "none"
    return "none" if value is None else str(value)
