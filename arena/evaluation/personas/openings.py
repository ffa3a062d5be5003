"""Pre-flop personas: who opens with what, against openings that are solved.

An analysis of chat models as poker players (arXiv:2308.12466) drew their opening hands as 13 × 13
charts, a chart a position, and called a model a nit or a maniac by its distance from equilibrium.
Here every agent that plays Hold'em is put into the same seats, language model or not: all before it
have folded, it holds one of the 169 classes of hands, and it *opens* where it raises by any amount.
The reference is all-in or fold for the same stacks (``arena.agents.scripted.openings``).

With w combinations of a class (6 a pair, 4 suited, 12 offsuit) and f how often it opens,

    D = Σ w |f − f_ref| / 1326   the share of all hands that is played otherwise
    S = Σ w (f − f_ref) / 1326   below 0 a nit, above 0 a maniac
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from arena.agents.agent import Agent
from arena.agents.answers import FAILURES, Answers, consult
from arena.agents.llm.backends.backend import Message
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.registry import identify, make_agent
from arena.agents.scripted import openings
from arena.agents.scripted.preflop import CLASS_OF, CLASSES, class_name
from arena.agents.scripted.pushfold import DEEPEST
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.holdem import Holdem, cards
from arena.envs.holdem.menu import CALL_ACTION, FIRST_FRACTION
from arena.envs.holdem.spots import fold_round
from arena.envs.holdem.text import positions
from arena.envs.registry import make_game

Floats = NDArray[np.float64]
HANDS = 1326
_DRAW = 1 << 42  # the word of a question's seed that a declared policy is drawn by


@cache
def combinations() -> tuple[NDArray[np.int64], ...]:
    """The pairs of cards of each class, int64 ``(6 | 4 | 12, 2)``, the higher card first."""
    low, high = np.triu_indices(52, 1)
    pairs, classes = np.stack([high, low], axis=1), CLASS_OF[high, low]
    return tuple(pairs[classes == number] for number in range(CLASSES))


@cache
def weights() -> Floats:
    """w / 1326 of each class."""
    return np.array([len(pairs) for pairs in combinations()]) / HANDS


@dataclass(frozen=True)
class Room:
    """A table with equal stacks at which openings are asked for; InputError where it is another.

    Attributes:
        spec, game: of Hold'em, a cash game without straddles.
        stack: in big blinds.
        names: of the positions that can open, in the order in which they act.
    """

    spec: str
    game: Holdem
    stack: float
    names: tuple[str, ...]

    @classmethod
    def of(cls, spec: str) -> Room:
        """The room that a game's spec names."""
        game = make_game(spec)
        if not isinstance(game, Holdem):
            raise InputError(f"--game {spec} is not Hold'em, where openings are asked for")
        config = game.config[0]
        stacks = config["stacks"][: game.seats] / game.big_blind
        if len(set(stacks)) > 1 or config["straddles"] or config["hands"] > 1:
            raise InputError(
                f"--game {spec} must be one hand with equal stacks and without straddles, such as "
                "holdem?seats=6,stack=10"
            )
        if stacks[0] > DEEPEST:
            raise InputError(
                f"--game {spec}: all-in or fold, which is solved for reference, is no measure "
                f"above {DEEPEST:g} big blinds; stack=10 is a good choice"
            )
        tables = game.tables(1)
        tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
        names = tuple(positions(tables.hands[0]).values())
        return cls(spec, game, float(stacks[0]), names[:-1])

    def reference(self) -> dict[str, Floats]:
        """How often each position opens at the solution, float64 ``(169,)``."""
        unit = self.game.big_blind
        solved = openings.solve(
            self.game.seats,
            self.stack,
            self.game.small_blind / unit,
            float(self.game.config[0]["ante"][0]) / unit,
        )
        return {name: one.push for name, one in zip(self.names, solved, strict=True)}

    def questions(self, samples: int, seed: int) -> dict[str, Question]:
        """Every position with every class, ``samples`` combinations of suits each, without end.

        A question is named ``CO/AKs/1`` and its prompt is ``CO AhKh``: which the seat reads.
        """
        found = {}
        for name in self.names:
            for number, pairs in enumerate(combinations()):
                dice = np.random.default_rng(seeding.derive(seed, "suits", name, number))
                for sample in range(samples):
                    if sample % len(pairs) == 0:
                        order = dice.permutation(len(pairs))
                    hole = pairs[order[sample % len(pairs)]]
                    shown = "".join(cards.name(int(card)) for card in hole)
                    found[f"{name}/{class_name(number)}/{sample}"] = Question(
                        (Message("user", f"{name} {shown}"),), (), str
                    )
        return found


