"""Science Birds levels as values, and their XML files.

The XML is that of Science Birds: ``Level[width] > Camera, Birds/Bird, Slingshot, GameObjects >
Block | Pig | TNT | Platform``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from xml.parsers import expat

import numpy as np

from arena.envs import outside
from arena.envs.errors import InputError
from arena.envs.science_birds import blocks, grid

GRID_TYPES = {"b11": ("SquareTiny", 0.0), "b13": ("RectSmall", 90.0), "b31": ("RectSmall", 0.0)}
"""Science Birds' type and rotation (degrees) of each kind of the grid."""


MOST_PIECES = 2000


@dataclass(frozen=True)
class Camera:
    """Where the game's camera stands and how far it zooms, in world units."""

    x: float = 0.0
    y: float = -1.0
    min_width: float = 15.0
    max_width: float = 17.5


@dataclass(frozen=True)
class Piece:
    """A thing in a level: its kind, centre (world units) and rotation (degrees).

    Attributes:
        tag: Block, Pig, TNT or Platform.
        kind: a name of ``blocks.BLOCKS`` or ``blocks.PIGS``; "" for TNT and platforms.
        material: of a block; "" for the others.
        scale: of a platform, along x and y.
    """

    tag: str
    kind: str
    x: float
    y: float
    rotation: float = 0.0
    material: str = ""
    scale: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True)
class Level:
    """A whole level; pieces stand in the file's order, which the physics follows."""

    pieces: tuple[Piece, ...]
    birds: tuple[str, ...] = ("BirdRed",)
    slingshot: tuple[float, float] = (-9.0, -2.5)
    camera: Camera = Camera()
    width: int = 1

    @property
    def blocks(self) -> tuple[Piece, ...]:
        """The blocks alone."""
        return tuple(piece for piece in self.pieces if piece.tag == "Block")


def from_structure(structure: grid.Structure) -> Level:
    """The level that the competition makes of a structure: all of wood, with one red bird."""
    kinds = [GRID_TYPES[grid.KINDS[kind]] for kind in structure.kinds]
    positions = structure.positions().tolist()
    pieces = tuple(
        Piece("Block", kind, x, y, rotation, "wood")
        for (kind, rotation), (x, y) in zip(kinds, positions, strict=True)
    )
    taken = structure.cells > 0
    # The competition counts the fullest row, not the distance between the outermost columns.
    widest = int(taken.sum(axis=1).max())
    rows = np.flatnonzero(taken.any(axis=1))
    tallest = int(rows[-1]) + 1 if len(rows) else 1
    w = grid.ORIGIN_X + widest * grid.CELL
    h = -grid.ORIGIN_Y + tallest * grid.CELL
    view = max(17.0, 2.0 * max(1.6 * h, w))
    return Level(pieces, camera=Camera(2.0, 0.0, view, view + 5.0), width=int(w / 18) + 3)


# -- XML ---------------------------------------------------------------------------------------

_NESTING = {
    "Level": "", "Camera": "Level", "Birds": "Level", "Bird": "Birds", "Slingshot": "Level",
    "GameObjects": "Level", "Block": "GameObjects", "Pig": "GameObjects", "TNT": "GameObjects",
    "Platform": "GameObjects",
}  # fmt: skip


