"""Science Birds as a game: a letter is asked for, and a level is built out of dropped blocks."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.science_birds import grid
from arena.envs.science_birds.grid import STOP
from arena.envs.science_birds.seat import Builders, BuilderView
from arena.envs.science_birds.similarity import LETTERS
from arena.envs.science_birds.tables import ScienceBirdsTables


class ProgramSpace(spaces.MultiDiscrete):
    """Whole levels: ``drops`` places, each a drop or ``STOP``, every stop after every drop.

    There is at least one drop. ``sample`` draws the number of drops, then each drop, uniformly.
    """

    def __init__(self, drops: int, seed: int | None = None) -> None:
        super().__init__(np.full(drops, STOP + 1), seed=seed)

    def sample(self, mask: Any = None, probability: Any = None) -> NDArray[np.int64]:
        """A random program; most of them fall out of the grid."""
        if mask is not None or probability is not None:
            raise ValueError("programs are sampled without a mask")
        out = np.full(len(self.nvec), STOP, np.int64)
        count = int(self.np_random.integers(1, len(out) + 1))
        out[:count] = self.np_random.integers(0, STOP, count)
        return out

    def contains(self, x: Any) -> bool:
        """Whether ``x`` is a program in this one form."""
        if not isinstance(x, np.ndarray) or not super().contains(x):
            return False
        stopped = x == STOP
        return bool(not stopped[0] and np.all(stopped[1:] >= stopped[:-1]))


class ScienceBirds(Game):
    """Build a capital letter that stands and can be read, block by block or as a whole program.

    Options: ``mode`` (``sequential``: a block a decision; ``one_shot``: a level a decision),
    ``trials`` (levels of the same letter in an episode), ``drops`` (blocks a level at most),
    ``letters`` (those that are asked for; the letter is number *seed modulo their count*),
    ``reward`` (``final``, or for learners ``dense``: until its end a level has earned the letter's
    probability in the picture before any physics, then what it always earns).

    The return of one trial is stability × similarity; of several, the competition's letter score
    before its weights, diversity × mean (stability × similarity). Both lie in 0 to 1.
    """

    name = "science_birds"
    version = 1
    session = 1
    unit = "points of 100"
    unit_scale = 100.0

    def __init__(
        self,
        *,
        mode: Literal["sequential", "one_shot"] = "sequential",
        trials: int = 1,
        drops: int = 40,
        letters: str = LETTERS,
        reward: Literal["final", "dense"] = "final",
    ) -> None:
        if not 1 <= trials <= 100:
            raise InputError(f"science_birds: trials={trials} must lie between 1 and 100")
        if not 1 <= drops <= grid.WIDTH * grid.HEIGHT:
            raise InputError(f"science_birds: drops={drops} must lie between 1 and 320")
        if not letters or set(letters) - set(LETTERS):
            raise InputError(f"science_birds: letters={letters} must be capitals from A to Z")
        if reward == "dense" and (mode != "sequential" or trials != 1):
            raise InputError("science_birds: reward=dense needs mode=sequential and trials=1")
        self.mode = mode
        self.dense = reward == "dense"
        self.trials = trials
        self.drops = drops
        self.letters = letters
        self.seats = 1
        self.action_space: gymnasium.Space[Any] = (
            spaces.Discrete(STOP + 1) if mode == "sequential" else ProgramSpace(drops)
        )
        self.observation_space = spaces.Dict(
            {
                "letter": spaces.Discrete(len(LETTERS)),
                "trial": spaces.Discrete(trials),
                "dropped": spaces.Discrete(drops + 1),
                "cells": spaces.Box(0, len(grid.KINDS), (grid.HEIGHT, grid.WIDTH), np.uint8),
            }
        )

    def view(self, **options: Any) -> BuilderView:
        """See ``BuilderView``."""
        return BuilderView(self, **options)

    def learner(self, count: int, opponents: Any = None, **options: Any) -> Builders:
        """See ``Builders``."""
        if opponents is not None:
            raise InputError("science_birds is a solo game: it takes no opponents")
        return Builders(self, count, **options)

    def tables(self, capacity: int) -> ScienceBirdsTables:
        """Tables whose levels are judged as soon as they are finished."""
        return ScienceBirdsTables(self, capacity)
