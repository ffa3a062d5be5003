"""What an optimizer remembers of each parameter, as tensors that are written and read back."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from arena.envs.errors import InputError

_ADAM = {"step", "exp_avg", "exp_avg_sq"}


def moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Copies of Adam's moments and step counts, by ``INDEX.NAME``, the parameter's index."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{k}": v.clone() for i, entry in state.items() for k, v in entry.items()}


def take_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give what ``moments`` returned to an optimizer of equal parameters.

    Raises InputError where the tensors are not moments of these parameters.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, _, name = key.partition(".")
        number = int(index)
        if not 0 <= number < len(parameters) or name not in _ADAM:
            raise InputError(f"the optimizer has no moment {key[:40]!r}")
        if value.shape != (() if name == "step" else parameters[number].shape):
            raise InputError(f"the moment {key} has shape {list(value.shape)}, not its parameter's")
        state.setdefault(number, {})[name] = value
    for number, entry in state.items():
        if set(entry) != _ADAM:
            raise InputError(f"parameter {number} lacks the moment {min(_ADAM - set(entry))}")
        first, second = (entry[name].to(torch.float64) for name in ("exp_avg", "exp_avg_sq"))
        # By Cauchy and Schwarz the square of the first is at most 53 times the second, with β = 0.9
        # and 0.999; what is far beyond would throw a weight as far in the next step.
        if bool((first**2 > 100 * second + 1e-30).any()) or entry["step"].item() < 0:
            raise InputError(f"the moments of parameter {number} are those of no gradients")
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
