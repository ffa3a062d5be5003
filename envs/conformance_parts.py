"""The optional parts of the contract, checked: copies, imagination, and ``advance``."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.errors import NotConforming
from arena.envs.game import Game, Tables, Turns

_LOOKED_AT = (0, 1, 3, 8, 15)  # steps at which a copy is taken, or the future imagined
_STEPS = 20
_AHEAD = 3  # steps that two imaginations are played on


def check_parts(game: Game, seeds: NDArray[np.uint64]) -> None:
    """Check what ``game.offers``, and ``advance``, which every game has, on these episodes.

    Raises:
        NotConforming: with a sentence that names what is wrong.
    """
    chance = _Chance(game)
    _check_advance(game, seeds, chance)
    if "copy" in game.offers:
        _check_copies(game, seeds, chance)
    if {"copy", "redeal"} <= game.offers:
        _check_imagination(game, seeds, chance)


class _Chance:
    """Draws legal actions by the table's number, the seat and the number of the step."""

    def __init__(self, game: Game) -> None:
        self.space = deepcopy(game.action_space)

    def choose(self, turns: Turns, step: int) -> NDArray[Any]:
        words = seeding.spread(turns.tables.astype(np.uint64), turns.seats + 1000 * step)
        draws = seeding.uniforms(words, 1)[:, 0]
        return any_legal(self.space, turns.action_mask, draws)


def any_legal(
    space: Any, mask: NDArray[np.bool_] | None, draws: NDArray[np.float64]
) -> NDArray[Any]:
    """A legal action for each uniform number: of the mask, else a sample of the space."""
    if mask is not None:
        return seeding.draw(mask, draws)
    chosen = []
    for draw in draws.tolist():
        space.seed(int(draw * 2**53))
        chosen.append(space.sample())
    return np.array(chosen)


def _check_advance(game: Game, seeds: NDArray[np.uint64], chance: _Chance) -> None:
    """``advance`` is ``step``, ``renew`` and ``turns`` in one."""
    every = np.arange(len(seeds))
    fast, slow = game.tables(len(seeds)), game.tables(len(seeds))
    for tables in (fast, slow):
        tables.renew(every, seeds)
    turns = slow.turns()
    for step in range(_STEPS):
        fresh = seeding.spread(seeds, np.array(step))
        actions = chance.choose(turns, step)
        one = fast.advance(turns.tables, turns.seats, actions, fresh)
        two = Tables.advance(slow, turns.tables, turns.seats, actions, fresh)
        for name in ("ended", "returns", "truncated"):
            if not np.array_equal(getattr(one, name), getattr(two, name)):
                _refuse(game, f"advance tells other {name} than step does, at step {step}")
        if (one.final is None) == bool(one.truncated.any()):
            _refuse(game, "advance shows final where something was truncated, and only there")
        turns = two.turns
        if not _alike(one.turns, turns):
            _refuse(game, f"advance shows other turns than those after step, at step {step}")


def _alike(one: Turns, two: Turns) -> bool:
    shown, mask = one.action_mask, two.action_mask
    return (
        np.array_equal(one.tables, two.tables)
        and np.array_equal(one.seats, two.seats)
        and all(np.array_equal(one.observation[k], two.observation[k]) for k in two.observation)
        and (mask is None if shown is None else mask is not None and np.array_equal(shown, mask))
    )


def _check_copies(game: Game, seeds: NDArray[np.uint64], chance: _Chance) -> None:
    """A copy is in the same state, and neither of the two changes the other."""
    every = np.arange(len(seeds))
    tables, copies = game.tables(len(seeds)), game.tables(2 * len(seeds) + 1)
    slots = 2 * every[::-1] + 1
    tables.begin(every, seeds)
    for step in range(_STEPS):
        if step in _LOOKED_AT:
            copies.begin(slots, seeding.spread(seeds, np.array(step)))  # another episode, begun
            other = copies.turns()
            copies.step(other.tables, other.seats, chance.choose(other, step))
            tables.copy(every, copies, slots)
        before = [_state(tables, table) for table in every.tolist()]
        if [_state(copies, slot) for slot in slots.tolist()] != before:
            _refuse(game, f"a copy differs from the table that it is of, at step {step}")
        turns = tables.turns()
        if not len(turns):
            return
        actions = chance.choose(turns, step)
        copies.step(slots[turns.tables], turns.seats, actions)
        if [_state(tables, table) for table in every.tolist()] != before:
            _refuse(game, "a step at a copy changes the table that it is of")
        tables.step(turns.tables, turns.seats, actions)


def _check_imagination(game: Game, seeds: NDArray[np.uint64], chance: _Chance) -> None:
    """Equal seeds imagine equal tables where two states differ only in what is hidden.

    The two states are made by ``redeal`` itself: a hidden fact that it never draws afresh stays the
    same in both, and is not found here.
    """
    tables = game.tables(len(seeds))
    tables.begin(np.arange(len(seeds)), seeds)
    for step in range(max(_LOOKED_AT) + 1):
        turns = tables.turns()
        if not len(turns):
            return
        if step in _LOOKED_AT:
            _imagine(turns, chance, step)
        tables.step(turns.tables, turns.seats, chance.choose(turns, step))


def _imagine(turns: Turns, chance: _Chance, step: int) -> None:
    game, rows = turns.game, np.arange(len(turns))
    others = seeding.spread(rows.astype(np.uint64), np.array(step))
    twins = turns.imagine(rows, others)  # alike to each seat, unlike in what is hidden from it
    seeds = seeding.spread(others, np.array(1))
    one, two = turns.imagine(rows, seeds), Turns(twins, rows, turns.seats).imagine(rows, seeds)
    for ahead in range(_AHEAD + 1):
        for row, seat in enumerate(turns.seats.tolist()):
            if ahead == 0 and turns.frame(row) != one.frame(row, seat):
                _refuse(game, f"an imagination differs from what seat {seat} sees")
            if _state(one, row) != _state(two, row):
                _refuse(game, f"an imagination knows what is hidden from seat {seat}")
        going = one.turns()
        if not len(going):
            return
        actions = chance.choose(going, 100 + ahead)
        one.step(going.tables, going.seats, actions)
        two.step(going.tables, going.seats, actions)


def _state(tables: Tables, table: int) -> list[bytes]:
    """A table's frame, and all arrays that it declares to be its state."""
    names = ("done", "returns", "tiebreaks", "truncated", *tables.state)
    arrays = [np.ascontiguousarray(getattr(tables, name)[table]).tobytes() for name in names]
    return [orjson.dumps(tables.frame(table)), *arrays]


def _refuse(game: Game, sentence: str) -> NoReturn:
    raise NotConforming(f"{game.name}: {sentence}")
