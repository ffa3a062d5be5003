"""``policy:RUN``: what training has made, as a player of every masked game.

A player is a folder: ``config.json`` says what it reads and how large it is, ``policy.safetensors``
holds its weights. A perceptron plays by NumPy and needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.networks.choices import Choices, choices_of
from arena.agents.networks.encodings import VECTOR, Arrays, Encoding, VectorEncoding, encoding_of
from arena.agents.scripted.generic import certain
from arena.envs import seeding
from arena.envs.checkpoints import Like, read_config, read_tensors
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns

CONFIG, FILE = "config.json", "policy.safetensors"


class Logits(Protocol):
    """What gives the logits of a policy at many tables."""

    def begin(self, tables: Ints) -> None:
        """Episodes begin there."""

    def __call__(self, arrays: Arrays, tables: Ints) -> NDArray[np.float32]:
        """The logits of what is seen at ``tables``, float32 ``(n, choices)``."""


@dataclass(frozen=True)
class DescribedNetwork:
    """What a player's ``config.json`` says of its weights.

    Attributes:
        game: the spec of the game that it was trained on.
        reads: which observations it has learned to read.
        hidden: sizes of the network's layers.
        size: of a network for NetHack's screens; recurrent: whether it has a memory.
        greedy: whether it always takes the action that it holds for the best.
    """

    game: str
    reads: str
    hidden: tuple[int, ...]
    size: Literal["small", "paper"] = "small"
    recurrent: bool = False
    greedy: bool = False


def reads(game: Game, encoding: Encoding, choices: Choices) -> str:
    """Which observations a policy for this game learns to read, and among what it chooses."""
    return (
        f"observation version {game.observation_version} "
        f"by encoding {encoding.name} version {encoding.version}"
        + (f" and chooses {choices.title}" if choices.title else "")
    )


class Player(Agent):
    """A policy that plays: what reads a turn, and what gives the logits of its choices."""

    def __init__(
        self, encoding: Encoding, choices: Choices, logits: Logits, *, greedy: bool = False
    ) -> None:
        self.encoding, self.choices, self.greedy = encoding, choices, greedy
        self._logits = logits

    @property
    def declares(self) -> bool:
        """Where it chooses among the game's own actions."""
        return not self.choices.title

    def begin(self, tables: Ints, seats: Ints) -> None:
        """A recurrent policy forgets the last episode."""
        self._logits.begin(tables)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The probability of each choice, float64 ``(n, choices)``, 0 where it is illegal."""
        seen = self.encoding.encode(turns.observation)
        logits = self._logits(seen, turns.tables).astype(np.float64)
        logits = np.where(self.choices.mask(turns), logits, -np.inf)
        if self.greedy:
            return certain(logits.argmax(1), logits.shape[1])
        odds = np.exp(logits - logits.max(1, keepdims=True))
        found: NDArray[np.float64] = odds / odds.sum(1, keepdims=True)
        return found

    def act(self, turns: Turns) -> Decisions:
        """Declare the policy; where actions are numbers, draw a choice."""
        policy = self.policy(turns)
        if self.declares:
            return Decisions(None, policy)
        chosen = seeding.draw(policy, turns.uniforms()[:, 0])
        return Decisions(self.choices.actions(turns, chosen))


class Policy(Player):
    """A trained policy: ``policy:RUN``, with RUN a folder of ``arena train``.

    It plays the game that it was trained on, also in configurations whose observations and actions
    have the same shapes. ``greedy`` takes the likeliest action instead of drawing one.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, greedy: bool = False) -> None:
        if checkpoint is None:
            raise InputError("policy needs the folder of a run: policy:runs/first")
        folder = _folder(Path(checkpoint))
        facts = read_config(folder / CONFIG, DescribedNetwork)
        _check_layers(folder, facts)
        choices = choices_of(game)
        if facts.game.partition("?")[0] != game.name:
            raise CannotPlay(f"{checkpoint} was trained on {facts.game}, not on {game.name}")
        encoding = encoding_of(game)
        if facts.reads != (now := reads(game, encoding, choices)):
            raise CannotPlay(f"{checkpoint} reads {facts.reads}, {game.name} has {now}")
        path = folder / FILE
        small = isinstance(encoding, VectorEncoding) and not facts.recurrent
        try:
            make = _by_numpy if small else _by_torch
            logits = make(path, facts, encoding, game, choices.count)
        except InputError as error:
            raise CannotPlay(
                f"{checkpoint} was trained on {facts.game}, not on this game: {error}"
            ) from None
        super().__init__(encoding, choices, logits, greedy=greedy or facts.greedy)


class Perceptron:
    """Layers with ReLUs in between, by NumPy."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        names = sorted(
            (key.removesuffix(".weight") for key in weights if key.startswith("body.")
             and key.endswith(".weight")), key=lambda name: int(name.partition(".")[2]),
        )  # fmt: skip
        self._layers = [
            (np.ascontiguousarray(weights[f"{name}.weight"].T), weights[f"{name}.bias"])
            for name in (*names, "actor")
        ]

    def begin(self, tables: Ints) -> None:
        """It remembers nothing."""

    def __call__(self, arrays: Arrays, tables: Ints) -> NDArray[np.float32]:
        """The logits of vectors whose last columns may be left out."""
        x = arrays[VECTOR]
        for weight, bias in self._layers[:-1]:
            x = np.maximum(x @ weight[: x.shape[1]] + bias, 0)
        weight, bias = self._layers[-1]
        found: NDArray[np.float32] = x @ weight + bias
        return found


def _by_numpy(
    path: Path, facts: DescribedNetwork, encoding: Encoding, game: Game, actions: int
) -> Logits:
    assert isinstance(encoding, VectorEncoding)
    sizes = (encoding.size, *facts.hidden, actions)
    names = [*(f"body.{2 * i}" for i in range(len(facts.hidden))), "actor"]
    wanted: dict[str, Like] = {}
    for name, (before, after) in zip(names, pairwise(sizes), strict=True):
        wanted |= {f"{name}.weight": Like((after, before)), f"{name}.bias": Like((after,))}
    return Perceptron(read_tensors(path, wanted))


def _by_torch(
    path: Path, facts: DescribedNetwork, encoding: Encoding, game: Game, actions: int
) -> Logits:
    import torch

    from arena.agents.networks.actor_critic import ActorCritic, Playing

    network = ActorCritic(
        encoding, game, actions, facts.hidden, size=facts.size, recurrent=facts.recurrent
    )
    weights = read_tensors(path, network.policy(), framework="pt")
    network.load_state_dict(weights, strict=False)  # a player has no value
    torch.set_num_threads(1)
    return Playing(network)


def _check_layers(folder: Path, facts: DescribedNetwork) -> None:
    """Refuse layers that would take long to build, and that the weights' file cannot hold."""
    hidden = facts.hidden
    if not 1 <= len(hidden) <= 16 or not all(1 <= size <= 2**14 for size in hidden):
        raise InputError(f"{folder / CONFIG}: hidden must be 1 to 16 sizes from 1 to 16,384")
    weights = sum(before * after for before, after in pairwise(hidden))
    weights += 3 * hidden[-1] ** 2 if facts.recurrent else 0
    if 2 * weights > (folder / FILE).stat().st_size:
        raise InputError(f"{folder / CONFIG}: hidden has more weights than {FILE} holds")


def _folder(path: Path) -> Path:
    """The folder of a player: a run's, or itself."""
    for folder in (path / "player", path):
        if (folder / FILE).is_file():
            return folder
    raise InputError(f"{path} holds no policy: {path / 'player' / FILE} is not there")
