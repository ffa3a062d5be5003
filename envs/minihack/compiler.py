"""From a level's description to the archive that NetHack reads, without a process a level.

MiniHack upstream starts a shell, NetHack's level compiler and its packer at every reset of a level
that changes, which costs 10 to 30 ms. Here

- a fixed description (``.des``) is compiled once by NetHack's own ``lev_comp``;
- a ``LevelPlan``, which changes with every seed, is assembled directly into the compiler's opcodes
  (NetHack 3.6, ``include/sp_lev.h``: a version record, the number of opcodes, the opcodes). The
  version record and the codes of map characters are read off one level that ``lev_comp`` compiles,
  and a test compares whole levels with the compiler's, byte for byte;
- the archive ``nhdat`` (``util/dlb_main.c``) is written here, with the level as its last entry, so
  that a new level rewrites the directory and the tail only.
"""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MAP_CHARACTERS = "-|.+L}FS{#"
_HEADER = 40  # bytes of NetHack's version record

# Kinds of what is pushed on the level loader's stack (enum of spovar types) and opcodes.
_INT, _STRING, _COORD, _REGION, _MONSTER, _OBJECT = 1, 2, 4, 5, 7, 8
_PUSH = 40
_OP_MONSTER, _OP_OBJECT, _OP_DOOR, _OP_STAIR, _OP_FOUNTAIN = 2, 3, 7, 8, 11
_OP_BRANCH, _OP_WALLIFY, _OP_MAP, _OP_REGION, _OP_REGION_END = 17, 22, 23, 25, 38
_OP_INIT, _OP_FLAGS, _OP_POINT = 58, 59, 64
_DOORS = {"open": 2, "closed": 4, "locked": 8}
_FLAGS = {"noteleport": 1, "hardfloor": 2, "premapped": 64}
_RANDOM_PLACE = 1 << 24
_BOULDER = 117088


class CompilerError(RuntimeError):
    """NetHack's level compiler refused a description; the message is what it printed."""


@dataclass(frozen=True)
class LevelPlan:
    """A level that is made by a program. Coordinates are (x, y) in ``rows``.

    Attributes:
        rows: the map, all rows equally long; doors stand as ``+``.
        start: where the player begins.
        stairs: the stairs down, or None.
        doors: place and state ("open", "closed", "locked").
        monsters: how many random monsters at random places.
        boulders, fountains: places.
        flags: of the level.
    """

    rows: tuple[str, ...]
    start: tuple[int, int]
    stairs: tuple[int, int] | None = None
    doors: tuple[tuple[int, int, str], ...] = ()
    monsters: int = 0
    boulders: tuple[tuple[int, int], ...] = ()
    fountains: tuple[tuple[int, int], ...] = ()
    flags: tuple[str, ...] = ("hardfloor",)

    def description(self) -> str:
        """The same level in the level compiler's language."""
        x, y = self.start
        lines = [
            "MAZE: \"mylevel\", ' '",
            f"FLAGS:{','.join(self.flags)}",
            "INIT_MAP: solidfill,' '",
            "GEOMETRY:center,center",
            "MAP",
            *self.rows,
            "ENDMAP",
            f'REGION:(0,0,{len(self.rows[0])},{len(self.rows)}),lit,"ordinary"',
        ]
        if self.stairs is not None:
            lines.append(f"STAIR:({self.stairs[0]},{self.stairs[1]}),down")
        lines.append(f"BRANCH:({x},{y},{x},{y}),(0,0,0,0)")
        lines += [f"DOOR:{state},({x},{y})" for x, y, state in self.doors]
        lines.append("WALLIFY")
        lines += ["MONSTER:random,random"] * self.monsters
        lines += [f"OBJECT:('`',\"boulder\"),({x},{y})" for x, y in self.boulders]
        lines += [f"FOUNTAIN:({x},{y})" for x, y in self.fountains]
        return "\n".join(lines) + "\n"


