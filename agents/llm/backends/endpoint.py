"""An endpoint that speaks OpenAI's protocol: vLLM, llama.cpp's server, Ollama, a hosted one.

A checkpoint is the endpoint's URL, and after ``#`` which of its models, where it serves several::

    lm:http://127.0.0.1:8000/v1
    lm:https://api.openai.com/v1#gpt-4.1-mini?decode=constrained

How to talk to it decides nothing about who plays, and so is no part of the spec. It stands in the
YAML file that the variable ARENA_ENDPOINTS names (see ``endpoint_settings``).

Every answer is recorded, and a request that was answered before is not sent again.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import numpy as np

from arena.agents.llm.backends.backend import Answer, Backend, Likelihood, Prompt
from arena.agents.llm.backends.endpoint_settings import DEFAULT_KEY, EndpointSettings, settings_for
from arena.agents.llm.backends.protocol import (
    Constraint,
    NoAnswer,
    Nonsense,
    begun,
    chat_request,
    read_chat,
)
from arena.agents.llm.backends.records import Ledger, RecordedAnswer, recorded_by_default
from arena.envs.errors import InputError

T = TypeVar("T")

_LEDGERS = ("tokens_in", "tokens_out", "cost")
# Which servers, by what they call themselves, can go on with a message of the assistant's.
_CONTINUES = frozenset({"vllm", "sglang", "llamacpp"})


@dataclass(frozen=True)
class _Job(Generic[T]):
    """A request; ``read`` makes of its JSON what is wanted, told whether it is paid for now."""

    url: str
    body: Mapping[str, Any]
    read: Callable[[Any, bool], T]

    @cached_property
    def key(self) -> str:
        return RecordedAnswer.key(self.url, self.body)


@dataclass(frozen=True)
class _Served:
    """What an endpoint says of itself when it is opened."""

    model: str
    server: str
    context: int | None
    scores: bool


class Endpoint(Backend):
    """A model behind a URL.

    Args:
        checkpoint: the endpoint's URL, with ``#MODEL`` where it serves several.
        settings: how to talk to it; None: as the file in $ARENA_ENDPOINTS says.
        transport: options of the transport (its pause, clock and jitter).

    Raises InputError, in one sentence, where nothing answers there, it does not serve the model,
    wants a key, or is no such endpoint.
    """

    def __init__(
        self,
        checkpoint: str,
        *,
        settings: EndpointSettings | None = None,
        transport: Mapping[str, Any] | None = None,
    ) -> None:
        url, _, named = checkpoint.partition("#")
        self.url = url.rstrip("/")
        if urlsplit(self.url).username is not None:
            raise InputError("an endpoint's URL must hold no user or password; use a key (see key)")
        model = named or None
        self._settings = settings = settings or settings_for(self.url, model)
        self._record = self._open_record()
        self._ledger = Ledger(Path(settings.log)) if settings.log else None
        self._transport: Any = None if settings.replay else self._connect(transport or {})
        self._pool = self._new_pool()
        served = self._open(model)
        self.model, self.server, self.context = served.model, served.server, served.context
        self.name, self.scores = served.model, served.scores
        by_server: dict[str, Constraint] = {"vllm": "structured_outputs", "llamacpp": "grammar"}
        self._constraint = settings.constraint or by_server.get(self.server, "json_schema")

    # -- the contract --------------------------------------------------------------------------

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
        """See Backend; prompts go out together, and equal requests go out once."""
        started = time.perf_counter()
        jobs = [
            self._chatting(
                prompt,
                None if choices is None else choices[row],
                max_tokens=max_tokens,
                temperature=temperature,
                seed=None if seeds is None else int(seeds[row]),
                stop=stop,
            )
            for row, prompt in enumerate(prompts)
        ]
        answers = self._all(jobs)
        share = (time.perf_counter() - started) / max(1, len(jobs))
        return [
            Answer("", seconds=share, error=answer)
            if isinstance(answer, str)
            else replace(answer, seconds=share)
            for answer in answers
        ]

    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[Sequence[str]]
    ) -> list[Likelihood]:
        """See Backend. The server is asked for the log-probabilities of prompts' own tokens."""
        if not self.scores:
            return super().score(prompts, continuations)
        started = time.perf_counter()
        heads: list[list[int] | str] = self._all(
            [self._tokenising(messages=_messages(p), **_turn(p)) for p in prompts]
        )
        words = list(dict.fromkeys(text for texts in continuations for text in texts))
        pieces: list[list[int] | str] = self._all(
            [self._tokenising(prompt=word, add_special_tokens=False) for word in words]
        )
        tokens = dict(zip(words, pieces, strict=True))
        sums = self._all(
            [
                self._scoring(head, [tokens[text] for text in texts])
                for head, texts in zip(heads, continuations, strict=True)
            ]
        )
        share = (time.perf_counter() - started) / max(1, len(prompts))
        return [
            Likelihood(np.zeros(0), np.zeros(0, np.int64), seconds=share, error=total)
            if isinstance(total, str)
            else Likelihood(
                np.array(total), np.array([len(tokens[t]) for t in texts]), len(head), share
            )
            for head, texts, total in zip(heads, continuations, sums, strict=True)
        ]

    # -- requests ------------------------------------------------------------------------------

    def _all(self, jobs: Sequence[_Job[T] | str]) -> list[T | str]:
        """What each job's request is answered with, or the sentence that says why there is none.

        A sentence among the jobs stays what it is.
        """
        given_up = threading.Event()
        futures: dict[str, Future[T | str]] = {}
        try:
            for job in jobs:
                if not isinstance(job, str) and job.key not in futures:
                    futures[job.key] = self._pool.submit(self._one, job, given_up)
            return [job if isinstance(job, str) else futures[job.key].result() for job in jobs]
        except BaseException:
            # The clock has rung, or somebody pressed Ctrl-C. Threads that still listen to a silent
            # server are left to it, and the next call has others.
            given_up.set()
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new_pool()
            raise

    def _one(self, job: _Job[T], given_up: threading.Event) -> T | str:
        try:
            if self._record is not None and (known := self._record.get(job.key)) is not None:
                return job.read(known, False)
            if self._transport is None:
                assert self._record is not None
                return f"the record {self._record.path} holds no answer to this request"
            data = self._sent(job, given_up)
            if self._record is not None:
                data = self._record.put(job.key, job.url, job.body, data)
            return job.read(data, True)
        except Nonsense as error:
            return f"{self.url}: {error}"
        except NoAnswer as error:
            return str(error)
        except sqlite3.Error as error:
            assert self._record is not None
            return f"the record {self._record.path} cannot be used: {error}"

    def _sent(self, job: _Job[T], given_up: threading.Event) -> Any:
        """The JSON that a request is answered with, if it can be read; the ledger hears of it."""
        started = time.perf_counter()
        facts: dict[str, Any] = {"url": job.url, "model": self.model}
        try:
            data, facts["attempts"] = self._transport.ask(
                "POST", job.url, job.body, given_up=given_up
            )
            result = job.read(data, True)
            if isinstance(result, Answer):
                facts |= {name: getattr(result, name) for name in _LEDGERS}
            return data
        except (Nonsense, NoAnswer) as error:
            facts["error"] = str(error)
            raise
        finally:
            if self._ledger is not None:
                self._ledger.enter(**facts, seconds=round(time.perf_counter() - started, 4))

    def _cost(self, answer: Answer) -> float | None:
        price_in, price_out = self._settings.price_in, self._settings.price_out
        if price_in is None and price_out is None:
            return None
        paid = answer.tokens_in * (price_in or 0) + answer.tokens_out * (price_out or 0)
        return paid / 1e6

    def _chatting(
        self, prompt: Prompt, choices: Sequence[str] | None, **options: Any
    ) -> _Job[Answer] | str:
        if prompt[-1].role == "assistant" and self.server not in _CONTINUES:
            return f"{self.url} is not known to go on with a message of the assistant's"
        body = chat_request(
            self.model,
            prompt,
            choices=choices,
            constraint=self._constraint,
            leave_out=self._settings.leave_out,
            limit=self._settings.limit,
            **options,
        )
        if self.server != "llamacpp":  # which needs not be told
            body |= _turn(prompt)
        repeated = begun(prompt) if self.server == "llamacpp" else ""

        def read(data: Any, paid: bool) -> Answer:
            answer = read_chat(data, choices, self._constraint, repeated)
            return replace(answer, cost=self._cost(answer) if paid else 0.0)

        return _Job(f"{self.url}/chat/completions", body, read)

    def _tokenising(self, **body: Any) -> _Job[list[int]]:
        root = self.url.removesuffix("/v1")
        return _Job(f"{root}/tokenize", {"model": self.model, **body}, _read_tokens)

    def _scoring(
        self, head: list[int] | str, tails: Sequence[list[int] | str]
    ) -> _Job[list[float]] | str:
        if isinstance(head, str):
            return head
        whole = []
        for tail in tails:
            if isinstance(tail, str):
                return tail
            whole.append(head + tail)
        body = {
            "model": self.model,
            "prompt": whole,
            "max_tokens": 1,
            "temperature": 0,
            "echo": True,
            "logprobs": 1,
            "return_token_ids": True,
        }
        lengths = [len(tokens) for tokens in whole]
        return _Job(
            f"{self.url}/completions", body, lambda data, _: _read_echo(data, len(head), lengths)
        )

    # -- opening -------------------------------------------------------------------------------

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._settings.concurrency, "endpoint")

    def _open_record(self) -> RecordedAnswer | None:
        name = self._settings.record
        if name is None:
            return None
        path = recorded_by_default() if name == "cache" else Path(name)
        if self._settings.replay and not path.is_file():
            raise InputError(f"replay=true for {self.url}, but there is no record {path}")
        return RecordedAnswer(path)

    def _connect(self, options: Mapping[str, Any]) -> Any:
        try:
            from arena.agents.llm.backends.transport import Transport
        except ImportError:
            raise InputError("endpoints need httpx: pip install 'arena[llm]'") from None
        settings = self._settings
        parts = urlsplit(self.url)
        here = parts.hostname in ("localhost", "127.0.0.1", "::1")
        name = settings.key or DEFAULT_KEY
        send = settings.key is not None or here or parts.scheme == "https"
        # Files of keys end in line ends, which no header can hold, and nothing may show.
        key = os.environ.get(name, "").strip() if send else ""
        if settings.key is not None and not key:
            raise InputError(f"{self.url} is to get the key in ${name}, which is not set")
        if not (key.isascii() and key.isprintable()):
            raise InputError(
                f"the key in ${name} holds a line end or others that no key has; set it anew"
            )
        return Transport(
            self.url,
            key=key or None,
            key_name=name,
            timeout=settings.timeout,
            retries=settings.retries,
            connections=settings.concurrency,
            per_minute=settings.per_minute,
            **options,
        )

    def _open(self, model: str | None) -> _Served:
        """Ask the endpoint what it serves, or the record what it served."""
        about = {"opening": model}
        if self._transport is None:
            assert self._record is not None
            facts = self._record.get(RecordedAnswer.key(self.url, about))
            if facts is None:
                raise InputError(
                    f"the record {self._record.path} holds nothing of {self.url}"
                    f"{f' and its model {model}' if model else ''}; run once without replay"
                )
            return _Served(**facts)
        served = self._look(model)
        if self._record is not None:
            facts = {name: getattr(served, name) for name in _Served.__dataclass_fields__}
            self._record.replace(RecordedAnswer.key(self.url, about), self.url, about, facts)
        return served

    def _look(self, model: str | None) -> _Served:
        if self._settings.models:
            entry = self._listed(model)
        elif model is None:
            raise InputError(
                f"{self.url} has models=false, so it is not asked for them; name one: {self.url}#…"
            )
        else:
            entry = {"id": model}
        meta = entry.get("meta")
        context = entry.get("max_model_len")
        if context is None and isinstance(meta, Mapping):
            context = meta.get("n_ctx")
        self.model = entry["id"]
        return _Served(
            self.model,
            str(entry.get("owned_by") or ""),
            context if isinstance(context, int) else None,
            self._can_score(),
        )

    def _listed(self, model: str | None) -> Mapping[str, Any]:
        """What the endpoint says of the model that is named, or of its only one."""
        where = f"{self.url}/models"
        try:
            data, _ = self._transport.ask("GET", where, given_up=threading.Event(), retries=1)
        except NoAnswer as error:
            raise InputError(
                f"{error}; asked for {where}: start the server, or correct the URL, which is that "
                "of an OpenAI-compatible endpoint and mostly ends in /v1; for one that lists no "
                "models, set models: false"
            ) from None
        entries = _entries(data)
        if not entries:
            raise InputError(
                f"{where} answers with something else than a list of models; the URL must be that "
                "of an OpenAI-compatible endpoint, and mostly ends in /v1; for one that lists no "
                "models, set models: false"
            )
        names = ", ".join(sorted(entries)[:8]) + (", …" if len(entries) > 8 else "")
        if model is None and len(entries) != 1:
            raise InputError(f"{self.url} serves {len(entries)} models; name one: {names}")
        if model is not None and model not in entries:
            raise InputError(f"{self.url} serves no model {model!r}; it serves {names}")
        return entries[model if model is not None else next(iter(entries))]

    def _can_score(self) -> bool:
        """Whether prompts' log-probabilities are served; some servers accept ``echo`` in vain."""
        try:
            tokens = self._tried(self._tokenising(messages=[{"role": "user", "content": "Hello"}]))
            self._tried(self._scoring(tokens[:-1], [tokens[-1:]]))
        except (NoAnswer, Nonsense):
            return False
        return True

    def _tried(self, job: _Job[T] | str) -> T:
        assert not isinstance(job, str)
        data, _ = self._transport.ask(
            "POST", job.url, job.body, given_up=threading.Event(), retries=0
        )
        return job.read(data, False)


