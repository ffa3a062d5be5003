"""A language model as the body of a policy (Li et al., 2202.01771, section 4).

Goal, history and observation are one sequence of embeddings, each marked as what it is; the model's
features at its end go through a linear head to the actions' logits. The body is the first layers of
a pretrained model, or the same layers with random weights: what ``init`` says, and all else alike.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn

from envs.errors import InputError

Init = Literal["lm", "random"]


class Sight(NamedTuple):
    """What a decision is made on: the goal, the moves so far (the last ones), the observation."""

    goal: str
    history: tuple[str, ...]
    scene: str


class LidPolicy(nn.Module):
    """A distribution over actions for every ``Sight``.

    Args:
        body: a transformers base model (``AutoModel``).
        tokenizer: its tokenizer.
        actions: how many.
        longest: tokens of a scene; from a longer one the first are kept.
    """

    def __init__(self, body: Any, tokenizer: Any, actions: int, longest: int) -> None:
        super().__init__()
        width = body.config.hidden_size
        self.body, self.tokenizer, self.longest = body, tokenizer, longest
        self.parts = nn.Embedding(3, width)
        nn.init.zeros_(self.parts.weight)  # what a pretrained model reads is not disturbed
        self.head = nn.Linear(width, actions)
        self._ids = lru_cache(100_000)(self._tokenise)

    def forward(self, sights: Sequence[Sight]) -> torch.Tensor:
        """Logits, float32 ``(n, actions)``.

        Rows are padded at their ends: attention is causal, so no row sees another's padding.
        """
        rows = [self._sequence(sight) for sight in sights]
        lengths = torch.tensor([len(ids) for ids, _ in rows])
        tokens, parts = torch.zeros(2, len(rows), int(lengths.max()), dtype=torch.long)
        for row, (ids, kinds) in enumerate(rows):
            tokens[row, : len(ids)] = torch.tensor(ids)
            parts[row, : len(ids)] = torch.tensor(kinds)
        device = self.head.weight.device
        embeds = self.body.get_input_embeddings()(tokens.to(device)) + self.parts(parts.to(device))
        features = self.body(inputs_embeds=embeds, use_cache=False).last_hidden_state
        last = features[torch.arange(len(rows)), lengths - 1]
        logits: torch.Tensor = self.head(last.to(self.head.weight.dtype)).float()
        return logits

    @torch.no_grad()
    def probabilities(
        self, sights: Sequence[Sight], mask: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """A distribution over the legal actions for each sight, float64 ``(n, actions)``."""
        logits = self(sights).double().cpu()
        logits[torch.from_numpy(~mask)] = -torch.inf
        found: NDArray[np.float64] = torch.softmax(logits, 1).numpy()
        return found

    def _sequence(self, sight: Sight) -> tuple[list[int], list[int]]:
        history = ", ".join(sight.history) or "none"
        texts = (f"goal: {sight.goal}", f"\nmoves: {history}", f"\n{sight.scene}")
        pieces = [self._ids(text) for text in texts]
        pieces[2] = pieces[2][: self.longest] + self._ids("\nnext move:")
        kinds = [kind for kind, piece in enumerate(pieces) for _ in piece]
        return [token for piece in pieces for token in piece], kinds

    def _tokenise(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return ids


def make_policy(
    model: str, init: Init, *, layers: int, actions: int, longest: int, seed: int
) -> LidPolicy:
    """An untrained policy on the first ``layers`` layers of a model (0: all of them).

    Args:
        model: what ``agents.llm.models.source`` takes: ``smollm2``, ``tiny``, a folder, a hub's id.
        init: whether the body has the model's weights, or random ones of the same shapes.
        layers, actions, longest: see ``LidPolicy``.
        seed: of the random weights, the head's among them.

    Raises:
        InputError: where there is no such model.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from agents.llm.models import loading, source

    path = source(model)
    config = loading(AutoConfig, path)
    config.num_hidden_layers = min(layers or config.num_hidden_layers, config.num_hidden_layers)
    tokenizer = loading(AutoTokenizer, path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if init == "lm":
            with _quiet():  # the layers left out would be reported as unexpected
                body = loading(AutoModel, path, config=config, dtype=torch.float32)
        else:
            body = _untrained(config)
        return LidPolicy(body, tokenizer, actions, longest)


def save_policy(policy: LidPolicy, folder: Path, facts: dict[str, Any]) -> None:
    """Write what ``load_policy`` reads: config.json, policy.safetensors, and in body/ the
    configuration of the body and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    policy.body.config.save_pretrained(folder / "body")
    policy.tokenizer.save_pretrained(folder / "body")
    write_tensors(folder / "policy.safetensors", policy.state_dict())
    shape = {"actions": policy.head.out_features, "longest": policy.longest}
    write_json(folder / "config.json", {"kind": "lid", **facts, **shape})


def load_policy(folder: Path) -> tuple[LidPolicy, dict[str, Any]]:
    """The policy in ``folder`` and the facts stored with it; InputError where there is none."""
    from transformers import AutoConfig, AutoTokenizer

    from agents.llm.models import loading

    path = folder / "config.json"
    try:
        facts = json.loads(path.read_text())
        weights = load_file(folder / "policy.safetensors")
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no policy of arena train lid: {error}") from None
    if not isinstance(facts, dict) or facts.pop("kind", None) != "lid":
        raise InputError(f"{path} is not the configuration of a policy of arena train lid")
    body = str(folder / "body")
    with torch.random.fork_rng(devices=[]):
        network = _untrained(loading(AutoConfig, body))
        tokenizer = loading(AutoTokenizer, body)
        try:
            policy = LidPolicy(network, tokenizer, facts.pop("actions"), facts["longest"])
            policy.load_state_dict(weights)
        except (KeyError, TypeError, RuntimeError) as error:
            raise InputError(f"{path} and policy.safetensors do not fit: {error}") from None
    return policy, facts


def _untrained(config: Any) -> Any:
    """A base model with random weights drawn from torch's generator."""
    from transformers import AutoModel

    return AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]


@contextmanager
def _quiet() -> Iterator[None]:
    from transformers.utils import logging as log

    before = log.get_verbosity()
    log.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        log.set_verbosity(before)


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """A safetensors file that appears whole or not at all."""
    whole = path.with_suffix(".part")
    save_file({key: value.contiguous().cpu() for key, value in tensors.items()}, whole)
    whole.replace(path)


def write_json(path: Path, value: Any) -> None:
    """A JSON file that appears whole or not at all."""
    whole = path.with_suffix(".part")
    whole.write_text(json.dumps(value, indent=1) + "\n")
    whole.replace(path)
