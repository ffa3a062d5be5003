"""A causal language model in this process, by transformers: batched scoring and generation.

Scoring computes every token once. What prompts share is run through the model once (``prefixes``);
what is left of each is followed by the trie of its continuations, which see their own ancestors
only (tree attention; Miao et al. 2024, SpecInfer, section 4.2). So a decision among eight actions
is one pass over a few dozen tokens.

Generation draws each row's tokens from its own seed, so that an answer does not depend on what else
was in its batch, and can be held to a trie of choices.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from arena.agents.device import Device, choose_device
from arena.agents.llm.backends.backend import Answer, Backend, Likelihood, Prompt
from arena.agents.llm.backends.models import Dtype, loading
from arena.agents.llm.backends.prefixes import Prefix, Prefixes, chunks, padded
from arena.agents.llm.backends.trie import Trie
from arena.envs import seeding


class Local(Backend):
    """A model that transformers loads: a folder, a ``.gguf`` file or a hub's id.

    Raises InputError where there is no such model, or no such device.
    """

    scores = True

    def __init__(self, checkpoint: str, *, device: Device = "auto", dtype: Dtype = "auto") -> None:
        chosen = choose_device(device)
        if dtype == "auto":
            dtype = "bfloat16" if chosen == "cuda" else "float32"
        self.name = checkpoint.rstrip("/").rpartition("/")[2]
        self.device = torch.device(chosen)
        self.tokenizer = loading(AutoTokenizer, checkpoint)
        self.model = (
            loading(
                AutoModelForCausalLM,
                checkpoint,
                dtype=getattr(torch, dtype),
                attn_implementation="sdpa",
            )
            .to(self.device)
            .eval()
        )
        config = self.model.config.get_text_config()
        self.context: int | None = getattr(config, "max_position_embeddings", None)
        ends = self.model.generation_config.eos_token_id
        self._end: list[int] = ends if isinstance(ends, list) else [ends]
        if self._end == [None]:
            self._end = [self.tokenizer.eos_token_id]
        # Tokens of a pass: on a CPU as many as keep its cores busy, on a GPU as its memory bears.
        self._budget = 32768 if chosen == "cuda" else 4096
        self._prefixes = Prefixes(self.model, self._budget)
        self._trie = lru_cache(8192)(lambda texts: Trie([self._spell(text) for text in texts]))

    # -- scoring -------------------------------------------------------------------------------

    @torch.inference_mode()
    def score(
        self, prompts: Sequence[Prompt], continuations: Sequence[Sequence[str]]
    ) -> list[Likelihood]:
        """See ``Backend.score``. A continuation counts with the token that ends an answer.

        That token makes whole answers compete: "raise to 2" is not the beginning of "raise to 22".
        """
        begun = time.perf_counter()
        found: list[Likelihood | None] = [None] * len(prompts)
        kept = []
        for i, tokens in enumerate(self._encode(prompts)):
            trie = self._trie(tuple(continuations[i]))
            if error := self._overflow(len(tokens), trie.depth):
                found[i] = Likelihood(np.empty(0), np.empty(0, np.int64), len(tokens), error=error)
            else:
                kept.append(_Scored(i, tokens, trie))
        self._begin(kept)
        sizes = [(row.own + len(row.trie.tokens), len(row.prefix)) for row in kept]
        for chunk in chunks(kept, sizes, self._budget):
            for row, logprobs in zip(chunk, self._score(chunk), strict=True):
                found[row.index] = Likelihood(logprobs, row.trie.lengths, len(row.prompt))
        seconds = (time.perf_counter() - begun) / max(len(prompts), 1)
        return [replace(score, seconds=seconds) for score in found if score is not None]

    def _begin(self, rows: Sequence[_Scored] | Sequence[_Writing]) -> None:
        """Compute what the rows' prompts share."""
        for row, prefix in zip(rows, self._prefixes.share([r.prompt for r in rows]), strict=True):
            row.prefix = prefix

    def _score(self, chunk: Sequence[_Scored]) -> Iterator[NDArray[np.float64]]:
        """Log-probabilities of each row's continuations."""
        cache, past = self._prefixes.past([row.prefix for row in chunk])
        rest = max(row.own for row in chunk)
        nodes = max(len(row.trie.tokens) for row in chunk)
        width = rest + nodes
        ids = np.zeros((len(chunk), width), np.int64)
        positions = np.zeros((len(chunk), width), np.int64)
        sees = np.zeros((len(chunk), width, past + width), np.bool_)
        sees[:, np.arange(width), past + np.arange(width)] = True  # padding sees itself
        lower = np.tril(np.ones((rest, rest), np.bool_))
        for i, row in enumerate(chunk):
            begin, size = rest - row.own, len(row.trie.tokens)
            ids[i, begin:rest] = row.prompt[len(row.prefix) :]
            ids[i, rest : rest + size] = row.trie.tokens
            positions[i, begin:rest] = np.arange(len(row.prefix), len(row.prompt))
            positions[i, rest : rest + size] = len(row.prompt) + row.trie.depths
            sees[i, begin : rest + size, : len(row.prefix)] = True
            sees[i, begin:rest, past + begin : past + rest] = lower[: row.own, : row.own]
            sees[i, rest : rest + size, past + begin : past + rest] = True
            sees[i, rest : rest + size, past + rest : past + rest + size] = row.trie.ancestors
        dtype = self.model.dtype
        mask = torch.where(self._tensor(sees)[:, None], 0.0, torch.finfo(dtype).min).to(dtype)
        logits = self.model(
            input_ids=self._tensor(ids),
            attention_mask=mask,
            position_ids=self._tensor(positions),
            past_key_values=cache,
            use_cache=past > 0,
            logits_to_keep=nodes + 1,
        ).logits
        # A node's logits tell of its children; slot 0 is the prompt's last token.
        where = [(i, *edge) for i, row in enumerate(chunk) for edge in row.trie.edges]
        rows, slots, tokens = (
            self._tensor(np.array(x, np.int64)) for x in zip(*where, strict=True)
        )
        spots, which = torch.unique(rows * (nodes + 1) + slots, return_inverse=True)
        wanted = logits.flatten(0, 1)[spots].float()
        steps = (wanted[which, tokens] - torch.logsumexp(wanted, -1)[which]).cpu().double().numpy()
        at = 0
        for row in chunk:
            own_steps = steps[at : at + len(row.trie.edges)]
            at += len(row.trie.edges)
            yield np.array([own_steps[path].sum() for path in row.trie.paths])

    # -- generation ----------------------------------------------------------------------------

    @torch.inference_mode()
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
        """See ``Backend.generate``. A choice is written token by token, as far as it is open."""
        if temperature > 0 and seeds is None:
            raise ValueError("a temperature above 0 draws tokens, which needs seeds")
        begun = time.perf_counter()
        found: list[Answer | None] = [None] * len(prompts)
        kept = []
        for i, tokens in enumerate(self._encode(prompts)):
            picks = None if choices is None else [self._spell(text) for text in choices[i]]
            longest = max_tokens if picks is None else max(map(len, picks))
            if error := self._overflow(len(tokens), longest):
                found[i] = Answer("", len(tokens), error=error)
                continue
            random = np.random.default_rng(seeds[i]) if seeds and temperature > 0 else None
            kept.append(_Writing(i, tokens, random, picks))
        self._begin(kept)
        sizes = [(row.own, len(row.prefix) + max_tokens) for row in kept]
        for chunk in chunks(kept, sizes, self._budget):
            self._write([row for row in chunk if not row.settled], max_tokens, temperature, stop)
            for row in chunk:
                text = self._text(row) if choices is None else choices[row.index][row.open[0]]
                found[row.index] = Answer(
                    _cut(text, stop),
                    len(row.prompt),
                    len(row.written),
                    logprob=float(np.mean(row.logprobs)) if row.logprobs else 0.0,
                    cut=row.cut,
                )
        seconds = (time.perf_counter() - begun) / max(len(prompts), 1)
        return [replace(answer, seconds=seconds) for answer in found if answer is not None]

    def _write(
        self,
        rows: Sequence[_Writing],
        max_tokens: int,
        temperature: float,
        stop: Sequence[str],
    ) -> None:
        """Let every row write until it ends; rows that have ended are not computed further."""
        if not rows:
            return
        cache, past = self._prefixes.past([row.prefix for row in rows])
        inputs = padded(
            [row.prompt[len(row.prefix) :] for row in rows],
            [len(row.prefix) for row in rows],
            past,
            self.device,
        )
        live = list(rows)
        while True:
            logits = self.model(
                **inputs, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).logits[:, -1]
            logprobs = torch.log_softmax(logits.float(), -1).cpu().numpy()
            for row, likely in zip(live, logprobs, strict=True):
                row.take(likely, temperature)
                row.ended = (
                    row.settled
                    or row.written[-1] in self._end
                    or bool(stop and _cut(text := self._text(row), stop) != text)
                )
                row.cut = not row.ended and row.picks is None and len(row.written) == max_tokens
                row.ended |= row.cut
            keep = torch.tensor([not row.ended for row in live], device=self.device)
            live = [row for row in live if not row.ended]
            if not live:
                return
            if not keep.all():
                cache.batch_select_indices(keep)
            seen = inputs["attention_mask"][keep]
            inputs = {
                "input_ids": self._tensor([[row.written[-1]] for row in live]),
                "position_ids": self._tensor(
                    [[len(row.prompt) + len(row.written) - 1] for row in live]
                ),
                "attention_mask": torch.cat([seen, seen.new_ones((len(live), 1))], 1),
            }

    def _text(self, row: _Writing) -> str:
        text: str = self.tokenizer.decode(row.written, skip_special_tokens=True)
        return text

    # -- tokens --------------------------------------------------------------------------------

    def _encode(self, prompts: Sequence[Prompt]) -> list[list[int]]:
        """Tokens of each conversation by the model's chat template; of a base model, its text."""
        if self.tokenizer.chat_template is None:
            texts = ["\n\n".join(m.content for m in prompt) for prompt in prompts]
            plain: list[list[int]] = self.tokenizer(texts)["input_ids"]
            return plain
        texts = []
        for prompt in prompts:
            going_on = prompt[-1].role == "assistant"
            texts.append(
                self.tokenizer.apply_chat_template(
                    [{"role": m.role, "content": m.content} for m in prompt],
                    tokenize=False,
                    add_generation_prompt=not going_on,
                    continue_final_message=going_on,
                )
            )
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids

    def _spell(self, text: str) -> tuple[int, ...]:
        """An answer's tokens and the one that ends it."""
        return (*self.tokenizer(text, add_special_tokens=False)["input_ids"], self._end[0])

    def _overflow(self, prompt: int, answer: int) -> str | None:
        if self.context is None or prompt + answer <= self.context:
            return None
        return (
            f"the prompt has {prompt} tokens, with up to {answer} of the answer more than the "
            f"{self.context} that {self.name} reads; give fewer examples or a shorter history"
        )

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(np.asarray(values), device=self.device)


