"""The ranking as it is shown: every number on planted leagues, and the odd leagues."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from planted import chip_league, duel, full_tables, names, result, round_robin, scored

from arena.leagues.match import Status
from arena.leagues.ratings import Log, alarms, history, skills, summarise
from arena.leagues.ratings.bradley_terry import POINTS, centred

THETA = centred(np.array([1.5, 1.0, 0.4, -0.2, -0.9, -1.8])[:, None], np.zeros(6, int))[:, 0]


@pytest.fixture(scope="module")
def results():
    return round_robin(THETA, 400, np.random.default_rng(0))


@pytest.fixture(scope="module")
def ranking(results):
    return summarise(Log.of(results), seed=0, unit="mbb/hand", unit_scale=1000)


def test_the_planted_order_and_strengths_are_found(ranking) -> None:
    assert [s.agent for s in ranking.standings] == names(6)
    assert [s.rank for s in ranking.standings] == [1, 2, 3, 4, 5, 6]
    for standing, theta in zip(ranking.standings, THETA, strict=True):
        assert standing.rating.low < 1500 + POINTS * theta < standing.rating.high
        assert standing.rating.high - standing.rating.low < 60
        assert standing.rank_low <= standing.rank <= standing.rank_high


def test_the_matrices_are_in_the_order_of_the_standings(ranking) -> None:
    rate = ranking.win_rate.value
    assert (rate[np.triu_indices(6, 1)] > 0.5).all()
    ones = np.where(np.eye(6, dtype=bool), np.nan, 1)
    assert rate + rate.T == pytest.approx(ones, nan_ok=True)
    assert np.isnan(np.diag(rate)).all()
    # What is won or lost is one unit a hand, in thousandths.
    assert ranking.payoff_is == "return"
    assert ranking.payoff.value == pytest.approx(1000 * (2 * rate - 1), nan_ok=True)
    assert ranking.stronger[0, 5] == 1 and ranking.clear[0, 5]
    assert ranking.stronger + ranking.stronger.T == pytest.approx(ones, nan_ok=True)
    first = ranking.standings[0]
    assert first.win_rate.value == pytest.approx(np.nanmean(rate[0]))
    assert first.payoff.value == pytest.approx(np.nanmean(ranking.payoff.value[0]))
    assert (first.deals, first.episodes) == (400, 400 * 5 * 2)
    assert (ranking.deals, ranking.unit) == (400, "mbb/hand")


def test_the_order_of_matches_changes_no_digit(results, ranking) -> None:
    shuffled = [results[i] for i in np.random.default_rng(1).permutation(len(results))]
    again = summarise(Log.of(shuffled), seed=0, unit="mbb/hand", unit_scale=1000)
    assert again.to_json() == ranking.to_json()
    tables = full_tables(THETA, combinations(range(6), 3), 20, np.random.default_rng(0))
    one, other = Log.of(tables), Log.of(tables[::-1])
    assert summarise(one, seed=0).to_json() == summarise(other, seed=0).to_json()
    assert history(one, seed=0).to_json() == history(other, seed=0).to_json()


def test_another_seed_changes_the_intervals_a_little_and_the_estimates_not_at_all(
    results, ranking
) -> None:
    other = summarise(Log.of(results), seed=1)
    for one, two in zip(ranking.standings, other.standings, strict=True):
        assert one.rating.value == two.rating.value
        assert one.rating.low != two.rating.low
        assert one.rating.low == pytest.approx(two.rating.low, abs=6)


def test_the_ranks_of_near_equals_stay_open_until_the_deals_decide() -> None:
    """All planted ranks of a league lie within their intervals, in 95 leagues of 100."""
    theta = np.linspace(0.01, -0.01, 8)
    rng, held, own = np.random.default_rng(2), [], []
    for seed in range(100):
        standings = standings_of(theta, 60, rng, seed)
        ranks = {s.agent: rank for rank, s in enumerate(standings, 1)}
        planted = [names(8).index(s.agent) + 1 for s in standings]
        assert len(ranks) == 8
        pairs = list(zip(planted, standings, strict=True))
        held.append(all(s.rank_low <= rank <= s.rank_high for rank, s in pairs))
        own.append([s.own_rank_low <= rank <= s.own_rank_high for rank, s in pairs])
        assert all(
            s.rank_low <= s.own_rank_low and s.own_rank_high <= s.rank_high for _, s in pairs
        )
    assert np.mean(held) >= 0.92
    assert np.mean(own, axis=0).min() >= 0.9 and not np.all(own)
    far = standings_of(np.linspace(2, -2, 8), 4000, rng, 0)
    assert [(s.rank_low, s.rank_high) for s in far] == [(rank, rank) for rank in range(1, 9)]


def standings_of(theta, deals: int, rng, seed: int):
    return summarise(Log.of(round_robin(theta, deals, rng)), seed=seed, samples=200).standings


def test_two_copies_of_an_agent_share_the_rank() -> None:
    level = duel("a", "b", np.zeros((50, 2)))
    others = [scored(agent, "c", np.arange(50) % 4 > 0) for agent in "ab"]
    standings = summarise(Log.of([level, *others]), seed=0).standings
    assert [(s.agent, s.rank) for s in standings] == [("a", 1), ("b", 1), ("c", 3)]
    assert standings[0].rank_high == 2 and standings[1].rank_low == 1


def test_forfeits_lose_rating_and_are_counted_apart_and_their_chips_stay() -> None:
    statuses = np.full((100, 2, 2), Status.DONE)
    statuses[:, 0, 0] = Status.TIMEOUT
    statuses[:10, 1, 1] = Status.CRASH
    ranking = summarise(Log.of([duel("a", "b", np.ones((100, 2)), statuses=statuses)]), seed=0)
    first, last = ranking.standings
    assert (first.agent, last.agent) == ("b", "a")
    assert last.forfeits == {"illegal": 0, "crash": 10, "timeout": 100}
    assert first.forfeits == {"illegal": 0, "crash": 0, "timeout": 0}
    assert last.payoff.value == 1 and last.win_rate.value == 0


def test_an_unbeaten_agent_is_first_finite_and_of_a_wide_interval() -> None:
    rest = round_robin(np.zeros(3), 200, np.random.default_rng(3))
    best = [scored("unbeaten", agent, np.ones(200)) for agent in names(3)]
    first, *others = summarise(Log.of([*rest, *best]), seed=0).standings
    assert first.agent == "unbeaten" and (first.rank_low, first.rank_high) == (1, 1)
    assert np.isfinite([first.rating.low, first.rating.value, first.rating.high]).all()
    assert first.rating.high - first.rating.low > 300
    assert all(s.rating.high - s.rating.low < 80 for s in others)


def test_full_tables_have_finish_ahead_rates_differences_and_skills() -> None:
    tables = full_tables(THETA, combinations(range(6), 4), 60, np.random.default_rng(4))
    ranking = summarise(Log.of(tables), seed=0)
    assert [s.agent for s in ranking.standings] == names(6)
    mu = [s.skill.mu for s in ranking.standings]
    assert sorted(mu, reverse=True) == mu
    assert ranking.payoff_is == "difference"
    assert ranking.payoff.value[0, 5] == pytest.approx(THETA[0] - THETA[5], abs=0.2)
    assert ranking.payoff.value == pytest.approx(-ranking.payoff.value.T, nan_ok=True)
    assert ranking.win_rate.value[0, 5] == pytest.approx(0.96, abs=0.03)


def test_a_race_pairs_what_was_scored_on_the_same_level() -> None:
    rng = np.random.default_rng(5)
    hardness = rng.normal(scale=30, size=(200, 1, 1))
    returns = hardness + np.array([1.0, 0.0])[:, None] + rng.normal(size=(200, 2, 1))
    ranking = summarise(Log.of([result("ab", returns)]), seed=0)
    assert ranking.payoff_is == "difference"
    assert ranking.payoff[0, 1].error == pytest.approx(np.sqrt(2 / 200), rel=0.15)
    assert ranking.standings[0].payoff.error == pytest.approx(30 / np.sqrt(200), rel=0.15)
    assert all(s.skill is None for s in ranking.standings)


def test_openskills_answer_depends_on_its_seed_only() -> None:
    tables = full_tables(THETA, [(0, 1, 2), (3, 4, 5), (0, 2, 4)], 20, np.random.default_rng(6))
    one, other = skills(Log.of(tables), seed=0), skills(Log.of(tables[::-1]), seed=0)
    assert one == other != skills(Log.of(tables), seed=1)
    assert all(0 < skill.sigma < 25 / 3 for skill in one)


def test_a_null_player_above_random_raises_an_alarm() -> None:
    results = [
        scored("random", "fold", np.ones(100)),
        scored("all-in", "random", np.arange(100) % 10 > 0),
        scored("all-in", "fold", np.ones(100)),
        scored("call", "random", np.arange(100) % 2),
    ]
    ranking = summarise(Log.of(results), seed=0)
    nulls = {"fold", "all-in", "call"}
    assert alarms(ranking, nulls, "random") == ("all-in",)
    assert alarms(ranking, {"fold"}, "random") == ()
    assert alarms(ranking, nulls, "absent") == ()


def test_the_history_grows_to_the_ranking(results) -> None:
    log = Log.of(results)
    series = history(log, seed=0, samples=1000)
    assert series.deals.tolist() == list(range(20, 401, 20))
    assert series.agents == log.entrants
    width = (series.high - series.low).mean(axis=1)
    assert width[0] / width[-1] == pytest.approx(np.sqrt(20), rel=0.35)
    last = zip(series.rating[-1], series.low[-1], series.high[-1], strict=True)
    for standing, (value, low, high) in zip(summarise(log, seed=0).standings, last, strict=True):
        found = standing.rating
        assert (found.value, found.low, found.high) == pytest.approx((value, low, high))
    part = history(Log.of([scored("a", "b", [1, 0, 1])]), seed=0)
    assert part.deals.tolist() == [1, 2, 3]
    assert part.to_json()["low"][0] == [None, None]


def test_json_holds_plain_values_only(ranking) -> None:
    plain = json.loads(json.dumps(ranking.to_json(), allow_nan=False))
    assert plain == ranking.to_json()
    first = plain["standings"][0]
    assert set(first["rating"]) == {"value", "error", "low", "high"}
    assert plain["stronger"][0][0] is None and plain["clear"][0][0] is False


def test_an_empty_log_has_an_empty_ranking() -> None:
    ranking = summarise(Log.of([]), seed=0)
    assert ranking.standings == () and ranking.deals == 0
    json.dumps(ranking.to_json(), allow_nan=False)
    assert history(Log.of([]), seed=0).to_json()["deals"] == []


def test_one_alone_is_average_and_nothing_is_known_of_it() -> None:
    log = Log.of([result("a", np.arange(5.0).reshape(5, 1, 1))])
    (only,) = summarise(log, seed=0).standings
    assert (only.rank, only.rank_low, only.rank_high) == (1, 1, 1)
    assert (only.rating.value, only.rating.low, only.rating.high) == (1500, -np.inf, np.inf)
    assert only.payoff.value == 2 and np.isnan(only.win_rate.value)
    assert np.isinf(history(log, seed=0).low).all()


def test_one_deal_gives_an_order_and_no_confidence() -> None:
    ranking = summarise(Log.of([scored("a", "b", [1])]), seed=0)
    first, _ = ranking.standings
    assert (first.agent, first.rank_low, first.rank_high) == ("a", 1, 2)
    assert first.rating.high == np.inf and first.payoff.high == np.inf
    assert (first.win_rate.low, first.win_rate.high) == (0, 1)
    assert not ranking.clear.any()
    json.dumps(ranking.to_json(), allow_nan=False)


def test_entrants_whom_no_chain_of_meetings_joins_are_not_compared() -> None:
    apart = [scored("a", "b", np.arange(300) % 3 > 0), scored("c", "d", np.arange(300) % 9 > 0)]
    ranking = summarise(Log.of(apart), seed=0)
    assert [s.agent for s in ranking.standings] == ["c", "a", "b", "d"]
    assert ranking.clear.tolist() == [
        [False, False, False, True], [False, False, True, False], [False] * 4, [False] * 4
    ]  # fmt: skip
    assert np.isnan(ranking.win_rate.value[0, 1]) and ranking.stronger[0, 1] == 0.5
    assert [(s.rank_low, s.rank_high) for s in ranking.standings] == [
        (1, 3),
        (1, 3),
        (2, 4),
        (2, 4),
    ]


# -- the Nash mixture --------------------------------------------------------------------------


def cycle(copies: int = 1) -> list:
    """Rock, paper and scissors on 100 deals with luck, with copies of scissors."""
    luck = np.random.default_rng(8).normal(size=100)

    def gains(sign: float) -> np.ndarray:
        return np.stack([sign + luck, sign - luck], axis=1)

    kinds = {"paper": 0, "rock": 1, **{f"scissors {k}": 2 for k in range(copies)}}
    sign = {(0, 1): 1.0, (1, 2): 1.0, (0, 2): -1.0}
    return [
        duel(a, b, gains(sign.get((kinds[a], kinds[b]), 0.0)))
        for a, b in combinations(sorted(kinds), 2)
    ]


def test_what_is_earned_against_the_nash_mixture_does_not_move_with_copies() -> None:
    one = {s.agent: s for s in summarise(Log.of(cycle()), seed=0).standings}
    more = {s.agent: s for s in summarise(Log.of(cycle(9)), seed=0).standings}
    assert [s.share for s in one.values()] == pytest.approx([1 / 3] * 3)
    assert sum(s.share for agent, s in more.items() if "scissors" in agent) == pytest.approx(1 / 3)
    for agent, standing in one.items():
        assert more[agent].nash.value == pytest.approx(standing.nash.value, abs=1e-6)
    # Against the field they do move.
    assert more["rock"].payoff.value > one["rock"].payoff.value + 0.5


def test_the_interval_against_the_mixture_holds_the_truth() -> None:
    """Equal agents earn nothing against any mixture that was fixed before the deals."""
    rng, held = np.random.default_rng(9), []
    for seed in range(60):
        ranking = summarise(Log.of(chip_league([0.0] * 3, 50, rng)), seed=seed, samples=20)
        held += [s.nash.low <= 0 <= s.nash.high for s in ranking.standings]
    assert np.mean(held) > 0.93


def test_without_all_pairs_there_is_no_mixture() -> None:
    results = [scored("a", "b", [1, 0, 1]), scored("b", "c", [1, 0, 1])]
    assert all(
        s.nash is None and s.share is None for s in summarise(Log.of(results), seed=0).standings
    )
