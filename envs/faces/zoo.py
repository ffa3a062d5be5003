"""All seats of a game as PettingZoo's environments: turn by turn (AEC), or all at once (parallel).

Both play any game. In AEC, seats that decide at the same time answer one after the other, and none
sees what another has answered. In parallel, agents that are not to act are asked as well: their
mask is all 0, and what they answer is not looked at.

An action that is not legal is a forfeit, as in a league; ``forfeit`` in the info says so, and infos
have the same keys at every step. A reward is what a seat's return rose by. An agent that is out of
play before the others (a spent budget) is terminated; the others terminate with the episode, or are
truncated where it ends by a limit.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from arena.envs.faces.options import with_options
from arena.envs.faces.screen import FPS, MODES, Screen
from arena.envs.faces.seeds import Seeds
from arena.envs.faces.single import rows_of
from arena.envs.faces.view import mask_in, view_of
from arena.envs.game import Game, Ints

_AT = np.zeros(1, np.int64)


class ZooTable:
    """One table of a game under PettingZoo's names: what both environments share.

    Attributes:
        rewards, terminations, truncations: of the last step, by agent, for all of them.
        agents: those in play.
    """

    def __init__(
        self,
        game: Game,
        render_mode: str | None,
        max_cycles: int | None,
        info_mask: bool,
        view: dict[str, Any],
    ) -> None:
        self.game, self.screen, self._most = game, Screen(render_mode), max_cycles
        self._info_mask = info_mask
        self.tables, self.view = game.tables(1), view_of(game, **view)
        self.names = [f"{game.seat_name}_{seat}" for seat in range(game.seats)]
        self.agents: list[str] = []
        self._seeds = Seeds(1)

    @property
    def metadata(self) -> dict[str, Any]:
        """What PettingZoo wants to know."""
        name = f"{self.game.name}_v{self.game.version}"
        return {"render_modes": list(MODES), "render_fps": FPS, "name": name}

    def begin(self, seed: int | None) -> None:
        """Begin an episode."""
        self._seeds.give(0, seed)
        self.tables.begin(_AT, self._seeds.draw(_AT))
        self.agents = list(self.names)
        self.forfeited: set[int] = set()
        self._cycles = 0
        self._settle(np.zeros(self.game.seats))

    def waiting(self) -> list[int]:
        """The seats that are to act."""
        seats: list[int] = self.tables.to_act()[1].tolist()
        return seats

    def take(self, answers: dict[int, Any]) -> None:
        """The answers of all the seats that are to act."""
        before = self.tables.returns[0].copy()
        seats = np.array(sorted(answers))
        at = np.zeros(len(seats), np.int64)
        given = np.array([answers[seat] for seat in seats.tolist()])
        actions = self.view.native(self.tables, at, seats, given)
        legal = self.tables.legal(at, seats, actions)
        self.forfeited = set(seats[~legal].tolist())
        if not legal.all():
            self.tables.forfeit(at[~legal], seats[~legal])
        if legal.any():
            self.tables.step(at[legal], seats[legal], actions[legal])
        self._cycles += 1
        self._settle(before)

    def _settle(self, before: NDArray[np.float64]) -> None:
        gained = (self.tables.returns[0] - before).tolist()
        cut = bool(self.tables.truncated[0])
        if self._most is not None and self._cycles >= self._most:
            cut = not self.tables.done[0] or cut
        out = [not playing and not cut for playing in self.tables.playing[0].tolist()]
        self.rewards = dict(zip(self.names, gained, strict=True))
        self.terminations = dict(zip(self.names, out, strict=True))
        self.truncations = dict.fromkeys(self.names, cut)

    def seen(self, names: list[str]) -> dict[str, Any]:
        """What each of these agents sees."""
        if not names:
            return {}
        seats = self._seats(names)
        acting = np.isin(seats, self.waiting())
        rows = rows_of(self.view.observe(self.tables, 0 * seats, seats, acting))
        return dict(zip(names, rows, strict=True))

    def infos(self, names: list[str]) -> dict[str, dict[str, Any]]:
        """What is told to each of these agents."""
        if not names:
            return {}
        seats, seen = self._seats(names), self.seen(names)
        told = {"forfeit": np.isin(seats, list(self.forfeited))}
        rows = rows_of(told | self.view.info(self.tables, 0 * seats, seats))
        if not self._info_mask:
            return dict(zip(names, rows, strict=True))
        return {name: row | mask_in(seen[name]) for name, row in zip(names, rows, strict=True)}

    def _seats(self, names: list[str]) -> Ints:
        return np.array([self.names.index(name) for name in names])

    def render(self, seat: int) -> Any:
        """What ``seat`` sees, in the mode that was chosen."""
        return self.screen.render(
            lambda: self.tables.text(0, seat), lambda: self.tables.picture(0, seat)
        )

    def refresh(self) -> None:
        """Let a window show what the first seat that is to act sees."""
        self.screen.refresh(lambda: self.tables.picture(0, next(iter(self.waiting()), 0)))


class Spaces:
    """What each agent sees and may do, under PettingZoo's names; alike for all, each its own."""

    possible_agents: list[str]

    def _describe(self, seen: spaces.Space[Any], taken: spaces.Space[Any]) -> None:
        self.agents: list[str] = []
        self.observation_spaces = {name: deepcopy(seen) for name in self.possible_agents}
        self.action_spaces = {name: deepcopy(taken) for name in self.possible_agents}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What the agent sees."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What the agent may do."""
        return self.action_spaces[agent]


