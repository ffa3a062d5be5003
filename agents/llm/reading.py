"""What all decodings share: a question's way to its reply, and the reading of free answers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Failure
from arena.agents.llm.backend import Answer, Backend
from arena.agents.llm.question import Question, Reply
from arena.envs import seeding
from arena.envs.errors import InputError

Seeds = NDArray[np.uint64]

MARKER = "ACTION:"
DECIMALS = 4
"""Of a log-probability that decides: what lies below is rounding in the model's arithmetic."""

_QUOTED = 80  # characters of an answer in a sentence about it
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_MARKED = re.compile(rf"^{MARKER}(.*)$", re.MULTILINE)


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


def extract(question: Question, text: str) -> str:
    """What counts of a free answer (see ``decoding``); InputError where it is not there."""
    text = _THOUGHT.sub("", text, count=1)
    if question.whole:
        return text
    if any(MARKER in message.content for message in question.prompt):
        marked = _MARKED.findall(text)
        if not marked:
            raise InputError(f"no line of the answer begins with {MARKER!r}")
        return str(marked[-1]).strip()
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


class Sample:
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
            text = extract(question, answer.text)
            value = question.parse(text)
        except InputError:
            return
        self.text, self.legal = text, True
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
            text = extract(self.question, answer.text)
        except InputError as error:
            return self._illegal("", error)
        return self._read(text, None)

    def choose(self, text: str, probabilities: NDArray[np.float64] | None = None) -> Reply:
        """The reply that one of the question's choices makes."""
        self.said = text
        return self._read(text, probabilities)

    def failed(self, failure: Failure, error: str, text: str = "") -> Reply:
        """A reply without a value."""
        return Reply(None, text, None, self._told() | {"error": error}, failure)

    def _read(self, text: str, probabilities: NDArray[np.float64] | None) -> Reply:
        try:
            value = self.question.parse(text)
        except InputError as error:
            return self._illegal(text, error)
        return Reply(value, text, probabilities, self._told())

    def _illegal(self, text: str, error: InputError) -> Reply:
        problem = str(error)
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
