"""PHH, the poker hand history format: TOML, one hand a ``.phh`` file, many a ``.phhs`` file.

Kim, "Recording and Describing Poker Hands", IEEE CoG 2024 (arXiv:2312.11753). Of its variants this
reads and writes ``NT``, no-limit Texas hold'em. Heads-up the format lists antes and blinds against
the order of the seats: the small blind first, although ``p1`` is the big blind.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from arena.envs import outside
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.history import CHIPS, Action, HandHistory, Verb, raised

VARIANT = "NT"
ENDLESS = Decimal("inf")  # a stack that covers every other
_FIELDS = {
    "variant", "ante_trimming_status", "antes", "blinds_or_straddles", "min_bet",
    "starting_stacks", "actions", "hand", "players", "finishing_stacks",
}  # fmt: skip


# -- reading ---------------------------------------------------------------------------------------


def loads(text: str, source: str = "text") -> list[HandHistory]:
    """The hands of a ``.phh`` or ``.phhs`` file's text; ``source`` names it in messages.

    Raises InputError, naming source, hand and fault, for what is not TOML, for another variant
    than NT, for a field that is missing or malformed and for an action that is none.
    """
    return [raised(found) for found in readings(text, source)]


def readings(text: str, source: str = "text") -> Iterator[HandHistory | InputError]:
    """Each hand of a text, or why it cannot be read: the others can be, all the same."""
    for where, table in _tables(text, source):
        if isinstance(table, InputError):
            yield table
            continue
        try:
            yield _Reader(table, where).hand()
        except InputError as error:
            yield error


def _tables(text: str, source: str) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """The tables of a text's hands, with what messages call them."""
    try:
        tables = outside.parse_toml(text, source)
    except InputError as error:
        parts = _split(text)
        if not parts:
            yield source, error
        for name, part, first in parts:
            where = f"{source}, hand {name}"
            try:
                yield where, next(iter(outside.parse_toml(part, where, first).values()), {})
            except InputError as fault:
                yield where, fault
        return
    if not tables:
        yield source, InputError(f"{source} holds no hands")
    elif not all(isinstance(table, dict) for table in tables.values()):
        yield source, tables
    else:
        for name, table in tables.items():
            yield f"{source}, hand {name}", table


_HEADER = re.compile(r"^\[([^\[\],=\n]+)\][ \t\r]*$", re.MULTILINE)


def _split(text: str) -> list[tuple[str, str, int]]:
    """The hands of a ``.phhs`` text that is not TOML as a whole: name, text and first line."""
    found = list(_HEADER.finditer(text))
    ends = [header.start() for header in found[1:]] + [len(text)]
    parts, line, at = [], 1, 0
    for header, end in zip(found, ends, strict=False):
        line += text.count("\n", at, header.start())
        at = header.start()
        parts.append((header[1].strip(), text[at:end], line))
    return parts


