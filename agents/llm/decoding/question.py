"""What is asked of a language model, and what came of it: the currency of players and suites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Failure
from arena.agents.llm.backends.backend import Prompt


@dataclass(frozen=True, slots=True)
class Question:
    """A decision in words.

    Attributes:
        prompt: the conversation that asks for it.
        choices: the answers that may be given, each read back by ``parse``; of an open grammar
            (bids, programs) the examples that a scoring player chooses from.
        parse: reads an answer by one strict grammar; InputError where it names nothing legal.
        whole: whether ``parse`` reads all that a model wrote (a program, a list of lines) and not
            the one line that names an action (see ``reading.extract``).
        lenient: whether an answer that is not legal as it stands is read without its ornaments, too
            (see ``reading.bare``).
    """

    prompt: Prompt
    choices: Sequence[str]
    parse: Callable[[str], Any]
    whole: bool = False
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A decision.

    Attributes:
        value: what ``parse`` made of the answer, None where there is none.
        text: the answer as it counts (a choice, or what was extracted from the model's words).
        probabilities: float64 over the question's choices, where the decoding knows its policy.
        notes: JSON-able, for the replay: ``prompt``, ``answer``, ``tokens_in``, ``tokens_out``,
            ``seconds``, and what the decoding adds.
        failure: why there is no value: "illegal" for an answer outside the grammar, "crash" for a
            model that could not answer (its sentence is in ``notes["error"]``), "timeout".
    """

    value: Any
    text: str
    probabilities: NDArray[np.float64] | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
