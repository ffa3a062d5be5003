"""Language models: decisions by scoring beside a generation for each, with the same model.

64 tables of Hold'em with eight actions each are played to the flop and beyond by a scripted player;
whoever is to act is asked. Ours scores all legal actions of a whole batch. The peer is what is
commonly done: ``generate`` of transformers, greedily, one prompt at a time, for as many tokens as
the longest legal action has. Both see the same prompts. Rates are per second of CPU time.

The more of a prompt its tables share, the more a batch gains, so two prompts are measured: one
with worked examples, as small models need them (``few_shot``), and the short ``default``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version

import numpy as np
import torch

from arena.agents.llm.backends.backend import Message
from arena.agents.llm.backends.local import Local
from arena.agents.llm.backends.opening import open_backend
from arena.agents.llm.player import LanguageModel
from arena.agents.registry import make_agent
from arena.bench.record import Record
from arena.envs.game import Turns
from arena.envs.registry import make_game
from arena.training import one_thread

_TABLES = 64
_GAME = "holdem?menu=0.33/0.5/0.75/1/1.5"  # fold, call, five raises, all-in
_ROUNDS = 4  # decisions at every table: two before the flop, two on it
_ASKED = 3  # prompts of each round that the peer answers


def records() -> Iterator[Record]:
    """``decisions_vs_generate``, the same with the short prompt, and free answers in batches."""
    with one_thread():
        peer = f"transformers {version('transformers')}, generate"
        for name, prompt in (
            ("decisions_vs_generate", "few_shot"),
            ("decisions_vs_generate_short_prompt", "default"),
        ):
            ours, theirs = _decisions(prompt)
            yield Record.of(name, "decisions/s", ours, theirs, peer)


def _decisions(prompt: str) -> tuple[float, float]:
    """Decisions per second of CPU time: ours and the peer's."""
    game = make_game(_GAME)
    tables, every = game.tables(_TABLES), np.arange(_TABLES)
    tables.begin(every, every.astype(np.uint64))
    player, teacher = make_agent(f"lm?prompt={prompt}", game), make_agent("call", game)
    assert isinstance(player, LanguageModel)
    player.begin(every, np.zeros(_TABLES, np.int64))
    backend = open_backend(None)
    assert isinstance(backend, Local)
    backend.score([(Message("user", "warm up"),)], [["yes", "no"]])
    decided, spent, answered, taken = 0, 0.0, 0, 0.0
    for step in range(_ROUNDS):
        at, seats = tables.to_act()
        turns = Turns(tables, at, seats, np.arange(len(at)).astype(np.uint64) + 1000 * step)
        words = turns.words
        begun = time.process_time()
        decisions = player.act(turns)
        spent += time.process_time() - begun
        decided += len(turns)
        assert decisions.notes is not None
        for row in range(_ASKED):
            note = decisions.notes[row]
            assert note is not None
            begun = time.process_time()
            _generate(backend, note["prompt"], words[row])
            taken += time.process_time() - begun
            answered += 1
        tables.step(at, seats, teacher.policy(turns).argmax(axis=1))
    return decided / spent, answered / taken


@torch.inference_mode()
def _generate(backend: Local, conversation: Sequence[dict[str, str]], words: Sequence[str]) -> str:
    """The peer's way: one prompt, greedily, by the library's own loop."""
    ids = backend.tokenizer.apply_chat_template(
        list(conversation), add_generation_prompt=True, return_tensors="pt"
    )
    longest = max(len(backend.tokenizer(word)["input_ids"]) for word in words) + 1
    out = backend.model.generate(
        **ids, max_new_tokens=longest, do_sample=False, pad_token_id=backend.tokenizer.pad_token_id
    )
    text: str = backend.tokenizer.decode(out[0, ids["input_ids"].shape[1] :])
    return text
