"""What comes of PokerBench: scores beside their baselines, confusions, situations, examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.llm.prompting.holdem import words as poker_words
from arena.agents.llm.prompting.templates import Template
from arena.envs.holdem import cards
from arena.evaluation import estimates
from arena.evaluation.answering import Recorded
from arena.evaluation.pokerbench import rows as pokerbench
from arena.evaluation.pokerbench.rows import CLASSES, Row, class_of
from arena.evaluation.pokerbench.scores import (
    EVERYTHING,
    judge,
    judge_by_substrings,
    judge_chance,
    majority,
)
from arena.evaluation.report import (
    Bar,
    Bars,
    Cell,
    Examples,
    Excerpt,
    Heat,
    Part,
    SuiteReport,
    Table,
    percent,
)

_PLACES = {"preflop": "before the flop", "postflop": "after the flop"}
_PUBLISHED = {
    "preflop": "Llama-3-8B fine-tuned AA 82.3, EM 80.1",
    "postflop": "Llama-3-8B fine-tuned AA 79.1, EM 76.5",
}
SIZED, NAMED = "majority, same moves", "majority, same names"
"""The baselines that go by the legal moves with their sizes, and by their names alone."""


@dataclass(frozen=True)
class Sheet:
    """What one agent answered under one prompt with so many shots, by the rows' keys."""

    name: str
    spec: str
    template: Template
    shots: int
    answers: Mapping[str, Recorded]


Scores = NDArray[np.float64]
"""float64 ``(rows, 4)``: ``KINDS`` of each row."""
KINDS = ("AA", "EM", "AA_by_substrings", "EM_by_substrings")


def report(
    settings: Mapping[str, Any], rows: Sequence[Row], asked: Sequence[Row], sheets: Sequence[Sheet]
) -> SuiteReport:
    """The report on ``asked``, a part of all ``rows``, from which baselines are learnt."""
    baselines = _baselines(rows, asked)
    tables: list[Part] = []
    by_substrings: list[Part] = []
    details: list[Part] = []
    results: dict[str, Any] = {}
    for source, where in _PLACES.items():
        at = [number for number, row in enumerate(asked) if row.source == source]
        if not at:
            continue
        chosen = [asked[number] for number in at]
        scores = {sheet.name: _judge(chosen, sheet) for sheet in sheets}
        chance = {name: values[at] for name, values in baselines.items()}
        results[source] = _figures(chosen, sheets, scores, chance)
        tables.append(_table(source, results[source]))
        by_substrings.append(_lenient(where, results[source]))
        for sheet in sheets:
            details.append(_confusion(where, chosen, sheet))
            details.append(_categories(where, chosen, sheet, scores[sheet.name], chance[SIZED]))
    bars = _bars(results, [sheet.name for sheet in sheets])
    lead = (
        f"{len(asked):,} rows, seed {settings['seed']}. AA is the share of answers of the "
        "solver's class (fold, check, call, bet, raise), EM of those that also name its size; "
        "an answer that is not exactly one move is wrong. Intervals are of 95 %, from a bootstrap "
        "over rows. A majority is the most frequent answer among rows that offer the same moves, "
        "or moves of the same names, in nine tenths of all rows that the row itself is not in; "
        "in-sample in all of them. It sees no card."
    )
    agents = {
        sheet.name: {
            "spec": sheet.spec,
            "prompt": sheet.template.name,
            "prompt_sha256": sheet.template.digest,
            "shots": sheet.shots,
        }
        for sheet in sheets
    }
    return SuiteReport(
        "PokerBench",
        lead,
        [*tables, bars, *details, *by_substrings, _examples(asked, sheets)],
        {"settings": dict(settings), "agents": agents, "results": results},
    )


def _judge(rows: Sequence[Row], sheet: Sheet) -> Scores:
    answers = [sheet.answers[row.key] for row in rows]
    return np.array(
        [
            (*judge(row, answer.value), *judge_by_substrings(row, answer.said))
            for row, answer in zip(rows, answers, strict=True)
        ]
    )


def _baselines(rows: Sequence[Row], asked: Sequence[Row]) -> dict[str, Scores]:
    """Scores of what sees no card, by name, for the rows asked."""
    baselines = {}
    for held_out, ending in ((True, ""), (False, ", in-sample")):
        for name, sized in ((SIZED, True), (NAMED, False)):
            moves = majority(rows, sized=sized, held_out=held_out)
            by_key = {row.key: move for row, move in zip(rows, moves, strict=True)}
            baselines[name + ending] = np.array(
                [
                    (*judge(row, by_key[row.key]), *judge_by_substrings(row, by_key[row.key]))
                    for row in asked
                ]
            )
    chance = [judge_chance(row) for row in asked]
    baselines["random legal move"] = np.array([(*one, *one) for one in chance])
    baselines[f"“{EVERYTHING}”"] = np.array(
        [(*judge(row, None), *judge_by_substrings(row, EVERYTHING)) for row in asked]
    )
    return baselines


def _figures(
    rows: Sequence[Row],
    sheets: Sequence[Sheet],
    scores: Mapping[str, Scores],
    baselines: Mapping[str, Scores],
) -> dict[str, Any]:
    """All figures of one source, in percent."""
    columns = {
        (name, kind): values[:, number]
        for name, values in {**scores, **baselines}.items()
        for number, kind in enumerate(KINDS)
    }
    ahead = {
        (name, f"AA_above_{other}"): values[:, 0] - baselines[other][:, 0]
        for name, values in scores.items()
        for other in (SIZED, NAMED)
    }
    facts: dict[str, dict[str, Any]] = {name: {} for name in (*scores, *baselines)}
    for (name, kind), found in (
        *estimates.shares(columns).items(),
        *estimates.means(ahead).items(),
    ):
        facts[name][kind] = percent(found)
    for sheet in sheets:
        answers = [sheet.answers[row.key] for row in rows]
        kinds = Counter(answer.failure for answer in answers)
        facts[sheet.name] |= {
            "failures": {kind: kinds[kind] for kind in ("illegal", "crash", "timeout")},
            "tokens": float(np.mean([a.tokens_in + a.tokens_out for a in answers])),
            "seconds": float(np.mean([a.seconds for a in answers])),
        }
    return {
        "rows": len(rows),
        "agents": {name: facts[name] for name in scores},
        "baselines": {name: facts[name] for name in baselines},
    }


