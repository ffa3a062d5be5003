"""Hold'em's faces keep other people's contracts, and a policy learns through them."""

import re
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pettingzoo.env_registry.registration import make
from pettingzoo.test import api_test

from arena import gymnasium_env, sb3_env
from arena.envs.errors import InputError
from arena.envs.faces.seeds import Seeds
from arena.envs.holdem.encoding import size
from arena.envs.holdem.env import env
from arena.envs.registry import make_game


class Always:
    """An opponent that takes the first legal one of some actions; counts how often it is asked."""

    def __init__(self, *actions):
        self.actions_, self.calls, self.asked = actions, 0, 0

    def act(self, turns):
        self.calls, self.asked = self.calls + 1, self.asked + len(turns)
        mask = turns.action_mask[:, self.actions_]
        self.actions = np.array(self.actions_)[mask.argmax(axis=1)]
        return self


FOLDING, CALLING, ALL_IN = (0, 1), (1,), (4, 1)  # of the menu .5/1


# -- PettingZoo --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"hands": 5, "stacks": "carry", "stack": 5}, {"seats": 3, "format": "sit_and_go"}],
    ids=["carry", "sit_and_go"],
)
@pytest.mark.filterwarnings("ignore:Observation")
def test_longer_episodes_pass_too(options):
    api_test(env(**options), num_cycles=100)


def test_the_aec_face_plays_the_game_of_the_contract():
    faced, own = make_game("aec?id=arena:arena/holdem-v1").tables(1), make_game("holdem").tables(1)
    rng = np.random.default_rng(5)
    at = np.zeros(1, np.int64)
    for seed in range(30):
        faced.begin(at, np.array([seed], np.uint64) << np.uint64(33))
        seeds = Seeds(1)
        seeds.give(0, seed)
        own.begin(at, seeds.draw(at))
        while not own.done[0]:
            turns, other = own.turns(), faced.turns()
            assert other.seats == turns.seats
            assert np.array_equal(other.action_mask, turns.action_mask)
            vector = own.game.vector(turns.observation)
            assert np.array_equal(other.observation["observation"], vector)
            action = rng.choice(np.flatnonzero(turns.action_mask[0]), 1)
            own.step(turns.tables, turns.seats, action)
            faced.step(turns.tables, turns.seats, action)
        assert faced.done[0]
        assert np.array_equal(own.returns, faced.returns)


def test_an_illegal_action_folds_in_pettingzoo():
    table = make("aec", "arena/holdem-v1")
    table.reset(seed=1)
    table.step(1)
    table.step(0)  # the big blind has nothing to fold to
    assert [table.infos[f"player_{seat}"]["forfeit"] for seat in (0, 1)] == [True, False]
    assert table.rewards == {"player_0": -1.0, "player_1": 1.0}
    assert all(table.terminations.values())


# -- Gymnasium ---------------------------------------------------------------------------------


def test_a_seed_decides_the_episode_and_the_seat():
    def played(seed):
        table = gymnasium_env("holdem?seats=3")
        seen, info = table.reset(seed=seed)
        story = [seen["observation"], info["seat"]]
        done = False
        while not done:
            seen, reward, done, _, _ = table.step(np.flatnonzero(seen["action_mask"])[-1])
            story += [seen["observation"], reward]
        return story

    one, two, other = played(3), played(3), played(4)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert {gymnasium_env("holdem?seats=3").reset(seed=s)[1]["seat"] for s in range(20)} == {
        0,
        1,
        2,
    }


def test_each_opponent_sits_where_it_was_put():
    left, right = Always(*CALLING), Always(*FOLDING)
    table = gymnasium_env(
        "holdem?seats=3", [left, right], seat=0, render_mode="ansi"
    )  # seat 0 is the small blind
    table.reset(seed=1)
    assert (left.asked, right.asked) == (0, 1), "the button has folded, the big blind waits"
    table.step(1)
    assert left.asked > 0
    assert right.asked == 1
    assert "You are SB" in table.render()


