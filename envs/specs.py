"""Specs: the one short form in which games and agents are named.

``family:checkpoint?option=value,option=value`` with checkpoint and options left out where there are
none: ``holdem?seats=6``, ``equity?samples=200``, ``dqn:runs/dqn-7``. A list's items are parted by
``/``: ``holdem?menu=0.5/1``.
"""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_origin

from arena.envs.errors import InputError
from arena.envs.outside import as_number, as_whole, shown

Value = bool | int | float | str | tuple[Any, ...] | None


@dataclass(frozen=True)
class Spec:
    """A parsed spec. ``str(spec)`` is its canonical form, ``Spec.parse`` the way back."""

    family: str
    checkpoint: str | None = None
    options: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read ``family:checkpoint?option=value,…``; values stay strings until they are bound.

        Raises InputError for a spec with no family, an option without ``=``, or one given twice.
        """
        head, _, tail = text.strip().partition("?")
        family, _, checkpoint = head.partition(":")
        if not family:
            raise InputError(
                f"spec {text!r} names no family; write family:checkpoint?option=value, "
                "with checkpoint and options as needed"
            )
        options: dict[str, Value] = {}
        for item in filter(None, tail.split(",")):
            name, equals, value = item.partition("=")
            if not equals:
                raise InputError(f"spec {text!r}: option {item!r} has no value; write {item}=…")
            name = name.strip()
            if name in options:
                raise InputError(f"spec {text!r} gives {name} twice; keep one")
            options[name] = value.strip()
        return cls(family, checkpoint or None, options)

    def __str__(self) -> str:
        head = self.family if self.checkpoint is None else f"{self.family}:{self.checkpoint}"
        if not self.options:
            return head
        return head + "?" + ",".join(f"{k}={_write(v)}" for k, v in sorted(self.options.items()))


def _write(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "/".join(map(_write, value))
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)


def bind(factory: Callable[..., Any], spec: Spec, what: str) -> dict[str, Value]:
    """Check a spec's options against the keyword-only parameters of ``factory``.

    Strings are read by the parameter's annotation (int, float, bool, str, Literal, ``tuple[X, …]``,
    or a union of these with None). Returns every option, defaults included, in the order of the
    signature. Raises InputError for an unknown option, a missing one, or a value of another type.
    """
    known = _keywords(factory)
    for name in spec.options:
        if name not in known:
            near = get_close_matches(str(name), known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            takes = "its options are " + ", ".join(known) if known else "it takes none"
            raise InputError(f"{what} {spec.family!r} has no option {name!r}; {hint}{takes}")
    bound: dict[str, Value] = {}
    for name, parameter in known.items():
        if name in spec.options:
            bound[name] = read(
                spec.options[name], parameter.annotation, f"{what} {spec.family!r}: {name}"
            )
        elif parameter.default is inspect.Parameter.empty:
            raise InputError(f"{what} {spec.family!r} needs {name}=…")
        else:
            bound[name] = parameter.default
    return bound


def options_of(factory: Callable[..., Any]) -> list[str]:
    """The names of the options that ``factory`` takes."""
    return list(_keywords(factory))


def _keywords(factory: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    return {
        name: parameter
        for name, parameter in inspect.signature(factory, eval_str=True).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def canonical(spec: Spec, bound: Mapping[str, Value]) -> Spec:
    """The spec with its options as ``bind`` read them: what is the same is written the same.

    Options that are given stay, also where they are the defaults: those may change, what was named
    must not.
    """
    return replace(spec, options={name: bound[name] for name in spec.options})


def read(value: Any, hint: Any, where: str) -> Value:
    """Read ``value`` (a string, or what YAML made of one) as the type ``hint``, or InputError."""
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        choices = get_args(hint)
        if type(None) in choices and value in (None, "none"):
            return None
        for choice in (c for c in choices if c is not type(None)):
            try:
                return read(value, choice, where)
            except InputError as error:
                refusal = error
        raise refusal
    if origin is Literal:
        for choice in get_args(hint):
            if str(value) == str(choice):
                return typing.cast(Value, choice)
        raise InputError(f"{where}={value} is none of {', '.join(map(str, get_args(hint)))}")
    if origin is tuple:
        item = get_args(hint)[0]
        items = value if isinstance(value, (list, tuple)) else str(value).split("/")
        return tuple(read(i, item, where) for i in items)
    if hint is bool:
        if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        raise InputError(f"{where}={value} is neither true nor false")
    if hint is int or hint is float:
        return _number(value, hint, where)
    if not isinstance(value, (str, int, float)):
        raise InputError(f"{where}={shown(value)} is not a word")
    return str(value)


def _number(value: Any, hint: type[int] | type[float], where: str) -> int | float:
    number = value
    if isinstance(value, str):
        number = as_whole(value) if hint is int else as_number(value)
    if (
        isinstance(number, bool)
        or not isinstance(number, (int, float))
        or not abs(number) <= sys.float_info.max
        or (hint is int and (number != number // 1 or abs(number) >= 2**64))
    ):
        kind = "a whole number of 64 bits" if hint is int else "a finite number"
        raise InputError(
            f"{where}={value if isinstance(value, str) else shown(value)} is not {kind}"
        )
    return hint(number)
