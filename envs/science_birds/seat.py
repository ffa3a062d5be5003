"""How a builder sees, acts and is paid through the faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.faces.seat import Seat
from arena.envs.faces.view import Info, SeatView
from arena.envs.game import Ints
from arena.envs.science_birds.grid import STOP

if TYPE_CHECKING:
    from arena.envs.science_birds.game import ScienceBirds


class BuilderView(SeatView):
    """A builder's view: a whole program is any list of numbers, and ends with its first stop.

    Infos hold ``stability`` and ``similarity`` of the last finished level, 0 before.
    """

    def __init__(self, game: ScienceBirds, **options: Any) -> None:
        super().__init__(game, **options)
        self.programs = game.mode == "one_shot"
        if self.programs:
            self.action_space = spaces.MultiDiscrete(np.full(game.drops, STOP + 1))

    def native(self, tables: Any, at: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[Any]:
        """Programs with nothing but stops after the first."""
        if not self.programs:
            return actions
        ended = np.logical_or.accumulate(actions == STOP, axis=1)
        return np.where(ended, STOP, np.asarray(actions, np.int64))

    def info(self, tables: Any, at: Ints, seats: Ints) -> Info:
        """See the class."""
        found = np.zeros((2, len(at)))
        for row, table in enumerate(at.tolist()):
            if tables.assessments[table]:
                last = tables.assessments[table][-1]
                found[:, row] = last.stability, last.probabilities[tables.letters[table]]
        return {"stability": found[0], "similarity": found[1]}


class Builders(Seat):
    """A builder's seat at many levels.

    The reward is what each step adds to the return. An illegal drop ends the episode with 0 in all.
    ``letter`` in the options of ``reset`` (a capital) is asked for instead of one drawn from the
    seed.

    Args:
        game: what is built.
        count: how many levels at once.
        options: see ``Seat``.
    """

    def __init__(self, game: ScienceBirds, count: int, **options: Any) -> None:
        super().__init__(game, count, **options)
        self.letters = game.letters

    def begin(self, rows: Ints, seeds: NDArray[np.uint64], options: Mapping[str, Any]) -> None:
        """See ``Episodes``."""
        if "letter" in options:
            if options["letter"] not in self.letters:
                raise InputError(f"letter={options['letter']} is none of {self.letters}")
            seeds = np.full(len(rows), self.letters.index(options["letter"]), np.uint64)
        super().begin(rows, seeds, options)
