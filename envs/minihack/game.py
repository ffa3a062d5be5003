"""MiniHack as a game of the league: a solo game, whose contest is a race on the same seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gymnasium import spaces

from arena.envs.contexts import check_contexts
from arena.envs.errors import InputError
from arena.envs.game import Exporter, Game
from arena.envs.minihack import ttyrec
from arena.envs.minihack.env import KEYS, MiniHackEpisodes, check_task, observation_space
from arena.envs.minihack.tables import MiniHackTables
from arena.envs.minihack.tasks import make_task


class MiniHack(Game):
    """One MiniHack task: the highest return wins, fewer steps break ties.

    Args:
        task: its name, see ``arena.envs.minihack.tasks``.
        contexts: how many different levels the seeds stand for, 0 for one a seed.
        steps: truncate an episode after this many steps instead of the task's own number, 0 for
            that (BALROG allows 100).

    Raises:
        InputError: for an unknown task, or a number below 0.
    """

    name = "minihack"
    version = 2
    session = 1
    seats = 1

    def __init__(self, *, task: str = "KeyRoom-S5", contexts: int = 0, steps: int = 0) -> None:
        self.task_name = check_task(task)
        self.contexts = check_contexts(contexts)
        self.task = make_task(self.task_name)
        if not 0 <= steps <= self.task.steps:
            raise InputError(f"steps={steps} must lie between 0 and {self.task.steps} in {task}")
        self.steps = self.max_steps = steps or self.task.steps
        self.action_space = spaces.Discrete(len(self.task.actions))
        self.observation_space = observation_space(KEYS)

    @property
    def masked(self) -> bool:
        """Every key may be pressed at any time."""
        return False

    def learner(self, count: int, opponents: Any = None, **options: Any) -> MiniHackEpisodes:
        """See ``MiniHackEpisodes``, which leaves out what only words need."""
        if opponents is not None:
            raise InputError("minihack is a solo game: it takes no opponents")
        return MiniHackEpisodes(self, count, **options)

    def tables(self, capacity: int) -> MiniHackTables:
        """``capacity`` tables, whose processes start when the first episode begins."""
        return MiniHackTables(self, capacity)

    def exporters(self) -> Mapping[str, Exporter]:
        """NLE's recordings of a terminal, ``.ttyrec3.bz2``."""
        return {".ttyrec3.bz2": ttyrec.export}
