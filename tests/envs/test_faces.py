"""Every game as other people's environments: their own checkers pass, and the faces agree."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import RecordVideo
from gymnasium.wrappers import vector as wrappers
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    performance_benchmark,
    render_test,
    seed_test,
)
from pettingzoo.test.save_obs_test import test_save_obs as save_obs_test

import arena
from arena import ids
from arena.envs import game_names, make_game, seeding
from arena.envs.errors import InputError

# Games at sizes that end soon; one that is not named here is played as its bare name makes it.
SMALL = {
    "aec": "aec?id=classic/tictactoe-v3",
    "gridworld": "gridworld?rooms=2",
    "gymnasium": "gymnasium?id=CartPole-v1",
    "holdem": "holdem?seats=3",
    "matrix": f"matrix?file={Path(__file__).parent / 'pennies.json'}",
    "minihack": "minihack?task=MultiRoom-N2",
    "parallel": "parallel?id=classic/rps-v2",
    "rtb": "rtb?auctions=100,tick=20",
    "rtb_catalogue": "rtb_catalogue?auctions=60",
    "science_birds": "science_birds?drops=4",
}
pytestmark = pytest.mark.filterwarnings(
    # What the checkers say of every environment with a mask, and of bounds that games have.
    "ignore:.*Observation space for each agent probably",
    "ignore:.*Observation is not a NumPy array",
    "ignore:.*is (-)?infinity",
    "ignore:.*unconventional shape",
    "ignore:.*symmetric and normalized",
    "ignore:.*old environment creation API",
)


@pytest.fixture(params=game_names())
def game(request):
    return made(request.param)


def made(name):
    try:
        return make_game(SMALL.get(name, name))
    except InputError as error:
        if isinstance(error.__cause__, ImportError):
            pytest.skip(str(error))  # an extra is missing
        raise


def chosen(mask, rng):
    """A legal action in each row."""
    return seeding.draw(mask | ~mask.any(1, keepdims=True), rng.random(len(mask)))


# -- other people's checkers --------------------------------------------------------------------


@pytest.mark.parametrize("flat", [True, False], ids=["vector", "arrays"])
def test_gymnasiums_checker_passes_with_rendering(game, flat):
    options = {} if game.name == "minihack" else {"flat": flat}
    env = arena.gymnasium_env(game, render_mode="rgb_array", **options)
    check_env(env)
    assert env.render().shape == (480, 640, 3)
    env.close()


def test_stable_baselines_checker_passes(game):
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    env = arena.gymnasium_env(game)
    checker.check_env(env)
    env.close()


def test_pettingzoos_tests_pass_turn_by_turn(game):
    api_test(arena.aec_env(game), num_cycles=100)
    seed_test(lambda: arena.aec_env(game), num_cycles=30)


def test_pettingzoos_tests_pass_with_all_at_once(game):
    parallel_api_test(arena.parallel_env(game), num_cycles=100)
    parallel_seed_test(lambda: arena.parallel_env(game), num_cycles=30)


@pytest.mark.parametrize("name", ["holdem", "rtb", "science_birds", "minihack", "gridworld"])
def test_pettingzoos_render_test_passes(name, monkeypatch):
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    small = made(name)
    render_test(lambda render_mode: arena.aec_env(small, render_mode))


@pytest.mark.parametrize("name", ["rtb", "gridworld"])
def test_pettingzoos_max_cycles_test_passes(name):
    small = made(name)
    max_cycles_test(
        SimpleNamespace(
            env=lambda max_cycles: arena.aec_env(small, max_cycles=max_cycles),
            parallel_env=lambda max_cycles: arena.parallel_env(small, max_cycles=max_cycles),
        )
    )


@pytest.mark.slow
def test_pettingzoos_performance_and_observation_tests_pass(game, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # pictures of observations would be written here
    env = arena.aec_env(game)
    performance_benchmark(env)
    save_obs_test(env)
    env.close()


def test_masks_may_be_left_out_of_infos():
    for make in (arena.aec_env, arena.parallel_env):
        for told in (True, False):
            env = make("kuhn", info_mask=told)
            env.reset(seed=1)
            infos = env.infos if make is arena.aec_env else env.reset()[1]
            assert ["action_mask" in info for info in infos.values()] == [told] * 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["holdem", "rtb", "science_birds", "minihack", "gridworld"])
def test_films_are_made(name, tmp_path):
    pytest.importorskip("moviepy")
    recorder = pytest.importorskip("stable_baselines3.common.vec_env").VecVideoRecorder
    small, folder = made(name), str(tmp_path)
    single = RecordVideo(
        arena.gymnasium_env(small, render_mode="rgb_array"), folder, lambda episode: True
    )
    single.reset(seed=1)
    single.step(single.action_space.sample())
    single.close()
    many = recorder(
        arena.sb3_env(small, 3, render_mode="rgb_array"), folder, lambda step: step == 0, 3
    )
    many.reset()
    for _ in range(4):
        many.step(np.array([many.action_space.sample() for _ in range(3)]))
    many.close()
    assert len(list(tmp_path.glob("*.mp4"))) == 2
    with pytest.raises(InputError, match="for Stable-Baselines3 it is rgb_array"):
        arena.sb3_env(small, render_mode="ansi")


# -- Gymnasium's vector environments --------------------------------------------------------------


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize(
    "name", ["gridworld", "holdem", "rtb", "science_birds", "minihack", "RtbSynthetic"]
)
def test_a_vector_environment_does_what_gymnasiums_own_does_with_single_ones(name, mode):
    if name == "RtbSynthetic":
        options = {"auctions": 40, "tick": 10}
        single = lambda: gymnasium.make("arena/RtbSynthetic-v0", **options).unwrapped  # noqa: E731
        ours = gymnasium.make_vec("arena/RtbSynthetic-v0", 3, autoreset_mode=mode, **options)
    else:
        small = made(name)
        single = lambda: arena.gymnasium_env(small)  # noqa: E731
        ours = arena.vector_env(small, 3, autoreset_mode=mode)
    theirs = SyncVectorEnv([single] * 3, autoreset_mode=mode)
    assert ours.metadata["autoreset_mode"] is ours.autoreset_mode is mode
    assert ours.observation_space == theirs.observation_space
    alike(ours.reset(seed=5), theirs.reset(seed=5))
    rng, ended = np.random.default_rng(0), 0
    ours.action_space.seed(1)
    for _ in range(60):
        mask = ours.episodes.action_mask(np.arange(3))
        actions = ours.action_space.sample() if mask is None else chosen(mask, rng)
        one, other = ours.step(actions), theirs.step(actions)
        alike(one, other)
        over = one[2] | one[3]
        ended += over.sum()
        if mode is AutoresetMode.DISABLED and over.any():
            with pytest.raises(InputError, match="are over: reset them"):
                ours.step(actions)
            alike(*(env.reset(options={"reset_mask": over.copy()}) for env in (ours, theirs)))
    assert ended >= 3
    ours.close()
    theirs.close()


def alike(one, other, told=None):
    """Equal, however nested, in the rows that are told of; numbers may be of another width."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            alike(one[key], other[key], one.get(f"_{key}", told))
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            alike(a, b)
    elif isinstance(one, np.ndarray) and one.dtype == np.dtype(object):
        for row in np.flatnonzero(told):
            alike(one[row], other[row])
    else:
        rows = slice(None) if told is None else told
        assert np.array_equal(np.asarray(one)[rows], np.asarray(other)[rows])


