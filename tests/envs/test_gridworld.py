"""The grid of rooms: every level is a chain that can be walked, and conforms."""

import numpy as np
import pytest

from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.gridworld import rules
from arena.envs.registry import make_game


def begun(spec, seeds):
    game = make_game(spec)
    tables = game.tables(len(seeds))
    tables.begin(np.arange(len(seeds)), np.array(seeds, np.uint64))
    return tables


@pytest.mark.parametrize("rooms", [1, 2, 4, 8])
def test_levels_are_chains_of_rooms_with_a_way_to_the_goal(rooms):
    tables = begun(f"gridworld?rooms={rooms}", range(40))
    for cells, at in zip(tables.cells, tables.at, strict=True):
        assert (cells == rules.CLOSED).sum() == rooms - 1 and (cells == rules.GOAL).sum() == 1
        todo = [tuple(at.tolist())]
        found = set(todo)
        while todo:
            x, y = todo.pop()
            for dx, dy in rules.MOVES.tolist():
                cell = x + dx, y + dy
                if cells[cell[1], cell[0]] in (rules.FLOOR, rules.CLOSED, rules.GOAL):
                    if cell not in found:
                        todo.append(cell)
                    found.add(cell)
        assert len(found) == np.isin(cells, (rules.FLOOR, rules.CLOSED, rules.GOAL)).sum()


def test_walking_into_a_door_opens_it_and_the_goal_ends_the_episode():
    tables = begun("gridworld?rooms=2", [0])
    tables.cells[0] = rules.VOID
    tables.cells[0, 5:8, 4:9] = rules.WALL
    tables.cells[0, 6, 5:8] = [rules.FLOOR, rules.CLOSED, rules.GOAL]
    tables.at[0] = 5, 6
    seen = []
    for action in (0, 1, 1, 1):
        assert not tables.done[0]
        tables.step(np.array([0]), np.array([0]), np.array([action]))
        seen.append((tables.at[0, 0], tables.cells[0, 6, 6]))
    assert seen == [(5, rules.CLOSED), (5, rules.OPEN), (6, rules.OPEN), (7, rules.OPEN)]
    assert tables.done[0] and tables.returns[0, 0] == 1 and tables.tiebreaks[0, 0] == -4


def test_contexts_are_so_many_levels():
    assert len({cells.tobytes() for cells in begun("gridworld?contexts=5", range(80)).cells}) == 5
    assert len({cells.tobytes() for cells in begun("gridworld", range(80)).cells}) == 80


def test_the_game_keeps_the_contract():
    assert check_game(make_game("gridworld?rooms=2,contexts=3")).ended > 0
    with pytest.raises(InputError, match="between 1 and 8"):
        make_game("gridworld?rooms=9")
    with pytest.raises(InputError, match="contexts=-1"):
        make_game("gridworld?contexts=-1")
