"""Science Birds leagues by the competition's formula, beside the ranking of pairwise contests.

The formula weighs letters by how hard they were for all entrants, so it needs all of them at once:
``play_letters`` lets agents build every letter as often as the competition asks, ``score_league``
takes the levels of a league's recorded matches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from arena.agents.agent import Agent
from arena.agents.rollout import rollout
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.science_birds.assessment import Assessment
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.scoring import TRIALS, Competition, measure
from arena.envs.science_birds.similarity import LETTERS
from arena.envs.science_birds.tables import ScienceBirdsTables
from arena.leagues import replay
from arena.leagues.league import League
from arena.leagues.match import Result
from arena.leagues.store import Store

Progress = Callable[[int, int, str], None]
"""Told how much of how much is done, and of what."""


def _silent(done: int, total: int, what: str) -> None:
    pass


Built = dict[str, dict[str, list[Assessment]]]
"""Entrant's name → letter → what its levels came to."""


def play_letters(
    game: ScienceBirds,
    agents: Mapping[str, Agent],
    seed: int,
    progress: Callable[[int, int, str], None] = lambda done, total, what: None,
) -> Iterator[tuple[str, dict[str, list[Assessment]]]]:
    """Let each agent build all of the game's letters, ``game.trials`` levels each.

    Yields name and levels by letter. All agents get the same seeds; an illegal answer forfeits
    what is left of that letter. ``progress`` is told how many levels of how many there are.
    """
    count = len(game.letters)
    bases = [seeding.derive(seed, "letter", letter) >> 1 for letter in game.letters]
    # The game reads the letter off the seed: move each to the one that names its letter.
    seeds = np.array([base - base % count + i for i, base in enumerate(bases)], np.uint64)
    total = count * game.trials
    for name, agent in agents.items():
        built: dict[str, list[Assessment]] = {}
        for at, letter in enumerate(game.letters):
            tables = game.tables(1)
            progress(at * game.trials, total, f"{name}: levels")
            for _ in rollout(tables, [agent], seeds[at : at + 1]):
                done = at * game.trials + len(tables.assessments[0])
                progress(done, total, f"{name}: levels")
            built[letter] = tables.assessments[0]
        yield name, built


def score_league(
    store: Store, league: League, trials: int = TRIALS, progress: Progress = _silent
) -> Competition:
    """Score the levels of a league's matches, the first ``trials`` of each letter and entrant.

    The levels are built again from the replays. Raises InputError where the league plays another
    game, or no entrant has built any level.
    """
    return score_leagues(store, [league], trials, progress)


def score_leagues(
    store: Store, leagues: Sequence[League], trials: int = TRIALS, progress: Progress = _silent
) -> Competition:
    """Score leagues of one roster together, as ``score_league`` does one: a letter each, say."""
    built: Built = {name: {} for league in leagues for name in league.names.values()}
    games = [_game(league) for league in leagues]
    matches = [
        (game, league, result)
        for game, league in zip(games, leagues, strict=True)
        for _, result in store.results(league)
    ]
    total = sum(result.returns[:, :, 0].size for _, _, result in matches)
    done = 0
    letters: set[str] = set()
    progress(0, total, "")
    for game, league, result in matches:
        for name, letter, levels in _rebuild(store, game, league, result):
            letters.add(letter)
            row = built[name].setdefault(letter, [])
            row += levels[: trials - len(row)]
            done += 1
            progress(done, total, league.name)
    if not letters:
        raise InputError(f"league {leagues[0].name} has no finished match yet; run it first")
    return measure(built, letters="".join(sorted(letters)), trials=trials)


def _game(league: League) -> ScienceBirds:
    game = league.make_game()
    if not isinstance(game, ScienceBirds):
        raise InputError(f"league {league.name} plays {game.name}; only science_birds has letters")
    return game


def _rebuild(
    store: Store, game: ScienceBirds, league: League, result: Result
) -> Iterator[tuple[str, str, list[Assessment]]]:
    """Entrant's name, letter and levels of every episode of a league's match."""
    record = replay.read(store.match(result.match.id).replay, result.match.id)
    match = record.match
    for episode in record.episodes:
        tables = None
        for tables, _ in replay.walk(game, match, episode):  # noqa: B007 - the last one counts
            pass
        assert isinstance(tables, ScienceBirdsTables)
        name = league.names[match.entrants[match.seatings[episode.seating][0]]]
        yield name, LETTERS[tables.letters[0]], tables.assessments[0]
