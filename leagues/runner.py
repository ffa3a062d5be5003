"""Run a league: what its schedule still lacks is played, and every finished match is logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.leagues.executors import Executor
from arena.leagues.league import League
from arena.leagues.match import Match, Result, seatings
from arena.leagues.play import CAPACITY, Roster
from arena.leagues.ratings.log import Log
from arena.leagues.ratings.tally import Tally
from arena.leagues.schedule import Pairing
from arena.leagues.store import Store


@dataclass(frozen=True)
class Progress:
    """How far a league is. ``played`` counts those found in the log at the start, too.

    ``result`` is the match that has just ended (None for the first report).
    """

    played: int
    total: int
    resumed: int
    result: Result | None = None


def roster(league: League) -> Roster:
    """What an executor needs to know of a league."""
    return Roster(league.game, league.identities, league.clock)


def run(league: League, store: Store, executor: Executor) -> Iterator[Progress]:
    """Play what is missing; yields after each match. Resumes wherever it was stopped.

    Each result is in the store before it is yielded; those that arrive together are written in one
    transaction.
    """
    game = league.make_game()
    schedule = league.make_schedule()
    count = len(league.entrants)
    total = schedule.total(game.seats, count)
    store.add_league(league)
    rounds: list[dict[int, float]] = []
    planned: set[str] = set()
    results: list[Result] = []
    played = resumed = 0
    keys, session = list(league.identities), league.session or game.session
    while (pairings := schedule.pairings(game.seats, count, league.seed, rounds)) is not None:
        pairings = schedule.left(pairings, keys, results, session)
        if not pairings:
            yield Progress(played, played, resumed)
            return
        matches = [make_match(league, game.seats, pairing) for pairing in pairings]
        known = store.attach(league, [match.id for match in matches])
        resumed += len(known)
        played += len(known)
        yield Progress(played, total, resumed)
        missing = [match for match in matches if match.id not in known]
        for batch in executor.batches(_blocks(missing, executor.workers)):
            store.append(league, *batch)
            for result in batch:
                played += 1
                yield Progress(played, total, resumed, result)
        if played == total:
            return
        ids = {match.id for match in matches}
        planned |= ids
        results = [r for _, r in store.results(league) if r.match.id in planned]
        latest = (result for result in results if result.match.id in ids)
        rounds.append(_scores(league, latest, session))


def make_match(league: League, seats: int, pairing: Pairing) -> Match:
    """The match that a pairing of the league's schedule stands for."""
    lineup, first_deal, deals = pairing
    agents = [league.entrants[number].identity for number in lineup]
    return Match(
        game=league.game,
        game_version=league.game_version,
        entrants=tuple(agent.key for agent in agents),
        specs=tuple(agent.spec for agent in agents),
        seed=league.seed,
        first_deal=first_deal,
        deals=deals,
        seatings=seatings(seats, len(lineup)),
    )


def _blocks(matches: Sequence[Match], workers: int) -> Iterator[Sequence[Match]]:
    """Cut matches into blocks: large enough to fill the tables, and some for every worker."""
    if not matches:
        return
    tables = max(1, matches[0].deals * len(matches[0].seatings))
    # A few tablefuls a block keep agents' batches large; four blocks a worker even out the end.
    size = max(1, min(8 * CAPACITY // tables, -(-len(matches) // (4 * workers))))
    for first in range(0, len(matches), size):
        yield matches[first : first + size]


def _scores(league: League, results: Iterable[Result], session: int) -> dict[int, float]:
    """A round's scores: one for each opponent that was beaten, half for a tie.

    Beaten is who has won fewer of the deals or, where a contest is a session of many deals, less in
    all of them together (forfeited deals count as the ranking counts them).
    """
    log = Log.of(results)
    tally = Tally.of(log, session)
    tally = replace(tally, shift=np.zeros_like(tally.shift))  # the totals decide
    won, lost = (wins[:, 0] for wins in tally.wins(tally.sums.sum(axis=0)[:, None]))
    ahead = (won > lost) + 0.5 * (won == lost)
    pairs, count = log.pairs, len(log.entrants)
    points = np.bincount(pairs.i, ahead, count) + np.bincount(pairs.j, 1 - ahead, count)
    number = {entrant.identity.key: index for index, entrant in enumerate(league.entrants)}
    return {number[key]: float(points[row]) for row, key in enumerate(log.entrants)}
