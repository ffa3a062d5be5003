"""A report as one self-contained page: no script, no address outside, light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from html import escape
from importlib.resources import files

from arena.evaluation.report import Bars, Examples, Excerpt, Heat, Part, SuiteReport, Table
from arena.leagues.ratings.estimates import Estimate
from arena.viewer.drawings import STATIC

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_STYLE = files(__package__) / "page.css"


def page(report: SuiteReport) -> bytes:
    """The HTML of a report."""
    body = "\n".join(_sections(report.parts))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(report.title)} · Arena</title>
<style>{(STATIC / "style.css").read_text()}{_STYLE.read_text()}</style>
</head>
<body>
<main id="main">
<div class="head"><h1>{escape(report.title)}</h1><p class="lead">{escape(report.lead)}</p></div>
{body}
</main>
</body>
</html>
""".encode()


def _sections(parts: Sequence[Part]) -> Iterator[str]:
    """Each part's section; a heat map stands beside a table that only the page has."""
    waiting = list(parts)
    while waiting:
        part = waiting.pop(0)
        after = waiting[0] if waiting else None
        if isinstance(part, Heat) and isinstance(after, Table) and not after.printed:
            yield f'<div class="pair">{_section(part)}{_section(waiting.pop(0))}</div>'
        else:
            yield _section(part)


@singledispatch
def _section(part: object) -> str:
    raise TypeError(part)


def _framed(title: str, body: str, note: str) -> str:
    below = f'<p class="note-text">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{body}{below}</section>"


