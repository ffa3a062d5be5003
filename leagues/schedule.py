"""Who meets whom on which deals.

Every lineup of a round plays the same deals, in all its seatings, so that luck is shared and what
is left is strength.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, ClassVar

import numpy as np

from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.specs import Spec, bind
from arena.leagues.match import Result
from arena.leagues.until import Rule, decided, make_rule

Pairing = tuple[tuple[int, ...], int, int]  # entrants' numbers, first deal, deals


class Schedule(ABC):
    """A rule that says which matches come next, given the results so far."""

    kind: ClassVar[str]
    most: ClassVar[Mapping[str, int]]  # of each number

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = self.most[name]
            if not 1 <= value <= most:
                raise InputError(f"{name}={value} must be from 1 to {most:,}")

    @abstractmethod
    def check(self, game: Game, entrants: int, where: str) -> None:
        """InputError where so many entrants cannot play this game by this schedule."""

    @abstractmethod
    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """The next round, or None where the league is over.

        ``scores[r]`` holds what each entrant scored in round r: one for each opponent that it beat,
        half for a tie.
        """

    @abstractmethod
    def total(self, seats: int, entrants: int) -> int:
        """How many matches the league has in all."""

    def left(
        self,
        pairings: list[Pairing],
        keys: Sequence[str],
        results: Sequence[Result],
        session: int,
    ) -> list[Pairing]:
        """Those of a round's pairings that are worth playing after the results of those before.

        Args:
            keys: of the entrants, by number.
            session: how many deals a contest has.

        Where there are none the league is over.
        """
        return pairings

    def to_json(self) -> dict[str, Any]:
        """Plain values that ``make_schedule`` reads back."""
        return {"kind": self.kind, **vars(self)}


def _lineups_needed(seats: int, entrants: int, where: str) -> None:
    if entrants < max(seats, 2):
        raise InputError(
            f"{where}: {entrants} for a game of {seats} seat{'s' * (seats != 1)}; "
            f"name at least {max(seats, 2)}"
        )


@dataclass(frozen=True, kw_only=True)
class RoundRobin(Schedule):
    """All pairs of a two-seat game; all entrants, each alone, in a solo game's race.

    Attributes:
        deals: how many deals each pair plays (each in both seatings).
        deals_per_match: a match is a chunk of them: what a kill can lose, and what a replay holds.
    """

    deals: int = 1000
    deals_per_match: int = 100

    kind: ClassVar[str] = "round-robin"
    most: ClassVar[Mapping[str, int]] = {"deals": 10**8, "deals_per_match": 10**4}

    def check(self, game: Game, entrants: int, where: str) -> None:
        """Two entrants at least, and a game of one or two seats."""
        _lineups_needed(game.seats, entrants, where)
        if game.seats > 2:
            raise InputError(
                f"{where}: a round robin is over pairs, and this game has {game.seats} seats; "
                "use schedule kind rotation"
            )

    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """Everything at once, deals first, so that a part of a league is balanced."""
        if scores:
            return None
        lineups = list(combinations(range(entrants), 2)) if seats == 2 else [tuple(range(entrants))]
        return [
            (lineup, first, min(self.deals_per_match, self.deals - first))
            for first in range(0, self.deals, self.deals_per_match)
            for lineup in lineups
        ]

    def chunk(self, entrants: int, number: int) -> list[Pairing]:
        """All pairs on the deals of one match; none after the last."""
        first = number * self.deals_per_match
        deals = min(self.deals_per_match, self.deals - first)
        return [(pair, first, deals) for pair in combinations(range(entrants), 2) if deals > 0]

    def total(self, seats: int, entrants: int) -> int:
        """Pairs times chunks."""
        return (comb(entrants, 2) if seats == 2 else 1) * -(-self.deals // self.deals_per_match)


@dataclass(frozen=True, kw_only=True)
class Rotation(Schedule):
    """Full tables of a game with many seats: lineups are drawn so that all play equally often.

    Attributes:
        rounds: in each, every entrant plays once (twice for some where the seats don't divide).
        deals: how many deals each lineup plays, each in all rotations of the seats.
    """

    rounds: int = 20
    deals: int = 50

    kind: ClassVar[str] = "rotation"
    most: ClassVar[Mapping[str, int]] = {"rounds": 10**5, "deals": 10**4}

    def check(self, game: Game, entrants: int, where: str) -> None:
        """As many entrants as seats, at least."""
        _lineups_needed(game.seats, entrants, where)

    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """All rounds at once; round r plays deals r·deals … (r + 1)·deals - 1."""
        if scores:
            return None
        out: list[Pairing] = []
        for number in range(self.rounds):
            generator = np.random.default_rng(seeding.derive(seed, "rotation", number))
            order = generator.permutation(entrants).tolist()
            # The last table is filled up with entrants of the first ones.
            order += order[: -len(order) % seats]
            for first in range(0, len(order), seats):
                lineup = tuple(order[first : first + seats])
                out.append((lineup, number * self.deals, self.deals))
        return out

    def total(self, seats: int, entrants: int) -> int:
        """Tables a round times rounds."""
        return self.rounds * -(-entrants // seats)


@dataclass(frozen=True, kw_only=True)
class Swiss(Schedule):
    """Rounds of pairs of equal score who have not met: a ranking from few matches.

    Attributes:
        rounds: how many.
        deals: how many deals each pair plays in its round, in both seatings.
    """

    rounds: int = 5
    deals: int = 200

    kind: ClassVar[str] = "swiss"
    most: ClassVar[Mapping[str, int]] = {"rounds": 1000, "deals": 10**4}

    def check(self, game: Game, entrants: int, where: str) -> None:
        """A two-seat game, and fewer rounds than opponents."""
        _lineups_needed(game.seats, entrants, where)
        if game.seats != 2:
            raise InputError(f"{where}: a Swiss league is over pairs; this game has not two seats")
        if entrants > 1000:
            raise InputError(f"{where}: {entrants} entrants; a Swiss league pairs 1,000 at most")
        if self.rounds >= entrants + entrants % 2:
            raise InputError(
                f"{where}: {entrants} entrants meet for {self.rounds} rounds without meeting "
                f"twice only if rounds is below {entrants + entrants % 2}"
            )

    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """The next round's pairs: neighbours by score, as few meeting twice as can be."""
        number = len(scores)
        if number == self.rounds:
            return None
        met: set[frozenset[int]] = set()
        for played in range(number):
            previous = self._pairs(entrants, seed, scores[:played], met)
            met |= {frozenset(pair) for pair in previous}
        pairs = self._pairs(entrants, seed, scores, met)
        return [(pair, number * self.deals, self.deals) for pair in pairs if max(pair) < entrants]

    def _pairs(
        self,
        entrants: int,
        seed: int,
        scores: Sequence[dict[int, float]],
        met: set[frozenset[int]],
    ) -> list[tuple[int, int]]:
        order = np.random.default_rng(seeding.derive(seed, "swiss")).permutation(entrants).tolist()
        total = {who: sum(round.get(who, 0.0) for round in scores) for who in order}
        ranking = sorted(order, key=lambda who: -total[who])
        if entrants % 2:
            ranking.append(entrants)  # whoever is paired with this number sits the round out
        pairs = next(_matchings(ranking, met), None)
        if pairs is None:  # all that is left has met: then let the nearest meet again
            pairs = list(zip(ranking[::2], ranking[1::2], strict=True))
        return pairs

    def total(self, seats: int, entrants: int) -> int:
        """Half the entrants a round; who is left over sits it out."""
        return self.rounds * (entrants // 2)


def _matchings(ranking: Sequence[int], met: set[frozenset[int]]) -> Iterator[list[tuple[int, int]]]:
    """Perfect matchings without a pair in ``met``, the nearest in rank first (backtracking)."""
    if not ranking:
        yield []
        return
    first, rest = ranking[0], ranking[1:]
    for index, other in enumerate(rest):
        if frozenset((first, other)) not in met:
            for pairs in _matchings([*rest[:index], *rest[index + 1 :]], met):
                yield [(min(first, other), max(first, other)), *pairs]


@dataclass(frozen=True)
class Until(Schedule):
    """A round robin in rounds of a match for each pair, until a rule has seen enough."""

    plan: RoundRobin
    rule: Rule

    def __post_init__(self) -> None:
        """The plan has checked its numbers."""

    def check(self, game: Game, entrants: int, where: str) -> None:
        """A game of two seats, and what the rule asks for."""
        self.plan.check(game, entrants, where)
        if game.seats != 2:
            raise InputError(f"{where}: until ends round robins of pairs; {game.name} has none")
        self.rule.check(entrants, where)

    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """The next chunk of deals, for each pair."""
        return self.plan.chunk(entrants, len(scores)) or None

    def total(self, seats: int, entrants: int) -> int:
        """As many as are played if nothing is ever decided."""
        return self.plan.total(seats, entrants)

    def left(
        self,
        pairings: list[Pairing],
        keys: Sequence[str],
        results: Sequence[Result],
        session: int,
    ) -> list[Pairing]:
        """None where the rule has seen enough."""
        return [] if results and self.rule.enough(results, session) else pairings

    def to_json(self) -> dict[str, Any]:
        """The plan's, and the rule."""
        return {**self.plan.to_json(), "until": self.rule.to_json()}


@dataclass(frozen=True, kw_only=True)
class Adaptive(RoundRobin):
    """A round robin of pairs in which a pair plays until it is known who of the two is ahead.

    All pairs play the first match. ``deals`` is how many a pair plays at most.
    """

    deals: int = 20_000

    kind: ClassVar[str] = "adaptive"

    def check(self, game: Game, entrants: int, where: str) -> None:
        """Two entrants at least, and a game of two seats."""
        _lineups_needed(game.seats, entrants, where)
        if game.seats != 2:
            raise InputError(f"{where}: kind adaptive is over pairs; {game.name} has none")

    def pairings(
        self, seats: int, entrants: int, seed: int, scores: Sequence[dict[int, float]]
    ) -> list[Pairing] | None:
        """The next chunk of deals, for each pair."""
        return self.chunk(entrants, len(scores)) or None

    def left(
        self,
        pairings: list[Pairing],
        keys: Sequence[str],
        results: Sequence[Result],
        session: int,
    ) -> list[Pairing]:
        """Those of pairs that are not decided."""
        known = decided(results, session, len(keys)) if results else set()
        return [it for it in pairings if frozenset(keys[number] for number in it[0]) not in known]


KINDS: dict[str, type[Schedule]] = {
    kind.kind: kind for kind in (RoundRobin, Rotation, Swiss, Adaptive)
}


def make_schedule(config: Any, where: str) -> Schedule:
    """The schedule of ``{kind: …, option: …}``; ``where`` names it in InputErrors."""
    if not isinstance(config, Mapping):
        raise InputError(f"{where} is {config!r}; write {{kind: round-robin, deals: 1000}}")
    options = {str(name): value for name, value in config.items()}
    kind = str(options.pop("kind", RoundRobin.kind))
    if kind not in KINDS:
        raise InputError(f"{where}: no kind {kind!r}; kinds are {', '.join(KINDS)}")
    rule = make_rule(options.pop("until"), f"{where}: until") if "until" in options else None
    try:
        plan = KINDS[kind](**bind(KINDS[kind], Spec(kind, None, options), "schedule"))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    if rule is None:
        return plan
    if not isinstance(plan, RoundRobin) or isinstance(plan, Adaptive):
        raise InputError(f"{where}: until ends a round robin, and the kind is {kind}")
    return Until(plan, rule)
