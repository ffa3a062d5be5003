"""Any Gymnasium or PettingZoo environment is a game, and plays as it plays by itself."""

import gymnasium
import numpy as np
import orjson
import pytest
from gymnasium import spaces
from hypothesis import given
from hypothesis import strategies as st
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.env_registry.registration import make, register
from pettingzoo.utils import AgentSelector

from arena.envs.conformance import check_game
from arena.envs.errors import InputError, NotConforming
from arena.envs.registry import make_game
from arena.envs.spaces import ActionWords, Layout, as_text

ROOT = np.uint64(1) << np.uint64(33)  # a table seed whose upper 31 bits are 1


def begin(spec, seeds=(1,)):
    tables = make_game(spec).tables(len(seeds))
    tables.begin(np.arange(len(seeds)), np.array(seeds, np.uint64) * ROOT)
    return tables


def act(tables, *actions):
    turns = tables.turns()
    assert tables.legal(turns.tables, turns.seats, np.array(actions)).all()
    tables.step(turns.tables, turns.seats, np.array(actions))


# -- a game of three with different spaces, a mask in info, and an early death ------------------


class Knockout(AECEnv):
    """Turn by turn a, b, c; "b" dies at its first turn; it ends when "a" has acted twice.

    Every action pays its actor the action's number; c pays 10 to a whenever it acts.
    """

    metadata = {"name": "knockout_v0", "render_modes": ["ansi"]}  # noqa: RUF012

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.possible_agents = ["a", "b", "c"]
        self._acts = {
            "a": spaces.Discrete(3),
            "b": spaces.Discrete(2),
            "c": spaces.Discrete(2, start=5),
        }
        self._sees = {
            "a": spaces.Dict({"seed": spaces.Discrete(1000), "own": spaces.Box(0, 1, (2, 2))}),
            "b": spaces.Dict({"seed": spaces.Discrete(1000)}),
            "c": spaces.Dict({"seed": spaces.Discrete(1000), "own": spaces.Box(0, 1, (1, 3))}),
        }

    def action_space(self, agent):
        return self._acts[agent]

    def observation_space(self, agent):
        return self._sees[agent]

    def reset(self, seed=None, options=None):
        self.seed = seed
        self.agents = list(self.possible_agents)
        self._order = AgentSelector(self.agents)
        self.agent_selection = self._order.reset()
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {} for agent in self.agents}
        self.infos["a"]["action_mask"] = np.array([1, 0, 1], np.int8)
        self.acted = 0

    def observe(self, agent):
        own = {"a": (2, 2), "c": (1, 3)}.get(agent)
        seen = {"seed": self.seed}
        return seen | ({"own": np.ones(own, np.float32)} if own else {})

    def step(self, action):
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        assert self.action_space(agent).contains(action)
        self._cumulative_rewards[agent] = 0
        self._clear_rewards()
        self.rewards[agent] = int(action)
        if agent == "c":
            self.rewards["a"] += 10
            self.rewards["c"] -= 10
        self.agent_selection = self._order.next()
        if agent == "b":
            self.terminations["b"] = True
            self._order = AgentSelector(["a", "c"])
            self._order.reset()
            self.agent_selection = self._order.next()
        if agent == "a":
            self.acted += 1
            if self.acted == 2:
                self.truncations = dict.fromkeys(self.agents, True)
        self._accumulate_rewards()
        self._deads_step_first()

    def render(self):
        return f"{self.acted} of 2"


