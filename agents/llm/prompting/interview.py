"""A template, a model and a decoding: from a turn's fields to a reply."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from arena.agents.llm.backends.backend import Backend, Message, Prompt
from arena.agents.llm.decoding.kinds import MAX_TOKENS
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.reading import Decoding, Seeds
from arena.agents.llm.prompting.templates import Template
from arena.envs import seeding


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be decided: a question whose prompt is still the fields of a template."""

    fields: Mapping[str, str]
    choices: Sequence[str]
    parse: Callable[[str], Any]
    whole: bool = False


class Asking(Protocol):
    """An ``Interview``, or what stands in for one."""

    def ask(self, requests: Sequence[Request], seeds: Seeds) -> list[Reply]:
        """A reply to each request, all of them in one batch."""


@dataclass(frozen=True)
class Interview:
    """Asks a model by a template's turns.

    Where the model answers a template more than once, all answers but the last are talk: it writes
    freely, and what it wrote stays in the conversation. The decoding makes the last one.
    """

    template: Template
    backend: Backend
    decoding: Decoding

    def ask(self, requests: Sequence[Request], seeds: Seeds) -> list[Reply]:
        """A reply to each request, all of them in one batch."""
        rounds = [self.template.render_rounds(**request.fields) for request in requests]
        prompts: list[Prompt] = [()] * len(requests)
        spent: list[Counter[str]] = [Counter() for _ in requests]
        failed: dict[int, Reply] = {}
        for number in range(len(self.template.rounds) - 1):
            going = [i for i in range(len(requests)) if i not in failed]
            for i in going:
                prompts[i] = (*prompts[i], *rounds[i][number])
            answers = self.backend.generate(
                [prompts[i] for i in going],
                max_tokens=getattr(self.decoding, "max_tokens", MAX_TOKENS),
                temperature=self.decoding.temperature,
                seeds=[seeding.derive(int(seeds[i]), "talk", number) >> 1 for i in going],
            )
            for i, answer in zip(going, answers, strict=True):
                if answer.error is not None:
                    failed[i] = Reply(None, "", None, {"error": answer.error}, "crash")
                prompts[i] = (*prompts[i], Message("assistant", answer.text or "(nothing)"))
                spent[i]["tokens_in"] += answer.tokens_in
                spent[i]["tokens_out"] += answer.tokens_out
                spent[i].update({"seconds": answer.seconds, "cost": answer.cost or 0.0})
        going = [i for i in range(len(requests)) if i not in failed]
        questions = [
            Question((*prompts[i], *rounds[i][-1]), asked.choices, asked.parse, asked.whole)
            for i in going
            for asked in (requests[i],)
        ]
        decided = self.decoding.decide(self.backend, questions, np.asarray(seeds)[going])
        replies = failed | dict(zip(going, decided, strict=True))
        return [_with_talk(replies[i], spent[i]) for i in range(len(requests))]


def _with_talk(reply: Reply, spent: Counter[str]) -> Reply:
    """The reply, what the talk before it cost added to its notes."""
    added = {name: reply.notes.get(name, 0) + more for name, more in spent.items() if more}
    return replace(reply, notes={**reply.notes, **added})
