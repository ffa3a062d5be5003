"""The venue: leagues and training in a call, every game as an environment; the command line.

Importing it makes the games' ids known to Gymnasium (``arena/Holdem-v1``) and PettingZoo
(``arena/holdem-v1``), and loads nothing heavier than these two.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.learning.trainers import train
    from arena.faces import aec_env, gymnasium_env, parallel_env, sb3_env, vector_env
    from arena.python import league

__all__ = [
    "aec_env",
    "gymnasium_env",
    "league",
    "parallel_env",
    "sb3_env",
    "train",
    "vector_env",
]
_ELSEWHERE = {"league": "arena.python", "train": "arena.agents.learning.trainers"}

# ``arena`` and ``python -m arena`` make the ids known once they have work: help answers at once.
if Path((sys.argv or [""])[0]).name not in ("arena", "-m"):
    from arena import ids

    ids.register()


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "arena.faces")), name)
    raise AttributeError(f"module 'arena' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
