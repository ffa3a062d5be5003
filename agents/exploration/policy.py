"""A policy that PPO has trained, as a player: ``ppo:runs/explorer``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from gymnasium import spaces

from arena.agents.agent import CannotPlay
from arena.agents.exploration.actor import Acting, Actor
from arena.agents.exploration.ppo import load_policy, make_model, read_settings
from arena.agents.exploration.tables_env import TablesVecEnv
from arena.agents.networks.encoders import looked_at
from arena.envs.checkpoints import fitting
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.registry import make_game


class PpoPolicy(Acting):
    """A policy trained by ``arena train explore``: ``ppo:FOLDER``.

    It plays every solo game whose observations and actions are those that it was trained with,
    also in other contexts. ``greedy`` takes the likeliest action instead of drawing one.
    """

    version = 2

    def __init__(self, game: Game, checkpoint: str | None = None, *, greedy: bool = False) -> None:
        if checkpoint is None:
            raise InputError("ppo needs the folder of a run: ppo:runs/explorer")
        folder = Path(checkpoint)
        settings = read_settings(folder)
        trained = make_game(settings.game)
        same = (
            trained.name == game.name
            and trained.action_space == game.action_space
            and trained.observation_space == game.observation_space
        )
        if not same or not isinstance(game.action_space, spaces.Discrete):
            raise CannotPlay(f"{checkpoint} was trained on {settings.game}, not on this game")
        if not 1 <= settings.width <= 4096:
            raise InputError(f"{folder}/config.json: width={settings.width} must be 1 to 4096")
        torch.set_num_threads(1)
        with torch.random.fork_rng(devices=[]), fitting(f"the run in {folder}"):
            model = make_model(
                # Who only plays needs no batch; stable-baselines warns of one that is not filled.
                replace(settings, rollout=2, batch=2),
                TablesVecEnv(trained, 1, 0, looked_at(trained.observation_space)),
            )
        policy: Any = model.policy
        load_policy(policy, folder)
        super().__init__(Actor(policy.to("cpu"), settings.recurrent), greedy=greedy)
