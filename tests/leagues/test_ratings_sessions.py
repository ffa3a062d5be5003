"""Contests of many deals: who is ahead in total, estimated from all deals without cutting them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from planted import ahead, chip_league, duel, full_tables, names, result, scored, strengths
from scipy.special import ndtr

from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues import runner
from arena.leagues.executors import InProcess
from arena.leagues.league import League
from arena.leagues.match import Status
from arena.leagues.ratings import Log, history, summarise
from arena.leagues.ratings.bootstrap import interval, resample
from arena.leagues.ratings.bradley_terry import POINTS, Model
from arena.leagues.ratings.sessions import shares
from arena.leagues.ratings.tally import Tally
from arena.leagues.runner import _scores
from arena.leagues.standings import rank, rank_log
from arena.leagues.store import Store


def tally(results, session: int) -> tuple[Tally, np.ndarray]:
    """The tally and the contests won, row against column in the order of the agents' keys."""
    of_all = Tally.of(Log.of(results), session)
    won, lost = of_all.wins(of_all.sums.sum(axis=0)[:, None])
    return of_all, of_all.pairs.matrix(won[:, 0], lost[:, 0], 0)


def often_and_little(deals: int) -> list:
    """``often`` wins 7 deals of 10 by 1 a seating and loses 3 by 10."""
    gains = np.where(np.arange(deals) % 10 < 7, 1.0, -10.0)
    return [duel("often", "much", np.stack([gains, gains], 1))]


# -- what it is for ----------------------------------------------------------------------------


def test_who_wins_often_and_little_is_ranked_below_who_wins_rarely_and_much() -> None:
    log = Log.of(often_and_little(1000))
    by_deals, by_sessions = summarise(log, seed=0), summarise(log, seed=0, session=100)
    assert [s.agent for s in by_deals.standings] == ["often", "much"]
    assert [s.agent for s in by_sessions.standings] == ["much", "often"]
    assert by_deals.clear[0, 1] and by_sessions.clear[0, 1]
    assert (by_deals.session, by_sessions.session) == (1, 100)
    assert by_deals.standings[0].win_rate.value == 0.7
    assert by_sessions.standings[0].win_rate.value == pytest.approx(1, abs=1e-4)
    # What was earned is the same by either ranking.
    assert by_sessions.standings[0].payoff == by_deals.standings[1].payoff
    (often, *_), (much, *_) = (history(log, seed=0, session=k).rating[-1:, ::-1] for k in (1, 100))
    assert often[0] > often[1] and much[0] < much[1]


def test_a_maniac_at_full_tables_is_last_in_openskill_too() -> None:
    swing = np.where(np.random.default_rng(0).random(1000) < 0.7, 1.0, -10.0)
    earned = np.stack([swing, -swing / 2 + 0.2, -swing / 2 - 0.2], 1)
    log = Log.of([result(["maniac", "second", "third"], rotated(earned))])
    by_deals, ranking = summarise(log, seed=0), summarise(log, seed=0, session=100)
    assert [s.agent for s in by_deals.standings] == ["maniac", "second", "third"]
    assert [s.agent for s in ranking.standings] == ["second", "third", "maniac"]
    mu = [s.skill.mu for s in ranking.standings]
    assert sorted(mu, reverse=True) == mu
    assert by_deals.standings[0].skill.mu > by_deals.standings[2].skill.mu


def rotated(earned) -> np.ndarray:
    """What each of three entrants earned in a hand, ``(deals, 3)``, in each of three seatings."""
    return np.asarray(earned)[:, (np.arange(3)[:, None] + np.arange(3)) % 3]


# -- the estimate ------------------------------------------------------------------------------


