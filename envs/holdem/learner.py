"""One learner's seat at each of many tables, with opponents who are asked in batches.

This is what the single-agent faces are made of (``arena.envs.holdem.env``,
``arena.envs.holdem.vec``). Whoever has ``act(turns)`` can be an opponent, an agent of ``agents`` as
well as three lines of your own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Ints, Turns
from arena.envs.holdem.encoding import encode, vector_space
from arena.envs.holdem.game import Holdem
from arena.envs.holdem.observation import View
from arena.envs.holdem.tables import HoldemTables

# Words of an episode's seed that no deck is shuffled with.
_PRIVATE, _NEXT, _DRAW = 1 << 40, 1 << 41, 1 << 42
_PATIENCE = 1000


class Opponent(Protocol):
    """Whoever answers turns: an ``agents.Agent``, or anything with this method."""

    def act(self, turns: Turns) -> Any:
        """Answers with ``actions``, an array ``(n,)``, and perhaps ``failures``, rows by number.

        Where ``actions`` is None, they are drawn from ``probabilities``.

        Where it has ``begin(tables, seats)`` and ``end(tables, seats, returns)``, it is told when
        an episode begins and ends for it.
        """


class Uniform:
    """An opponent that takes any legal action of the menu with equal probability."""

    actions: Ints

    def act(self, turns: Turns) -> Uniform:
        """Decide by one uniform number a turn."""
        mask = turns.action_mask
        assert mask is not None
        self.actions = seeding.draw(mask, turns.uniforms()[:, 0])
        return self


class Learner:
    """``n`` tables at which one seat is the learner's, and is always the one that is waited for.

    An episode that ends before the learner is asked anything is dealt anew.

    Args:
        game: the rules.
        n: how many tables.
        opponents: one for all other seats, or a sequence of one for each, clockwise from the
            learner's left. Uniform random ones where None.
        seat: the learner's; drawn anew for each episode where None.

    Attributes:
        seat: int64 ``(n,)``, the learner's seat at each table.
        tables: the tables.
        face: what is seen of them.
    """

    def __init__(
        self,
        game: Holdem,
        n: int,
        opponents: Opponent | Sequence[Opponent] | None,
        seat: int | None,
    ) -> None:
        if seat is not None and not 0 <= seat < game.seats:
            raise InputError(f"holdem: seat={seat}; the seats are 0 to {game.seats - 1}")
        given = Uniform() if opponents is None else opponents
        self.opponents = list(given) if isinstance(given, Sequence) else [given]
        if len(self.opponents) not in (1, game.seats - 1):
            raise InputError(
                f"holdem: {len(self.opponents)} opponents; give one for all other seats or "
                f"{game.seats - 1}"
            )
        self.game, self.tables = game, game.tables(n)
        self.face = Face(game, self.tables)
        self._fixed = seat
        self.seat: Ints = np.zeros(n, np.int64)
        self._seeds = np.zeros(n, np.uint64)
        self._counts = np.zeros((n, game.seats), np.int64)

    def begin(self, slots: Ints, seeds: NDArray[np.uint64]) -> None:
        """Begin an episode at each of ``slots`` and go on to the learner's first decision."""
        for _ in range(_PATIENCE):
            self._seeds[slots] = seeding.spread(seeds, np.array(_PRIVATE))
            self._counts[slots] = 0
            if self._fixed is None:
                share = seeding.uniforms(self._seeds[slots], 1)[:, 0]
                self.seat[slots] = (share * self.game.seats).astype(np.int64)
            else:
                self.seat[slots] = self._fixed
            self.tables.begin(slots, seeds)
            self._tell(slots, "begin")
            self._play_opponents()
            over = self.tables.done[slots]
            if not over.any():
                return
            slots, seeds = slots[over], seeding.spread(seeds[over], np.array(_NEXT))
            self._tell(slots, "end")
        raise InputError("holdem: the opponents end every hand before the learner is asked")

    def act(self, actions: Ints) -> NDArray[np.bool_]:
        """Take the learner's action at every table, and the opponents' up to its next.

        Returns where it was illegal, bool ``(n,)``: there the learner forfeits, that is, folds for
        the rest of the episode.
        """
        slots = np.arange(self.tables.capacity)
        illegal = ~self.tables.legal(slots, self.seat, actions)
        if illegal.any():
            self.tables.forfeit(slots[illegal], self.seat[illegal])
        if not illegal.all():
            self.tables.step(slots[~illegal], self.seat[~illegal], actions[~illegal])
        self._play_opponents()
        self._tell(np.flatnonzero(self.tables.done), "end")
        return illegal

    def observe(self, slots: Ints) -> dict[str, NDArray[Any]]:
        """What the learner sees at ``slots``: arrays of ``face.space``."""
        return self.face.observe(slots, self.seat[slots])

    def _play_opponents(self) -> None:
        while True:
            tables, seats = self.tables.to_act()
            place = (seats - self.seat[tables] - 1) % self.game.seats
            others = place < self.game.seats - 1
            if not others.any():
                return
            tables, seats, place = tables[others], seats[others], place[others]
            if len(self.opponents) == 1:
                self._ask(self.opponents[0], tables, seats)
                continue
            for number in np.unique(place).tolist():
                self._ask(self.opponents[number], tables[place == number], seats[place == number])

    def _ask(self, opponent: Opponent, tables: Ints, seats: Ints) -> None:
        bases = seeding.spread(self._seeds[tables], 1 + seats)
        seeds = seeding.spread(bases, self._counts[tables, seats])
        self._counts[tables, seats] += 1
        answers = opponent.act(Turns(self.tables, tables, seats, seeds))
        actions = answers.actions
        if actions is None:  # a declared policy: drawn from here, by a number of its own
            draws = seeding.uniforms(seeding.spread(seeds, np.array(_DRAW)), 1)[:, 0]
            actions = seeding.draw(answers.probabilities, draws)
        actions = np.asarray(actions)
        out = ~self.tables.legal(tables, seats, actions)
        out[list(getattr(answers, "failures", ()))] = True
        if out.any():
            self.tables.forfeit(tables[out], seats[out])
        if not out.all():
            self.tables.step(tables[~out], seats[~out], actions[~out])

    def _tell(self, slots: Ints, verb: str) -> None:
        if len(slots) == 0:
            return
        for number, opponent in enumerate(self.opponents):
            message = getattr(opponent, verb, None)
            if message is None:
                continue
            places = range(self.game.seats - 1) if len(self.opponents) == 1 else (number,)
            seats = np.array([(self.seat[slots] + 1 + p) % self.game.seats for p in places]).ravel()
            tables = np.tile(slots, len(places))
            if verb == "begin":
                message(tables, seats)
            else:
                message(tables, seats, self.tables.returns[tables, seats])


class Face:
    """What seats see through the Gymnasium and PettingZoo faces.

    Attributes:
        space: a Dict of ``observation``, the vector of ``arena.envs.holdem.encoding``, and
            ``action_mask``, int8, the legal actions of the menu.
    """

    def __init__(self, game: Holdem, tables: HoldemTables) -> None:
        self._tables = tables
        self._view = View(tables.capacity, game.seats)  # written again and again
        self.space = gymnasium.spaces.Dict(
            {
                "observation": vector_space(game.seats),
                "action_mask": gymnasium.spaces.Box(0, 1, (len(game.menu) + 3,), np.int8),
            }
        )

    def observe(self, slots: Ints, seats: Ints) -> dict[str, NDArray[Any]]:
        """Fresh arrays of ``space`` for ``seats`` at ``slots``, the turn as first axis."""
        self._tables.observe_into(self._view, slots, seats)
        rows = {name: part[: len(slots)] for name, part in self._view.parts.items()}
        mask = self._tables.action_mask(slots, seats)
        return {"observation": encode(rows), "action_mask": mask.astype(np.int8)}