@pytest.mark.parametrize("wrapper", [wrappers.RecordEpisodeStatistics, wrappers.DictInfoToList])
@pytest.mark.parametrize("name", ["holdem", "rtb", "science_birds", "minihack"])
def test_gymnasiums_vector_wrappers_run_on_it(name, wrapper):
    options = {"keys": ("blstats",)} if name == "minihack" else {}
    env = arena.vector_env(made(name), 2, render_mode="rgb_array", **options)
    env = wrapper(wrappers.NormalizeObservation(wrappers.FlattenObservation(env)))
    env.reset(seed=1)
    for _ in range(60):
        infos = env.step(env.action_space.sample())[4]
    assert infos
    assert [frame.shape for frame in env.render()] == [(480, 640, 3)] * 2
    env.close()


def test_a_limit_of_steps_is_reported_as_truncation():
    env = arena.gymnasium_env("gridworld?steps=3")
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(3)]
    assert ends == [(False, False), (False, False), (False, True)]
    many = arena.vector_env("gridworld", 2, max_episode_steps=2)
    many.reset(seed=0)
    assert [many.step(np.zeros(2, int))[3].tolist() for _ in range(2)] == [[False] * 2, [True] * 2]


# -- Stable-Baselines3 ---------------------------------------------------------------------------


def test_sb3_is_told_where_to_bootstrap():
    pytest.importorskip("stable_baselines3")
    env = arena.sb3_env("gridworld?rooms=1,steps=4", 8, seed=1)
    env.reset()
    rng, cut, won = np.random.default_rng(0), 0, 0
    for _ in range(40):
        _, rewards, dones, infos = env.step(rng.integers(0, 4, 8))
        for i in np.flatnonzero(dones):
            assert infos[i]["TimeLimit.truncated"] == (rewards[i] == 0)
            assert env.observation_space.contains(infos[i]["terminal_observation"])
            assert infos[i]["episode"]["l"] <= 4
            cut, won = cut + (rewards[i] == 0), won + (rewards[i] == 1)
    assert cut > 10 and won > 3


def test_sb3_sees_a_games_arrays_side_by_side():
    pytest.importorskip("stable_baselines3")
    env = arena.sb3_env("science_birds?drops=4", 2, flat=False)
    assert list(env.observation_space) == ["cells", "dropped", "letter", "trial"]
    assert env.observation_space.contains({k: v[0] for k, v in env.reset().items()})
    assert env.env_method("action_masks")[0].shape == (61,)


# -- one convention ------------------------------------------------------------------------------


