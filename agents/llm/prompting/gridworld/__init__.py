"""Prompts of ``gridworld``."""
