"""From questions to replies: how a model's probabilities or words become a decision.

===============  ======================================================================  =========
kind             what is done                                                            rounds
===============  ======================================================================  =========
``score``        the length-normalised log-probability of every choice                   1
``constrained``  the model writes, and can write nothing but one of the choices          1
``generate``     the model writes freely, a strict parser reads                          1
``vote``         several free answers, the legal action that most of them name           1
                 (self-consistency, Wang et al. 2022)
``best_of``      several free answers, the legal one that the model finds likeliest      1 or 2
``reflect``      an answer, a critique of it, a final answer (Self-Refine, Madaan et     3
                 al. 2023: within a decision; nothing is kept for the next one)
===============  ======================================================================  =========

A round is one call of the back end for all questions. Where none of a question's free answers is
legal, one more round tells the model what is wrong and asks again, once; then the answer counts as
illegal.

**What counts of a free answer.** What stands after the model's last thought (``<think>…</think>``
and its kin, see ``thoughts``). Of that, a question with ``whole`` reads everything; where the
prompt speaks of ``ACTION:``, what follows the last ``ACTION:`` at the beginning of a line, to the
end of that line; else the first line that is not blank. That must be an action by the game's own
grammar: no answer stands for two actions. A thought that is not closed is no answer, nor is one
that ``max_tokens`` cut where it could have gone on. A lenient reader reads what is not legal so
once more, without its ornaments (``reading.bare``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay
from arena.agents.llm.backends.backend import Backend, Likelihood, Message, Prompt
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.reading import DECIMALS, Decoding, Inquiry, Seeds, draws
from arena.agents.llm.decoding.writing import BestOf, Free, Reflecting, Voting, Writing
from arena.envs import seeding
from arena.envs.errors import InputError

Reader = Literal["strict", "lenient"]
Kind = Literal["score", "constrained", "generate", "vote", "best_of", "reflect"]

SAMPLES = 5
MAX_TOKENS = 256
CONTENT_FREE: Prompt = (Message("user", "N/A"),)
"""The prompt under which ``calibrate`` asks how likely each choice is by itself."""

_SHOWN = 8  # scores in a note


def make_decoding(
    kind: str,
    *,
    temperature: float | None = None,
    samples: int | None = None,
    max_tokens: int | None = None,
    calibrate: bool = False,
    reader: Reader = "strict",
) -> Decoding:
    """The decoding of that kind.

    Args:
        kind: see this module.
        temperature: 0 decides for the likeliest, above it answers are drawn; None: 0.7 where
            several samples are drawn, else 0.
        samples: how many answers ``vote`` and ``best_of`` draw; None: 5.
        max_tokens: the longest answer of a model that writes; None: 256.
        calibrate: of ``score`` only, see ``Scoring``.
        reader: of free answers, see this module.

    Raises InputError for an unknown kind, and for an option that the kind has no use for.
    """
    if kind not in get_args(Kind):
        raise InputError(f"decode={kind} is none of {', '.join(get_args(Kind))}")
    sampling = kind in ("vote", "best_of")
    if temperature is None:
        temperature = 0.7 if sampling else 0.0
    if temperature < 0:
        raise InputError(f"temperature={temperature:g} must not be negative")
    if sampling and temperature == 0:
        raise InputError(f"decode={kind} needs a temperature above 0: all samples would be equal")
    if samples is not None and not sampling:
        raise InputError(f"decode={kind} draws no samples; those that do are vote and best_of")
    if samples is not None and samples < 2:
        raise InputError(f"samples={samples} must be at least 2")
    if max_tokens is not None and kind in ("score", "constrained"):
        raise InputError(f"decode={kind} writes no free answer that max_tokens could limit")
    if max_tokens is not None and max_tokens < 1:
        raise InputError(f"max_tokens={max_tokens} must be at least 1")
    if calibrate and kind != "score":
        raise InputError(f"calibrate is an option of decode=score, not of decode={kind}")
    if reader == "lenient" and kind in ("score", "constrained"):
        raise InputError(f"decode={kind} writes no free answer that reader=lenient could read")
    longest = MAX_TOKENS if max_tokens is None else max_tokens
    if kind == "score":
        return Scoring(temperature, calibrate)
    if kind == "constrained":
        return Constrained(temperature)
    writing: Writing
    if kind == "generate":
        writing = Free(temperature, longest)
    elif kind == "reflect":
        writing = Reflecting(temperature, longest)
    else:
        writing = (Voting if kind == "vote" else BestOf)(temperature, longest, samples or SAMPLES)
    writing.lenient = reader == "lenient"
    return writing


class Scoring(Decoding):
    """Log-probability of each choice, divided by its tokens, rounded to four decimals.

    At temperature 0 the highest wins, the first of equals; above it one is drawn from the softmax
    of score / temperature. ``calibrate`` scores by the pointwise mutual information of prompt and
    choice instead (Holtzman et al. 2021, with the content-free prompt of Zhao et al. 2021): the
    choice's log-probability less that after ``CONTENT_FREE``.
    """

    writes = False

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
        if not questions:
            return []
        choices = [tuple(question.choices) for question in questions]
        scored = backend.score([question.prompt for question in questions], choices)
        base: dict[tuple[str, ...], Likelihood] = {}
        if self.calibrate:
            kinds = list(dict.fromkeys(choices))
            base = dict(zip(kinds, backend.score([CONTENT_FREE] * len(kinds), kinds), strict=True))
        uniforms = seeding.uniforms(np.asarray(seeds, np.uint64), 1)[:, 0].tolist()
        return [
            self._choose(question, score, base.get(own), uniform)
            for question, own, score, uniform in zip(
                questions, choices, scored, uniforms, strict=True
            )
        ]

    def _choose(
        self, question: Question, score: Likelihood, base: Likelihood | None, uniform: float
    ) -> Reply:
        record = Inquiry(question)
        record.tokens_in, record.seconds = score.tokens_in, score.seconds
        error = score.error or (base.error if base is not None else None)
        if error is not None:
            return record.failed("crash", error)
        values = score.logprobs
        values = values / score.tokens if base is None else values - base.logprobs
        values = np.round(values, DECIMALS)
        if not np.isfinite(values).all():
            return record.failed("crash", "the model's log-probabilities are not finite")
        policy = self._policy(values)
        chosen = int(seeding.draw(policy[None], np.array([uniform]))[0])
        best = np.argsort(-values, kind="stable")[:_SHOWN].tolist()
        record.notes["scores"] = {question.choices[i]: float(values[i]) for i in best}
        return record.choose(question.choices[chosen], policy)

    def _policy(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        policy: NDArray[np.float64] = np.zeros(len(values))
        if self.temperature == 0:
            policy[values.argmax()] = 1.0
        else:
            policy += np.exp((values - values.max()) / self.temperature)
        policy /= policy.sum()
        return policy


class Constrained(Decoding):
    """The back end lets the model write nothing but one of the choices."""

    writes = False

    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Decoding``."""
        if not questions:
            return []
        answers = backend.generate(
            [question.prompt for question in questions],
            # Enough for any choice and the token that ends it: a token is at least a byte.
            max_tokens=max(len(c.encode()) for q in questions for c in q.choices) + 1,
            temperature=self.temperature,
            seeds=draws(seeds, 0),
            choices=[list(question.choices) for question in questions],
        )
        replies = []
        for question, answer in zip(questions, answers, strict=True):
            record = Inquiry(question)
            record.count(answer)
            replies.append(
                record.choose(answer.text)
                if answer.error is None
                else record.failed("crash", answer.error)
            )
        return replies
