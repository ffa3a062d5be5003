"""A GGUF file in this process, by llama.cpp (``xllamacpp``): text only, no scores.

Its server is asked one prompt after the other, each of them computed from its first token. Several
at once, or with the last prompt's keys and values kept, may be faster, but llama.cpp's rounding
depends on what is computed together: the likeliest answers of SmolLM2 to one and the same prompt
came out differently by what was asked before or beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.agents.llm.backends.backend import Answer, Backend, Prompt
from arena.agents.llm.backends.protocol import Nonsense, begun, chat_request, complaint, read_chat
from arena.envs.errors import InputError

_CONTEXT = 8192


class LlamaCpp(Backend):
    """The model in a ``.gguf`` file.

    Args:
        path: of the file.
        threads: of a computation.

    Raises InputError where xllamacpp is not installed, or ``path`` is no model that it can load.
    """

    scores = False
    context = _CONTEXT

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        if path.suffix != ".gguf" or not path.is_file():
            raise InputError(f"runtime=llamacpp needs a .gguf file, and {path} is none")
        try:
            import xllamacpp
        except ImportError:
            raise InputError(
                "runtime=llamacpp needs xllamacpp: pip install 'arena[llamacpp]'"
            ) from None
        self.name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = _CONTEXT
        params.n_parallel = 1
        params.cache_ram_mib = 0
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.use_jinja = True
        params.verbosity = -1
        try:
            self._server = xllamacpp.Server(params)
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path} cannot be loaded by llama.cpp: {reason}") from None

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
        """See Backend; each answer's ``seconds`` are its own."""
        return [
            self._one(
                prompt,
                None if choices is None else choices[row],
                max_tokens=max_tokens,
                temperature=temperature,
                seed=None if seeds is None else int(seeds[row]),
                stop=stop,
            )
            for row, prompt in enumerate(prompts)
        ]

    def _one(self, prompt: Prompt, choices: Sequence[str] | None, **options: Any) -> Answer:
        body = chat_request(self.name, prompt, choices=choices, constraint="grammar", **options) | {
            "cache_prompt": False
        }
        started = time.perf_counter()
        try:
            data = self._server.handle_chat_completions(body)
            if (said := complaint(data)) is not None:
                raise Nonsense(said)
            answer = read_chat(data, choices, "grammar", begun(prompt))
        except (Nonsense, RuntimeError) as error:
            answer = Answer("", error=f"{self.name}: {error}")
        return replace(answer, seconds=time.perf_counter() - started)
