"""Does a game keep the contract of ``arena.envs.game``? The check that third parties run.

``check_game`` plays seeded random episodes several ways (all tables at once; in other slots, begun
at other times and stepped in parts; one after the other in a single slot; with forfeits) and
compares what happened, beside checking every turn by itself. It finds what breaks a league: state
that leaks between tables, randomness that does not come from the seed, masks that disagree with
``legal``, words that do not read back, frames that are no JSON.

What a game offers beside (``Game.offers``) is checked as well. Where its tables have ``redeal``,
nothing that a seat is shown may change by it, and equal seeds must imagine equal tables for states
that differ only in what is hidden: so a game that hides something has proof that it does.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NoReturn

import gymnasium
import numpy as np
import orjson
from numpy.typing import NDArray

from arena.envs import seeding
from arena.envs.conformance_parts import any_legal, check_parts
from arena.envs.errors import InputError, NotConforming
from arena.envs.game import Game, Ints, Tables, Turns

_ODD_ANSWERS = ("", "?", "no such action", "0 or 1", "\n", "fold call check raise all-in")


@dataclass(frozen=True)
class Checked:
    """What a check has covered: decisions taken, and how many of the episodes came to an end."""

    decisions: int
    episodes: int
    ended: int


def check_game(game: Game, *, tables: int = 4, limit: int = 300, seed: int = 0) -> Checked:
    """Play ``game`` at random in every way that a league does, and check all that is shown.

    Args:
        game: the game, configured.
        tables: how many episodes are compared.
        limit: decisions of a seat at a table, after which an episode is cut off unfinished.
        seed: of the tables' seeds and of the random play.

    Raises:
        NotConforming: with a sentence that names what is wrong and where.
    """
    _check_facts(game)
    seeds = np.array([seeding.derive(seed, "table", i) for i in range(tables)], np.uint64)
    slots = np.arange(tables)
    together = _Play(game, tables, limit)
    together.check_idle()
    together.run(slots, seeds, render=True)

    elsewhere = _Play(game, 2 * tables + 1, limit)
    elsewhere.run(2 * slots[::-1] + 1, seeds, stagger=3, partial=True)
    _compare(game, together, elsewhere, "in another slot, begun later and stepped in parts")

    alone = _Play(game, 1, limit)
    for one in seeds:
        alone.run(np.zeros(1, np.int64), np.array([one]))
    _compare(game, together, alone, "alone, in a slot used before")

    once, twice = _Play(game, tables, limit), _Play(game, tables, limit)
    for play in (once, twice):
        play.run(slots, seeds, forfeit=lambda count, draw: count > 1 and draw < 0.2)
    _compare(game, once, twice, "a second time, with the same forfeits")
    _Play(game, tables, limit).run(slots, seeds, forfeit=lambda count, draw: True, must_end=True)

    if "redeal" in game.offers:
        _Play(game, tables, limit).run(slots, seeds, redeal=True)
    check_parts(game, seeds)
    ended = sum(history.ended for history in together.histories.values())
    return Checked(together.decisions, tables, ended)


def _check_facts(game: Game) -> None:
    facts = [
        (isinstance(getattr(game, "name", None), str), "name must be a string"),
        (isinstance(getattr(game, "version", None), int), "version must be a whole number"),
        (isinstance(game.seats, int) and game.seats > 0, "seats must be a number above 0"),
        (isinstance(game.action_space, gymnasium.Space), "action_space must be a space"),
        (
            isinstance(game.observation_space, gymnasium.spaces.Dict),
            "observation_space must be a Dict space",
        ),
    ]
    for holds, sentence in facts:
        if not holds:
            raise NotConforming(f"{type(game).__name__}: {sentence}")
    space = game.action_space
    if isinstance(space, gymnasium.spaces.Discrete) and space.start != 0:
        raise NotConforming(f"{game.name}: a Discrete action space must start at 0")


@dataclass
class _History:
    """What happened at one table, decision by decision."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)
    frames: dict[int, bytes] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)
    returns: bytes = b""
    ended: bool = False


