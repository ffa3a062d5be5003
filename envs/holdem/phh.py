"""PHH, the poker hand history format: TOML, one hand a ``.phh`` file, many a ``.phhs`` file.

Kim, "Recording and Describing Poker Hands", IEEE CoG 2024 (arXiv:2312.11753). Of its variants this
reads and writes ``NT``, no-limit Texas hold'em. Heads-up the format lists antes and blinds against
the order of the seats: the small blind first, although ``p1`` is the big blind.
"""

from __future__ import annotations

import datetime
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.history import Action, HandHistory

VARIANT = "NT"
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
    try:
        tables = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}{_hand_at(text, str(error))} is not TOML: {error}") from None
    if not tables:
        raise InputError(f"{source} holds no hands")
    if not all(isinstance(table, dict) for table in tables.values()):
        return [_Reader(tables, source).hand()]
    return [_Reader(table, f"{source}, hand {name}").hand() for name, table in tables.items()]


def _hand_at(text: str, message: str) -> str:
    """Which hand of a ``.phhs`` text an error message's line belongs to, as words."""
    line = re.search(r"line (\d+)", message)
    lines = text.splitlines()[: int(line[1]) if line else None]
    headers = [text for text in lines if re.fullmatch(r"\[[^\[\],=]+\]\s*", text)]
    return f", hand {headers[-1].strip()[1:-1]}," if headers else ""


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
                f"variant {table.get('variant')!r} is not {VARIANT!r}, no-limit hold'em"
            )
        texts = table.get("actions")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise self.fault("actions must be a list of strings")
        self.chip = _smallest_unit(table, texts)
        stacks = self.amounts("starting_stacks")
        self.seats = len(stacks)
        if not 2 <= self.seats <= 10:
            raise self.fault(f"starting_stacks lists {self.seats} seats; 2 to 10 can play")
        antes, blinds = self.amounts("antes"), self.amounts("blinds_or_straddles")
        if self.seats == 2:
            antes, blinds = antes[::-1], blinds[::-1]
        players = table.get("players")
        if players is not None and (not isinstance(players, list) or len(players) != self.seats):
            raise self.fault(f"players must be a list of {self.seats} names")
        actions = (self.action(k, text) for k, text in enumerate(texts, 1))
        return HandHistory(
            stacks=stacks,
            antes=antes,
            blinds=blinds,
            min_bet=self.chips(table.get("min_bet"), "min_bet"),
            actions=tuple(action for action in actions if action is not None),
            finishing=self.amounts("finishing_stacks") if "finishing_stacks" in table else None,
            players=None if players is None else tuple(map(str, players)),
            number=table.get("hand"),
            trimmed=bool(table.get("ante_trimming_status", False)),
            chip=self.chip,
            details={name: value for name, value in table.items() if name not in _FIELDS},
            where=self.where,
        )

    def fault(self, what: str) -> InputError:
        return InputError(f"{self.where}: {what}")

    def chips(self, value: Any, what: str) -> int:
        """An amount as whole chips."""
        if type(value) is int and self.chip == 1:
            return value
        if type(value) is int or (isinstance(value, Decimal) and value.is_finite()):
            return int(value / self.chip)
        raise self.fault(f"{what} {value!r} is not an amount")

    def amounts(self, field: str) -> tuple[int, ...]:
        """A field that lists one amount a seat."""
        values = self.table.get(field)
        if not isinstance(values, list) or (self.seats and len(values) != self.seats):
            raise self.fault(f"{field} must be a list of {self.seats or '2 to 10'} amounts")
        return tuple(self.chips(value, field) for value in values)

    def action(self, k: int, text: str) -> Action | None:
        """The ``k``-th action; None for a comment that stands alone."""
        match text.partition("#")[0].split():
            case []:
                return None
            case ["d", "db", names]:
                return Action("board", -1, 0, self.cards(names, k))
            case ["d", "dh", player, names]:
                return Action("hole", self.seat(player, k, text), 0, self.cards(names, k))
            case [player, "f"]:
                return Action("fold", self.seat(player, k, text))
            case [player, "cc"]:
                return Action("call", self.seat(player, k, text))
            case [player, "cbr", amount]:
                try:
                    total = int(amount) if amount.isdecimal() else Decimal(amount)
                except InvalidOperation:
                    raise self.fault(f"action {k}: {amount!r} is not an amount") from None
                return Action(
                    "raise", self.seat(player, k, text), self.chips(total, f"action {k}: ")
                )
            case [player, "sm"]:
                return Action("muck", self.seat(player, k, text))
            case [player, "sm", "-"]:
                return Action("show", self.seat(player, k, text))
            case [player, "sm", names]:
                return Action("show", self.seat(player, k, text), 0, self.cards(names, k))
        raise self.fault(f"action {k}, {text!r}, is none of no-limit hold'em")

    def seat(self, player: str, k: int, text: str) -> int:
        if player[:1] == "p" and player[1:].isdecimal() and 1 <= int(player[1:]) <= self.seats:
            return int(player[1:]) - 1
        raise self.fault(f"action {k}, {text!r}, names no player; p1 to p{self.seats} play")

    def cards(self, names: str, k: int) -> tuple[int, ...]:
        try:
            return tuple(cards.parse(names))
        except InputError as error:
            raise self.fault(f"action {k}: {error}") from None


def _smallest_unit(table: Mapping[str, Any], actions: list[str]) -> Decimal:
    """1, or the power of ten of which all amounts of a hand with decimals are multiples."""
    amounts = [
        value
        for field in ("antes", "blinds_or_straddles", "starting_stacks", "finishing_stacks")
        if isinstance(table.get(field), list)
        for value in table[field]
    ]
    amounts.append(table.get("min_bet"))
    decimals = [value for value in amounts if isinstance(value, Decimal) and value.is_finite()]
    decimals += [Decimal(amount) for text in actions for amount in _RAISE.findall(text)]
    places = [value.normalize().as_tuple().exponent for value in decimals]
    return Decimal(1).scaleb(min([0, *(p for p in places if isinstance(p, int))]))


_RAISE = re.compile(r" cbr (\d+\.\d+)")


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
        "starting_stacks": _amounts(hand, hand.stacks),
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
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    return str(value)
