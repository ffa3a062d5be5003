"""Who meets whom: everyone equally often, on the same deals."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues.schedule import Rotation, RoundRobin, Swiss, make_schedule


@given(st.integers(2, 12), st.integers(1, 50), st.integers(1, 20))
def test_in_a_round_robin_every_pair_plays_every_deal_once(entrants, deals, chunk):
    schedule = RoundRobin(deals=deals, deals_per_match=chunk)
    pairings = schedule.pairings(2, entrants, 0, ())
    seen = Counter((pair, first + i) for pair, first, n in pairings for i in range(n))
    assert set(seen.values()) == {1}
    assert len(seen) == deals * entrants * (entrants - 1) // 2
    assert schedule.total(2, entrants) == len(pairings)
    assert schedule.pairings(2, entrants, 0, [{}]) is None


def test_a_race_is_one_lineup_of_all():
    assert RoundRobin(deals=3, deals_per_match=2).pairings(1, 4, 0, ()) == [
        ((0, 1, 2, 3), 0, 2),
        ((0, 1, 2, 3), 2, 1),
    ]


@given(st.integers(2, 9), st.integers(0, 12), st.integers(1, 8), st.integers(0, 5))
def test_in_a_rotation_everyone_sits_in_every_round(seats, more, rounds, seed):
    entrants = seats + more
    pairings = Rotation(rounds=rounds, deals=2).pairings(seats, entrants, seed, ())
    assert len(pairings) == Rotation(rounds=rounds, deals=2).total(seats, entrants)
    for number in range(rounds):
        lineups = [lineup for lineup, first, _ in pairings if first == 2 * number]
        assert {who for lineup in lineups for who in lineup} == set(range(entrants))
        assert all(len(set(lineup)) == seats for lineup in lineups)


@given(st.integers(3, 12), st.data())
def test_in_a_swiss_league_nobody_meets_twice_and_rounds_use_new_deals(entrants, data):
    rounds = data.draw(st.integers(1, entrants // 2))
    schedule = Swiss(rounds=rounds, deals=3)
    scores, met = [], Counter()
    while (pairings := schedule.pairings(2, entrants, 5, scores)) is not None:
        assert len(pairings) == entrants // 2
        assert {first for _, first, _ in pairings} == {3 * len(scores)}
        met.update(pair for pair, _, _ in pairings)
        scores.append({pair[data.draw(st.integers(0, 1))]: 1.0 for pair, _, _ in pairings})
    assert set(met.values()) == {1}
    assert sum(met.values()) == schedule.total(2, entrants)


def test_swiss_neighbours_have_near_scores():
    """With strengths in the order of their numbers, the last round pairs near equals."""
    schedule, scores = Swiss(rounds=3, deals=1), []
    for _ in range(3):
        pairings = schedule.pairings(2, 16, 0, scores)
        last = pairings
        scores.append({min(pair): 1.0 for pair, _, _ in pairings})
    total = Counter()
    for round_scores in scores[:2]:
        total.update(round_scores)
    gaps = [abs(total[a] - total[b]) for (a, b), _, _ in last]
    assert max(gaps) <= 1


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"kind": "knockout"}, "schedule: no kind 'knockout'; kinds are round-robin"),
        ({"dels": 3}, "has no option 'dels'; did you mean 'deals'"),
        ({"deals": 0}, "deals=0 must be from 1 to"),
        ({"deals": "many"}, "deals=many is not a whole number"),
        ("daily", "schedule is 'daily'; write"),
    ],
)
def test_a_bad_schedule_is_a_sentence(config, sentence):
    with pytest.raises(InputError, match=sentence):
        make_schedule(config, "schedule")


@pytest.mark.parametrize(
    ("config", "game", "entrants", "sentence"),
    [
        ({}, "holdem?seats=6", 8, "use schedule kind rotation"),
        ({}, "holdem", 1, "name at least 2"),
        ({"kind": "rotation"}, "holdem?seats=6", 5, "5 for a game of 6 seats; name at least 6"),
        ({"kind": "swiss", "rounds": 4}, "holdem", 4, "only if rounds is below 4"),
        ({"kind": "swiss"}, "holdem?seats=3", 9, "not two seats"),
    ],
)
def test_a_schedule_that_does_not_fit_is_a_sentence(config, game, entrants, sentence):
    with pytest.raises(InputError, match=sentence):
        make_schedule(config, "s").check(make_game(game), entrants, "agents")
