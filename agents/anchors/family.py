"""``anchor:NAME``: a trained player that ships, fixed for good.

Each is a folder here: what plays, and ``recipe.json``, which says how it was trained, from which
seed, its hash, and how strong it was measured to be. A better player gets another name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.agents.learning.policy import Policy
from arena.envs.errors import InputError
from arena.envs.game import Game

FOLDER = Path(__file__).parent


class Anchor(Policy):
    """A trained player that ships, such as ``anchor:holdem-20bb-1``."""

    version = 1

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        super().__init__(game, str(_folder(checkpoint)))

    @classmethod
    def fingerprint(
        cls, checkpoint: str | None, options: Mapping[str, Any], game: Game | None
    ) -> list[str]:
        """The hash of what plays."""
        from arena.agents.registry import hash_checkpoint

        return [hash_checkpoint(str(_folder(checkpoint)))]


def names() -> list[str]:
    """Of all anchors, sorted."""
    return sorted(path.parent.name for path in FOLDER.glob("*/recipe.json"))


def recipe(name: str) -> dict[str, Any]:
    """How an anchor was made, and what it was measured to be."""
    found: dict[str, Any] = json.loads((_folder(name) / "recipe.json").read_text())
    return found


def _folder(name: str | None) -> Path:
    if name not in names():
        raise InputError(f"no anchor is called {name or ''!r}; there are {', '.join(names())}")
    return FOLDER / str(name)