def _table(source: str, figures: Mapping[str, Any]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for name, facts in figures["agents"].items():
        ahead = [facts[f"AA_above_{other}"] for other in (SIZED, NAMED)]
        lines.append(
            (
                *(name, facts["AA"], facts["EM"], *ahead),
                *(sum(facts["failures"].values()), facts["tokens"], 1000 * facts["seconds"]),
            )
        )
    for name, facts in figures["baselines"].items():
        lines.append((name, facts["AA"], facts["EM"], *(5 * [None])))
    headings = (
        *("agent", "AA, %", "EM, %", "AA above majority, same moves", "… same names"),
        *("no move", "tokens", "ms"),
    )
    everything = figures["baselines"][f"“{EVERYTHING}”"]
    note = (
        f"PokerBench's own scorer, by substrings, gives “{EVERYTHING}” "
        f"AA {everything[KINDS[2]].value:.1f}, EM {everything[KINDS[3]].value:.1f}. "
        f"Published by that scorer, with no list of moves in the prompt: {_PUBLISHED[source]}."
    )
    where = _PLACES[source].capitalize()
    return Table(f"{where}, {figures['rows']:,} rows", headings, lines, note)


def _lenient(where: str, figures: Mapping[str, Any]) -> Table:
    lines = [
        (name, *(facts[kind] for kind in KINDS))
        for name, facts in {**figures["agents"], **figures["baselines"]}.items()
    ]
    return Table(
        f"What a scorer by substrings would say, {where}",
        ("agent", "AA, %", "EM, %", "AA by substrings, %", "EM by substrings, %"),
        lines,
        "PokerBench's own scorer looks for the right words anywhere in an answer.",
        printed=False,
    )


def _bars(results: Mapping[str, Any], names: Sequence[str]) -> Bars:
    groups = []
    for source, figures in results.items():
        bars = [Bar(name, figures["agents"][name]["AA"]) for name in names]
        bars += [
            Bar(name, facts["AA"], baseline=True)
            for name, facts in figures["baselines"].items()
            if not name.endswith("in-sample")
        ]
        groups.append((f"AA {_PLACES[source]}", bars))
    return Bars("Action accuracy", "%", groups, (0.0, 100.0))


def _confusion(where: str, rows: Sequence[Row], sheet: Sheet) -> Heat:

    counts = {(right, given): 0 for right in CLASSES for given in (*CLASSES, "none")}
    for row in rows:
        value = sheet.answers[row.key].value
        counts[class_of(row.answer), "none" if value is None else class_of(value)] += 1
    present = [
        right for right in CLASSES if any(counts[right, given] for given in (*CLASSES, "none"))
    ]
    given = [name for name in (*CLASSES, "none") if any(counts[right, name] for right in present)]
    sums = {right: sum(counts[right, name] for name in given) for right in present}
    return Heat(
        f"{sheet.name}: answers {where}",
        [f"{right} ({sums[right]:,})" for right in present],
        given,
        [[counts[right, name] / sums[right] for name in given] for right in present],
        texts=[[str(counts[right, name]) for name in given] for right in present],
        corner="right",
        note="Rows: the solver's class, with how many there are. Columns: the answer's.",
    )


_FEWEST, _SHOWN = 10, 8


def _categories(
    where: str,
    rows: Sequence[Row],
    sheet: Sheet,
    scores: Scores,
    chance: Scores,
) -> Table:
    """Where an agent is furthest below (or least above) the majority."""

    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        hand = poker_words.hand_rank(cards.parse(row.hole), cards.parse(row.board))
        moves = "/".join(dict.fromkeys(map(class_of, row.moves)))
        for name in (f"{row.street}, {moves}", f"{row.position} to act", f"holding {hand}"):
            groups.setdefault(name, []).append(number)
    lines = []
    for name, numbers in groups.items():
        if len(numbers) >= _FEWEST:
            own = 100 * float(scores[numbers, 0].mean())
            base = 100 * float(chance[numbers, 0].mean())
            lines.append((name, len(numbers), own, base, own - base))
    lines.sort(key=lambda line: line[-1])
    return Table(
        f"{sheet.name}: worst situations {where}",
        ("situation", "rows", "AA, %", "majority's AA, %", "difference"),
        lines[:_SHOWN],
        f"Situations of at least {_FEWEST} rows; a row is in several.",
        printed=False,
    )


def _examples(rows: Sequence[Row], sheets: Sequence[Sheet]) -> Examples:

    items = []
    for sheet in sheets:
        wanted = {True: 2, False: 3}
        for row in rows:
            answer = sheet.answers[row.key]
            good = bool(judge(row, answer.value).action)
            if wanted[good]:
                wanted[good] -= 1
                verdict = "right" if good else (answer.failure or "wrong")
                prompt = pokerbench.ask(row, sheet.template).prompt
                said = answer.said or answer.error or "(nothing)"
                items.append(
                    Excerpt(sheet.name, row.key, prompt, said[:500], row.answer, verdict, good)
                )
    return Examples("Answers", items, "Prompts without the examples that were shown before.")
