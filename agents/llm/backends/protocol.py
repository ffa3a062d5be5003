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
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from arena.agents.llm.backends.backend import Answer, Prompt
from arena.agents.llm.decoding.thoughts import answer_in
from arena.envs.errors import InputError
from arena.envs.outside import parse_record

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

    ``repeated`` is cut off its beginning: llama.cpp repeats what was ``begun``. All but the message
    may be missing, null or of a shape that nobody knows; the text may come in parts.

    Raises Nonsense where there is no message, where the model was kept from answering, or where the
    answer is none of ``choices``.
    """
    choice = _first_choice(data)
    message = _field(choice, "message", dict, "choices[0].")
    if refusal := message.get("refusal"):
        raise Nonsense(f"the model refuses: {str(refusal)[:200]}")
    ended = choice.get("finish_reason")
    if ended == "content_filter":
        raise Nonsense("the provider's content filter has cut the answer")
    if ended == "error":
        raise Nonsense("the answer broke off with an error that is not told")
    text = _text(message.get("content")).removeprefix(repeated)
    usage = data.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    answer = Answer(
        text,
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        logprob=_mean_logprob(choice.get("logprobs")),
        cut=ended == "length",
    )
    return answer if choices is None else _choose(answer, choices, constraint)


def _first_choice(data: Any) -> Mapping[str, Any]:
    choices = _field(data, "choices", list)
    if not choices:
        raise Nonsense("its field 'choices' is empty")
    if not isinstance(choices[0], Mapping):
        raise Nonsense("its field 'choices[0]' is not a dict")
    return choices[0]


def _text(content: Any) -> str:
    """The words of a message's content: text, parts of which some are text, or nothing."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        part["text"]
        for part in parts
        if isinstance(part, Mapping)
        and part.get("type") in ("text", "output_text")
        and isinstance(part.get("text"), str)
    )


def _choose(answer: Answer, choices: Sequence[str], constraint: Constraint) -> Answer:
    """The choice that an answer is, thoughts before it left away; it is whole, or Nonsense."""
    try:
        text = answer_in(answer.text).strip()
    except InputError as error:
        raise Nonsense(f"{error}; allow it more tokens, or use decode=generate") from None
    chosen: Any = text
    if constraint == "json_schema":
        try:
            chosen = parse_record(text, "the answer")["answer"]
        except (InputError, TypeError, LookupError):
            chosen = None
    elif answer.cut:
        raise Nonsense(f"the answer {text[:80]!r} was cut before its end")
    if chosen not in choices:
        raise Nonsense(
            f"the answer {text[:80]!r} is none of the choices, so the server does not keep to "
            f"{constraint}; set another constraint for it, or decode=generate"
        )
    return replace(answer, text=str(chosen), cut=False)


def _mean_logprob(told: Any) -> float | None:
    """The mean over the tokens of an answer; None where they are not told, or there are none."""
    if not isinstance(told, Mapping):
        return None
    tokens = told.get("content")
    values = (
        [token.get("logprob") if isinstance(token, Mapping) else None for token in tokens]
        if isinstance(tokens, list)
        else told.get("token_logprobs")  # as older servers tell them
    )
    if not isinstance(values, list) or not values:
        return None
    if not all(isinstance(value, (int, float)) for value in values):
        return None
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else None


def _count(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return int(value) if 0 <= value < 2**53 else 0


def _field(data: Any, name: str, kind: type, where: str = "") -> Any:
    if not isinstance(data, Mapping) or not isinstance(data.get(name), kind):
        raise Nonsense(f"its field '{where}{name}' is missing or not a {kind.__name__}")
    return data[name]


def complaint(data: Any) -> str | None:
    """What a server says in a JSON error body, None where it says nothing that is known."""
    said = _said(data, 0)
    return None if said is None else " ".join(said.split())[:300]


def _said(data: Any, depth: int) -> str | None:
    if isinstance(data, list) and depth < 4:
        found = [said for item in data[:4] if (said := _said(item, depth + 1)) is not None]
        return "; ".join(found) or None
    if isinstance(data, Mapping):
        for name in ("error", "message", "detail", "msg"):
            if depth < 4 and data.get(name) is not None:
                return _said(data[name], depth + 1)
        return str(data) if depth else None
    return str(data) if depth and data is not None else None


@dataclass(frozen=True)
class Failure:
    """That a server could not answer, in its own words, with HTTP's status, where it tells one."""

    said: str
    status: int | None


def failure_within(data: Any) -> Failure | None:
    """The failure that gateways put into the body of what is otherwise a success."""
    if not isinstance(data, Mapping):
        return None
    choices = data.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    for holder in (data, first):
        error = holder.get("error") if isinstance(holder, Mapping) else None
        if error:
            code = error.get("code") if isinstance(error, Mapping) else None
            status = int(str(code)) if re.fullmatch(r"[1-5][0-9][0-9]", str(code)) else None
            return Failure(complaint({"error": error}) or "an error", status)
    return None