def compile_description(description: str) -> bytes:
    """What ``lev_comp`` makes of a description; CompilerError where it makes nothing."""
    with tempfile.TemporaryDirectory(prefix="arena-level-") as folder:
        source = Path(folder, "mylevel.des")
        source.write_text(description)
        done = subprocess.run(
            [nethack_folder() / "lev_comp", source.name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        compiled = Path(folder, "mylevel.lev")
        if not compiled.exists():
            raise CompilerError(done.stdout + done.stderr)
        return compiled.read_bytes()


@cache
def nethack_folder() -> Path:
    """Where nle keeps NetHack's compilers and data."""
    return _package("nle") / "nethackdir"


@cache
def minihack_folder(name: str) -> Path:
    """A data folder of the installed MiniHack; none of its code is run."""
    return _package("minihack") / name


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return Path(spec.origin).parent


@dataclass(frozen=True)
class Assembler:
    """Turns plans into compiled levels.

    Attributes:
        header: the version record of this machine's NetHack.
        codes: a table of 256 bytes, the code of each map character at its place.
    """

    header: bytes
    codes: bytes

    @classmethod
    def calibrated(cls) -> Assembler:
        """An assembler that has read the version record and the codes off a compiled level."""
        level = compile_description(LevelPlan((MAP_CHARACTERS + " ",), (2, 0)).description())
        at = level.index(struct.pack("<iBi", _PUSH, _STRING, len(MAP_CHARACTERS) + 1)) + 9
        codes = level[at : at + len(MAP_CHARACTERS) + 1]
        return cls(level[:_HEADER], bytes.maketrans((MAP_CHARACTERS + " ").encode(), codes))

    def assemble(self, plan: LevelPlan) -> bytes:
        """The compiled level, equal to what ``lev_comp`` makes of ``plan.description()``."""
        width, height = len(plan.rows[0]), len(plan.rows)
        flags = sum(_FLAGS[flag] for flag in plan.flags)
        cells = "".join(plan.rows).encode().translate(self.codes)
        out = [
            *_ints(1, 127, 0, 0, 0, 0, 0, 0),
            _op(_OP_INIT),
            *_ints(32),
            _op(_OP_FLAGS),
            *_ints(flags),
            _op(_OP_FLAGS),
            *_ints(1, 0, 0, -2, 0, 0, 0, 0),
            _op(_OP_INIT),
            _push(_COORD, 3 | 3 << 16),  # centred both ways
            *_ints(1, 1),
            _string(cells),
            *_ints(height, width),
            _op(_OP_MAP),
            _push(_REGION, _area(0, 0, width, height)),
            *_ints(1, 0, 1),
            _op(_OP_REGION),
            _op(_OP_REGION_END),
        ]
        if plan.stairs is not None:
            out += [_push(_COORD, _place(*plan.stairs)), *_ints(0), _op(_OP_STAIR)]
        x, y = plan.start
        out += [*_ints(x, y, x, y, 0, 0, 0, 0, 0, 0, 3, 0), _string(b""), _op(_OP_BRANCH)]
        for x, y, state in plan.doors:
            out += [_push(_COORD, _place(x, y)), _op(_OP_POINT)]
            out += [*_ints(_DOORS[state]), _op(_OP_DOOR)]
        out += [_push(_REGION, 0xFFFFFFFF), *_ints(0), _op(_OP_WALLIFY)]
        for _ in range(plan.monsters):
            out += [_push(_MONSTER, -1), _push(_COORD, _RANDOM_PLACE), *_ints(16, 0)]
            out.append(_op(_OP_MONSTER))
        for x, y in plan.boulders:
            out += [_push(_OBJECT, _BOULDER), *_ints(15), _push(_COORD, _place(x, y))]
            out += [*_ints(14, 0), _op(_OP_OBJECT)]
        for x, y in plan.fountains:
            out += [_push(_COORD, _place(x, y)), _op(_OP_POINT), _op(_OP_FOUNTAIN)]
        return self.header + struct.pack("<q", len(out)) + b"".join(out)


def _op(code: int) -> bytes:
    return code.to_bytes(4, "little")


def _push(kind: int, value: int) -> bytes:
    return struct.pack("<iBq", _PUSH, kind, value)


def _ints(*values: int) -> list[bytes]:
    return [_push(_INT, value) for value in values]


def _string(data: bytes) -> bytes:
    return struct.pack("<iBi", _PUSH, _STRING, len(data)) + data


def _place(x: int, y: int) -> int:
    return x | y << 16


def _area(x1: int, y1: int, x2: int, y2: int) -> int:
    return x1 | y1 << 8 | x2 << 16 | y2 << 24


class Archive:
    """``nhdat``: the dungeon's plan, the quest's texts, and one level as the last entry."""

    def __init__(self, path: Path) -> None:
        library = minihack_folder("lib")
        fixed = [(name, (library / name).read_bytes()) for name in ("dungeon", "quest.dat")]
        names = ["Directory", *(name for name, _ in fixed), "mylevel.lev"]
        start = 40 + sum(len(name) + 11 for name in names)
        offsets = [0, start]
        for _, data in fixed:
            offsets.append(offsets[-1] + len(data))
        strings = sum(len(name) + 1 for name in names)
        self._facts = len(names), strings, start
        self._directory = "".join(
            f"n{name} {offset:8d}\n" for name, offset in zip(names, offsets, strict=True)
        ).encode()
        self._tail = offsets[-1]
        path.unlink(missing_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(self._file, b"".join(data for _, data in fixed), start)

    def store(self, level: bytes) -> None:
        """Make ``level`` the one that the next game is played in."""
        count, strings, start = self._facts
        size = self._tail + len(level)
        head = f"{1:3d} {count:8d} {strings:8d} {start:8d} {size:8d}\n".encode()
        os.pwrite(self._file, head + self._directory, 0)
        os.pwrite(self._file, level, self._tail)
        os.ftruncate(self._file, size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