class Auction(ParallelEnv):
    """Two rounds of bids (Box); the higher bid wins 1 less itself; a leaves first."""

    metadata = {"name": "auction_v0", "render_modes": []}  # noqa: RUF012
    possible_agents = ["a", "b"]  # noqa: RUF012

    def __init__(self, render_mode=None):
        pass

    def action_space(self, agent):
        return spaces.Box(0, 1, (1,), np.float32)

    def observation_space(self, agent):
        return spaces.Box(0, 2, (), np.int64)

    def reset(self, seed=None, options=None):
        self.agents, self.round = ["a", "b"], 0
        return self._observe(), {"a": {}, "b": {}}

    def _observe(self):
        return {agent: np.array(self.round) for agent in self.agents}

    def step(self, actions):
        assert list(actions) and set(actions) == set(self.agents)
        bids = {agent: float(bid[0]) for agent, bid in actions.items()}
        winner = max(bids, key=bids.get)
        rewards = {agent: (1 - bid) * (agent == winner) for agent, bid in bids.items()}
        self.round += 1
        out = [agent for agent in self.agents if self.round == 2 or agent == "a"]
        seen = self._observe()
        terminations = {agent: agent in out for agent in self.agents}
        self.agents = [agent for agent in self.agents if agent not in out]
        return seen, rewards, terminations, dict.fromkeys(seen, False), {a: {} for a in seen}


register("aec", "tests/knockout-v0", entry_point=Knockout)
register("parallel", "tests/auction-v0", entry_point=Auction)


def test_seats_with_different_spaces_share_one_padded_layout():
    tables = begin("aec?id=tests/knockout-v0", (7,))
    assert tables.game.seats == 3
    assert tables.game.action_space == spaces.Discrete(3)
    assert tables.game.observation_space["own"].shape == (2, 3)
    seen = tables.observe(np.array([0, 0, 0]), np.array([0, 1, 2]))
    assert seen["seed"].tolist() == [7, 7, 7], "the table's seed reaches reset"
    assert seen["own"].tolist() == [[[1, 1, 0], [1, 1, 0]], [[0] * 3] * 2, [[1] * 3, [0] * 3]]
    assert all(
        tables.game.observation_space.contains({k: v[row] for k, v in seen.items()})
        for row in range(3)
    )


def test_masks_come_from_info_and_from_the_size_of_the_space():
    tables = begin("aec?id=tests/knockout-v0")
    assert tables.turns().action_mask.tolist() == [[True, False, True]]
    assert not tables.legal(np.array([0]), np.array([0]), np.array([1])).any()
    act(tables, 2)
    assert tables.turns().action_mask.tolist() == [[True, True, False]]


def test_dead_steps_are_taken_and_all_rewards_count():
    tables = begin("aec?id=tests/knockout-v0")
    for seat, action in enumerate((2, 1, 1)):  # c's action 1 is the space's 5 + 1
        assert tables.to_act()[1].tolist() == [seat]
        act(tables, action)
    assert tables.returns[0].tolist() == [12, 1, -4], "b's reward was settled at its dead step"
    act(tables, 0)
    assert tables.done[0]
    assert tables.returns[0].tolist() == [12, 1, -4]
    frame = tables.frame(0)
    assert frame["render"] == "2 of 2"
    assert set(frame["observations"]) == {"a", "b", "c"}, "what the dead saw last is still shown"


def test_a_forfeit_ends_the_table_and_keeps_what_was_earned():
    tables = begin("aec?id=tests/knockout-v0,forfeit_reward=-3")
    act(tables, 2)
    tables.forfeit(*tables.to_act())
    assert tables.done[0]
    assert len(tables.turns()) == 0
    assert tables.returns[0].tolist() == [2, -3, 0]
    tables.begin(np.array([0]), np.array([5], np.uint64))
    assert tables.returns[0].tolist() == [0, 0, 0]


def test_a_simultaneous_game_waits_for_all_and_goes_on_with_who_is_left():
    tables = begin("parallel?id=tests/auction-v0")
    assert tables.to_act()[1].tolist() == [0, 1]
    act(tables, [0.25], [0.5])
    assert tables.returns[0].tolist() == [0, 0.5]
    assert tables.to_act()[1].tolist() == [1], "a is out"
    act(tables, [1.0])
    assert tables.done[0]
    assert tables.returns[0].tolist() == [0, 0.5]


@pytest.mark.parametrize("forfeit_first", [True, False])
def test_a_forfeit_among_simultaneous_actions_ends_the_table(forfeit_first):
    tables = begin("parallel?id=tests/auction-v0")
    if forfeit_first:
        tables.forfeit(np.array([0]), np.array([1]))
    tables.step(np.array([0]), np.array([0]), np.array([[0.5]]))
    if not forfeit_first:
        assert not tables.done[0]
        tables.forfeit(np.array([0]), np.array([1]))
    assert tables.done[0]
    assert tables.returns[0].tolist() == [0, -1]


