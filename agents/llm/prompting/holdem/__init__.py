"""Prompts of ``holdem``, and what they can say of its facts."""

from arena.agents.llm.prompting.holdem.words import fields

__all__ = ["fields"]
