"""``sb3:FILE.zip?algorithm=MaskablePPO``: a checkpoint of Stable-Baselines3, without unpickling.

The weights are read as weights and nothing else. What they do not say stands in the file's JSON
where the model was made with the library's defaults; where it does not, it is an option
(``activation``) or a refusal. Models trained on our faces fit: their policies read a seat's vector,
with the mask before it where both were seen.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.scripted.generic import certain
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.outside import parse_record

Algorithm = Literal["PPO", "A2C", "MaskablePPO", "DQN"]
Activation = Literal["tanh", "relu"]
Layer = tuple[NDArray[np.float32], NDArray[np.float32]]

_MOST_BYTES = 2**28
_DEFAULTS: dict[Algorithm, Activation] = {
    "PPO": "tanh", "A2C": "tanh", "MaskablePPO": "tanh", "DQN": "relu",
}  # fmt: skip


class Sb3(Agent):
    """A Stable-Baselines3 checkpoint: ``sb3:FILE.zip?algorithm=MaskablePPO``.

    Illegal actions are left out, whatever the algorithm. DQN takes the action of the highest value.
    ``activation`` names the one between the layers, where the file does not say.
    """

    def __init__(
        self,
        game: Game,
        checkpoint: str | None = None,
        *,
        algorithm: Algorithm,
        activation: Activation | None = None,
    ) -> None:
        if checkpoint is None:
            raise InputError("sb3 needs a file: sb3:model.zip?algorithm=MaskablePPO")
        if not isinstance(game.action_space, spaces.Discrete):
            raise CannotPlay(f"sb3 chooses among actions; {game.name} has no list of them")
        path = Path(checkpoint)
        weights, facts = _read(path)
        self._layers = _layers(weights, algorithm, path)
        self._activation = activation or _activation(facts, algorithm, path)
        self._greedy = algorithm == "DQN"
        self._vector, actions = game.vector, int(game.action_space.n)
        inputs, outputs = self._layers[0][0].shape[1], self._layers[-1][0].shape[0]
        size = self._vector.space.shape[0]
        self._mask_first = inputs == size + actions
        if outputs != actions or inputs not in (size, size + actions):
            raise CannotPlay(
                f"{path} reads {inputs} numbers and has {outputs} actions; {game.name} gives "
                f"{size} (with the mask {size + actions}) and has {actions}"
            )

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The network's, over legal actions."""
        x, mask = self._vector(turns.observation), turns.action_mask
        assert mask is not None
        if self._mask_first:  # SB3 joins a Dict's parts by their names
            x = np.concatenate([mask.astype(np.float32), x], axis=1)
        for weight, bias in self._layers[:-1]:
            x = x @ weight.T + bias
            x = np.tanh(x) if self._activation == "tanh" else np.maximum(x, 0)
        weight, bias = self._layers[-1]
        logits = np.where(mask, (x @ weight.T + bias).astype(np.float64), -np.inf)
        if self._greedy:
            return certain(logits.argmax(1), logits.shape[1])
        odds = np.exp(logits - logits.max(1, keepdims=True))
        found: NDArray[np.float64] = odds / odds.sum(1, keepdims=True)
        return found


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The weights and the JSON of a checkpoint; nothing is unpickled."""
    try:
        import torch
    except ImportError:
        raise InputError("sb3 needs torch: pip install 'arena[train]'") from None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _MOST_BYTES:
                raise InputError(f"{path} unpacks to more than {_MOST_BYTES >> 20} MiB")
            facts = parse_record(archive.read("data"), str(path))
            stored = io.BytesIO(archive.read("policy.pth"))
        weights = torch.load(stored, map_location="cpu", weights_only=True)
        return {key: value.float().numpy() for key, value in weights.items()}, dict(facts)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # damaged in one of many ways, or more than weights
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path} is not a checkpoint of Stable-Baselines3 ({reason})") from None


def _layers(weights: dict[str, Any], algorithm: Algorithm, path: Path) -> list[Layer]:
    """The policy's layers, in order; InputError where there is anything else before them."""
    if any(key.startswith(("features_extractor.", "pi_features_extractor.")) for key in weights):
        raise InputError(f"{path} has a features extractor of its own, which is not in the file")
    body = "q_net.q_net." if algorithm == "DQN" else "mlp_extractor.policy_net."
    numbers = sorted(
        int(key.removeprefix(body).partition(".")[0])
        for key in weights
        if key.startswith(body) and key.endswith(".weight")
    )
    names = [f"{body}{number}" for number in numbers]
    if algorithm != "DQN":
        names.append("action_net")
    try:
        layers = [(weights[f"{name}.weight"], weights[f"{name}.bias"]) for name in names]
    except KeyError as error:
        raise InputError(f"{path} is not a policy of {algorithm}: it lacks {error}") from None
    if not layers:
        raise InputError(f"{path} is not a policy of {algorithm}: it has no layers of one")
    return layers


def _activation(facts: dict[str, Any], algorithm: Algorithm, path: Path) -> Activation:
    """What is between the layers: the library's default, or what the JSON says in words."""
    given = facts.get("policy_kwargs", {})
    words = str(given.get("activation_fn", "")) if isinstance(given, dict) else "?"
    if not words and isinstance(given, dict) and ":serialized:" not in given:
        return _DEFAULTS[algorithm]
    for name in ("tanh", "relu"):
        if f".{name}'" in words.lower():
            return name
    if not words:  # kwargs that had to be pickled, none of them the activation
        return _DEFAULTS[algorithm]
    raise InputError(f"{path} does not say which activation it has; add activation=tanh or relu")
