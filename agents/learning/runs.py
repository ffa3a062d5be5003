"""A training run's folder.

- ``config.json``: who trains, and the settings.
- ``player/``: all that plays, and nothing else. Its hash is the player's identity.
- ``training/``: what a resumed run needs (``resume.safetensors``), and TensorBoard's event files.

Each file appears whole or not at all, also when the process is killed.
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from arena.agents.learning.settings import Common, S, Tracked, from_values, record
from arena.envs.checkpoints import fitting, read_tensors, typed
from arena.envs.errors import InputError
from arena.envs.files import write
from arena.envs.outside import decode, parse_json, read_json

PLAYER, TRAINING, CONFIG = "player", "training", "config.json"
_RESUME, _FACTS = "resume.safetensors", "facts"


@dataclass(frozen=True)
class Run:
    """The folder of a run of ``trainer``."""

    folder: Path
    trainer: str

    @classmethod
    def begin(cls, trainer: str, settings: Common) -> Run:
        """A new folder with its ``config.json``; InputError where something is there already."""
        folder = _folder(settings)
        if isinstance(settings, Tracked) and settings.track:
            _wandb()  # before there is a folder
        if folder.exists():
            raise InputError(
                f"{folder} exists already; name a new folder, or add --resume to continue its run"
            )
        run = cls(folder, trainer)
        facts = {"trainer": trainer, "settings": record(settings)}
        folder.mkdir(parents=True)
        write(folder / CONFIG, json.dumps(facts, indent=1) + "\n")
        return run

    @classmethod
    def open(cls, trainer: str, settings: Common) -> Run:
        """The run in ``output``; InputError where there is none, or another trainer's."""
        folder = _folder(settings)
        facts = _config(folder)
        if facts["trainer"] != trainer:
            raise InputError(f"{folder} is a run of {facts['trainer']}, not of {trainer}")
        return cls(folder, trainer)

    @classmethod
    def at(cls, trainer: str, settings: Common) -> Run:
        """A new run, or with ``resume`` the one that there is."""
        return (cls.open if settings.resume else cls.begin)(trainer, settings)

    def settings(self, kind: type[S]) -> S:
        """Those that the run was begun with."""
        return from_values(_config(self.folder)["settings"], kind)

    @property
    def player(self) -> Path:
        """The folder of what plays."""
        return self.folder / PLAYER

    @property
    def training(self) -> Path:
        """The folder of what trains."""
        return self.folder / TRAINING

    @contextmanager
    def keeping(self, seconds: float) -> Iterator[Keeper]:
        """Keep the states that are handed over; the last is written at the end, or when stopped."""
        keeper = Keeper(self, seconds)
        try:
            with self.stoppable():
                yield keeper
        finally:
            keeper.write()

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        """Who stops the body, by Ctrl-C or SIGTERM, is told how to continue."""
        try:
            with terminable():
                yield
        except KeyboardInterrupt as interrupt:
            interrupt.add_note(f"what was learned is in {self.folder}; --resume continues there")
            raise

    def save_player(self, name: str, content: bytes) -> None:
        """Write a file of the player."""
        self.player.mkdir(exist_ok=True)
        write(self.player / name, content)

    def save_state(self, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Write what a resumed run needs, in one file: torch's tensors, and JSON-able facts."""
        import torch
        from safetensors.torch import save

        self.training.mkdir(exist_ok=True)
        words = torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)
        parts = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
        write(self.training / _RESUME, save(parts | {_FACTS: words}))

    def load_state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What ``save_state`` wrote; InputError where the run was never saved."""
        path = self.training / _RESUME
        if not path.exists():
            raise InputError(f"{self.folder} cannot be resumed: {path} is not there")
        tensors = read_tensors(path, None, framework="pt")
        with fitting(str(path)):
            facts = typed(
                parse_json(decode(bytes(tensors.pop(_FACTS).tolist()), str(path)), str(path)),
                dict[str, Any], str(path),
            )  # fmt: skip
        return tensors, facts


class Keeper:
    """Keeps the last state in memory, and on disk where the one there is older than ``seconds``."""

    def __init__(self, run: Run, seconds: float) -> None:
        self._run, self._seconds = run, seconds
        self._written = time.perf_counter()
        self._state: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None

    def __call__(self, tensors: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """A state that a resumed run begins from; nobody may change it any more."""
        self._state = tensors, facts
        if time.perf_counter() - self._written >= self._seconds:
            self.write()

    def write(self) -> None:
        """Write the last one."""
        if self._state is not None:
            self._run.save_state(*self._state)
            self._written = time.perf_counter()


def _folder(settings: Common) -> Path:
    if not settings.output:
        raise InputError("-o FOLDER is needed: where the run is kept")
    return Path(settings.output)


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / CONFIG).exists():
        raise InputError(f"{folder} is not a training run: {folder / CONFIG} is not there")
    found: dict[str, Any] = read_json(folder / CONFIG)
    if not isinstance(found, dict) or not {"trainer", "settings"} <= set(found):
        raise InputError(f"{folder / CONFIG} is not the configuration of a training run")
    return found


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises KeyboardInterrupt, as Ctrl-C does: a run saves itself on both."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wandb() -> Any:
    try:
        import wandb
    except ImportError:
        raise InputError("--track needs Weights & Biases: pip install wandb") from None
    return wandb


class Board:
    """Curves: TensorBoard's event files, and Weights & Biases where ``track``."""

    def __init__(self, run: Run, *, track: bool) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._wandb: Any = None
        if track:
            config = _config(run.folder)
            self._wandb = _wandb().init(project="arena", name=run.folder.name, config=config)
        self._writer = SummaryWriter(str(run.training))

    def log(self, figures: Mapping[str, float], step: int) -> None:
        """A point of each curve."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)
        if self._wandb is not None:
            self._wandb.log(dict(figures), step=step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
        if self._wandb is not None:
            self._wandb.finish()
