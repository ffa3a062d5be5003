"""What all adapted environments share: one environment a table, its episodes as a game's tables.

``arena.envs.adapters`` says how seeds, masks, ends and forfeits are treated.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.envs.game import Game, Ints, Observation, Tables
from arena.envs.path import Path
from arena.envs.spaces import ActionWords, Layout, as_json, as_text, mask_of


class AdaptedEpisode(Protocol):
    """One environment, and the episode that is played in it.

    Attributes:
        env: the environment.
        returns: float64 ``(seats,)``, what each seat has earned.
        waiting: the seats that must act now, in their order; empty when the episode is over.
        truncated: whether it is over by a limit alone, and not by the rules.
    """

    env: Any
    returns: NDArray[np.float64]
    waiting: tuple[int, ...]
    truncated: bool

    def begin(self, seed: int) -> None:
        """Reset the environment with ``seed``."""

    def act(self, actions: Mapping[int, Any]) -> None:
        """Take the action of every seat that was waited for."""

    def seen(self, seat: int) -> tuple[Any, Mapping[str, Any]] | None:
        """The seat's observation and info; None where it has not come into play yet."""

    def render(self) -> str | None:
        """What the environment's ansi rendering shows, or None where it has none."""


class Adapted(Game):
    """What the three adapters share: an environment's spaces as those of a game.

    Class attributes:
        action_names: names of the actions of a Discrete space; their numbers where None.
    """

    version = 1
    action_names: ClassVar[Sequence[str] | None] = None
    agents: tuple[str, ...]

    def __init__(
        self,
        arguments: Mapping[str, Any] | None = None,
        *,
        id: str,
        forfeit_reward: float = -1.0,
        fresh: bool = False,
    ) -> None:
        self.id = id
        self.arguments = dict(arguments or {})
        self.forfeit_reward = forfeit_reward
        self.fresh = fresh
        env = self.make()
        self.ansi = "ansi" in env.metadata.get("render_modes", ())
        seen, acted = self._spaces(env)
        env.close()
        self.layout = Layout(seen)
        self.actions = ActionWords(acted, self.action_names)
        self.seats = len(seen)
        self.observation_space = self.layout.space
        self.action_space = self.actions.space

    @abstractmethod
    def make(self, **arguments: Any) -> Any:
        """A fresh environment, made with the game's arguments and these."""

    @abstractmethod
    def episode(self) -> AdaptedEpisode:
        """A fresh environment to play episodes in."""

    @abstractmethod
    def _spaces(self, env: Any) -> tuple[list[gymnasium.Space[Any]], list[gymnasium.Space[Any]]]:
        """Each seat's observation space and action space; sets ``agents``."""

    def tables(self, capacity: int) -> AdaptedTables:
        """``capacity`` tables, each with an environment that is made when it is first needed."""
        return AdaptedTables(self, capacity)

    def _rendered(self) -> Any:
        return self.make(render_mode="ansi") if self.ansi else self.make()


