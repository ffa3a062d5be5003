"""MAP-Elites (Mouret and Clune, 2015): the best level of a letter for each width and height.

The archive is pyribs'. Parents are drawn from it uniformly, varied like the genetic search's, and
their children enter the cell of their own width and height if they are worth more than who is
there. What differs in shape survives side by side, which is what diversity asks for.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from ribs.archives import GridArchive

from arena.agents.agent import CannotPlay
from arena.agents.generators.programs import (
    ProgramAgent,
    choose_diverse,
    cross,
    mutate,
    random_program,
    worth,
)
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import Assessment, assess
from arena.envs.science_birds.grid import STOP, Program

LONGEST = 40
WIDTHS, HEIGHTS = 9, 12
"""Cells of the archive: levels 1 to 9 columns wide and 1 to 12 rows high."""


class MapElites(ProgramAgent):
    """Fills an archive for a letter when it is first asked for, and plays elites that differ.

    Options: ``evaluations`` (levels let fall for each letter), ``batch`` (children a generation),
    ``variants`` (how many levels are kept), ``seed`` (of the search; play draws from the match).
    """

    version = 1

    def __init__(
        self,
        game: Game,
        checkpoint: str | None = None,
        *,
        evaluations: int = 3000,
        batch: int = 100,
        variants: int = 10,
        seed: int = 0,
    ) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"birds_elites searches when it plays; it takes no {checkpoint}")
        super().__init__(game)
        if not 1 <= batch <= evaluations:
            raise InputError(f"birds_elites: batch={batch} must lie between 1 and {evaluations}")
        self.search = evaluations, batch, variants, seed

    def programs(self, letter: str) -> list[Program]:
        """The elites chosen; searched once in a process."""
        return _searched(letter, *self.search)


@cache
def _searched(letter: str, evaluations: int, batch: int, variants: int, seed: int) -> list[Program]:
    rng = np.random.default_rng(seeding.derive(seed, "map-elites", letter))
    elites = illuminate(letter, evaluations, batch, rng)
    return choose_diverse(elites, letter, variants)


def illuminate(
    letter: str,
    evaluations: int,
    batch: int,
    rng: np.random.Generator,
    start: list[Program] | None = None,
) -> list[tuple[Program, Assessment]]:
    """Fill the archive of a letter and return its elites with what they came to.

    Args:
        letter: a capital.
        evaluations: levels to let fall in all.
        batch: children of a generation.
        rng: all of the search's randomness (what pyribs draws is seeded from it).
        start: programs to begin with, beside random ones.
    """
    archive = GridArchive(
        solution_dim=LONGEST,
        dims=(WIDTHS, HEIGHTS),
        ranges=((0.5, WIDTHS + 0.5), (0.5, HEIGHTS + 0.5)),
        seed=int(rng.integers(2**31)),
        solution_dtype=np.int64,
    )
    children = [*(start or []), *(random_program(rng) for _ in range(2 * batch))]
    done = 0
    while done < evaluations:
        children = children[: evaluations - done]
        done += len(children)
        _enter(archive, children, letter)
        parents = [_unpad(row) for row in archive.sample_elites(batch)["solution"]]
        children = [
            mutate(
                cross(p, parents[int(rng.integers(batch))], rng) if rng.random() < 0.2 else p, rng
            )[:LONGEST]
            for p in parents
        ]
    return [
        (program, assess(program, tries=1)) for program in map(_unpad, archive.data("solution"))
    ]


def _enter(archive: GridArchive, programs: list[Program], letter: str) -> None:
    """Let programs fall and offer those that built a level to the archive."""
    solutions, objectives, measures = [], [], []
    for program in programs:
        assessed = assess(program, tries=1)
        structure = grid.build(program)
        if isinstance(structure, str):
            continue
        taken = structure.cells > 0
        width, height = int(taken.any(axis=0).sum()), int(taken.any(axis=1).sum())
        padded = np.full(LONGEST, STOP, np.int64)
        padded[: len(program)] = program
        solutions.append(padded)
        objectives.append(worth(assessed, letter))
        measures.append((min(width, WIDTHS), min(height, HEIGHTS)))
    if solutions:
        archive.add(np.array(solutions), np.array(objectives), np.array(measures, np.float64))


def _unpad(row: Program) -> Program:
    return np.asarray(row[row != STOP])
