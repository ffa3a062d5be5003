"""Matches that a worker is to play, and who is to blame where it is lost.

A worker may be killed by anybody: the system that is out of memory, a person, a thread that some
agent has left behind. Its matches are played again, nobody forfeits. Where that goes wrong again,
the agents are split over two processes, which play the same matches and tell each other what their
own agents decide, until one is alone in its process. Who kills two processes of its own forfeits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from arena.leagues.block import Doubt
from arena.leagues.match import Match, Result, Status

Keys = frozenset[str]

PROOF = 2  # processes of its own that an agent kills before it is blamed,
PROOF_OF_KILL = 3  # or ends by SIGKILL, which is what the system and people use, too
_MOST_LOSSES = 12  # workers of a job that may be lost with nobody to blame


@dataclass
class Job:
    """Matches still to be played.

    Attributes:
        left: them, by id.
        apart: agents that play in one process, all others in another; empty: all in one.
        final: agents whose lateness is no longer doubtful.
        forfeiting: agents that are not asked any more, and what they forfeit with.
        kills: how many processes of its own each agent has killed.
    """

    left: dict[str, Match]
    apart: Keys = frozenset()
    final: Keys = frozenset()
    forfeiting: dict[str, Status] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    _suspects: Keys = frozenset()
    _losses: int = 0

    def teams(self) -> list[Keys]:
        """The agents that are asked, by the process that they play in."""
        asked = Keys(key for match in self.left.values() for key in match.entrants)
        asked -= self.forfeiting.keys()
        return [team for team in (asked & self.apart, asked - self.apart) if team] or [Keys()]

    def lose(self, team: Keys, asked: str | None, *, alone: bool, killed: bool) -> None:
        """A process of the agents ``team`` was lost while ``asked`` was asked in it.

        Args:
            team: who played in it.
            asked: who had been asked for an answer there, if anybody.
            alone: nobody but the team was ever in that process.
            killed: it was ended by SIGKILL.

        Raises RuntimeError where that happens on and on, and is no single agent's doing.
        """
        self._losses += 1
        if len(team) == 1 and alone:
            self._accuse(min(team), PROOF_OF_KILL if killed else PROOF)
        if self._losses > _MOST_LOSSES:
            raise RuntimeError(
                f"{self._losses} workers in a row were lost while they played the same matches, "
                "and not by one agent; is the machine short of memory? Finished matches are in "
                "the store, run the league again to resume"
            )
        suspects = sorted((self._suspects & team) or team)
        self._suspects = Keys(suspects)
        if self._losses > 1:
            self.apart = Keys(suspects[: -(-len(suspects) // 2)])
        elif asked is not None:
            self.apart = Keys([asked])

    def _accuse(self, agent: str, proof: int) -> None:
        self.kills[agent] += 1
        if self.kills[agent] >= proof:
            self.forfeiting[agent] = Status.CRASH
            self._losses, self._suspects = 0, Keys()

    def overrun(self, agent: str) -> None:
        """``agent`` hung where no clock could interrupt it, and its process was ended."""
        if agent in self.final:
            self.forfeiting[agent] = Status.TIMEOUT
        self.apart, self.final = Keys([agent]), self.final | {agent}


def again(job: Job, doubts: Iterable[Doubt]) -> list[Job]:
    """Matches of ``job`` once more, in each of which an agent was late, perhaps by another's fault.

    It plays them on its own, and is not in doubt again.
    """
    jobs: dict[str, Job] = {}
    for match, agent in doubts:
        fresh = Job(
            {},
            apart=Keys([agent]),
            final=job.final | {agent},
            forfeiting=dict(job.forfeiting),
            kills=Counter(job.kills),
        )
        jobs.setdefault(agent, fresh).left[match.id] = match
    return list(jobs.values())


class Suspicions:
    """What an executor has learned of agents; it plays those on their own from the beginning."""

    def __init__(self) -> None:
        self._slow: set[str] = set()
        self._deadly: set[str] = set()

    def jobs(self, block: Iterable[Match]) -> list[Job]:
        """A block's matches as jobs."""
        jobs: dict[str | None, Job] = {}
        for match in block:
            known = (key for key in match.entrants if key in self._slow | self._deadly)
            suspect = next(known, None)
            jobs.setdefault(suspect, self._job(suspect)).left[match.id] = match
        return list(jobs.values())

    def _job(self, suspect: str | None) -> Job:
        if suspect is None:
            return Job({})
        # One more process that it kills is proof, one more time that it is late is its own fault.
        kills = Counter({suspect: PROOF_OF_KILL - 1} if suspect in self._deadly else {})
        final = Keys([suspect]) if suspect in self._slow else Keys()
        return Job({}, apart=Keys([suspect]), final=final, kills=kills)

    def learn(self, job: Job, result: Result) -> None:
        """From a match of ``job`` that is over."""
        self._slow |= job.final & result.forfeited(Status.TIMEOUT)
        self._deadly |= {key for key, why in job.forfeiting.items() if why == Status.CRASH}
