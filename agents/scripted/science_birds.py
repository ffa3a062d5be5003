"""A vocabulary of levels: several structures for each letter that stand and can be read."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import orjson

from arena.agents.agent import CannotPlay
from arena.agents.generators.programs import ProgramAgent
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.science_birds import grid
from arena.envs.science_birds.grid import Program
from arena.envs.science_birds.similarity import LETTERS

LETTERS_FILE = "science_birds_letters.json"


class Vocabulary(ProgramAgent):
    """Plays from a list of ten structures for each letter, made by ``arena.agents.generators``.

    Option ``variants``: how many of each letter's structures are used, the best first.
    """

    version = 1

    def __init__(self, game: Game, checkpoint: str | None = None, *, variants: int = 10) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"birds_vocabulary takes no checkpoint, not {checkpoint}")
        super().__init__(game)
        if not 1 <= variants <= 10:
            raise InputError(f"birds_vocabulary: variants={variants} must lie between 1 and 10")
        self.variants = variants

    def programs(self, letter: str) -> list[Program]:
        """The letter's structures."""
        return vocabulary()[letter][: self.variants]


@cache
def vocabulary() -> dict[str, list[Program]]:
    """All structures, by letter. The file has ``{"A": ["b31 5, b13 4", …], …}``."""
    data = orjson.loads(files("arena.agents.scripted").joinpath(LETTERS_FILE).read_bytes())
    return {letter: [_read(line) for line in data[letter]] for letter in LETTERS}


def _read(line: str) -> Program:
    drops = [item.split() for item in line.split(", ")]
    return np.asarray(grid.program([(kind, int(slot)) for kind, slot in drops]))


def write_line(program: Program) -> str:
    """A program as a line of the file."""
    return ", ".join(f"{grid.KINDS[d // grid.WIDTH]} {d % grid.WIDTH}" for d in program.tolist())