@_section.register
def _table(part: Table) -> str:
    worded = [
        all(isinstance(row[number], str) for row in part.rows)
        for number in range(len(part.columns))
    ]
    kinds = ["" if text else ' class="number"' for text in worded]
    head = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>'
        for name, kind in zip(part.columns, kinds, strict=True)
    )
    rows = ""
    for row in part.rows:
        cells = ""
        for text, kind in zip(part.words(row), kinds, strict=True):
            value, _, spread = text.partition(" (") if kind else (text, "", "")
            spread = f'<span class="range">({escape(spread)}</span>' if spread else ""
            cells += f"<td{kind}>{escape(value)}{spread}</td>"
        rows += f"<tr>{cells}</tr>\n"
    table = (
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    return _framed(part.title, table, part.note)


@_section.register
def _heat(part: Heat) -> str:
    low, high = part.limits
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in part.columns)
    rows = ""
    for number, (name, values) in enumerate(zip(part.rows, part.values, strict=True)):
        cells = ""
        for column, value in enumerate(values):
            text = part.texts[number][column] if part.texts is not None else ""
            if value is None:
                cells += f"<td>{escape(text)}</td>"
                continue
            most = max(abs(low), abs(high)) if low < 0 else high - low
            depth = 100 * min(1.0, max(0.0, (abs(value) if low < 0 else value - low) / most))
            tone = "loss" if value < 0 and low < 0 else "win"
            where = f"{name}, {part.columns[column]}: {value:.3g}"
            cells += (
                f'<td style="--tone: var(--{tone}); --depth: {0.85 * depth:.1f}" '
                f'title="{escape(where)}">{escape(text)}</td>'
            )
        rows += f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>\n'
    table = (
        f'<div class="scroll"><table class="grid"><thead><tr><th>{escape(part.corner)}</th>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    return _framed(part.title, table, part.note)


@_section.register
def _examples(part: Examples) -> str:
    return _framed(part.title, "".join(_example(item) for item in part.items), part.note)


def _example(item: Excerpt) -> str:
    prompt = "".join(
        f'<span class="role">{escape(message.role)}</span><pre>{escape(message.content)}</pre>'
        for message in item.prompt
    )
    kind = "gain" if item.good else "loss"
    return (
        f'<div class="example"><p><b>{escape(item.agent)}</b> '
        f'<span class="muted">{escape(item.name)}</span> '
        f'<b class="{kind}">{escape(item.verdict)}</b>: answered '
        f"<code>{escape(item.answer)}</code>, right is <code>{escape(item.right)}</code></p>"
        f"<details><summary>the prompt</summary>{prompt}</details></div>"
    )


# -- bars ------------------------------------------------------------------------------------------

_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD = 900, 250, 120, 24, 30


@_section.register
def _bars(part: Bars) -> str:
    low, high = part.limits or _limits(part)
    scale = (_WIDTH - _LEFT - _RIGHT) / (high - low)

    def x(value: float) -> float:
        return _LEFT + scale * (min(max(value, low), high) - low)

    ticks = _ticks(low, high)
    digits = 1 - math.floor(math.log10(ticks[1] - ticks[0])) if len(ticks) > 1 else 1
    marks: list[str] = []
    y = 8.0
    for name, bars in part.groups:
        if name:
            marks.append(f'<text class="group" x="0" y="{y + 16:.0f}">{escape(name)}</text>')
            y += _HEAD
        for bar in bars:
            marks += _bar(bar.label, bar.value.value, bar.baseline, x, y)
            marks += _error(bar.value, max(1, digits), x, y)
            y += _ROW
        y += 8
    grid = [
        f'<line class="{"zero" if tick == 0 else "grid"}" x1="{x(tick):.1f}" x2="{x(tick):.1f}" '
        f'y1="4" y2="{y:.0f}"/><text class="tick" x="{x(tick):.1f}" y="{y + 15:.0f}" '
        f'text-anchor="middle">{tick:g}</text>'
        for tick in ticks
    ]
    unit = (
        f'<text class="axis" x="{_WIDTH - _RIGHT + 12}" y="{y + 15:.0f}">{escape(part.unit)}</text>'
    )
    svg = (
        f'<svg class="bars" viewBox="0 0 {_WIDTH} {y + 22:.0f}" role="img" '
        f'aria-label="{escape(part.title)}">{"".join(grid)}{"".join(marks)}{unit}</svg>'
    )
    return _framed(part.title, svg, part.note)


def _bar(
    label: str, value: float, baseline: bool, x: Callable[[float], float], y: float
) -> Iterator[str]:
    shown = label if len(label) <= 38 else label[:37] + "…"
    yield (
        f'<text x="{_LEFT - 10}" y="{y + 16:.0f}" text-anchor="end">{escape(shown)}'
        f"<title>{escape(label)}</title></text>"
    )
    if math.isnan(value):
        return
    left, right = sorted((x(0.0), x(value)))
    kind = "baseline" if baseline else "bar"
    yield (
        f'<rect class="{kind}" x="{left:.1f}" y="{y + 4:.0f}" width="{right - left:.1f}" '
        f'height="16" rx="2"><title>{escape(label)}: {value:.2f}</title></rect>'
    )


def _error(found: Estimate, digits: int, x: Callable[[float], float], y: float) -> Iterator[str]:
    """The interval's whiskers, and the value to their right."""
    if math.isnan(found.value):
        return
    end = x(found.value)
    if found.low < found.high:
        left, end, middle = x(found.low), x(found.high), y + 12
        yield (
            f'<path class="error" d="M{left:.1f} {middle:.0f}H{end:.1f}M{left:.1f} {middle - 4:.0f}'
            f'v8M{end:.1f} {middle - 4:.0f}v8"/>'
        )
    yield f'<text class="value" x="{end + 7:.1f}" y="{y + 16:.0f}">{found.value:.{digits}f}</text>'


def _limits(part: Bars) -> tuple[float, float]:
    ends = [
        end
        for _, bars in part.groups
        for bar in bars
        for end in (bar.value.value, bar.value.low, bar.value.high)
        if math.isfinite(end)
    ]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return (low, high) if low < high else (0.0, 1.0)


def _ticks(low: float, high: float) -> Sequence[float]:
    rough = (high - low) / 5
    step = 10.0 ** math.floor(math.log10(rough))
    step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= rough)
    return [step * k for k in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]
