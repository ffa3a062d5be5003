"""What all decodings share: a question's way to its reply, and the reading of free answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Failure
from arena.agents.llm.backends.backend import Answer, Backend
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.thoughts import answer_in
from arena.envs import seeding
from arena.envs.errors import InputError

Seeds = NDArray[np.uint64]

MARKER = "ACTION:"
DECIMALS = 4
"""Of a log-probability that decides: what lies below is rounding in the model's arithmetic."""

_QUOTED = 80  # characters of an answer in a sentence about it
_MARKED = re.compile(rf"^{MARKER}(.*)$", re.MULTILINE)
_FENCE = re.compile(r"\s*```\w*\s*")
_LABEL = re.compile(r"(?:final\s+)?(?:action|answer)[\s*_`]*:", re.IGNORECASE)
_END = re.compile(r"(?:</s>|<\|\w+\|>)\s*\Z")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_ORNAMENTS = " \t\u00a0*_`\"'“”‘’„«»"


class Decoding(ABC):
    """A way to decide; all of its randomness comes from the seeds.

    Attributes:
        temperature: 0 decides for the likeliest, above it answers are drawn.
        writes: whether the model writes answers of its own, longer or other than the choices.
    """

    writes: bool

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def check(self, backend: Backend) -> None:  # noqa: B027 - most can use any back end
        """Raise CannotPlay where ``backend`` cannot do what this decoding asks of it."""

    @abstractmethod
    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """A reply to each question; what fails for one is told in its reply alone.

        Args:
            backend: the model.
            questions: what is asked.
            seeds: uint64 ``(n,)``, one for each question.
        """


def extract(question: Question, text: str, cut: bool = False) -> str:
    """What counts of a free answer (see ``decoding``).

    Raises InputError where it is not there, or where an answer that was ``cut`` may have gone on
    with it.
    """
    text = answer_in(text)
    if question.whole:
        _whole(not cut)
        return text
    if _marked(question):
        _whole(not cut)
        marked = _MARKED.findall(text)
        if not marked:
            raise InputError(f"no line of the answer begins with {MARKER!r}")
        return str(marked[-1]).strip()
    line = next((line for line in text.splitlines(keepends=True) if line.strip()), "")
    _whole(not cut or line.endswith(("\n", "\r")))
    return line.strip()


def bare(question: Question, text: str, cut: bool = False) -> str:
    """What counts of a free answer that is read leniently; it raises what ``extract`` does.

    Left away are what cannot be seen, fences of code, bold and other marks, quotation marks, a full
    stop, ``Action:`` before the action in any case, and a token that ends a turn.
    """
    text = _END.sub("", answer_in(text).translate(_INVISIBLE))
    lines = [line for line in text.splitlines() if line.strip() and not _FENCE.fullmatch(line)]
    _whole(not cut or (len(lines) > 1 and not _marked(question)))
    if _marked(question):
        lines = [line for line in lines[::-1] if _LABEL.match(line.lstrip(_ORNAMENTS))]
    line = lines[0].strip(_ORNAMENTS) if lines else ""
    return _LABEL.sub("", line, count=1).strip(_ORNAMENTS).rstrip(".!").rstrip(_ORNAMENTS)


def _marked(question: Question) -> bool:
    return any(MARKER in message.content for message in question.prompt)


def _whole(whole: bool) -> None:
    if not whole:
        raise InputError("the answer was cut short before it was whole; allow it more max_tokens")


class IllegalAnswer(Exception):
    """A free answer that names nothing legal: ``text`` is what counts of it, if anything does."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(problem)
        self.text = text


def understand(question: Question, answer: Answer) -> tuple[str, Any]:
    """What counts of a free answer, and the action that it names; raises Illegal."""
    text = ""
    try:
        text = extract(question, answer.text, answer.cut)
        return text, question.parse(text)
    except InputError as error:
        if question.lenient and not question.whole:
            with suppress(InputError):
                plain = bare(question, answer.text, answer.cut)
                return plain, question.parse(plain)
        raise IllegalAnswer(text, str(error)) from None


class Candidate:
    """One of several free answers to a question, read.

    Attributes:
        answer: as the model gave it.
        text: what counts of it; "" unless ``legal``.
        legal: whether it names an action.
        key: equal for equal actions, however they are written.
    """

    def __init__(self, question: Question, answer: Answer) -> None:
        self.answer = answer
        self.text, self.legal, self.key = "", False, b""
        if answer.error is not None:
            return
        try:
            self.text, value = understand(question, answer)
        except IllegalAnswer:
            return
        self.legal = True
        self.key = orjson.dumps(value, default=repr, option=orjson.OPT_SERIALIZE_NUMPY)


class Inquiry:
    """One question's way to its reply: what was said, and what it cost.

    Attributes:
        question: what is asked.
        notes: what a decoding adds to the reply's notes.
        said, problem: the last answer, and what is illegal about it.
        tokens_in, tokens_out, seconds, cost: sums over all that was asked of the model.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.notes: dict[str, Any] = {}
        self.said = self.problem = ""
        self.tokens_in = self.tokens_out = 0
        self.seconds = 0.0
        self.cost: float | None = None

    def count(self, answer: Answer) -> None:
        """Add what an answer cost."""
        self.tokens_in += answer.tokens_in
        self.tokens_out += answer.tokens_out
        self.seconds += answer.seconds
        if answer.cost is not None:
            self.cost = (self.cost or 0.0) + answer.cost

    def settle(self, answer: Answer) -> Reply:
        """The reply that a free answer makes, if it is legal; its cost is counted already."""
        if answer.error is not None:
            return self.failed("crash", answer.error)
        self.said = answer.text
        try:
            text, value = understand(self.question, answer)
        except IllegalAnswer as error:
            return self._illegal(error.text, str(error))
        return Reply(value, text, None, self._told())

    def choose(self, text: str, probabilities: NDArray[np.float64] | None = None) -> Reply:
        """The reply that one of the question's choices makes."""
        self.said = text
        try:
            value = self.question.parse(text)
        except InputError as error:
            return self._illegal(text, str(error))
        return Reply(value, text, probabilities, self._told())

    def failed(self, failure: Failure, error: str, text: str = "") -> Reply:
        """A reply without a value."""
        return Reply(None, text, None, self._told() | {"error": error}, failure)

    def _illegal(self, text: str, problem: str) -> Reply:
        if len(text) > _QUOTED:  # the answer is in the notes; its parser need not repeat all of it
            problem = problem.replace(repr(text), repr(text[:_QUOTED] + "…"))
        self.problem = problem.rstrip(".")
        return self.failed("illegal", problem, text)

    def _told(self) -> dict[str, Any]:
        prompt = [{"role": m.role, "content": m.content} for m in self.question.prompt]
        notes = {"prompt": prompt, "answer": self.said} | self.notes
        notes |= {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out}
        notes["seconds"] = round(self.seconds, 4)
        return notes if self.cost is None else notes | {"cost": self.cost}


def draws(seeds: Seeds, number: int | NDArray[np.int64]) -> list[int]:
    """Seeds of the draws with that number, as positive int64s, which every back end takes."""
    words = seeding.spread(np.asarray(seeds, np.uint64), np.asarray(number, np.int64))
    return [int(word) for word in (words >> np.uint64(1)).tolist()]