def _entries(data: Any) -> dict[str, Mapping[str, Any]]:
    """Models by id: of OpenAI's list, of a bare one, of bare names."""
    listed = data.get("data") if isinstance(data, Mapping) else data
    if isinstance(listed, Mapping):
        listed = list(listed.values())
    entries = [
        {"id": entry} if isinstance(entry, str) else entry
        for entry in (listed if isinstance(listed, list) else [])
    ]
    return {
        entry["id"]: entry
        for entry in entries
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)
    }


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in prompt]


def _turn(prompt: Prompt) -> dict[str, bool]:
    """Whose words come next, as vLLM and SGLang are told."""
    if prompt[-1].role != "assistant":
        return {}
    return {"add_generation_prompt": False, "continue_final_message": True}


def _read_tokens(data: Any, paid: bool) -> list[int]:
    tokens = data.get("tokens") if isinstance(data, Mapping) else None
    if not isinstance(tokens, list) or not tokens or not all(isinstance(t, int) for t in tokens):
        raise Nonsense("its field 'tokens' is missing, empty or no list of numbers")
    return tokens


def _read_echo(data: Any, head: int, lengths: Sequence[int]) -> list[float]:
    """Sums of the log-probabilities of echoed prompts' tokens from number ``head`` on (nats)."""
    sums = []
    try:
        choices = sorted(data["choices"], key=lambda choice: choice["index"])
        if len(choices) != len(lengths):
            raise Nonsense(f"it scores {len(choices)} continuations, not {len(lengths)}")
        for choice, length in zip(choices, lengths, strict=True):
            told = choice["logprobs"]["token_logprobs"]
            if len(told) != length + 1:  # the one that it had to write
                raise Nonsense(f"it tells {len(told)} log-probabilities, not {length + 1}")
            sums.append(float(sum(told[head:length])))
    except (TypeError, KeyError):
        raise Nonsense("it tells no log-probabilities of a prompt") from None
    return sums
