"""Hold'em's faces for other people's code: PettingZoo's AEC API and a Gymnasium environment.

Both take the options of ``Holdem`` as keywords. A seat sees ``{"observation", "action_mask"}``: the
vector of ``arena.envs.holdem.encoding`` and the menu's legal actions. An action that is not legal
is a forfeit, as in a league: the seat folds for the rest of the episode, and ``info["forfeit"]`` is
True. The reward is paid when the episode ends: big blinds a hand (in a sit-and-go buy-ins).

Ids: ``gymnasium.make("arena.envs.holdem:ArenaHoldem-v1")``, and in PettingZoo's registry, once this
module is imported, ``make("aec", "arena/holdem-v1")``. Their version is that of the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from pettingzoo import AECEnv
from pettingzoo.env_registry.registration import register
from pettingzoo.utils.wrappers import AssertOutOfBoundsWrapper, OrderEnforcingWrapper

from arena.envs.holdem import rules
from arena.envs.holdem.game import Holdem
from arena.envs.holdem.learner import Face, Learner, Opponent


class HoldemEnv(gymnasium.Env[dict[str, NDArray[Any]], np.int64]):
    """One seat among given opponents, as a Gymnasium environment.

    Args:
        opponents: whoever has ``act(turns)``: one for all other seats, or a sequence of one for
            each, clockwise from the learner's left; uniform random ones where None.
        seat: the learner's seat; drawn anew for each episode where None.
        render_mode: ``ansi`` or None.
        options: those of ``Holdem``.

    An episode ends (terminates) with its last hand and is never truncated. Hands that end before
    the learner is asked anything are dealt anew.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's own form

    def __init__(
        self,
        opponents: Opponent | Sequence[Opponent] | None = None,
        seat: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        self.game = Holdem(**options)
        self.render_mode = render_mode
        self._learner = Learner(self.game, 1, opponents, seat)
        self.observation_space = self._learner.face.space
        self.action_space = gymnasium.spaces.Discrete(len(self.game.menu) + 3)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Begin an episode and go on to the learner's first decision."""
        super().reset(seed=seed)
        drawn = self.np_random.integers(0, 2**64, 1, np.uint64)
        self._learner.begin(np.zeros(1, np.int64), drawn)
        return self._observe(), {"seat": int(self._learner.seat[0])}

    def step(
        self, action: np.int64
    ) -> tuple[dict[str, NDArray[Any]], float, bool, bool, dict[str, Any]]:
        """Take the learner's action, and all opponents' up to its next."""
        [illegal] = self._learner.act(np.array([action]))
        done = bool(self._learner.tables.done[0])
        seat = int(self._learner.seat[0])
        reward = float(self._learner.tables.returns[0, seat]) if done else 0.0
        info = {"seat": seat} | ({"forfeit": True} if illegal else {})
        return self._observe(), reward, done, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """The legal actions of the menu, bool ``(actions,)``, as sb3-contrib asks for them."""
        return self._observe()["action_mask"].astype(np.bool_)

    def render(self) -> str:  # type: ignore[override]
        """What the learner sees, in words."""
        return self._learner.tables.text(0, int(self._learner.seat[0]))

    def _observe(self) -> dict[str, NDArray[Any]]:
        batch = self._learner.observe(np.zeros(1, np.int64))
        return {name: array[0] for name, array in batch.items()}


def env(render_mode: str | None = None, **options: Any) -> AECEnv:
    """The AEC environment with PettingZoo's usual checks around it."""
    return OrderEnforcingWrapper(AssertOutOfBoundsWrapper(raw_env(render_mode, **options)))


class raw_env(AECEnv):  # type: ignore[misc]  # noqa: N801 - PettingZoo's name for it
    """All seats, turn by turn, by PettingZoo's AEC API.

    Agents are ``player_0`` …, the seats of ``Holdem``. All of them terminate with the episode.

    Args:
        render_mode: ``ansi`` or None.
        options: those of ``Holdem``.
    """

    metadata = {  # noqa: RUF012 - PettingZoo's own form
        "render_modes": ["ansi"],
        "name": f"holdem_v{Holdem.version}",
        "is_parallelizable": False,
        "render_fps": 1,
    }

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        super().__init__()
        self.game = Holdem(**options)
        self.render_mode = render_mode
        self.possible_agents = [f"player_{seat}" for seat in range(self.game.seats)]
        self.agents: list[str] = []
        self._tables = self.game.tables(1)
        self._face = Face(self.game, self._tables)
        actions = len(self.game.menu) + 3
        self.observation_spaces = {a: deepcopy(self._face.space) for a in self.possible_agents}
        self.action_spaces = {a: gymnasium.spaces.Discrete(actions) for a in self.possible_agents}
        self._random: np.random.Generator | None = None
        self._at = np.zeros(1, np.int64)

    def observation_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """The same for all agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        """The same for all agents."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin an episode; without a seed the next of the generator that the last one seeded."""
        if seed is not None or self._random is None:
            self._random = np.random.default_rng(seed)
        self._tables.begin(self._at, self._random.integers(0, 2**64, 1, np.uint64))
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.agents[0]
        self._go_on()

    def observe(self, agent: str) -> dict[str, NDArray[Any]]:
        """What the agent's seat sees; its mask is empty unless it is to act."""
        seat = np.array([self.possible_agents.index(agent)])
        batch = self._face.observe(self._at, seat)
        return {name: array[0] for name, array in batch.items()}

    def step(self, action: Any) -> None:
        """Take the selected agent's action; an illegal one is a forfeit."""
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self.infos[agent] = {}
        seat, actions = np.array([self.possible_agents.index(agent)]), np.array([action])
        if self._tables.legal(self._at, seat, actions)[0]:
            self._tables.step(self._at, seat, actions)
        else:
            self._tables.forfeit(self._at, seat)
            self.infos[agent] = {"forfeit": True}
        self._go_on()

    def render(self) -> str:
        """What the seat that is to act sees, in words; at the end the first seat."""
        actor = max(int(self._tables.hands["actor"][0]), 0)
        return self._tables.text(0, actor)

    def _go_on(self) -> None:
        actor = int(self._tables.hands["actor"][0])
        if actor != rules.OVER:
            self.agent_selection = self.possible_agents[actor]
            return
        returns = self._tables.returns[0].tolist()
        self.rewards = dict(zip(self.possible_agents, returns, strict=True))
        self.terminations = dict.fromkeys(self.agents, True)
        self._accumulate_rewards()
        self._deads_step_first()


register("aec", f"arena/holdem-v{Holdem.version}", entry_point=env)
