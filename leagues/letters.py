"""Science Birds leagues by the competition's formula, beside the ranking of pairwise contests.

The formula weighs letters by how hard they were for all entrants, so it needs all of them at once:
``play_letters`` lets agents build every letter as often as the competition asks, ``score_league``
takes the levels of a league's recorded matches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from arena.agents.agent import Agent
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.science_birds.assessment import Assessment
from arena.envs.science_birds.game import ScienceBirds
from arena.envs.science_birds.scoring import TRIALS, Competition, measure
from arena.envs.science_birds.similarity import LETTERS
from arena.envs.science_birds.tables import ScienceBirdsTables
from arena.leagues import replay
from arena.leagues.league import League
from arena.leagues.store import Store

Built = dict[str, dict[str, list[Assessment]]]
"""Entrant's name → letter → what its levels came to."""


def play_letters(
    game: ScienceBirds, agents: Mapping[str, Agent], seed: int
) -> Iterator[tuple[str, dict[str, list[Assessment]]]]:
    """Let each agent build all of the game's letters, ``game.trials`` levels each.

    Yields name and levels by letter. All agents get the same seeds; an illegal answer forfeits
    what is left of that letter.
    """
    count = len(game.letters)
    bases = [seeding.derive(seed, "letter", letter) >> 1 for letter in game.letters]
    # The game reads the letter off the seed: move each to the one that names its letter.
    seeds = np.array([base - base % count + i for i, base in enumerate(bases)], np.uint64)
    players = np.array([seeding.derive(base, "player") for base in bases], np.uint64)
    slots = np.arange(count)
    for name, agent in agents.items():
        tables = game.tables(count)
        tables.begin(slots, seeds)
        agent.begin(slots, np.zeros(count, np.int64))
        decided = np.zeros(count, np.int64)
        while not tables.done.all():
            at, seats = tables.to_act()
            turns = Turns(tables, at, seats, seeding.spread(players[at], decided[at]))
            decided[at] += 1
            decisions = agent.act(turns)
            actions = np.asarray(decisions.actions)
            legal = tables.legal(at, seats, actions)
            legal[list(decisions.failures)] = False
            if not legal.all():
                tables.forfeit(at[~legal], seats[~legal])
            if legal.any():
                tables.step(at[legal], seats[legal], actions[legal])
        yield name, dict(zip(game.letters, tables.assessments, strict=True))


def score_league(store: Store, league: League, trials: int = TRIALS) -> Competition:
    """Score the levels of a league's matches, the first ``trials`` of each letter and entrant.

    The levels are built again from the replays. Raises InputError where the league plays another
    game, or no entrant has built any level.
    """
    return score_leagues(store, [league], trials)


def score_leagues(store: Store, leagues: Sequence[League], trials: int = TRIALS) -> Competition:
    """Score leagues of one roster together, as ``score_league`` does one: a letter each, say."""
    built: Built = {name: {} for league in leagues for name in league.names.values()}
    letters: set[str] = set()
    for league in leagues:
        for name, letter, levels in _rebuild(store, league):
            letters.add(letter)
            row = built[name].setdefault(letter, [])
            row += levels[: trials - len(row)]
    if not letters:
        raise InputError(f"league {leagues[0].name} has no finished match yet; run it first")
    return measure(built, letters="".join(sorted(letters)), trials=trials)


def _rebuild(store: Store, league: League) -> Iterator[tuple[str, str, list[Assessment]]]:
    """Entrant's name, letter and levels of every episode in a league's log."""
    game = league.make_game()
    if not isinstance(game, ScienceBirds):
        raise InputError(f"league {league.name} plays {game.name}; only science_birds has letters")
    for _, result in store.results(league):
        record = replay.read(store.match(result.match.id).replay, result.match.id)
        match = record.match
        for episode in record.episodes:
            tables = None
            for tables, _ in replay.walk(game, match, episode):  # noqa: B007 - the last one counts
                pass
            assert isinstance(tables, ScienceBirdsTables)
            name = league.names[match.entrants[match.seatings[episode.seating][0]]]
            yield name, LETTERS[tables.letters[0]], tables.assessments[0]
