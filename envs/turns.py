"""What is asked of players: a batch of decisions, and what a trainer gets from one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding

if TYPE_CHECKING:
    from arena.envs.game import Game, Ints, Observation, Tables


class Turns:
    """A batch of decisions that are waited for: seat ``seats[i]`` must act at ``tables[i]``.

    What is asked for is computed when it is first looked at and is valid until the next ``step``:
    a scripted player that looks at one array does not pay for a rendering in words.

    A player sees what its seat may see, and nothing here leads to the rest: ``imagine`` makes
    tables to think with, in which all that the seat cannot know is drawn afresh.

    Attributes:
        tables, seats: int64 arrays of shape ``(n,)``.
        seeds: uint64 array of shape ``(n,)``, a fresh seed for each decision (None outside a
            match). All of a player's randomness comes from it, so that a decision does not depend
            on what else is in the batch.
    """

    def __init__(
        self, source: Tables, tables: Ints, seats: Ints, seeds: NDArray[np.uint64] | None = None
    ) -> None:
        self._source = source
        self.tables = tables
        self.seats = seats
        self.seeds = seeds

    def __len__(self) -> int:
        return len(self.tables)

    def select(self, rows: NDArray[Any]) -> Turns:
        """The turns at ``rows`` (indices or a boolean array), in that order."""
        seeds = None if self.seeds is None else self.seeds[rows]
        chosen = Turns(self._source, self.tables[rows], self.seats[rows], seeds)
        if (mask := self.__dict__.get("action_mask")) is not None:  # known already
            chosen.action_mask = mask[rows]
        return chosen

    @property
    def game(self) -> Game:
        """The rules that are played by."""
        return self._source.game

    @cached_property
    def observation(self) -> Observation:
        """What each acting seat sees: arrays whose first axis is the turn."""
        return self._source.observe(self.tables, self.seats)

    @cached_property
    def action_mask(self) -> NDArray[np.bool_] | None:
        """Which actions of a Discrete action space are legal, bool ``(n, actions)``, else None."""
        return self._source.action_mask(self.tables, self.seats)

    @cached_property
    def text(self) -> Sequence[str]:
        """Each observation in words."""
        return [self._source.text(t, s) for t, s in self._pairs()]

    @cached_property
    def words(self) -> Sequence[Sequence[str]]:
        """Each turn's legal actions in words, every one of which ``parse`` reads back."""
        return [self._source.words(t, s) for t, s in self._pairs()]

    @cached_property
    def facts(self) -> Sequence[Mapping[str, Any]]:
        """Each observation as named JSON-able values; see ``Tables.facts``."""
        return [self._source.facts(t, s) for t, s in self._pairs()]

    def parse(self, row: int, answer: str) -> Any:
        """The action that ``answer`` names at turn ``row``; InputError where it names none."""
        return self._source.parse(int(self.tables[row]), int(self.seats[row]), answer)

    def describe(self, row: int, action: Any) -> str:
        """A legal action at turn ``row`` in words, as ``words`` would write it."""
        return self._source.describe(int(self.tables[row]), int(self.seats[row]), action)

    def legal(self, actions: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each turn's action may be taken, bool ``(n,)``."""
        return self._source.legal(self.tables, self.seats, actions)

    def why_not(self, row: int, action: Any) -> str | None:
        """Why ``action`` is not legal at turn ``row``, in a sentence; None where it is."""
        return self._source.why_not(int(self.tables[row]), int(self.seats[row]), action)

    def frame(self, row: int) -> dict[str, Any]:
        """What the seat of turn ``row`` may see of its table, for the viewer."""
        return self._source.frame(int(self.tables[row]), int(self.seats[row]))

    def imagine(self, rows: NDArray[Any], seeds: NDArray[np.uint64]) -> Tables:
        """Tables of one's own to think with: slot i stands where turn ``rows[i]`` does.

        What the seat cannot know (others' cards, the deck, all randomness to come) is drawn afresh
        from ``seeds[i]``, so that a search learns from its imagination, not from the truth. A row
        may be given many times. Needs a game that offers "copy" and "redeal" (``Game.offers``),
        else NotImplementedError; a player that searches refuses other games when it is made.

        Args:
            rows: indices of turns, int ``(k,)``.
            seeds: uint64 ``(k,)``.
        """
        rows = np.asarray(rows, np.int64)
        imagined = self._source.game.tables(len(rows))
        self._source.copy(self.tables[rows], imagined)
        imagined.redeal(np.arange(len(rows)), self.seats[rows], np.asarray(seeds, np.uint64))
        return imagined

    def uniforms(self, k: int = 1) -> NDArray[np.float64]:
        """``k`` uniform numbers in [0, 1) for each turn, float64 ``(n, k)``, from its own seed."""
        return seeding.uniforms(self._seeds(), k)

    def generators(self) -> list[np.random.Generator]:
        """A NumPy generator for each turn, for players that need more than uniforms."""
        return [np.random.default_rng(int(seed)) for seed in self._seeds()]

    def _seeds(self) -> NDArray[np.uint64]:
        if self.seeds is None:
            raise ValueError("these turns carry no seeds: only a match hands out randomness")
        return self.seeds

    def _pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.tables.tolist(), self.seats.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Advanced:
    """What came of one ``Tables.advance``. The arrays are valid until the next one.

    Attributes:
        ended: bool ``(capacity,)``, where an episode ended (and the next one has begun).
        returns: float64 ``(capacity, seats)``, what each seat has earned in the episode that was
            stepped: final where ``ended``, so far elsewhere.
        truncated: bool ``(capacity,)``, where it ended by a limit and not by the rules: there a
            learner bootstraps from the value of ``final`` instead of taking it for 0.
        turns: the next decisions, everywhere.
        final: what was to be seen at the truncated tables, in their order, each with all its
            seats; None where none was truncated.
    """

    ended: NDArray[np.bool_]
    returns: NDArray[np.float64]
    truncated: NDArray[np.bool_]
    turns: Turns
    final: Observation | None = None