def test_an_info_has_the_same_keys_at_every_step_and_the_mask_of_the_observation(game):
    env = arena.gymnasium_env(game)
    seen, info = env.reset(seed=1)
    env.action_space.seed(1)
    keys = list(info)
    for _ in range(20):
        if game.masked:
            assert info["action_mask"] is seen["action_mask"]
            assert info["action_mask"].dtype == np.int8
        seen, _, over, cut, info = env.step(env.action_space.sample(info.get("action_mask")))
        assert list(info) == keys
        if over or cut:
            env.reset()
    env.close()


def test_masks_may_be_booleans():
    for env in (
        arena.gymnasium_env("holdem", mask_dtype="bool"),
        arena.aec_env("holdem", mask_dtype="bool"),
    ):
        env.reset(seed=0)
    assert env.observe(env.agent_selection)["action_mask"].dtype == np.bool_
    check_env(arena.gymnasium_env("holdem", mask_dtype="bool"))


def test_what_is_not_legal_is_a_forfeit_and_told():
    env = arena.gymnasium_env(
        "holdem", opponents="call", seat=0
    )  # the big blind, who is checked to
    seen, info = env.reset(seed=0)
    assert not info["forfeit"] and not seen["action_mask"][0]
    _, reward, over, _, info = env.step(0)
    assert info["forfeit"] and over and reward < 0


# -- opponents -----------------------------------------------------------------------------------


def test_opponents_are_named_or_agents_or_functions():
    def folding(turns):
        return np.where(turns.action_mask[:, 0], 0, 1)

    for opponents in ("call", ["call", "tag"], folding, [folding, "tag"]):
        env = arena.gymnasium_env("holdem?seats=3", opponents)
        env.reset(seed=1)
        env.step(1)
    with pytest.raises(InputError, match="solo game"):
        arena.gymnasium_env("gridworld", "random")
    with pytest.raises(InputError, match="3 opponents; give one for all other seats or 2"):
        arena.gymnasium_env("holdem?seats=3", ["call"] * 3)


@pytest.mark.parametrize(
    ("spec", "opponents"), [("holdem?seats=3", "tag"), ("rtb?auctions=80", "paced")]
)
def test_equal_seeds_give_equal_episodes_however_many_are_played(spec, opponents):
    def earned(count):
        env = arena.vector_env(spec, count, opponents)
        env.reset(seed=9)
        out = []
        for _ in range(30):
            mask = env.episodes.action_mask(np.arange(count))
            actions = np.full((count, 1), 0.7) if mask is None else mask.argmax(axis=1)
            out.append(env.step(actions)[1][:2])
        return np.array(out)

    few, many = earned(2), earned(20)
    assert np.array_equal(few, many)
    assert few.any()


def test_who_decides_at_the_same_time_is_asked_once_for_all_tables():
    batches = []

    def bidding(turns):
        batches.append(len(turns))
        return 0.5 * turns.observation["value"].astype(float)

    env = arena.vector_env("rtb?bidders=4,auctions=60,outside=false", 10, bidding)
    env.reset(seed=0)
    env.step(np.full((10, 1), 1.0))
    assert batches == [30]


# -- ids -----------------------------------------------------------------------------------------


def test_importing_arena_makes_the_ids_known_and_loads_nothing_heavy():
    code = (
        "import sys, arena, gymnasium, pettingzoo\n"
        "assert 'arena/Holdem-v1' in gymnasium.registry\n"
        "heavy = {'numba', 'torch', 'scipy', 'PIL', 'pygame', 'arena.envs'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [*ids.GAMES, "MiniHack-KeyRoom-S5-v2", "RtbSynthetic-v0"])
def test_gymnasium_makes_every_id_alone_and_in_numbers(name):
    made(ids.GAMES.get(name, {"game": "minihack"})["game"])
    env = gymnasium.make(f"arena:arena/{name}")
    env.reset(seed=0)
    assert env.spec.max_episode_steps == env.unwrapped.episodes.limit
    many = gymnasium.make_vec(f"arena/{name}", num_envs=2)
    many.reset(seed=0)
    assert many.num_envs == 2
    env.close()
    many.close()


def test_pettingzoo_makes_its_ids():
    from pettingzoo.env_registry.registration import make

    for kind, entries in ids.ZOO.items():
        for name in entries:
            if "birds" in name:
                made("science_birds")
            make(kind, f"arena/{name}").reset(seed=0)


def test_an_option_that_nobody_has_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="no option 'seets'; did you mean 'seats'"):
        gymnasium.make("arena/Holdem-v1", seets=3)
    with pytest.raises(InputError, match="holdem: seats=12"):
        arena.gymnasium_env("holdem", seats=12)
    with pytest.raises(InputError, match="render_mode=svg is none of"):
        arena.aec_env("holdem", "svg")


def test_a_third_partys_game_has_the_faces_too(nim_plugin):
    check_env(arena.gymnasium_env("nim", opponents="random"))
    api_test(arena.aec_env("nim"), num_cycles=30)
