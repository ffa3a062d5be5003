"""OpenAI's chat protocol: what a request says, and what may be believed of the answer to it.

Servers agree on the protocol, except for how an answer is held to a list of choices
(``Constraint``):

- ``structured_outputs``: vLLM since 0.11 (https://docs.vllm.ai, Structured Outputs);
- ``guided_choice``: vLLM before 0.12, which removed it;
- ``grammar``: llama.cpp, a GBNF grammar;
- ``json_schema``: OpenAI's strict ``response_format``, which Ollama and most hosted ones keep; the
  choice is the value of an object's one field.

A server that does not know a constraint ignores it, so that each answer is checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from arena.agents.llm.backend import Answer, Prompt

Constraint = Literal["structured_outputs", "guided_choice", "grammar", "json_schema"]
Field = Literal["temperature", "seed", "stop", "logprobs"]
Limit = Literal["max_tokens", "max_completion_tokens"]


class Nonsense(ValueError):
    """An answer that does not keep the protocol; the message is a clause that says how."""


class NoAnswer(Exception):
    """A request came to nothing; the message is a sentence. ``status`` is HTTP's, if any."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status


def chat_request(
    model: str,
    prompt: Prompt,
    *,
    max_tokens: int,
    temperature: float,
    seed: int | None,
    choices: Sequence[str] | None,
    stop: Sequence[str],
    constraint: Constraint,
    leave_out: Sequence[Field] = (),
    limit: Limit = "max_tokens",
) -> dict[str, Any]:
    """The body of a request to ``/chat/completions``.

    The likeliest tokens are the same for every seed, so that a request at temperature 0 carries
    none and is the same request again. With ``choices`` the answer may be as long as the longest of
    them, and nothing but its end stops it.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in prompt],
        "temperature": temperature,
        "logprobs": True,
        "top_logprobs": 1,
    }
    if temperature > 0:
        assert seed is not None, "a temperature above 0 needs seeds"
        body["seed"] = seed % 2**31  # servers read it as a signed number of 32 or 64 bits
    if choices is not None:
        # No choice has more tokens than bytes, and the JSON around it takes a few.
        max_tokens = max(len(choice.encode()) for choice in choices) + 16
        body |= _constrain(choices, constraint)
    elif stop:
        body["stop"] = list(stop)
    body[limit] = max_tokens
    for name in leave_out:
        body.pop(name, None)
    if "logprobs" in leave_out:
        del body["top_logprobs"]
    return body


def _constrain(choices: Sequence[str], constraint: Constraint) -> dict[str, Any]:
    if constraint == "structured_outputs":
        return {"structured_outputs": {"choice": list(choices)}}
    if constraint == "guided_choice":
        return {"guided_choice": list(choices)}
    if constraint == "grammar":
        # GBNF reads the escapes of JSON's strings.
        quoted = (json.dumps(choice, ensure_ascii=False) for choice in choices)
        return {"grammar": "root ::= " + " | ".join(quoted)}
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(choices)}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def begun(prompt: Prompt) -> str:
    """What the assistant has said already of the message that the model is to go on with."""
    return prompt[-1].content if prompt[-1].role == "assistant" else ""


def read_chat(
    data: Any,
    choices: Sequence[str] | None = None,
    constraint: Constraint = "json_schema",
    repeated: str = "",
) -> Answer:
    """The answer that a server's JSON holds; its ``seconds`` and ``cost`` are the caller's matter.

    ``repeated`` is cut off its beginning: llama.cpp repeats what was ``begun``.

    Raises Nonsense where a field is missing or of another type, where the model was kept from
    answering, or where the answer is none of ``choices``.
    """
    choice = _field(data, "choices", list)
    if not choice:
        raise Nonsense("its field 'choices' is empty")
    message = _field(choice[0], "message", dict, "choices[0].")
    if refusal := message.get("refusal"):
        raise Nonsense(f"the model refuses: {str(refusal)[:200]}")
    if choice[0].get("finish_reason") == "content_filter":
        raise Nonsense("the provider's content filter has cut the answer")
    if message.get("content") is None and choice[0].get("finish_reason") == "length":
        raise Nonsense("the model has spent all its tokens before it answered; allow it more")
    text = _field(message, "content", str, "choices[0].message.").removeprefix(repeated)
    usage = data.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    answer = Answer(
        text,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        logprob=_mean_logprob(choice[0]),
    )
    return answer if choices is None else replace(answer, text=_chosen(text, choices, constraint))


def _chosen(text: str, choices: Sequence[str], constraint: Constraint) -> str:
    chosen: Any = text
    if constraint == "json_schema":
        try:
            chosen = json.loads(text)["answer"]
        except (ValueError, TypeError, KeyError):
            chosen = None
    if chosen not in choices:
        raise Nonsense(
            f"the answer {text[:80]!r} is none of the choices, so the server does not keep to "
            f"{constraint}; set another constraint for it, or decode=generate"
        )
    return str(chosen)


def _mean_logprob(choice: Mapping[str, Any]) -> float | None:
    """The mean over the tokens of an answer; None where they are not told, or there are none."""
    told = choice.get("logprobs")
    tokens = told.get("content") if isinstance(told, Mapping) else None
    if not isinstance(tokens, list) or not tokens:
        return None
    try:
        mean = float(np.mean([float(token["logprob"]) for token in tokens]))
    except (TypeError, KeyError, ValueError):
        raise Nonsense("its log-probabilities are no numbers") from None
    return mean if np.isfinite(mean) else None


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


def _field(data: Any, name: str, kind: type, where: str = "") -> Any:
    if not isinstance(data, Mapping) or not isinstance(data.get(name), kind):
        raise Nonsense(f"its field '{where}{name}' is missing or no {kind.__name__}")
    return data[name]


def complaint(data: Any) -> str | None:
    """What a server says in a JSON error body, None where it says nothing that is known."""
    if not isinstance(data, Mapping):
        return None
    error = data.get("error", data.get("message", data.get("detail")))
    if isinstance(error, Mapping):
        error = error.get("message")
    return None if error is None else " ".join(str(error).split())[:300]
