"""What ``arena train`` trains beside what ``arena.agents`` does: what needs the floors above it.

Trainers have ``Settings`` and ``train``; studies, which train many runs and compare them, have
``HELP``, ``add(parser)`` and ``run(options)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path


def names() -> list[str]:
    """The names of all studies, and of solvers."""
    from arena.agents.learning.trainers import trainer_names

    modules = {
        file.name.removesuffix(".py")
        for file in files(__package__).iterdir()
        if file.name.endswith(".py") and file.name != "__init__.py"
    }
    return sorted(modules - set(trainer_names()))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: small networks are slower on more, and starve who runs beside."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fresh(folder: Path) -> Path:
    """The folder to write a checkpoint to; InputError where something is there already."""
    from arena.envs.errors import InputError

    if folder.exists():
        raise InputError(f"--output {folder} is there already; name a folder that is not")
    return folder


def resumed_from(folder: Path) -> str:
    """What is told to who interrupts a run."""
    return f"what was saved is in {folder}, and --resume goes on from there"
