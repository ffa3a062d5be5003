"""Prompts of nim, filled from its facts."""

from collections.abc import Mapping
from typing import Any


def fields(facts: Mapping[str, Any]) -> dict[str, str]:
    """``heap``: a stone a mark; ``stones``: their number."""
    return {"stones": str(facts["stones"]), "heap": "o" * facts["stones"]}
