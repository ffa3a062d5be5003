"""Demonstrations: episodes as they were played, and what they show of goals that were reached.

Hindsight (Andrychowicz et al. 2017; Li et al., 2202.01771, section 5): an episode that missed its
goal and reached another one is a demonstration of that other goal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from arena.agents.agent import Agent
from arena.agents.llm.lid.player import Instructed, sight
from arena.agents.llm.lid.policy import Sight
from arena.agents.rollout import rollout
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Tables


@dataclass(frozen=True)
class Demonstration:
    """What one player did at one table.

    Attributes:
        goal: what it was told to do.
        scenes, actions, names: what it saw before each move, the move, the move in words.
        reached: the goals that it reached, each with the number of moves it took.
    """

    goal: str
    scenes: tuple[str, ...]
    actions: tuple[int, ...]
    names: tuple[str, ...]
    reached: tuple[tuple[int, str], ...]

    def __post_init__(self) -> None:
        if not len(self.scenes) == len(self.actions) == len(self.names):
            raise InputError("a demonstration has as many scenes as actions and names")

    @property
    def won(self) -> bool:
        """Whether it did what it was told."""
        return any(goal == self.goal for _, goal in self.reached)


@dataclass(frozen=True)
class Move:
    """A decision to be cloned."""

    sight: Sight
    action: int


def record(game: Game, agent: Agent, seeds: Sequence[int]) -> list[Demonstration]:
    """One episode a seed, all of them played together.

    Args:
        game: a solo game. Where its tables are not ``Instructed``, its one goal is reached where
            an episode ends with a return above 0.
        agent: who plays.
        seeds: of the tables, and of the player's draws at them.
    """
    count = len(seeds)
    tables = game.tables(count)
    every = np.arange(count)
    told = [""] * count
    scenes: list[list[str]] = [[] for _ in seeds]
    actions: list[list[int]] = [[] for _ in seeds]
    names: list[list[str]] = [[] for _ in seeds]
    reached: list[list[tuple[int, str]]] = [[] for _ in seeds]
    last = every[:0]
    for turns, answers in rollout(tables, [agent], np.array(seeds, np.uint64)):
        _note_reached(tables, last, told, actions, reached)
        for row, table in enumerate(turns.tables.tolist()):
            seen, action = sight(turns, row), int(answers.actions[row])
            told[table] = seen.goal
            scenes[table].append(seen.scene)
            actions[table].append(action)
            names[table].append(turns.describe(row, action))
        last = turns.tables
    _note_reached(tables, last, told, actions, reached)
    return [
        Demonstration(
            told[i], tuple(scenes[i]), tuple(actions[i]), tuple(names[i]), tuple(reached[i])
        )
        for i in range(count)
    ]


def _note_reached(
    tables: Tables,
    stepped: Ints,
    told: list[str],
    actions: list[list[int]],
    reached: list[list[tuple[int, str]]],
) -> None:
    """What the last step has reached, at the tables where there was one."""
    for table in stepped.tolist():
        if isinstance(tables, Instructed):
            goal = tables.reached(table)
        else:
            won = tables.done[table] and tables.returns[table, 0] > 0
            goal = told[table] if won else None
        if goal is not None:
            reached[table].append((len(actions[table]), goal))


def relabelled(episodes: Iterable[Demonstration]) -> list[Demonstration]:
    """What the episodes demonstrate: for each goal that was reached, the moves up to there.

    A success stays one, a failure becomes a success at what it reached, and one that reached
    nothing is dropped. Moves that only led back to an earlier scene are cut out.
    """
    return [
        without_loops(
            Demonstration(goal, one.scenes[:n], one.actions[:n], one.names[:n], ((n, goal),))
        )
        for one in episodes
        for n, goal in one.reached
    ]


def without_loops(episode: Demonstration) -> Demonstration:
    """The episode without the moves between two sights of the same scene.

    Where equal scenes are equal states and nothing is left to chance, this is what would have
    happened had the detours not been made. It must have reached one goal, at its end.
    """
    kept: list[int] = []
    for i, scene in enumerate(episode.scenes):
        again = next((n for n, j in enumerate(kept) if episode.scenes[j] == scene), len(kept))
        kept = [*kept[:again], i]
    ((_, goal),) = episode.reached
    return Demonstration(
        episode.goal,
        tuple(episode.scenes[i] for i in kept),
        tuple(episode.actions[i] for i in kept),
        tuple(episode.names[i] for i in kept),
        ((len(kept), goal),),
    )


def examples(episodes: Iterable[Demonstration], history: int) -> list[Move]:
    """Every decision of the episodes, with the last ``history`` moves before it."""
    return [
        Move(Sight(one.goal, one.names[max(0, i - history) : i], scene), action)
        for one in episodes
        for i, (scene, action) in enumerate(zip(one.scenes, one.actions, strict=True))
    ]
