"""Prompts of ``minihack``."""
