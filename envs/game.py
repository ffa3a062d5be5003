"""The one contract that carries every game.

A ``Game`` is a configured set of rules. It makes ``Tables``: many independent tables of that game,
stepped together. ``Tables`` says whose turn it is everywhere, takes the decisions of all of them in
one call, and says which tables are done with what returns.

A turn-based game (Hold'em) asks one seat a table at a time, a simultaneous one (an auction) all its
seats at once, a solo one (MiniHack) has a single seat, and its contest is a race on the same seeds.
Nobody above this floor needs to know which it is.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, ClassVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.turns import Advanced as Advanced
from arena.envs.turns import Turns as Turns
from arena.envs.vectors import Vector

if TYPE_CHECKING:
    from arena.envs.path import Path

Ints = NDArray[np.int64]
Observation = Mapping[str, NDArray[Any]]

PATIENCE = 1000  # episodes in a row that may end before anybody is asked
UNASKED = "every episode ends before anybody is asked anything"
AGAIN = 1 << 41  # the word of an episode's seed that seeds the one in its place


@dataclass(frozen=True)
class Recording:
    """An episode to be exported: ``states`` re-simulates it.

    Attributes:
        players: the agents' names by seat.
        states: the tables (slot 0 is the episode) before each step, with the decisions of that
            step as (seat, action), the action None for a forfeit; then the end, with none.
    """

    players: tuple[str, ...]
    states: Iterator[tuple[Tables, Sequence[tuple[int, Any]]]]


Exporter = Callable[[Iterable[Recording]], bytes]


class Game(ABC):
    """A configured set of rules; immutable. Its keyword-only parameters are the spec's options.

    Class attributes:
        name: the registered name, the family of its specs.
        version: bump it when equal seeds and actions no longer give equal states.
        observation_version: bump it when what a seat sees has other parts or says other things: who
            learned from one cannot play from another, and a checkpoint names it.
        return_unit: what the return of one deal is told in, where that is not ``unit``.
        unit: what a league reports a mean return in; ``unit_scale`` converts a return to it. A
            configuration whose returns are of another kind sets its own.
        session: how many deals make a contest of a league: 1 where a deal is won or lost, many
            where it is about how much, and who is ahead after so many deals has won.

    Attributes:
        seats: how many seats each table has.
        action_space: one turn's actions. Discrete spaces come with a mask.
        observation_space: one turn's observation, a Dict space without the batch axis.
        max_steps: after how many decisions of a seat an episode is truncated; None: never.
        masked: whether actions may be illegal: True for every Discrete space unless a game says
            that all of its actions are legal all the time.
        seat_name: what PettingZoo's agents are called: ``player_0`` ….
    """

    name: ClassVar[str]
    version: ClassVar[int]
    observation_version: ClassVar[int] = 1
    unit: str = "points"
    unit_scale: float = 1.0
    return_unit: str = ""
    session: int = 1

    seats: int
    action_space: gymnasium.Space[Any]
    observation_space: gymnasium.spaces.Dict
    max_steps: int | None = None
    seat_name: str = "player"

    @property
    def masked(self) -> bool:
        """See the class."""
        return isinstance(self.action_space, gymnasium.spaces.Discrete)

    @cached_property
    def vector(self) -> Vector:
        """Its observations as one float32 vector each, for networks."""
        return Vector(self.observation_space)

    @abstractmethod
    def tables(self, capacity: int) -> Tables:
        """``capacity`` tables, all of them idle until ``Tables.begin``."""

    @cached_property
    def offers(self) -> frozenset[str]:
        """Which optional parts of the contract its tables have: "copy", "redeal", "facts".

        So that an algorithm which needs one can refuse the game before it starts. Both "copy" and
        "redeal" are needed to ``imagine``.
        """
        tables = self.tables(1)
        parts = {
            name
            for name in ("copy", "redeal", "facts")
            if getattr(type(tables), name) is not getattr(Tables, name)
        }
        return frozenset(parts | ({"copy"} if tables.state or tables.path is not None else set()))

    @classmethod
    def drawing(cls) -> FilePath | None:
        """The file that draws its tables in a browser: ``drawing.js`` beside the class's module.

        None where there is none; ``arena/viewer/README.md`` says what such a module exports.
        """
        module = getattr(sys.modules.get(cls.__module__), "__file__", None)
        file = None if module is None else FilePath(module).with_name("drawing.js")
        return file if file is not None and file.is_file() else None

    def exporters(self) -> Mapping[str, Exporter]:
        """The game's own file formats by file ending (``.phh``): episodes in, the file out."""
        return {}