def test_two_agents_have_a_closed_form() -> None:
    """Of normal gains nearly so: the sample's own skewness is what is left."""
    gains = np.random.default_rng(1).normal(0.1, 1, (400, 2))
    _, wins = tally([duel("a", "b", gains)], 30)
    totals = 2 * gains.sum(axis=1)  # row's return less column's, both seatings
    p = ndtr(np.sqrt(30) * totals.mean() / totals.std(ddof=1))
    assert wins == pytest.approx(np.array([[0, 400 * p], [400 * (1 - p), 0]]), abs=2)
    first, second = summarise(Log.of([duel("a", "b", gains)]), seed=0, session=30).standings
    odds = (wins[0, 1] + 0.5) / (wins[1, 0] + 0.5)
    assert first.rating.value - second.rating.value == pytest.approx(400 * np.log10(odds))
    assert first.win_rate.value == pytest.approx(wins[0, 1] / 400)


@pytest.mark.parametrize(
    ("session", "gains"),
    [
        (3, [1.0, 1.0, 1.0, -2.5]),
        (10, [1.0] * 9 + [-8.0]),
        (10, [0.0, 0.0, 1.0, -1.0]),
        (100, [1.0] * 98 + [-47.0, -48.0]),
    ],
)
def test_the_estimate_is_the_share_of_all_sessions_that_can_be_drawn(session, gains) -> None:
    """Short sessions, lopsided deals, many ties: a normal distribution is off by up to .15."""
    rng = np.random.default_rng(2)
    gains = np.array(gains)
    drawn = rng.choice(gains, (200_000, session)).sum(axis=1)
    share = (drawn > 0).mean() + 0.5 * (drawn == 0).mean()
    found = shares(np.zeros(len(gains), int), gains, 1, session)
    assert found == pytest.approx(share, abs=0.005)
    log = Log.of([duel("a", "b", np.tile(np.repeat(gains, 5)[:, None], 2))])
    ranking = summarise(log, seed=0, session=session, samples=50)
    at = [s.agent for s in ranking.standings].index("a")
    assert ranking.standings[at].win_rate.value == pytest.approx(share, abs=0.02)


def test_the_planted_order_and_strengths_are_found() -> None:
    skill = np.linspace(0.15, -0.15, 6)
    log = Log.of(chip_league(skill, 4000, np.random.default_rng(3)))
    ranking = summarise(log, seed=0, session=100)
    truth = 1500 + POINTS * strengths(1e6 * ahead(skill, 100))
    assert [s.agent for s in ranking.standings] == names(6)
    for standing, strength in zip(ranking.standings, truth, strict=True):
        assert standing.rating.low < strength < standing.rating.high
        assert standing.rating.value == pytest.approx(strength, abs=50)
        share = standing.win_rate
        assert share.low < share.value < share.high < share.low + 0.25
    assert ranking.win_rate.value[0, 1:] == pytest.approx(ahead(skill, 100)[0, 1:], abs=0.06)


def test_the_order_is_that_of_the_chips_whatever_the_session() -> None:
    results = chip_league([0.1, 0.0], 500, np.random.default_rng(4))
    p = [wins[0, 1] / 500 for _, wins in (tally(results, k) for k in (2, 10, 50))]
    assert 0.5 < p[0] < p[1] < p[2]
    scaled = [
        duel(*r.match.entrants, 7 * np.stack([r.returns[:, 0, 0], r.returns[:, 1, 1]], 1))
        for r in results
    ]
    assert tally(scaled, 50)[1] == pytest.approx(tally(results, 50)[1])


def test_a_newcomer_with_fewer_deals_than_a_session_changes_nothing_for_the_others() -> None:
    rng = np.random.default_rng(0)
    league = chip_league(np.linspace(0.1, -0.1, 4), 400, rng)
    some = [duel("new", agent, rng.normal(size=(20, 2))) for agent in names(4)]
    before = {s.agent: s for s in summarise(Log.of(league), seed=0, session=100).standings}
    ranking = summarise(Log.of([*league, *some]), seed=0, session=100)
    assert ranking.session == 100
    for standing in ranking.standings:
        assert standing.settled == (standing.agent != "new")
        if standing.settled:
            assert standing.rating.value == pytest.approx(before[standing.agent].rating.value)
            assert standing.rating.high - standing.rating.low < 450
        else:
            assert standing.rating.high - standing.rating.low > 600
    # Where all are new, they are ranked by what there is.
    assert all(s.settled for s in summarise(Log.of(some), seed=0, session=100).standings)


