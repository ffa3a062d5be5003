"""A language model as the body of a policy (Li et al., 2202.01771, section 4).

Goal, history and observation are one sequence of embeddings, each marked as what it is; the model's
features at its end go through a linear head to the actions' logits. The body is the first layers of
a pretrained model, or the same layers with random weights: what ``init`` says, and all else alike.

The goal comes last here, not first as in the paper: attention is causal, and a model that has read
the goal finds in the observation what it names.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from arena.envs.checkpoints import fitting, read_tensors, typed, write_tensors
from arena.envs.errors import InputError
from arena.envs.files import write_json
from arena.envs.outside import read_json

Init = Literal["lm", "random"]


class Sight(NamedTuple):
    """What a decision is made on: the goal, the moves so far (the last ones), the observation."""

    goal: str
    history: tuple[str, ...]
    scene: str


class LidPolicy(nn.Module):
    """A distribution over actions for every ``Sight``.

    Args:
        body: a transformers base model (``AutoModel``) whose blocks are ``layers`` and ``norm``.
        tokenizer: its tokenizer.
        actions: how many.
        longest: tokens of a scene; from a longer one the first are kept.
        frozen: how many of the body's layers do not train; where there are any, the embeddings do
            not train either, all of these are in bfloat16, and what comes out of them for a sight
            is computed once.

    Attributes:
        features: what came out of the frozen layers, bfloat16 ``(tokens, width)`` a sight;
            policies with the same frozen layers may share it.
    """

    def __init__(
        self, body: Any, tokenizer: Any, actions: int, *, longest: int, frozen: int
    ) -> None:
        super().__init__()
        width = body.config.hidden_size
        self.tokenizer, self.longest, self.frozen = tokenizer, longest, frozen
        self.lower, self.upper = _split(body, frozen)
        self.parts = nn.Embedding(3, width)
        nn.init.zeros_(self.parts.weight)  # what a pretrained model reads is not disturbed
        self.head = nn.Linear(width, actions)
        self._ids = lru_cache(100_000)(self._tokenise)
        self.features: dict[Sight, torch.Tensor] = {}

    def forward(self, sights: Sequence[Sight]) -> torch.Tensor:
        """Logits, float32 ``(n, actions)``."""
        device = self.head.weight.device
        rows = [self._sequence(sight) for sight in sights]
        lengths = torch.tensor([len(ids) for ids, _ in rows])
        parts = _padded([kinds for _, kinds in rows]).to(device)
        embeds = self._embeds(sights, [ids for ids, _ in rows]) + self.parts(parts)
        features = self.upper(inputs_embeds=embeds, use_cache=False).last_hidden_state
        last = features[torch.arange(len(rows)), lengths - 1]
        logits: torch.Tensor = self.head(last.to(self.head.weight.dtype)).float()
        return logits

    def _embeds(self, sights: Sequence[Sight], rows: list[list[int]]) -> torch.Tensor:
        """What enters the layers that train, ``(n, tokens, width)``.

        Rows are padded at their ends: attention is causal, so no row sees another's padding.
        """
        device = self.head.weight.device
        table = self.lower.get_input_embeddings()
        if not self.frozen:
            found: torch.Tensor = table(_padded(rows).to(device))
            return found
        if len(self.features) > 10_000:  # of some 40 kB each
            self.features.clear()
        for sight, ids in zip(sights, rows, strict=True):
            if sight not in self.features:  # one by one: what comes out depends on nothing else
                with torch.no_grad():
                    embeds = table(torch.tensor([ids], device=device))
                    out = self.lower(inputs_embeds=embeds, use_cache=False)
                self.features[sight] = out.last_hidden_state[0]
        return nn.utils.rnn.pad_sequence([self.features[sight] for sight in sights], True).float()

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
        """The tokens, and of each whether it is of the observation, the history or the goal."""
        moves = f"moves: {', '.join(sight.history)}\n" if sight.history else ""
        scene = self._ids(sight.scene)[: self.longest] + self._ids("\n")
        pieces = scene, self._ids(moves), self._ids(f"{sight.goal}:")
        kinds = [kind for kind, piece in enumerate(pieces) for _ in piece]
        return [token for piece in pieces for token in piece], kinds

    def _tokenise(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False).input_ids
        return ids


def make_policy(
    model: str, init: Init, *, layers: int, frozen: int, actions: int, longest: int, seed: int
) -> LidPolicy:
    """An untrained policy on the first ``layers`` layers of a model (0: all of them).

    Args:
        model: what ``models.source`` takes: ``smollm2``, ``tiny``, a folder, a
            hub's id.
        init: whether the body has the model's weights, or random ones of the same shapes.
        layers, frozen, actions, longest: see ``LidPolicy``.
        seed: of the random weights, the head's among them.

    Raises:
        InputError: where there is no such model, or it has other or fewer layers.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    from arena.agents.llm.backends.models import loading, source

    path = source(model)
    config = loading(AutoConfig, path)
    has = config.num_hidden_layers
    if not frozen < (layers or has) <= has:
        raise InputError(f"{model} has {has} layers: layers={layers}, frozen={frozen} do not fit")
    config.num_hidden_layers = layers or has
    tokenizer = loading(AutoTokenizer, path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if init == "lm":
            with _quiet():  # the layers left out would be reported as unexpected
                body = loading(AutoModel, path, config=config, dtype=torch.float32)
        else:
            body = _untrained(config)
        if not (hasattr(body, "layers") and hasattr(body, "norm")):
            raise InputError(f"{model} is a {config.model_type}; name a model built as Llama is")
        return LidPolicy(body, tokenizer, actions, longest=longest, frozen=frozen)


def save_policy(policy: LidPolicy, folder: Path, facts: dict[str, Any]) -> None:
    """Write what ``load_policy`` reads: config.json, policy.safetensors, and in body/ the
    configuration of the body and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    policy.upper.config.save_pretrained(folder / "body")
    policy.tokenizer.save_pretrained(folder / "body")
    write_tensors(folder / "policy.safetensors", policy.state_dict())
    write_json(
        folder / "config.json", {"kind": "lid", "actions": policy.head.out_features, **facts}
    )


def load_policy(folder: Path) -> tuple[LidPolicy, dict[str, Any]]:
    """The policy in ``folder`` and the facts stored with it; InputError where there is none."""
    from transformers import AutoConfig, AutoTokenizer

    from arena.agents.llm.backends.models import loading

    path = folder / "config.json"
    facts = read_json(path)
    if not isinstance(facts, dict) or facts.pop("kind", None) != "lid":
        raise InputError(f"{path} is not the configuration of a policy of arena train lid")
    actions = typed(facts.pop("actions", None), int, f"{path}, field actions")
    longest = typed(facts.get("longest"), int, f"{path}, field longest")
    frozen = typed(facts.get("frozen"), int, f"{path}, field frozen")
    body = str(folder / "body")
    with torch.random.fork_rng(devices=[]), fitting(f"the policy in {folder}"):
        config = loading(AutoConfig, body)
        size = (folder / "policy.safetensors").stat().st_size
        if max(config.num_hidden_layers, config.vocab_size) * config.hidden_size > size:
            raise InputError(f"{body}/config.json describes a larger model than there are weights")
        network = _untrained(config)
        tokenizer = loading(AutoTokenizer, body)
        policy = LidPolicy(network, tokenizer, actions, longest=longest, frozen=frozen)
    wanted = policy.state_dict()
    policy.load_state_dict(read_tensors(folder / "policy.safetensors", wanted, framework="pt"))
    return policy, facts


def _split(body: Any, frozen: int) -> tuple[Any, Any]:
    """Two models out of one: embeddings and the first layers, frozen; and the rest."""
    upper = copy(body)
    upper._modules = dict(body._modules)
    upper.layers, body.layers = body.layers[frozen:], body.layers[:frozen]
    body.norm = nn.Identity()
    upper.set_input_embeddings(nn.Identity())  # it is given embeddings
    if frozen:
        body.requires_grad_(False).to(torch.bfloat16)
    return body, upper


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], True)


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
