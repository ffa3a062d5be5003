"""The ids by which Gymnasium and PettingZoo find the games: strings alone, nothing is imported.

Each library's names are as it writes its own: ``arena/Holdem-v1`` and ``arena/RtbMarket-v0`` in
Gymnasium, ``arena/holdem-v1`` and ``arena/rtb_market-v0`` in PettingZoo.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import gymnasium

_ENV, _VECTOR_ENV = "arena.faces:GameEnv", "arena.faces:GameVectorEnv"

GAMES = {
    "Holdem-v1": {"game": "holdem"},
    "RtbMarket-v0": {"game": "rtb"},
    "RtbCatalogue-v0": {"game": "rtb_catalogue"},
    "ScienceBirds-v0": {"game": "science_birds"},
    "ScienceBirdsProgram-v0": {"game": "science_birds", "mode": "one_shot"},
    "Gridworld-v1": {"game": "gridworld"},
    "Errand-v1": {"game": "errand"},
}

# MiniHack's tasks by the number of steps after which they are truncated.
MINIHACK = {
    40: "MultiRoom-N2 MultiRoom-N2-Locked",
    100: "LavaCrossingS19N13 LavaCrossingS19N17",
    120: "MultiRoom-N4-Locked MultiRoom-N4 MultiRoom-N4-Lava",
    200: "KeyRoom-S5 MazeWalk-9x9",
    240: "MultiRoom-N6-Lava MultiRoom-N6-Lava-OpenDoor MultiRoom-N6-LavaMonsters MultiRoom-N6",
    250: "Levitate-Potion-Restricted Levitate-Boots-Restricted Freeze-Horn-Restricted "
    "Freeze-Wand-Restricted Freeze-Random-Restricted LavaCross-Restricted",
    300: "KeyRoom-S10",
    350: "CorridorBattle-Dark",
    360: "MultiRoom-N10-OpenDoor MultiRoom-N10-Lava-OpenDoor",
    400: "WoD-Hard-Restricted KeyRoom-S15 Boxoban-Medium Boxoban-Hard",
    500: "Quest-Easy",
    1000: "Labyrinth-Big Corridor-R2 Corridor-R3 Corridor-R5 MazeWalk-15x15 Quest-Medium",
}

# The campaign against its log is no game of the league: its log must be given.
CAMPAIGNS: dict[str, dict[str, Any]] = {
    "RtbSynthetic-v0": {"log": None},
    "RtbLogged-v0": {"log": ""},
}

ZOO = {
    "aec": {
        "holdem-v1": "arena.envs.holdem.env:env",
        "rtb_market-v0": "arena.envs.rtb.env:env",
        "science_birds_duel-v0": "arena.envs.science_birds.env:env",
    },
    "parallel": {
        "holdem-v1": "arena.envs.holdem.env:parallel_env",
        "rtb_market-v0": "arena.envs.rtb.env:parallel_env",
        "science_birds_duel-v0": "arena.envs.science_birds.env:parallel_env",
    },
}


@cache
def register() -> None:
    """Make all of them known, once."""
    for name, options in GAMES.items():
        _register(name, _ENV, _VECTOR_ENV, options)
    for steps, tasks in MINIHACK.items():
        for task in tasks.split():
            options = {"game": "minihack", "task": task}
            _register(f"MiniHack-{task}-v2", _ENV, _VECTOR_ENV, options, steps)
    for name, given in CAMPAIGNS.items():
        place = "arena.envs.rtb.env:"
        _register(name, f"{place}BiddingEnv", f"{place}BiddingVectorEnv", given)
    try:
        from pettingzoo.env_registry.registration import register as register_pettingzoo
    except ImportError:  # before 1.27 PettingZoo knew no ids
        return
    for kind, entries in ZOO.items():
        for name, entry in entries.items():
            register_pettingzoo(kind, f"arena/{name}", entry)


def _register(
    name: str, entry: str, vector: str, options: dict[str, Any], steps: int | None = None
) -> None:
    gymnasium.register(
        f"arena/{name}",
        entry_point=entry,
        vector_entry_point=vector,
        max_episode_steps=steps,
        kwargs=options,
    )
