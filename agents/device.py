"""Where a network runs."""

from __future__ import annotations

import os
from typing import Literal

from arena.envs.errors import InputError

Device = Literal["auto", "cpu", "cuda"]


def choose_device(name: str) -> str:
    """The device that "auto", "cpu" or "cuda" means here: "auto" is CUDA where there is any.

    Raises InputError for CUDA where there is none, and for another name.
    """
    import torch

    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"device={name} is not a device; use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device=cuda: torch finds no CUDA device here; use cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":  # else cuBLAS refuses to be deterministic
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return name
