"""The players. See ``agents/README.md`` for how to add one."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.agent import Agent, CannotPlay, Decisions, Identity
    from arena.agents.registry import agent_names, identify, make_agent

__all__ = [
    "Agent",
    "CannotPlay",
    "Decisions",
    "Identity",
    "agent_names",
    "identify",
    "make_agent",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = "agent" if name[0].isupper() else "registry"
        return getattr(import_module(f"arena.agents.{home}"), name)
    raise AttributeError(f"module 'arena.agents' has no attribute {name!r}")
