"""A strategy as a table: what solvers keep, and the player that plays it (``tabular:RUN``).

A run's folder holds ``player/config.json`` (the game, and how the strategy was found) and
``player/strategy.safetensors``: ``keys``, uint8 ``(infosets, 16)``, the digests of what a seat
sees, and ``strategy``, float64 ``(infosets, actions)``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from arena.agents.agent import Agent, CannotPlay
from arena.agents.solvers.tree import Floats, Tree, shown
from arena.envs.checkpoints import Like, read_tensors, typed
from arena.envs.errors import InputError
from arena.envs.files import write
from arena.envs.game import Game, Turns
from arena.envs.outside import read_json
from arena.envs.registry import make_game

_CONFIG, _STRATEGY = "config.json", "strategy.safetensors"


def keys(turns: Turns) -> NDArray[np.uint8]:
    """A digest of what each turn's seat sees, uint8 ``(n, 16)``."""
    rows = np.concatenate([turns.seats[:, None].astype(np.uint8), shown(turns.observation)], axis=1)
    digests = [hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in rows]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(rows), 16)


def save_strategy(
    folder: Path, game: str, tree: Tree, strategy: Floats, facts: Mapping[str, Any]
) -> None:
    """Write a run's folder; ``facts`` say how the strategy was found."""
    player = folder / "player"
    player.mkdir(parents=True, exist_ok=True)
    write(player / _STRATEGY, save({"keys": keys(tree.turns), "strategy": tree.table(strategy)}))
    config = {"kind": "tabular", "game": game, **facts}
    write(player / _CONFIG, json.dumps(config, indent=1).encode() + b"\n")


class Tabular(Agent):
    """Plays a solved strategy: ``tabular:RUN``, the folder of ``arena solve -o RUN``."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if checkpoint is None:
            raise InputError("tabular needs the folder of a solution: tabular:runs/leduc")
        folder = Path(checkpoint)
        player = folder / "player" if (folder / "player").is_dir() else folder
        solved, found, self._strategy = _load(player)
        if solved.name != game.name:
            raise CannotPlay(f"{checkpoint} is a solution of {solved.name}, not of {game.name}")
        same = (
            solved.action_space == game.action_space
            and solved.observation_space == game.observation_space
            and _rules_are_equal(solved, game)
        )
        if not same:
            raise CannotPlay(f"{checkpoint} is a solution of {solved.name} with other options")
        self._folder = folder
        self._rows = {row.tobytes(): number for number, row in enumerate(found)}

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The table's rows."""
        try:
            rows = [self._rows[key.tobytes()] for key in keys(turns)]
        except KeyError:
            raise InputError(f"{self._folder} says nothing of what a seat sees here") from None
        found: NDArray[np.float64] = self._strategy[rows]
        return found


_RULES = (int, float, str, tuple, list, np.ndarray)


def _rules_are_equal(one: Game, other: Game) -> bool:
    """Whether two games of one kind have the same options: spaces do not tell payoffs apart."""
    rules = {name: value for name, value in vars(one).items() if isinstance(value, _RULES)}
    return all(np.array_equal(value, vars(other)[name]) for name, value in rules.items())


def _load(player: Path) -> tuple[Game, NDArray[np.uint8], Floats]:
    config = read_json(player / _CONFIG)
    spec = config.get("game") if isinstance(config, dict) else None
    game = make_game(typed(spec, str, f"{player / _CONFIG}, field game"))
    actions = getattr(game.action_space, "n", None)
    if actions is None:
        raise InputError(f"{player / _CONFIG}: {spec} has no list of actions to choose from")
    wanted = {"keys": Like((None, 16), "uint8"), "strategy": Like((None, int(actions)), "float64")}
    tensors = read_tensors(player / _STRATEGY, wanted)
    found, strategy = tensors["keys"], tensors["strategy"]
    odd = len(found) != len(strategy) or (strategy < 0).any()
    if odd or not np.allclose(strategy.sum(axis=1), 1):
        raise InputError(f"{player / _STRATEGY}: its rows are not a strategy, one for each key")
    return game, found, strategy
