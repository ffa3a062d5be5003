"""Prompt templates: files of turns with ``{placeholders}``, found by folder and name.

A file is a conversation. Its turns stand below lines ``=== system`` (first, if at all),
``=== user`` and ``=== assistant``. The model answers after each user turn that no assistant turn
follows; a user turn with its assistant turn is a worked example, and a last assistant turn is the
beginning of the answer. ``{name}`` is replaced by the field of that name, ``{{`` and ``}}`` are
braces.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Formatter
from typing import Literal, cast

from arena.agents.llm.backends.backend import Message, Prompt
from arena.envs.errors import InputError
from arena.envs.outside import read_text

Role = Literal["system", "user", "assistant"]
_HEADING = re.compile(r"^=== *(.*?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Template:
    """A conversation with holes.

    Attributes:
        name: its file, for messages and notes: ``holdem/pokergpt`` or a path.
        text: the file's content.
    """

    name: str
    text: str

    def __post_init__(self) -> None:
        """Read the text once, so that a faulty file is found before anything is rendered."""
        if not self.rounds:
            raise InputError(f"prompt {self.name} has no turn; begin one with a line '=== user'")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the text (hex)."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """The names of all fields that the text asks for."""
        return frozenset(
            name for role, body in self._turns for _, name in self._pieces(body) if name is not None
        )

    @cached_property
    def rounds(self) -> tuple[tuple[tuple[Role, str], ...], ...]:
        """The turns, cut after each one that the model answers."""
        turns, rounds, begun = self._turns, [], 0
        for i, (role, _) in enumerate(turns):
            follower = turns[i + 1][0] if i + 1 < len(turns) else None
            if follower is None or (role == "user" and follower == "user"):
                rounds.append(turns[begun : i + 1])
                begun = i + 1
        return tuple(rounds)

    def render(self, **fields: object) -> Prompt:
        """The conversation that the model is to answer.

        Raises InputError for a placeholder that is no field, and for a template in which the model
        answers more than once (see ``render_rounds``).
        """
        if len(self.rounds) != 1:
            raise InputError(
                f"prompt {self.name} has {len(self.rounds)} user turns to be answered; "
                "here a prompt has one"
            )
        return self.render_rounds(**fields)[0]

    def render_rounds(self, **fields: object) -> list[Prompt]:
        """The turns before each of the model's answers; InputError for an unknown placeholder."""
        self.check(fields)
        return [
            tuple(Message(role, self._fill(body, fields)) for role, body in turns)
            for turns in self.rounds
        ]

    def check(self, fields: Iterable[str]) -> None:
        """Raise InputError where the template asks for a field that is none of ``fields``."""
        known = set(fields)
        unknown = sorted(self.placeholders - known)
        if unknown:
            raise InputError(
                f"prompt {self.name}: unknown placeholder {{{unknown[0]}}}; "
                f"known are {', '.join(sorted(known))}"
            )

    @cached_property
    def _turns(self) -> tuple[tuple[Role, str], ...]:
        head, *parts = _HEADING.split(self.text)
        if head.strip():
            raise InputError(
                f"prompt {self.name} has text before its first turn; begin with a line '=== user'"
            )
        turns: list[tuple[Role, str]] = []
        for role, body in zip(parts[::2], parts[1::2], strict=True):
            if role not in ("system", "user", "assistant"):
                raise InputError(
                    f"prompt {self.name}: unknown section '=== {role}'; "
                    "sections are system, user and assistant"
                )
            before = turns[-1][0] if turns else None
            if (role == "system" and turns) or (role == "assistant" and before != "user"):
                where = "first" if role == "system" else "after a user turn"
                raise InputError(f"prompt {self.name}: a section '=== {role}' stands {where} only")
            if not body.strip():
                raise InputError(f"prompt {self.name}: its section '=== {role}' is empty")
            turns.append((cast(Role, role), body.strip("\n")))
        if turns and turns[-1][0] == "system":
            raise InputError(f"prompt {self.name} asks nothing; end it with a section '=== user'")
        for _, body in turns:
            self._pieces(body)
        return tuple(turns)

    def _pieces(self, body: str) -> list[tuple[str, str | None]]:
        """Literal text and the placeholder after it (None after the last), in order."""
        pieces: list[tuple[str, str | None]] = []
        try:
            for literal, name, form, conversion in Formatter().parse(body):
                if name is not None and (not name.isidentifier() or form or conversion):
                    raise ValueError(f"{{{name}}} is not a placeholder")
                pieces.append((literal, name))
        except ValueError as error:
            raise InputError(
                f"prompt {self.name}: {error}; write {{name}} for a field, {{{{ and }}}} for braces"
            ) from None
        return pieces

    def _fill(self, body: str, fields: Mapping[str, object]) -> str:
        return "".join(
            literal + ("" if name is None else str(fields[name]))
            for literal, name in self._pieces(body)
        )


def load_template(folder: Traversable, name: str, family: str) -> Template:
    """The template ``NAME.txt`` of a folder, ``family/NAME`` to its readers, or one's own file.

    A ``name`` that ends in ``.txt`` is the path of one's own file. Raises InputError where there is
    no such template, or where it breaks the format.
    """
    if name.endswith(".txt"):
        return Template(name, read_text(Path(name), 2**20))
    if name not in (known := template_names(folder)):
        raise InputError(
            f"there is no prompt {name!r} for {family}; known are {', '.join(known) or 'none'}, "
            "or the path of a file that ends in .txt"
        )
    text = folder.joinpath(f"{name}.txt").read_text(encoding="utf-8")
    return Template(f"{family}/{name}", text)


def template_names(folder: Traversable) -> list[str]:
    """The names of a folder's templates, sorted."""
    found = (Path(file.name) for file in folder.iterdir())
    return sorted(file.stem for file in found if file.suffix == ".txt")
