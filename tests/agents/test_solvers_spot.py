"""The solver of turns and rivers against brute force, a linear program, and closed forms."""

from itertools import combinations

import numpy as np
import pytest

from arena.agents.solvers import ranges, sequence_form, spot
from arena.agents.solvers.ranges import HANDS
from arena.agents.solvers.spot import DECISION, FOLD, Spot, SpotSolver
from arena.agents.solvers.tree import Tree
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.evaluator import evaluate

RIVER = tuple(cards.parse("AhKd7c5s2h"))


def some(count, seed):
    """A range of so many hands that the river leaves, of different weights."""
    rng = np.random.default_rng(seed)
    free = np.flatnonzero(~np.isin(HANDS, RIVER).any(axis=1))
    weights = np.zeros(len(HANDS))
    weights[rng.choice(free, count, replace=False)] = rng.uniform(0.2, 1, count)
    return weights


def test_folds_and_showdowns_agree_with_every_pair_of_hands_compared():
    solver = SpotSolver(Spot(RIVER, np.stack([some(1081, 1), some(1081, 2)]), 10, 20))
    hands, other = HANDS[solver.numbers], solver.ranges[1]
    strength = evaluate(np.column_stack([hands, np.tile(RIVER, (len(hands), 1))]))
    share = (hands[:, None, :, None] == hands[None, :, None, :]).any(axis=(2, 3))
    meets = np.where(share, 0.0, other)
    value = np.empty(len(hands))
    spot._fold(solver._tree, 3.0, other, value)
    assert np.allclose(value, 3 * meets.sum(axis=1))
    spot._showdown(solver._tree, 0, 3.0, other, value)
    beats = np.sign(strength[:, None].astype(int) - strength[None, :])
    assert np.allclose(value, 3 * (meets * beats).sum(axis=1))


def as_tree(solver):
    """The same spot as a tree of histories, one for each pair of hands that can meet."""
    bets, weights = solver.bets, solver.ranges
    hands = HANDS[solver.numbers]
    strength = evaluate(np.column_stack([hands, np.tile(RIVER, (len(hands), 1))]))
    live = [np.flatnonzero(weights[s]) for s in (0, 1)]
    pairs = [(i, j) for i in live[0] for j in live[1] if not set(hands[i]) & set(hands[j])]
    total = sum(weights[0, i] * weights[1, j] for i, j in pairs)
    names, sets, parts = {}, [0], {"actions": [], "owner": [], "parent": []}
    seat, infoset, weight, edges, children, payoffs, ends = [], [], [], [0], [], [], []
    queue = [(0, pair, (-1, -1)) for pair in pairs]
    depth = [0]
    at = 0
    while at < len(queue):
        if at == depth[-1]:
            depth.append(len(queue))
        node, (i, j), last = queue[at]
        at += 1
        state, chance = bets.states[node], weights[0, i] * weights[1, j] / total
        key = (node, (i, j)[state.seat])
        if key not in names:
            names[key] = len(names)
            parts["owner"].append(state.seat)
            parts["parent"].append(last[state.seat])
            parts["actions"] += range(len(bets.actions[node]))
            sets.append(len(parts["actions"]))
        seat.append(state.seat)
        infoset.append(names[key])
        weight.append(chance)
        for k in range(len(bets.actions[node])):
            child = bets.first[node] + k
            after = bets.states[child]
            children.append(len(queue))
            amount = solver.spot.pot / 2 + min(after.paid)
            earned = 0.0
            if after.kind == DECISION:
                entry = list(last)
                entry[state.seat] = sets[names[key]] + k
                queue.append((child, (i, j), tuple(entry)))
            elif after.kind == FOLD:
                earned = amount if after.seat == 1 else -amount
            else:
                earned = amount * np.sign(int(strength[i]) - int(strength[j]))
            payoffs.append([chance * earned, -chance * earned])
            ends.append(chance if after.kind != DECISION else 0.0)
        edges.append(len(payoffs))
    arrays = {key: np.array(value) for key, value in parts.items()}
    return Tree(
        game=None, seat=np.array(seat), infoset=np.array(infoset), weight=np.array(weight),
        roots=len(pairs), edges=np.array(edges), children=np.array([*children, len(queue)]),
        payoffs=np.array(payoffs), ends=np.array(ends), sets=np.array(sets),
        depths=np.array(depth), set_depths=np.array([]), turns=None, **arrays,
    )  # fmt: skip


def test_the_river_has_the_value_that_a_linear_program_finds():
    solver = SpotSolver(Spot(RIVER, np.stack([some(20, 3), some(20, 4)]), 10, 15, (0.5, 1.0)))
    solver.run(2000)
    value, _ = sequence_form.solve(as_tree(solver))
    assert solver.exploitability() < 1e-3 * 10
    assert solver.values()[0] == pytest.approx(value, abs=5e-3)


