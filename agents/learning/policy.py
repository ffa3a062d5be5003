"""``policy:RUN``: what training has made, as a player of every masked game.

A player is a folder: ``config.json`` says what it reads and how large it is, ``policy.safetensors``
holds its weights. A perceptron plays by NumPy and needs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.networks.encodings import VECTOR, Arrays, Encoding, VectorEncoding, encoding_of
from arena.agents.scripted.generic import certain
from arena.envs.checkpoints import Like, read_config, read_tensors
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns

CONFIG, FILE = "config.json", "policy.safetensors"
Logits = Callable[[Arrays], NDArray[np.float32]]


@dataclass(frozen=True)
class Described:
    """What a player's ``config.json`` says of its weights.

    Attributes:
        game: the spec of the game that it was trained on.
        reads: which observations it has learned to read.
        hidden: sizes of the network's layers.
        size: of a network for NetHack's screens.
        greedy: whether it always takes the action that it holds for the best.
    """

    game: str
    reads: str
    hidden: tuple[int, ...]
    size: Literal["small", "paper"] = "small"
    greedy: bool = False


def reads(game: Game, encoding: Encoding) -> str:
    """Which observations a policy for this game learns to read."""
    return (
        f"observation version {game.observation_version} "
        f"by encoding {encoding.name} version {encoding.version}"
    )


class Player(Agent):
    """A policy that plays: what reads a turn, and what gives the logits of its actions."""

    def __init__(self, encoding: Encoding, logits: Logits, *, greedy: bool = False) -> None:
        self.encoding, self.greedy = encoding, greedy
        self._logits = logits

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The probability of each action, float64 ``(n, actions)``, 0 where it is illegal."""
        logits = self._logits(self.encoding.encode(turns.observation)).astype(np.float64)
        mask = turns.action_mask
        assert mask is not None
        logits = np.where(mask, logits, -np.inf)
        if self.greedy:
            return certain(logits.argmax(1), logits.shape[1])
        odds = np.exp(logits - logits.max(1, keepdims=True))
        found: NDArray[np.float64] = odds / odds.sum(1, keepdims=True)
        return found


class Policy(Player):
    """A trained policy: ``policy:RUN``, with RUN a folder of ``arena train``.

    It plays the game that it was trained on, also in configurations whose observations and actions
    have the same shapes. ``greedy`` takes the likeliest action instead of drawing one.
    """

    def __init__(self, game: Game, checkpoint: str | None = None, *, greedy: bool = False) -> None:
        if checkpoint is None:
            raise InputError("policy needs the folder of a run: policy:runs/first")
        folder = _folder(Path(checkpoint))
        facts = read_config(folder / CONFIG, Described)
        if len(facts.hidden) > 16 or not all(1 <= size <= 2**14 for size in facts.hidden):
            raise InputError(f"{folder / CONFIG}: hidden must be up to 16 sizes from 1 to 16,384")
        space = game.action_space
        if not isinstance(space, spaces.Discrete):
            raise CannotPlay(f"{checkpoint} chooses among actions; {game.name} has no list of them")
        if facts.game.partition("?")[0] != game.name:
            raise CannotPlay(f"{checkpoint} was trained on {facts.game}, not on {game.name}")
        encoding = encoding_of(game)
        if facts.reads != (now := reads(game, encoding)):
            raise CannotPlay(f"{checkpoint} reads {facts.reads}, {game.name} has {now}")
        path = folder / FILE
        try:
            make = _by_numpy if isinstance(encoding, VectorEncoding) else _by_torch
            logits = make(path, facts, encoding, game)
        except InputError as error:
            raise CannotPlay(
                f"{checkpoint} was trained on {facts.game}, not on this game: {error}"
            ) from None
        super().__init__(encoding, logits, greedy=greedy or facts.greedy)


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

    def __call__(self, arrays: Arrays) -> NDArray[np.float32]:
        """The logits of vectors whose last columns may be left out."""
        x = arrays[VECTOR]
        for weight, bias in self._layers[:-1]:
            x = np.maximum(x @ weight[: x.shape[1]] + bias, 0)
        weight, bias = self._layers[-1]
        found: NDArray[np.float32] = x @ weight + bias
        return found


def _by_numpy(path: Path, facts: Described, encoding: Encoding, game: Game) -> Logits:
    assert isinstance(encoding, VectorEncoding)
    actions = int(game.action_space.n)  # type: ignore[attr-defined]
    sizes = (encoding.size, *facts.hidden, actions)
    names = [*(f"body.{2 * i}" for i in range(len(facts.hidden))), "actor"]
    wanted: dict[str, Like] = {}
    for name, (before, after) in zip(names, pairwise(sizes), strict=True):
        wanted |= {f"{name}.weight": Like((after, before)), f"{name}.bias": Like((after,))}
    return Perceptron(read_tensors(path, wanted))


def _by_torch(path: Path, facts: Described, encoding: Encoding, game: Game) -> Logits:
    import torch

    from arena.agents.networks.actor_critic import ActorCritic, logits_of

    network = ActorCritic(encoding, game, facts.hidden, size=facts.size)
    weights = read_tensors(path, network.policy(), framework="pt")
    network.load_state_dict(weights, strict=False)  # a player has no value
    torch.set_num_threads(1)
    return logits_of(network)


def _folder(path: Path) -> Path:
    """The folder of a player: a run's, or itself."""
    for folder in (path / "player", path):
        if (folder / FILE).is_file():
            return folder
    raise InputError(f"{path} holds no policy: {path / 'player' / FILE} is not there")
