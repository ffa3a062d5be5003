"""Turns of a game written down as a language model would be asked about them."""

from __future__ import annotations

from typing import Any

from arena.agents.llm.backend import Prompt
from arena.agents.llm.fields import family_of, fields, known_fields, write_history
from arena.agents.llm.templates import load_template
from arena.agents.llm.training.examples import Example
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns


class Scribe:
    """Writes examples with the prompt that ``lm`` would be asked with.

    Args:
        game: any.
        prompt: the name of a template of the game that is answered once; ``memory`` as ``lm`` has.

    Raises InputError for a template that is talked over in several turns.
    """

    def __init__(self, game: Game, prompt: str = "default", memory: int = 16) -> None:
        self.game, self.memory = game, memory
        self.family = family_of(game)
        self.template = load_template(self.family, prompt)
        self.template.check(known_fields(self.family))
        if len(self.template.rounds) != 1:
            raise InputError(
                f"prompt {prompt} has talk before the decision; learn with one that has none"
            )
        self._past: dict[tuple[int, int], list[tuple[str, str]]] = {}

    def begin(self, table: int) -> None:
        """Forget the last episode at a table."""
        for key in [key for key in self._past if key[0] == table]:
            del self._past[key]

    def prompt(self, turns: Turns, row: int) -> Prompt:
        """What ``lm`` would be asked at that turn."""
        past = self._past.get((int(turns.tables[row]), int(turns.seats[row])), [])
        shown = past[max(0, len(past) - self.memory + 1) :]
        history = write_history(shown, len(past) - len(shown) + 1)
        told = fields(self.family, turns, row, history, self.template.placeholders)
        return self.template.render(**told)

    def write(self, turns: Turns, row: int, action: Any, /, **meta: Any) -> Example:
        """The example of a legal ``action`` at that turn."""
        answer = turns.describe(row, action)
        example = Example(self.prompt(turns, row), answer, meta)
        if "history" in self.template.placeholders:
            key = int(turns.tables[row]), int(turns.seats[row])
            self._past.setdefault(key, []).append((turns.text[row], answer))
        return example