# -- intervals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "deals", "luck"), [(2, 100, 0), (2, 1000, 0), (8, 20, 0.5), (8, 100, 0.5), (8, 1000, 0)]
)
def test_intervals_cover_the_planted_strengths(n: int, deals: int, luck: float) -> None:
    """Sessions of 100 deals, a fifth to ten of which are played; the truth is true shares' fit."""
    rng, covered, rates = np.random.default_rng(5), [], []
    skill = np.linspace(1, -1, n) / 10
    true = ahead(skill, 100)
    target = strengths(1e9 * true)
    for seed in range(100):
        of_all = Tally.of(Log.of(chip_league(skill, deals, rng, luck)), 100)
        model = Model(n, of_all.pairs.i, of_all.pairs.j, np.ones(n, bool))
        cuts = [len(of_all.deals)]
        (sample,) = resample(of_all, model.prior, seed=seed, samples=200, cuts=cuts)
        low, high = interval(model.fit(*sample.resampled), np.full(n, deals))
        covered.append((low < target) & (target < high))
        won, lost = (wins[:1] for wins in sample.resampled)
        low, high = interval(won / (won + lost), np.array([deals]))
        rates.append(low[0] < true[0, 1] < high[0])
    # Little more than a session tells little: there intervals are wider than they would need to be.
    assert 0.90 <= np.mean(covered) <= (0.99 if deals >= 1000 else 1.0)
    assert np.mean(covered, axis=0).min() >= 0.82
    assert np.mean(rates) >= 0.90


def test_few_deals_are_certain_of_nothing() -> None:
    """Three deals of nearly equal gain: the spread they show is not to be believed."""
    ranking = summarise(Log.of([duel("a", "b", [(1, 1), (1, 1.1), (1, 0.9)])]), seed=0, session=100)
    assert not ranking.clear.any()
    assert ranking.standings[0].rating.low < 1500 + 60


def test_twice_the_deals_narrow_the_intervals_and_the_same_deals_again_do_not() -> None:
    skill = np.linspace(0.1, -0.1, 5)

    def width(results) -> float:
        standings = summarise(Log.of(results), seed=0, session=50).standings
        return float(np.mean([s.rating.high - s.rating.low for s in standings]))

    some = chip_league(skill, 500, np.random.default_rng(6))
    more = chip_league(skill, 2000, np.random.default_rng(6))
    assert width(more) == pytest.approx(width(some) / 2, rel=0.2)
    assert width([*some, *some]) == pytest.approx(width(some), rel=0.05)


# -- forfeits ----------------------------------------------------------------------------------


def with_forfeits(gains, shares) -> list:
    """A duel in which ``a`` and ``b`` forfeit the first so many hundredths of 100 deals."""
    statuses = np.full((100, 2, 2), Status.DONE)
    statuses[: shares[0], 0, 0] = Status.TIMEOUT
    statuses[100 - shares[1] :, 0, 1] = Status.CRASH
    return [duel("a", "b", gains, statuses=statuses)]


def test_a_forfeited_deal_is_a_lost_contest_and_its_chips_count() -> None:
    gains = np.random.default_rng(7).normal(0.2, 1, (100, 2))
    _, plain = tally([duel("a", "b", gains)], 10)
    p = plain[0, 1] / 100
    _, wins = tally(with_forfeits(gains, (5, 0)), 10)
    assert wins[0, 1] == pytest.approx(95 * p)
    _, wins = tally(with_forfeits(gains, (5, 20)), 10)
    assert wins[0, 1] == pytest.approx(20 + 75 * p)
    assert wins.sum() == pytest.approx(100)
    _, wins = tally(with_forfeits(gains, (60, 60)), 10)  # 20 deals by both
    assert wins[0, 1] == pytest.approx(40 + 20 / 2)