def _write_into(*arrays: NDArray[Any] | None) -> None:
    """As a player may that reuses the memory of what it was shown: it must be its own."""
    for array in arrays:
        if isinstance(array, np.ndarray) and array.flags.writeable:
            array[...] = np.zeros((), array.dtype)


class _Play:
    """A driver that chooses each action by the table's seed, the seat and its decision's number."""

    def __init__(self, game: Game, capacity: int, limit: int) -> None:
        self.game, self.limit = game, limit
        self.tables: Tables = game.tables(capacity)
        self.space = deepcopy(game.action_space)
        self.histories: dict[int, _History] = {}
        self.decisions = 0

    def check_idle(self) -> None:
        """Tables at which nothing has begun ask nobody."""
        tables = self.tables
        shape = (tables.capacity, self.game.seats)
        if tables.done.shape != shape[:1] or not tables.done.all():
            raise NotConforming(f"{self.game.name}: done must be True at every idle table")
        if tables.truncated.shape != shape[:1]:
            raise NotConforming(f"{self.game.name}: truncated must have shape {shape[:1]}")
        if tables.returns.shape != shape or tables.tiebreaks.shape != shape:
            raise NotConforming(f"{self.game.name}: returns and tiebreaks must have shape {shape}")
        if len(tables.to_act()[0]):
            raise NotConforming(f"{self.game.name}: an idle table asks for a decision")

    def run(
        self,
        slots: Ints,
        seeds: NDArray[np.uint64],
        *,
        render: bool = False,
        stagger: int = 0,
        partial: bool = False,
        redeal: bool = False,
        forfeit: Callable[[int, float], bool] | None = None,
        must_end: bool = False,
    ) -> None:
        """Begin a table with ``seeds[i]`` at ``slots[i]`` and play all of them to their ends.

        ``stagger`` rounds lie between the beginnings; ``partial``: each round steps only some of
        the tables; ``forfeit(decision number, uniform)`` says where a seat forfeits.
        """
        self.slots = dict(zip(slots.tolist(), seeds.tolist(), strict=True))
        waiting = [(i * stagger, int(slots[i])) for i in range(len(slots))]
        live: set[int] = set()
        for turn in range(2 * self.limit * self.game.seats + stagger * len(slots)):
            due = [slot for at, slot in waiting if at <= turn]
            waiting = [(at, slot) for at, slot in waiting if at > turn]
            if due:
                self._begin(due)
                live |= set(due)
            turns = self._turns(live)
            self._finish(live)
            live -= {slot for slot in live if self._history(slot).ended or self._long(slot)}
            if not live and not waiting:
                break
            keep = np.isin(turns.tables, list(live))
            if partial and len(live) > 1:
                keep &= (turns.tables + turn) % 3 != 0
            if keep.any():
                self._round(turns.select(keep), render, redeal, forfeit)
        else:
            if must_end:
                self._refuse(min(live), "goes on although every seat forfeits")

    def _long(self, slot: int) -> bool:
        return max(self._history(slot).counts.values(), default=0) >= self.limit

    def _begin(self, due: list[int]) -> None:
        seeds = [self.slots[slot] for slot in due]
        for seed in seeds:
            self.histories[seed] = _History()
        self.tables.begin(np.array(due, np.int64), np.array(seeds, np.uint64))

    def _history(self, slot: int) -> _History:
        return self.histories[self.slots[slot]]

    def _turns(self, live: set[int]) -> Turns:
        """Who is to act, checked against who has begun and who is done."""
        tables, seats = self.tables.to_act()
        pairs = list(zip(tables.tolist(), seats.tolist(), strict=True))
        if len(set(pairs)) < len(pairs) or np.any(np.diff(tables) < 0):
            raise NotConforming(f"{self.game.name}: to_act repeats a turn or is not ordered")
        for slot, seat in pairs:
            if not 0 <= seat < self.game.seats:
                self._refuse(slot, f"asks seat {seat} of {self.game.seats}")
            if self.tables.done[slot]:
                self._refuse(slot, f"is done and still asks seat {seat}")
            if slot in live and seat in self._history(slot).out:
                self._refuse(slot, f"asks seat {seat}, which has forfeited")
        asked = set(tables.tolist())
        for slot in live - asked:
            if not self.tables.done[slot]:
                self._refuse(slot, "is not done and asks nobody")
        return Turns(self.tables, tables, seats)

    def _finish(self, live: set[int]) -> None:
        for slot in live:
            history = self._history(slot)
            if not np.isfinite(self.tables.returns[slot]).all():
                self._refuse(slot, f"has returns that are no numbers: {self.tables.returns[slot]}")
            if self.tables.truncated[slot] and not self.tables.done[slot]:
                self._refuse(slot, "is truncated and not done")
            if self.tables.done[slot]:
                history.ended = True
                history.frames[-1] = self._frame(slot, None)
                history.returns = (
                    self.tables.returns[slot].tobytes() + self.tables.tiebreaks[slot].tobytes()
                )

    def _round(
        self,
        turns: Turns,
        render: bool,
        redeal: bool,
        forfeit: Callable[[int, float], bool] | None,
    ) -> None:
        n = len(turns)
        histories = [self._history(slot) for slot in turns.tables.tolist()]
        counts = np.array(
            [h.counts.get(seat, 0) for h, seat in zip(histories, turns.seats.tolist(), strict=True)]
        )
        bases = np.array(
            [
                seeding.derive(self.slots[slot], "seat", seat)
                for slot, seat in zip(turns.tables.tolist(), turns.seats.tolist(), strict=True)
            ],
            np.uint64,
        )
        turns.seeds = seeding.spread(bases, counts)
        draws = turns.uniforms(2)
        rows = self._observations(turns)
        actions = self._actions(turns, draws[:, 0])
        masks = turns.action_mask
        for row in range(n):
            slot, seat, history = int(turns.tables[row]), int(turns.seats[row]), histories[row]
            number = len(history.seen)
            shown = counts[row] < 6 or counts[row] % 37 == 0
            if shown and (self.game.seats <= 9 or seat == counts[row] % self.game.seats):
                history.frames[number] = self._frame(slot, None) + self._frame(slot, seat)
                if render:
                    self._check_words(turns, row, actions[row])
                if redeal:
                    self._check_hidden(slot, seat, int(turns.seeds[row]))
            mask = b"" if masks is None else masks[row].tobytes()
            history.seen.append((seat, rows[row], mask, np.asarray(actions[row]).tobytes()))
            history.counts[seat] = int(counts[row]) + 1
        out = np.zeros(n, np.bool_)
        if forfeit is not None:
            out = np.array([forfeit(int(counts[row]), draws[row, 1]) for row in range(n)])
        for row in np.flatnonzero(out).tolist():
            histories[row].out.add(int(turns.seats[row]))
        self.decisions += n
        if out.any():
            self.tables.forfeit(turns.tables[out], turns.seats[out])
        if not out.all():
            self.tables.step(turns.tables[~out], turns.seats[~out], actions[~out])

    # -- what is checked at a turn --------------------------------------------------------------

    def _observations(self, turns: Turns) -> list[bytes]:
        """Each turn's observation as bytes, after the check that its space contains it."""
        spaces = self.game.observation_space
        observation = turns.observation
        if set(observation) != set(spaces):
            self._refuse(
                int(turns.tables[0]),
                f"shows {sorted(observation)} where its space has {sorted(spaces)}",
            )
        shown = {name: np.array(observation[name]) for name in spaces}
        _write_into(*self.tables.observe(turns.tables, turns.seats).values())
        again = self.tables.observe(turns.tables, turns.seats)
        rows = [b""] * len(turns)
        for name, space in spaces.items():
            array = shown[name]
            if len(array) != len(turns):
                self._refuse(int(turns.tables[0]), f"shows {len(array)} rows of {name}")
            for row in range(len(turns)):
                value = str(array[row]) if array.dtype.kind == "U" else array[row]
                if not space.contains(value):
                    self._refuse(int(turns.tables[row]), f"shows {name}={value} outside of {space}")
                if np.asarray(again[name][row]).tobytes() != np.asarray(array[row]).tobytes():
                    self._refuse(
                        int(turns.tables[row]),
                        f"shows {name} differently when asked twice, or when a player has written "
                        "into what it was shown",
                    )
                rows[row] += name.encode() + np.asarray(array[row]).tobytes()
        return rows

    def _actions(self, turns: Turns, draws: NDArray[np.float64]) -> NDArray[Any]:
        """A legal action for each turn, after the check that mask and ``legal`` agree."""
        mask, n, first = turns.action_mask, len(turns), int(turns.tables[0])
        discrete = isinstance(self.space, gymnasium.spaces.Discrete)
        if (mask is not None) != discrete:
            self._refuse(first, "must have a mask if its action space is Discrete, and only then")
        for odd in (np.full(n, None), np.full(n, np.nan), np.full(n, "x"), np.zeros((n, 7, 7, 7))):
            if self._legal(turns, odd).any():
                self._refuse(first, f"calls the action {odd[0]} legal")
        if mask is not None:
            self._check_mask(turns, mask, draws)
        actions = any_legal(self.space, mask, draws)
        for row in np.flatnonzero(~self._legal(turns, actions)).tolist():
            self._refuse(int(turns.tables[row]), f"calls {actions[row]} of its space illegal")
        return actions

    def _check_mask(
        self, turns: Turns, mask: NDArray[np.bool_], draws: NDArray[np.float64]
    ) -> None:
        n, size = len(turns), int(self.space.n)  # type: ignore[attr-defined]
        _write_into(self.tables.action_mask(turns.tables, turns.seats))
        if mask.shape != (n, size) or mask.dtype != np.bool_:
            self._refuse(int(turns.tables[0]), f"must have a mask of bool ({n}, {size})")
        for row in np.flatnonzero(~mask.any(axis=1)).tolist():
            self._refuse(int(turns.tables[row]), "asks for a decision and allows none")
        some = range(size) if size <= 32 else np.unique((draws * size).astype(np.int64)).tolist()
        for action in some:
            if not np.array_equal(self._legal(turns, np.full(n, action)), mask[:, action]):
                self._refuse(int(turns.tables[0]), f"has a mask that is not legal() at {action}")
        if self._legal(turns, np.full(n, -1)).any() or self._legal(turns, np.full(n, size)).any():
            self._refuse(int(turns.tables[0]), f"allows an action outside of 0 … {size - 1}")

    def _legal(self, turns: Turns, actions: NDArray[Any]) -> NDArray[np.bool_]:
        try:
            legal = self.tables.legal(turns.tables, turns.seats, actions)
        except Exception as error:
            raise NotConforming(
                f"{self.game.name}: legal({actions[0]!r}) raises {error!r}"
            ) from error
        return np.asarray(legal)

    def _check_words(self, turns: Turns, row: int, action: Any) -> None:
        """Words, ``parse`` and ``describe`` are each other's inverse; anything else is refused."""
        slot, seat = int(turns.tables[row]), int(turns.seats[row])
        tables = self.tables
        self._facts(slot, seat)
        if not isinstance(tables.text(slot, seat), str):
            self._refuse(slot, "must tell its observation as a string")
        words = list(tables.words(slot, seat))
        if not words or len({word.casefold() for word in words}) < len(words):
            self._refuse(slot, f"must name each legal action once, not {words}")
        for word in words:
            read = tables.parse(slot, seat, word)
            if tables.describe(slot, seat, read) != word:
                self._refuse(slot, f"reads {word!r} as {tables.describe(slot, seat, read)!r}")
            if not self._legal(turns.select(np.array([row])), np.array([read])).all():
                self._refuse(slot, f"names {word!r}, which is illegal")
        self._check_reasons(turns, row, action)
        told = tables.describe(slot, seat, action)
        if not np.array_equal(tables.parse(slot, seat, told), action):
            self._refuse(slot, f"describes {action} as {told!r} and reads that otherwise")
        mask = turns.action_mask
        if mask is not None and len(words) != mask[row].sum():
            self._refuse(slot, f"names {len(words)} of {mask[row].sum()} legal actions")
        together = [" ".join(words)] if len(words) > 1 else []
        for odd in (*_ODD_ANSWERS, *together):
            if odd.strip().casefold() in {word.casefold() for word in words}:
                continue
            try:
                read = tables.parse(slot, seat, odd)
            except InputError:
                continue
            self._refuse(slot, f"reads the answer {odd!r} as {read}")

    def _check_reasons(self, turns: Turns, row: int, action: Any) -> None:
        """``why_not`` gives a reason where ``legal`` says no, and only there."""
        slot, mask = int(turns.tables[row]), turns.action_mask
        if (reason := turns.why_not(row, action)) is not None:
            self._refuse(slot, f"calls {action} legal and says why it is not: {reason}")
        barred = [] if mask is None else np.flatnonzero(~mask[row])[:2].tolist()
        for odd in (None, "?", *barred):
            if not isinstance(turns.why_not(row, odd), str):
                self._refuse(slot, f"does not say why {odd!r} is not legal")

    def _check_hidden(self, slot: int, seat: int, seed: int) -> None:
        before = self._shown(slot, seat)
        self.tables.redeal(np.array([slot]), np.array([seat]), np.array([seed], np.uint64))
        for name, value in self._shown(slot, seat).items():
            if value != before[name]:
                self._refuse(slot, f"lets seat {seat} see what is hidden from it, by its {name}")

    def _shown(self, slot: int, seat: int) -> dict[str, Any]:
        at = np.array([slot]), np.array([seat])
        mask = self.tables.action_mask(*at)
        return {
            **{name: np.asarray(a).tobytes() for name, a in self.tables.observe(*at).items()},
            "mask": None if mask is None else mask.tobytes(),
            "text": self.tables.text(slot, seat),
            "words": list(self.tables.words(slot, seat)),
            "facts": self._facts(slot, seat),
            "frame": self._frame(slot, seat),
        }

    def _frame(self, slot: int, seat: int | None) -> bytes:
        try:
            return orjson.dumps(self.tables.frame(slot, seat))
        except TypeError as error:
            self._refuse(slot, f"has a frame that is no JSON: {error}")

    def _facts(self, slot: int, seat: int) -> bytes:
        try:
            return orjson.dumps(self.tables.facts(slot, seat))
        except TypeError as error:
            self._refuse(slot, f"has facts that are no JSON: {error}")

    def _refuse(self, slot: int, sentence: str) -> NoReturn:
        seed = self.slots.get(slot)
        history = self.histories.get(seed) if seed is not None else None
        number = 0 if history is None else len(history.seen)
        raise NotConforming(
            f"{self.game.name}: decision {number} of the table begun with seed {seed}: {sentence}"
        )


def _compare(game: Game, first: _Play, second: _Play, how: str) -> None:
    """The histories of two plays of the same seeds agree as far as both go."""
    for seed, one in first.histories.items():
        two = second.histories[seed]
        where = f"{game.name}: the table begun with seed {seed}, played {how},"
        names = ("seat to act", "observation", "mask", "action")
        for number, (a, b) in enumerate(zip(one.seen, two.seen, strict=False)):
            for name, x, y in zip(names, a, b, strict=True):
                if x != y:
                    raise NotConforming(f"{where} has another {name} at decision {number}")
            if (
                number in one.frames
                and number in two.frames
                and (one.frames[number] != two.frames[number])
            ):
                raise NotConforming(f"{where} has another frame at decision {number}")
        if (one.ended, len(one.seen)) != (two.ended, len(two.seen)):
            raise NotConforming(f"{where} has {len(two.seen)} decisions, not {len(one.seen)}")
        if one.returns != two.returns:
            raise NotConforming(f"{where} has other returns or tiebreaks in the end")
        if one.frames.get(-1) != two.frames.get(-1):
            raise NotConforming(f"{where} has another frame in the end")
