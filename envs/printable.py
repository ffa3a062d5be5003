"""Text from outside, as it may be printed: what would steer a terminal is shown, not obeyed."""

from __future__ import annotations

import re

# Control characters (C0, DEL, C1), marks that reorder a line, separators of lines and paragraphs,
# and lone surrogates, which no encoding holds.
_STEERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_TEXT = re.compile(f"[{_STEERS}]")
_IN_LINE = re.compile(f"[\t\n{_STEERS}]")


def printable(text: str) -> str:
    """The text with control characters as ``\\u001b`` (which JSON reads back); lines stay lines."""
    return _IN_TEXT.sub(_escaped, text)


def one_line(text: str) -> str:
    """The text as a single line: line ends and tabs are escaped, too."""
    return _IN_LINE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
