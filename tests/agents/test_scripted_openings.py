"""All-in or fold at a table of several: solved, and where it is known already, the same."""

import numpy as np
import pytest

from arena.agents.scripted import openings, pushfold
from arena.agents.scripted.preflop import class_number, meetings

SHARES = meetings().sum(axis=1) / meetings().sum()


def test_heads_up_it_is_push_or_fold():
    for stack, ante in ((10.0, 0.0), (6.0, 0.2), (0.8, 0.0)):
        (found,) = openings.solve(2, stack, 0.5, ante, iterations=50)
        known = pushfold.solve(stack, 0.5, ante, iterations=50)
        assert found.push == pytest.approx(known.push, abs=1e-9)
        assert found.calls[0] == pytest.approx(known.call, abs=1e-9)
        assert openings.shortfalls((found,), stack, 0.5, ante)[0] == pytest.approx(
            pushfold.exploitability(known, stack, 0.5, ante), abs=1e-9
        )


def test_at_a_table_of_four_nobody_gains_by_playing_otherwise():
    found = openings.solve(4, 10.0, iterations=100)
    assert [len(one.calls) for one in found] == [3, 2, 1]
    assert max(map(max, openings.shortfalls(found, 10.0))) < 1e-3
    shares = [float(SHARES @ one.push) for one in found]
    assert shares == sorted(shares) and shares[0] < 0.3 < shares[-1]  # later is looser
    first = found[0].push
    assert first[class_number("AA")] > 0.999 and first[class_number("72o")] < 0.001
    # The small blind's game does not depend on who folded before, where there is no ante.
    assert np.allclose(found[-1].push, openings.solve(2, 10.0, iterations=100)[0].push)
    # An ante of those who folded is worth winning.
    (ante,) = openings.solve(4, 10.0, 0.5, 0.2, iterations=100)[-1:]
    assert float(SHARES @ ante.push) > shares[-1]


def test_a_range_that_gives_something_away_falls_short():
    found = openings.solve(3, 10.0, iterations=50)
    tight = found[0]._replace(push=np.zeros(169))
    loose = found[0]._replace(calls=(np.ones(169), found[0].calls[1]))
    assert openings.shortfalls((tight, found[1]), 10.0)[0][0] > 0.05
    assert openings.shortfalls((loose, found[1]), 10.0)[0][1] > 0.05