@dataclass
class _Row:
    """A prompt's tokens and the beginning of them that is computed."""

    index: int
    prompt: list[int]
    prefix: Prefix = field(init=False)

    @property
    def own(self) -> int:
        """How many of its tokens are left to compute."""
        return len(self.prompt) - len(self.prefix)


@dataclass
class _Scored(_Row):
    """A prompt whose continuations are scored."""

    trie: Trie


@dataclass
class _Writing(_Row):
    """A prompt that is answered: what was written, and which of the choices are still open."""

    random: np.random.Generator | None
    picks: list[tuple[int, ...]] | None
    written: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    ended: bool = False
    cut: bool = False
    open: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.open = list(range(len(self.picks or ())))

    @property
    def settled(self) -> bool:
        """Whether one choice alone is left."""
        return self.picks is not None and len(self.open) == 1

    def take(self, likely: NDArray[np.float32], temperature: float) -> None:
        """Write one token by the model's log-probabilities of all, ``(vocabulary,)``."""
        at = len(self.written)
        if self.picks is None:
            tokens, weights = None, likely
        else:
            tokens = sorted({self.picks[i][at] for i in self.open})
            weights = likely[tokens]
        if self.random is None:
            best = int(weights.argmax())
        else:
            scaled = weights.astype(np.float64) / temperature
            shares = np.exp(scaled - scaled.max())
            best = int(seeding.draw(shares[None], self.random.random(1))[0])
        token = best if tokens is None else tokens[best]
        self.written.append(token)
        self.logprobs.append(float(likely[token]))
        if self.picks is not None:
            self.open = [i for i in self.open if self.picks[i][at] == token]


def _cut(text: str, stop: Sequence[str]) -> str:
    """The text before the first stop string in it."""
    return text[: min((at for s in stop if (at := text.find(s)) >= 0), default=len(text))]