class OpeningSeat:
    """An agent at a room's table, asked like a respondent: which share of its policy opens?

    A reply's value is ``[opening, limping, told]``: the probabilities of raising and of calling and
    a 1 where the agent tells its policy, else what it did as zeros and a one, and 0. A failure
    counts as a fold.

    Attributes:
        spec, key: the agent's canonical spec, and its identity.
    """

    def __init__(self, spec: str, room: Room) -> None:
        identity = identify(spec, room.game)
        self.spec, self.key = identity.spec, identity.key
        self.room = room
        self.agent: Agent = make_agent(spec, room.game)

    def decide(self, questions: Sequence[Question], seeds: NDArray[np.uint64]) -> list[Reply]:
        """A reply to each of ``Room.questions``."""
        asked = [question.prompt[0].content.split() for question in questions]
        folds = np.array([self.room.names.index(name) for name, _ in asked])
        holes = np.array([cards.parse(shown) for _, shown in asked])
        turns = _deal(self.room, folds, holes, seeds)
        self.agent.begin(turns.tables, turns.seats)
        draws = seeding.uniforms(seeding.spread(seeds, np.array(_DRAW)), 1)[:, 0]
        answers = consult(self.agent, turns, draws)
        replies = [self._reply(turns, answers, row) for row in range(len(turns))]
        self.agent.end(turns.tables, turns.seats, np.zeros(len(turns)))
        return replies

    def _reply(self, turns: Turns, answers: Answers, row: int) -> Reply:
        notes = dict((answers.notes[row] if answers.notes is not None else None) or {})
        failure = FAILURES[answers.status[row]]
        if failure is not None:
            return Reply([0.0, 0.0, 0.0], "", None, notes, failure)
        action = int(answers.actions[row])
        text = turns.describe(row, action)
        policy = None if answers.probabilities is None else answers.probabilities[row]
        if policy is None or policy.sum() == 0:
            value = [float(action >= FIRST_FRACTION), float(action == CALL_ACTION), 0.0]
        else:
            value = [float(policy[FIRST_FRACTION:].sum()), float(policy[CALL_ACTION]), 1.0]
        return Reply(value, text, policy, notes)


def _deal(
    room: Room, folds: NDArray[np.int64], holes: NDArray[np.int64], seeds: NDArray[np.uint64]
) -> Turns:
    """Hands in which so many have folded and the next to act holds these cards."""
    game, seats, every = room.game, room.game.seats, np.arange(len(folds))
    blinds = np.zeros(seats, np.int64)
    small, big = (1, 0) if seats == 2 else (0, 1)  # seats; the button is the last one
    blinds[small], blinds[big] = game.small_blind, game.big_blind
    actors = (big + 1 + folds) % seats
    decks = np.full((len(folds), 2 * seats + 5), -1)
    for column in range(2):
        decks[every, 2 * actors + column] = holes[:, column]
    tables = game.tables(len(folds))
    config = game.config[0]
    tables.deal(
        every,
        stacks=config["stacks"][:seats],
        blinds=blinds,
        antes=np.full(seats, config["ante"][0]),
        decks=decks,
    )
    fold_round(tables, folds)
    return Turns(tables, every, actors, seeds)


# -- what comes of it ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Persona:
    """How one position is played, shares of all hands.

    Attributes:
        opens, limps: how often, by class, float64 ``(169,)``: means over the samples.
        share, limp_share: of all hands.
        distance, tilt: D and S; error: the standard error of both, from how samples of one class
            differ; 0 where a policy was told and the suits make no difference, nan for one sample.
        floor: the D that a player would show on average who opens exactly as the reference does:
            0 where the policy is told.
    """

    opens: Floats
    limps: Floats
    share: float
    limp_share: float
    distance: float
    tilt: float
    error: float
    floor: float


def distance(opens: Floats, reference: Floats) -> float:
    """D."""
    return float(weights() @ np.abs(opens - reference))


def tilt(opens: Floats, reference: Floats) -> float:
    """S."""
    return float(weights() @ (opens - reference))


def persona(values: Mapping[str, Sequence[float]], name: str, reference: Floats) -> Persona:
    """The persona at one position, from the values of ``Room.questions`` by their names."""
    by_class: list[list[Sequence[float]]] = [[] for _ in range(CLASSES)]
    numbers = {class_name(number): number for number in range(CLASSES)}
    for key, value in values.items():
        position, hand, _ = key.split("/")
        if position == name:
            by_class[numbers[hand]].append(value)
    array = np.array(by_class)  # (169, samples, 3)
    samples = array.shape[1]
    opens, limps, told = array.mean(axis=1).T
    error = float("nan")
    if samples > 1:
        variance = array[:, :, 0].var(axis=1, ddof=1) / samples
        error = float(np.sqrt(weights() ** 2 @ variance))
    return Persona(
        opens,
        limps,
        float(weights() @ opens),
        float(weights() @ limps),
        distance(opens, reference),
        tilt(opens, reference),
        error,
        0.0 if told.all() else _floor(reference, samples),
    )


def _floor(reference: Floats, samples: int) -> float:
    counts = np.arange(samples + 1)
    chances = binom.pmf(counts, samples, reference[:, None])
    gaps = np.abs(counts / samples - reference[:, None])
    return float(weights() @ (chances * gaps).sum(axis=1))