def test_who_always_forfeits_loses_all_and_who_does_once_hardly_anything() -> None:
    gains = np.random.default_rng(8).normal(0.5, 1, (100, 2))
    first, last = summarise(Log.of(with_forfeits(gains, (100, 0))), seed=0, session=10).standings
    assert (first.agent, first.win_rate.value) == ("b", 1)
    assert last.payoff.value == pytest.approx(gains.mean())
    first, _ = summarise(Log.of(with_forfeits(gains, (1, 0))), seed=0, session=10).standings
    assert first.agent == "a" and first.win_rate.value > 0.95
    level = with_forfeits(np.zeros((100, 2)), (100, 100))
    assert [s.rank for s in summarise(Log.of(level), seed=0, session=10).standings] == [1, 1]


def test_a_session_of_full_tables_is_forfeited_by_who_forfeits_most_of_its_deals() -> None:
    statuses = np.full((10, 3, 3), Status.DONE)
    statuses[:3, 0, 0] = Status.ILLEGAL  # a: most of the first session, …
    statuses[5:7, 0, 0] = Status.ILLEGAL  # … and a little of the second
    returns = rotated(np.tile([6.0, -3.0, -3.0], (10, 1)))
    log = Log.of([result("abc", returns, statuses=statuses)]).sessions(5)
    assert log.forfeited.tolist() == [[True, False, False], [False, False, False]]
    assert log.finishes.tolist() == [[3, 1, 1], [1, 2, 2]]
    assert log.returns.tolist() == [[90, -45, -45]] * 2 and log.deals == 2


# -- order and odd logs ------------------------------------------------------------------------


def test_the_order_of_matches_changes_no_digit() -> None:
    results = chip_league(np.linspace(0.2, -0.2, 5), 60, np.random.default_rng(9))
    one, other = Log.of(results), Log.of(results[::-1])
    assert (
        summarise(one, seed=0, session=100).to_json()
        == summarise(other, seed=0, session=100).to_json()
    )
    assert (
        history(one, seed=0, session=100).to_json() == history(other, seed=0, session=100).to_json()
    )
    tables = full_tables(
        [1.0, 0.5, 0.0, -1.0], [(0, 1, 2), (1, 2, 3)], 40, np.random.default_rng(9)
    )
    one, other = Log.of(tables), Log.of(tables[::-1])
    assert (
        summarise(one, seed=0, session=20).to_json()
        == summarise(other, seed=0, session=20).to_json()
    )


