"""The door for what comes from outside: files are opened, unpacked, decoded and read here.

A file may be packed, which its last ending tells: ``.gz``, ``.bz2``, ``.xz`` or ``.zst``. Text is
UTF-8, with a byte order mark or without one. What is larger, deeper or longer than a reader can
want is refused before it takes the machine's memory or time. Whatever is wrong is an InputError of
one sentence that names the file, and where it can be told the line and the column.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import math
import re
import reprlib
import tomllib
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Any

import orjson
import yaml
import zstandard

from arena.envs.errors import InputError

MOST_BYTES = 2**28
"""What a file may hold when it is read whole."""

LONGEST_LINE = 2**20
"""Bytes of a line, where a file is read line by line."""

_DEEPEST = 64  # lists and objects within one another
_ALIASED = 10**5  # YAML nodes, each counted as often as it is referred to
_WINDOW = 2**27  # of memory, that unpacking may need
_FREELY, _RATIO = 2**22, 200  # bytes that any packed file may unpack to, and then by its size
_PIECE = 1024  # packed bytes fed at once: no format makes more than 32 MiB of so few

_UNPACKERS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(31),
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lambda: lzma.LZMADecompressor(memlimit=_WINDOW),
    ".zst": lambda: zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(),
}
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: zstandard.ZstdCompressor(level=3).compress(data),
}
PACKED = tuple(_UNPACKERS)
"""The endings of packed files."""


# -- bytes -----------------------------------------------------------------------------------------


def ending(path: Path) -> str:
    """The ending that tells what a file holds, below the one of its packing: ``.phhs``."""
    return Path(path.stem).suffix if path.suffix in PACKED else path.suffix


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a file holds, unpacked; InputError where that is more than ``most`` or unreadable."""
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            return b"".join(_pieces(stream, path.suffix, str(path), size, most))
    except OSError as error:
        raise _unreadable(path, error) from None


def pack(data: bytes, path: Path) -> bytes:
    """What is written to a file of that name: packed as its ending says."""
    return _PACKERS[path.suffix](data) if path.suffix in PACKED else data


def unpack(data: bytes, packing: str, where: str, most: int = MOST_BYTES) -> Iterator[bytes]:
    """Packed bytes (``packing`` is an ending, ``.zst``) unpacked, piece by piece."""
    return _pieces(io.BytesIO(data), packing, where, len(data), most)


def _pieces(stream: IO[bytes], packing: str, where: str, size: int, most: int) -> Iterator[bytes]:
    if packing in PACKED:
        most = min(most, _FREELY + _RATIO * size)
        pieces = _unpacked(stream, packing, where)
    else:
        pieces = iter(lambda: stream.read(2**20), b"")
    left = most
    for piece in pieces:
        left -= len(piece)
        if left < 0:
            raise InputError(f"{where} holds more than the {most:,} bytes that are read of it")
        yield piece


def _unpacked(stream: IO[bytes], packing: str, where: str) -> Iterator[bytes]:
    """A packed stream of one or several parts, each of which must be whole."""
    unpacker = _UNPACKERS[packing]()
    try:
        while data := stream.read(_PIECE):
            while data:
                if unpacker.eof:
                    data = data.lstrip(b"\0")  # parts may be padded
                    if not data:
                        break
                    unpacker = _UNPACKERS[packing]()
                yield unpacker.decompress(data)
                data = unpacker.unused_data if unpacker.eof else b""
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, ValueError) as error:
        raise InputError(f"{where} is not a {packing} file, or is damaged ({error})") from None
    if not unpacker.eof:
        raise InputError(f"{where} is not a whole {packing} file: it is cut short")


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be read: {error.strerror}")


# -- text ------------------------------------------------------------------------------------------


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text in a file, line ends as they are."""
    return decode(read_bytes(path, most), str(path))


def decode(data: bytes, where: str) -> str:
    """UTF-8 as text, without a byte order mark at its beginning."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise InputError(f"{where}, line {line}, column {column}: not UTF-8 text") from None


