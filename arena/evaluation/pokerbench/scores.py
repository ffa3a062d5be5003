"""Scores of answers to PokerBench, and what an answer must beat.

``judge`` scores by the strict grammar of ``pokerbench``. ``judge_by_substrings`` is the scorer that
PokerBench itself uses, kept to show what it pays for: it looks for words anywhere in an answer, so
that ``EVERYTHING`` has the right class always and is an exact match wherever no size is asked for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from arena.envs import seeding
from arena.evaluation.pokerbench.rows import CLASSES, Row, class_of

EVERYTHING = "fold, call, check, raise or bet"
FOLDS = 10


class Marks(NamedTuple):
    """Whether an answer has the right class, and is exactly right (0 to 1: a chance, of chance)."""

    action: float
    exact: float


def judge(row: Row, move: str | None) -> Marks:
    """The score of a move as ``pokerbench.answer_to`` reads it; None (no move) is wrong."""
    if move is None:
        return Marks(0.0, 0.0)
    return Marks(float(class_of(move) == class_of(row.answer)), float(move == row.answer))


def judge_by_substrings(row: Row, answer: str) -> Marks:
    """The score that PokerBench's own scorer gives to all that a model wrote.

    It prints sizes before the flop with a decimal (``raise 14.0``); here both are in our writing.
    """
    said = answer.lower()
    named = class_of(row.answer) in said
    exact = row.answer in said
    return Marks(float(exact or named), float(exact))


# -- baselines -------------------------------------------------------------------------------------


def judge_chance(row: Row) -> Marks:
    """What a move drawn uniformly from the row's moves scores on average."""
    right = sum(class_of(move) == class_of(row.answer) for move in row.moves)
    return Marks(right / len(row.moves), 1 / len(row.moves))


class Majority:
    """The most frequent answer among rows that offer the same moves: it sees no card.

    First the class that most of them have, then, of a bet or raise, the size that most have: the
    smallest on offer, the next. Moves are the same by their names or, where ``sized``, only with
    the same sizes, too; these tell a little of the situation. For moves that it has never seen it
    takes rows with moves of the same names, of the same classes, and any rows if there are none.
    """

    def __init__(self, rows: Iterable[Row], *, sized: bool) -> None:
        self.sized = sized
        self._classes: dict[object, Counter[str]] = defaultdict(Counter)
        self._sizes: dict[object, Counter[int]] = defaultdict(Counter)
        for row in rows:
            name = class_of(row.answer)
            size = _sizes(row, name).index(row.answer)
            for menu in self._menus(row):
                self._classes[menu][name] += 1
                self._sizes[menu, name][size] += 1

    def answer(self, row: Row) -> str:
        """The move for a row."""
        offered = [name for name in CLASSES if _sizes(row, name)]
        best, among = offered[0], Counter[int]()
        for menu in self._menus(row):
            counts = self._classes.get(menu, Counter())
            best = max(offered, key=lambda name: counts[name])
            if counts[best]:
                among = self._sizes[menu, best]
                break
        sizes = _sizes(row, best)
        return sizes[max(range(len(sizes)), key=lambda size: among[size])]

    def _menus(self, row: Row) -> Iterator[object]:
        """What the majority goes by, from the particular to the general."""
        if self.sized:
            yield row.source, "moves", *sorted(row.moves)
        yield row.source, "names", *sorted(move.partition(" ")[0] for move in row.moves)
        yield row.source, "classes", *sorted(set(map(class_of, row.moves)))
        yield row.source


def majority(rows: Sequence[Row], *, sized: bool, held_out: bool) -> list[str]:
    """The majority's answer to each row.

    ``held_out``: learnt from the other nine tenths of the rows (a row's tenth follows from its
    name), which is what a player without cards can do; else from all rows, their own answers
    among them, which is what the published figures are.
    """
    if not held_out:
        learnt = Majority(rows, sized=sized)
        return [learnt.answer(row) for row in rows]
    folds = [seeding.derive("fold", row.key) % FOLDS for row in rows]
    by_fold = [
        Majority((r for r, fold in zip(rows, folds, strict=True) if fold != held), sized=sized)
        for held in range(FOLDS)
    ]
    return [by_fold[fold].answer(row) for row, fold in zip(rows, folds, strict=True)]


def _sizes(row: Row, name: str) -> list[str]:
    """The row's moves of a class, the smallest first, all-in last."""
    own = [move for move in row.moves if class_of(move) == name]
    return sorted(own, key=lambda move: float(move.partition(" ")[2] or "inf"))
