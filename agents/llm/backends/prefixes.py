"""What prompts begin with, run through a model once: a radix tree of keys and values.

The prompts of a batch share beginnings at several depths: the rules of the game, the hand so far,
the board. Each beginning that enough of them share is one pass for all of them, and is kept for the
calls that follow (Zheng et al. 2024, SGLang, section 3: RadixAttention). A prompt in which what is
common comes before what is a player's own gains the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_R = TypeVar("_R")

_WORTH = 48  # tokens that a pass of its own must save
_KEPT = 8192  # tokens whose keys and values stay from call to call


@dataclass(eq=False)
class Prefix:
    """A beginning and, once computed, its keys and values.

    Attributes:
        tokens: from the prompt's first.
        parent: the beginning of this beginning that was computed before; None at the root.
        kept: ``(layers, 2, heads, tokens, size)``, None until it is computed.
    """

    tokens: tuple[int, ...]
    parent: Prefix | None = None
    kept: Tensor | None = None

    def __len__(self) -> int:
        return len(self.tokens)


_NOTHING = Prefix(())


class Prefixes:
    """The beginnings that one model has read. ``budget``: tokens of one pass."""

    def __init__(self, model: Any, budget: int) -> None:
        self._model = model
        self._budget = budget
        self._known: dict[tuple[int, ...], Prefix] = {}  # least recently used first
        cache = DynamicCache(config=model.config)
        # A sliding window or a recurrent state does not hold all of a beginning.
        self._able = all(type(layer) is DynamicLayer for layer in cache.layers)

    def share(self, prompts: Sequence[list[int]]) -> list[Prefix]:
        """The longest beginning of each prompt that is computed; at least a token is left over."""
        if not self._able:
            return [_NOTHING] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: prompts[i])
        found = [_NOTHING] * len(prompts)
        levels: list[list[Prefix]] = []
        by_known: dict[Prefix, list[int]] = {}
        for i in order:
            by_known.setdefault(self._longest(prompts[i]), []).append(i)
        for known, group in by_known.items():
            for depth, node, rows in _branches(prompts, group, known, 0):
                for i in rows:
                    found[i] = node
                if depth:
                    levels += [[] for _ in range(depth - len(levels))]
                    levels[depth - 1].append(node)
        for level in levels:
            self._compute(level)
        self._remember(found)
        return found

    def past(self, prefixes: Sequence[Prefix]) -> tuple[DynamicCache, int]:
        """A cache with a row for each beginning, and its width; shorter ones end before it."""
        cache = DynamicCache()
        width = max(map(len, prefixes))
        if width == 0:
            return cache, 0
        some = next(p.kept for p in prefixes if p.kept is not None)
        if all(p is prefixes[0] for p in prefixes):
            whole = some[:, :, None].expand(-1, -1, len(prefixes), -1, -1, -1)
        else:
            layers, two, heads, _, size = some.shape
            whole = some.new_zeros((layers, two, len(prefixes), heads, width, size))
            for row, prefix in enumerate(prefixes):
                if prefix.kept is not None:
                    whole[:, :, row, :, : len(prefix)] = prefix.kept
        for keys, values in whole:
            # Set, not updated: that would copy what the model's own update copies again.
            layer = DynamicLayer()  # type: ignore[no-untyped-call]
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
            cache.layers.append(layer)
        return cache, width

    def _longest(self, prompt: list[int]) -> Prefix:
        fitting = [
            known
            for tokens, known in self._known.items()
            if len(tokens) < len(prompt) and tuple(prompt[: len(tokens)]) == tokens
        ]
        return max(fitting, key=len, default=_NOTHING)

    def _compute(self, level: Sequence[Prefix]) -> None:
        """Run beginnings, whose parents are computed, through the model."""
        before = [len(p.parent or ()) for p in level]
        sizes = [(len(p) - past, past) for p, past in zip(level, before, strict=True)]
        for chunk in chunks(level, sizes, self._budget):
            parents = [p.parent or _NOTHING for p in chunk]
            cache, past = self.past(parents)
            rests = [p.tokens[len(q) :] for p, q in zip(chunk, parents, strict=True)]
            inputs = padded(rests, [len(q) for q in parents], past, self._model.device)
            self._model(**inputs, past_key_values=cache, use_cache=True, logits_to_keep=1)
            layers: list[Any] = cache.layers
            for row, (node, parent, rest) in enumerate(zip(chunk, parents, rests, strict=True)):
                sides = [side[row, :, -len(rest) :] for x in layers for side in (x.keys, x.values)]
                own = torch.stack(sides).view(len(layers), 2, *sides[0].shape)
                node.kept = own if parent.kept is None else torch.cat([parent.kept, own], -2)

    def _remember(self, used: Sequence[Prefix]) -> None:
        for prefix in used:
            node: Prefix | None = prefix
            while node is not None and node.tokens:
                self._known[node.tokens] = self._known.pop(node.tokens, node)
                node = node.parent
        size = sum(map(len, self._known))
        for tokens in list(self._known):
            if size <= _KEPT:
                break
            size -= len(tokens)
            del self._known[tokens]


def _branches(
    prompts: Sequence[list[int]], rows: list[int], parent: Prefix, depth: int
) -> Iterator[tuple[int, Prefix, list[int]]]:
    """Beginnings worth a pass among sorted rows: (depth, beginning, its rows), parents first."""
    yield depth, parent, rows
    groups = [rows]
    while groups:
        group = groups.pop()
        first, last = prompts[group[0]], prompts[group[-1]]
        shortest = min(len(prompts[i]) for i in group) - 1
        length = next((i for i in range(shortest) if first[i] != last[i]), shortest)
        if (len(group) - 1) * (length - len(parent)) >= _WORTH:
            node = Prefix(tuple(first[:length]), parent if parent.tokens else None)
            yield from _branches(prompts, group, node, depth + 1)
        elif len(group) > 1 and length < shortest:
            # Too little is common to all; parts of the group may have more in common.
            parts: dict[int, list[int]] = {}
            for i in group:
                parts.setdefault(prompts[i][length], []).append(i)
            groups += parts.values()


def padded(
    rows: Sequence[Sequence[int]], begins: Sequence[int], past: int, device: torch.device
) -> dict[str, Tensor]:
    """Inputs of a pass: rows padded on the left, after beginnings of ``begins`` tokens.

    Ids and positions are int64 ``(n, width)``, the mask ``(n, past + width)``.
    """
    width = max(map(len, rows))
    ids = np.zeros((len(rows), width), np.int64)
    positions = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), past + width), np.int64)
    for i, (row, begin) in enumerate(zip(rows, begins, strict=True)):
        ids[i, width - len(row) :] = row
        positions[i, width - len(row) :] = np.arange(begin, begin + len(row))
        mask[i, :begin] = 1
        mask[i, past + width - len(row) :] = 1
    arrays = {"input_ids": ids, "position_ids": positions, "attention_mask": mask}
    return {name: torch.as_tensor(array, device=device) for name, array in arrays.items()}


def chunks(rows: Sequence[_R], sizes: Sequence[tuple[int, int]], budget: int) -> Iterator[list[_R]]:
    """Rows of like size that make one pass together.

    ``sizes`` are the tokens that are left to compute of each row and those before them. A pass,
    padded to its largest row, computes at most ``budget`` tokens and holds four times as many.
    """
    chunk: list[_R] = []
    rest = past = 0
    for i in sorted(range(len(rows)), key=lambda i: sizes[i], reverse=True):
        rest, past = max(rest, sizes[i][0]), max(past, sizes[i][1])
        n = len(chunk) + 1
        if chunk and (n * rest > budget or n * (past + rest) > 4 * budget):
            yield chunk
            chunk = []
            rest, past = sizes[i]
        chunk.append(rows[i])
    if chunk:
        yield chunk
