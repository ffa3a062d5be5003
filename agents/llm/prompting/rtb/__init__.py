"""Prompts of ``rtb`` and ``rtb_catalogue``."""