def test_a_lineups_deals_are_cut_into_even_sessions() -> None:
    rng = np.random.default_rng(10)
    tables = full_tables([0.0] * 4, [(0, 1, 2), (1, 2, 3)], 25, rng)
    log = Log.of(tables)
    cut = log.sessions(10)
    assert cut.deals == 6 and sorted(cut.episodes[:, 0] // 3) == [8, 8, 8, 8, 9, 9]
    assert cut.returns.sum(axis=0) == pytest.approx(log.returns.sum(axis=0))
    first = (log.lineup == [0, 1, 2]).all(axis=1)
    by_deal = log.returns[first][np.argsort(log.deal[first])]
    assert cut.returns[:1] == pytest.approx(by_deal[: cut.episodes[0, 0] // 3].sum(axis=0)[None])
    assert np.array_equal(log.sessions(1).returns[:25], by_deal)
    # In another order the same three are another line-up.
    parts = [
        result(who, rotated(np.full((10, 3), [first, 0, -first])), first_deal=first)
        for who, first in (("abc", 0), ("bac", 10), ("abc", 20), ("bac", 30))
    ]
    cut = Log.of(parts).sessions(10)
    assert sorted(cut.returns[:, 0].tolist()) == [0, 300, 600, 900]


def test_equal_gains_decide_and_no_gains_tie() -> None:
    _, wins = tally(
        [duel("a", "b", np.full((50, 2), 0.25)), duel("a", "c", np.zeros((50, 2)))], 100
    )
    assert wins[0].tolist() == [0, 50, 25]
    assert wins[:, 0].tolist() == [0, 0, 25]


def test_a_total_that_is_only_rounding_is_a_tie() -> None:
    assert 0.1 + 0.2 - 0.3 != 0
    _, wins = tally([duel("a", "b", [(0.1, 0), (0.2, 0), (-0.3, 0)])], 100)
    assert wins[0, 1] == wins[1, 0] == 1.5
    # One deal: .1 + .2 + .3 in one order and in another.
    three = [[[0.1, 0.3, -0.4], [0.2, -0.4, 0.2], [-0.4, 0.3, 0.1]]]
    _, wins = tally([result("abc", three)], 100)
    assert wins[0, 1] == wins[1, 0] == 0.5


def test_one_deal_gives_an_order_and_no_confidence() -> None:
    ranking = summarise(Log.of([scored("a", "b", [1])]), seed=0, session=100)
    first, _ = ranking.standings
    assert (first.agent, first.rank_low, first.rank_high) == ("a", 1, 2)
    assert first.rating.high == np.inf
    assert (first.win_rate.value, first.win_rate.low, first.win_rate.high) == (1, 0, 1)
    assert not ranking.clear.any()
    assert np.isinf(history(Log.of([scored("a", "b", [1])]), seed=0, session=9).high).all()


def test_empty_logs_and_those_who_never_met() -> None:
    assert summarise(Log.of([]), seed=0, session=100).standings == ()
    assert history(Log.of([]), seed=0, session=100).to_json()["deals"] == []
    alone = Log.of([result("a", np.arange(5.0).reshape(5, 1, 1))])
    (only,) = summarise(alone, seed=0, session=100).standings
    assert only.rating.value == 1500 and np.isnan([only.win_rate.value, only.win_rate.low]).all()
    apart = [scored("a", "b", np.ones(30)), scored("c", "d", np.ones(30))]
    ranking = summarise(Log.of(apart), seed=0, session=100)
    assert {(s.rank, s.agent) for s in ranking.standings[:2]} == {(1, "a"), (1, "c")}
    assert np.isnan(ranking.win_rate.value[0, 1]) and np.isnan(ranking.win_rate.low[0, 1])
    json.dumps(ranking.to_json(), allow_nan=False)


# -- who says how long a session is ------------------------------------------------------------


def test_a_poker_session_is_a_hundred_deals_and_a_tournament_is_won_or_lost() -> None:
    assert make_game("holdem?seats=6").session == 100
    assert make_game("holdem?seats=2,hands=20").session == 5
    assert make_game("holdem?seats=2,hands=1000").session == 1
    assert make_game("holdem?seats=3,format=sit_and_go").session == 1


def test_a_leagues_ranking_goes_by_its_games_session_unless_it_says_another(
    tmp_path, make_league
) -> None:
    store = Store(str(tmp_path / "a.db"), create=True)
    league = make_league(["random", "first"], game="holdem?seats=2", deals=4)
    with InProcess(runner.roster(league)) as executor:
        list(runner.run(league, store, executor))
    assert rank(store, league).session == 100
    other = replace(league, session=7)
    log = Log.of(result for _, result in store.results(league))
    assert rank_log(other, log).session == 7
    # The id of a league that says nothing is as it was before there was something to say.
    assert "session" not in league.to_json() and other.id != league.id
    assert (
        League.from_json(other.to_json()) == other and League.from_json(league.to_json()) == league
    )


@pytest.mark.parametrize("session", [0, -1, 10**7, "many", 2.5])
def test_a_session_is_a_whole_number_of_deals(session) -> None:
    config = {"game": "holdem?seats=2", "agents": ["random", "first"], "session": session}
    with pytest.raises(InputError, match="session"):
        League.from_config(config, "small.yaml")


def test_a_swiss_round_is_won_by_the_larger_total(make_league) -> None:
    league = make_league(["random", "first"], kind="swiss", rounds=1, deals=10)
    a, b = (entrant.identity.key for entrant in league.entrants)
    gains = np.where(np.arange(10) < 7, 1.0, -10.0)
    (round_,) = [duel(a, b, np.stack([gains, gains], 1))]
    assert _scores(league, [round_], 1) == {0: 1, 1: 0}
    assert _scores(league, [round_], 100) == {0: 0, 1: 1}
    level = duel(a, b, np.stack([gains, -gains], 1))
    assert _scores(league, [level], 100) == {0: 0.5, 1: 0.5}
