"""What generators of Science Birds levels share: playing whole programs, and varying them."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.envs.game import Game, Ints, Turns
from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import Assessment, assess
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.grid import STOP, Program
from arena.envs.science_birds.similarity import LETTERS, diversity


class ProgramAgent(Agent):
    """Knows some programs for each letter and plays them, a block at a time or whole.

    Where an episode starts in a letter's list is drawn at random; its further trials take the
    next ones, so that the levels of an episode differ as long as the list lasts.
    """

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if not isinstance(game, ScienceBirds):
            raise CannotPlay(
                f"{type(self).__name__} builds levels of science_birds, not {game.name}"
            )
        self.game = game
        self.checkpoint = checkpoint
        self._starts: dict[tuple[int, int], float] = {}

    @abstractmethod
    def programs(self, letter: str) -> list[Program]:
        """The programs for a letter, at least one."""

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Forget where the last episodes at these tables started."""
        for key in zip(tables.tolist(), seats.tolist(), strict=True):
            self._starts.pop(key, None)

    def act(self, turns: Turns) -> Decisions:
        """The next drop of the program chosen, or the whole of it."""
        seen = turns.observation
        draws = turns.uniforms()[:, 0].tolist()
        keys = list(zip(turns.tables.tolist(), turns.seats.tolist(), strict=True))
        chosen = []
        for key, draw, letter, trial in zip(
            keys, draws, seen["letter"].tolist(), seen["trial"].tolist(), strict=True
        ):
            known = self.programs(LETTERS[letter])
            start = int(self._starts.setdefault(key, draw) * len(known))
            chosen.append(known[(start + trial) % len(known)])
        if self.game.mode == "one_shot":
            whole = np.full((len(turns), self.game.drops), STOP, np.int64)
            for row, program in zip(whole, chosen, strict=True):
                row[: len(program)] = program[: self.game.drops]
            return Decisions(whole)
        dropped = seen["dropped"].tolist()
        return Decisions(
            np.array([p[d] if d < len(p) else STOP for p, d in zip(chosen, dropped, strict=True)])
        )


# -- variation ---------------------------------------------------------------------------------

WIDEST = 9
"""Programs are varied within this many columns, in the middle of the grid."""
LEFT = (grid.WIDTH - WIDEST) // 2


def random_program(rng: np.random.Generator, longest: int = 14) -> Program:
    """A short program whose drops are uniform over kinds and middle columns."""
    count = int(rng.integers(2, longest + 1))
    return _drops(rng, count)


def _drops(rng: np.random.Generator, count: int) -> Program:
    kinds, slots = rng.integers(0, 3, count), rng.integers(LEFT, LEFT + WIDEST, count)
    return np.asarray(kinds * grid.WIDTH + slots, np.int64)


def mutate(program: Program, rng: np.random.Generator) -> Program:
    """A copy with one to three random edits: insert, delete, shift, replace, swap, shift a run."""
    drops = list(program.tolist())
    for _ in range(int(rng.integers(1, 4))):
        edit = int(rng.integers(0, 7))
        i = int(rng.integers(0, len(drops))) if drops else 0
        if edit == 0 or not drops:
            drops.insert(int(rng.integers(0, len(drops) + 1)), int(_drops(rng, 1)[0]))
        elif edit == 1 and len(drops) > 1:
            del drops[i]
        elif edit == 2:
            drops[i] = _shift(drops[i], int(rng.choice((-1, 1))))
        elif edit == 3:
            drops[i] = int(rng.integers(0, 3)) * grid.WIDTH + drops[i] % grid.WIDTH
        elif edit == 4:
            j = int(rng.integers(0, len(drops)))
            drops[i], drops[j] = drops[j], drops[i]
        elif edit == 5:
            j = int(rng.integers(i, len(drops))) + 1
            step = int(rng.choice((-1, 1)))
            drops[i:j] = [_shift(drop, step) for drop in drops[i:j]]
        else:
            drops.insert(i, drops[i])
    return np.array(drops, np.int64)


def _shift(drop: int, step: int) -> int:
    slot = min(max(drop % grid.WIDTH + step, LEFT), LEFT + WIDEST - 1)
    return drop - drop % grid.WIDTH + slot


def cross(a: Program, b: Program, rng: np.random.Generator) -> Program:
    """The beginning of one program and the end of another, 40 drops at most."""
    i, j = int(rng.integers(0, len(a) + 1)), int(rng.integers(0, len(b) + 1))
    child = np.concatenate([a[:i], b[j:]])[:40]
    return child if len(child) else a.copy()


def worth(assessment: Assessment, letter: str) -> float:
    """What a trial earns before its weight: stability × similarity."""
    return assessment.stability * assessment.similarity(letter)


def choose_diverse(
    candidates: list[tuple[Program, Assessment]], letter: str, count: int
) -> list[Program]:
    """A subset whose diversity × mean worth is high: greedy additions, then greedy exchanges."""
    values = np.array([worth(a, letter) for _, a in candidates])
    vectors = np.array([a.embedding for _, a in candidates])
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)[:, None]
    far: NDArray[np.float64] = 1 - unit @ unit.T
    picked = [int(values.argmax())]
    while len(picked) < min(count, len(candidates)):
        picked.append(_best_addition(picked, values, far))
    for _ in range(3):
        for place in range(len(picked)):
            rest = picked[:place] + picked[place + 1 :]
            if rest:
                picked[place] = _best_addition(rest, values, far)
    return [candidates[i][0] for i in picked]


def _best_addition(picked: list[int], values: NDArray[np.float64], far: NDArray[np.float64]) -> int:
    n = len(picked) + 1
    inside = far[np.ix_(picked, picked)].sum() / 2
    spread = (inside + far[picked].sum(axis=0)) / (n * (n - 1) / 2)
    score = spread * (values[picked].sum() + values) / n
    score[picked] = -1.0
    return int(score.argmax())


def letter_score(programs: list[Program], letter: str) -> tuple[float, float, float]:
    """Mean stability, mean similarity and diversity of these trials of a letter."""
    assessed = [assess(program) for program in programs]
    return (
        float(np.mean([a.stability for a in assessed])),
        float(np.mean([a.similarity(letter) for a in assessed])),
        diversity([a.embedding for a in assessed if not a.failure]),
    )