class _Reader:
    """Builds a level from expat's events; entities and document types are refused outright."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.level = Level((), birds=())
        self.pieces: list[Piece] = []
        self.birds: list[str] = []
        # Science Birds writes utf-16 into the declaration of files that are none: overruled.
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.refuse_doctype
        self.parser.EntityDeclHandler = self.refuse_doctype

    def fail(self, what: str) -> InputError:
        return InputError(f"{self.name}, line {self.parser.CurrentLineNumber}: {what}")

    def refuse_doctype(self, *_: object) -> None:
        raise self.fail("a level has no document type and no entities; remove the declaration")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self.open[-1] if self.open else ""
        if tag not in _NESTING:
            raise self.fail(f"<{tag}> is not part of a level; known: {', '.join(_NESTING)}")
        if _NESTING[tag] != parent:
            raise self.fail(
                f"<{tag}> stands in <{parent}> but belongs in <{_NESTING[tag]}>" if parent
                else f"the file begins with <{tag}>; a level begins with <Level>"
            )  # fmt: skip
        if tag in ("Camera", "Birds", "Slingshot", "GameObjects") and tag in self.seen:
            raise self.fail(f"a second <{tag}>; a level has one")
        self.open.append(tag)
        self.seen.add(tag)
        level = self.level
        if tag == "Level":
            width = self.number(tag, attributes, "width", 1.0)
            if not (width.is_integer() and 1 <= width <= 100):
                raise self.fail("Level width must be a whole number from 1 to 100")
            self.level = replace(level, width=int(width))
        elif tag == "Camera":
            names = ("x", "y", "minWidth", "maxWidth")
            self.level = replace(
                level, camera=Camera(*(self.number(tag, attributes, name) for name in names))
            )
        elif tag == "Slingshot":
            x, y = (self.number(tag, attributes, name) for name in "xy")
            self.level = replace(level, slingshot=(x, y))
        elif tag == "Bird":
            self.birds.append(self.choice(tag, attributes, "type", blocks.BIRDS))
        elif tag in ("Block", "Pig", "TNT", "Platform"):
            self.pieces.append(self.piece(tag, attributes))
        if max(len(self.birds), len(self.pieces)) > MOST_PIECES:
            raise self.fail(f"a level has at most {MOST_PIECES:,} pieces and as many birds")

    def end(self, _: str) -> None:
        self.open.pop()

    def piece(self, tag: str, attributes: dict[str, str]) -> Piece:
        kind, material, scale = "", "", (1.0, 1.0)
        if tag == "Block":
            kind = self.choice(tag, attributes, "type", blocks.BLOCKS)
            material = self.choice(tag, attributes, "material", tuple(blocks.FRICTION))
        elif tag == "Pig":
            kind = self.choice(tag, attributes, "type", tuple(blocks.PIGS))
        elif tag == "Platform":
            scale = (
                self.number(tag, attributes, "scaleX", 1.0),
                self.number(tag, attributes, "scaleY", 1.0),
            )
            if not (0 < scale[0] <= 100 and 0 < scale[1] <= 100):
                raise self.fail("Platform scaleX and scaleY must lie above 0 and at most at 100")
        x, y = (self.number(tag, attributes, name) for name in "xy")
        rotation = self.number(tag, attributes, "rotation", 0.0)
        return Piece(tag, kind, x, y, rotation, material, scale)

    def choice(
        self, tag: str, attributes: dict[str, str], name: str, known: tuple[str, ...]
    ) -> str:
        value = attributes.get(name)
        if value not in known:
            raise self.fail(f"{tag} {name}={value!r} is none of {', '.join(known)}")
        return value

    def number(
        self, tag: str, attributes: dict[str, str], name: str, default: float | None = None
    ) -> float:
        text = attributes.get(name)
        if text is None:
            if default is None:
                raise self.fail(f"{tag} lacks {name}")
            return default
        value = outside.as_number(text)
        if value is None or abs(value) > 1e4:
            raise self.fail(f"{tag} {name}={text!r} is not a number from -10000 to 10000")
        return value


def read_xml(text: str, name: str = "level") -> Level:
    """The level that an XML text describes; ``name`` is what errors call it.

    Raises InputError, with a line number, for XML that is malformed, declares entities, or
    describes no level.
    """
    reader = _Reader(name)
    for tag in ("Camera", "Slingshot"):  # they hold nothing, and Science Birds leaves them open
        if f"</{tag}" not in text:
            text = re.sub(rf"<{tag}\b([^<>]*)(?<!/)>", rf"<{tag}\1/>", text)
    try:
        reader.parser.Parse(text.encode(errors="replace"), True)
    except expat.ExpatError as error:
        raise InputError(
            f"{name}, line {error.lineno}: not well-formed XML ({expat.ErrorString(error.code)})"
        ) from None
    for tag in ("Camera", "Birds", "Slingshot", "GameObjects"):
        if tag not in reader.seen:
            raise InputError(f"{name}: the level lacks <{tag}>")
    return replace(reader.level, pieces=tuple(reader.pieces), birds=tuple(reader.birds))


def load_level(path: Path) -> Level:
    """The level in a file; InputError where there is none or it cannot be read as one."""
    data = outside.read_bytes(path, 2**24)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return read_xml(data.decode("utf-16"), str(path))
        except UnicodeDecodeError:
            raise InputError(f"{path} begins as UTF-16 but is not") from None
    if _LATIN.match(data):
        return read_xml(data.decode("latin-1"), str(path))
    return read_xml(outside.decode(data, str(path)), str(path))


_LATIN = re.compile(rb"""<\?xml[^>]*encoding=["'](?:iso-8859-1|latin-1|windows-1252)["']""", re.I)


def write_xml(level: Level) -> str:
    """The level as Science Birds' XML; ``read_xml`` gives back an equal level."""
    camera = level.camera
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<Level width="{level.width}">',
        f'  <Camera x="{camera.x!r}" y="{camera.y!r}"'
        f' minWidth="{camera.min_width!r}" maxWidth="{camera.max_width!r}" />',
        "  <Birds>",
        *(f'    <Bird type="{bird}" />' for bird in level.birds),
        "  </Birds>",
        f'  <Slingshot x="{level.slingshot[0]!r}" y="{level.slingshot[1]!r}" />',
        "  <GameObjects>",
        *(f"    {_piece_xml(piece)}" for piece in level.pieces),
        "  </GameObjects>",
        "</Level>",
    ]
    return "\n".join(lines) + "\n"


def _piece_xml(piece: Piece) -> str:
    middle = f' type="{piece.kind}"'
    if piece.tag == "Block":
        middle += f' material="{piece.material}"'
    place = f' x="{piece.x!r}" y="{piece.y!r}" rotation="{piece.rotation!r}"'
    if piece.tag == "Platform":
        place += f' scaleX="{piece.scale[0]!r}" scaleY="{piece.scale[1]!r}"'
    return f"<{piece.tag}{middle}{place} />"