def test_opponents_who_leave_nothing_to_decide_are_refused():
    table = gymnasium_env("holdem", Always(*FOLDING), seat=0)  # heads-up seat 0 is the big blind
    with pytest.raises(InputError, match="before the learner is asked"):
        table.reset(seed=0)


def test_who_cannot_sit_is_refused():
    with pytest.raises(InputError, match="seat=2"):
        gymnasium_env("holdem", seat=2)
    with pytest.raises(InputError, match="2 opponents"):
        gymnasium_env("holdem", [Always(1), Always(1)])


def test_the_vector_holds_what_its_table_says():
    tables = make_game("holdem?seats=3").tables(1)
    tables.begin(np.zeros(1, np.int64), np.array([1], np.uint64))
    for action in (3, 1):
        tables.step(*tables.to_act(), np.array([action]))
    seen = tables.turns().observation
    [row] = make_game("holdem?seats=3").vector(seen)
    assert len(row) == size(3)
    holes = sorted(seen["hole"][0].tolist(), reverse=True)
    for place, card in enumerate(holes):
        ones = np.flatnonzero(row[17 * place : 17 * (place + 1)]).tolist()
        assert ones == [card // 4, 13 + card % 4]
    assert not row[34:119].any(), "no board yet"
    assert row[119:123].tolist() == [1, 0, 0, 0]
    amounts = np.expm1(row[123 + 4 * 3 : 123 + 7 * 3 + 4])
    expected = [seen[name][0] for name in ("stacks", "bets", "committed", "pot", "to_call")]
    assert np.allclose(amounts[:11], np.concatenate(expected), rtol=1e-5)
    history = row[123 + 7 * 3 + 4 + 6 :].reshape(64, 13)
    assert np.flatnonzero(history.any(axis=1)).tolist() == [0, 1]
    assert np.flatnonzero(history[0, :12]).tolist() == [seen["history"][0, 0, 0], 3, 3 + 4 + 4]


def test_the_vector_tells_a_tournaments_clock_and_who_forfeited():
    tables = make_game("holdem?seats=3,format=sit_and_go,hands_per_level=2").tables(1)
    tables.begin(np.zeros(1, np.int64), np.array([1], np.uint64))
    tables.forfeit(*tables.to_act())
    seen = tables.turns().observation
    [row] = make_game("holdem?seats=3").vector(seen)
    assert row[123 + 3 + 6 : 123 + 3 + 9].tolist() == seen["away"][0].tolist()
    clock = np.expm1(row[123 + 7 * 3 + 4 : 123 + 7 * 3 + 10])
    assert np.allclose(clock, [127, 0, 2, 0.75, 1.5, 0], rtol=1e-5)


def test_the_examples_of_the_readme_run(vec_env, tmp_path):
    readme = Path(__file__).parents[2] / "envs/holdem/README.md"
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```", readme.read_text(), re.M | re.S)
    ):
        (tmp_path / f"example_{number}.py").write_text(code)
        runpy.run_path(str(tmp_path / f"example_{number}.py"))


# -- the vectorised environment ----------------------------------------------------------------


@pytest.fixture
def vec_env():
    pytest.importorskip("sb3_contrib", reason="the vectorised face needs Stable-Baselines3")
    return partial(sb3_env, "holdem")


def legal_actions(table, rng):
    masks = table.action_masks()
    rank = (rng.random(len(masks)) * masks.sum(axis=1)).astype(int)
    return (masks.cumsum(axis=1) > rank[:, None]).argmax(axis=1)


def test_finished_tables_begin_anew_and_show_how_they_ended(vec_env):
    table = vec_env(100, seats=6)
    table.seed(1)
    seen, rng, episodes = table.reset(), np.random.default_rng(0), 0
    for _ in range(60):
        assert table.observation_space.contains({k: v[7] for k, v in seen.items()})
        seen, rewards, dones, infos = table.step(legal_actions(table, rng))
        assert [bool(info) for info in infos] == dones.tolist()
        assert not rewards[~dones].any()
        assert seen["action_mask"].any(axis=1).all(), "the learner is always to act"
        for i in np.flatnonzero(dones):
            assert not infos[i]["terminal_observation"]["action_mask"].any()
        episodes += dones.sum()
    assert episodes > 1000


def test_equal_seeds_give_equal_tables_whatever_their_number(vec_env):
    def rewards(n):
        table, rng = vec_env(n, seats=3), [np.random.default_rng(i) for i in range(4)]
        table.seed(9)
        table.reset()
        out = []
        for _ in range(40):
            masks = table.action_masks()
            picks = [int(r.choice(np.flatnonzero(m))) for r, m in zip(rng, masks, strict=False)]
            actions = np.concatenate([picks, masks[4:].argmax(axis=1)]).astype(int)
            out.append(table.step(actions)[1][:4])
        return np.array(out)

    four, many = rewards(4), rewards(50)
    assert np.array_equal(four, many)
    assert four.any()


def test_an_opponent_is_asked_for_all_tables_at_once(vec_env):
    opponent = Always(*CALLING)
    table = vec_env(500, opponent)
    table.seed(0)
    table.reset()
    for _ in range(10):
        table.step(table.action_masks()[:, 1] * 1)
    assert opponent.asked / opponent.calls > 100


def test_sb3_contrib_finds_the_masks(vec_env):
    from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
    from stable_baselines3.common.vec_env import VecMonitor

    table = VecMonitor(vec_env(5))
    table.seed(1)
    table.reset()
    assert is_masking_supported(table)
    assert get_action_masks(table).shape == (5, 5)
    assert is_masking_supported(gymnasium_env("holdem"))


def train(vec_env, opponent, steps, **options):
    import torch
    from sb3_contrib import MaskablePPO

    torch.set_num_threads(1)
    table = vec_env(256, opponent, **options)
    table.seed(1)
    model = MaskablePPO(
        "MultiInputPolicy", table, n_steps=8, batch_size=512, n_epochs=4, gamma=1.0,
        learning_rate=1e-3, ent_coef=0.01, seed=1, device="cpu",
        policy_kwargs={"net_arch": [64, 64]},
    )  # fmt: skip
    return model.learn(steps)


def evaluate(vec_env, opponent, policy, **options):
    """Mean return per episode and its standard error, over about 4,000 episodes."""
    table = vec_env(1000, opponent, **options)
    table.seed(77)
    seen, returns = table.reset(), []
    for _ in range(8):
        seen, rewards, dones, _ = table.step(policy(table, seen))
        returns.append(rewards[dones])
    returns = np.concatenate(returns)
    return returns.mean(), returns.std() / np.sqrt(len(returns))


def learned(model):
    return lambda table, seen: model.predict(
        seen, action_masks=table.action_masks(), deterministic=True
    )[0]


def at_random(table, seen):
    return legal_actions(table, np.random.default_rng(int(seen["observation"].sum())))


def test_maskable_ppo_learns_to_take_what_is_folded(vec_env):
    """Whoever bets takes the blinds: the best return is what the opponent has posted."""
    options = {"stack": 10.0}
    model = train(vec_env, Always(*FOLDING), 15_000, **options)
    mean, error = evaluate(vec_env, Always(*FOLDING), learned(model), **options)
    chance, _ = evaluate(vec_env, Always(*FOLDING), at_random, **options)
    assert mean > 0.95  # the small blind, asked first, always wins the big one
    assert mean > chance + 6 * error


def test_maskable_ppo_learns_to_call_an_all_in_with_good_cards_only(vec_env):
    options = {"stack": 5.0}
    model = train(vec_env, Always(*ALL_IN), 80_000, **options)
    mean, error = evaluate(vec_env, Always(*ALL_IN), learned(model), **options)
    chance, _ = evaluate(vec_env, Always(*ALL_IN), at_random, **options)
    folding, _ = evaluate(vec_env, Always(*ALL_IN), lambda t, s: np.zeros(1000, int), **options)
    assert mean > max(chance, folding) + 4 * error
