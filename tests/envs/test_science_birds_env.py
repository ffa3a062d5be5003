"""The game's faces: tables, Gymnasium, PettingZoo, pcg_benchmark."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test

from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.envs.science_birds import env as faces
from arena.envs.science_birds import grid, pcg, text
from arena.envs.science_birds.assessment import assess
from arena.envs.science_birds.game import ProgramSpace
from arena.envs.science_birds.grid import STOP
from arena.envs.science_birds.similarity import LETTERS, diversity

LETTER_I = grid.program([("b31", 9), ("b13", 9), ("b31", 9)])
LETTER_T = grid.program([("b13", 9), ("b13", 9), ("b31", 9)])


@pytest.mark.parametrize(
    "spec",
    [
        "science_birds?drops=6",
        "science_birds?drops=4,trials=2,letters=IT",
        "science_birds?mode=one_shot,drops=5,trials=2",
    ],
)
def test_the_game_keeps_the_contract(spec):
    check_game(make_game(spec), tables=3, limit=30)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("science_birds?letters=ab", "must be capitals"),
        ("science_birds?drops=0", "drops=0 must lie between 1 and 320"),
        ("science_birds?trials=0", "trials=0 must lie"),
        ("science_birds?mode=fast", "is none of sequential, one_shot"),
    ],
)
def test_odd_options_are_refused(spec, message):
    with pytest.raises(InputError, match=message):
        make_game(spec)


def play(game, programs, letter="I"):
    """One table, these whole programs one after the other; the tables and its return."""
    tables = game.tables(1)
    zero = np.zeros(1, np.int64)
    tables.begin(zero, np.array([LETTERS.index(letter)], np.uint64))
    for program in programs:
        if game.mode == "one_shot":
            padded = np.full((1, game.drops), STOP)
            padded[0, : len(program)] = program
            tables.step(zero, zero, padded)
        else:
            for action in [*program.tolist(), STOP]:
                tables.step(zero, zero, np.array([action]))
    return tables, tables.returns[0, 0]


def test_both_modes_judge_the_same_level_alike():
    scores = {
        mode: play(make_game(f"science_birds?mode={mode}"), [LETTER_I])[1]
        for mode in ("sequential", "one_shot")
    }
    assessed = assess(LETTER_I)
    assert set(scores.values()) == {assessed.stability * assessed.similarity("I")}
    assert scores["sequential"] > 0.3


def test_several_trials_score_diversity_times_the_mean():
    tables, score = play(make_game("science_birds?trials=2"), [LETTER_I, LETTER_T])
    done = tables.assessments[0]
    mean = np.mean([a.stability * a.similarity("I") for a in done])
    assert score == pytest.approx(diversity([a.embedding for a in done]) * mean, rel=1e-12)
    assert play(make_game("science_birds?trials=2"), [LETTER_I, LETTER_I])[1] == pytest.approx(0)


def test_the_letter_is_the_seed_modulo_their_count():
    game = make_game("science_birds?letters=XYZ")
    tables = game.tables(4)
    tables.begin(np.arange(4), np.array([0, 1, 2, 2**64 - 1], np.uint64))
    assert [LETTERS[i] for i in tables.letters] == ["X", "Y", "Z", "X"]


def test_a_program_that_leaves_the_grid_scores_nothing():
    game = make_game("science_birds?mode=one_shot")
    tables, score = play(game, [grid.program([("b31", 0)])])
    assert score == 0
    assert tables.frame(0)["results"][0]["failure"] == "the width boundary is intruded"


def test_a_frame_shows_the_fall_of_the_level_that_was_finished():
    tables, _ = play(
        make_game("science_birds"), [grid.program([("b31", 5), ("b31", 6), ("b31", 7)])]
    )
    fall = tables.frame(0)["fall"]
    assert len(fall["seconds"]) == len(fall["poses"]) == len(fall["life"]) > 3
    heights = [frame[2][1] for frame in fall["poses"]]
    assert heights[0] > heights[-1] + 0.1
    assert fall["pieces"][0]["material"] == "wood"


def test_a_program_is_read_from_the_last_fenced_block():
    tables = make_game("science_birds?mode=one_shot,drops=3").tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    assert tables.parse(0, 0, text.write_program(LETTER_I)).tolist() == LETTER_I.tolist()
    with pytest.raises(InputError, match="at most 3"):
        tables.parse(0, 0, text.write_program(np.repeat(LETTER_I, 2)))
    assert "The letter is A." in tables.text(0, 0)


def test_programs_have_one_form():
    space = ProgramSpace(5, seed=1)
    for _ in range(50):
        assert space.contains(space.sample())
    assert not space.contains(np.full(5, STOP))
    assert not space.contains(np.array([3, STOP, 3, STOP, STOP]))


@pytest.mark.parametrize("reward", ["final", "dense"])
def test_rewards_of_an_episode_add_up_to_its_score(reward):
    env = gymnasium.make("arena/ScienceBirds-v0", reward=reward).unwrapped
    env.reset(options={"letter": "I"})
    rewards = [env.step(action)[1] for action in [*LETTER_I.tolist(), STOP]]
    assessed = assess(LETTER_I)
    assert sum(rewards) == pytest.approx(assessed.stability * assessed.similarity("I"))
    assert (rewards[0] != 0) == (reward == "dense")


def test_an_illegal_drop_ends_the_episode_with_nothing():
    env = gymnasium.make("arena/ScienceBirds-v0", reward="dense").unwrapped
    env.reset(options={"letter": "I"})
    first = env.step(int(LETTER_I[0]))
    second = env.step(2 * grid.WIDTH)
    assert second[2] and second[4]["forfeit"]
    assert first[1] + second[1] == pytest.approx(0)


def test_the_picture_of_a_level_is_in_colour():
    env = gymnasium.make("arena/ScienceBirds-v0", render_mode="rgb_array").unwrapped
    env.reset(options={"letter": "I"})
    for action in [*LETTER_I.tolist(), STOP]:
        env.step(action)
    picture = env.render()
    assert picture.shape[2] == 3
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) >= 4


@pytest.mark.filterwarnings("ignore")
def test_pettingzoo_accepts_the_duel():
    parallel_api_test(faces.parallel_env(drops=4), num_cycles=30)
    parallel_seed_test(lambda: faces.parallel_env(drops=4), num_cycles=10)
    api_test(faces.env(drops=4), num_cycles=30)


def duel(first, second):
    """Rewards of a duel of two programs, for the letter of seed 0."""
    env = faces.parallel_env()
    env.reset(seed=0)
    total = dict.fromkeys(env.agents, 0.0)
    for i in range(max(len(first), len(second)) + 1):
        actions = {
            agent: int(p[i]) if i < len(p) else STOP
            for agent, p in zip(env.possible_agents, (first, second), strict=True)
        }
        for agent, reward in env.step(actions)[1].items():
            total[agent] += reward
    assert env.agents == []
    return list(total.values())


def test_the_better_level_wins_the_duel():
    falling = grid.program([("b13", 5), ("b31", 6), ("b31", 9)])
    assert sorted(duel(LETTER_I, falling)) == [-1.0, 1.0]
    assert duel(LETTER_I, falling) == duel(falling, LETTER_I)[::-1]
    assert duel(LETTER_I, LETTER_I) == [0.0, 0.0]


def test_the_face_of_pcg_benchmark():
    problem = pcg.LetterProblem(drops=6, seed=3)
    content = problem.content_space.sample()
    control = problem.control_space.sample()
    assert problem.content_space.contains(content)
    padded = np.full(6, STOP)
    padded[:3] = LETTER_I
    other = np.full(6, STOP)
    other[:3] = LETTER_T
    letter = {"letter": LETTERS.index("I")}
    result = problem.evaluate([padded, padded, other, content], [letter, letter, letter, control])
    assert result.quality[:3].tolist() == [1.0, 1.0, 1.0]
    assert result.controllability[0] == assess(LETTER_I).similarity("I")
    assert result.diversity[2] > result.diversity[0] > 0
