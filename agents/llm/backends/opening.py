"""The back end that a checkpoint wants."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from arena.agents.device import Device
from arena.agents.llm.backends.backend import Backend
from arena.agents.llm.backends.models import Dtype, Runtime, gguf_file, source
from arena.envs.errors import InputError


@cache
def open_backend(
    checkpoint: str | None,
    *,
    device: Device = "auto",
    dtype: Dtype = "auto",
    runtime: Runtime = "transformers",
) -> Backend:
    """The back end that a checkpoint wants; opened once a process, shared by all who ask for it.

    Args:
        checkpoint: ``smollm2`` (also None), ``tiny``, the URL of an endpoint, a folder that
            ``save_pretrained`` wrote, a ``.gguf`` file, or a hub's id.
        device, dtype: of the weights; auto is bfloat16 on CUDA where there is one, else float32
            on the CPU, in which what else is in a batch changes scores by rounding alone.
        runtime: what runs a local model.

    Raises InputError for a checkpoint that holds no model, a library that is not installed, or an
    endpoint that does not answer.
    """
    if checkpoint and checkpoint.startswith(("http://", "https://")):
        from arena.agents.llm.backends.endpoint import Endpoint

        return Endpoint(checkpoint)
    if runtime == "llamacpp":
        from arena.agents.llm.backends.llamacpp import LlamaCpp

        return LlamaCpp(gguf_file() if checkpoint in (None, "smollm2") else Path(str(checkpoint)))
    try:
        from arena.agents.llm.backends.local import Local
    except ImportError as error:
        raise InputError(
            f"language models need {error.name}, which is not installed: pip install 'arena[llm]'"
        ) from None
    return Local(source(checkpoint), device=device, dtype=dtype)
