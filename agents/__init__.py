"""The players. See ``agents/README.md`` for how to add one."""

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
