"""A league that ends when it has seen enough, and the same league resumed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from planted import chip_league, duel, names, round_robin

from arena.envs.errors import InputError
from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.schedule import make_schedule
from arena.leagues.store import Store
from arena.leagues.until import Separated, Sprt, Width, make_rule


def league(until, agents=("first", "random"), game="leduc", deals=4000) -> League:
    schedule = {"until": until, "deals": deals, "deals_per_match": 100}
    config = {"game": game, "agents": list(agents), "schedule": schedule}
    return League.from_config(config, "here.yaml")


def played(it: League, store: Store, most: int | None = None) -> list[runner.Progress]:
    with InProcess(runner.roster(it)) as executor:
        states = runner.run(it, store, executor)
        return [state for state, _ in zip(states, range(most or 10**6), strict=False)]


def test_a_league_ends_when_it_is_decided_and_where_it_would_if_it_is_stopped(tmp_path) -> None:
    it = league("separated")
    whole = Store(str(tmp_path / "whole.db"), create=True)
    last = played(it, whole)[-1]
    assert 1 <= last.played == last.total < 40
    parts = Store(str(tmp_path / "parts.db"), create=True)
    played(it, parts, most=2)
    assert played(it, parts)[-1].played == last.played
    assert sorted(whole.members(it)) == sorted(parts.members(it))
    assert League.from_json(it.to_json()).id == it.id


@pytest.mark.parametrize("session", [1, 100])
def test_equals_are_not_separated_and_others_are(session: int) -> None:
    rng = np.random.default_rng(0)
    for make, apart in ((round_robin, [0.8, 0, -0.8]), (chip_league, [0.4, 0, -0.4])):
        assert Separated().enough(make(apart, 1000, rng), session)
        assert not Separated().enough(make([0.0] * 3, 1000, rng), session)
    assert not Separated().enough(round_robin([2, -2], 5, rng), session)


def test_pairs_that_are_decided_play_no_more() -> None:
    results = chip_league([0.5, 0.49, -0.5], 300, np.random.default_rng(4))
    plan = make_schedule({"kind": "adaptive", "deals": 900, "deals_per_match": 300}, "here")
    scores = [dict[int, float]()]
    pairings = plan.pairings(2, 3, 0, scores)
    assert pairings == [((0, 1), 300, 300), ((0, 2), 300, 300), ((1, 2), 300, 300)]
    assert plan.left(pairings, names(3), results, 100) == [((0, 1), 300, 300)]
    assert plan.left(pairings, names(3), [], 100) == pairings
    assert plan.pairings(2, 3, 0, scores * 3) is None


def test_an_adaptive_league_ends_where_it_would_if_it_is_stopped(tmp_path) -> None:
    config = {"game": "kuhn", "agents": ["first", "random", "illegal"]}
    config["schedule"] = {"kind": "adaptive", "deals": 2000, "deals_per_match": 20}
    it = League.from_config(config, "here.yaml")
    whole = Store(str(tmp_path / "whole.db"), create=True)
    last = played(it, whole)[-1]
    matches = Counter(result.match.entrants for _, result in whole.results(it))
    assert len(matches) == 3 and all(5 <= count < 100 for count in matches.values())
    assert last.played == last.total == sum(matches.values()) < 300
    parts = Store(str(tmp_path / "parts.db"), create=True)
    played(it, parts, most=25)
    played(it, parts)
    assert sorted(whole.members(it)) == sorted(parts.members(it))


def test_ratings_are_as_narrow_as_was_asked_for() -> None:
    rng = np.random.default_rng(1)
    results = round_robin([0.2, 0, -0.2], 1000, rng)
    assert Width(60).enough(results, 1) and not Width(10).enough(results, 1)
    assert not Width(1000).enough(round_robin([0.2, 0], 50, rng), 1)


@pytest.mark.parametrize(("session", "apart"), [(1, 100), (100, 400)])
def test_a_ratio_tells_two_differences_apart(session: int, apart: float) -> None:
    rng = np.random.default_rng(2)
    rule = Sprt(0, apart)
    for shift, sign in ((0.0, -1), (0.4, 1)):
        gains = rng.normal(shift, 1, (2000, 2))
        result = duel("a", "b", gains)
        assert rule.enough([result], session)
        assert np.sign(rule.ratio([result], session)) == sign
        other = duel("b", "a", -gains)
        assert rule.ratio([other], session) != pytest.approx(rule.ratio([result], session))


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ("soon", "write separated, {width: 40} or {sprt: {h0: 0, h1: 50}}"),
        ({"width": 0}, "width=0 must be above 0 points"),
        ({"width": 5, "sprt": {}}, "write separated"),
        ({"sprt": {"h0": 5}}, "write {h0: 0, h1: 50}"),
        ({"sprt": {"h0": 5, "h1": 5}}, "h0=5 must be below h1=5"),
    ],
)
def test_a_rule_that_is_none_is_refused(until, why) -> None:
    with pytest.raises(InputError) as error:
        make_rule(until, "here: until")
    assert why in str(error.value)


def test_rules_are_for_round_robins_and_sprt_for_two() -> None:
    with pytest.raises(InputError, match="sprt compares two agents, and there are 3"):
        league({"sprt": {"h0": 0, "h1": 50}}, agents=("first", "random", "call"), game="holdem")
    config = {"game": "leduc", "agents": ["first", "random"]}
    config["schedule"] = {"kind": "swiss", "rounds": 1, "until": "separated"}
    with pytest.raises(InputError, match="until ends a round robin"):
        League.from_config(config, "here.yaml")
