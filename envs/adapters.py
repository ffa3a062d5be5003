"""Any Gymnasium environment and any PettingZoo environment (AEC or parallel) as a game.

Three games join by these names; an environment's id is their option:

- ``gymnasium?id=CartPole-v1``: a solo game, whose contest is a race on the same seeds. The return
  is the episode's; where returns are equal, fewer steps are better.
- ``aec?id=classic/tictactoe-v3``: a turn-based game by PettingZoo's ids.
- ``parallel?id=butterfly/cooperative_pong-v6``: a simultaneous game by PettingZoo's ids.

As in ``gymnasium.make``, ``module:id`` imports the module first, so that it can register the id. A
third party whose environment takes arguments, or whose actions have names, subclasses one of the
three classes and registers that (see ``envs/README.md``).

What all three do:

- **Seeds.** A table's seed reaches ``env.reset(seed=…)`` as its upper 31 bits, the widest range
  that every library in use takes.
- **Masks** are read from ``observation["action_mask"]`` or ``info["action_mask"]``; where an
  environment gives none, every action of a Discrete space is legal.
- **Ends.** Terminated and truncated episodes are both over, and their returns count; an episode is
  truncated where nobody was terminated. PettingZoo's dead steps are taken here; nobody is asked for
  them.
- **Forfeits** end the table, as PettingZoo's ``TerminateIllegalWrapper`` does: what was earned so
  far stays, whoever forfeits gets ``forfeit_reward`` (-1) in addition, the others nothing. Where an
  episode's rewards are negative (a penalty for each step), set it so low that giving up never pays.

One environment is kept for each table and reused, so that it must forget everything when reset with
a seed. ``arena.envs.conformance`` finds those that do not (Gymnasium's BipedalWalker-v3 is one):
``fresh=true`` makes a new environment for every episode.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any, ClassVar

import gymnasium
import numpy as np

from arena.envs.adapted import Adapted, AdaptedEpisode
from arena.envs.errors import InputError

# -- Gymnasium ---------------------------------------------------------------------------------


class GymnasiumGame(Adapted):
    """A Gymnasium environment as a solo game: ``gymnasium?id=CartPole-v1``.

    Args:
        arguments: passed to ``gymnasium.make``, for subclasses.
        id: the environment's id, ``module:id`` to import a module that registers it.
        forfeit_reward: what a forfeit adds to the return.
        fresh: whether to make a new environment for every episode.

    Raises:
        InputError: no such environment, or one whose spaces do not fit.
    """

    name = "gymnasium"
    agents = ("player",)

    def make(self, **arguments: Any) -> gymnasium.Env[Any, Any]:
        """A fresh environment."""
        try:
            return gymnasium.make(self.id, disable_env_checker=True, **(self.arguments | arguments))
        except (gymnasium.error.Error, ImportError) as error:
            raise InputError(f"id={self.id}: Gymnasium cannot make it: {error}") from error

    def episode(self) -> AdaptedEpisode:
        """A fresh environment to play episodes in."""
        return _SoloEpisode(self._rendered(), self.ansi)

    def _spaces(self, env: Any) -> tuple[list[gymnasium.Space[Any]], list[gymnasium.Space[Any]]]:
        return [env.observation_space], [env.action_space]


class _SoloEpisode:
    def __init__(self, env: gymnasium.Env[Any, Any], ansi: bool) -> None:
        self.env, self.ansi = env, ansi

    def begin(self, seed: int) -> None:
        self._seen = self.env.reset(seed=seed)
        self.returns = np.zeros(1)
        self.waiting: tuple[int, ...] = (0,)
        self.truncated = False

    def act(self, actions: Mapping[int, Any]) -> None:
        observation, reward, terminated, truncated, info = self.env.step(actions[0])
        self._seen = observation, info
        self.returns = self.returns + float(reward)
        self.waiting = () if terminated or truncated else (0,)
        self.truncated = bool(truncated and not terminated)

    def seen(self, seat: int) -> tuple[Any, Mapping[str, Any]] | None:
        return self._seen

    def render(self) -> str | None:
        return str(self.env.render()) if self.ansi else None


# -- PettingZoo --------------------------------------------------------------------------------


class _PettingZooGame(Adapted):
    """What the two adapters of PettingZoo share."""

    api: ClassVar[str]

    def make(self, **arguments: Any) -> Any:
        """A fresh environment."""
        from pettingzoo.env_registry.exceptions import PettingZooRegistryError
        from pettingzoo.env_registry.registration import make

        module, _, name = self.id.rpartition(":")
        try:
            if module:
                importlib.import_module(module)
            return make(self.api, name, **(self.arguments | arguments))
        except (PettingZooRegistryError, ImportError) as error:
            cause = f" ({error.__cause__})" if error.__cause__ else ""
            short = str(error).partition(". Available environments")[0].rstrip(".")
            raise InputError(f"id={self.id}: PettingZoo cannot make it: {short}{cause}") from (
                error.__cause__ or error
            )

    def _spaces(self, env: Any) -> tuple[list[gymnasium.Space[Any]], list[gymnasium.Space[Any]]]:
        agents = getattr(env, "possible_agents", None)
        if not agents:
            raise InputError(
                f"id={self.id}: its possible_agents are not known; a table needs fixed seats"
            )
        self.agents = tuple(map(str, agents))
        return [env.observation_space(a) for a in agents], [env.action_space(a) for a in agents]


class AECGame(_PettingZooGame):
    """A PettingZoo AEC environment as a turn-based game: ``aec?id=classic/tictactoe-v3``.

    The parameters are those of ``GymnasiumGame``.
    """

    name = "aec"
    api = "aec"

    def episode(self) -> AdaptedEpisode:
        """A fresh environment to play episodes in."""
        return _AECEpisode(self._rendered(), self.ansi)


class _AECEpisode:
    def __init__(self, env: Any, ansi: bool) -> None:
        self.env, self.ansi = env, ansi
        self._agents: list[Any] = list(env.possible_agents)

    def begin(self, seed: int) -> None:
        self.env.reset(seed=seed)
        self._settled = np.zeros(len(self._agents))
        self._terminated = False
        self._final: dict[int, tuple[Any, Mapping[str, Any]]] = {}
        self._advance()

    def act(self, actions: Mapping[int, Any]) -> None:
        [(seat, action)] = actions.items()
        self._step(seat, action)
        self._advance()

    def _step(self, seat: int, action: Any) -> None:
        """Step the selected agent: the reward since its last turn is settled and begins anew."""
        self._settled[seat] += self.env._cumulative_rewards[self._agents[seat]]
        self.env.step(action)

    def _advance(self) -> None:
        """Take the dead steps, up to the next decision or to the end."""
        env = self.env
        self._now: dict[int, tuple[Any, Mapping[str, Any]]] = {}
        self.waiting: tuple[int, ...] = ()
        while env.agents and not self.waiting:
            agent = env.agent_selection
            seat = self._agents.index(agent)
            if env.terminations[agent] or env.truncations[agent]:
                self._terminated |= bool(env.terminations[agent])
                # A dead agent is forgotten by the environment; what it saw last is still shown.
                self._final[seat] = deepcopy((env.observe(agent), env.infos[agent]))
                self._step(seat, None)
            else:
                self.waiting = (seat,)
        self.truncated = not self.waiting and not self._terminated
        self.returns = self._settled.copy()
        for agent in env.agents:
            self.returns[self._agents.index(agent)] += env._cumulative_rewards[agent]

    def seen(self, seat: int) -> tuple[Any, Mapping[str, Any]] | None:
        agent = self._agents[seat]
        if agent not in self.env.agents:
            return self._final.get(seat)
        if seat not in self._now:
            self._now[seat] = self.env.observe(agent), self.env.infos[agent]
        return self._now[seat]

    def render(self) -> str | None:
        return str(self.env.render()) if self.ansi else None


class ParallelGame(_PettingZooGame):
    """A PettingZoo parallel environment as a game: ``parallel?id=classic/rps-v2``.

    Every live seat is waited for at once. The parameters are those of ``GymnasiumGame``.
    """

    name = "parallel"
    api = "parallel"

    def episode(self) -> AdaptedEpisode:
        """A fresh environment to play episodes in."""
        return _ParallelEpisode(self._rendered(), self.ansi)


class _ParallelEpisode:
    def __init__(self, env: Any, ansi: bool) -> None:
        self.env, self.ansi = env, ansi
        self._agents: list[Any] = list(env.possible_agents)

    def begin(self, seed: int) -> None:
        observations, infos = self.env.reset(seed=seed)
        self.returns = np.zeros(len(self._agents))
        self._seen: dict[int, tuple[Any, Mapping[str, Any]]] = {}
        self._note(observations, infos)
        self._terminated = self.truncated = False
        self.waiting: tuple[int, ...] = self._seats(self.env.agents)

    def act(self, actions: Mapping[int, Any]) -> None:
        named = {self._agents[seat]: action for seat, action in actions.items()}
        observations, rewards, terminations, truncations, infos = self.env.step(named)
        self._note(observations, infos)
        for agent, reward in rewards.items():
            self.returns[self._agents.index(agent)] += reward
        self._terminated |= any(terminations.values())
        self.waiting = self._seats(
            a for a in self.env.agents if not (terminations.get(a) or truncations.get(a))
        )
        self.truncated = not self.waiting and not self._terminated

    def seen(self, seat: int) -> tuple[Any, Mapping[str, Any]] | None:
        return self._seen.get(seat)

    def render(self) -> str | None:
        return str(self.env.render()) if self.ansi else None

    def _seats(self, agents: Iterable[Any]) -> tuple[int, ...]:
        return tuple(sorted(self._agents.index(agent) for agent in agents))

    def _note(self, observations: Mapping[Any, Any], infos: Mapping[Any, Any]) -> None:
        for agent, observation in observations.items():
            self._seen[self._agents.index(agent)] = observation, infos.get(agent, {})
