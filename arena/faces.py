"""Any game as an environment of other people's libraries, with opponents by name.

>>> arena.gymnasium_env("holdem?seats=2,stack=20", opponents="call")
>>> arena.vector_env("holdem", 1024, opponents=["tag", "call"], seats=3)
>>> arena.sb3_env("holdem", 256, opponents="call")
>>> arena.aec_env("holdem", seats=6), arena.parallel_env("rtb")

A game is a spec or a ``Game``. Options are the game's, its learner's seat's (``seat``, ``flat``,
``mask_dtype`` and what the game adds; see ``arena.envs.faces.seat``), and those below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gymnasium.vector import AutoresetMode

from arena.agents import make_agent
from arena.envs.faces.options import with_options
from arena.envs.faces.seat import Episodes, Opponent, learner_of
from arena.envs.faces.single import EpisodeEnv
from arena.envs.faces.vector import EpisodeVectorEnv
from arena.envs.faces.zoo import aec_env, parallel_env
from arena.envs.game import Game

if TYPE_CHECKING:
    from arena.envs.faces.sb3 import EpisodeVecEnv

__all__ = ["aec_env", "gymnasium_env", "parallel_env", "sb3_env", "vector_env"]

Opponents = str | Opponent | Sequence[str | Opponent] | None


def learner(game: Game | str, count: int, opponents: Opponents = None, **options: Any) -> Episodes:
    """One learner's seat at ``count`` tables.

    Args:
        game: a spec or a game.
        opponents: one for all other seats, or a sequence of one for each, clockwise from the
            learner's left: an agent's spec, an agent, or a function from turns to actions. Uniform
            random ones where None.
    """

    def make(made: Game, **rest: Any) -> Episodes:
        return learner_of(made, count, _seated(made, opponents), **rest)

    return with_options(make, game, **options)


def _seated(game: Game, opponents: Opponents) -> Any:
    if isinstance(opponents, str):
        return make_agent(opponents, game)
    if isinstance(opponents, Sequence):
        return [_seated(game, opponent) for opponent in opponents]
    return opponents


class GameEnv(EpisodeEnv):
    """Any game as a Gymnasium environment; see ``learner`` and ``EpisodeEnv``."""

    def __init__(
        self,
        game: Game | str,
        opponents: Opponents = None,
        *,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(learner(game, 1, opponents, **options), render_mode)


class GameVectorEnv(EpisodeVectorEnv):
    """Any game as a Gymnasium vector environment; see ``learner`` and ``EpisodeVectorEnv``."""

    def __init__(
        self,
        game: Game | str,
        num_envs: int = 1,
        opponents: Opponents = None,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        episodes = learner(game, num_envs, opponents, **options)
        super().__init__(episodes, autoreset_mode, render_mode, max_episode_steps)


gymnasium_env = GameEnv
vector_env = GameVectorEnv


def sb3_env(
    game: Game | str,
    num_envs: int = 1,
    opponents: Opponents = None,
    *,
    seed: int | None = None,
    render_mode: str | None = None,
    **options: Any,
) -> EpisodeVecEnv:
    """Any game as a Stable-Baselines3 ``VecEnv``; see ``learner`` and ``EpisodeVecEnv``."""
    from arena.envs.faces.sb3 import EpisodeVecEnv

    return EpisodeVecEnv(learner(game, num_envs, opponents, **options), seed, render_mode)