class _Reader:
    """Reads one hand's table; ``where`` names it in messages."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.where = where
        self.seats = 0
        self.chip = Decimal(1)

    def hand(self) -> HandHistory:
        table = self.table
        if table.get("variant") != VARIANT:
            raise self.fault(
                f"variant {outside.shown(table.get('variant'))} is not {VARIANT!r}, no-limit "
                "hold'em"
            )
        texts = table.get("actions")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self.fault("actions must be a list of strings")
        stacks = self.amounts("starting_stacks", endless=True)
        self.seats = len(stacks)
        if not 2 <= self.seats <= 10:
            raise self.fault(f"starting_stacks lists {self.seats} seats; 2 to 10 can play")
        antes, blinds = self.amounts("antes"), self.amounts("blinds_or_straddles", least=-CHIPS)
        if self.seats == 2:
            antes, blinds = antes[::-1], blinds[::-1]
        min_bet = self.amount(table.get("min_bet"), "min_bet")
        finishing = None
        if "finishing_stacks" in table:
            finishing = self.amounts("finishing_stacks", endless=True)
        read = [self.action(k, text) for k, text in enumerate(texts, 1)]
        actions = [action for action in read if action is not None]
        self.chip = _smallest_unit(
            [*stacks, *antes, *blinds, min_bet, *(finishing or ()), *(a[2] for a in actions)]
        )
        if min_bet <= 0:
            raise self.fault(f"min_bet {min_bet} must be above 0")
        history = HandHistory(
            stacks=self.stacks(stacks, [*antes, *blinds, min_bet, *(a[2] for a in actions)]),
            antes=self.chips(antes, "antes"),
            blinds=self.chips(blinds, "blinds_or_straddles"),
            min_bet=self.chips([min_bet], "min_bet")[0],
            actions=tuple(
                Action(verb, seat, self.chips([total], "actions")[0], dealt)
                for verb, seat, total, dealt in actions
            ),
            finishing=None
            if finishing is None or ENDLESS in finishing
            else self.chips(finishing, "finishing_stacks"),
            players=self.players(),
            number=self.number(),
            trimmed=self.trimmed(),
            chip=self.chip,
            endless=frozenset(seat for seat, stack in enumerate(stacks) if stack == ENDLESS),
            details={name: value for name, value in table.items() if name not in _FIELDS},
            where=self.where,
        )
        return history

    def fault(self, what: str) -> InputError:
        return InputError(f"{self.where}: {what}")

    def amount(self, value: Any, what: str, *, least: int = 0, endless: bool = False) -> Decimal:
        """An amount in the file's own unit."""
        if type(value) is int or isinstance(value, Decimal):
            amount = Decimal(value)
            if endless and amount == ENDLESS:
                return amount
            if amount.is_finite() and least <= amount < CHIPS and _places(amount) <= 12:
                return amount
        value = str(value)[:40] if isinstance(value, (int, Decimal)) else outside.shown(value)
        bound = "" if least else " of 0 or more,"
        raise self.fault(
            f"{what} {value} is not an amount{bound} below 2**40 with at most 12 decimals"
        )

    def amounts(self, field: str, **bounds: Any) -> list[Decimal]:
        """A field that lists one amount a seat."""
        values = self.table.get(field)
        if not isinstance(values, list) or (self.seats and len(values) != self.seats):
            raise self.fault(f"{field} must be a list of {self.seats or '2 to 10'} amounts")
        return [self.amount(value, field, **bounds) for value in values]

    def chips(self, amounts: Sequence[Decimal], what: str) -> tuple[int, ...]:
        """Amounts as whole chips."""
        found = tuple(int(amount / self.chip) for amount in amounts)
        if any(abs(chips) >= CHIPS for chips in found):
            raise self.fault(f"{what} are 2**40 and more of the smallest amounts, {self.chip}")
        return found

    def stacks(self, stacks: Sequence[Decimal], others: Sequence[Decimal]) -> tuple[int, ...]:
        """The stacks in chips: an endless one is more than all that could be bet against it."""
        known = [stack for stack in stacks if stack != ENDLESS]
        cover = Decimal(2) * (sum(known) + sum(abs(amount) for amount in others)) + 1
        found = self.chips(
            [cover if stack == ENDLESS else stack for stack in stacks], "starting_stacks"
        )
        if sum(found) >= CHIPS:
            raise self.fault("starting_stacks add up to 2**40 chips or more")
        return found

    def players(self) -> tuple[str, ...] | None:
        players = self.table.get("players")
        if players is None:
            return None
        if not isinstance(players, list) or len(players) != self.seats:
            raise self.fault(f"players must be a list of {self.seats} names")
        if not all(isinstance(name, str) for name in players):
            raise self.fault("players must be a list of names in quotes")
        return tuple(players)

    def number(self) -> int | str | None:
        number = self.table.get("hand")
        if number is None or isinstance(number, str):
            return number
        if type(number) is int and abs(number) < 2**63:
            return number
        raise self.fault(f"hand {outside.shown(number)} is not a whole number")

    def trimmed(self) -> bool:
        trimmed = self.table.get("ante_trimming_status", False)
        if not isinstance(trimmed, bool):
            raise self.fault("ante_trimming_status must be true or false")
        return trimmed

    def action(self, k: int, text: str) -> tuple[Verb, int, Decimal, tuple[int, ...]] | None:
        """The ``k``-th action's parts; None for a comment that stands alone."""
        nothing = Decimal(0)
        match text.partition("#")[0].split():
            case []:
                return None
            case ["d", "db", names]:
                return "board", -1, nothing, self.cards(names, k)
            case ["d", "dh", player, names]:
                return "hole", self.seat(player, k, text), nothing, self.cards(names, k)
            case [player, "f"]:
                return "fold", self.seat(player, k, text), nothing, ()
            case [player, "cc"]:
                return "call", self.seat(player, k, text), nothing, ()
            case [player, "cbr", amount]:
                return "raise", self.seat(player, k, text), self.total(amount, k), ()
            case [player, "sm"]:
                return "muck", self.seat(player, k, text), nothing, ()
            case [player, "sm", "-"]:
                return "show", self.seat(player, k, text), nothing, ()
            case [player, "sm", names]:
                return "show", self.seat(player, k, text), nothing, self.cards(names, k)
        raise self.fault(f"action {k}, {outside.shown(text)}, is none of no-limit hold'em")

    def total(self, text: str, k: int) -> Decimal:
        """The amount of a raise, which may be below all that can be raised to, as written."""
        if not _AMOUNT.fullmatch(text):
            raise self.fault(f"action {k}: {text[:40]!r} is not an amount")
        return self.amount(Decimal(text), f"action {k}:", least=-CHIPS)

    def seat(self, player: str, k: int, text: str) -> int:
        number = outside.as_whole(player[1:]) if player[:1] == "p" else None
        if number is not None and 1 <= number <= self.seats:
            return number - 1
        raise self.fault(
            f"action {k}, {outside.shown(text)}, names no player; p1 to p{self.seats} play"
        )

    def cards(self, names: str, k: int) -> tuple[int, ...]:
        try:
            return tuple(cards.parse(names))
        except InputError as error:
            raise self.fault(f"action {k}: {error}") from None


