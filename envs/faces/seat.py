"""One decision-maker in many episodes, stepped together: what single-agent faces are made of.

``Seat`` is that of any game, among opponents who are asked in batches. Episodes that are no game of
the league (a campaign against its log) and those that have a faster way implement ``Episodes``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.faces.view import Info, view_of
from arena.envs.game import AGAIN, PATIENCE, Game, Ints, Turns

_PRIVATE, _DRAWN = 1 << 40, 1 << 42  # words of an episode's seed that no game draws


class Outcome(NamedTuple):
    """What a step came to, for ``n`` episodes: rewards float64, the others bool, all ``(n,)``."""

    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]


class Episodes(ABC):
    """``count`` episodes of one decision-maker, each in a row of its own.

    Attributes:
        count: of rows.
        observation_space, action_space: of one row.
        limit: after how many steps an episode is truncated at the latest; None: never.
        forfeited: bool ``(count,)``, where the last action was not legal.
    """

    count: int
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]
    limit: int | None = None

    def __init__(self, count: int) -> None:
        self.count = count
        self.forfeited = np.zeros(count, np.bool_)

    @abstractmethod
    def begin(self, rows: Ints, seeds: NDArray[np.uint64], options: Mapping[str, Any]) -> None:
        """Begin an episode in each of ``rows``; the seed decides all of it but the actions."""

    @abstractmethod
    def step(self, rows: Ints, actions: NDArray[Any]) -> Outcome:
        """Take an action in each of ``rows``, whose episodes must be going on."""

    @abstractmethod
    def observe(self, rows: Ints) -> Any:
        """What is seen there now: fresh arrays of ``observation_space``, the row first."""

    @abstractmethod
    def info(self, rows: Ints) -> Info:
        """More about them by name, the same names at every step. A mask is added by the faces."""

    def action_mask(self, rows: Ints) -> NDArray[np.bool_] | None:
        """Legal actions of a Discrete space, bool ``(n, actions)``; None for other spaces."""
        return None

    @abstractmethod
    def text(self, row: int) -> str:
        """What is seen there, in words."""

    @abstractmethod
    def picture(self, row: int) -> NDArray[np.uint8]:
        """What is seen there as a picture; see ``arena.envs.pictures``."""

    def close(self) -> None:  # noqa: B027 - most hold nothing
        """Give back what is held."""


class Answering(Protocol):
    """An opponent: an ``agents.Agent``, or anything with this method."""

    def act(self, turns: Turns) -> Any:
        """An array of actions, or an object with ``actions`` and perhaps ``failures`` (rows).

        Where its ``actions`` are None, they are drawn from its ``probabilities``, and it is told
        by ``took(turns, actions)``. Where it has ``begin(tables, seats)`` and ``end(tables, seats,
        returns)``, it is told when an episode begins and ends for it.
        """


Opponent = Answering | Callable[[Turns], Any]
"""Who answers turns: an agent, or a function from turns to actions."""


def uniform(turns: Turns) -> NDArray[Any]:
    """Opponents who take any legal action with equal probability."""
    mask = turns.action_mask
    if mask is not None:
        return seeding.draw(mask, turns.uniforms()[:, 0])
    space = deepcopy(turns.game.action_space)
    drawn = []
    for share in turns.uniforms()[:, 0]:
        space.seed(int(share * 2**53))
        drawn.append(space.sample())
    return np.array(drawn)


def _places(game: Game, opponents: Opponent | Sequence[Opponent] | None) -> list[Opponent]:
    """The one opponent of all other seats, or one for each of them."""
    if opponents is None:
        return [uniform]
    if game.seats == 1:
        raise InputError(f"{game.name} is a solo game: it takes no opponents")
    given = list(opponents) if isinstance(opponents, Sequence) else [opponents]
    if len(given) not in (1, game.seats - 1):
        raise InputError(
            f"{game.name}: {len(given)} opponents; give one for all other seats or {game.seats - 1}"
        )
    return given


class Seat(Episodes):
    """One seat at each of many tables of any game: the learner's, always the one waited for.

    The reward is what a step adds to the seat's return. An action that is not legal is a forfeit,
    as in a league; ``forfeit`` in the info says so. An episode that ends before the learner is
    asked anything gives way to the next.

    Args:
        game: the rules.
        count: how many tables.
        opponents: one for all other seats, or a sequence of one for each, clockwise from the
            learner's left (an agent or a function from turns to actions); uniform random ones
            where None.
        seat: the learner's; drawn anew for each episode where None.
        flat, mask_dtype: see ``SeatView``; more options are those of the game's own view.

    Attributes:
        seat: int64 ``(count,)``, the learner's seat at each table.
        tables, view: the tables, and how they are seen.

    Raises:
        InputError: for a seat that there is not, another number of opponents, or (as episodes
            begin) opponents who end every episode before the learner is asked.
    """

    def __init__(
        self,
        game: Game,
        count: int,
        opponents: Opponent | Sequence[Opponent] | None = None,
        *,
        seat: int | None = None,
        flat: bool = True,
        mask_dtype: Literal["int8", "bool"] = "int8",
        **view: Any,
    ) -> None:
        if seat is not None and not 0 <= seat < game.seats:
            raise InputError(f"{game.name}: seat={seat}; the seats are 0 to {game.seats - 1}")
        self.opponents = _places(game, opponents)
        super().__init__(count)
        self.game, self.limit = game, game.max_steps
        self.tables = game.tables(count)
        self.view = view_of(game, flat=flat, mask_dtype=mask_dtype, **view)
        self.observation_space = self.view.observation_space
        self.action_space = self.view.action_space
        self.seat: Ints = np.zeros(count, np.int64)
        self._fixed = seat
        self._seeds = np.zeros(count, np.uint64)
        self._counts = np.zeros((count, game.seats), np.int64)
        self._earned = np.zeros(count)
        # Who decides at the same time as the learner, in a simultaneous game: tables and seats.
        self._beside: tuple[Ints, Ints] = (np.zeros(0, np.int64), np.zeros(0, np.int64))

    # -- play ----------------------------------------------------------------------------------

    def begin(self, rows: Ints, seeds: NDArray[np.uint64], options: Mapping[str, Any]) -> None:
        """See ``Episodes``; goes on to the learner's first decision."""
        for _ in range(PATIENCE):
            self._seeds[rows] = seeding.spread(seeds, _PRIVATE)
            self._counts[rows] = 0
            self._earned[rows] = 0.0
            self.forfeited[rows] = False
            self.seat[rows] = self._draw_seats(rows) if self._fixed is None else self._fixed
            self.tables.begin(rows, seeds)
            self._tell(rows, "begin")
            self._play_opponents()
            over = self.tables.done[rows]
            if not over.any():
                return
            rows, seeds = rows[over], seeding.spread(seeds[over], AGAIN)
            self._tell(rows, "end")
        raise InputError(
            f"{self.game.name}: every episode ends before the learner is asked anything"
        )

    def _draw_seats(self, rows: Ints) -> Ints:
        share = seeding.uniforms(self._seeds[rows], 1)[:, 0]
        return (share * self.game.seats).astype(np.int64)

    def step(self, rows: Ints, actions: NDArray[Any]) -> Outcome:
        """See ``Episodes``; goes on to the learner's next decision, or the episode's end."""
        seats = self.seat[rows]
        actions = self.view.native(self.tables, rows, seats, np.asarray(actions))
        self.forfeited[rows] = ~self.tables.legal(rows, seats, actions)
        self._take(*self._joined(rows, seats, actions, self.forfeited[rows]))
        self._play_opponents()
        done, cut = self.tables.done[rows], self.tables.truncated[rows]
        self._tell(rows[done], "end")
        returns = self.tables.returns[rows, seats]
        rewards = returns - self._earned[rows]
        self._earned[rows] = returns
        return Outcome(rewards, done & ~cut, done & cut)

    def _joined(
        self, rows: Ints, seats: Ints, actions: NDArray[Any], out: NDArray[np.bool_]
    ) -> tuple[Ints, Ints, NDArray[Any], NDArray[np.bool_]]:
        """The learner's turns, with those of the seats that decide at the same time."""
        tables, others = self._beside
        if len(tables) == 0:
            return rows, seats, actions, out
        stepped = np.isin(tables, rows)
        tables, others = tables[stepped], others[stepped]
        answers, failed = self._ask(tables, others)
        tables, others = np.concatenate([rows, tables]), np.concatenate([seats, others])
        order = np.lexsort((others, tables))
        actions = np.concatenate([actions, answers])[order]
        return tables[order], others[order], actions, np.concatenate([out, failed])[order]

    def _take(
        self, tables: Ints, seats: Ints, actions: NDArray[Any], out: NDArray[np.bool_]
    ) -> None:
        if out.any():
            self.tables.forfeit(tables[out], seats[out])
            tables, seats, actions = tables[~out], seats[~out], actions[~out]
        if len(tables):
            self.tables.step(tables, seats, actions)

    def _play_opponents(self) -> None:
        """Ask the others until everywhere the learner is waited for, or the episode is over."""
        while self.game.seats > 1:
            tables, seats = self.tables.to_act()
            mine = seats == self.seat[tables]
            waited = np.zeros(self.count, np.bool_)
            waited[tables[mine]] = True
            others = ~waited[tables]
            if not others.any():
                self._beside = tables[~mine], seats[~mine]
                return
            tables, seats = tables[others], seats[others]
            self._take(tables, seats, *self._ask(tables, seats))

    def _ask(self, tables: Ints, seats: Ints) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The opponents' actions, and where there is none that is legal."""
        if len(self.opponents) == 1:
            return self._ask_one(self.opponents[0], tables, seats)
        place = (seats - self.seat[tables] - 1) % self.game.seats
        actions: NDArray[Any] | None = None
        out = np.zeros(len(tables), np.bool_)
        for number in np.unique(place).tolist():
            rows = np.flatnonzero(place == number)
            answers, out[rows] = self._ask_one(self.opponents[number], tables[rows], seats[rows])
            if actions is None:
                actions = np.zeros((len(tables), *answers.shape[1:]), answers.dtype)
            actions[rows] = answers
        assert actions is not None
        return actions, out

    def _ask_one(
        self, opponent: Opponent, tables: Ints, seats: Ints
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        bases = seeding.spread(self._seeds[tables], 1 + seats)
        seeds = seeding.spread(bases, self._counts[tables, seats])
        self._counts[tables, seats] += 1
        act = opponent.act if hasattr(opponent, "act") else opponent
        turns = Turns(self.tables, tables, seats, seeds)
        answers = act(turns)
        actions = getattr(answers, "actions", answers)
        if actions is None:  # a declared policy: drawn from here, by a number of its own
            draws = seeding.uniforms(seeding.spread(seeds, _DRAWN), 1)[:, 0]
            actions = seeding.draw(answers.probabilities, draws)
            if hasattr(opponent, "took"):
                opponent.took(turns, actions)
        actions = np.asarray(actions)
        out = ~self.tables.legal(tables, seats, actions)
        out[list(getattr(answers, "failures", ()))] = True
        return actions, out

    def _tell(self, slots: Ints, verb: Literal["begin", "end"]) -> None:
        if len(slots) == 0 or self.game.seats == 1:
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

    # -- what is seen ----------------------------------------------------------------------------

    def observe(self, rows: Ints) -> Any:
        """See ``Episodes``; the spaces are those of ``view``."""
        return self.view.observe(self.tables, rows, self.seat[rows], ~self.tables.done[rows])

    def info(self, rows: Ints) -> Info:
        """``seat``, ``forfeit`` and what the view tells."""
        seats = self.seat[rows]
        own: Info = {"seat": seats, "forfeit": self.forfeited[rows]}
        return own | self.view.info(self.tables, rows, seats)

    def action_mask(self, rows: Ints) -> NDArray[np.bool_] | None:
        """See ``Episodes``."""
        return self.tables.action_mask(rows, self.seat[rows])

    def text(self, row: int) -> str:
        """The seat's observation in words."""
        return self.tables.text(row, int(self.seat[row]))

    def picture(self, row: int) -> NDArray[np.uint8]:
        """The table as the seat sees it."""
        return self.tables.picture(row, int(self.seat[row]))


@runtime_checkable
class Taught(Protocol):
    """A game whose learner plays otherwise than in a ``Seat`` at its tables."""

    def learner(self, count: int, opponents: Any = None, **options: Any) -> Episodes:
        """Its episodes."""


def learner_of(
    game: Game, count: int, opponents: Opponent | Sequence[Opponent] | None = None, **options: Any
) -> Episodes:
    """One learner's seat at ``count`` tables: what single-agent faces are made of."""
    if isinstance(game, Taught):
        return game.learner(count, opponents, **options)
    return Seat(game, count, opponents, **options)
