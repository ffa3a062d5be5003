"""Turns of a game written down as a language model would be asked about them."""

from __future__ import annotations

from typing import Any

from arena.agents.llm.backends.backend import Prompt
from arena.agents.llm.learning.examples import Example
from arena.agents.llm.prompting.history import Past
from arena.agents.llm.prompting.prompts import Prompts
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
        self.game = game
        self.prompts = Prompts.of(game)
        self.template = self.prompts.load(prompt)
        if len(self.template.rounds) != 1:
            raise InputError(
                f"prompt {prompt} has talk before the decision; learn with one that has none"
            )
        self._past = Past(memory)

    def begin(self, table: int) -> None:
        """Forget the last episode at a table."""
        self._past.forget((table, seat) for seat in range(self.game.seats))

    def prompt(self, turns: Turns, row: int) -> Prompt:
        """What ``lm`` would be asked at that turn."""
        history = self._past.show((int(turns.tables[row]), int(turns.seats[row])))
        told = self.prompts.fill(turns, row, history, self.template.placeholders)
        return self.template.render(**told)

    def write(self, turns: Turns, row: int, action: Any, /, **meta: Any) -> Example:
        """The example of a legal ``action`` at that turn."""
        answer = turns.describe(row, action)
        example = Example(self.prompt(turns, row), answer, meta)
        if "history" in self.template.placeholders:
            key = int(turns.tables[row]), int(turns.seats[row])
            self._past.add(key, turns.text[row], answer)
        return example
