"""Many levels being built at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs import pictures
from arena.envs.errors import InputError
from arena.envs.game import Ints, Observation, Tables
from arena.envs.science_birds import grid, text
from arena.envs.science_birds.assessment import Assessment, assess, look
from arena.envs.science_birds.drawing import level_image
from arena.envs.science_birds.frames import level_frame
from arena.envs.science_birds.grid import STOP
from arena.envs.science_birds.levels import Level, from_structure
from arena.envs.science_birds.similarity import LETTERS, diversity

if TYPE_CHECKING:
    from arena.envs.science_birds.game import ScienceBirds


class ScienceBirdsTables(Tables):
    """Grids stepped together; a level that is finished is simulated, rendered and read at once.

    Attributes:
        letters: int64 ``(capacity,)``, the letter asked for, by its place in the alphabet.
        trial: int64 ``(capacity,)``, the number of the level being built, from 0.
        cells: uint8 ``(capacity, 16, 20)`` (see ``grid.Structure``).
        counts: int64 ``(capacity,)``, blocks dropped into the level being built.
        assessments: for each table, what its finished levels came to.
    """

    game: ScienceBirds
    state = ("letters", "trial", "heights", "cells", "drops", "counts")

    def __init__(self, game: ScienceBirds, capacity: int) -> None:
        super().__init__(game, capacity)
        self.letters = np.zeros(capacity, np.int64)
        self.trial = np.zeros(capacity, np.int64)
        self.heights = np.zeros((capacity, grid.WIDTH), np.int8)
        self.cells = np.zeros((capacity, grid.HEIGHT, grid.WIDTH), np.uint8)
        self.drops = np.zeros((capacity, game.drops), np.int64)
        self.counts = np.zeros(capacity, np.int64)
        self.assessments: list[list[Assessment]] = [[] for _ in range(capacity)]
        self._last: list[grid.Program] = [np.zeros(0, np.int64)] * capacity
        self._asked = np.array([LETTERS.index(letter) for letter in game.letters])

    # -- play ----------------------------------------------------------------------------------

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """An empty grid and the letter that the seed names."""
        self.letters[tables] = self._asked[(seeds % np.uint64(len(self._asked))).astype(np.int64)]
        self.trial[tables] = 0
        self.done[tables] = False
        self.returns[tables] = 0.0
        self._clear(tables)
        for table in tables.tolist():
            self.assessments[table] = []

    def _clear(self, tables: Ints) -> None:
        self.heights[tables] = 0
        self.cells[tables] = 0
        self.counts[tables] = 0

    def to_act(self) -> tuple[Ints, Ints]:
        """Every table that is not done, seat 0."""
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros(len(tables), np.int64)

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """The letter, the trial, and the level so far."""
        return {
            "letter": self.letters[tables],
            "trial": self.trial[tables],
            "dropped": self.counts[tables],
            "cells": self.cells[tables],
        }

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_] | None:
        """Drops that stay in the grid, and stopping once a block lies; None for whole programs."""
        if self.game.mode == "one_shot":
            return None
        mask = np.empty((len(tables), STOP + 1), np.bool_)
        grid.legal_drops(self.heights[tables], mask)
        mask[:, STOP] = self.counts[tables] > 0
        return mask

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Drop a block, or take a whole program; judge the levels that this finishes."""
        if self.game.mode == "one_shot":
            for table, program in zip(tables.tolist(), np.asarray(actions, np.int64), strict=True):
                self._finish(table, program[program != STOP])
            return
        finished = self.drop(tables, np.asarray(actions, np.int64))
        for table in finished.tolist():
            self._finish(table, self.drops[table, : self.counts[table]].copy())
        if self.game.dense:
            for table in np.setdiff1d(tables, finished).tolist():
                built = grid.build(self.drops[table, : self.counts[table]])
                assert isinstance(built, grid.Structure)
                self.returns[table] = look(built)[self.letters[table]]

    def drop(self, tables: Ints, actions: Ints) -> Ints:
        """Drop blocks without judging any level; returns the tables whose level is finished."""
        dropping = actions != STOP
        at = tables[dropping]
        grid.drop_batch(self.heights, self.cells, at, actions[dropping], np.empty_like(at))
        self.drops[at, self.counts[at]] = actions[dropping]
        self.counts[at] += 1
        finished = ~dropping | (self.counts[tables] >= self.game.drops)
        return np.asarray(tables[finished])

    def _finish(self, table: int, program: grid.Program) -> None:
        assessed = self.assessments[table]
        assessed.append(assess(program))
        self._last[table] = program
        if len(assessed) == self.game.trials:
            self._end(table)
            return
        self.trial[table] += 1
        self._clear(np.array([table]))

    def _end(self, table: int) -> None:
        letter = LETTERS[self.letters[table]]
        assessed = self.assessments[table]
        total = sum(a.stability * a.similarity(letter) for a in assessed)
        score = total / self.game.trials
        if self.game.trials > 1:
            score *= diversity([a.embedding for a in assessed if not a.failure])
        self.returns[table, 0] = score
        self.done[table] = True

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """End these episodes; the levels that are missing score 0."""
        for table in tables.tolist():
            self._end(table)

    def copy(self, tables: Ints, into: Tables, slots: Ints | None = None) -> None:
        """See ``Tables``: beside the arrays, what became of finished levels."""
        assert isinstance(into, ScienceBirdsTables)
        super().copy(tables, into, slots)
        places = range(len(tables)) if slots is None else slots.tolist()
        known = [(list(self.assessments[table]), self._last[table]) for table in tables.tolist()]
        for slot, (assessed, last) in zip(places, known, strict=True):
            into.assessments[slot], into._last[slot] = assessed, last

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """Nothing: a builder sees all that there is, and nothing is left to chance."""

    # -- words and pictures --------------------------------------------------------------------

    def facts(self, table: int, seat: int) -> dict[str, str]:
        """The ``rules``, and the ``letter``."""
        return {"rules": text.RULES, "letter": LETTERS[self.letters[table]]}

    def text(self, table: int, seat: int) -> str:
        """The rules, the letter, and the level so far."""
        letter = LETTERS[self.letters[table]]
        lines = [text.RULES, "", f"The letter is {letter}."]
        if self.game.trials > 1:
            lines.append(
                f"This is level {self.trial[table] + 1} of {self.game.trials} of this letter; "
                "the more they differ, the better."
            )
        if self.game.mode == "one_shot":
            lines.append(
                f"Write at most {self.game.drops} calls of drop_block between two lines of ```."
            )
        else:
            lines += [
                f"Dropped so far: {self.counts[table]} of at most {self.game.drops} blocks.",
                grid.picture(self.cells[table]),
                "Answer with one call of drop_block, or with stop when the level is finished.",
            ]
        return "\n".join(lines)

    def words(self, table: int, seat: int) -> Sequence[str]:
        """``drop_block('b31', 5)`` for each legal drop and ``stop``; or one program as example."""
        mask = self.action_mask(np.array([table]), np.array([seat]))
        if mask is None:
            return [text.write_program(grid.program([("b13", 5)]))]
        return [self.describe(table, seat, action) for action in np.flatnonzero(mask[0]).tolist()]

    def parse(self, table: int, seat: int, answer: str) -> Any:
        """One call or ``stop``; or the program in the last fenced block."""
        if self.game.mode == "one_shot":
            program = text.read_program(answer)
            if len(program) > self.game.drops:
                raise InputError(
                    f"the program drops {len(program)} blocks; at most {self.game.drops} are taken"
                )
            padded = np.full(self.game.drops, STOP, np.int64)
            padded[: len(program)] = program
            return padded
        drop = text.read_drop(answer)
        action = STOP if drop is None else drop
        mask = self.action_mask(np.array([table]), np.array([seat]))
        assert mask is not None
        if not mask[0, action]:
            raise InputError(
                "stop is not possible before a block lies" if drop is None
                else f"{text.write_drop(drop)} would leave the grid"
            )  # fmt: skip
        return action

    def describe(self, table: int, seat: int, action: Any) -> str:
        """The call, ``stop``, or the program as a fenced block."""
        if self.game.mode == "one_shot":
            program = np.asarray(action)
            return text.write_program(program[program != STOP])
        return "stop" if int(action) == STOP else text.write_drop(int(action))

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """The level being built, what finished ones came to, and the fall of the last of them."""
        assessed = self.assessments[table]
        fresh = bool(assessed) and (bool(self.done[table]) or self.counts[table] == 0)
        return level_frame(
            LETTERS[self.letters[table]],
            int(self.trial[table]),
            self.drops[table, : self.counts[table]],
            assessed,
            self._last[table] if fresh else None,
        )

    def picture(self, table: int, seat: int) -> NDArray[np.uint8]:
        """The level being built, or the last one as it came to rest."""
        assessed = self.assessments[table]
        if self.done[table] and assessed and assessed[-1].level is not None:
            drawn = level_image(assessed[-1].level, assessed[-1].poses)
        else:
            structure = grid.build(self.drops[table, : self.counts[table]])
            level = Level(()) if isinstance(structure, str) else from_structure(structure)
            poses = [(p.x, p.y, np.radians(p.rotation)) for p in level.pieces]
            drawn = level_image(level, np.array(poses).reshape(-1, 3))
        return pictures.fitted(drawn)
