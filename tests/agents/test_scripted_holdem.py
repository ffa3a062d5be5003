"""The scripted Hold'em players: their estimates, their equilibrium, and who beats whom."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.registry import make_agent
from arena.agents.rollout import play_out
from arena.agents.scripted.equity import fixed_equities, sample_equities
from arena.agents.scripted.holdem import ALL_IN, CALL, FOLD, HoldemPlayer, read_betting
from arena.agents.scripted.preflop import (
    CLASS_OF,
    class_name,
    class_number,
    equities,
    meetings,
    percentile,
    strength,
)
from arena.agents.scripted.pushfold import Ranges, exploitability, solve
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.game import Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.cards import parse
from arena.envs.holdem.evaluator import evaluate

PLAYERS = ("fold", "call", "allin", "rock", "tag", "station", "lag", "equity")


def play(game: Holdem, specs: list[str], deals: int, turn: int) -> NDArray[np.float64]:
    """Returns by deal and player: player ``i`` sits ``turn`` seats on, in the same deals."""
    agents = [make_agent(spec, game) for spec in specs]
    tables = game.tables(deals)
    seated = [agents[(seat - turn) % game.seats] for seat in range(game.seats)]
    seeds = np.array([seeding.derive("deal", d) for d in range(deals)], np.uint64)
    play_out(tables, seated, seeds)
    return tables.returns[:, (np.arange(game.seats) + turn) % game.seats]


def duel(first: str, second: str, deals: int, **options: Any) -> tuple[float, float]:
    """What ``first`` wins from ``second`` in mbb/hand over duplicate deals, and 1.96 SE of it."""
    game = Holdem(seats=2, **options)
    both = [play(game, [first, second], deals, turn)[:, 0] for turn in (0, 1)]
    won = 1000 * np.mean(both, axis=0)
    return float(won.mean()), float(1.96 * won.std() / np.sqrt(deals))


def turns_after(game: Holdem, moves: list[int], deals: int = 1) -> Turns:
    """The turns of ``deals`` tables after the same actions everywhere."""
    tables = game.tables(deals)
    tables.begin(np.arange(deals), np.arange(deals, dtype=np.uint64))
    for move in moves:
        slots, seats = tables.to_act()
        tables.step(slots, seats, np.full(len(slots), move))
    slots, seats = tables.to_act()
    return Turns(tables, slots, seats, np.arange(deals, dtype=np.uint64))


# -- contract --------------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", PLAYERS)
def test_players_keep_the_contract(spec: str) -> None:
    for game in (
        "holdem?seats=2",
        "holdem?seats=6,stack=30/5/100/50/2/80,ante=10,menu=0.33/0.75/2",
        "holdem?seats=10,stack=20,straddles=2",
        "holdem?seats=3,stack=6,format=sit_and_go,hands_per_level=3",
    ):
        assert check_agent(spec, game, limit=40, other_process=game == "holdem?seats=2") > 0


def test_pushfold_keeps_the_contract() -> None:
    for game in ("holdem?stack=10", "holdem?stack=8,format=sit_and_go,ante=10,hands_per_level=3"):
        assert check_agent("pushfold", game, limit=40, other_process=False) > 0


def test_refusals_say_what_would_fit() -> None:
    with pytest.raises(CannotPlay, match=r"seats=2.*not 3 seats"):
        make_agent("pushfold", Holdem(seats=3, stack=10))
    with pytest.raises(CannotPlay, match="up to 25 big blinds, not 100"):
        make_agent("pushfold", Holdem())
    with pytest.raises(CannotPlay, match="allin takes no checkpoint"):
        make_agent("allin:runs/3", Holdem())
    with pytest.raises(InputError, match="samples=0; it is from 1 to 100,000"):
        make_agent("equity?samples=0", Holdem())


# -- what players share ----------------------------------------------------------------------------


def test_intents_become_the_nearest_legal_action() -> None:
    game = Holdem(seats=2, stack=10, menu=(0.25, 1.0))  # fold, call, quarter, pot, all-in
    player = make_agent("call", game)
    assert isinstance(player, HoldemPlayer)
    small_blind = turns_after(game, [])
    for intent, action in ((FOLD, 0), (CALL, 1), (0.9, 3), (3.0, 4), (5.0, 4), (ALL_IN, 4)):
        assert player.carry_out(small_blind, np.array([intent])).tolist() == [action], intent
    assert player.carry_out(small_blind, np.array([0.25])).tolist() == [3], "less than the minimum"
    flop = turns_after(game, [1, 1])
    assert player.carry_out(flop, np.array([FOLD])).tolist() == [1], "checking is free"
    facing_all_in = turns_after(game, [4])
    assert player.carry_out(facing_all_in, np.array([ALL_IN])).tolist() == [1]


def test_betting_is_read_from_the_history() -> None:
    game = Holdem(seats=4, menu=(1.0,))
    before = read_betting(turns_after(game, [2, 1]).observation)  # seat 2 raises, 3 calls, 0 is on
    assert before.raises.tolist() == [1]
    assert before.raises_by_seat[0, :, 0].tolist() == [0, 0, 1, 0]
    assert before.to_come.tolist() == [1]
    after = read_betting(
        turns_after(game, [2, 1, 1, 0, 2, 2]).observation
    )  # flop: 0 bets, 2 raises
    assert after.raises.tolist() == [2]
    # From seat 3: itself, 0, 1 (folded), 2.
    assert after.raises_by_seat[0].tolist() == [[0, 0], [0, 1], [0, 0], [1, 1]]
    assert after.to_come.tolist() == [0]


def test_constant_players() -> None:
    assert duel("allin", "fold", 200) == (750, 0)
    assert duel("call", "fold", 200)[0] > 0
    assert duel("allin", "call", 200) == (0, 0), "the same hands go all the way both ways round"


# -- equities --------------------------------------------------------------------------------------


def exact_equity(first: str, second: str) -> float:
    """One hand against another over all boards, from the evaluator alone."""
    hands = [parse(first), parse(second)]
    rest = [card for card in range(52) if card not in hands[0] + hands[1]]
    boards = np.fromiter((c for b in combinations(rest, 5) for c in b), np.int8).reshape(-1, 5)
    mine, theirs = (
        evaluate(np.concatenate([np.tile(np.array(hand, np.int8), (len(boards), 1)), boards], 1))
        for hand in hands
    )
    return float((mine > theirs).mean() + (mine == theirs).mean() / 2)


def test_table_of_equities_is_exact() -> None:
    """Pairs of two suits, so that a class is met in ways that differ, are averaged over these."""
    kings = [("Kc", "Kd"), ("Kc", "Kh"), ("Kh", "Ks")]  # share two, one and no suit with AcAd
    values = [exact_equity("AcAd", "".join(pair)) for pair in kings]
    average = np.average(values, weights=[1, 4, 1])
    table = equities()[class_number("AA"), class_number("KK")]
    assert table == pytest.approx(average, abs=1e-6)
    assert table == pytest.approx(0.8195, abs=5e-5)


def test_known_strengths_of_starting_hands() -> None:
    """Against a random hand, as any poker calculator has them."""
    for name, equity in {"AA": 0.852, "KK": 0.824, "AKs": 0.670, "22": 0.503, "32o": 0.323}.items():
        assert strength()[class_number(name)] == pytest.approx(equity, abs=5e-4)
    assert percentile()[class_number("AA")] == 0
    assert percentile()[class_number("KK")] == pytest.approx(6 / 1326)


def test_classes_and_their_meetings() -> None:
    assert [class_name(n) for n in (168, 12 * 13 + 11, 11 * 13 + 12)] == ["AA", "AKs", "AKo"]
    assert CLASS_OF[tuple(parse("AhKh"))] == class_number("AKs")
    assert CLASS_OF[tuple(parse("2cAh"))] == class_number("A2o")
    pair, suited = class_number("AA"), class_number("AKs")
    assert meetings()[pair, pair] == 6
    assert meetings()[pair, suited] == 6 * 2
    assert meetings().sum() == 1326 * 1225


def test_sampled_equities_are_near_the_exact_ones() -> None:
    """At 20,000 samples the standard error is below .0036; four of them are allowed."""
    spots = {
        ("AcAd", ""): strength()[class_number("AA")],
        ("7h2c", ""): strength()[class_number("72o")],
        ("AhKh", "QhJhTh2c3c"): 1.0,
        ("2c2d", "AhAdAsAc"): 0.0,  # any hand plays the board; kickers decide
    }
    for (hole, board), expected in spots.items():
        cards = np.full((1, 5), -1, np.int8)
        known = parse(board)
        cards[0, : len(known)] = known
        estimate = sample_equities(
            np.array([parse(hole)], np.int8),
            cards,
            np.ones((1, 1, 2), np.int64),
            np.array([3], np.uint64),
            20_000,
        )[0]
        if board == "AhAdAsAc":
            rest = [c for c in range(52) if c not in parse(hole + board)]
            mine = np.array([[*known, r, *parse(hole)] for r in rest], np.int8)
            expected = np.mean(
                [
                    (m > t) + (m == t) / 2
                    for river, m in zip(rest, evaluate(mine), strict=True)
                    for t in evaluate(
                        np.array(
                            [
                                [*known, river, *hole]
                                for hole in combinations([c for c in rest if c != river], 2)
                            ],
                            np.int8,
                        )
                    )
                ]
            )
        assert estimate == pytest.approx(expected, abs=0.0145), (hole, board)


def test_more_and_stronger_opponents_leave_less() -> None:
    hole = np.tile(np.array(parse("AhQd"), np.int8), (4, 1))
    board = np.full((4, 5), -1, np.int8)
    opponents = np.zeros((4, 3, 2), np.int64)
    opponents[0, 0] = (1, 1)
    opponents[1, 0] = (3, 1)  # the best of three hands before the flop
    opponents[2, 0] = (1, 3)  # the best of three at the showdown
    opponents[3] = 1  # three opponents
    estimate = sample_equities(hole, board, opponents, np.arange(4, dtype=np.uint64), 4000)
    assert estimate[0] > estimate[1] + 0.015
    assert estimate[1] > estimate[2] + 0.1
    assert abs(estimate[2] - estimate[3]) < 0.04, "to beat all of three, be they one's or three's"


def test_fixed_estimates_depend_on_the_cards_alone() -> None:
    rng = np.random.default_rng(0)
    cards = np.array([rng.permutation(52)[:7] for _ in range(50)], np.int8)
    cards[:20, 5:] = -1
    together = fixed_equities(cards[:, :2], cards[:, 2:])
    for row in (0, 30):
        assert fixed_equities(cards[[row], :2], cards[[row], 2:])[0] == together[row]


# -- push or fold ----------------------------------------------------------------------------------


def frequency(rates: NDArray[np.float64]) -> float:
    return float(np.average(rates, weights=meetings().sum(axis=1)))


@pytest.mark.parametrize("ante", [0.0, 0.125])
@pytest.mark.parametrize("stack", [1.0, 2.0, 4.0, 7.0, 10.0, 15.0, 25.0])
def test_ranges_are_an_equilibrium(stack: float, ante: float) -> None:
    """No best response wins a thousandth of a big blind a hand more; in fact far less."""
    assert max(exploitability(solve(stack, ante=ante), stack, ante=ante)) < 1e-4


def test_exploitability_is_what_a_best_response_wins() -> None:
    """Against who never calls, any two cards steal; against who always pushes, call with 32o+."""
    never = Ranges(np.zeros(169), np.zeros(169))
    small, big = exploitability(never, 10.0)
    assert small == pytest.approx(1.5)  # wins 1 instead of losing .5
    assert big == pytest.approx(0)
    always = Ranges(np.ones(169), np.ones(169))
    gains = np.maximum(0, -1 - 10 * (2 * strength() - 1))  # of folding instead of calling
    assert exploitability(always, 10.0)[1] == pytest.approx(frequency(gains))


def test_ranges_are_the_published_ones() -> None:
    """HoldemResources' heads-up Nash charts: the deepest stack at which a hand is played."""
    ten = solve(10.0)
    assert frequency(ten.push) == pytest.approx(0.583, abs=1e-3)
    assert frequency(ten.call) == pytest.approx(0.374, abs=1e-3)
    assert frequency(solve(1.0).push) == pytest.approx(1)

    def pushed(hand: str, stack: float) -> float:
        return float(solve(stack).push[class_number(hand)])

    assert pushed("T3s", 7.5) > 0.9 and pushed("T3s", 7.8) < 0.1  # 7.7
    assert solve(5.6).call[class_number("Q2o")] > 0.9  # 5.6
    assert solve(5.7).call[class_number("Q2o")] < 0.1
    # 63s is pushed from 7.1 to 5.1 and again below 2.3.
    assert [round(pushed("63s", s)) for s in (7.3, 7.0, 4.0, 2.5, 2.2)] == [0, 1, 0, 0, 1]


