"""Changes to good inputs: of values by their structure, of words by their kind, of bytes."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
import sqlite3
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

Dice = np.random.Generator

ODD_NUMBERS = [
    "0", "-1", "1", "2", "-2", "7", "255", "256", "65536", "1e3", "0.5", "-0.5", "1e-9", "1e308",
    "2147483647", "2147483648", "1099511627776", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "99999999999999999999999", "9" * 400, "inf", "-inf", "nan", "1_0", "+1",
    "007", "0x10", "٥", "５", "6.5", "1e99999", "",
]  # fmt: skip
ODD_WORDS = [
    "", " ", "null", "true", "no", "~", "a" * 300, "\x1b[31m", "\u202e", "é", "\ufeff", "..", "/",
    "?", ":", "|", "#", "'", '"', "[", "{", "x=1", "&a", "*a", "!!python/object:os.system", "%s",
    "\ud7ff", "𝔘", "kind", "name",
]  # fmt: skip
ODD_FLOATS = [
    b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff" * 4, b"\xff\xff\x7f\x7f", bytes(4),
    b"\x00\x00\x80\xbf",
]  # fmt: skip
ODD_VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 3, 0.5, -0.5, 1e308, 2**31, 2**40, 2**53, 2**63, 2**64,
    10**30,
    "", "x", "0", [], {}, [None], [[]], {"": 0}, [0] * 50, "y" * 5000,
]  # fmt: skip


def of_value(value: Any, dice: Dice) -> Any:
    """A copy of a JSON value with one to three nodes changed, dropped, doubled or swapped."""
    root = [copy.deepcopy(value)]
    for _ in range(int(dice.integers(1, 4))):
        places = list(_places(root))
        holder, key = places[int(dice.integers(len(places)))]
        _change(holder, key, dice, places)
    return root[0]


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _places(item)


def _change(holder: Any, key: Any, dice: Dice, places: list[Any]) -> None:
    old = holder[key]
    choice = int(dice.integers(8))
    if choice == 0 and isinstance(holder, dict):
        del holder[key]
    elif choice == 1 and isinstance(holder, dict):
        holder[str(pick(ODD_WORDS, dice)) or "new"] = holder.pop(key)
    elif choice == 2 and isinstance(holder, list) and len(places) > 1:
        holder.insert(key, copy.deepcopy(old))
    elif choice == 3 and isinstance(old, str):
        holder[key] = of_text(old, dice)
    elif choice == 4 and isinstance(old, (int, float)):
        holder[key] = old * int(dice.choice([-1, 2, 10, 1000, 10**9]))
    elif choice == 5:
        other, name = places[int(dice.integers(len(places)))]
        holder[key] = copy.deepcopy(other[name]) if name in _keys(other) else None
    elif choice == 6:
        deep: Any = old
        for _ in range(int(dice.choice([1, 3, 70, 260]))):
            deep = [deep]
        holder[key] = deep
    else:
        holder[key] = copy.deepcopy(pick(ODD_VALUES, dice))


def _keys(value: Any) -> Any:
    return value.keys() if isinstance(value, dict) else range(len(value))


_TOKEN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?|\w+|\s+|.", re.DOTALL)


def of_text(text: str, dice: Dice, other: str = "") -> str:
    """The text with one to four tokens or lines changed; ``other`` lends some of its own."""
    for _ in range(int(dice.integers(1, 5))):
        text = (_tokens if dice.random() < 0.7 else _lines)(text, dice, other)
    return text


def _tokens(text: str, dice: Dice, other: str) -> str:
    tokens = _TOKEN.findall(text) or [""]
    at = int(dice.integers(len(tokens)))
    number = [i for i, token in enumerate(tokens) if token.lstrip("+-")[:1].isdigit()]
    if number and dice.random() < 0.5:
        at = pick(number, dice)
        tokens[at] = pick(ODD_NUMBERS, dice)
    else:
        lent = _TOKEN.findall(other or text) or [""]
        tokens[at : at + 1] = pick(
            [[], [tokens[at]] * 2, [pick(ODD_WORDS, dice)], [pick(lent, dice)], ["  "]], dice
        )
    return "".join(tokens)


def _lines(text: str, dice: Dice, other: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    lent = (other or text).splitlines(keepends=True) or [""]
    at = int(dice.integers(len(lines)))
    lines[at : at + 1] = pick(
        [[], [lines[at]] * int(dice.choice([2, 50])), [pick(lent, dice)], [lines[at], "\n"],
         [pick(lines, dice)], ["\r\n"]], dice,
    )  # fmt: skip
    return "".join(lines)


def of_bytes(data: bytes, dice: Dice) -> bytes:
    """The bytes with some changed, cut, inserted or doubled."""
    out = bytearray(data)
    for _ in range(int(dice.integers(1, 6))):
        at = int(dice.integers(len(out) + 1))
        choice = int(dice.integers(5))
        if choice == 0:
            del out[at : at + int(dice.integers(1, 20))]
        elif choice == 1:
            out[at:at] = dice.bytes(int(dice.integers(1, 9)))
        elif choice == 2:
            del out[at:]
        elif choice == 3:
            out[at:at] = out[at : at + int(dice.integers(1, 200))]
        elif at < len(out):
            out[at] ^= 1 << int(dice.integers(8))
    return bytes(out)


def of_tensors(data: bytes, dice: Dice) -> bytes:
    """A safetensors file: its header's structure, names, shapes and types, or its numbers."""
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), bytearray(data[8 + size :])
    name = pick([key for key in header if key != "__metadata__"], dice)
    entry = header[name]
    choice = int(dice.integers(6))
    if choice == 0 and len(body) >= 4:
        at = 4 * int(dice.integers(len(body) // 4))
        body[at : at + 4] = pick(ODD_FLOATS, dice)
    elif choice == 1:
        entry["dtype"] = pick(["F32", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8"], dice)
    elif choice == 2:
        count = int(np.prod(entry["shape"]))
        entry["shape"] = pick([entry["shape"][::-1], [count], [1, count], [count, 1]], dice)
    elif choice == 3:
        other = pick(list(header), dice)
        header[pick(ODD_WORDS, dice) + other] = header.pop(other)
    elif choice == 4:
        other = pick(list(header), dice)
        if other != "__metadata__":
            header[name], header[other] = header[other], entry
    else:
        header = of_value(header, dice)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(body)


def of_zip(data: bytes, dice: Dice) -> bytes:
    """A zip with one of its parts changed, or its bytes."""
    if dice.random() < 0.2:
        return of_bytes(data, dice)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = pick(list(parts), dice)
    if parts[name][:1] == b"{":
        parts[name] = json.dumps(of_value(json.loads(parts[name]), dice)).encode()
    elif parts[name][:2] == b"PK":
        parts[name] = of_zip(parts[name], dice)
    else:
        parts[name] = of_bytes(parts[name], dice)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return made.getvalue()


def of_rows(connection: sqlite3.Connection, dice: Dice) -> None:
    """One cell of one row becomes another value, or the row goes."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    table = pick(sorted(name for (name,) in tables), dice)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    rows = connection.execute(f"SELECT rowid, * FROM {table}").fetchall()
    if not rows:
        return
    number, *cells = pick(rows, dice)
    at = int(dice.integers(len(cells)))
    if dice.random() < 0.1:
        connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (number,))
        return
    with contextlib.suppress(sqlite3.Error):  # what the database refuses by itself
        connection.execute(
            f"UPDATE {table} SET {columns[at]} = ? WHERE rowid = ?",
            (_cell(cells[at], dice), number),
        )


def _cell(old: Any, dice: Dice) -> Any:
    choice = int(dice.integers(4))
    if choice == 0:
        return pick([None, 0, -1, 2**62, 1e308, float("inf"), "", "x", b"", b"\xff" * 9], dice)
    if choice == 1 and isinstance(old, bytes):
        with contextlib.suppress(ValueError):
            return json.dumps(of_value(json.loads(old), dice)).encode()
    if isinstance(old, bytes):
        return of_bytes(old, dice)
    return of_text(old, dice) if isinstance(old, str) else pick([-1, 1, 2, 10**6], dice)


def pick(items: Any, dice: Dice) -> Any:
    """One of the items."""
    return items[int(dice.integers(len(items)))]


Mutation = Callable[[bytes, Dice], bytes]