def read_lines(path: Path, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, numbered from 1, without their line ends.

    They are read as they are asked for: a file may be larger than memory.
    """
    where = str(path)
    try:
        with path.open("rb") as stream:
            pieces = _pieces(stream, path.suffix, where, path.stat().st_size, 2**62)
            for number, line in enumerate(lines(pieces, where, longest), 1):
                if line.strip():
                    text = decode(line, where) if number == 1 else _line(line, where, number)
                    yield number, text.rstrip("\r\n")
    except OSError as error:
        raise _unreadable(path, error) from None


def _line(line: bytes, where: str, number: int) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}, line {number}, column {error.start + 1}: not UTF-8 text"
        ) from None


def lines(pieces: Iterator[bytes], where: str, longest: int = LONGEST_LINE) -> Iterator[bytes]:
    """The lines that the pieces of a file hold, without their line feeds."""
    rest = b""
    number = 1
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for at, line in enumerate([*whole, rest], number):
            if len(line) > longest:
                raise InputError(f"{where}, line {at} has more than {longest:,} bytes")
        number += len(whole)
        yield from whole
    if rest:
        yield rest


def read_rows(path: Path) -> list[list[str]]:
    """The rows of a CSV file, all cells as text."""
    try:
        return list(csv.reader(io.StringIO(read_text(path), newline=""), strict=True))
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file: {error}") from None


def shown(value: Any) -> str:
    """A value from outside as a message shows it: its beginning, on one line."""
    text = reprlib.repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def check_name(name: str, where: str) -> str:
    """``name``; InputError where it is empty, long, or holds what would not be printed as it is."""
    if not name.strip() or len(name) > 500 or not name.isprintable():
        raise InputError(
            f"{where}: {name[:40]!r} is not a name; write 1 to 500 characters that can be printed"
        )
    return name


# -- JSON, TOML, YAML ------------------------------------------------------------------------------


def read_json(path: Path, most: int = 2**24) -> Any:
    """The value in a JSON file."""
    return parse_json(read_text(path, most), str(path))


def parse_json(text: str, where: str) -> Any:
    """The value of a JSON text (RFC 8259: no NaN, no infinity); no object names a field twice."""
    try:
        value = json.loads(
            text, parse_constant=_no_number, parse_float=_float, object_pairs_hook=_object
        )
        deep = _deeper(value)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}, line {error.lineno}, column {error.colno}: not JSON ({error.msg})"
        ) from None
    except ValueError as error:
        raise InputError(f"{where}: not JSON ({error})") from None
    except RecursionError:
        deep = True
    if deep:
        raise InputError(f"{where}: lists and objects lie more than {_DEEPEST} deep")
    return value


def parse_record(line: bytes | bytearray | str, where: str) -> Any:
    """The JSON value of a log's line or a server's answer, ten times as fast as ``parse_json``.

    Of a name that is given twice the last counts.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error})") from None
    opened = ("[", "{") if isinstance(line, str) else (b"[", b"{")
    if sum(map(line.count, opened)) > _DEEPEST and _deeper(value):  # type: ignore[arg-type]
        raise InputError(f"{where}: lists and objects lie more than {_DEEPEST} deep")
    return value


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number")


def _float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text[:40])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the name {twice[:40]!r} is given twice in an object")
    return found


_DOTTED = re.compile(rf"""(?<![\w"'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{_DEEPEST}}}""")
_PLACE = re.compile(r"(.*) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)")


def parse_toml(text: str, where: str, first: int = 1) -> dict[str, Any]:
    """The table of a TOML text; numbers that are not whole are exact Decimals.

    ``first`` is the number of the text's first line in its file.
    """
    if dotted := _DOTTED.search(text):  # the parser takes time by the square of a key's parts
        line = text.count("\n", 0, dotted.start()) + first
        raise InputError(f"{where}, line {line}: a name has more than {_DEEPEST} parts")
    try:
        table = tomllib.loads(text, parse_float=_decimal)
        deep = _deeper(table, _in_64_bits)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        placed = _PLACE.fullmatch(str(error))
        if placed is None:
            raise InputError(f"{where}: not TOML ({error})") from None
        ended = text.count("\n") + 1, len(text) - text.rfind("\n")
        line, column = (int(placed[2]), int(placed[3])) if placed[2] else ended
        raise InputError(
            f"{where}, line {line + first - 1}, column {column}: not TOML ({placed[1]})"
        ) from None
    except RecursionError:
        deep = True
    if deep:
        raise InputError(f"{where}: lists and tables lie more than {_DEEPEST} deep")
    return table


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is not a number") from None


