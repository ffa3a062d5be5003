"""CALM's data: pairs of consecutive observations of KeyRoom with the truth about them.

Each pair shows the 9 × 9 characters around the player, the map and the message before and after an
action, and says whether the key was picked up, the door unlocked, or neither (Kwon et al. 2024,
2409.12798). ``balanced`` sets hold a third of each; ``unbalanced`` ones 4 % of either event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import count as numbers_from
from pathlib import Path
from typing import Any, Literal

import numpy as np

from arena.agents.registry import make_agent
from arena.agents.rollout import Asked, rollout
from arena.envs import seeding
from arena.envs.checkpoints import typed
from arena.envs.errors import InputError
from arena.envs.minihack.game import MiniHack
from arena.envs.minihack.labels import Label, label, shot
from arena.envs.minihack.tables import MiniHackTables
from arena.envs.outside import parse_record, read_lines

Mode = Literal["balanced", "unbalanced"]
SHARES: dict[Mode, dict[Label, float]] = {
    "balanced": {"key": 1 / 3, "door": 1 / 3, "none": 1 / 3},
    "unbalanced": {"key": 0.04, "door": 0.04, "none": 0.92},
}
_PLAYERS = ("explorer", "random")
_TABLES = 32
_PATIENCE = 2000  # rounds without a new pair of a label that is missing


@dataclass(frozen=True)
class Pair:
    """A transition as text, and its label. ``task``, ``seed`` and ``step`` say where it is from."""

    task: str
    player: str
    seed: int
    step: int
    action: str
    before: dict[str, str]
    after: dict[str, str]
    label: Label

    @classmethod
    def from_json(cls, line: bytes | str) -> Pair:
        """What ``as_json`` wrote; InputError where it is none."""
        where = "this line is not a pair"
        pair: Pair = typed(parse_record(line, where), cls, where)
        sides = [set(side) >= {"crop", "map", "message"} for side in (pair.before, pair.after)]
        if not all(sides) or pair.label not in SHARES["balanced"]:
            raise InputError("this line is not a pair: an observation or the label is not as it is")
        return pair

    def as_json(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def transitions(task: str, player: str, seed: int) -> Iterator[list[Pair]]:
    """Endless play of one player, so many tables at a time: the pairs of each round."""
    game = MiniHack(task=task, steps=100)
    agent, tables = make_agent(player, game), game.tables(_TABLES)
    for first in numbers_from(0, _TABLES):
        numbers = [seeding.derive(seed, player, first + i) for i in range(_TABLES)]
        last: Asked | None = None
        for step, asked in enumerate(rollout(tables, [agent], np.array(numbers, np.uint64))):
            asked.turns.observation  # noqa: B018 - looked at before the step
            if last is not None:
                yield _told(tables, player, numbers, last, step - 1)
            last = asked
        assert last is not None
        yield _told(tables, player, numbers, last, step)


def _told(
    tables: MiniHackTables, player: str, numbers: list[int], asked: Asked, step: int
) -> list[Pair]:
    """The pairs of a round that has been stepped."""
    game, turns = tables.game, asked.turns
    before, after = turns.observation, tables.observe(turns.tables, turns.seats)
    found = []
    for row, table in enumerate(turns.tables.tolist()):
        if tables.done[table] and tables.outcome(table) == "died":
            continue  # the map is gone
        old, new = ({k: v[row] for k, v in side.items()} for side in (before, after))
        found.append(
            Pair(
                task=game.task_name,
                player=player,
                seed=numbers[table],
                step=step,
                action=game.task.names[int(asked.answers.actions[row])],
                before=shot(old),
                after=shot(new),
                label=label(old, new),
            )
        )
    return found


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file that ``arena env pairs`` wrote; InputError naming file and line."""
    found = []
    for number, line in read_lines(path):
        try:
            found.append(Pair.from_json(line))
        except InputError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
    if not found:
        raise InputError(f"{path} holds no pairs")
    return found


def pairs(
    count: int,
    mode: Mode = "balanced",
    *,
    task: str = "KeyRoom-S5",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> list[Pair]:
    """``count`` pairs in random order, half of the plain ones from the explorer, half from chance.

    Raises InputError for a mode that is none, a count below 1, or a task in which long play shows
    no key or no door.
    """
    if mode not in SHARES or count < 1:
        raise InputError(
            f"pairs: mode={mode} must be one of {', '.join(SHARES)} and count at least 1"
        )
    wanted = {kind: round(share * count) for kind, share in SHARES[mode].items()}
    wanted["none"] = count - wanted["key"] - wanted["door"]
    chosen: list[Pair] = []
    dice = np.random.default_rng(seed)
    sources = [transitions(task, player, seed) for player in _PLAYERS]
    missing = dict(wanted)
    idle = 0
    while any(missing.values()):
        before = len(chosen)
        for source in sources:
            for pair in next(source):
                # Of the many plain transitions of a round a few are taken, from many episodes.
                if missing[pair.label] and (pair.label != "none" or dice.random() < 0.05):
                    missing[pair.label] -= 1
                    chosen.append(pair)
        idle = 0 if len(chosen) > before else idle + 1
        if idle == _PATIENCE:
            lacking = ", ".join(kind for kind, n in missing.items() if n)
            raise InputError(f"pairs: task={task} shows no more transitions of {lacking}")
        if progress is not None:
            progress(len(chosen), count)
    return [chosen[i] for i in dice.permutation(len(chosen)).tolist()]