def test_who_holds_the_best_hand_or_nothing_bluffs_as_often_as_the_pot_odds_say():
    # One pot-sized bet: a bluff for every two best hands, and every second bluff-catcher calls.
    nuts, air, catcher = ranges.parse("AcAd"), ranges.parse("JcTc"), ranges.parse("KcQc")
    both = np.stack([nuts + air, catcher])
    solver = SpotSolver(Spot(RIVER, both, 100, 100, (1.0,)))
    solver.run(3000)
    root = solver.strategy(0)
    place = {
        text: int(np.flatnonzero(ranges.parse(text)[solver.numbers])[0])
        for text in ("AcAd", "JcTc", "KcQc")
    }
    assert solver.bets.actions[0] == ("check", "all-in")
    assert root[1, place["AcAd"]] == pytest.approx(1, abs=0.01)
    assert root[1, place["JcTc"]] == pytest.approx(0.5, abs=0.02)
    facing = int(solver.bets.first[0]) + 1
    assert solver.bets.actions[facing] == ("fold", "call")
    assert solver.strategy(facing)[1, place["KcQc"]] == pytest.approx(0.5, abs=0.02)
    # What the bluff-catcher does makes no difference to it there.
    values = solver.action_values(facing)[:, place["KcQc"]]
    assert values[0] == pytest.approx(values[1], abs=2)


def test_a_turn_without_bets_to_come_is_worth_its_equity():
    # Everything is in already but one chip: what is left is the mean over 44 rivers.
    board = tuple(cards.parse("AhKd7c5s"))
    ours, theirs = "AcKc", "QhJh"
    solver = SpotSolver(
        Spot(board, np.stack([ranges.parse(ours), ranges.parse(theirs)]), 100, 1e-9)
    )
    solver.run(50)
    hands = [cards.parse(ours), cards.parse(theirs)]
    wins = []
    for river in range(52):
        if river not in {*board, *hands[0], *hands[1]}:
            strength = evaluate(np.array([[*hand, *board, river] for hand in hands]))
            wins.append(np.sign(int(strength[0]) - int(strength[1])))
    assert len(wins) == 44
    assert solver.values()[0] == pytest.approx(50 * np.mean(wins), abs=1e-3)


def test_a_turn_converges():
    both = np.stack([ranges.parse("AK,AQ,77,55,QJs"), ranges.parse("AA,KK,KQ,T9s,86s")])
    solver = SpotSolver(Spot(tuple(cards.parse("AhKd7c5s")), both, 10, 20, (1.0,)))
    solver.run(200)
    assert solver.exploitability() < 0.005 * 10
    assert solver.values().sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "count"),
    [("AA", 6), ("AKs", 4), ("AKo", 12), ("AK", 16), ("TT+", 30), ("A2s+", 48), ("A5s-A2s", 16),
     ("99-77", 18), ("KTo+", 36), ("AhKh", 1), ("any", 1326), ("AA,AcAd:0.5", 6)],
)  # fmt: skip
def test_ranges_are_read_as_players_write_them(text, count):
    assert (ranges.parse(text) > 0).sum() == count


def test_weights_of_a_range_are_kept():
    weights = ranges.parse("AA:0.25,KK")
    assert sorted(set(weights)) == [0, 0.25, 1]
    assert ranges.grid(weights, np.ones(1326))[0, 0] == 1
    assert np.isnan(ranges.grid(weights, np.ones(1326))[5, 5])


@pytest.mark.parametrize(
    "text", ["", "AX", "AAs", "AKs-QJs", "AA-AKs", "AhAh", "AA:1.5", "AA:x", "22+s", "1A"]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(InputError, match="range"):
        ranges.parse(text)


def test_spots_that_cannot_be_are_refused():
    both = np.stack([ranges.parse("any")] * 2)
    for board, pot, named in [
        ("AhAh7c5s2h", 10, "twice"),
        ("AhKd7c", 10, "4 or 5"),
        ("AhKd7c5s", 0, "above 0"),
    ]:
        with pytest.raises(InputError, match=named):
            Spot(tuple(cards.parse(board)), both, pot, 10)
    blocked = np.stack([ranges.parse("AcAd"), ranges.parse("AcKc")])
    with pytest.raises(InputError, match="can meet"):
        SpotSolver(Spot(RIVER, blocked, 10, 10))
    with pytest.raises(InputError, match="GiB"):
        SpotSolver(Spot(tuple(cards.parse("AhKd7c5s")), both, 1, 1000, (0.3, 0.5, 0.8, 1.2, 2.0)))


def test_all_pairs_are_numbered_in_order():
    assert [tuple(hand) for hand in HANDS[:3]] == [(0, 1), (0, 2), (0, 3)]
    assert len(HANDS) == len(list(combinations(range(52), 2)))