# -- the libraries' own environments -----------------------------------------------------------


def test_a_gymnasium_episode_is_the_one_that_gymnasium_plays():
    tables = begin("gymnasium?id=CartPole-v1", (3, 4))
    rng = np.random.default_rng(0)
    env, total = gymnasium.make("CartPole-v1"), 0.0
    seen, _ = env.reset(seed=4)
    steps = 0
    while not tables.done[1]:
        turns = tables.turns()
        assert np.array_equal(turns.observation["observation"][-1], seen)
        actions = rng.integers(0, 2, len(turns))
        tables.step(turns.tables, turns.seats, actions)
        seen, reward, *_ = env.step(actions[-1])
        total, steps = total + reward, steps + 1
    assert tables.returns[1, 0] == total
    assert tables.tiebreaks[1, 0] == -steps


def test_an_environment_that_does_not_forget_can_be_made_anew_each_time():
    class Remembering(gymnasium.Env):
        observation_space, action_space = spaces.Discrete(100), spaces.Discrete(2)
        resets = 0

        def reset(self, *, seed=None, options=None):
            self.resets += 1
            return self.resets, {}

        def step(self, action):
            return self.resets, 0.0, True, False, {}

    gymnasium.register("tests/Remembering-v0", Remembering)
    with pytest.raises(NotConforming, match="a slot used before, has another observation"):
        check_game(make_game("gymnasium?id=tests/Remembering-v0"))
    assert check_game(make_game("gymnasium?id=tests/Remembering-v0,fresh=true")).ended == 4


def test_a_time_limit_ends_an_episode_and_its_return_counts():
    tables = begin("gymnasium?id=Pendulum-v1")
    for _ in range(200):
        assert not tables.done[0]
        act(tables, [0.0])
    assert tables.done[0]
    assert tables.returns[0, 0] < 0


def test_a_forfeited_race_keeps_its_return_less_one():
    tables = begin("gymnasium?id=CartPole-v1")
    act(tables, 0)
    act(tables, 1)
    tables.forfeit(*tables.to_act())
    assert tables.returns[0, 0] == 1


def test_an_ansi_picture_is_shown_to_the_spectator_only():
    tables = begin("gymnasium?id=FrozenLake-v1")
    assert "FHFH" in tables.frame(0)["render"]
    assert tables.frame(0, 0)["render"] is None
    orjson.dumps(tables.frame(0))


def test_a_pettingzoo_episode_is_the_one_that_pettingzoo_plays():
    pytest.importorskip("pygame", reason="PettingZoo's classic games need pygame")
    tables = begin("aec?id=classic/leduc_holdem-v4", range(20))
    env = make("aec", "classic/leduc_holdem-v4")
    for seed in range(20):
        env.reset(seed=seed)
        totals = dict.fromkeys(env.possible_agents, 0.0)
        for agent in env.agent_iter():
            seen, reward, terminated, truncated, _ = env.last()
            totals[agent] += reward
            if terminated or truncated:
                env.step(None)
                continue
            seat = np.array([env.possible_agents.index(agent)])
            at = np.array([seed])
            assert np.array_equal(tables.observe(at, seat)["observation"][0], seen["observation"])
            mask = tables.action_mask(at, seat)
            assert np.array_equal(mask[0], seen["action_mask"])
            action = int(np.flatnonzero(mask[0])[seed % mask.sum()])
            tables.step(at, seat, np.array([action]))
            env.step(action)
        assert tables.done[seed]
        assert tables.returns[seed].tolist() == list(totals.values())


