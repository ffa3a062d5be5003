"""A genetic algorithm over programs of drops, one population for each letter.

Truncation selection with elitism: the better half survives, the other half is replaced by mutated
and crossed-over survivors. Levels are looked at before any physics first, which is ten times
cheaper, and only the promising ones are let fall.
"""

from __future__ import annotations

from functools import cache

import numpy as np

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
from arena.envs.science_birds.assessment import Assessment, assess, look
from arena.envs.science_birds.grid import Program
from arena.envs.science_birds.similarity import LETTERS

Individual = tuple[Program, Assessment]


class Genetic(ProgramAgent):
    """Searches levels for a letter when it is first asked for, and plays the best that differ.

    Options: ``evaluations`` (levels let fall for each letter), ``population``, ``variants`` (how
    many levels are kept), ``seed`` (of the search; play itself draws from the match).
    """

    version = 1

    def __init__(
        self,
        game: Game,
        checkpoint: str | None = None,
        *,
        evaluations: int = 2000,
        population: int = 60,
        variants: int = 10,
        seed: int = 0,
    ) -> None:
        if checkpoint is not None:
            raise CannotPlay(f"birds_genetic searches when it plays; it takes no {checkpoint}")
        super().__init__(game)
        if not 4 <= population <= evaluations:
            raise InputError(
                f"birds_genetic: population={population} must lie between 4 and {evaluations}"
            )
        self.search = evaluations, population, variants, seed

    def programs(self, letter: str) -> list[Program]:
        """What the search found; searched once in a process."""
        return _searched(letter, *self.search)


@cache
def _searched(
    letter: str, evaluations: int, population: int, variants: int, seed: int
) -> list[Program]:
    found = evolve(letter, evaluations, population, np.random.default_rng(
        seeding.derive(seed, "genetic", letter)))  # fmt: skip
    return choose_diverse(found, letter, variants)


def evolve(
    letter: str,
    evaluations: int,
    population: int,
    rng: np.random.Generator,
    start: list[Program] | None = None,
) -> list[Individual]:
    """Evolve levels of a letter; returns every level let fall that is worth half of the best.

    Args:
        letter: a capital.
        evaluations: levels to let fall in all.
        population: levels alive at a time.
        rng: all of the search's randomness.
        start: programs to begin with, beside random ones.
    """
    index = LETTERS.index(letter)
    seen: dict[bytes, Individual] = {}

    def fall(program: Program) -> None:
        if program.tobytes() not in seen:
            seen[program.tobytes()] = program, assess(program, tries=1)

    for program in start or []:
        fall(program)
    # Of many random piles, those that look most like the letter.
    for program in sorted(
        (random_program(rng) for _ in range(population * 20)), key=lambda p: -_looks(p, index)
    )[:population]:
        fall(program)
    alive = _best(list(seen.values()), letter, population)
    stalled = 0
    while len(seen) < evaluations and stalled < 100:
        parents = [program for program, _ in alive]
        children = []
        for _ in range(population * 3):
            child = parents[int(rng.integers(len(parents)))]
            if rng.random() < 0.3:
                child = cross(child, parents[int(rng.integers(len(parents)))], rng)
            children.append(mutate(child, rng))
        # Not the best-looking alone: what falls into place looks worse before.
        before = len(seen)
        for child in sorted(children, key=lambda p: -_looks(p, index))[: population // 2]:
            if len(seen) < evaluations:
                fall(child)
        stalled = stalled + 1 if len(seen) == before else 0
        alive = _best(list(seen.values()), letter, population)
    best = max(worth(a, letter) for _, a in seen.values())
    return [one for one in seen.values() if worth(one[1], letter) >= best / 2]


def _looks(program: Program, index: int) -> float:
    structure = grid.build(program)
    return -1.0 if isinstance(structure, str) else float(look(structure)[index])


def _best(individuals: list[Individual], letter: str, count: int) -> list[Individual]:
    """The best levels, no two of them with the same worth: copies would crowd out the others."""
    alive: list[Individual] = []
    values: set[float] = set()
    for one in sorted(individuals, key=lambda one: -worth(one[1], letter)):
        value = round(worth(one[1], letter), 4)
        if value not in values or value == 0.0:
            alive.append(one)
            values.add(value)
        if len(alive) == count:
            break
    return alive
