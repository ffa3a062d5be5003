"""A kind of file: its name, how a good sample is changed, and what reads it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz import mutations
from tests.fuzz.mutations import Dice


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    Attributes:
        name: of the files; its ending is theirs.
        change: a changed sample.
        read: reads a file, or a folder that it is in, and uses what it read.
    """

    name: str
    change: Callable[[Dice], bytes]
    read: Callable[[Path], object]


def text(name: str, samples: list[str], read: Callable[[Path], object]) -> Kind:
    """A kind of text: its words and lines are changed, or its bytes."""

    def change(dice: Dice) -> bytes:
        sample = mutations.pick(samples, dice)
        if dice.random() < 0.2:
            return mutations.of_bytes(sample.encode(), dice)
        changed = mutations.of_text(sample, dice, mutations.pick(samples, dice))
        return changed.encode(errors="replace")

    return Kind(name, change, read)


def specs(name: str, samples: list[str], read: Callable[[Path], object]) -> Kind:
    """A kind of one line: its options are changed."""

    def change(dice: Dice) -> bytes:
        family, mark, options = mutations.pick(samples, dice).partition("?")
        return f"{family}{mark}{mutations.of_text(options, dice)}".encode(errors="replace")

    return Kind(name, change, read)


def either(one: Kind, other: Kind) -> Kind:
    """Inputs of two kinds under the name of the first."""
    return Kind(
        one.name, lambda dice: (one if dice.random() < 0.5 else other).change(dice), one.read
    )


def values(name: str, samples: list[Any], read: Callable[[Path], object], lines: int = 0) -> Kind:
    """A kind of JSON: a value's nodes are changed, or its bytes; ``lines`` of it in a file."""

    def change(dice: Dice) -> bytes:
        chosen = [mutations.pick(samples, dice) for _ in range(lines or 1)]
        at = int(dice.integers(len(chosen)))
        if dice.random() < 0.8:
            chosen[at] = mutations.of_value(chosen[at], dice)
            return "\n".join(map(json.dumps, chosen)).encode()
        return mutations.of_bytes("\n".join(map(json.dumps, chosen)).encode(), dice)

    return Kind(name, change, read)


def tensors(name: str, sample: bytes, read: Callable[[Path], object]) -> Kind:
    """A kind of safetensors file: its header or its numbers are changed, or its bytes."""

    def change(dice: Dice) -> bytes:
        by = mutations.of_tensors if dice.random() < 0.7 else mutations.of_bytes
        return by(sample, dice)

    return Kind(name, change, read)


def database(name: str, sample: bytes, read: Callable[[Path], object]) -> Kind:
    """A kind of SQLite file: cells of its rows are changed, or its bytes."""

    def change(dice: Dice) -> bytes:
        if dice.random() < 0.3:
            return mutations.of_bytes(sample, dice)
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.deserialize(sample)
            for _ in range(int(dice.integers(1, 4))):
                mutations.of_rows(connection, dice)
            connection.commit()
            return connection.serialize()

    return Kind(name, change, read)
