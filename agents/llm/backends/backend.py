"""What a language model is to a player: it scores continuations of a prompt, or it writes on.

Three back ends keep this contract: ``transformers`` in this process (``local``), an endpoint that
speaks OpenAI's protocol (``endpoint``) and llama.cpp (``llamacpp``). ``opening.open_backend`` finds
the one that a checkpoint wants.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


Prompt = tuple[Message, ...]
"""A conversation that the model is to go on with, its last message not the assistant's.

Where the last message is the assistant's, the model goes on with that message.
"""


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely a model finds each continuation of one prompt.

    Attributes:
        logprobs: float64 ``(k,)``, the log-probability of each whole continuation (nats).
        tokens: int64 ``(k,)``, how many tokens each has; ``logprobs / tokens`` is normalised.
        tokens_in: tokens of the prompt.
        seconds: this prompt's share of the call's wall time.
        error: why there is no score, in one sentence; then both arrays are empty.
    """

    logprobs: NDArray[np.float64]
    tokens: NDArray[np.int64]
    tokens_in: int = 0
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote to one prompt.

    Attributes:
        text: the answer without the stop string that ended it.
        tokens_in, tokens_out: tokens of the prompt and of the answer.
        seconds: this prompt's share of the call's wall time.
        logprob: mean log-probability of the answer's tokens (nats), None where it is not told.
        cost: in US dollars, where the back end knows its prices.
        cut: whether ``max_tokens`` ended it, and not the model.
        error: why there is no answer, in one sentence; then ``text`` is empty.
    """

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    logprob: float | None = None
    cost: float | None = None
    cut: bool = False
    error: str | None = None


class Backend(ABC):
    """A loaded model or an endpoint. What fails for one prompt is told in its ``error`` alone.

    Attributes:
        name: for notes and tables.
        scores: whether ``score`` can be asked for.
        context: how many tokens prompt and answer may have together; None where unknown.
    """

    name: str
    scores: bool
    context: int | None

    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[Sequence[str]]
    ) -> list[Likelihood]:
        """Log-probabilities of ``continuations[i]`` after ``prompts[i]``, one object a prompt.

        Only where ``scores`` is true.
        """
        raise NotImplementedError(f"{self.name} gives no log-probabilities")

    @abstractmethod
    def generate(
        self,
        prompts: Sequence[Prompt],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seeds: Sequence[int] | None = None,
        choices: Sequence[Sequence[str]] | None = None,
        stop: Sequence[str] = (),
    ) -> list[Answer]:
        """An answer to each prompt.

        Args:
            prompts: conversations.
            max_tokens: the longest answer.
            temperature: 0 takes the likeliest token; above, tokens are drawn.
            seeds: of each prompt's draws; needed where ``temperature`` is above 0.
            choices: where given, answer ``i`` is exactly one of ``choices[i]`` (constrained
                decoding).
            stop: strings that end an answer.
        """
