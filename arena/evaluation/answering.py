"""Questions asked of several agents, every answer kept in a folder as it comes.

The folder holds ``settings.json``, which says what is evaluated, and for each agent and set of
questions a file ``answers/….jsonl``, a line an answer. Whatever interrupts, the same command goes
on; where a model could not answer (which is not to answer wrongly), it is asked again.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import orjson

from arena.agents.llm.decoding.question import Question, Reply
from arena.envs import seeding
from arena.envs.checkpoints import typed
from arena.envs.errors import InputError
from arena.envs.files import write
from arena.envs.outside import parse_record, read_bytes, read_json

BATCH = 64


class Examinee(Protocol):
    """Who answers questions: ``arena.agents.llm.player.respondent(spec)`` makes one."""

    @property
    def spec(self) -> str:
        """Its canonical spec."""

    @property
    def key(self) -> str:
        """Its identity: equal keys, equal players."""

    def decide(self, questions: Sequence[Question], seeds: Any) -> list[Reply]:
        """A reply to each question; ``seeds`` is uint64 ``(n,)``."""


@dataclass(frozen=True)
class Recorded:
    """An answer, as the folder keeps it.

    Attributes:
        value: what the question's parser made of it, None where there is nothing.
        text: the answer as it counts; ``said`` is all that the model wrote.
        failure: ``illegal``, ``crash``, ``timeout`` or None; ``error`` says more.
        tokens_in, tokens_out, seconds: what it cost.
    """

    value: Any
    text: str
    said: str
    failure: str | None
    error: str
    tokens_in: int
    tokens_out: int
    seconds: float

    @classmethod
    def of(cls, reply: Reply) -> Recorded:
        """What is kept of a reply."""
        notes = reply.notes
        return cls(
            reply.value,
            reply.text,
            str(notes.get("answer", reply.text)),
            reply.failure,
            str(notes.get("error", "")),
            int(notes.get("tokens_in", 0)),
            int(notes.get("tokens_out", 0)),
            float(notes.get("seconds", 0.0)),
        )


_NAMED = re.compile(r"([\w.+ -]+)=(?=\w+[:?]|\w+$)(.+)", re.DOTALL)


def named(agents: Sequence[str]) -> dict[str, str]:
    """Specs by the names that tables show, from ``SPEC`` or ``NAME=SPEC``.

    Raises InputError where a name is there twice.
    """
    specs: dict[str, str] = {}
    for text in agents:
        match = _NAMED.fullmatch(text)
        name, spec = match.groups() if match else (text, text)
        if name in specs:
            raise InputError(f"--agent {name} is there twice; name one otherwise: NAME=SPEC")
        specs[name] = spec
    return specs


def open_folder(folder: Path, settings: Mapping[str, Any]) -> None:
    """Make a folder for these settings, or go on with one that was made for the same.

    Raises InputError where it was made for others, saying which differs, or cannot be written.
    """
    file = folder / "settings.json"
    plain = orjson.loads(orjson.dumps(settings))
    try:
        if file.is_file():
            known = typed(read_json(file), dict[str, Any], str(file))
        elif folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"{folder} holds something else already; name a new folder")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            write(file, orjson.dumps(plain, option=orjson.OPT_INDENT_2))
            return
    except OSError as error:
        raise InputError(f"{folder} cannot be used: {error}; name another folder") from None
    for name in sorted({*known, *plain}):
        before, now = known.get(name), plain.get(name)
        if before != now:
            raise InputError(
                f"{folder} was made with {name} {before}, not {now}; go on with the same "
                "settings or name another folder"
            )


def kept_in(folder: Path) -> str:
    """What is told to who interrupts an evaluation."""
    return f"finished answers are kept in {folder}, and the same command asks for the rest"


def ask(
    folder: Path,
    respondent: Examinee,
    questions: Mapping[str, Question],
    *,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,
    batch: int = BATCH,
) -> dict[str, Recorded]:
    """The answers of one agent to named questions, those asked now and those in the folder.

    Every question has a seed of its own, so that an answer does not depend on what else was asked.
    ``progress`` is told how many answers there are.
    """
    file = folder / "answers" / f"{respondent.key}-{_digest(seed, questions)}.jsonl"
    file.parent.mkdir(exist_ok=True)
    known = {
        name: recorded
        for name, recorded in read_answers(file).items()
        if name in questions and recorded.failure not in ("crash", "timeout")
    }
    missing = [name for name in questions if name not in known]
    progress(len(known))
    with file.open("ab") as stream:
        for first in range(0, len(missing), batch):
            chosen = missing[first : first + batch]
            seeds = np.array([seeding.derive(seed, "question", name) for name in chosen], np.uint64)
            replies = respondent.decide([questions[name] for name in chosen], seeds)
            lines = b""
            for name, reply in zip(chosen, replies, strict=True):
                line = orjson.dumps(
                    {"name": name, **vars(Recorded.of(reply))},
                    option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY,
                )
                lines += line
                known |= _recorded(line, str(file))
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
            progress(len(known))
    return {name: known[name] for name in questions}


def _digest(seed: int, questions: Mapping[str, Question]) -> str:
    facts = [
        [name, [[m.role, m.content] for m in question.prompt], list(question.choices)]
        for name, question in questions.items()
    ]
    return hashlib.sha256(orjson.dumps([str(seed), facts])).hexdigest()[:12]


def read_answers(file: Path) -> dict[str, Recorded]:
    """The answers in a file; a last line that was torn by an interrupt is cut off."""
    if not file.is_file():
        return {}
    data = read_bytes(file)
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        write(file, whole)
    found: dict[str, Recorded] = {}
    try:
        for number, line in enumerate(whole.splitlines(), 1):
            found |= _recorded(line, f"line {number}")
    except InputError as error:
        raise InputError(
            f"{file} is not a record of answers ({error}); delete it, and they are asked for anew"
        ) from None
    return found


def _recorded(line: bytes, where: str) -> dict[str, Recorded]:
    """The answer in a line, by its question's name."""
    record = parse_record(line, where)
    name = record.pop("name", None) if isinstance(record, dict) else None
    if not isinstance(name, str):
        raise InputError(f"{where} does not name its question")
    return {name: typed(record, Recorded, where)}