class Seated(Spaces):
    """The agents of one table; what both environments share.

    Args:
        game: the rules.
        render_mode: ``ansi`` (words), ``rgb_array`` (a picture of one size), ``human`` (it in a
            window) or None: what the seat that is to act sees.
        max_cycles: truncate after so many rounds of decisions, if the episode is still going on.
        info_mask: whether masks are in the infos as well as in the observations. TorchRL wants
            them in one place only.
        view: options of ``Game.view``.
    """

    parallelizable: bool

    def __init__(
        self,
        game: Game,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        *,
        info_mask: bool = True,
        **view: Any,
    ) -> None:
        self._table = ZooTable(game, render_mode, max_cycles, info_mask, view)
        self.game, self.render_mode = game, render_mode
        self.metadata = self._table.metadata | {"is_parallelizable": self.parallelizable}
        self.possible_agents = list(self._table.names)
        self._describe(self._table.view.observation_space, self._table.view.action_space)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._table.screen.close()


class TableAEC(Seated, AECEnv[str, Any, Any]):  # type: ignore[misc]  # PettingZoo ships no types
    """A game turn by turn; see the module and ``Seated``."""

    parallelizable = False

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode; a seed decides this one and those that follow."""
        self._table.begin(seed)
        self.agents = list(self.possible_agents)
        self.rewards = dict(self._table.rewards)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations, self.truncations = (dict.fromkeys(self.agents, False) for _ in "tt")
        self.agent_selection = self.agents[0]
        self._ask()

    def observe(self, agent: str) -> Any:
        """What the agent's seat sees now."""
        return self._table.seen([agent])[agent]

    def step(self, action: Any) -> None:
        """Take the selected agent's action."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._answers[self._asked.pop(0)] = action
        if self._asked:
            self.agent_selection = self.possible_agents[self._asked[0]]
            return
        self._table.take(self._answers)
        for name in self.agents:
            self.rewards[name] = self._table.rewards[name]
            self.terminations[name] = self._table.terminations[name]
            self.truncations[name] = self._table.truncations[name]
        self._accumulate_rewards()
        self._ask()

    def _ask(self) -> None:
        self._answers: dict[int, Any] = {}
        self._asked = self._table.waiting()
        self._table.refresh()
        self.infos = self._table.infos(self.agents)
        if self._asked:
            self.agent_selection = self.possible_agents[self._asked[0]]
        if any(self.terminations.values()) or any(self.truncations.values()):
            self._deads_step_first()

    def render(self) -> Any:
        """What the selected agent's seat sees."""
        agents = self.possible_agents
        return self._table.render(agents.index(self.agent_selection) if self.agents else 0)


class TableParallel(Seated, ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """A game with all agents at once; see the module and ``Seated``."""

    parallelizable = True

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Begin an episode; a seed decides this one and those that follow."""
        self._table.begin(seed)
        self.agents = list(self.possible_agents)
        self._table.refresh()
        return self._table.seen(self.agents), self._table.infos(self.agents)

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Take the actions of the agents that are to act."""
        acting, table = list(self.agents), self._table
        if not acting:
            return {}, {}, {}, {}, {}
        table.take({seat: actions[self.possible_agents[seat]] for seat in table.waiting()})
        over, cut = ({a: of[a] for a in acting} for of in (table.terminations, table.truncations))
        self.agents = [a for a in acting if not (over[a] or cut[a])]
        rewards = {a: table.rewards[a] for a in acting}
        table.refresh()
        return table.seen(acting), rewards, over, cut, table.infos(acting)

    def render(self) -> Any:
        """What the first seat that is to act sees."""
        return self._table.render(next(iter(self._table.waiting()), 0))


def raw_env(game: Game | str, render_mode: str | None = None, **options: Any) -> TableAEC:
    """Any game turn by turn; ``options`` are the game's, its view's, and those of ``Seated``."""
    return with_options(TableAEC, game, render_mode=render_mode, **options)


def aec_env(game: Game | str, render_mode: str | None = None, **options: Any) -> AECEnv:
    """``raw_env`` with PettingZoo's usual checks of use around it."""
    env: AECEnv = raw_env(game, render_mode, **options)
    acted = [env.action_space(agent) for agent in env.possible_agents]
    if all(isinstance(space, spaces.Discrete) for space in acted):
        env = AssertOutOfBoundsWrapper(env)
    return OrderEnforcingWrapper(env)


def parallel_env(game: Game | str, render_mode: str | None = None, **options: Any) -> TableParallel:
    """Any game with all agents at once; the options are those of ``raw_env``."""
    return with_options(TableParallel, game, render_mode=render_mode, **options)
