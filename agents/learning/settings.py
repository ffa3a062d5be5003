"""Settings: one dataclass from which the command line, ``config.json`` and the record are made.

    @dataclass(frozen=True, kw_only=True)
    class Settings(Common):
        learning_rate: float = setting(3e-4, "Adam's, at the first update", above=0)

Each field has its sentence beside it. ``add_options`` makes ``--learning-rate`` of it, typed by the
annotation; ``from_options`` reads the command line back; ``check`` refuses what is out of range.
"""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from arena.envs.errors import InputError
from arena.envs.specs import read

S = TypeVar("S", bound="Common")


def setting(
    default: Any,
    sentence: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    options: tuple[str, ...] = (),
    record: bool = True,
) -> Any:
    """A field with its sentence, its range, and further names on the command line.

    ``record=False`` keeps it out of ``config.json``: it does not decide what is learned.
    """
    facts = {
        "sentence": sentence,
        "least": least,
        "above": above,
        "most": most,
        "options": options,
        "record": record,
    }
    return field(default=default, metadata=facts)


@dataclass(frozen=True, kw_only=True)
class Common:
    """What every trainer is told."""

    output: str = setting("", "the run's folder", options=("-o",), record=False)
    resume: bool = setting(False, "continue the run in the folder", record=False)
    seed: int = setting(0, "of everything random", least=0)
    device: typing.Literal["auto", "cpu", "cuda"] = setting("auto", "where networks are trained")

    def __post_init__(self) -> None:
        """Refuse a value that is out of range."""
        for item in dataclasses.fields(self):
            _check(item, getattr(self, item.name))


@dataclass(frozen=True, kw_only=True)
class Tracked(Common):
    """What a trainer is told that draws its curves by ``runs.Board``."""

    track: bool = setting(False, "also log to Weights & Biases (pip install wandb)", record=False)


def option(name: str) -> str:
    """A field's name on the command line."""
    return "--" + name.replace("_", "-")


def add_options(parser: argparse.ArgumentParser, kind: type[Common]) -> None:
    """An option for each field of ``kind``, with its sentence and its default."""
    hints = typing.get_type_hints(kind)
    for item in dataclasses.fields(kind):
        facts = item.metadata
        names = (*facts["options"], option(item.name))
        help_text = facts["sentence"].replace("%", "%%")
        if isinstance(item.default, bool):
            help_text += f" (default {'yes' if item.default else 'no'})"
            parser.add_argument(
                *names, action=argparse.BooleanOptionalAction, default=None, help=help_text,
                dest=item.name,
            )  # fmt: skip
        else:
            if item.default not in ("", ()):
                help_text += f" (default {_written(item.default)})"
            several = typing.get_origin(hints[item.name]) is tuple
            parser.add_argument(
                *names, default=None, help=help_text, dest=item.name,
                nargs="+" if several else None,
                metavar=item.name.upper().rpartition("_")[2],
            )  # fmt: skip


def from_options(options: argparse.Namespace, kind: type[S]) -> S:
    """The settings that the command line names, the rest by default."""
    given = {
        item.name: value
        for item in dataclasses.fields(kind)
        if (value := getattr(options, item.name)) is not None
    }
    if given.get("resume"):
        for name in given:
            if name not in ("resume", "output", "track"):
                raise InputError(
                    f"--resume takes the settings from the run's folder; leave {option(name)}"
                )
    return from_values(given, kind)


def from_values(values: Mapping[str, Any], kind: type[S]) -> S:
    """Settings of values by field name, read by the fields' types; InputError for others."""
    hints = typing.get_type_hints(kind)
    known = {item.name for item in dataclasses.fields(kind)}
    for name in values:
        if name not in known:
            raise InputError(f"there is no setting {name}; there are {', '.join(sorted(known))}")
    read_values = {name: _read(value, hints[name], option(name)) for name, value in values.items()}
    return kind(**read_values)


def refuse_resume(settings: Common, trainer: str) -> None:
    """For trainers that keep only what plays."""
    if settings.resume:
        raise InputError(f"{trainer} cannot be resumed: it keeps what plays, not what trains")


def record(settings: Common) -> dict[str, Any]:
    """What ``config.json`` keeps: all that decides what is learned."""
    return {
        item.name: getattr(settings, item.name)
        for item in dataclasses.fields(settings)
        if item.metadata["record"]
    }


def _read(value: Any, hint: Any, where: str) -> Any:
    try:
        if typing.get_origin(hint) is tuple:
            each = typing.get_args(hint)[0]
            return tuple(read(item, each, where) for item in _items(value))
        return read(value, hint, where)
    except InputError as error:
        raise InputError(str(error).replace(f"{where}=", f"{where} ")) from None


def _items(value: Any) -> list[Any]:
    """The items of a list, as people write it: ``a,b c``. A spec's own commas part its options."""
    items = value if isinstance(value, list | tuple) else [value]
    return [
        part
        for item in items
        for part in (item.split(",") if isinstance(item, str) and "?" not in item else [item])
    ]


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _check(item: dataclasses.Field[Any], value: Any) -> None:
    facts = item.metadata
    if not isinstance(value, int | float):
        return
    if facts["least"] is not None and value < facts["least"]:
        raise InputError(f"{option(item.name)} {value:g} must be at least {facts['least']:g}")
    if facts["above"] is not None and value <= facts["above"]:
        raise InputError(f"{option(item.name)} {value:g} must be above {facts['above']:g}")
    if facts["most"] is not None and value > facts["most"]:
        raise InputError(f"{option(item.name)} {value:g} must be at most {facts['most']:g}")
