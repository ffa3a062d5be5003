"""Luck-adjusted returns: the same means, proven by enumeration, and less spread."""

from __future__ import annotations

import numpy as np
import pytest

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.registry import make_agent
from arena.agents.solvers.cfr import Cfr
from arena.agents.solvers.tabular import Tabular, keys, save_strategy
from arena.agents.solvers.tree import compile_tree
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.registry import make_game
from arena.leagues.luck import Luck


class Odd(Agent):
    """Some policy that differs by seed, seat and what is shown."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def policy(self, turns: Turns) -> np.ndarray:
        mask = turns.action_mask
        rows = (np.random.default_rng([self.seed, *key]) for key in keys(turns))
        raw = np.stack([row.random(mask.shape[1]) for row in rows])
        raw = np.where(mask, raw + 0.05, 0)
        return raw / raw.sum(axis=1, keepdims=True)


def every_episode(game: Game, agents: list[Agent]):
    """All episodes: the deal, its decisions' lines, how probable it is, what is earned."""
    stack = [(deal, ()) for deal in range(len(game.deals))]
    while stack:
        deal, lines = stack.pop()
        tables = game.tables(1)
        tables.start(np.zeros(1, int), np.array([deal]))
        for line in lines:
            tables.step(np.zeros(1, int), np.array([line["seat"]]), np.array([line["action"]]))
        if tables.done[0]:
            chance = np.prod([line["probabilities"][line["action"]] for line in lines])
            yield deal, lines, chance / len(game.deals), tables.returns[0].copy()
            continue
        turns = Turns(tables, *tables.to_act())
        seat = int(turns.seats[0])
        policy = agents[seat].policy(turns)[0].tolist()
        for action in np.flatnonzero(turns.action_mask[0]).tolist():
            line = {"seat": seat, "action": action, "probabilities": policy, "drawn": True}
            stack.append((deal, (*lines, line)))


def moments(luck: Luck, episodes, *, drawn: tuple[bool, bool] = (True, True)):
    """Mean and variance of the first seat's return as it is and adjusted, over all episodes."""
    deals, lines, chances, returns = zip(*episodes, strict=True)
    told = [[{**line, "drawn": drawn[line["seat"]]} for line in each] for each in lines]
    tables = luck.game.tables(len(deals))
    tables.start(np.arange(len(deals)), np.array(deals))
    adjusted = luck.adjusted(tables, told)[:, 0]
    plain, weight = np.array(returns)[:, 0], np.array(chances)
    assert weight.sum() == pytest.approx(1)
    means = [weight @ values for values in (plain, adjusted)]
    return [(m, weight @ (v - m) ** 2) for m, v in zip(means, (plain, adjusted), strict=True)]


@pytest.mark.parametrize("drawn", [(True, True), (True, False), (False, False)])
@pytest.mark.parametrize("game", ["kuhn", "leduc?ranks=2,suits=2"])
def test_adjusted_returns_have_the_same_mean_whatever_the_value_function(game, drawn) -> None:
    game = make_game(game)
    episodes = list(every_episode(game, [Odd(1), Odd(2)]))
    for seed in (1, 3):
        luck = Luck.of(game, Odd(seed))
        (mean, _), (adjusted, _) = moments(luck, episodes, drawn=drawn)
        assert adjusted == pytest.approx(mean, abs=1e-12)


def test_what_the_value_function_foresees_in_full_has_no_luck_left() -> None:
    game = make_game("leduc?ranks=3,suits=1")
    episodes = list(every_episode(game, [Odd(1), Odd(1)]))
    luck = Luck.of(game, Odd(1))
    (mean, variance), (adjusted, left) = moments(luck, episodes)
    assert variance > 1 and left == pytest.approx(0, abs=1e-20)
    assert adjusted == pytest.approx(mean) == pytest.approx(luck.start[0])
    # Where nothing was declared only chance is known, and it is a part of the luck.
    assert 0 < moments(luck, episodes, drawn=(False, False))[1][1] < variance


def test_who_declares_one_policy_and_plays_another_gains_nothing() -> None:
    """Its own actions are not drawn, so not adjusted for: the mean stays what it earned."""
    game = make_game("kuhn")
    played = list(every_episode(game, [Odd(5), Odd(6)]))
    deals, lines, chances, returns = zip(*played, strict=True)
    luck, plain = Luck.of(game, Odd(7)), np.array(chances) @ np.array(returns)[:, 0]
    tables = game.tables(len(deals))
    tables.start(np.arange(len(deals)), np.array(deals))
    lie = {"probabilities": [0.5, 0.5], "drawn": False}
    told = [[{**line, **(lie if line["seat"] == 0 else {})} for line in each] for each in lines]
    adjusted = np.array(chances) @ luck.adjusted(tables, told)[:, 0]
    assert adjusted == pytest.approx(plain, abs=1e-12)


def test_a_forfeit_counts_for_what_it_cost() -> None:
    game = make_game("kuhn")
    tables = game.tables(1)
    tables.start(np.zeros(1, int), np.array([0]))
    luck = Luck.of(game, Odd(1))
    line = {"seat": 0, "action": None, "status": "illegal", "probabilities": None}
    adjusted = luck.adjusted(tables, [[line]])
    assert tables.returns[0].tolist() == [-1, 1]
    assert adjusted.sum() == pytest.approx(0) and adjusted[0, 0] != -1


def test_a_solution_is_a_value_function(tmp_path) -> None:
    game = make_game("kuhn")
    tree = compile_tree(game)
    solver = Cfr(tree, "cfr+", 2000)
    solver.run(2000)
    save_strategy(tmp_path, "kuhn", tree, solver.average, {})
    luck = Luck.of(game, Tabular(game, str(tmp_path)))
    assert luck.start == pytest.approx([-1 / 18, 1 / 18], abs=1e-4)


def test_games_and_players_that_it_cannot_be_worked_out_for_are_refused() -> None:
    class Silent(Agent):
        def act(self, turns: Turns) -> Decisions:
            return Decisions(np.zeros(len(turns), int))

    with pytest.raises(InputError, match="cannot be enumerated"):
        Luck.of(make_game("holdem"), make_agent("random", make_game("holdem")))
    with pytest.raises(InputError, match="decide at once"):
        Luck.of(make_game("rps"), make_agent("random", make_game("rps")))
    with pytest.raises(CannotPlay, match="declares no policy"):
        Luck.of(make_game("kuhn"), Silent())
