"""A policy that began as a language model, as a player: ``lid:runs/lid``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.llm.lid.policy import LidPolicy, Sight, load_policy
from arena.agents.registry import player_folder
from arena.agents.scripted.generic import certain
from arena.envs.checkpoints import typed
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.envs.registry import make_game


@runtime_checkable
class Instructed(Protocol):
    """Tables whose facts hold a goal and a scene, and which tell what has been reached."""

    def reached(self, table: int) -> str | None:
        """The goal that the last step has reached, worded as the fact; None for none."""


def sight(turns: Turns, row: int, history: Iterable[str] = ()) -> Sight:
    """What a seat sees: goal and scene where the game's facts have them, else its text alone."""
    facts = turns.facts[row]
    if "goal" in facts and "scene" in facts:
        return Sight(facts["goal"], tuple(history), facts["scene"])
    return Sight("win", tuple(history), turns.text[row])


_LONGEST = 10_000  # moves that are remembered


class LidActor(Agent):
    """Plays a policy that is at hand, and remembers the moves it has made at every table.

    Args:
        policy: what decides.
        history: how many of the last moves it is shown.
        greedy: take the likeliest action instead of drawing one.
        explore: the share of the moves that are drawn uniformly instead.
    """

    def __init__(
        self, policy: LidPolicy, *, history: int, greedy: bool = False, explore: float = 0.0
    ) -> None:
        if not 0 <= history <= _LONGEST:
            raise InputError(f"history={history} must lie between 0 and {_LONGEST}")
        self.network, self.history, self.greedy, self.explore = policy, history, greedy, explore
        self._moves: dict[tuple[int, int], deque[str]] = {}
        self._known: dict[tuple[Sight, bytes], NDArray[np.float64]] = {}

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Forget the last episode's moves."""
        for key in zip(tables.tolist(), seats.tolist(), strict=True):
            self._moves[key] = deque(maxlen=self.history)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """One forward pass for all turns."""
        keys = list(zip(turns.tables.tolist(), turns.seats.tolist(), strict=True))
        mask = turns.action_mask
        assert mask is not None
        sights = [sight(turns, row, self._moves[key]) for row, key in enumerate(keys)]
        policy: NDArray[np.float64] = self._probabilities(sights, mask)
        if self.greedy:
            policy = certain(policy.argmax(1), policy.shape[1])
        policy = (1 - self.explore) * policy + self.explore * mask / mask.sum(1, keepdims=True)
        policy /= policy.sum(1, keepdims=True)
        return policy

    def took(self, turns: Turns, actions: NDArray[np.int64]) -> None:
        """Remember the moves."""
        keys = zip(turns.tables.tolist(), turns.seats.tolist(), strict=True)
        for row, (key, action) in enumerate(zip(keys, actions.tolist(), strict=True)):
            self._moves[key].append(turns.describe(row, action))

    def _probabilities(self, sights: list[Sight], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The policy's; what was seen lately is not run again: who is stuck sees it often."""
        if len(self._known) > 10_000:
            self._known.clear()
        keys = [(one, legal.tobytes()) for one, legal in zip(sights, mask, strict=True)]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        if new:
            rows = list(new.values())
            found = self.network.probabilities([sights[row] for row in rows], mask[rows])
            self._known.update(zip(new, found, strict=True))
        return np.array([self._known[key] for key in keys])


class Lid(LidActor):
    """A policy of ``arena train lid``: ``lid:FOLDER``.

    It plays every game that has the actions of the one it was trained on and the same name.
    ``greedy`` takes the likeliest action instead of drawing one.
    """

    version = 2

    def __init__(self, game: Game, checkpoint: str | None = None, *, greedy: bool = True) -> None:
        if checkpoint is None:
            raise InputError("lid needs the folder of a run: lid:runs/lid")
        policy, facts = load_policy(player_folder(checkpoint))
        spec = typed(facts.get("game"), str, f"{checkpoint}/config.json, field game")
        history = typed(facts.get("history"), int, f"{checkpoint}/config.json, field history")
        trained = make_game(spec)
        if trained.name != game.name or trained.action_space != game.action_space:
            raise CannotPlay(f"{checkpoint} was trained on {spec}, not on this game")
        assert isinstance(game.action_space, spaces.Discrete)
        super().__init__(policy, history=history, greedy=greedy)