class AdaptedTables(Tables):
    """Tables of environments that know nothing of each other, stepped one after the other."""

    game: Adapted
    path: Path

    def __init__(self, game: Adapted, capacity: int) -> None:
        super().__init__(game, capacity)
        self.game = game
        self._episodes: list[AdaptedEpisode | None] = [None] * capacity
        self._answers: list[dict[int, Any]] = [{} for _ in range(capacity)]
        self._forfeits: list[set[int]] = [set() for _ in range(capacity)]
        self._last: list[dict[str, str]] = [{} for _ in range(capacity)]
        self._steps = np.zeros(capacity, np.int64)
        self.path = Path(capacity)

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Reset an environment for each table with the upper 31 bits of its seed."""
        self.path.begin(tables, seeds)
        for table, seed in zip(tables.tolist(), seeds.tolist(), strict=True):
            episode = self._episodes[table]
            if episode is None or self.game.fresh:
                if episode is not None:
                    episode.env.close()
                episode = self._episodes[table] = self.game.episode()
            episode.begin(seed >> 33)
            self._forfeits[table].clear()
            self._last[table] = {}
            self._steps[table] = 0
            self._settle(table, episode)

    def to_act(self) -> tuple[Ints, Ints]:
        """Every seat that is waited for and has neither answered nor forfeited."""
        pairs = [
            (table, seat)
            for table in np.flatnonzero(~self.done).tolist()
            for seat in self._episode(table).waiting
            if seat not in self._answers[table] and seat not in self._forfeits[table]
        ]
        found = np.array(pairs, np.int64).reshape(len(pairs), 2)
        return found[:, 0], found[:, 1]

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """Each seat's observation as the arrays of ``game.layout``."""
        where = seats.tolist()
        seen = [self._seen(t, s)[0] for t, s in zip(tables.tolist(), where, strict=True)]
        return self.game.layout.batch(where, seen)

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_] | None:
        """The environments' own masks, or all True, for a Discrete space; else None."""
        if not self.game.actions.names:
            return None
        mask = np.zeros((len(tables), len(self.game.actions.names)), np.bool_)
        for row, (table, seat) in enumerate(zip(tables.tolist(), seats.tolist(), strict=True)):
            size = self.game.actions.sizes[seat]
            mask[row, :size] = mask_of(*self._seen(table, seat), size)
        return mask

    def legal(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether each action may be taken; arrays must be whole where their space is."""
        if self.game.actions.names:
            return super().legal(tables, seats, actions)
        return np.array([self.game.actions.legal(action) for action in actions], np.bool_)

    def step(self, tables: Ints, seats: Ints, actions: NDArray[Any]) -> None:
        """Note the answers, and step each table of which every seat has now answered."""
        self.path.step(tables, seats, actions)
        for table, seat, action in zip(tables.tolist(), seats.tolist(), actions, strict=True):
            self._answers[table][seat] = action
        self._resolve(tables)

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """Note who forfeits; the table ends once every other seat has answered."""
        self.path.forfeit(tables, seats)
        for table, seat in zip(tables.tolist(), seats.tolist(), strict=True):
            self._forfeits[table].add(seat)
        self._resolve(tables)

    def text(self, table: int, seat: int) -> str:
        """The seat's observation, a line for each array, and nothing that it does not see."""
        return as_text(self._row(table, seat))

    def words(self, table: int, seat: int) -> Sequence[str]:
        """Names of the legal actions; examples of an action that is an array of numbers."""
        return self.game.actions.words(self._mask(table, seat))

    def parse(self, table: int, seat: int, answer: str) -> Any:
        """A legal action's name, or exactly as many numbers as an action has; else InputError."""
        return self.game.actions.parse(self._mask(table, seat), answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """The action's name, or its numbers parted by spaces."""
        return self.game.actions.describe(action)

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """Steps, returns, who is waited for, the last actions in words, and what is seen.

        ``observations`` holds every agent's, or only that of ``seat``. ``render``, the
        environment's own ansi picture, may show what seats do not see and is None for a seat.
        """
        episode = self._episode(table)
        seats = range(self.game.seats) if seat is None else (seat,)
        names = self.game.agents
        return {
            "step": int(self._steps[table]),
            "done": bool(self.done[table]),
            "returns": dict(zip(names, self.returns[table].tolist(), strict=True)),
            "to_act": [] if self.done[table] else [names[s] for s in episode.waiting],
            "last": self._last[table] if seat is None or len(names) == 1 else {},
            "observations": {
                names[s]: as_json(self._row(table, s)) for s in seats if episode.seen(s)
            },
            "render": episode.render() if seat is None else None,
        }

    def _resolve(self, tables: Ints) -> None:
        for table in np.unique(tables).tolist():
            episode, answers = self._episode(table), self._answers[table]
            missing = set(episode.waiting) - set(answers) - self._forfeits[table]
            if self.done[table] or missing:
                continue
            describe = self.game.actions.describe
            self._last[table] = {
                self.game.agents[seat]: describe(answers[seat]) if seat in answers else "forfeit"
                for seat in episode.waiting
            }
            if not self._forfeits[table]:
                episode.act({s: self.game.actions.native(s, a) for s, a in answers.items()})
                self._steps[table] += 1
            self._settle(table, episode)

    def _settle(self, table: int, episode: AdaptedEpisode) -> None:
        """Write down what the episode has come to."""
        forfeits = self._forfeits[table]
        self._answers[table].clear()
        self.done[table] = bool(forfeits) or not episode.waiting
        self.truncated[table] = episode.truncated and not forfeits
        self.returns[table] = episode.returns
        self.returns[table, list(forfeits)] += self.game.forfeit_reward
        if self.game.seats == 1:
            self.tiebreaks[table] = -self._steps[table]

    def _episode(self, table: int) -> AdaptedEpisode:
        episode = self._episodes[table]
        if episode is None:
            raise ValueError(f"no episode has begun at table {table}")
        return episode

    def _row(self, table: int, seat: int) -> dict[str, Any]:
        return self.game.layout.row(seat, self._seen(table, seat)[0])

    def _seen(self, table: int, seat: int) -> tuple[Any, Mapping[str, Any]]:
        seen = self._episode(table).seen(seat)
        if seen is None:
            raise ValueError(f"seat {seat} has not come into play at table {table} yet")
        return seen

    def _mask(self, table: int, seat: int) -> NDArray[np.bool_] | None:
        mask = self.action_mask(np.array([table]), np.array([seat]))
        return None if mask is None else mask[0]
