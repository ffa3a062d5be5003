"""A duel of two builders of the same letter, for PettingZoo.

One builder's faces are those of every game: ``arena/ScienceBirds-v0`` drops a block a step,
``arena/ScienceBirdsProgram-v0`` takes a whole level in one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import wrappers
from pettingzoo.utils.conversions import parallel_to_aec

from arena.envs import pictures
from arena.envs.faces.screen import FPS, MODES, Screen
from arena.envs.faces.seeds import Seeds
from arena.envs.faces.single import rows_of
from arena.envs.faces.view import mask_in
from arena.envs.faces.zoo import Spaces
from arena.envs.science_birds import grid
from arena.envs.science_birds.game import ScienceBirds

_BOTH = np.arange(2)
_SEATS = np.zeros(2, np.int64)


class parallel_env(Spaces, ParallelEnv[str, Any, Any]):  # type: ignore[misc]  # noqa: N801
    """Two builders of the same letter, each in its own grid; the better level wins.

    Both drop a block at the same time. Who is done waits for the other: its mask is all 0, and what
    it answers is not looked at. The last rewards are 1 and −1, or 0 for both where stability ×
    similarity is equal. A drop that the mask forbids loses at once. Observations are those of every
    face of ``science_birds``; the opponent's grid is not shown.

    Args:
        drops: blocks a level at most.
        render_mode: ``ansi``, ``rgb_array``, ``human`` or None: both grids.
        max_cycles: truncate after so many drops, with nobody the winner.
        view: options of ``BuilderView``.
    """

    metadata = {  # noqa: RUF012 - PettingZoo's own form
        "name": "science_birds_duel_v0",
        "render_modes": list(MODES),
        "render_fps": FPS,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        *,
        drops: int = 40,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        **view: Any,
    ) -> None:
        game = ScienceBirds(drops=drops)
        self.tables, self._view = game.tables(2), game.view(**view)
        self.possible_agents = ["builder_0", "builder_1"]
        self._describe(self._view.observation_space, self._view.action_space)
        self.render_mode, self._screen, self._most = render_mode, Screen(render_mode), max_cycles
        self._seeds = Seeds(1)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Two empty grids and one letter."""
        self._seeds.give(0, seed)
        drawn = self._seeds.draw(np.zeros(1, np.int64))
        self.tables.begin(_BOTH, np.repeat(drawn, 2))
        self.agents, self._cycles = list(self.possible_agents), 0
        return self._seen()

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, Any], dict[str, float], dict[str, bool], dict[str, bool],
        dict[str, dict[str, Any]],
    ]:  # fmt: skip
        """Both drop a block or stop."""
        if not self.agents:
            return {}, {}, {}, {}, {}
        at = np.flatnonzero(~self.tables.done)
        drops = np.array([int(actions[self.possible_agents[row]]) for row in at.tolist()])
        legal = self.tables.legal(at, _SEATS[at], drops)
        if legal.all():
            self.tables.step(at, _SEATS[at], drops)
        else:
            self.tables.forfeit(at[~legal], _SEATS[at[~legal]])
        self._cycles += 1
        over = not legal.all() or bool(self.tables.done.all())
        cut = not over and self._cycles == self._most
        rewards = dict.fromkeys(self.agents, 0.0)
        if over:
            worth = self.tables.returns[:, 0]
            if not legal.all():
                worth = np.where(np.isin(_BOTH, at[~legal]), 0.0, 1.0)
            won = float(np.sign(worth[0] - worth[1]))
            rewards = dict(zip(self.agents, (won, -won), strict=True))
        seen, infos = self._seen()
        ends, cuts = dict.fromkeys(self.agents, over), dict.fromkeys(self.agents, cut)
        self.agents = [] if over or cut else self.agents
        return seen, rewards, ends, cuts, infos

    def _seen(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        self._screen.refresh(self._picture)
        acting = ~self.tables.done
        rows = rows_of(self._view.observe(self.tables, _BOTH, _SEATS, acting))
        told = rows_of(self._view.info(self.tables, _BOTH, _SEATS))
        seen = dict(zip(self.agents, rows, strict=True))
        infos = dict(zip(self.agents, told, strict=True))
        return seen, {agent: infos[agent] | mask_in(seen[agent]) for agent in self.agents}

    def render(self) -> Any:
        """Both grids."""
        return self._screen.render(self._words, self._picture)

    def _words(self) -> str:
        shown = [grid.picture(self.tables.cells[row]) for row in _BOTH.tolist()]
        return "\n\n".join(f"{a}\n{g}" for a, g in zip(self.possible_agents, shown, strict=True))

    def _picture(self) -> NDArray[np.uint8]:
        sides = [self.tables.picture(row, 0)[::2, ::2] for row in _BOTH.tolist()]
        room = (pictures.HEIGHT - len(sides[0])) // 2
        return np.pad(np.hstack(sides), ((room, room), (0, 0), (0, 0)), constant_values=255)

    def close(self) -> None:
        """Close the window, if there is one."""
        self._screen.close()


def raw_env(**arguments: Any) -> AECEnv[str, Any, Any]:
    """The duel turn by turn: both drop before either sees what came of it."""
    return parallel_to_aec(parallel_env(**arguments))


def env(**arguments: Any) -> AECEnv[str, Any, Any]:
    """``raw_env`` with PettingZoo's checks of use."""
    return wrappers.OrderEnforcingWrapper(raw_env(**arguments))
