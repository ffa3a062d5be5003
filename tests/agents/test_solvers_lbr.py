"""Local best response: what is known in closed form, and what the range of a player becomes."""

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.registry import make_agent
from arena.agents.solvers import beliefs
from arena.agents.solvers.lbr import _shares, respond
from arena.agents.solvers.ranges import HANDS
from arena.cli import main
from arena.envs.holdem import cards
from arena.envs.registry import make_game

GAME = make_game("holdem?stack=20")


@pytest.mark.parametrize(("actions", "fold"), [("fc", 250.0), ("fcpa", 750.0)])
def test_who_always_folds_loses_the_blinds(actions, fold):
    response = respond(make_agent("fold", GAME), GAME, 12, 0, actions)
    assert response.always_fold == fold
    if actions == "fcpa":  # every deal is won by a bet on the turn at the latest
        assert (response.deals == fold).all()


def test_who_always_calls_loses_nothing_to_calls_and_much_to_bets():
    station = make_agent("call", GAME)
    assert respond(station, GAME, 12, 0, "fc").deals.mean() == 0
    assert respond(station, GAME, 60, 0, "fcpa").deals.mean() > 1000


def test_the_share_against_each_hand_is_counted_over_all_rivers():
    own = np.array(sorted(cards.parse("AsAd")))
    shares = _shares(own, np.array(cards.parse("AhAc7d2s")), 0)
    met = ~np.isin(HANDS, cards.parse("AsAdAhAc7d2s")).any(axis=1)
    assert (shares[met] == 1).all()  # four aces win on every river but where a straight flush comes
    draw = np.array(sorted(cards.parse("Kh2h")))
    against = sorted(cards.parse("AsAd"))
    shares = _shares(draw, np.array(cards.parse("9h5h3c7d")), 0)
    number = int(np.flatnonzero((against == HANDS).all(axis=1))[0])
    assert shares[number] == pytest.approx(9 / 44)  # nine hearts of 44 cards


def test_a_range_is_what_the_players_policy_makes_of_all_hands():
    tables = GAME.tables(1)
    tables.begin(np.arange(1), np.array([3], np.uint64))
    pushing = make_agent("tag", GAME)
    asked = beliefs.ask(tables, np.arange(1), 1, pushing)[0]
    assert asked.sum(axis=1) == pytest.approx(np.ones(len(HANDS)))
    own = np.sort(beliefs.holes(tables, np.arange(1), 1)[0])
    number = int(np.flatnonzero((own == HANDS).all(axis=1))[0])
    assert (asked[number] == pushing.policy(tables.turns())[0]).all()


def test_the_suite_reports_a_bound_with_its_interval_and_the_warning(tmp_path, capsys):
    command = ["eval", "exploitability", "--agent", "call", "--agent", "fold", "--by", "lbr"]
    command += ["--game", "holdem?stack=20", "--deals", "8", "-o", str(tmp_path / "out")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "proves nothing" in said
    assert "a player that folds whenever it can" in said


@pytest.mark.parametrize(
    ("game", "actions", "sentence"),
    [
        ("leduc", "fcpa", "heads-up holdem"),
        ("holdem?seats=3", "fcpa", "heads-up holdem"),
        ("holdem?menu=0.5", "fcpa", "no bet of the pot"),
    ],
)
def test_what_it_cannot_look_at_is_said_in_a_sentence(game, actions, sentence):
    made = make_game(game)
    with pytest.raises(CannotPlay, match=sentence):
        respond(make_agent("random", made), made, 2, 0, actions)


def test_a_trained_response_finds_what_uniform_play_gives_away(tmp_path, capsys):
    command = ["eval", "exploitability", "--agent", "random", "--game", "kuhn", "--by", "dqn"]
    command += ["--steps", "1500", "--deals", "20", "--json", "-o", str(tmp_path / "out")]
    assert main(command) == 0
    assert '"by": "dqn"' in capsys.readouterr().out
    assert main(command) == 0  # it goes on from where it was
