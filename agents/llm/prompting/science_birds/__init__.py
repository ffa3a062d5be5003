"""Prompts of ``science_birds``: a block a decision, or a whole level's program at once."""

from arena.agents.llm.prompting.science_birds.programs import programs

__all__ = ["programs"]
