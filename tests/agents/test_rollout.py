"""The venue draws from declared policies and checks what agents say; rollout plays episodes."""

import numpy as np
import pytest

from arena.agents.agent import Agent, Decisions
from arena.agents.answers import Status, check, consult
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out, rollout
from arena.envs.registry import make_game

SEEDS = np.arange(50).astype(np.uint64)


def turns(game, n=1):
    tables = make_game(game).tables(n)
    tables.begin(np.arange(n), SEEDS[:n])
    return tables.turns()


class Declaring(Agent):
    """Declares the same policy everywhere, and remembers what was drawn from it."""

    def __init__(self, policy):
        self.row, self.taken, self.begun, self.ended = policy, [], 0, None

    def policy(self, turns):
        return np.tile(np.array(self.row, np.float64), (len(turns), 1))

    def took(self, turns, actions):
        self.taken += actions.tolist()

    def begin(self, tables, seats):
        self.begun += len(tables)

    def end(self, tables, seats, returns):
        self.ended = returns.tolist()


def test_the_venue_draws_from_a_declared_policy_and_tells_what_was_drawn():
    agent = Declaring([0, 0.5, 0, 0, 0.5])
    answers = consult(agent, turns("holdem", 4), np.array([0.0, 0.49, 0.5, 0.9]))
    assert answers.actions.tolist() == agent.taken == [1, 1, 4, 4]
    assert answers.drawn.all() and (answers.status == Status.DONE).all()


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ([0.5, 0.4, 0, 0, 0], Status.CRASH),  # sums to .9
        ([1.5, -0.5, 0, 0, 0], Status.CRASH),
        ([np.nan, 1, 0, 0, 0], Status.CRASH),
        ([np.inf, 0, 0, 0, 0], Status.CRASH),
        ([0, 0, 0, 0, 0], Status.CRASH),
        ([1e-9, 1 - 1e-9, 0, 0, 0], Status.ILLEGAL),  # folds, a little, where checking is free
    ],
)
def test_a_policy_that_is_none_is_not_drawn_from(policy, status):
    tables = make_game("holdem").tables(1)
    tables.begin(np.zeros(1, np.int64), SEEDS[:1])
    tables.step(np.zeros(1, np.int64), np.array([1]), np.array([1]))  # a call: now fold is illegal
    answers = consult(Declaring(policy), tables.turns(), np.zeros(1))
    assert answers.status.tolist() == [status]
    assert not answers.drawn.any()


def test_probabilities_beside_actions_are_a_comment():
    said = Decisions(np.array([1]), np.array([[0, 0.2, 0, 0, 0.8]]))
    answers = check(turns("holdem"), said)
    assert answers.actions.tolist() == [1] and not answers.drawn.any()


def test_what_was_answered_is_the_venues_own():
    policy = np.array([[0, 1.0, 0, 0, 0]])
    answers = check(turns("holdem"), Decisions(None, policy))
    policy[:] = 0
    assert answers.probabilities.tolist() == [[0, 1, 0, 0, 0]]


def test_a_rollout_tells_begin_and_end_and_scores_every_seat():
    game = make_game("holdem?seats=3")
    agents = [Declaring([0, 1, 0, 0, 0]), make_agent("random", game), make_agent("tag", game)]
    tables = game.tables(50)
    returns = play_out(tables, agents, SEEDS)
    assert tables.done.all()
    assert agents[0].begun == 50
    assert agents[0].ended == returns[:, 0].tolist()
    np.testing.assert_allclose(returns.sum(axis=1), 0, atol=1e-9)


def test_equal_seeds_play_alike_and_one_agent_may_sit_at_several_seats():
    game = make_game("holdem")
    one, two = make_agent("random", game), make_agent("random", game)
    together = play_out(game.tables(50), [one, one], SEEDS)
    apart = play_out(game.tables(50), [one, two], SEEDS)
    assert together.tolist() == apart.tolist()
    assert together.tolist() != play_out(game.tables(50), [one, one], SEEDS + np.uint64(1)).tolist()


def test_who_answers_illegally_forfeits():
    game = make_game("holdem")
    agents = [make_agent("illegal", game), make_agent("call", game)]
    batches = list(rollout(game.tables(5), agents, SEEDS[:5]))
    folds = [batch.answers.status.tolist() for batch in batches if batch.turns.seats[0] == 0]
    assert folds == [[Status.ILLEGAL] * 5]  # asked once, and never again


def test_a_rollout_goes_on_from_where_tables_stand():
    game = make_game("holdem")
    tables = game.tables(50)
    tables.begin(np.arange(50), SEEDS)
    imagined = tables.turns().imagine(np.zeros(50, np.int64), SEEDS)
    own = imagined.hands["deck"][:, 2:4].tolist()
    play_out(imagined, [make_agent("call", game)] * 2, SEEDS, begin=False)
    assert imagined.done.all()
    assert own == [own[0]] * 50  # seat 1's cards, which it knows


def test_an_agents_own_error_is_raised():
    game = make_game("holdem")
    with pytest.raises(RuntimeError, match="always crashes"):
        play_out(game.tables(1), [make_agent("crash", game)] * 2, SEEDS[:1])


def test_simultaneous_seats_are_taken_in_one_step():
    game = make_game("rtb?auctions=60")
    agents = [make_agent(spec, game) for spec in ("truthful", "shaded", "random", "truthful")]
    returns = play_out(game.tables(3), agents, SEEDS[:3])
    assert (returns > 0).any() and np.isfinite(returns).all()
