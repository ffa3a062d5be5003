"""The players for any game, at a tiny game of each kind of action space."""

import threading
import time
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.answers import consult
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


def answered(kind: str, turns: Turns) -> Any:
    """What a venue takes from that agent."""
    return consult(make_agent(kind, turns.game), turns, np.full(len(turns), 0.3)).actions


def test_all_kinds_are_registered() -> None:
    assert set(KINDS) <= set(agent_names())


@pytest.mark.parametrize(
    ("kind", "space"),
    [*(("random", space) for space in SPACES), ("first", "discrete"), ("first", "box")],
)
def test_answers_are_legal(kind: str, space: str) -> None:
    game = OneMove(SPACES[space])
    turns = turns_at(game, 50)
    actions = answered(kind, turns)
    assert len(actions) == 50
    assert turns.legal(actions).all()


@pytest.mark.parametrize("space", SPACES)
def test_illegal_is_never_legal(space: str) -> None:
    game = OneMove(SPACES[space])
    turns = turns_at(game, 50)
    actions = make_agent("illegal", game).act(turns).actions
    assert len(actions) == 50
    assert not turns.legal(actions).any()


def test_random_declares_the_uniform_policy_over_the_legal_actions() -> None:
    game = OneMove(SPACES["discrete"])
    turns = turns_at(game, 30)
    agent = make_agent("random", game)
    assert agent.declares and agent.act(turns).actions is None
    assert turns.action_mask is not None
    np.testing.assert_allclose(agent.policy(turns), turns.action_mask / 2)


@pytest.mark.parametrize("space", [space for space in SPACES if space != "discrete"])
def test_random_decides_by_the_turns_seed_alone_where_it_has_no_policy(space: str) -> None:
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
    assert answered("first", turns_at(OneMove(SPACES["discrete"]), 3)).tolist() == [1, 0, 0]
    boxes = answered("first", turns_at(OneMove(SPACES["box"]), 2))
    assert boxes.tolist() == [[0.25, 0.25]] * 2


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
