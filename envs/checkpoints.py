"""What a run's folder holds, read with distrust: a configuration and tensors.

A folder that somebody else sends may be damaged, of another version, or made to do harm. Nothing
in it is unpickled or evaluated, every field has the type and every tensor the shape that is wanted,
or an InputError says in one sentence which does not.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from arena.envs import outside
from arena.envs.errors import InputError
from arena.envs.files import replacing

Settings = TypeVar("Settings")

_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16",
    "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8",
    "U64": "uint64", "U32": "uint32", "U16": "uint16", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


class Like(NamedTuple):
    """What a tensor must be: its shape, where None stands for any length, and its dtype's name."""

    shape: tuple[int | None, ...]
    dtype: str = "float32"


@contextmanager
def fitting(what: str) -> Iterator[None]:
    """Whatever goes wrong where parts that were read are put together is an InputError on ``what``.

    For states of optimisers and memories, whose makers are libraries: what they want, they know.
    """
    try:
        yield
    except InputError:
        raise
    except (
        ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError,
        TypeError, ValueError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{what} does not fit together ({reason})") from None


# -- configurations --------------------------------------------------------------------------------


def read_config(path: Path, of: type[Settings], *, kind: str | None = None) -> Settings:
    """The dataclass that a JSON file holds; with ``kind``, its field ``kind`` must say that.

    Raises InputError, naming the file and the field, for what is not JSON, for a field that is
    missing, unknown, or of another type than the dataclass says.
    """
    facts = outside.read_json(path)
    if kind is not None and (not isinstance(facts, dict) or facts.pop("kind", None) != kind):
        raise InputError(f"{path} is not the configuration of a run of kind {kind!r}")
    found: Settings = typed(facts, of, str(path))
    return found


def typed(value: Any, hint: Any, where: str) -> Any:
    """A JSON value as the type ``hint``, a dataclass or made of plain types; else InputError.

    Lists become tuples, whole numbers floats where floats are wanted; nothing else is converted.
    """
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if isinstance(hint, type) and is_dataclass(hint):
        return _record(value, hint, where)
    if origin in (Union, types.UnionType):
        return _one_of(value, parts, where)
    if origin is Literal and any(type(value) is type(p) and value == p for p in parts):
        return value
    if origin is tuple and isinstance(value, list):
        each = parts[:1] * len(value) if parts[1:] == (...,) else parts
        if len(each) == len(value):
            return tuple(
                typed(v, p, f"{where}[{i}]")
                for i, (v, p) in enumerate(zip(value, each, strict=True))
            )
    if origin is list and isinstance(value, list):
        return [typed(v, parts[0], f"{where}[{i}]") for i, v in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        return {k: typed(v, parts[1], f"{where}[{k!r}]") for k, v in value.items()}
    if hint is float and type(value) is int and abs(value) < 2**63:
        return float(value)
    if isinstance(hint, type) and (type(value) is hint or (hint is type(None) and value is None)):
        return value
    wanted = hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")
    raise InputError(f"{where}: {outside.shown(value)} is not of type {wanted}")


def _one_of(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    for choice in choices:
        try:
            return typed(value, choice, where)
        except InputError as error:
            refusal = error
    raise refusal


def _record(value: Any, of: type[Any], where: str) -> Any:
    if not isinstance(value, dict):
        raise InputError(f"{where}: must be a JSON object with named fields")
    known = {field.name: field for field in fields(of) if field.init}
    for name in value:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(
                f"{where}: unknown field {name[:40]!r}; {hint}known: {', '.join(known)}"
            )
    for name, field in known.items():
        if name not in value and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"{where}: field {name!r} is missing")
    hints = get_type_hints(of)
    return of(**{k: typed(v, hints[k], f"{where}, field {k}") for k, v in value.items()})


# -- tensors ---------------------------------------------------------------------------------------


def read_tensors(
    path: Path,
    wanted: Mapping[str, Any] | None,
    *,
    framework: Literal["numpy", "pt"] = "numpy",
) -> dict[str, Any]:
    """The tensors of a safetensors file, NumPy's arrays or torch's tensors on the CPU.

    Args:
        wanted: by name, what has the shape and the dtype that the tensor must have: ``Like``, an
            array, or a module's ``state_dict()`` as it is. None: whatever there is.

    Raises InputError, naming file and tensor, where the file is damaged, where one is missing,
    unknown or of another shape or dtype, and where a number is not finite.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise InputError(
            f"{path} needs safetensors to be read: pip install 'arena[train]'"
        ) from None
    try:
        with safe_open(path, framework) as file:
            names = list(file.keys())
            if wanted is not None:
                _check_names(set(names), set(wanted), path)
                for name in names:
                    part = file.get_slice(name)
                    found = Like(tuple(part.get_shape()), str(part.get_dtype()))
                    _check(found, wanted[name], f"{path}: tensor {name!r}")
            tensors = {name: file.get_tensor(name) for name in names}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a whole safetensors file ({error})") from None
    for name, tensor in tensors.items():
        if not _finite(tensor):
            raise InputError(f"{path}: tensor {name!r} holds numbers that are not finite")
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, Any]) -> None:
    """Write torch's tensors as safetensors, whole or not at all."""
    from safetensors.torch import save_file

    with replacing(path) as partial:
        save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, partial)


def _check_names(found: set[str], wanted: set[str], path: Path) -> None:
    for names, what in ((wanted - found, "lacks"), (found - wanted, "has an unknown")):
        if names:
            raise InputError(f"{path} {what} tensor {min(names)!r}; it fits another network")


def _check(found: Like, wanted: Any, where: str) -> None:
    shape = tuple(wanted.shape)
    fits = len(shape) == len(found.shape) and all(
        want in (None, have) for want, have in zip(shape, found.shape, strict=True)
    )
    dtype = str(wanted.dtype).removeprefix("torch.")
    if not fits or _DTYPES.get(found.dtype) != dtype:
        raise InputError(
            f"{where} is {_DTYPES.get(found.dtype, found.dtype)} {list(found.shape)}; "
            f"it must be {dtype} {[n or 'any' for n in shape]}"
        )


def _finite(tensor: Any) -> bool:
    if isinstance(tensor, np.ndarray):
        return tensor.dtype.kind != "f" or bool(np.isfinite(tensor).all())
    return not tensor.is_floating_point() or bool(tensor.isfinite().all())
