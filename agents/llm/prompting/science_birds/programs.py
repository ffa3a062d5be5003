"""Letters as in ChatGPT4PCG: a whole program is asked for once, then played call by call.

The program is read by the competition's rules: the last block fenced by three backquotes, and the
``drop_block`` calls in it. A game of ``mode=one_shot`` takes it as it is, also where it spoils the
level. Played call by call it must stay in the grid, else it is an illegal answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import numpy as np

from arena.agents.agent import CannotPlay, Decisions, Failure
from arena.agents.llm.backends.backend import Answer, Backend
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.reading import Decoding, Inquiry, Seeds
from arena.agents.llm.decoding.writing import Free, Writing
from arena.agents.llm.prompting.history import Key
from arena.agents.llm.prompting.interview import Asking, Interview, Request
from arena.agents.llm.prompting.templates import Template, load_template
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.science_birds import grid
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.grid import STOP, Program
from arena.envs.science_birds.text import read_program, write_program


def programs(game: Game, template: Template) -> Letters | None:
    """What plays a template that asks for a whole level; None for one that asks for a block.

    A template that does not show the level so far can only ask for all of it.
    """
    assert isinstance(game, ScienceBirds)
    if "observation" in template.placeholders and game.mode != "one_shot":
        return None
    return Trees(game) if Trees.fields <= template.placeholders else Letters(game)


class Letters:
    """The programs that are being played, one at each table; see ``Programs``."""

    fields: frozenset[str] = frozenset()
    temperature: float | None = None

    def __init__(self, game: ScienceBirds) -> None:
        self.game = game
        self.example = write_program(grid.program([("b13", 5)]))
        self._known: dict[Key, tuple[int, Program]] = {}

    def check(self, decoding: Decoding, *, lenient: bool) -> None:
        """See ``Programs``."""
        if not decoding.writes:
            raise CannotPlay(
                "lm: this prompt has the model write whole programs, which decode=score and "
                "decode=constrained do not; use decode=generate, vote, best_of or reflect"
            )
        if lenient:
            raise CannotPlay("lm: reader=lenient reads lines, and programs are read as they stand")

    def interview(self, template: Template, backend: Backend, decoding: Decoding) -> Asking:
        """See ``Programs``."""
        return Interview(template, backend, decoding)

    def forget(self, keys: Sequence[Key]) -> None:
        """Episodes begin at these tables."""
        for key in keys:
            self._known.pop(key, None)

    def act(
        self, turns: Turns, keys: Sequence[Key], fields: Sequence[Mapping[str, str]], asking: Asking
    ) -> Decisions:
        """The next call of every program; where a level begins, its program is asked for first."""
        trials = turns.observation["trial"].tolist()
        notes: list[Mapping[str, Any] | None] = [None] * len(keys)
        failures: dict[int, Failure] = {}
        # Of one_shot every decision is a level; else a level goes on while its trial does.
        fresh = [
            row
            for row, (key, trial) in enumerate(zip(keys, trials, strict=True))
            if key not in self._known or self._known[key][0] != trial
        ]
        requests = [Request(fields[row], [self.example], self.read, whole=True) for row in fresh]
        assert turns.seeds is not None
        for row, reply in zip(fresh, asking.ask(requests, turns.seeds[fresh]), strict=True):
            notes[row] = reply.notes
            if reply.failure is None:
                self._known[keys[row]] = trials[row], reply.value
            else:
                failures[row] = reply.failure
        whole = self.game.mode == "one_shot"
        actions = np.full((len(keys), self.game.drops) if whole else len(keys), STOP, np.int64)
        for row, (key, dropped) in enumerate(
            zip(keys, turns.observation["dropped"].tolist(), strict=True)
        ):
            if row in failures:
                continue
            program = self._known[key][1]
            if whole:
                actions[row, : len(program)] = program
            elif dropped < len(program):
                actions[row] = program[dropped]
        return Decisions(actions, None, notes, failures)

    def read(self, answer: str) -> Program:
        """The program that an answer holds, or InputError."""
        program = read_program(answer)
        if len(program) > self.game.drops:
            raise InputError(
                f"the program drops {len(program)} blocks; at most {self.game.drops} are taken"
            )
        if self.game.mode == "sequential" and isinstance(reason := grid.build(program), str):
            raise InputError(f"the program spoils the level: {reason}")
        return program


# -- tree of thoughts (Yao et al. 2023), depth 2, branch 2 -----------------------------------------

DEPTHS = ("plan", "program")
_DRAWS = 3  # at each depth: two proposals and a vote


class Trees(Letters):
    """Programs that are the best of a tree of thoughts."""

    fields = frozenset({"depth", "thought"})
    temperature = 0.7

    def check(self, decoding: Decoding, *, lenient: bool) -> None:
        """See ``Programs``."""
        super().check(decoding, lenient=lenient)
        if type(decoding) is not Free or decoding.temperature == 0:
            raise CannotPlay(
                "lm: prompt=tree_of_thoughts draws and votes by itself; use decode=generate and a "
                "temperature above 0"
            )

    def interview(self, template: Template, backend: Backend, decoding: Decoding) -> Asking:
        """See ``Programs``."""
        assert isinstance(decoding, Free)
        return TreeOfThoughts(template, backend, decoding)


@dataclass(frozen=True)
class TreeOfThoughts:
    """Two plans, a vote; two programs for the plan chosen, a vote. In the place of ``Interview``.

    A vote whose last line is neither ``first`` nor ``second`` goes to the first.
    """

    template: Template
    backend: Backend
    decoding: Free

    def ask(self, requests: Sequence[Request], seeds: Seeds) -> list[Reply]:
        """A reply to each request."""
        questions = [Question((), r.choices, r.parse, r.whole) for r in requests]
        tree = _Tree(self.template, self.decoding, [request.fields for request in requests])
        return tree.decide(self.backend, questions, seeds)


class _Tree(Writing):
    def __init__(
        self, template: Template, decoding: Free, fields: Sequence[Mapping[str, str]]
    ) -> None:
        super().__init__(decoding.temperature, decoding.max_tokens)
        self.fields = fields
        self.propose = template
        self.vote = load_template(files(__package__), "tree_of_thoughts_vote", "science_birds")

    def answer(self, backend: Backend, records: list[Inquiry], seeds: Seeds) -> list[Reply]:
        chosen = [Answer("nothing yet")] * len(records)
        for number, depth in enumerate(DEPTHS):
            going = [i for i, answer in enumerate(chosen) if answer.error is None]
            for i in going:
                prompt = self.propose.render(depth=depth, thought=chosen[i].text, **self.fields[i])
                records[i].question = replace(records[i].question, prompt=prompt)
            asked = [records[i] for i in going]
            proposals = self.sample(
                backend,
                asked,
                [record.question.prompt for record in asked],
                seeds[going],
                2,
                number * _DRAWS,
            )
            votes = self.write(
                backend,
                asked,
                [
                    self.vote.render(first=one.text, second=two.text, **self.fields[i])
                    for i, (one, two) in zip(going, proposals, strict=True)
                ],
                seeds[going],
                number * _DRAWS + 2,
            )
            for i, pair, vote in zip(going, proposals, votes, strict=True):
                broken = next((a for a in (*pair, vote) if a.error is not None), None)
                chosen[i] = broken or pair[_reads_second(vote.text)]
                records[i].notes |= {depth: chosen[i].text, f"{depth}_vote": vote.text}
        return [record.settle(answer) for record, answer in zip(records, chosen, strict=True)]


def _reads_second(vote: str) -> bool:
    lines = vote.split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.casefold().strip("\"'.*") == "second"