class Tables(ABC):
    """Many tables of one game, stepped together. Slots are numbered from 0 to ``capacity`` - 1.

    What happens at a table is a function of the seed it began with and of the actions taken at it,
    and of nothing else: neither of its slot nor of the other tables.

    Attributes:
        done: bool ``(capacity,)``, True where no decision is waited for (idle slots included).
        returns: float64 ``(capacity, seats)``, what each seat has earned, final where ``done``.
        tiebreaks: float64 ``(capacity, seats)``, higher is better; compared where returns are
            equal (a race: the fewer steps the better).
        truncated: bool ``(capacity,)``, True where an episode is done because of a limit (of
            steps, of time) and not by the rules.
        path: what happened at each table, in a game that keeps it; see ``copy``.

    Class attribute ``state`` names the arrays, the table their first axis, that make up a table's
    state beside the four above; see ``copy``.
    """

    state: ClassVar[tuple[str, ...]] = ()
    path: Path | None = None

    def __init__(self, game: Game, capacity: int) -> None:
        self.game = game
        self.capacity = capacity
        self.done: NDArray[np.bool_] = np.ones(capacity, np.bool_)
        self.truncated: NDArray[np.bool_] = np.zeros(capacity, np.bool_)
        self.returns: NDArray[np.float64] = np.zeros((capacity, game.seats))
        self.tiebreaks: NDArray[np.float64] = np.zeros((capacity, game.seats))

    @property
    def playing(self) -> NDArray[np.bool_]:
        """Which seats may still be asked in this episode, bool ``(capacity, seats)``."""
        playing: NDArray[np.bool_] = np.repeat(~self.done[:, None], self.game.seats, axis=1)
        return playing

    # -- play ----------------------------------------------------------------------------------

    @abstractmethod
    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Start a fresh episode at each of ``tables``, whatever was there, from its seed."""

    @abstractmethod
    def to_act(self) -> tuple[Ints, Ints]:
        """Whose decisions are waited for, everywhere: tables and seats, ordered by table."""

    @abstractmethod
    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """What those seats see now, in arrays of the caller's own.

        It never depends on what is hidden from them.
        """

    @abstractmethod
    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_] | None:
        """Legal actions of a Discrete space, bool ``(n, actions)``; None for other spaces."""

    def legal(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each action may be taken, bool ``(n,)``. Never raises on an odd action."""
        mask = self.action_mask(tables, seats)
        if mask is None:
            space = self.game.action_space
            return np.array([space.contains(space_value(space, a)) for a in actions], np.bool_)
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu" or actions.ndim != 1:
            return np.zeros(len(tables), np.bool_)
        inside = (actions >= 0) & (actions < mask.shape[1])
        chosen: NDArray[np.bool_] = mask[np.arange(len(mask)), np.where(inside, actions, 0)]
        both: NDArray[np.bool_] = inside & chosen
        return both

    @abstractmethod
    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Take legal actions, for all the turns of ``to_act`` at the tables named.

        A simultaneous game gets all the seats that were to act at a table in one call.
        """

    @abstractmethod
    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """Take these seats out of play: each was to act, gave no legal answer, is not asked again.

        The game goes on for the others where it can (a hand is folded, a bidder bids no more) and
        ends where it cannot. A simultaneous game counts a forfeit as that seat's action.
        """

    # -- words and pictures --------------------------------------------------------------------

    @abstractmethod
    def text(self, table: int, seat: int) -> str:
        """The seat's observation in words."""

    @abstractmethod
    def words(self, table: int, seat: int) -> Sequence[str]:
        """The seat's legal actions in words (for a continuous space, their grammar's examples)."""

    @abstractmethod
    def parse(self, table: int, seat: int, answer: str) -> Any:
        """The action that ``answer`` names by the game's strict grammar, or InputError."""

    @abstractmethod
    def describe(self, table: int, seat: int, action: Any) -> str:
        """A legal action in words, as ``words`` would write it."""

    @abstractmethod
    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """The table as JSON-able values for the viewer: all of it, or what ``seat`` may see."""

    def story(
        self, table: int, before: Mapping[str, Any] | None, names: Sequence[str]
    ) -> Iterable[str]:
        """What a spectator would tell of the last step beside the decision, a line each.

        Args:
            before: the spectator's frame before that step; None at the beginning.
            names: of the seats.
        """
        return ()

    def picture(self, table: int, seat: int) -> NDArray[np.uint8]:
        """What ``seat`` may see as a picture, uint8 ``(480, 640, 3)``: unless drawn, its words."""
        from arena.envs import pictures

        return pictures.words(self.text(table, seat))

    # -- optional parts (``Game.offers``) ------------------------------------------------------

    def copy(self, tables: Ints, into: Tables, slots: Ints | None = None) -> None:
        """Put the state of each of ``tables`` by value at ``slots`` of ``into``, of the same game.

        The two are then independent, and equal actions lead both to equal states. ``slots`` are
        0, 1, … where None; ``into`` may be these tables themselves.

        A game of arrays names them in ``state``. One whose state cannot be copied (it lies in
        another's library) keeps a ``Path`` in ``path``, by which a copy is played again. Others
        raise NotImplementedError, unless they override this.
        """
        slots = np.arange(len(tables)) if slots is None else slots
        if self.path is not None:
            self.path.replay(tables, into, slots)
        elif self.state:
            for name in ("done", "returns", "tiebreaks", "truncated", *self.state):
                getattr(into, name)[slots] = getattr(self, name)[tables]
        else:
            raise NotImplementedError(f"{self.game.name} does not say how its tables are copied")

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """Draw afresh, from ``seeds[i]``, all that ``seats[i]`` cannot know of ``tables[i]``.

        That is what is hidden now (others' cards) and all randomness that is still to come (the
        deck, the hands after this one): no two states that look alike to the seat, now and in what
        it has seen before, stay different. Where nothing is hidden and nothing is left to chance
        there is nothing to do, and a game says so by overriding this with a method that does
        nothing.
        """
        raise NotImplementedError(f"{self.game.name} does not say what its seats cannot know")

    def facts(self, table: int, seat: int) -> Mapping[str, Any]:
        """What the seat sees as named JSON-able values: what ``text`` says, before it is said.

        Prompts are filled from them. A game without facts has none.
        """
        return {}

    def why_not(self, table: int, seat: int, action: Any) -> str | None:
        """Why the seat, which is to act, may not take ``action``, in a sentence; None if it may."""
        try:
            legal = self.legal(np.array([table]), np.array([seat]), np.asarray(action)[None])
        except ValueError:  # lists of unequal lengths
            legal = np.zeros(1, np.bool_)
        if legal.all():
            return None
        words = self.words(table, seat)
        return f"{action} is not a legal action; legal are: {', '.join(words)}"

    # -- conveniences --------------------------------------------------------------------------

    def turns(self) -> Turns:
        """``to_act`` as a batch of turns."""
        return Turns(self, *self.to_act())

    def renew(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """``begin``, but an episode that ends before anybody is asked gives way to another one.

        The other's seed follows from the first. Raises InputError where 1000 in a row end so.
        """
        for _ in range(PATIENCE):
            self.begin(tables, seeds)
            over = self.done[tables]
            if not over.any():
                return
            tables, seeds = tables[over], seeding.spread(seeds[over], np.array(AGAIN))
        raise InputError(f"{self.game.name}: {UNASKED}")

    def advance(
        self, tables: Ints, seats: Ints, actions: NDArray[Any], seeds: NDArray[np.uint64]
    ) -> Advanced:
        """The loop of a trainer: step, renew what ended, and show what is to be decided next.

        Takes legal actions at these turns (of a simultaneous game, those of all seats of a table
        at once), and begins the next episode from ``seeds[table]`` wherever one ended.

        Args:
            tables, seats: whose turns, int64 ``(n,)``.
            actions: one for each.
            seeds: uint64 ``(capacity,)``; looked at where an episode ends.
        """
        self.step(tables, seats, actions)
        ended = np.zeros(self.capacity, np.bool_)
        ended[tables] = self.done[tables]
        returns, truncated = self.returns.copy(), self.truncated & ended
        final, over = None, np.flatnonzero(ended)
        if truncated.any():
            cut, every = np.flatnonzero(truncated), np.arange(self.game.seats)
            final = self.observe(np.repeat(cut, len(every)), np.tile(every, len(cut)))
        if len(over):
            self.renew(over, seeds[over])
        return Advanced(ended, returns, truncated, self.turns(), final)


def space_value(space: gymnasium.Space[Any], value: Any) -> Any:
    """``value`` in the dtype that ``space`` checks for, where that is a safe conversion."""
    if isinstance(space, gymnasium.spaces.Box):
        array = np.asarray(value)
        if array.dtype.kind in "iuf" and np.can_cast(
            array.dtype, np.dtype(space.dtype), "same_kind"
        ):
            return array.astype(space.dtype)
    return value


def exactly_one(names: Sequence[str], answer: str) -> int:
    """The index of the one name that ``answer`` is, white space and case apart; else InputError."""
    folded = " ".join(answer.split()).casefold()
    for index, name in enumerate(names):
        if name.casefold() == folded:
            return index
    raise InputError(f"{answer!r} is not a legal action; legal are: {', '.join(names)}")