def _in_64_bits(value: Any) -> None:
    if type(value) is int and abs(value) >= 2**63:
        raise ValueError("a whole number is beyond 64 bits")


def _deeper(value: Any, check: Callable[[Any], None] = lambda _: None) -> bool:
    """Whether lists and objects lie deeper than may be; ``check`` sees all else that is in them."""
    level = [value]
    for _ in range(_DEEPEST + 1):
        holders = [one for one in level if isinstance(one, (dict, list))]
        for one in level:
            if not isinstance(one, (dict, list)):
                check(one)
        if not holders:
            return False
        level = [
            item for one in holders for item in (one.values() if isinstance(one, dict) else one)
        ]
    return True


def parse_yaml(text: str, where: str) -> Any:
    """The value of a YAML text: mappings, lists, and every scalar as the text that it is written.

    So ``no``, ``010`` and ``1:30`` stay names; who wants a number reads it as one. No mapping names
    a field twice, and aliases stand for no more nodes than a file could hold.
    """
    if len(text) > 2**20:
        raise InputError(f"{where} is longer than the {2**20:,} characters that are read of YAML")
    try:
        depth = 0
        for event in yaml.parse(text, yaml.CBaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise InputError(f"{where}: lists and mappings lie more than {_DEEPEST} deep")
        node = yaml.compose(text, yaml.CBaseLoader)
        if node is not None and _nodes(node, {}) > _ALIASED:
            raise InputError(f"{where}: aliases stand for more than {_ALIASED:,} values")
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InputError(f"{where}{place}: not YAML ({error.problem})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not YAML: {' '.join(str(error).split())}") from None


def _nodes(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes there are from ``node`` on, aliases followed; one within itself is endless."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) not in known:
        known[id(node)] = _ALIASED + 1  # what is found again before it is counted is within itself
        children = (
            [part for pair in node.value for part in pair]
            if isinstance(node, yaml.MappingNode)
            else node.value
        )
        known[id(node)] = 1 + sum(_nodes(child, known) for child in children)
    return known[id(node)]


class _Loader(yaml.CBaseLoader):
    """No key twice: of two, the last would win unnoticed."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen if isinstance(key, yaml.ScalarNode) else True:
                problem = f"field {key.value!r} is given twice"
                if not isinstance(key, yaml.ScalarNode):
                    problem = "a field's name must be text"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


# -- numbers ---------------------------------------------------------------------------------------

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")


def as_whole(text: str) -> int | None:
    """The whole number that ``text`` is, in ASCII digits, up to 20 of them; else None."""
    return int(text) if _WHOLE.fullmatch(text) else None


def as_number(text: str) -> float | None:
    """The finite number that ``text`` is, in ASCII digits; else None."""
    value = float(text) if len(text) <= 400 and _NUMBER.fullmatch(text) else math.inf
    return value if math.isfinite(value) else None


def whole(text: str, what: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number from ``least`` to ``most``; ``what`` names it in the InputError."""
    value = as_whole(text)
    if value is None or not least <= value <= most:
        raise InputError(f"{what} {text[:40]!r} is not a whole number from {least} to {most}")
    return value


def number(text: str, what: str, *, least: float, most: float) -> float:
    """A number from ``least`` to ``most``; ``what`` names it in the InputError."""
    value = as_number(text)
    if value is None or not least <= value <= most:
        raise InputError(f"{what} {text[:40]!r} is not a number from {least:g} to {most:g}")
    return value
