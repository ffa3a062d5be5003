"""Prompts with the answers that a model is to learn, as JSON Lines that trl reads as they are.

A line is an object with ``prompt`` (a list of ``role`` and ``content``), ``completion`` (the same,
one turn of the assistant) and ``meta`` (where the example comes from).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import orjson

from arena.agents.llm.backends.backend import Message, Prompt
from arena.agents.llm.prompting.templates import Role
from arena.envs.errors import InputError
from arena.envs.files import replacing
from arena.envs.outside import parse_record, read_lines


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt and the answer to learn.

    Attributes:
        prompt: the conversation, its last message the user's.
        answer: what the model is to say, and nothing after it.
        meta: JSON-able, where it comes from.
    """

    prompt: Prompt
    answer: str
    meta: Mapping[str, Any] = field(default_factory=dict)


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write a file whole or not at all; how many examples it holds. InputError where it cannot."""
    count = 0
    with replacing(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            for count, example in enumerate(examples, 1):  # noqa: B007 - counts
                stream.write(orjson.dumps(_record(example)) + b"\n")
    return count


def read_examples(path: Path) -> list[Example]:
    """The examples of a file; InputError that names the line where it holds none."""
    examples = list(_read(path))
    if not examples:
        raise InputError(f"{path} holds no examples")
    return examples


def _record(example: Example) -> dict[str, Any]:
    return {
        "prompt": [{"role": m.role, "content": m.content} for m in example.prompt],
        "completion": [{"role": "assistant", "content": example.answer}],
        "meta": example.meta,
    }


def _read(path: Path) -> Iterator[Example]:
    for number, line in read_lines(path, 2**26):
        try:
            record = parse_record(line, str(path))
            prompt = tuple(Message(turn["role"], turn["content"]) for turn in record["prompt"])
            [completion] = record["completion"]
            good = (
                prompt
                and prompt[-1].role == "user"
                and completion["role"] == "assistant"
                and all(m.role in get_args(Role) and isinstance(m.content, str) for m in prompt)
                and isinstance(completion["content"], str)
                and isinstance(record.get("meta") or {}, dict)
            )
        except (KeyError, TypeError, ValueError):
            good = False
        if not good:
            raise InputError(
                f"{path}, line {number}: not an example; it must be a JSON object with prompt "
                "(turns of role and content, the last the user's) and completion, one turn of "
                "the assistant"
            )
        yield Example(prompt, completion["content"], record.get("meta") or {})