def test_pushfold_plays_the_ranges_it_solved() -> None:
    game = Holdem(seats=2, stack=10)
    agent = make_agent("pushfold", game)
    for moves, rates, fold, bold in (([], solve(10.0).push, 0, 4), ([4], solve(10.0).call, 0, 1)):
        turns = turns_after(game, moves, 3000)
        policy = agent.policy(turns)
        hole = turns.observation["hole"]
        expected = rates[CLASS_OF[hole[:, 0], hole[:, 1]]]
        np.testing.assert_allclose(policy[:, bold], expected)
        np.testing.assert_allclose(policy[:, fold], 1 - expected)


# -- strength of play ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("better", "worse", "deals"),
    [
        ("equity", "random", 400),
        ("equity", "call", 400),
        ("equity", "station", 600),
        ("equity", "lag", 2000),
        ("tag", "station", 600),
        ("station", "call", 600),
        ("tag", "random", 400),
    ],
)
def test_who_beats_whom(better: str, worse: str, deals: int) -> None:
    won, margin = duel(better, worse, deals)
    assert won > margin > 0, f"{won:.0f} ± {margin:.0f} mbb/hand"


def test_pushfold_wins_where_it_belongs() -> None:
    for other in ("allin", "call", "station"):
        won, margin = duel("pushfold", other, 600, stack=10)
        assert won > margin, f"{won:.0f} ± {margin:.0f} mbb/hand against {other}"


def test_equity_wins_at_a_full_table() -> None:
    game = Holdem(seats=6)
    specs = ["equity", "random", "call", "station", "allin", "fold"]
    won = np.mean([play(game, specs, 600, turn) for turn in range(6)], axis=0)
    mean, margin = won.mean(axis=0), 1.96 * won.std(axis=0) / np.sqrt(len(won))
    assert mean[0] > margin[0], f"{mean[0]:.2f} ± {margin[0]:.2f} bb/hand"


def test_archetypes_differ_as_their_names_say() -> None:
    """Share of hands played and of raises among plays, first in at a table of six."""
    game = Holdem(seats=6)
    turns = turns_after(game, [], 4000)
    played, raised = {}, {}
    for name in ("rock", "tag", "station", "lag"):
        actions = make_agent(name, game).policy(turns).argmax(axis=1)
        played[name] = (actions > 0).mean()
        raised[name] = (actions > 1).sum() / (actions > 0).sum()
    assert max(played["rock"], played["tag"]) < 0.25 < min(played["station"], played["lag"])
    assert max(raised["rock"], raised["station"]) < 0.25 < 0.5 < min(raised["tag"], raised["lag"])
