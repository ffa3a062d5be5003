"""From questions to replies: how a model's probabilities or words become a decision.

===============  =====================================================================  ==========
kind             what is done                                                           rounds
===============  =====================================================================  ==========
``score``        the length-normalised log-probability of every choice                  1
``constrained``  the model writes, and can only write one of the choices                1
``generate``     the model writes freely, a strict parser reads                         1
``vote``         several free answers, the legal action named most often                1
                 (self-consistency, Wang et al., 2023)
``best_of``      several free answers, the legal one that the model finds likeliest     1 or 2
``reflect``      an answer, a critique of it, a final answer                            3
                 (Self-Refine, Madaan et al., 2023: within one decision, nothing is
                 remembered for the next)
===============  =====================================================================  ==========

A round is one call of the back end for all questions. Where none of a question's free answers is
legal, one more round tells the model why and asks again, once; then the answer counts as illegal.

**What counts of a free answer.** A leading ``<think>…</think>`` is cut away. Of the rest, a
question with ``whole`` reads everything; where the prompt speaks of ``ACTION:``, what follows the
last ``ACTION:`` at the beginning of a line, to the end of that line; else the first line that is
not blank. That must be an action by the game's own grammar: no answer stands for two actions.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import orjson
from numpy.typing import NDArray

from agents.agent import CannotPlay, Failure
from agents.llm.backend import Answer, Backend, Message, Prompt, Score
from agents.llm.question import Question, Reply
from envs import seeding
from envs.errors import InputError

Kind = Literal["score", "constrained", "generate", "vote", "best_of", "reflect"]
Seeds = NDArray[np.uint64]

MARKER = "ACTION:"
SAMPLES = 5
MAX_TOKENS = 256
CONTENT_FREE: Prompt = (Message("user", "N/A"),)
"""The prompt under which ``calibrate`` asks how likely each choice is by itself."""

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_MARKED = re.compile(rf"^{MARKER}(.*)$", re.MULTILINE)
_DECIMALS = 4  # of a score: what lies below is rounding in the model's arithmetic
_SHOWN = 8  # scores in a note

_CRITIQUE = (
    "Look at your answer critically. Is it legal, and is there a better one? Name its weakest "
    "point in one or two sentences."
)
_REVISE = "Now give your final answer, in the form that was asked for at the beginning."


def make_decoding(
    kind: str,
    *,
    temperature: float | None = None,
    samples: int | None = None,
    max_tokens: int | None = None,
    calibrate: bool = False,
) -> Decoding:
    """The decoding of that kind.

    Args:
        kind: see this module.
        temperature: 0 decides for the likeliest, above it answers are drawn; None: 0.7 where
            several samples are drawn, else 0.
        samples: how many answers ``vote`` and ``best_of`` draw; None: 5.
        max_tokens: the longest answer of a model that writes; None: 256.
        calibrate: of ``score`` only, see there.

    Raises InputError for an unknown kind, and for an option that the kind has no use for.
    """
    if kind not in get_args(Kind):
        raise InputError(f"decode={kind} is none of {', '.join(get_args(Kind))}")
    sampling = kind in ("vote", "best_of")
    if temperature is None:
        temperature = 0.7 if sampling else 0.0
    if temperature < 0:
        raise InputError(f"temperature={temperature} must not be negative")
    if sampling and temperature == 0:
        raise InputError(f"decode={kind} needs a temperature above 0: all samples would be equal")
    if samples is not None and not (sampling and samples > 1):
        raise InputError(
            f"samples={samples} must be at least 2"
            if sampling
            else f"decode={kind} draws no samples; those that do are vote and best_of"
        )
    if max_tokens is not None and (kind in ("score", "constrained") or max_tokens < 1):
        raise InputError(
            f"max_tokens={max_tokens} must be at least 1"
            if max_tokens < 1
            else f"decode={kind} writes no free answer that max_tokens could limit"
        )
    if calibrate and kind != "score":
        raise InputError("calibrate is an option of decode=score")
    longest = max_tokens or MAX_TOKENS
    if kind == "score":
        return Scoring(temperature, calibrate)
    if kind == "constrained":
        return Constrained(temperature)
    if kind == "generate":
        return Free(temperature, longest)
    if kind == "reflect":
        return Reflecting(temperature, longest)
    return (Voting if kind == "vote" else BestOf)(temperature, longest, samples or SAMPLES)


class Decoding(ABC):
    """A way to decide; all of its randomness comes from the seeds.

    Attributes:
        temperature: see ``make_decoding``.
        open: whether it finds answers of its own, not only choices among those that are given.
    """

    open = True

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


# -- choosing among the choices ----------------------------------------------------------------


class Scoring(Decoding):
    """Log-probability of each choice, divided by its tokens, rounded to four decimals.

    At temperature 0 the highest wins, the first of equals; above it one is drawn from the softmax
    of score / temperature. ``calibrate`` scores by the pointwise mutual information of prompt and
    choice instead (PMI_DC, Holtzman et al., 2021, with the content-free prompt of contextual
    calibration, Zhao et al., 2021): the log-probability less that after ``CONTENT_FREE``.
    """

    open = False

    def __init__(self, temperature: float, calibrate: bool) -> None:
        super().__init__(temperature)
        self.calibrate = calibrate

    def check(self, backend: Backend) -> None:
        """See ``Decoding``."""
        if not backend.scores:
            raise CannotPlay(
                f"{backend.name} gives no log-probabilities of given text, which decode=score "
                "needs; use decode=constrained or decode=generate"
            )

    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Decoding``."""
        choices = [list(question.choices) for question in questions]
        scored = backend.score([question.prompt for question in questions], choices)
        base: dict[tuple[str, ...], Score] = {}
        if self.calibrate:
            kinds = list(dict.fromkeys(map(tuple, choices)))
            scores = backend.score([CONTENT_FREE] * len(kinds), kinds)
            base = dict(zip(kinds, scores, strict=True))
        draws = seeding.uniforms(np.asarray(seeds, np.uint64), 1)[:, 0].tolist()
        return [
            self._choose(question, score, base.get(tuple(question.choices)), draw)
            for question, score, draw in zip(questions, scored, draws, strict=True)
        ]

    def _choose(self, question: Question, score: Score, base: Score | None, draw: float) -> Reply:
        record = _Record(question)
        record.tokens_in, record.seconds = score.tokens_in, score.seconds
        error = score.error or (base.error if base is not None else None)
        if error is not None:
            return record.failed("crash", error)
        values = score.logprobs
        values = values / score.tokens if base is None else values - base.logprobs
        values = np.round(values, _DECIMALS)
        if not np.isfinite(values).any() or np.isnan(values).any():
            return record.failed("crash", "the model's log-probabilities are not numbers")
        probabilities = self._policy(values)
        chosen = int(np.searchsorted(probabilities.cumsum(), draw * probabilities.sum(), "right"))
        text = question.choices[min(chosen, int(np.flatnonzero(probabilities)[-1]))]
        best = np.argsort(-values, kind="stable")[:_SHOWN].tolist()
        record.notes["scores"] = {question.choices[i]: float(values[i]) for i in best}
        return record.read(text, probabilities)

    def _policy(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.temperature == 0:
            certain = np.zeros(len(values))
            certain[values.argmax()] = 1.0
            return certain
        weights = np.exp((values - values.max()) / self.temperature)
        policy: NDArray[np.float64] = weights / weights.sum()
        return policy


class Constrained(Decoding):
    """The back end lets the model write nothing but one of the choices."""

    open = False

    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Decoding``."""
        answers = backend.generate(
            [question.prompt for question in questions],
            # Enough for any choice: a token is at least a byte.
            max_tokens=max(len(c.encode()) for q in questions for c in q.choices) + 1,
            temperature=self.temperature,
            seeds=_derive(seeds, 0),
            choices=[list(question.choices) for question in questions],
        )
        replies = []
        for question, answer in zip(questions, answers, strict=True):
            record = _Record(question)
            record.count(answer)
            replies.append(
                record.read(answer.text)
                if answer.error is None
                else record.failed("crash", answer.error)
            )
        return replies


# -- free answers ------------------------------------------------------------------------------


class _Writing(Decoding):
    """What the kinds share in which the model writes freely."""

    def __init__(self, temperature: float, max_tokens: int) -> None:
        super().__init__(temperature)
        self.max_tokens = max_tokens

    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Decoding``."""
        seeds = np.asarray(seeds, np.uint64)
        records = [_Record(question) for question in questions]
        replies = self.answer(backend, records, seeds)
        told = [i for i, reply in enumerate(replies) if reply.failure == "illegal"]
        if told:
            self._insist(backend, records, replies, told, seeds)
        return replies

    @abstractmethod
    def answer(self, backend: Backend, records: list[_Record], seeds: Seeds) -> list[Reply]:
        """Replies, of which the illegal ones will be asked for once more."""

    def write(
        self, backend: Backend, prompts: Sequence[Prompt], seeds: Seeds, number: int
    ) -> list[Answer]:
        """One answer to each prompt; ``number`` tells a question's draws apart."""
        return backend.generate(
            prompts,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seeds=_derive(seeds, number),
        )

    def _insist(
        self,
        backend: Backend,
        records: list[_Record],
        replies: list[Reply],
        told: list[int],
        seeds: Seeds,
    ) -> None:
        """The one legality feedback: say what is wrong with an answer, and ask again."""
        prompts = []
        for i in told:
            said, problem = records[i].said, records[i].problem
            feedback = f"{problem}. Answer again, in the form that was asked for, and legally."
            records[i].notes |= {"first_answer": said, "feedback": feedback}
            prompts.append(
                (
                    *records[i].question.prompt,
                    Message("assistant", said or "(nothing)"),
                    Message("user", feedback),
                )
            )
        answers = self.write(backend, prompts, seeds[told], _FEEDBACK)
        for i, answer in zip(told, answers, strict=True):
            replies[i] = records[i].settle(answer)


class Free(_Writing):
    """One free answer."""

    def answer(self, backend: Backend, records: list[_Record], seeds: Seeds) -> list[Reply]:
        """See ``_Writing``."""
        answers = self.write(backend, [record.question.prompt for record in records], seeds, 0)
        return [record.settle(answer) for record, answer in zip(records, answers, strict=True)]


class Reflecting(_Writing):
    """An answer, its critique, and the answer that counts."""

    def answer(self, backend: Backend, records: list[_Record], seeds: Seeds) -> list[Reply]:
        """See ``_Writing``."""
        prompts = [record.question.prompt for record in records]
        failed: dict[int, str] = {}
        for number, (name, request) in enumerate((("draft", _CRITIQUE), ("critique", _REVISE))):
            going = [i for i in range(len(records)) if i not in failed]
            written = self.write(backend, [prompts[i] for i in going], seeds[going], number)
            for i, answer in zip(going, written, strict=True):
                records[i].count(answer)
                records[i].notes[name] = answer.text
                if answer.error is not None:
                    failed[i] = answer.error
                said = Message("assistant", answer.text or "(nothing)")
                prompts[i] = (*prompts[i], said, Message("user", request))
        going = [i for i in range(len(records)) if i not in failed]
        finals = dict(
            zip(
                going,
                self.write(backend, [prompts[i] for i in going], seeds[going], 2),
                strict=True,
            )
        )
        return [
            record.failed("crash", failed[i]) if i in failed else record.settle(finals[i])
            for i, record in enumerate(records)
        ]


class _Sampling(_Writing):
    """Several free answers to each question."""

    def __init__(self, temperature: float, max_tokens: int, samples: int) -> None:
        super().__init__(temperature, max_tokens)
        self.samples = samples

    def answer(self, backend: Backend, records: list[_Record], seeds: Seeds) -> list[Reply]:
        """See ``_Writing``."""
        many = [record.question.prompt for record in records for _ in range(self.samples)]
        numbers = np.tile(np.arange(self.samples), len(records))
        answers = backend.generate(
            many,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seeds=_derive(np.repeat(seeds, self.samples), numbers),
        )
        drawn = []
        for i, record in enumerate(records):
            own = answers[i * self.samples : (i + 1) * self.samples]
            for answer in own:
                record.count(answer)
            drawn.append([_Sample(record.question, answer) for answer in own])
        return self.pick(backend, records, drawn)

    @abstractmethod
    def pick(
        self, backend: Backend, records: list[_Record], drawn: list[list[_Sample]]
    ) -> list[Reply]:
        """The reply that comes of each question's samples."""


class Voting(_Sampling):
    """The legal action that most samples name, the first of equals."""

    def pick(
        self, backend: Backend, records: list[_Record], drawn: list[list[_Sample]]
    ) -> list[Reply]:
        """See ``_Sampling``."""
        replies = []
        for record, samples in zip(records, drawn, strict=True):
            votes: dict[bytes, list[_Sample]] = {}
            for sample in samples:
                if sample.legal:
                    votes.setdefault(sample.key, []).append(sample)
            if not votes:
                replies.append(record.of_none(samples))
                continue
            record.notes["votes"] = {named[0].text: len(named) for named in votes.values()}
            winner = max(votes.values(), key=len)[0]
            replies.append(record.settle(winner.answer, counted=True))
        return replies


class BestOf(_Sampling):
    """The legal sample with the highest mean log-probability, the first of equals.

    Where the back end does not tell that of what it wrote, the actions named are scored instead.
    """

    def pick(
        self, backend: Backend, records: list[_Record], drawn: list[list[_Sample]]
    ) -> list[Reply]:
        """See ``_Sampling``."""
        legal = [[sample for sample in samples if sample.legal] for samples in drawn]
        untold = [i for i, own in enumerate(legal) if any(s.answer.logprob is None for s in own)]
        values = [[sample.answer.logprob or 0.0 for sample in own] for own in legal]
        errors: dict[int, str] = {}
        if untold and backend.scores:
            texts = [[sample.text for sample in legal[i]] for i in untold]
            scores = backend.score([records[i].question.prompt for i in untold], texts)
            for i, score in zip(untold, scores, strict=True):
                records[i].tokens_in += score.tokens_in
                records[i].seconds += score.seconds
                if score.error is not None:
                    errors[i] = score.error
                else:
                    values[i] = (score.logprobs / score.tokens).tolist()
        elif untold:
            errors = dict.fromkeys(
                untold, f"{backend.name} tells no log-probabilities to rank by; use decode=vote"
            )
        replies = []
        for i, record in enumerate(records):
            if i in errors:
                replies.append(record.failed("crash", errors[i]))
            elif not legal[i]:
                replies.append(record.of_none(drawn[i]))
            else:
                ranks = np.round(values[i], _DECIMALS)
                best = legal[i][int(ranks.argmax())]
                record.notes["ranked"] = {
                    sample.text: float(rank)
                    for sample, rank in reversed(list(zip(legal[i], ranks, strict=True)))
                }
                replies.append(record.settle(best.answer, counted=True))
        return replies


# -- reading answers ---------------------------------------------------------------------------


def extract(question: Question, text: str) -> str:
    """What counts of a model's answer (see this module); InputError where it is not there."""
    text = _THOUGHT.sub("", text, count=1)
    if question.whole:
        return text
    if any(MARKER in message.content for message in question.prompt):
        marked = _MARKED.findall(text)
        if not marked:
            raise InputError(f"no line of the answer begins with {MARKER!r}")
        return str(marked[-1]).strip()
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


class _Sample:
    """A free answer, read."""

    def __init__(self, question: Question, answer: Answer) -> None:
        self.answer = answer
        self.text, self.legal, self.key = "", False, b""
        if answer.error is None:
            try:
                self.text = extract(question, answer.text)
                value = question.parse(self.text)
            except InputError:
                return
            self.legal = True
            # Two ways to write one action are one action.
            self.key = orjson.dumps(value, default=repr, option=orjson.OPT_SERIALIZE_NUMPY)


_FEEDBACK = 1 << 16  # the number of the feedback round's draws, beyond any sample's


class _Record:
    """One question's way to its reply: what was said, and what it cost."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.notes: dict[str, Any] = {}
        self.tokens_in = self.tokens_out = 0
        self.seconds = 0.0
        self.cost: float | None = None
        self.said = self.problem = ""

    def count(self, answer: Answer) -> None:
        """Add what an answer cost."""
        self.tokens_in += answer.tokens_in
        self.tokens_out += answer.tokens_out
        self.seconds += answer.seconds
        if answer.cost is not None:
            self.cost = (self.cost or 0.0) + answer.cost

    def settle(self, answer: Answer, *, counted: bool = False) -> Reply:
        """The reply that a free answer makes, if it is legal."""
        if not counted:
            self.count(answer)
        if answer.error is not None:
            return self.failed("crash", answer.error)
        self.said = answer.text
        try:
            text = extract(self.question, answer.text)
        except InputError as error:
            return self._illegal("", error)
        return self.read(text)

    def of_none(self, samples: Sequence[_Sample]) -> Reply:
        """The failure of which no sample is legal: the first answer's, if there is any."""
        answers = [sample.answer for sample in samples]
        first = next((answer for answer in answers if answer.error is None), answers[0])
        return self.settle(first, counted=True)

    def read(self, text: str, probabilities: NDArray[np.float64] | None = None) -> Reply:
        """The reply that ``text`` names, or an illegal one."""
        self.said = self.said or text
        try:
            value = self.question.parse(text)
        except InputError as error:
            return self._illegal(text, error)
        return Reply(value, text, probabilities, self._told())

    def failed(self, failure: Failure, error: str, text: str = "") -> Reply:
        """A reply without a value."""
        return Reply(None, text, None, self._told() | {"error": error}, failure)

    def _illegal(self, text: str, error: InputError) -> Reply:
        self.problem = str(error).rstrip(".")
        return self.failed("illegal", str(error), text)

    def _told(self) -> dict[str, Any]:
        prompt = [{"role": m.role, "content": m.content} for m in self.question.prompt]
        notes = {"prompt": prompt, "answer": self.said} | self.notes
        notes |= {"tokens_in": self.tokens_in, "tokens_out": self.tokens_out}
        notes["seconds"] = round(self.seconds, 4)
        return notes if self.cost is None else notes | {"cost": self.cost}


def _derive(seeds: Seeds, number: int | NDArray[np.int64]) -> list[int]:
    """Seeds of the draws with that number, as positive int64s, which every back end takes."""
    words = seeding.spread(np.asarray(seeds, np.uint64), np.asarray(number, np.int64))
    return [int(word) for word in (words >> np.uint64(1)).tolist()]
