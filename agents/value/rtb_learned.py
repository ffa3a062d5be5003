"""Bidders trained by stable-baselines3: DQN and PPO choose multiples of the value, tick by tick.

They learn on ``arena.envs.rtb.env.BiddingEnv`` with discrete actions. What is kept of them is the
policy network's matrices (``config.json`` and ``model.safetensors``), so that an opponent's
checkpoint is never unpickled and playing needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import gymnasium
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Decisions
from arena.agents.registry import player_folder
from arena.envs.checkpoints import Like, read_config, read_tensors
from arena.envs.errors import InputError
from arena.envs.game import Game, Turns
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign, Outcome
from arena.envs.rtb.env import LEVELS, OBSERVATION, observation
from arena.envs.rtb.game import Rtb
from arena.envs.rtb.text import round_bids

Algorithm = Literal["dqn", "ppo"]
_INPUTS = OBSERVATION.shape[0]


@dataclass(frozen=True)
class BidPolicy:
    """A perceptron that scores the levels; the best is played.

    Attributes:
        layers: weights ``(out, in)`` and biases ``(out,)``, float32.
        activation: relu or tanh, between the layers.
        tick: how many auctions it was trained to decide on at once.
    """

    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    activation: Literal["relu", "tanh"]
    tick: int

    def choose(self, seen: NDArray[np.float32]) -> NDArray[np.float64]:
        """The multiple of the linear bid for each observation, float64 ``(n,)``."""
        for number, (weight, bias) in enumerate(self.layers):
            seen = seen @ weight.T + bias
            if number + 1 < len(self.layers):
                seen = np.tanh(seen) if self.activation == "tanh" else np.maximum(seen, 0.0)
        chosen: NDArray[np.float64] = np.array(LEVELS)[seen.argmax(axis=1)]
        return chosen

    def save(self, folder: Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` into ``folder``."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {f"w{i}": weight for i, (weight, _) in enumerate(self.layers)}
        arrays |= {f"b{i}": bias for i, (_, bias) in enumerate(self.layers)}
        save_file(arrays, folder / "model.safetensors")
        config = {"activation": self.activation, "tick": self.tick, "layers": len(self.layers)}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


@dataclass(frozen=True)
class _Config:
    activation: Literal["relu", "tanh"]
    tick: int
    layers: int


def load(folder: Path) -> BidPolicy:
    """Read what ``BidPolicy.save`` wrote; InputError where it is not there or damaged."""
    config = read_config(folder / "config.json", _Config)
    if not 1 <= config.layers <= 64 or config.tick < 1:
        raise InputError(f"{folder}/config.json: layers must be 1 to 64, and tick at least 1")
    file = folder / "model.safetensors"
    wanted = {f"w{i}": Like((None, None)) for i in range(config.layers)}
    arrays = read_tensors(file, wanted | {f"b{i}": Like((None,)) for i in range(config.layers)})
    layers = tuple((arrays[f"w{i}"], arrays[f"b{i}"]) for i in range(config.layers))
    widths = [_INPUTS, *(len(bias) for _, bias in layers)]
    shapes = [weight.shape for weight, _ in layers]
    if shapes != [(out, into) for into, out in pairwise(widths)] or widths[-1] != len(LEVELS):
        raise InputError(
            f"{file}: the layers {shapes} do not lead from {_INPUTS} inputs to {len(LEVELS)} levels"
        )
    return BidPolicy(layers, config.activation, config.tick)


def train(
    algorithm: Algorithm,
    campaign: str,
    *,
    auctions: int = 1000,
    fraction: float = 1 / 32,
    tick: int = 20,
    steps: int = 100_000,
    seed: int = 0,
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BidPolicy:
    """Train on synthetic episodes of ``campaign``; the reward is the expected clicks won.

    Args:
        auctions, fraction, tick: see ``BiddingEnv``.
        steps: ticks to train on, over all environments.
        progress: is told how many of them are done.
    """
    import torch
    from stable_baselines3 import DQN, PPO
    from stable_baselines3.common.env_util import make_vec_env

    from arena.envs.rtb.env import BiddingEnv

    def make() -> gymnasium.Env[NDArray[np.float32], Any]:
        env = BiddingEnv(
            campaign, auctions=auctions, fraction=fraction, tick=tick,
            reward="expected_clicks", levels=LEVELS,
        )  # fmt: skip
        # A tick's clicks are far below 1; networks learn better from rewards around it.
        return _Lesson(env, unit=env.episodes.campaign.ctr * tick)

    envs = make_vec_env(make, n_envs=8, seed=seed)
    learner: DQN | PPO

    def report(*_: object) -> bool:
        progress(min(learner.num_timesteps, steps), steps)
        return True

    progress(0, steps)
    with torch.random.fork_rng(devices=[]):
        if algorithm == "dqn":
            learner = DQN(
                "MlpPolicy", envs, seed=seed, device=device, gamma=1.0, learning_rate=5e-4,
                buffer_size=100_000, learning_starts=2000, batch_size=256, train_freq=1,
                target_update_interval=2000, exploration_fraction=0.3,
            )  # fmt: skip
            learner.learn(steps, callback=report)
            modules = list(learner.policy.q_net.q_net)
        else:
            learner = PPO(
                "MlpPolicy", envs, seed=seed, device=device, gamma=1.0, gae_lambda=0.98,
                n_steps=500, batch_size=500, learning_rate=5e-4, ent_coef=0.01,
            )  # fmt: skip
            learner.learn(steps, callback=report)
            policy = learner.policy
            modules = [*policy.mlp_extractor.policy_net, policy.action_net]
    layers = tuple(
        (m.weight.detach().cpu().numpy().copy(), m.bias.detach().cpu().numpy().copy())
        for m in modules
        if isinstance(m, torch.nn.Linear)
    )
    return BidPolicy(layers, "relu" if algorithm == "dqn" else "tanh", tick)


class _Lesson(gymnasium.Wrapper[NDArray[np.float32], Any, NDArray[np.float32], Any]):
    """The environment as it is learned from: rewards in ``unit``, and an end that is an end.

    The time left is observed and money left at the horizon is worth nothing: a learner that took
    the truncation for an interruption would add the value of a state that never comes, and learn to
    keep its money.
    """

    def __init__(self, env: gymnasium.Env[NDArray[np.float32], Any], *, unit: float) -> None:
        super().__init__(env)
        self.unit = unit

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        seen, reward, terminated, truncated, info = self.env.step(action)
        return seen, float(reward) / self.unit, terminated or truncated, False, info


@dataclass(frozen=True)
class LearnedBidder:
    """Replays a log by a policy; has the ``replay`` of ``arena.agents.value.rlb.Bidder``."""

    policy: BidPolicy
    campaign: Campaign

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> Outcome:
        """Replay all episodes side by side, tick by tick."""
        episodes = -(-len(log) // auctions)
        tick = self.policy.tick
        width = -(-auctions // tick) * tick

        def laid_out(values: NDArray[np.float64], blank: float) -> NDArray[np.float64]:
            padded = np.full(episodes * auctions, blank)
            padded[: len(log)] = values
            grid = np.full((episodes, width), blank)
            grid[:, :auctions] = padded.reshape(episodes, auctions)
            return grid

        # What is beyond the log's end cannot be won.
        prices = laid_out(log.prices.astype(np.float64), np.inf)
        ctr = laid_out(log.ctr, 0.0)
        clicks = laid_out(log.clicks.astype(np.float64), 0.0)
        left = np.full(episodes, float(budget))
        won_last = np.zeros(episodes)
        totals = np.zeros(3)
        for first in range(0, width, tick):
            cut = slice(first, first + tick)
            rate = ctr[:, cut].mean(axis=1) / self.campaign.ctr
            time_left = np.full(episodes, 1.0 - first / auctions)
            level = self.policy.choose(observation(time_left, left / budget, rate, won_last))
            scale = level * self.campaign.cpm / self.campaign.ctr
            wins = np.zeros(episodes)
            for i in range(first, first + tick):
                bid = np.minimum(np.floor(np.minimum(ctr[:, i] * scale, MAX_PRICE)), left)
                won = bid >= prices[:, i]
                paid = np.where(won, prices[:, i], 0.0)
                left -= paid
                wins += won
                totals += won.sum(), clicks[won, i].sum(), paid.sum()
            won_last = wins / tick
        return Outcome(len(log), *(int(total) for total in totals))


class Learned(Agent):
    """Plays a policy from ``train`` in the market; the checkpoint is its folder."""

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if checkpoint is None:
            raise CannotPlay("learned needs a checkpoint: learned:FOLDER, from arena train")
        if not isinstance(game, Rtb) or not np.isfinite(game.budgets).all():
            raise CannotPlay(f"learned bids for campaigns with budgets (rtb), not in {game.name}")
        self.network = load(player_folder(checkpoint))
        self.ctr = np.array([law.campaign.ctr for law in game.laws])

    def act(self, turns: Turns) -> Decisions:
        """Bid the chosen multiple of each value."""
        seen = turns.observation
        level = self.network.choose(
            observation(
                seen["time_left"][:, 0].astype(np.float64),
                seen["budget_left"][:, 0].astype(np.float64),
                seen["rate"].mean(axis=1) / self.ctr[turns.seats],
                (seen["slot"] > 0).mean(axis=1),
            )
        )
        return Decisions(round_bids(seen["value"] * level[:, None]))
