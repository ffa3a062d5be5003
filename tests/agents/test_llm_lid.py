"""LID: what hindsight makes of an episode, cloning, the active loop, and the player."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from arena.agents.agent import CannotPlay
from arena.agents.conformance import check_agent
from arena.agents.llm.lid.episodes import Demonstration, examples, record, relabelled
from arena.agents.llm.lid.player import LidActor
from arena.agents.llm.lid.policy import Sight, make_policy
from arena.agents.llm.lid.run import LidRun, LidSettings, demonstrations, evaluate
from arena.agents.registry import make_agent
from arena.cli import main
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.registry import make_game

TINY = LidSettings(
    game="errand", teacher="courier", model="tiny", layers=2, frozen=1, longest=150, history=0,
    demonstrations=4, updates=12, batch=8, lr=3e-3, rounds=2, episodes=6,
)  # fmt: skip


def episode(scenes, actions, reached, goal="a"):
    names = tuple(str(action) for action in actions)
    return Demonstration(goal, tuple(scenes), tuple(actions), names, tuple(reached))


# -- hindsight -------------------------------------------------------------------------------------


def test_a_failure_demonstrates_the_goal_that_it_reached():
    (found,) = relabelled([episode("stu", [1, 2, 3], [(3, "b")])])
    assert found == episode("stu", [1, 2, 3], [(3, "b")], goal="b") and found.won


def test_every_goal_on_the_way_has_its_own_beginning_of_the_episode():
    found = relabelled([episode("stuv", [1, 2, 3, 0], [(2, "b"), (4, "a")])])
    assert found == [
        episode("st", [1, 2], [(2, "b")], goal="b"),
        episode("stuv", [1, 2, 3, 0], [(4, "a")]),
    ]


def test_who_reached_nothing_demonstrates_nothing():
    assert relabelled([episode("stu", [1, 2, 3], [])]) == []


@pytest.mark.parametrize(
    ("scenes", "kept"),
    [
        ("stu", "stu"),
        ("ssst", "st"),  # against a wall
        ("stsu", "su"),  # there and back
        ("stutsv", "sv"),  # a loop in a loop
        ("stutv", "stv"),
    ],
)
def test_moves_that_led_back_to_a_scene_are_cut_out(scenes, kept):
    actions = range(len(scenes))
    (found,) = relabelled([episode(scenes, actions, [(len(scenes), "a")])])
    last = [max(i for i in actions if scenes[i] == scene) for scene in kept]
    assert "".join(found.scenes) == kept and list(found.actions) == last
    assert found.reached == ((len(kept), "a"),)


def test_examples_show_the_last_moves():
    found = examples([episode("stu", [1, 2, 3], [(3, "a")])], history=1)
    assert [e.sight for e in found] == [
        Sight("a", (), "s"), Sight("a", ("1",), "t"), Sight("a", ("2",), "u")
    ]  # fmt: skip
    assert [e.action for e in found] == [1, 2, 3]
    assert all(e.sight.history == () for e in examples([episode("st", [1, 2], [])], history=0))


def test_what_is_recorded_is_what_was_played_and_relabelling_it_makes_it_true():
    game = make_game("errand")
    seeds = list(range(30))
    played = record(game, make_agent("random", game), seeds)
    tables = game.tables(30)
    assert {one.won for one in played} == {True, False}
    for table, one in enumerate(played):
        tables.begin(np.array([table]), np.array([seeds[table]], np.uint64))
        for scene, action in zip(one.scenes, one.actions, strict=True):
            assert tables.scene(table) == scene and not tables.done[table]
            tables.step(np.array([table]), np.array([0]), np.array([action]))
        assert one.won == (tables.returns[table, 0] == 1)
        assert [goal for _, goal in one.reached] == list(filter(None, [tables.reached(table)]))
    for one in relabelled(played):
        (seed,) = (s for s, p in zip(seeds, played, strict=True) if p.scenes[0] == one.scenes[0])
        tables.begin(np.array([0]), np.array([seed], np.uint64))
        for scene, action in zip(one.scenes, one.actions, strict=True):
            assert tables.scene(0) == scene
            tables.step(np.array([0]), np.array([0]), np.array([action]))
        assert tables.reached(0) == one.goal


def test_a_game_without_goals_in_words_is_won_or_not():
    game = make_game("gridworld?rooms=1,steps=20")
    played = record(game, make_agent("random", game), list(range(20)))
    assert {one.goal for one in played} == {"win"} and {one.won for one in played} == {True, False}
    assert all(len(one.actions) == 20 for one in played if not one.won)


# -- policy and training ---------------------------------------------------------------------------


def tiny(init, seed=0, layers=2, frozen=0):
    return make_policy("tiny", init, layers=layers, frozen=frozen, actions=4, longest=50, seed=seed)


def test_both_initialisations_train_the_same_and_differ_in_values_alone():
    lm, random = tiny("lm"), tiny("random")
    shapes = [
        {name: (p.shape, p.requires_grad) for name, p in policy.named_parameters()}
        for policy in (lm, random)
    ]
    assert shapes[0] == shapes[1] and all(trained for _, trained in shapes[0].values())
    again = tiny("lm", seed=1).state_dict()
    same = [name for name, value in lm.state_dict().items() if torch.equal(value, again[name])]
    assert set(again) - set(same) == {"head.weight", "head.bias"}
    other = tiny("random", seed=1).state_dict()
    name = "upper.layers.0.mlp.up_proj.weight"
    assert not torch.equal(random.state_dict()[name], other[name])


def test_frozen_layers_change_what_trains_and_not_what_is_computed():
    whole, half = tiny("lm"), tiny("lm", frozen=1)
    assert len(half.lower.layers) == len(half.upper.layers) == 1 and len(whole.upper.layers) == 2
    trains = {name.split(".")[0] for name, p in half.named_parameters() if p.requires_grad}
    assert trains == {"upper", "parts", "head"}
    sights = [Sight("x", (), "y"), Sight("xx", ("east",), "y y")]
    assert torch.allclose(whole(sights), half(sights), atol=0.02)  # frozen ones are in bfloat16
    with pytest.raises(InputError, match="has 2 layers: layers=2, frozen=2 do not fit"):
        tiny("lm", frozen=2)


def test_a_decision_does_not_depend_on_what_is_beside_it():
    policy = tiny("lm", layers=2).eval()
    sights = [Sight("x", ("east",) * i, "y " * 3 * i) for i in range(4)]
    mask = np.array([True, False, True, True])
    together = policy.probabilities(sights, np.tile(mask, (4, 1)))
    alone = [policy.probabilities([s], mask[None])[0] for s in sights]
    assert np.allclose(together, alone, atol=1e-6)
    assert (together[:, 1] == 0).all() and np.allclose(together.sum(1), 1)


def test_cloning_learns_a_handful_of_demonstrations_by_heart():
    settings = replace(TINY, rounds=0, frozen=0, demonstrations=2, updates=80, lr=1e-2)
    run = LidRun(settings)
    run.train(80)
    _, _, loss, agreement = run.curve[-1]
    assert loss < 0.1 and agreement > 0.97
    seeds = [seeding.derive(settings.seed, "teach", i) for i in range(2)]
    played = record(run.game, LidActor(run.policy, history=0, greedy=True), seeds)
    assert played == run.episodes


def test_fewer_demonstrations_are_the_beginning_of_more():
    few, more = (
        demonstrations(LidSettings("errand", "courier", demonstrations=n, seed=3)) for n in (2, 5)
    )
    assert more[:2] == few and len(more) == 5 and all(one.won for one in more)
    assert demonstrations(LidSettings("errand", "courier", demonstrations=2, seed=4)) != few


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lid") / "run"
    run = LidRun(TINY, folder)
    run.train(TINY.updates)
    run.save()
    return folder


def test_the_active_loop_gathers_what_was_reached(stored):
    gathered = json.loads((stored / "training/resume.json").read_text())["episodes"]
    assert 4 < len(gathered) <= 4 + 2 * TINY.episodes
    assert all(one["reached"][-1][1] == one["goal"] for one in gathered)


@pytest.mark.parametrize("stop", [3, 4, 9])  # 4: just before it gathers
def test_a_run_that_stopped_goes_on_as_if_it_had_not(stored, tmp_path, stop):
    half = LidRun(TINY, tmp_path / "half")
    half.train(stop)
    half.save()
    whole = LidRun.load(tmp_path / "half")
    whole.train(TINY.updates)
    whole.save()
    one, two = (load_file(f / "player/policy.safetensors") for f in (stored, tmp_path / "half"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    one, two = (
        json.loads((f / "training/resume.json").read_text()) for f in (stored, tmp_path / "half")
    )
    assert one == two


def test_the_checkpoint_plays_and_keeps_the_contract(stored):
    for options in ("", "?greedy=false"):
        spec = f"lid:{stored}{options}"
        assert check_agent(spec, "errand", tables=2, limit=8, other_process=not options) > 0
    assert 0 <= evaluate(LidRun.load(stored), "errand?goals=words", 4) <= 1


def test_what_is_no_checkpoint_is_refused(stored, tmp_path):
    errand = make_game("errand")
    with pytest.raises(InputError, match="needs the folder"):
        make_agent("lid", errand)
    with pytest.raises(InputError, match=r"config\.json cannot be read"):
        make_agent(f"lid:{tmp_path}", errand)
    with pytest.raises(CannotPlay, match="trained on errand"):
        make_agent(f"lid:{stored}", make_game("gridworld"))
    with pytest.raises(InputError, match="is not a solo game"):
        LidRun(LidSettings("holdem", "call"))


def test_the_command_trains_goes_on_and_says_what_is_wrong(tmp_path, capsys):
    folder = str(tmp_path / "run")
    sizes = ["--layers=0", "--frozen=0", "--demonstrations=2", "--batch=2", "--evaluate=2"]
    sizes += ["--evaluate-on", "errand?goals=known", "errand?goals=words"]
    train = ["train", "lid", "--game", "errand", "--teacher", "courier", "--model=tiny"]
    train += [*sizes, "-o", folder]
    assert main([*train, "--updates", "3"]) == 0
    out = capsys.readouterr().out
    assert f"lid:{folder}" in out and "goals reached in errand?goals=words: " in out
    assert main(["train", "lid", "--resume", "-o", folder]) == 0
    for wrong, sentence in (
        (["train", "lid", "-o", folder + "2"], "--game and --teacher are needed"),
        ([*train[:-1], folder + "2", "--updates", "0"], "--updates 0 must be at least 1"),
        ([*train[:-1], folder + "2", "--explore", "2"], "--explore 2 must be at most 1"),
        (train, "exists already"),
    ):
        assert main(wrong) == 2
        assert sentence in capsys.readouterr().err
