"""Notes as replays keep them: JSON, and never longer than a reader takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import orjson

LONGEST = 256_000  # bytes of a decision's notes
_MARK = " … (cut)"


def written(notes: Sequence[Mapping[str, Any] | None] | None, n: int) -> list[bytes | None] | None:
    """The JSON of ``n`` turns' notes, cut where one is too long.

    Raises ValueError or TypeError where they are not ``n`` mappings of JSON.
    """
    if notes is None:
        return None
    notes = list(islice(notes, n + 1))  # one that goes on for ever must not be exhausted
    if len(notes) != n or not all(note is None or isinstance(note, dict) for note in notes):
        raise ValueError(f"notes are not {n} mappings, one for each turn")
    return [None if note is None else _json(note) for note in notes]


def of_error(error: BaseException) -> bytes:
    """The note of a crash."""
    return _json({"error": described(error)})


def described(error: BaseException) -> str:
    """An exception in words that JSON can hold, however odd it is."""
    try:
        text = f"{type(error).__name__}: {str(error)[:LONGEST]}"
    except BaseException as worse:
        text = f"{type(error).__name__} (its text raises {type(worse).__name__})"
    # A lone surrogate, as in the name of a file that is not UTF-8, is no JSON.
    return text.encode(errors="backslashreplace").decode()


def _json(note: Mapping[str, Any]) -> bytes:
    text = orjson.dumps(note, option=orjson.OPT_SERIALIZE_NUMPY)
    return text if len(text) <= LONGEST else _cut(note, len(text))


def _cut(note: Mapping[str, Any], size: int) -> bytes:
    """The note with what is long in it cut, ``"cut"`` its bytes before."""
    share = LONGEST // (2 * len(note) + 2)
    kept = {name: _shortened(value, share) for name, value in note.items()}
    text = orjson.dumps({**kept, "cut": size}, option=orjson.OPT_SERIALIZE_NUMPY)
    return text if len(text) <= LONGEST else orjson.dumps({"cut": size})


def _shortened(value: Any, share: int) -> Any:
    """The value, or its beginning as text where its JSON has more bytes than ``share``."""
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    if len(text) <= share:
        return value
    whole: str = value if isinstance(value, str) else text.decode()
    kept = whole[:share]
    while (size := len(orjson.dumps(kept))) > share + 2:  # quotes and control characters take more
        kept = kept[: len(kept) * share // size]
    return kept + _MARK
