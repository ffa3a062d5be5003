"""Contextual decision processes: how many different worlds the seeds stand for.

With |C| contexts every seed stands for one of |C| worlds, so that an agent meets the same ones
again and again; with infinitely many every seed is a world of its own (Henaff et al., ICML 2023).
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from arena.envs import seeding
from arena.envs.errors import InputError

INFINITE = 0  # how "infinitely many" is written


def context_seed(seed: int, contexts: int) -> int:
    """The world's seed that ``seed`` stands for among ``contexts`` (0: infinitely many)."""
    if contexts == INFINITE:
        return seed
    return seeding.derive("context", seeding.derive("which", seed) % contexts)


def check_contexts(contexts: int) -> int:
    """``contexts``, or InputError where it is below 0."""
    if contexts < 0:
        raise InputError(
            f"contexts={contexts} must be a number of worlds, or 0 for infinitely many"
        )
    return contexts


class Contextual(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Any seedable environment in |C| contexts, a random one at every reset.

    Args:
        env: whose ``reset(seed=…)`` decides the whole episode's world.
        contexts: how many, 0 for infinitely many.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], *, contexts: int) -> None:
        super().__init__(env)
        self.contexts = check_contexts(contexts)
        self._drawn = np.random.default_rng()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset in the context that ``seed`` stands for, or in one drawn from the last seed."""
        if seed is not None:
            self._drawn = np.random.default_rng(seed)
        else:
            seed = int(self._drawn.integers(2**31))
        return self.env.reset(seed=context_seed(seed, self.contexts) >> 33, options=options)