def test_one_game_by_its_aec_and_its_parallel_face_comes_to_the_same():
    pytest.importorskip("pygame", reason="PettingZoo's classic games need pygame")
    turnwise, at_once = begin("aec?id=classic/rps-v2"), begin("parallel?id=classic/rps-v2")
    rng = np.random.default_rng(1)
    while not turnwise.done[0]:
        pair = rng.integers(0, 3, 2)
        act(turnwise, pair[0])
        act(turnwise, pair[1])
        act(at_once, *pair)
    assert at_once.done[0]
    assert np.array_equal(turnwise.returns, at_once.returns)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("gymnasium", "needs id="),
        ("gymnasium?id=Nowhere-v0", "Nowhere"),
        ("gymnasium?id=nowhere:Nowhere-v0", "nowhere"),
        ("aec?id=classic/nowhere-v0", "nowhere"),
        ("aec?id=nowhere:classic/chess", "nowhere"),
        ("parallel?id=tests/knockout-v0", "knockout"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(spec, says):
    with pytest.raises(InputError, match=says):
        make_game(spec)


# -- spaces ------------------------------------------------------------------------------------

NESTED = spaces.Dict(
    {
        "action_mask": spaces.MultiBinary(3),
        "words": spaces.Text(20),
        "pair": spaces.Tuple((spaces.Discrete(4), spaces.Dict({"x": spaces.Box(-1, 1, (2,))}))),
        "flags": spaces.MultiBinary(2),
        "kinds": spaces.MultiDiscrete([3, 4]),
    }
)


def test_a_nested_observation_becomes_named_arrays():
    layout = Layout([NESTED])
    assert list(layout.space) == ["flags", "kinds", "pair.0", "pair.1.x", "words"]
    seen = [NESTED.sample() for _ in range(3)]
    batch = layout.batch([0, 0, 0], seen)
    assert batch["pair.1.x"].shape == (3, 2)
    assert batch["words"].tolist() == [one["words"] for one in seen]
    for row in range(3):
        assert batch["pair.0"][row] == seen[row]["pair"][0]
        assert layout.space.contains(
            {k: str(v[row]) if k == "words" else v[row] for k, v in batch.items()}
        )


def test_what_has_no_fixed_shape_is_refused():
    with pytest.raises(InputError, match="Sequence"):
        Layout([spaces.Dict({"list": spaces.Sequence(spaces.Discrete(2))})])
    with pytest.raises(InputError, match="Tuple"):
        ActionWords([spaces.Tuple((spaces.Discrete(2),))])


def test_a_large_sparse_array_is_told_by_what_is_not_zero():
    board = np.zeros((10, 10), np.int8)
    board[3, 4] = 2
    assert as_text({"board": board, "turn": np.int64(1)}) == (
        "board: shape 10x10, all 0 but 3/4=2\nturn: 1"
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(["box", "wide", "kinds", "flags"]))
def test_an_action_of_numbers_survives_the_way_through_words(seed, kind):
    space = {
        "box": spaces.Box(-2, 2, (2, 2), np.float32),
        "wide": spaces.Box(-np.inf, np.inf, (3,), np.float64),
        "kinds": spaces.MultiDiscrete([3, 4, 5], start=[1, 0, -2]),
        "flags": spaces.MultiBinary(4),
    }[kind]
    space.seed(seed)
    actions, action = ActionWords([space]), space.sample()
    assert np.array_equal(actions.parse(None, actions.describe(action)), action)
    assert actions.legal(action)
    for example in actions.words(None):
        assert actions.describe(actions.parse(None, example)) == example


@pytest.mark.parametrize(
    "answer", ["", "1", "1 2 3", "1,2", "one two", "nan 0", "3 0", "1_0 0", "0 0 or 1 1", "0x1 0"]
)
def test_the_grammar_of_numbers_is_strict(answer):
    with pytest.raises(InputError, match="not an action"):
        ActionWords([spaces.Box(-2, 2, (2,), np.float32)]).parse(None, answer)


@pytest.mark.parametrize("action", [None, [1.5, 0], [9, 0], [0], "ab", [[0], [1, 2]], np.nan])
def test_an_odd_action_is_illegal_and_no_error(action):
    assert not ActionWords([spaces.MultiDiscrete([3, 4])]).legal(action)


def test_a_box_of_whole_numbers_takes_no_others():
    actions = ActionWords([spaces.Box(0, 9, (1,), np.int16)])
    assert actions.parse(None, "3") == [3]
    for answer in ("3.5", "70000", "10"):
        with pytest.raises(InputError):
            actions.parse(None, answer)
