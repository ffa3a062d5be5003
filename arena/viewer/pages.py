"""The HTML around the modules: a shell that names the page, its style and its data.

Everything that came from outside is escaped, and data is JSON in an element that no browser runs.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from arena.envs.errors import InputError
from arena.viewer import drawings
from arena.viewer.drawings import GENERIC, STATIC

# Served pages run our own files only. `style-src` allows style attributes for Plotly's charts.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
    "data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_SHELL = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{head}<title>{title}</title>
<link rel="icon" href="{icon}">
{style}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header id="top"></header>
<main id="main" tabindex="-1">{body}</main>
<script type="application/json" id="page">{page}</script>
{scripts}
</body>
</html>
"""


def served(title: str, page: Mapping[str, Any], body: str = "") -> bytes:
    """A page of the server; ``page`` tells the module ``main.js`` what to show.

    ``body`` is markup that is there before, and without, the module.
    """
    modules = "".join(
        f'<link rel="modulepreload" href="/static/{name}">\n' for name in _needed(str(page["page"]))
    )
    return _SHELL.format(
        head="",
        title=_title(title),
        icon="/static/icon.svg",
        style=f'<link rel="stylesheet" href="/static/style.css">\n{modules}'.rstrip(),
        body=body,
        page=_data(page),
        scripts='<script type="module" src="/static/main.js"></script>',
    ).encode()


def missing(sentence: str) -> bytes:
    """The page that says what is not there."""
    return served("Not found", {"page": "missing"}, f'<p class="empty">{escape(sentence)}</p>')


def standalone(
    title: str,
    page: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    plotly: str | None = None,
    drawing: str = GENERIC,
) -> bytes:
    """A page that needs no server: its modules, style and data are within it.

    ``data`` are the answers of the interface by their path, JSON-able values or JSON bytes.
    ``plotly`` is where Plotly's script lies, relative to the page, where a chart needs it, and
    ``drawing`` the name of what draws the game that is replayed.
    """
    modules = {*_modules(), f"games/{drawing}.js"}
    imports = {f"arena/{name}": _module_url(name) for name in sorted(modules)}
    importmap = orjson.dumps({"imports": imports}).decode()
    start = 'import "arena/main.js";'
    hashes = " ".join(f"'sha256-{_sha256(text)}'" for text in (importmap, start))
    icon = "data:image/svg+xml;base64," + _base64((STATIC / "icon.svg").read_bytes())
    beside = " 'self' file:" if plotly else ""
    policy = (
        f"default-src 'none'; script-src {hashes} data:{beside}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return _SHELL.format(
        head=f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
        title=_title(title),
        icon=icon,
        style=f"<style>{(STATIC / 'style.css').read_text()}</style>",
        body="",
        page=_data({**page, "plotly": plotly}),
        scripts=f'<script type="application/json" id="data">{_packed(data)}</script>\n'
        f'<script type="importmap">{importmap}</script>\n'
        f'<script type="module">{start}</script>',
    ).encode()


def plotly_file() -> Path:
    """Plotly's script, as the Python package brings it."""
    try:
        package = files("plotly")
    except ModuleNotFoundError:
        raise InputError("charts need plotly; pip install 'arena[viewer]'") from None
    return Path(str(package / "package_data" / "plotly.min.js"))


def _title(title: str) -> str:
    return escape(f"{title} · Arena" if title else "Arena")


def _data(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")


def _packed(data: Mapping[str, Any]) -> str:
    """All of an export's data as one gzip in base64: the frames of many deals are much alike."""
    plain = {
        path: orjson.Fragment(value) if isinstance(value, bytes) else value
        for path, value in data.items()
    }
    return _base64(gzip.compress(orjson.dumps(plain), 6, mtime=0))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _sha256(text: str) -> str:
    return _base64(hashlib.sha256(text.encode()).digest())


# -- modules ---------------------------------------------------------------------------------------

_IMPORT = re.compile(r"""((?:from|import)\s*\(?\s*)"(\.{1,2}/[^"]+\.js)\"""")


@cache
def _modules() -> tuple[str, ...]:
    """All our modules, by their path below ``static``."""
    found = [path.name for path in STATIC.iterdir() if path.name.endswith(".js")]
    for folder in ("pages", "games"):
        found += [
            f"{folder}/{path.name}"
            for path in (STATIC / folder).iterdir()
            if path.name.endswith(".js")
        ]
    return tuple(sorted(found))


@cache
def _source(name: str) -> str:
    folder, _, file = name.rpartition("/")
    if folder == "games":
        return drawings.source(file.removesuffix(".js"))
    return STATIC.joinpath(*name.split("/")).read_text()


def _resolve(base: str, relative: str) -> str:
    """The path below ``static`` of a module that ``base`` imports as ``relative``."""
    parts = base.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _module_url(name: str) -> str:
    """A module as a data URL, whose imports an import map resolves."""
    source = _IMPORT.sub(lambda m: f'{m[1]}"arena/{_resolve(name, m[2])}"', _source(name))
    return "data:text/javascript;base64," + _base64(source.encode())


@cache
def _needed(page: str) -> tuple[str, ...]:
    """The modules that a page imports at once, so that the browser need not find them in turn."""

    def imports(name: str) -> Iterator[str]:
        for match in _IMPORT.finditer(_source(name)):
            if "(" not in match[1]:
                yield _resolve(name, match[2])

    needed: list[str] = []
    waiting = ["main.js", f"pages/{page}.js"]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.append(name)
            waiting += imports(name)
    return tuple(needed)
