"""The log in arrays: what counts as a win, a loss and a tie, and in what order."""

from __future__ import annotations

import numpy as np
import pytest
from planted import duel, full_tables, result, round_robin, scored

from arena.envs.errors import InputError
from arena.leagues.match import Status
from arena.leagues.ratings import Log
from arena.leagues.ratings.tally import won as ahead

DONE, ILLEGAL, CRASH, TIMEOUT = Status


def won(log: Log, row: str, column: str) -> list[float]:
    """Row's score against column on each deal on which they met."""
    i, j = log.entrants.index(row), log.entrants.index(column)
    first, second = log.pairs.of_both(log.lineup)
    score = ahead(log)[(first == min(i, j)) & (second == max(i, j))]
    return (score if i < j else 1 - score).tolist()


def test_a_deal_is_won_by_the_total_of_both_seatings() -> None:
    log = Log.of([duel("a", "b", [(5, -4), (5, -5), (5, -6)])])
    assert won(log, "a", "b") == [1, 0.5, 0]
    assert won(log, "b", "a") == [0, 0.5, 1]
    assert log.returns.tolist() == [[1, -1], [0, 0], [-1, 1]]
    assert log.episodes.tolist() == [[2, 2]] * 3


def test_a_forfeited_deal_is_lost_whatever_the_chips_say_and_keeps_its_chips() -> None:
    statuses = np.full((3, 2, 2), DONE)
    statuses[0, 0, 0] = CRASH  # a, in the first seating
    statuses[1, 1, 1] = ILLEGAL  # a, in the second seating
    statuses[2, 0, 0], statuses[2, 0, 1] = TIMEOUT, TIMEOUT  # both
    log = Log.of([duel("a", "b", [(9, 9), (9, 9), (9, 9)], statuses=statuses)])
    assert won(log, "a", "b") == [0, 0, 0.5]
    assert log.returns[:, 0].tolist() == [18, 18, 18]
    assert log.forfeits.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_a_race_compares_returns_and_then_tiebreaks() -> None:
    returns = [[[1.0], [1.0], [0.0]], [[1.0], [1.0], [2.0]]]
    tiebreaks = [[[-7.0], [-9.0], [0.0]], [[-7.0], [-7.0], [-9.0]]]
    log = Log.of([result("abc", returns, tiebreaks=tiebreaks)])
    assert log.solo
    assert log.finishes.tolist() == [[1, 2, 3], [2, 2, 1]]
    assert won(log, "a", "b") == [1, 0.5]
    assert won(log, "c", "a") == [0, 1]


def test_who_forfeits_at_a_full_table_is_behind_all_who_do_not() -> None:
    statuses = np.full((1, 3, 3), DONE)
    statuses[0, 1, 0] = ILLEGAL  # in the second seating b sits first
    returns = np.array([[[0, 6, -6], [0, 6, -6], [0, 6, -6]]])
    log = Log.of([result("abc", returns, statuses=statuses)])
    assert log.returns.tolist() == [[0, 0, 0]]
    assert log.finishes.tolist() == [[1, 3, 1]]


def test_totals_of_the_same_chips_tie_however_they_were_rounded() -> None:
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    # a earns .1, .2, .3 and b earns .3, .2, .1, each in three different seats.
    log = Log.of([result("abc", [[[0.1, 0.3, -0.4], [0.2, -0.4, 0.2], [-0.4, 0.3, 0.1]]])])
    assert log.returns[0, 0] != log.returns[0, 1]
    assert log.finishes.tolist() == [[1, 1, 3]]
    third = np.array([1, 1 + 1e-12, 1 + 1e-6])[None, :, None]
    assert Log.of([result("abc", third)]).finishes.tolist() == [[2, 2, 1]]


def test_equal_results_make_equal_logs_in_any_order_and_however_they_are_split() -> None:
    rng = np.random.default_rng(0)
    results = round_robin([1.0, 0.0, -1.0], 20, rng)
    gains = rng.normal(size=(20, 2))
    whole = [*results, duel("x", "y", gains)]
    split = [duel("x", "y", gains[12:], first_deal=12), *results[::-1], duel("x", "y", gains[:12])]
    one, other = Log.of(whole), Log.of(split)
    for name, value in vars(one).items():
        assert np.array_equal(value, getattr(other, name)), name
    # … and when a log grows.
    parts = [Log.of(whole[:2]), Log.of([whole[3]]), Log.of([whole[2]])]
    grown = parts[0].plus(parts[1]).plus(parts[2])
    for name, value in vars(one).items():
        if name != "pairs":  # computed when asked for
            assert np.array_equal(value, getattr(grown, name)), name


def test_a_contest_that_was_logged_twice_with_different_ends_has_an_order_too() -> None:
    one, two = duel("a", "b", [(3.0, 0.0)]), duel("a", "b", [(1.0, 0.0)])
    assert Log.of([one, two]).returns.tolist() == Log.of([two, one]).returns.tolist()


def test_a_deal_is_its_leagues_seed_and_its_number() -> None:
    same = Log.of([scored("a", "b", [1, 0]), scored("a", "c", [1, 0])])
    assert same.deals == 2
    assert Log.of([scored("a", "b", [1, 0]), scored("a", "c", [1, 0], seed=2)]).deals == 4
    assert Log.of([scored("a", "b", [1, 0]), scored("a", "c", [1, 0], first_deal=1)]).deals == 3


def test_two_copies_of_one_agent_are_no_pair() -> None:
    rng = np.random.default_rng(0)
    (table,) = full_tables([0.0, 0.0, 0.0], [(0, 0, 1)], 5, rng)
    log = Log.of([table])
    assert log.entrants == ("agent-00", "agent-01")
    assert (log.pairs.i.tolist(), log.pairs.j.tolist(), len(log.pairs.contest)) == ([0], [1], 10)
    cells, _, episodes = log.earned
    assert cells.total(episodes).tolist() == [30, 15]


def test_lineups_of_different_sizes_share_a_log() -> None:
    one = result("abc", [[[3.0], [2.0], [1.0]]])
    two = result("ab", [[[0.0], [2.0]]], first_deal=1)
    log = Log.of([one, two])
    assert log.lineup.tolist() == [[0, 1, 2], [0, 1, -1]]
    assert log.finishes.tolist() == [[1, 2, 3], [2, 1, 0]]
    assert won(log, "a", "b") == [1, 0]
    assert won(log, "a", "c") == [1]
    assert log.pairs.contest.tolist() == [0, 0, 0, 1]
    assert log.pairs.cells.deals.tolist() == [2, 1, 1]


def test_one_log_is_of_one_game() -> None:
    with pytest.raises(InputError, match=r"coin \(version 1\) and coin \(version 2\)"):
        Log.of([scored("a", "b", [1]), scored("a", "b", [1], version=2)])
    with pytest.raises(InputError, match="choose one game"):
        Log.of([scored("a", "b", [1]), scored("a", "b", [1], game="dice")])


def test_a_return_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        Log.of([duel("a", "b", [(np.nan, 0)])])


def test_an_empty_log_has_no_entrants() -> None:
    log = Log.of([])
    assert log.entrants == () and log.deals == 0 and log.game == ""
    assert len(log.pairs.i) == 0 and log.plus(log) is log
    some = Log.of([duel("a", "b", [(1, 1)])])
    assert log.plus(some) is some and some.plus(log) is some
