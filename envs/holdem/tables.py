"""Thousands of Hold'em tables, stepped together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.game import UNASKED, Advanced, Ints, Observation, Tables, Turns
from arena.envs.holdem import episode, frames, menu, observation, rules, story, text
from arena.envs.holdem.rules import compiled, inlined

if TYPE_CHECKING:
    from arena.envs.holdem.game import Holdem

Array = NDArray[Any]


@compiled
def _begin(
    hands: Array, config: Array, tables: Ints, seeds: Array, done: Array, returns: Array
) -> None:
    for i in range(len(tables)):
        episode.begin_episode(hands[tables[i]], config[0], seeds[i])
        _finish(hands, config, tables[i], done, returns)


@inlined
def _finish(hands: Array, config: Array, table: int, done: Array, returns: Array) -> None:
    """Note whether a table is done, and with what returns."""
    done[table] = hands[table].actor == rules.OVER
    if done[table]:
        episode.settle(hands[table], config[0], returns, table)


@compiled
def _step(
    hands: Array, config: Array, tables: Ints, actions: Ints, done: Array, returns: Array
) -> int:
    """Take the actions; the row of the first that is not legal (it is not taken), or -1."""
    illegal = -1
    for i in range(len(tables)):
        hand = hands[tables[i]]
        move = menu.decode(hand, config[0], actions[i])
        if move == rules.ILLEGAL:
            illegal = i if illegal < 0 else illegal
        else:
            episode.take(hand, config[0], move)
            _finish(hands, config, tables[i], done, returns)
    return illegal


@compiled
def _advance(
    hands: Array,
    config: Array,
    seats: Ints,
    actions: Ints,
    seeds: Array,
    ended: Array,
    returns: Array,
    actors: Ints,
    codes: Array,
    amounts: Array,
    mask: Array,
) -> int:
    """``HoldemTables.advance`` where every table is stepped.

    Returns -1, the first table whose action is not legal (it is not taken), or -2 where a table's
    every next episode ends at the deal.
    """
    fault = -1
    for table in range(len(hands)):
        hand = hands[table]
        move = menu.decode(hand, config[0], actions[table])
        if move == rules.ILLEGAL or hand.actor != seats[table]:
            fault = table if fault == -1 else fault
        else:
            episode.take(hand, config[0], move)
        _finish(hands, config, table, ended, returns)
        if ended[table]:
            if not episode.renew_episode(hand, config[0], seeds[table]):
                fault = -2
        else:
            for seat in range(hand.seats):
                returns[table, seat] = 0.0
        actors[table] = hand.actor
        observation.write_row(hand, max(hand.actor, 0), codes, amounts, table)
        menu.write_mask(hand, config[0], mask, table)
    return fault


@compiled
def _redeal(hands: Array, tables: Ints, seats: Ints, seeds: Array) -> None:
    for i in range(len(tables)):
        episode.redeal(hands[tables[i]], seats[i], seeds[i])


@compiled
def _forfeit(hands: Array, config: Array, tables: Ints, done: Array, returns: Array) -> None:
    for i in range(len(tables)):
        episode.forfeit(hands[tables[i]], config[0])
        _finish(hands, config, tables[i], done, returns)


@compiled
def _legal(hands: Array, config: Array, tables: Ints, seats: Ints, actions: Ints) -> Array:
    legal = np.zeros(len(tables), np.bool_)
    for i in range(len(tables)):
        hand = hands[tables[i]]
        if hand.actor == seats[i]:
            legal[i] = menu.decode(hand, config[0], actions[i]) != rules.ILLEGAL
    return legal


@compiled
def _observe(hands: Array, tables: Ints, seats: Ints, codes: Array, amounts: Array) -> None:
    for i in range(len(tables)):
        observation.write_row(hands[tables[i]], seats[i], codes, amounts, i)


@compiled
def _mask(hands: Array, config: Array, tables: Ints, seats: Ints, mask: Array) -> None:
    for i in range(len(tables)):
        if hands[tables[i]].actor == seats[i]:
            menu.write_mask(hands[tables[i]], config[0], mask, i)
        else:
            mask[i, :] = False


@compiled
def _deal(
    hands: Array, config: Array, tables: Ints, given: Array, done: Array, returns: Array
) -> None:
    for i in range(len(tables)):
        hands[tables[i]] = given[i]
        episode.begin_given(hands[tables[i]], config[0])
        _finish(hands, config, tables[i], done, returns)


class _Dense:
    """What ``advance`` writes when every table is stepped, again and again."""

    def __init__(self, capacity: int, seats: int, actions: int) -> None:
        self.every = np.arange(capacity)
        self.view = observation.View(capacity, seats)
        self.mask = np.zeros((capacity, actions), np.bool_)
        self.ended = np.zeros(capacity, np.bool_)
        self.truncated = np.zeros(capacity, np.bool_)  # no hand is ever cut short
        self.returns = np.zeros((capacity, seats))
        self.seats: Ints = np.zeros(capacity, np.int64)


class HoldemTables(Tables):
    """The tables of a ``Holdem`` game.

    Attributes:
        hands: the tables' records, dtype ``rules.HAND``, shape ``(capacity,)``; for reading.
    """

    game: Holdem
    state = ("hands",)

    def __init__(self, game: Holdem, capacity: int) -> None:
        super().__init__(game, capacity)
        self.hands = np.zeros(capacity, rules.HAND)
        self.hands["actor"] = rules.OVER
        self._config = game.config

    # -- play ----------------------------------------------------------------------------------

    def begin(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Start an episode at each of ``tables``; see ``Tables.begin``."""
        self.returns[tables] = 0.0
        seeds = np.ascontiguousarray(seeds, np.uint64)
        _begin(self.hands, self._config, _ints(tables), seeds, self.done, self.returns)

    def deal(
        self,
        tables: Ints,
        *,
        stacks: Array,
        blinds: Array,
        antes: Array,
        decks: Array,
        button: Array | int = -1,
        min_bet: Array | int | None = None,
        big_blind: Array | int | None = None,
    ) -> None:
        """Begin a single hand with everything given, at each of ``n`` tables.

        Args:
            tables: int64 ``(n,)``.
            stacks: chips, int ``(n, seats)``; a seat with none is not dealt in.
            blinds: chips that each seat posts, int ``(n, seats)``, straddles too. A negative one
                is posted live without moving the first to act (a player who buys into the game).
            antes: chips, int ``(n, seats)``; dead money where the game is of ``ante_by=big_blind``.
            decks: cards, int ``(n, 2 * seats + 5)``: the holes of seat 0, 1, …, then the board.
                -1 for a card that nobody knows; a hand with one loses every showdown.
            button: the button's seat, or one a table; by default the last.
            min_bet: the least bet or raise, chips; by default the largest blind or straddle.
            big_blind: the unit of observations and returns, chips; by default ``min_bet``.

        Every array may lack the first axis, and is then used at all tables.
        """
        tables = _ints(tables)
        given = np.zeros(len(tables), rules.HAND)
        seats = self.game.seats
        given["seats"] = seats
        given["button"] = np.asarray(button) % seats
        given["stacks"][:, :seats] = stacks
        given["blinds"][:, :seats] = blinds
        given["antes"][:, :seats] = antes
        given["min_bet"] = np.max(blinds, axis=-1) if min_bet is None else min_bet
        given["big_blind"] = given["min_bet"] if big_blind is None else big_blind
        given["deck"][:, : 2 * seats + 5] = decks
        given["hands"] = 1
        given["dead_antes"] = self._config["dead_antes"][0]
        self.returns[tables] = 0.0
        _deal(self.hands, self._config, tables, given, self.done, self.returns)

    def to_act(self) -> tuple[Ints, Ints]:
        """Tables that wait for a decision, and whose."""
        tables = np.flatnonzero(~self.done)
        return tables, self.hands["actor"][tables]

    def observe(self, tables: Ints, seats: Ints) -> Observation:
        """What these seats see, amounts in big blinds; the table of README.md says the parts."""
        view = observation.View(len(tables), self.game.seats)
        self.observe_into(view, tables, seats)
        return view.parts

    def observe_into(self, view: observation.View, tables: Ints, seats: Ints) -> None:
        """Write these seats' observations into the first rows of a view that is used again."""
        _observe(self.hands, _ints(tables), _ints(seats), view.codes, view.amounts)

    def action_mask(self, tables: Ints, seats: Ints) -> NDArray[np.bool_]:
        """Legal menu actions, bool ``(n, actions)``; none for a seat that is not to act."""
        mask = np.zeros((len(tables), len(self.game.menu) + 3), np.bool_)
        self.mask_into(mask, tables, seats)
        return mask

    def mask_into(self, mask: NDArray[np.bool_], tables: Ints, seats: Ints) -> None:
        """Write the masks of seats that are to act into the first rows of ``mask``."""
        _mask(self.hands, self._config, _ints(tables), _ints(seats), mask)

    def legal(self, tables: Ints, seats: Ints, actions: Array) -> NDArray[np.bool_]:
        """Whether each action, of the menu or an exact amount, may be taken, bool ``(n,)``."""
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu" or actions.ndim != 1:
            return np.zeros(len(tables), np.bool_)
        legal: NDArray[np.bool_] = _legal(
            self.hands, self._config, _ints(tables), _ints(seats), _ints(actions)
        )
        return legal

    def raise_bounds(self, tables: Ints) -> NDArray[np.int64]:
        """The least and the most chips that the actors may bet or raise to, int64 ``(n, 2)``.

        Totals for the street; zeros where no raise is allowed.
        """
        bounds = [self.hands[name][tables] for name in ("min_raise", "max_raise")]
        return np.stack(bounds, axis=1)

    def step(self, tables: Ints, seats: Ints, actions: Array) -> None:
        """Take one legal action at each table; ValueError where one is not, the others are."""
        illegal = _step(
            self.hands, self._config, _ints(tables), _ints(actions), self.done, self.returns
        )
        if illegal >= 0:
            raise ValueError(
                f"action {actions[illegal]} is not legal at table {tables[illegal]} "
                f"for seat {seats[illegal]}"
            )

    def advance(
        self, tables: Ints, seats: Ints, actions: Array, seeds: NDArray[np.uint64]
    ) -> Advanced:
        """See ``Tables.advance``. Where every table is stepped, in order, one pass does it all.

        Raises ValueError where an action is not legal; the others are taken.
        """
        dense = self._dense
        if not (tables is dense.every or np.array_equal(tables, dense.every)):
            return super().advance(tables, seats, actions, seeds)
        actions = _ints(actions)
        fault = _advance(
            self.hands,
            self._config,
            _ints(seats),
            actions,
            np.ascontiguousarray(seeds, np.uint64),
            dense.ended,
            dense.returns,
            dense.seats,
            dense.view.codes,
            dense.view.amounts,
            dense.mask,
        )
        if fault >= 0:
            raise ValueError(f"action {actions[fault]} is not legal at table {fault}")
        if fault < -1:
            raise InputError(f"{self.game.name}: {UNASKED}")
        turns = Turns(self, dense.every, dense.seats)
        turns.observation, turns.action_mask = dense.view.parts, dense.mask
        return Advanced(dense.ended, dense.returns, dense.truncated, turns)

    @cached_property
    def _dense(self) -> _Dense:
        return _Dense(self.capacity, self.game.seats, len(self.game.menu) + 3)

    def forfeit(self, tables: Ints, seats: Ints) -> None:
        """These actors fold, now and in all hands of the episode that are to come."""
        _forfeit(self.hands, self._config, _ints(tables), self.done, self.returns)

    def redeal(self, tables: Ints, seats: Ints, seeds: NDArray[np.uint64]) -> None:
        """The others' cards, the board to come and all later hands; see ``Tables.redeal``.

        Cards that are given as unknown are drawn too.
        """
        seeds = np.ascontiguousarray(seeds, np.uint64)
        _redeal(self.hands, _ints(tables), _ints(seats), seeds)

    # -- words and pictures --------------------------------------------------------------------

    def facts(self, table: int, seat: int) -> dict[str, Any]:
        """What the seat knows, by name; see ``arena.envs.holdem.text.facts``."""
        return text.facts(self, table, seat)

    def text(self, table: int, seat: int) -> str:
        """The seat's observation in words; see ``arena.envs.holdem.text``."""
        return text.observation(text.facts(self, table, seat))

    def words(self, table: int, seat: int) -> Sequence[str]:
        """The menu's legal actions in words; see ``arena.envs.holdem.text``."""
        return text.words(self, table, seat)

    def parse(self, table: int, seat: int, answer: str) -> int:
        """The action that ``answer`` names; see ``arena.envs.holdem.text``."""
        return text.parse(self, table, seat, answer)

    def describe(self, table: int, seat: int, action: Any) -> str:
        """A legal action in words; see ``arena.envs.holdem.text``."""
        return text.describe(self, table, seat, action)

    def why_not(self, table: int, seat: int, action: Any) -> str | None:
        """See ``Tables``; of a number it says what is wrong with it."""
        reason = super().why_not(table, seat, action)
        if reason is None or not isinstance(action, int | np.integer):
            return reason
        return text.why_not(self, table, seat, int(action))

    def picture(self, table: int, seat: int) -> NDArray[np.uint8]:
        """See ``arena.envs.holdem.picture``."""
        from arena.envs.holdem import picture

        return picture.picture(self.frame(table, seat))

    def frame(self, table: int, seat: int | None = None) -> dict[str, Any]:
        """The table as JSON-able values; see ``arena.envs.holdem.frames``."""
        return frames.frame(self, table, seat)

    def story(
        self, table: int, before: Mapping[str, Any] | None, names: Sequence[str]
    ) -> Iterable[str]:
        """Cards, streets and showdowns; see ``arena.envs.holdem.story``."""
        return story.story(self.frame(table), before, names)


def _ints(values: Array) -> Ints:
    return np.ascontiguousarray(values, np.int64)
