"""CALM's judge: was a subgoal achieved in this step? As questions to a language model.

Kwon et al. (2409.12798) put their prompt together from parts: a role, the key to the map's symbols,
the task, subgoals that are given or are to be thought of, an instruction, the form of the answer,
and the game play. So does this, from the files in ``parts``. A variant is named by
where it departs from ``base``, words joined by ``-``: ``map-progress``, ``norole-json``.

The published code evaluates the model's answer as Python. Here an answer is read by one strict
grammar, and what it does not know is no judgement.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from typing import Any, Literal

from arena.agents.llm.decoding.question import Question
from arena.agents.llm.prompting.templates import Template
from arena.envs.errors import InputError
from arena.envs.outside import parse_json

Verdict = Literal["key", "door", "achieved", "none"]
"""Which subgoal was achieved; "achieved" where a model judges by subgoals of its own."""

_PARTS = files("arena.agents.llm.prompting.calm").joinpath("parts")
_ANSWER = "Answer:"
_WORDS: Mapping[str, Mapping[str, Verdict]] = {
    "preset": {"key": "key", "door": "door", "none": "none"},
    "own": {"yes": "achieved", "no": "none"},
}
_DEPARTURES: Mapping[str, tuple[str, Any]] = {
    "norole": ("role", False),
    "nosymbols": ("symbols", False),
    "notask": ("task", False),
    "own": ("subgoals", "own"),
    "progress": ("instruction", "progress"),
    "optimality": ("instruction", "optimality"),
    "transition": ("instruction", "transition"),
    "json": ("answer", "json"),
    "reason": ("answer", "reason"),
    "map": ("view", "map"),
}


@dataclass(frozen=True)
class Variant:
    """Of which parts a prompt is made.

    Attributes:
        role, symbols, task: whether the part is there.
        subgoals: "preset": key and door are named; "own": the model is to think of subgoals, and
            judges whether one of them was achieved.
        instruction: what the model is to do, see the parts.
        answer: "word", "json", or "reason": sentences, then a line with the word.
        view: what is shown of the map, the 9 × 9 characters around the player or all of it.
    """

    role: bool = True
    symbols: bool = True
    task: bool = True
    subgoals: Literal["preset", "own"] = "preset"
    instruction: Literal["identify", "progress", "optimality", "transition"] = "identify"
    answer: Literal["word", "json", "reason"] = "word"
    view: Literal["crop", "map"] = "crop"

    @classmethod
    def parse(cls, text: str) -> Variant:
        """The variant that ``str`` writes; InputError for any other text."""
        variant, seen = cls(), set()
        for word in [] if text == "base" else text.split("-"):
            if word not in _DEPARTURES or (field := _DEPARTURES[word][0]) in seen:
                raise InputError(
                    f"{text!r} is not a variant of CALM's prompt: 'base', or by '-' joined at most "
                    f"one of a kind of {', '.join(_DEPARTURES)}"
                )
            seen.add(field)
            variant = replace(variant, **{field: _DEPARTURES[word][1]})
        return variant

    def __str__(self) -> str:
        words = [w for w, (field, value) in _DEPARTURES.items() if getattr(self, field) == value]
        return "-".join(words) or "base"

    @cached_property
    def template(self) -> Template:
        """The prompt; its digest tells it apart from all others."""
        names = [part for part in ("role", "symbols", "task") if getattr(self, part)]
        names += [f"subgoals_{self.subgoals}", f"instruction_{self.instruction}"]
        names += [f"answer_{self.answer}_{self.subgoals}"]
        head = "\n".join(_part(name) for name in names)
        return Template(f"calm/{self}", f"=== system\n{head}\n=== user\n{_part('play')}")

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What it can come to."""
        return tuple(_WORDS[self.subgoals].values())

    def question(
        self, before: Mapping[str, str], action: str, after: Mapping[str, str]
    ) -> Question:
        """Ask about a step; the observations are ``arena.envs.minihack.labels.shot``'s.

        The question's answers are read as a ``Verdict``.
        """
        prompt = self.template.render(
            before=before[self.view],
            message_before=before["message"] or "none",
            action=action,
            after=after[self.view],
            message_after=after["message"] or "none",
        )
        return Question(prompt, self._choices, self._reader, whole=self.answer == "reason")

    @cached_property
    def _choices(self) -> Sequence[str]:
        words = _WORDS[self.subgoals]
        if self.answer == "json":
            return [json.dumps(self._flags(verdict)) for verdict in words.values()]
        return [f"{_ANSWER} {word}" if self.answer == "reason" else word for word in words]

    def _flags(self, verdict: Verdict) -> dict[str, bool]:
        return {name: name == verdict for name in self.verdicts if name != "none"}

    @cached_property
    def _reader(self) -> Callable[[str], Verdict]:
        return self._read_json if self.answer == "json" else self._read_word

    def _read_word(self, answer: str) -> Verdict:
        words = _WORDS[self.subgoals]
        said = answer.strip()
        if self.answer == "reason":
            last = said.splitlines()[-1].strip() if said else ""
            if not last.startswith(_ANSWER):
                raise InputError(f"the answer's last line does not begin with {_ANSWER!r}")
            said = last.removeprefix(_ANSWER).strip()
        word = said.removesuffix(".").casefold()
        if word not in words:
            raise InputError(f"{said[:80]!r} is none of the words {', '.join(words)}")
        return words[word]

    def _read_json(self, answer: str) -> Verdict:
        wanted = self._flags("none")
        found = parse_json(answer, "the answer")
        if not isinstance(found, dict) or set(found) != set(wanted):
            raise InputError(f"the answer must be a JSON object with {', '.join(wanted)}")
        if not all(isinstance(value, bool) for value in found.values()):
            raise InputError("the answer's values must be true or false")
        true = [verdict for verdict in self.verdicts if found.get(verdict)]
        if len(true) > 1:
            raise InputError("a step achieves one subgoal at most")
        return true[0] if true else "none"


DEPARTURES = tuple(word for word in _DEPARTURES if word != "reason")
"""Variants that differ from ``base`` in one part; ``reason`` asks for a model that writes."""


def _part(name: str) -> str:
    return _PARTS.joinpath(f"{name}.txt").read_text(encoding="utf-8").strip("\n")
