"""Players of Science Birds: what they know, find and learn."""

import numpy as np
import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from arena.agents.agent import CannotPlay
from arena.agents.registry import make_agent
from arena.agents.scripted.science_birds import vocabulary, write_line
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.envs.science_birds import grid
from arena.envs.science_birds.assessment import assess
from arena.envs.science_birds.scoring import measure
from arena.envs.science_birds.similarity import LETTERS
from arena.evaluation.letters.levels import play_letters


def built_by(spec, letters, trials, *, mode="sequential", seed=0, drops=40):
    game = make_game(f"science_birds?mode={mode},letters={letters},trials={trials},drops={drops}")
    agents = {spec: make_agent(spec, game)}
    return dict(play_letters(game, agents, seed))


def test_the_vocabulary_stands_reads_and_differs():
    """The target: stability ≥ .9 and similarity ≥ .6 with diversity ≥ .3, over 26 × 10 levels."""
    row = measure(built_by("birds_vocabulary", LETTERS, 10)).table()[0]
    assert row["stability"] >= 0.9
    assert row["similarity"] >= 0.6
    assert row["diversity"] >= 0.3


def test_the_vocabulary_has_ten_different_levels_of_each_letter():
    for letter, programs in vocabulary().items():
        assert len({program.tobytes() for program in programs}) == 10, letter
        assert all(not isinstance(grid.build(program), str) for program in programs)


def test_a_line_of_the_vocabulary_reads_back():
    assert write_line(grid.program([("b31", 5), ("b13", 4)])) == "b31 5, b13 4"


def test_both_modes_build_the_same_levels():
    a = built_by("birds_vocabulary", "IT", 3)["birds_vocabulary"]
    b = built_by("birds_vocabulary", "IT", 3, mode="one_shot")["birds_vocabulary"]
    for letter in "IT":
        assert {x.embedding.tobytes() for x in a[letter]} == {
            x.embedding.tobytes() for x in b[letter]
        } or a[letter][0].stability == b[letter][0].stability


def test_a_vocabulary_beats_random_building_by_the_formula():
    built = {**built_by("birds_vocabulary", "HIT", 3), **built_by("random", "HIT", 3)}
    table = measure(built, letters="HIT", trials=3).table()
    assert [row["team"] for row in table] == ["birds_vocabulary", "random"]
    assert table[0]["normalised"] > 90


@pytest.mark.parametrize("spec", ["birds_genetic?evaluations=300", "birds_elites?evaluations=400"])
def test_search_finds_an_easy_letter(spec):
    if "elites" in spec:
        pytest.importorskip("ribs")
    levels = built_by(spec, "L", 2)[spec]["L"]
    chance = built_by("random", "L", 20)["random"]["L"]
    worth = np.mean([a.stability * a.similarity("L") for a in levels])
    assert worth > np.mean([a.stability * a.similarity("L") for a in chance]) + 0.15


def test_a_search_is_repeated_by_its_seed():
    from arena.agents.generators.genetic import evolve

    runs = [evolve("T", 120, 20, np.random.default_rng(3)) for _ in range(2)]
    assert [p.tobytes() for p, _ in runs[0]] == [p.tobytes() for p, _ in runs[1]]


@pytest.mark.slow
def test_policy_gradients_learn_to_build_a_letter(tmp_path):
    pytest.importorskip("torch")
    from arena.agents.learning.trainers import train

    report = train(
        "ppo", game="science_birds?letters=I,drops=5,reward=dense", total_timesteps=12_000, seed=1,
        num_envs=32, num_steps=16, num_minibatches=2, update_epochs=4, output=str(tmp_path / "run"),
        evaluate_deals=50, report_deals=50,
    )  # fmt: skip
    chance = np.mean([a.stability * a.similarity("I") for a in built("random")])
    assert report.scores[0].mean / 100 > chance + 0.15
    found = built(report.player)
    assert np.mean([a.stability * a.similarity("I") for a in found]) > 0.2


def built(spec):
    return built_by(spec, "I", 20, drops=5)[spec]["I"]


@pytest.mark.parametrize(
    ("spec", "game", "error", "message"),
    [
        ("birds_vocabulary", "aec?id=classic/tictactoe-v3", CannotPlay, "builds levels of"),
        ("birds_vocabulary:x", "science_birds", CannotPlay, "takes no checkpoint"),
        ("birds_vocabulary?variants=0", "science_birds", InputError, "variants=0 must lie"),
        ("birds_genetic?population=1", "science_birds", InputError, "population=1 must lie"),
        ("birds_elites?batch=0", "science_birds", InputError, "batch=0 must lie"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_does_not_fit_is_refused_in_a_sentence(spec, game, error, message):
    if "elites" in spec:
        pytest.importorskip("ribs")
    with pytest.raises(error, match=message):
        make_agent(spec, make_game(game))


def test_levels_of_the_vocabulary_are_assessed_alike_alone():
    levels = built_by("birds_vocabulary", "A", 10)["birds_vocabulary"]["A"]
    alone = {assess(program).embedding.tobytes() for program in vocabulary()["A"]}
    assert {level.embedding.tobytes() for level in levels} == alone
