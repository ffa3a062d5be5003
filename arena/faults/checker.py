"""Does a store hold what an undisturbed one holds?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from arena.leagues import replay
from arena.leagues.league import League
from arena.leagues.match import Result, Status
from arena.leagues.remake import remake
from arena.leagues.store import Store


class Facts(NamedTuple):
    """All of a match but how long it took."""

    returns: bytes
    tiebreaks: bytes
    statuses: bytes
    decisions: int
    replay: bytes

    @classmethod
    def of(cls, result: Result) -> Facts:
        """A match's facts, its replay read and verified."""
        record = replay.read(result.replay, result.match.id)
        faults = replay.verify(record)
        if faults:
            raise AssertionError(f"match {result.match.id}: {faults[0]}")
        lines = [orjson.loads(line) for line in replay.lines(record)]
        for line in lines:
            line.pop("ms", None)
        return cls(
            result.returns.tobytes(),
            result.tiebreaks.tobytes(),
            result.statuses.tobytes(),
            result.decisions,
            orjson.dumps(lines),
        )


@dataclass
class Verdict:
    """A store beside the undisturbed one, in matches.

    Attributes:
        matches: how many there should be.
        lost: not there.
        wrong: there, and another.
        forfeited: of these, where the statuses differ: somebody is blamed who should not be.
    """

    matches: int = 0
    lost: int = 0
    wrong: int = 0
    forfeited: int = 0

    @property
    def good(self) -> bool:
        """Nothing is missing, and nothing differs."""
        return not self.lost and not self.wrong


def facts(path: Path, league: League) -> dict[str, Facts]:
    """The facts of a league's matches in a store, by id.

    A replay that was lost by damage is made again, as ``arena replay again`` does.
    """
    store = Store(str(path))
    try:
        ids = [result.match.id for _, result in store.results(league)]
        found = (store.match(id) for id in ids)
        return {it.match.id: Facts.of(it if it.replay else remake(it)) for it in found}
    finally:
        store.close()


def compare(undisturbed: dict[str, Facts], found: dict[str, Facts]) -> Verdict:
    """How a store differs from the undisturbed one."""
    verdict = Verdict(len(undisturbed))
    for id, right in undisturbed.items():
        if id not in found:
            verdict.lost += 1
        elif found[id] != right:
            verdict.wrong += 1
            pairs = zip(found[id].statuses, right.statuses, strict=True)
            verdict.forfeited += any(there != here for there, here in pairs)
    return verdict


def blamed(result: Result) -> set[str]:
    """Who forfeits anything in a match."""
    return set().union(*(result.forfeited(status) for status in Status if status != Status.DONE))
