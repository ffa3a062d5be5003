"""Each fault is done to a league again and again, and what comes of it is compared."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from arena.agents.scripted.hostile import ACCIDENTS, ELSEWHERE
from arena.envs.errors import InputError
from arena.faults.checker import Facts, Verdict, blamed, compare, facts
from arena.faults.kinds import KINDS
from arena.faults.league import Runs, Trouble
from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.store import Store

AGENTS = ("random", "first", "call", "allin", "illegal")
BESIDE = ("call", "random")  # who plays in a league with a hostile agent


@dataclass
class Trial:
    """What came of one league that was disturbed, once or several times.

    Attributes:
        faults: how many were done.
        verdict: of the store, after the league was resumed to its end.
        trouble: what went wrong beside the store; "" where nothing did.
    """

    kind: str
    number: int
    faults: int
    verdict: Verdict
    seconds: float
    trouble: str

    @property
    def good(self) -> bool:
        """Whether it came out as if nothing had happened."""
        return self.verdict.good and not self.trouble

    def to_json(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {**asdict(self), "good": self.good}


@dataclass
class FaultCampaign:
    """Faults done in a folder of their own; what is drawn comes from the seed.

    Attributes:
        deals: of each pair, five a match.
        clock: seconds; stops are longer.
    """

    folder: Path
    seed: int = 0
    deals: int = 100
    clock: float = 5.0
    _undisturbed: dict[tuple[str, ...], dict[str, Facts]] = field(default_factory=dict)

    def trials(self, tries: int, kinds: Sequence[str]) -> Iterator[Trial]:
        """So many trials of each kind, the kinds in turn."""
        for number in range(tries):
            for kind in kinds:
                yield self.trial(kind, number)

    def trial(self, kind: str, number: int) -> Trial:
        """One league with faults of that kind, resumed and compared with the undisturbed one."""
        draw = random.Random(f"{self.seed} {kind} {number}")
        agents: tuple[str, ...] = AGENTS
        if kind == "accident":
            ways = [*ACCIDENTS, *ELSEWHERE]
            random.Random(self.seed).shuffle(ways)  # each has its turn
            agents = (f"hostile?how={ways[number % len(ways)]}", *BESIDE)
        runs = self._runs(f"{kind}-{number}", agents)
        begun = time.monotonic()
        faults, trouble = 0, ""
        verdict = Verdict(runs.total, lost=runs.total)
        try:
            faults = KINDS[kind](runs, draw)
            runs.finish(draw.choice([1, 2]) if kind == "accident" else draw.choice([0, 1, 2]))
            verdict = self._verdict(runs, agents)
        except (Trouble, InputError, AssertionError) as error:
            trouble = f"{agents[0]}: {error}" if kind == "accident" else str(error)
        return Trial(kind, number, faults, verdict, time.monotonic() - begun, trouble)

    def _runs(self, name: str, agents: Sequence[str]) -> Runs:
        return Runs(self.folder / name, agents, self.deals, self.clock)

    def _verdict(self, runs: Runs, agents: tuple[str, ...]) -> Verdict:
        found = facts(runs.store, runs.league)
        if agents == AGENTS:
            return compare(self._expected(agents), found)
        # Matches with a hostile agent are its own affair, but that nobody else may forfeit there.
        (culprit,) = (k for k, name in runs.league.names.items() if name == agents[0])
        expected = self._expected(("first", *BESIDE))
        verdict = compare({id: it for id, it in expected.items() if id in found}, found)
        with_it = runs.total - verdict.matches
        results = Store(str(runs.store)).results(runs.league)
        innocent = [result for _, result in results if blamed(result) - {culprit}]
        verdict.lost = runs.total - len(found)
        verdict.matches += with_it
        verdict.wrong += len(innocent)
        verdict.forfeited += len(innocent)
        return verdict

    def _expected(self, agents: tuple[str, ...]) -> dict[str, Facts]:
        """What the league comes to when nothing happens."""
        if agents not in self._undisturbed:
            league = self._runs("undisturbed-" + agents[0], agents).league
            game = league.make_game()
            pairings = league.make_schedule().pairings(game.seats, len(agents), league.seed, ())
            matches = [runner.make_match(league, game.seats, it) for it in pairings or ()]
            with InProcess(runner.roster(league)) as executor:
                results = executor.run([matches])
                self._undisturbed[agents] = {it.match.id: Facts.of(it) for it in results}
        return self._undisturbed[agents]
