"""A blueprint of heads-up Hold'em: bets as a tree, hands in buckets, and what is solved of it."""

import json

import numpy as np
import pytest

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.learning.trainers import train
from arena.agents.registry import make_agent
from arena.agents.rollout import rollout
from arena.agents.solvers import betting, buckets, river
from arena.agents.solvers.abstraction import Abstraction
from arena.agents.solvers.beliefs import require_heads_up
from arena.agents.solvers.betting import DECIDE, FOLD, SHOWDOWN
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.registry import make_game

SHORT, SPEC = "holdem?stack=5,menu=1", "holdem?stack=12,menu=1"
SMALL = {
    "game": SPEC, "buckets": (8, 8, 8), "round_size": 2000, "minutes": 5, "report_deals": 200,
    "evaluate": ("call", "random"), "save_seconds": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def game():
    return require_heads_up(make_game(SPEC))


@pytest.fixture(scope="module")
def short():
    return require_heads_up(make_game(SHORT))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blueprint") / "run"
    report = train("blueprint", **SMALL, iterations=40_000, output=str(folder))
    return folder, report


def test_every_hand_that_is_played_is_a_path_of_the_tree(short):
    limits = [np.array([0.5])] * 3
    abstraction = Abstraction(short, limits)
    tree = abstraction.kernel.tree
    tables, player = short.tables(200), make_agent("random", short)
    for turns, _ in rollout(tables, [player] * 2, np.arange(200, dtype=np.uint64)):
        nodes, paths = abstraction.locate(turns.observation)
        assert (tree.kind[nodes] == DECIDE).all()
        assert (tree.seat[nodes] == turns.seats).all()
        assert (tree.street[nodes] == turns.observation["street"][:, 0]).all()
        for node, legal in zip(nodes, turns.action_mask, strict=True):
            children = tree.first[node] + np.arange(tree.width[node])
            assert tree.action[children].tolist() == np.flatnonzero(legal).tolist()
        last = turns.observation["decisions"][:, 0].astype(int)
        assert (paths[np.arange(len(nodes)), last] == nodes).all()


def test_what_a_node_pays_is_what_the_game_pays(short):
    tree = betting.lay_out(short)
    ends = tree.kind != DECIDE
    assert tree.amount[ends].max() == 5  # the stack
    assert tree.amount[ends & (tree.kind == FOLD)].min() == 0.5  # the small blind
    assert tree.amount[ends & (tree.kind == SHOWDOWN)].min() == 1  # the big one
    assert tree.width[0] == 4 and tree.seat[0] == 1  # fold, call, raise the pot, all-in


def test_a_bet_between_two_is_taken_for_either_by_the_pseudo_harmonic_mapping():
    assert betting.nearest(0.6, 0.5, 1.0) == pytest.approx(0.75)
    assert betting.nearest(0.5, 0.5, 1.0) == 1
    assert betting.nearest(1.0, 0.5, 1.0) == 0


@pytest.mark.parametrize("board", [3, 4])
def test_hands_that_differ_in_their_suits_alone_are_alike(board):
    draw = np.random.default_rng(0)
    for _ in range(20):
        hand = draw.choice(52, 7, replace=False)
        suits = draw.permutation(4)
        other = hand // 4 * 4 + suits[hand % 4]
        other[:2] = other[:2][::-1]
        assert buckets.share(hand, board) == buckets.share(other, board)


def test_shares_are_what_hands_win():
    nuts = np.array(cards.parse("AsKs" + "QsJsTs2h3d"))
    assert buckets.share(nuts, 5) == 1
    plays_the_board = np.array(cards.parse("2c3d" + "AsKsQsJsTs"))
    assert buckets.share(plays_the_board, 5) == 0.5
    aces = np.array(cards.parse("AcAd" + "7h2s9d3c8c"))
    assert 0.75 < buckets.share(aces, 3) < 1


def test_buckets_hold_equally_many_hands():
    found = buckets.limits(np.array([4, 4, 4]), 0)[2]
    shares = np.empty(4000)
    buckets._deal_shares(np.uint64(9), 3, shares)
    counts = np.bincount(np.searchsorted(found, shares, side="right"), minlength=4)
    assert counts / 4000 == pytest.approx([0.25] * 4, abs=0.04)


@pytest.mark.slow
def test_what_is_solved_beats_who_does_not_think(run):
    _, report = run
    for score in report.scores:
        assert score.mean > 0, score.name


@pytest.mark.slow
def test_a_blueprint_keeps_a_players_contract(run):
    folder, _ = run
    assert check_agent(f"blueprint:{folder}", SPEC, tables=2, other_process=False) > 0


@pytest.mark.slow
def test_a_blueprint_that_was_cut_resumes_to_the_same_strategy(tmp_path):
    for name, count in (("whole", 8000), ("cut", 4000)):
        train("blueprint", **SMALL, iterations=count, output=str(tmp_path / name))
    config = tmp_path / "cut/config.json"
    facts = json.loads(config.read_text())
    facts["settings"]["iterations"] = 8000
    config.write_text(json.dumps(facts))
    train("blueprint", output=str(tmp_path / "cut"), resume=True)
    one, two = (
        (tmp_path / name / "player/blueprint.safetensors").read_bytes() for name in ("whole", "cut")
    )
    assert one == two


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"game": "leduc"}, "heads-up holdem"),
        ({"buckets": (3, 3)}, "three numbers"),
        ({"memory": 1e-6}, "--memory allows 1e-06"),
    ],
)
def test_what_cannot_be_solved_is_said_before_it_begins(values, sentence, tmp_path):
    with pytest.raises(InputError, match=sentence):
        train("blueprint", **SMALL | values, output=str(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


def test_bets_without_end_are_refused_with_the_remedy(short, monkeypatch):
    monkeypatch.setattr(betting, "LARGEST", 100)
    with pytest.raises(InputError, match="shorter stack or fewer sizes"):
        betting.lay_out(short)


@pytest.mark.slow
def test_a_blueprint_of_other_bets_is_refused(run):
    folder, _ = run
    with pytest.raises(CannotPlay, match="whose bets are others"):
        make_agent(f"blueprint:{folder}", make_game(SHORT))


@pytest.mark.slow
def test_before_the_river_a_search_plays_its_blueprint_and_on_it_keeps_the_contract(run, game):
    folder, _ = run
    searching, coarse = (make_agent(f"{name}:{folder}", game) for name in ("search", "blueprint"))
    tables = game.tables(30)
    for turns, _ in rollout(tables, [coarse] * 2, np.arange(30, dtype=np.uint64)):
        early = turns.observation["street"][:, 0] < 3
        both = searching.policy(turns), coarse.policy(turns)
        assert (both[0][early] == both[1][early]).all()
        assert both[0].sum(axis=1) == pytest.approx(np.ones(len(turns)))
    assert check_agent(f"search:{folder}?iterations=20", SPEC, tables=2, other_process=False) > 0


@pytest.mark.slow
def test_the_ranges_that_it_tracks_are_those_with_which_the_blueprint_comes(run, game):
    folder, _ = run
    searching = make_agent(f"search:{folder}", game)
    tables, ranges = river.rivers(make_agent(f"blueprint:{folder}", game), game, 40, 3)
    at = np.flatnonzero(tables.hands["actor"] >= 0)
    assert len(at)
    seen = tables.observe(at, tables.hands["actor"][at])
    _, paths = searching.abstraction.locate(seen)
    for row, table in enumerate(at):
        tracked = searching.track(tuple(seen["board"][row].tolist()), paths[row])
        free = tracked > 0
        known = np.where(free, ranges[table], 0)
        known /= known.max(axis=1, keepdims=True)
        assert tracked == pytest.approx(known, abs=2e-3)  # strategies are float16


@pytest.mark.slow
def test_what_it_solves_costs_nothing_where_its_blueprint_pays(run, game):
    folder, _ = run
    fine, coarse = (
        river.losses(make_agent(f"{name}:{folder}", game), game, 40, 3, percent=0.1)
        for name in ("search", "blueprint")
    )
    assert fine.rivers == coarse.rivers > 0
    assert fine.deals.mean() < 0.3 * coarse.deals.mean()
