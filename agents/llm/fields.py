"""What a game's turn offers to a prompt template: the fields that fill its placeholders.

Every game offers ``observation`` (its text face), ``actions`` (the legal actions in words, or the
examples of an open grammar, in one line), ``action_lines`` (one a line) and ``history`` (earlier
observations at the table, each with the action taken). Some offer more; see ``FIELDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from arena.agents.llm import poker_words
from arena.agents.llm.templates import families
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns

Fields = Mapping[str, str]
Rendering = Callable[[Turns, int], Fields]

GENERIC = ("observation", "actions", "action_lines", "history")


def family_of(game: Game) -> str:
    """The family of templates that fits a game; ``generic`` for a game that we do not know."""
    name = {"rtb_catalogue": "rtb"}.get(game.name, game.name)
    return name if name in FIELDS and name in families() else "generic"


def known_fields(family: str) -> set[str]:
    """The names of the fields that templates of this family may use."""
    return {*GENERIC, *(FIELDS[family][0] if family in FIELDS else ())}


def fields(family: str, turns: Turns, row: int, history: str, wanted: Iterable[str]) -> Fields:
    """The fields ``wanted`` of turn ``row``; ``history`` as the player has kept it."""
    asked = set(wanted)
    out = {"history": history}
    if "observation" in asked:
        out["observation"] = turns.text[row]
    if asked & {"actions", "action_lines"}:
        words = turns.words[row]
        out |= {"actions": ", ".join(words), "action_lines": "\n".join(words)}
    if family in FIELDS and asked & set(FIELDS[family][0]):
        out |= FIELDS[family][1](turns, row)
    return out


def write_history(past: Sequence[tuple[str, str]], begun: int) -> str:
    """Earlier observations and the actions taken then; ``begun`` is the first one's number."""
    blocks = [
        f"Observation {number}:\n{seen}\nAction taken: {action}"
        for number, (seen, action) in enumerate(past, begun)
    ]
    return "\n\n".join(blocks) or "none"


class Past:
    """What a player has seen and done at each table and seat since its episodes began there.

    Args:
        memory: how many observations ``show`` leaves room for, the present one among them.
    """

    def __init__(self, memory: int) -> None:
        if memory < 1:
            raise InputError(f"memory={memory} must be at least 1")
        self.memory = memory
        self._seen: dict[tuple[int, int], list[tuple[str, str]]] = {}

    def forget(self, keys: Iterable[tuple[int, int]]) -> None:
        """Episodes begin at these tables and seats."""
        for key in keys:
            self._seen.pop(key, None)

    def add(self, key: tuple[int, int], observation: str, action: str) -> None:
        """A decision was made there."""
        self._seen.setdefault(key, []).append((observation, action))

    def show(self, key: tuple[int, int]) -> str:
        """The field ``history``."""
        seen = self._seen.get(key, [])
        first = max(0, len(seen) - self.memory + 1)
        return write_history(seen[first:], first + 1)


# -- the games ---------------------------------------------------------------------------------


def _holdem(turns: Turns, row: int) -> Fields:
    return poker_words.fields(turns.facts[row])


def _facts(turns: Turns, row: int) -> Fields:
    return turns.facts[row]


_POKER = (
    "players big_blind position positions cards cards_in_words features hand_rank grade street "
    "board board_in_words pot stacks posts betting story to_call"
)
FIELDS: dict[str, tuple[tuple[str, ...], Rendering]] = {
    "holdem": (tuple(_POKER.split()), _holdem),
    "minihack": (("message", "view", "map", "inventory", "task", "goal"), _facts),
    "rtb": (("time_left", "budget_left"), _facts),
    "science_birds": (("letter", "rules"), _facts),
    "gridworld": ((), lambda turns, row: {}),
}
"""Of each game that has fields of its own: their names, and what renders them."""