def _smallest_unit(amounts: Iterable[Decimal]) -> Decimal:
    """1, or the power of ten of which all amounts of a hand with decimals are multiples."""
    most = max((_places(value.normalize()) for value in amounts if value.is_finite()), default=0)
    return Decimal(1).scaleb(-max(most, 0))


def _places(amount: Decimal) -> int:
    """How many decimals an amount is written with."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)  # it is finite
    return -exponent


_AMOUNT = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?")


# -- writing ---------------------------------------------------------------------------------------


def dumps(hand: HandHistory) -> str:
    """One hand as the text of a ``.phh`` file."""
    turn = -1 if len(hand.stacks) == 2 else 1
    fields: dict[str, Any] = {
        "variant": VARIANT,
        "ante_trimming_status": hand.trimmed,
        "antes": _amounts(hand, hand.antes[::turn]),
        "blinds_or_straddles": _amounts(hand, hand.blinds[::turn]),
        "min_bet": hand.min_bet * hand.chip,
        "starting_stacks": [
            ENDLESS if seat in hand.endless else stack
            for seat, stack in enumerate(_amounts(hand, hand.stacks))
        ],
        "actions": [_action_text(hand, action) for action in hand.actions],
        "hand": hand.number,
        "players": None if hand.players is None else list(hand.players),
        "finishing_stacks": None if hand.finishing is None else _amounts(hand, hand.finishing),
        **hand.details,
    }
    lines = [f"{_key(k)} = {_value(v)}" for k, v in fields.items() if v is not None]
    return "\n".join(lines) + "\n"


def dumps_all(hands: Iterable[HandHistory]) -> str:
    """Hands as the text of a ``.phhs`` file."""
    return "\n".join(f"[{i}]\n{dumps(hand)}" for i, hand in enumerate(hands, 1))


def _amounts(hand: HandHistory, chips: Iterable[int]) -> list[Decimal]:
    return [number * hand.chip for number in chips]


def _action_text(hand: HandHistory, action: Action) -> str:
    player = f"p{action.seat + 1}"
    match action.verb:
        case "hole":
            return f"d dh {player} {cards.names(action.cards)}"
        case "board":
            return f"d db {cards.names(action.cards)}"
        case "fold":
            return f"{player} f"
        case "call":
            return f"{player} cc"
        case "raise":
            return f"{player} cbr {action.amount * hand.chip}"
        case "show":
            return f"{player} sm {cards.names(action.cards) or '-'}"
        case "muck":
            return f"{player} sm"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        if re.fullmatch(r"[^'\x00-\x1f\x7f]*", value):
            return f"'{value}'"
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Decimal) and not value.is_finite():
        return "nan" if value.is_nan() else "inf" if value > 0 else "-inf"
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    return str(value)
