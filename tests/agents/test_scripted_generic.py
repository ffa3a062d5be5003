"""The players for any game, at a tiny game of each kind of action space."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.registry import agent_names, make_agent
from arena.envs.game import Game, Tables, Turns

KINDS = ("random", "first", "timeout", "crash", "illegal")


class OneMove(Game):
    """One decision a table: in a Discrete space of three, action ``table % 3`` is not legal."""

    name, version, seats = "one-move", 1, 1

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        self.action_space = space
        self.observation_space = gymnasium.spaces.Dict({})

    def tables(self, capacity: int) -> Tables:
        return OneMoveTables(self, capacity)


class OneMoveTables(Tables):
    def begin(self, tables: Any, seeds: Any) -> None:
        self.done[tables] = False

    def to_act(self) -> Any:
        tables = np.flatnonzero(~self.done)
        return tables, np.zeros_like(tables)

    def observe(self, tables: Any, seats: Any) -> Any:
        return {}

    def action_mask(self, tables: Any, seats: Any) -> Any:
        if isinstance(self.game.action_space, gymnasium.spaces.Discrete):
            return tables[:, None] % 3 != np.arange(3)
        return None

    def step(self, tables: Any, seats: Any, actions: Any) -> None:
        self.done[tables] = True

    forfeit = text = describe = frame = None  # type: ignore[assignment]

    def words(self, table: int, seat: int) -> Sequence[str]:
        return ["0.25", "0.75"]

    def parse(self, table: int, seat: int, answer: str) -> Any:
        return np.full(self.game.action_space.shape or (), float(answer))


SPACES = {
    "discrete": gymnasium.spaces.Discrete(3),
    "box": gymnasium.spaces.Box(0, 1, (2,)),
    "unbounded": gymnasium.spaces.Box(0, np.inf, (), np.float64),
    "tuple": gymnasium.spaces.Tuple((gymnasium.spaces.Discrete(4), gymnasium.spaces.Box(0, 1))),
}


def turns_at(game: Game, n: int, seed: int = 1) -> Turns:
    tables = game.tables(n)
    tables.begin(np.arange(n), np.arange(n, dtype=np.uint64))
    seeds = np.random.default_rng(seed).integers(2**64, size=n, dtype=np.uint64)
    return Turns(tables, *tables.to_act(), seeds)


def test_all_kinds_are_registered() -> None:
    assert set(KINDS) <= set(agent_names())


@pytest.mark.parametrize(
    ("kind", "space"),
    [*(("random", space) for space in SPACES), ("first", "discrete"), ("first", "box")],
)
def test_answers_are_legal(kind: str, space: str) -> None:
    game = OneMove(SPACES[space])
    turns = turns_at(game, 50)
    actions = make_agent(kind, game).act(turns).actions
    assert len(actions) == 50
    assert turns.source.legal(turns.tables, turns.seats, actions).all()


@pytest.mark.parametrize("space", SPACES)
def test_illegal_is_never_legal(space: str) -> None:
    game = OneMove(SPACES[space])
    turns = turns_at(game, 50)
    actions = make_agent("illegal", game).act(turns).actions
    assert len(actions) == 50
    assert not turns.source.legal(turns.tables, turns.seats, actions).any()


def test_random_is_uniform_over_the_legal_actions_and_says_so() -> None:
    game = OneMove(SPACES["discrete"])
    turns = turns_at(game, 30_000)
    decisions = make_agent("random", game).act(turns)
    assert turns.action_mask is not None and decisions.probabilities is not None
    np.testing.assert_allclose(decisions.probabilities, turns.action_mask / 2)
    higher = decisions.actions == np.array([2, 2, 1])[turns.tables % 3]
    assert abs(higher.mean() - 0.5) < 0.015  # five standard errors


@pytest.mark.parametrize("space", SPACES)
def test_random_decides_by_the_turns_seed_alone(space: str) -> None:
    game = OneMove(SPACES[space])
    turns = turns_at(game, 40)
    together = make_agent("random", game).act(turns).actions
    rows = np.arange(39, -1, -3)
    apart = make_agent("random", game).act(turns.select(rows)).actions
    assert [str(a) for a in together[rows]] == [str(a) for a in apart]
    assert len({str(a) for a in together}) > 2
    other = make_agent("random", game).act(turns_at(game, 40, seed=2)).actions
    assert [str(a) for a in together] != [str(a) for a in other]


def test_first_takes_the_lowest_number_or_the_first_word() -> None:
    game = OneMove(SPACES["discrete"])
    decisions = make_agent("first", game).act(turns_at(game, 3))
    assert decisions.actions.tolist() == [1, 0, 0]
    game = OneMove(SPACES["box"])
    actions = make_agent("first", game).act(turns_at(game, 2)).actions
    assert actions.tolist() == [[0.25, 0.25]] * 2


def test_crash_crashes_and_timeout_does_not_answer() -> None:
    game = OneMove(SPACES["discrete"])
    with pytest.raises(RuntimeError, match="always crashes"):
        make_agent("crash", game).act(turns_at(game, 1))
    sleeper = threading.Thread(
        target=make_agent("timeout", game).act, args=[turns_at(game, 1)], daemon=True
    )
    sleeper.start()
    time.sleep(0.1)
    assert sleeper.is_alive()


def test_a_checkpoint_is_refused() -> None:
    with pytest.raises(CannotPlay, match="random takes no checkpoint"):
        make_agent("random:runs/1", OneMove(SPACES["discrete"]))
