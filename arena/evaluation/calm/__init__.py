"""Judge transitions of MiniHack's KeyRoom: was a key picked up, a door unlocked, or neither?

    arena eval calm --agent lm:smollm2 -o results/calm
    arena eval calm --agent lm:smollm2 --variant base --variant map-json -o results/calm

The transitions are those of `arena env pairs`, a third of each kind or (--mode unbalanced) 4 % key
and 4 % door; their labels are exact. A variant of the prompt is named by where it departs from
`base`, joined by `-`, one of each kind at most:

    norole nosymbols notask           a part is left out
    own                               the model thinks of subgoals itself and answers yes or no
    progress optimality transition    another instruction
    json reason                       another form of the answer (reason: for decode=generate)
    map                               the whole map instead of 9 x 9 characters

Without --variant, `base` and each single departure but `reason` are asked. Agents and variants may
be added to a folder later.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arena.agents.exploration.pairs import Pair
    from arena.agents.llm.prompting.calm.judge import Variant
    from arena.evaluation.answering import Recorded
    from arena.evaluation.confusion import Confusion
    from arena.evaluation.report import Cell, Excerpt, Part, SuiteReport

HELP = "judge which transitions achieve a subgoal (CALM)"
_EXAMPLES = 6  # of each agent
_CLASSES = ("key", "door", "none")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--variant",
        action="append",
        metavar="NAME",
        help="of the prompt; several times for several",
    )
    parser.add_argument("--count", type=int, default=300, help="transitions (default 300)")
    parser.add_argument("--mode", choices=("balanced", "unbalanced"), default="balanced")
    parser.add_argument("--task", default="KeyRoom-S5", help="of MiniHack (default KeyRoom-S5)")
    parser.add_argument(
        "--pairs", type=Path, metavar="JSONL", help="a file of `arena env pairs` to judge instead"
    )


def run(options: argparse.Namespace) -> SuiteReport:
    """Ask what is not answered yet, and report."""
    from arena.agents.llm.prompting.calm.judge import DEPARTURES, Variant
    from arena.agents.llm.respondent import respondent
    from arena.cli.console import meter
    from arena.evaluation.answering import ask, kept_in, named
    from arena.evaluation.calm.baselines import questions

    variants = [Variant.parse(v) for v in options.variant or ("base", *DEPARTURES)]
    with meter("loading models"):
        judges = {name: respondent(spec) for name, spec in named(options.agent).items()}
    pairs = _pairs(options)
    answers: dict[tuple[str, str], dict[str, Recorded]] = {}
    total = len(judges) * len(variants) * len(pairs)
    with meter("judgements", kept_in(options.output)) as progress:
        for name, judge in judges.items():
            for variant in dict.fromkeys(variants):
                done, note = len(answers) * len(pairs), f"{name}, {variant}"

                def show(count: int, done: int = done, note: str = note) -> None:
                    progress.update(done + count, total, note)

                answers[name, str(variant)] = ask(
                    options.output, judge, questions(pairs, variant), seed=options.seed,
                    progress=show,
                )  # fmt: skip
    return _report(options, pairs, {str(v): v for v in variants}, answers)


def _pairs(options: argparse.Namespace) -> list[Pair]:
    """The pairs to be judged, of the file that is named or kept in the folder."""
    import hashlib

    import orjson

    from arena.agents.exploration.pairs import pairs, read_pairs
    from arena.cli.console import meter
    from arena.envs.files import write
    from arena.evaluation.answering import open_folder

    if options.pairs is not None:
        found = read_pairs(options.pairs)
        digest = hashlib.sha256(options.pairs.read_bytes()).hexdigest()
        open_folder(options.output, {"suite": "calm", "seed": options.seed, "pairs": digest})
        return found
    facts = {name: getattr(options, name) for name in ("seed", "count", "mode", "task")}
    open_folder(options.output, {"suite": "calm", **facts})
    file = options.output / "pairs.jsonl"
    if not file.exists():
        with meter("transitions") as progress:
            made = pairs(
                options.count, options.mode, task=options.task, seed=options.seed,
                progress=progress.update,
            )  # fmt: skip
        append = orjson.OPT_APPEND_NEWLINE
        write(file, b"".join(orjson.dumps(pair.as_json(), option=append) for pair in made))
    return read_pairs(file)


def _report(
    options: argparse.Namespace,
    pairs: Sequence[Pair],
    variants: Mapping[str, Variant],
    answers: Mapping[tuple[str, str], Mapping[str, Recorded]],
) -> SuiteReport:
    from arena.evaluation.calm.baselines import BASELINES, achieved, truth
    from arena.evaluation.confusion import confusion
    from arena.evaluation.report import Bar, Bars, SuiteReport, Table, percent

    labels: list[str] = [pair.label for pair in pairs]
    reached = [str(achieved(label)) for label in labels]
    judged: list[tuple[str, str, Confusion, Confusion, float | None]] = []
    for name, rule in BASELINES.items():
        said: list[str | None] = [rule(pair) for pair in pairs]
        both = confusion(reached, [achieved(s) for s in said], ("achieved", "none"))
        judged.append((name, "", confusion(labels, said, _CLASSES), both, None))
    for (name, variant), recorded in answers.items():
        said = [one.value for one in recorded.values()]
        true = [str(truth(pair, variants[variant])) for pair in pairs]
        classes = variants[variant].verdicts
        both = confusion(reached, [achieved(s) for s in said], ("achieved", "none"))
        seconds = sum(one.seconds for one in recorded.values()) / len(recorded)
        judged.append((name, variant, confusion(true, said, classes), both, seconds))

    rows: list[tuple[Cell, ...]] = []
    detailed: list[tuple[Cell, ...]] = []
    bars = []
    for name, variant, own, both, cost in judged:
        hit = both.classes["achieved"]
        invalid = sum(n for (_, answer), n in own.counts.items() if answer is None)
        rows.append(
            (
                name, variant, percent(own.accuracy), percent(own.macro), percent(hit.precision),
                percent(hit.recall), percent(hit.f1), 100 * invalid / len(pairs), cost,
            )
        )  # fmt: skip
        bars.append(Bar(f"{name} {variant}".strip(), percent(hit.f1), baseline=not variant))
        for kind, scores in own.classes.items():
            figures = (scores.precision, scores.recall, scores.f1)
            detailed.append((name, variant, kind, *map(percent, figures)))
    parts: list[Part] = [
        Table(
            "Judgements",
            ("judge", "prompt", "accuracy %", "macro F1 %", "precision %", "recall %", "F1 %",
             "void %", "s"),
            rows,
            "Accuracy and macro F1 over the prompt's own classes: key, door and none, or (own) "
            "achieved and none. Precision, recall and F1 of a subgoal being achieved at all, which "
            "is what a reward is paid for. Intervals are 95 %. void: answers outside the grammar; "
            "s: seconds a judgement.",
        ),
        Bars("F1 of a subgoal being achieved", "%", [("", bars)], (0.0, 100.0)),
        Table(
            "By class", ("judge", "prompt", "class", "precision %", "recall %", "F1 %"), detailed,
            printed=False,
        ),
        *_examples(pairs, variants, answers),
    ]  # fmt: skip
    counts = ", ".join(f"{labels.count(kind)} {kind}" for kind in _CLASSES)
    source = str(options.pairs) if options.pairs else f"{options.task}, {options.mode}"
    return SuiteReport(
        "CALM: who can tell that a subgoal was achieved?",
        f"{len(pairs)} transitions ({source}): {counts}.",
        parts,
        {
            "pairs": len(pairs),
            "source": source,
            "prompts": {name: variant.template.digest for name, variant in variants.items()},
            "judges": [
                {
                    "judge": name,
                    "prompt": variant or None,
                    "seconds": cost,
                    "own": _plain(own),
                    "achieved": _plain(both),
                }
                for name, variant, own, both, cost in judged
            ],
        },
    )


def _plain(found: Confusion) -> dict[str, object]:
    return {
        "accuracy": found.accuracy.to_json(),
        "macro_f1": found.macro.to_json(),
        "classes": {
            kind: {name: estimate.to_json() for name, estimate in vars(scores).items()}
            for kind, scores in found.classes.items()
        },
        "confusion": [[true, said, count] for (true, said), count in found.counts.items()],
    }


def _examples(
    pairs: Sequence[Pair],
    variants: Mapping[str, Variant],
    answers: Mapping[tuple[str, str], Mapping[str, Recorded]],
) -> list[Part]:
    """Of each agent, by its first variant, wrong judgements and a right one of each kind."""
    from arena.evaluation.calm.baselines import questions, truth
    from arena.evaluation.report import Examples, Excerpt

    items: list[Excerpt] = []
    for name in dict.fromkeys(agent for agent, _ in answers):
        variant = next(v for agent, v in answers if agent == name)
        asked, recorded = questions(pairs, variants[variant]), answers[name, variant]
        shown: dict[tuple[str, str | None], int] = {}
        for pair, (number, one) in zip(pairs, recorded.items(), strict=True):
            right = truth(pair, variants[variant])
            kind = (right, one.value)
            shown[kind] = shown.get(kind, 0) + 1
            if shown[kind] > 1 or sum(item.agent == name for item in items) == _EXAMPLES:
                continue
            good = one.value == right
            items.append(
                Excerpt(
                    name, f"{variant} {number}", asked[number].prompt, one.said[:200], right,
                    "right" if good else one.failure or "wrong", good,
                )
            )  # fmt: skip
    return [Examples("Judgements to read", items)] if items else []
