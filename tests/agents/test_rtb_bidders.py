"""Bidders in the market: the contract, what shading is worth, and what bandits learn."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import t as student

from arena.agents.agent import Agent, CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.registry import make_game
from arena.envs.rtb.game import RtbCatalogue

BIDDERS = [
    "truthful", "shaded", "ortb", "paced", "ucb", "linucb", "exp3", "rlb", "rlb?objective=profit",
]  # fmt: skip


def play(spec: str, bidders: Sequence[str], episodes: int) -> np.ndarray:
    """Returns ``(episodes, seats)`` of these bidders, by seat, on the seeds 0 … episodes - 1."""
    game = make_game(spec)
    agents: list[Agent] = [make_agent(bidder, game) for bidder in bidders]
    tables = game.tables(episodes)
    every = np.arange(episodes)
    tables.begin(every, every.astype(np.uint64))
    for seat, agent in enumerate(agents):
        agent.begin(every, np.full(episodes, seat))
    decided = 0
    while not tables.done.all():
        turns = tables.turns()
        bases = np.array(
            [
                seeding.derive(int(t), int(s))
                for t, s in zip(turns.tables, turns.seats, strict=True)
            ],
            np.uint64,
        )
        turns.seeds = seeding.spread(bases, np.full(len(turns), decided))
        bids = np.zeros((len(turns), game.action_space.shape[0]))
        for seat, agent in enumerate(agents):
            rows = np.flatnonzero(turns.seats == seat)
            if len(rows):
                bids[rows] = agent.act(turns.select(rows)).actions
        tables.step(turns.tables, turns.seats, bids)
        decided += 1
    return tables.returns


def interval(differences: np.ndarray, level: float = 0.999) -> tuple[float, float]:
    """Student's interval of the mean of paired differences."""
    half = student.ppf(0.5 + level / 2, len(differences) - 1)
    spread = half * differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - spread, differences.mean() + spread


@pytest.mark.parametrize("bidder", BIDDERS)
def test_a_bidder_keeps_the_contract(bidder: str) -> None:
    other_process = bidder == "exp3"
    assert check_agent(bidder, "rtb?auctions=100,bidders=3", other_process=other_process) > 20


@pytest.mark.parametrize(("mechanism", "shading_pays"), [("first", True), ("second", False)])
def test_shading_beats_truth_in_first_price_and_not_in_second(
    mechanism: str, shading_pays: bool
) -> None:
    """Profit of the same seat against the same rivals on the same seeds, 99.9 % interval."""
    spec = f"rtb?mechanism={mechanism},budget=none,score=profit,auctions=200,bidders=3"
    rivals = ["truthful" if mechanism == "second" else "shaded?factor=0.8"] * 2
    shaded = play(spec, ["shaded?factor=0.6", *rivals], 300)[:, 0]
    truthful = play(spec, ["truthful", *rivals], 300)[:, 0]
    low, high = interval(shaded - truthful)
    assert low > 0 if shading_pays else high < 0


@pytest.mark.parametrize("bidder", ["ucb", "linucb", "exp3"])
@pytest.mark.parametrize("mechanism", ["first", "second"])
def test_bandits_learn_whether_to_shade(bidder: str, mechanism: str) -> None:
    """They earn more than who draws the same multiples at random, whichever way is right."""
    spec = f"rtb?mechanism={mechanism},budget=none,score=profit,auctions=3000,tick=10,bidders=2"
    learned = play(spec, [bidder, "shaded?factor=0.8"], 40)[:, 0]
    at_random = play(spec, ["exp3?gamma=1", "shaded?factor=0.8"], 40)[:, 0]
    low, _ = interval(learned - at_random)
    assert low > 0
    if bidder != "exp3":  # which explores for ever, against rivals that might change
        best = "shaded?factor=0.55" if mechanism == "first" else "truthful"
        assert learned.mean() > 0.8 * play(spec, [best, "shaded?factor=0.8"], 40)[:, 0].mean()


def test_a_configurations_own_bidders_play_it() -> None:
    """AuctionGym's lesson: at first price who shades keeps a profit, at second price truth does."""
    for name in ("first-price", "second-price"):
        spec = f"rtb_catalogue?config={name},auctions=500"
        game = make_game(spec)
        assert isinstance(game, RtbCatalogue)
        kept = play(spec, game.bidders, 50)
        low, _ = interval(kept.sum(axis=1))
        assert low > 0


def test_rlb_wins_most_clicks_where_its_assumptions_hold() -> None:
    """Alone against the market that it was solved for, money short: paired over seeds."""
    spec = "rtb?bidders=1,campaigns=2997,budget=0.03125,auctions=1000,tick=1"
    best = play(spec, ["rlb"], 300)[:, 0]
    for rival in ("truthful", "shaded?factor=0.25", "ortb?scale=0.7"):
        low, _ = interval(best - play(spec, [rival], 300)[:, 0])
        assert low > 0


def test_pacing_spends_the_budget_over_the_whole_episode() -> None:
    game = make_game("rtb?bidders=1,campaigns=2997,budget=0.125")
    agent = make_agent("paced", game)
    tables = game.tables(50)
    every = np.arange(50)
    tables.begin(every, every.astype(np.uint64))
    agent.begin(every, np.zeros(50, np.int64))
    halfway = np.zeros(50)
    while not tables.done.all():
        turns = tables.turns()
        tables.step(turns.tables, turns.seats, agent.act(turns).actions)
        if tables.now.max() == game.ticks // 2:
            halfway = 1.0 - tables.left[:, 0] / game.budgets[0]
    assert abs(halfway.mean() - 0.5) < 0.1
    assert (1.0 - tables.left[:, 0] / game.budgets[0]).mean() > 0.9


@pytest.mark.parametrize(
    ("bidder", "game", "complaint"),
    [
        ("truthful", "gymnasium?id=CartPole-v1", "truthful bids in markets"),
        ("rlb", "rtb?mechanism=first", "rlb needs mechanism=second and a budget"),
        ("rlb", "rtb?budget=none", "rlb needs mechanism=second and a budget"),
        ("rlb", "rtb_catalogue", r"rlb bids for campaigns \(rtb\)"),
        ("ucb:there", "rtb", "ucb takes no checkpoint"),
    ],
)
def test_who_cannot_play_says_so(bidder: str, game: str, complaint: str) -> None:
    with pytest.raises(CannotPlay, match=complaint):
        make_agent(bidder, make_game(game))


def test_odd_options_are_refused() -> None:
    with pytest.raises(InputError, match="factor=-1 must be from 0 to 100"):
        make_agent("shaded?factor=-1", make_game("rtb"))


def test_turns_are_all_that_a_bidder_needs() -> None:
    """Asked about a part of the turns, it answers as it does about all of them."""
    game = make_game("rtb?bidders=2")
    tables = game.tables(3)
    tables.begin(np.arange(3), np.arange(3, dtype=np.uint64))
    turns: Turns = tables.turns()
    agent = make_agent("rlb", game)
    rows = np.array([4, 1])
    np.testing.assert_array_equal(
        agent.act(turns).actions[rows], agent.act(turns.select(rows)).actions
    )
