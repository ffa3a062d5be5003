"""The venue: command line, web viewer, benchmarks; and every game as an environment.

Importing it makes the games' ids known to Gymnasium (``arena/Holdem-v1``) and PettingZoo
(``arena/holdem-v1``), and loads nothing heavy.
"""

from typing import TYPE_CHECKING, Any

from arena import ids

if TYPE_CHECKING:
    from arena.faces import aec_env, gymnasium_env, parallel_env, sb3_env, vector_env

__all__ = ["aec_env", "gymnasium_env", "parallel_env", "sb3_env", "vector_env"]

ids.register()


def __getattr__(name: str) -> Any:
    if name in __all__:
        from arena import faces

        return getattr(faces, name)
    raise AttributeError(f"module 'arena' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
