"""Training: the learner's decisions a second, update included, on one core.

Self-play PPO on Hold'em, with what is seen whole and in float32, and in bfloat16 (``_compact``);
beside Stable-Baselines3's MaskablePPO with the same network, batch, epochs and matrix product,
against the same opponent; and PPO on the other games: a room, MiniHack with a bonus (its processes,
NetHack's own time, are not counted), a market, and levels that are judged after each drop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from statistics import median
from typing import Any

from arena.bench.record import Record, rate

_GAME = "holdem?seats=2,stack=20"
_TABLES, _STEPS, _BATCH = 1024, 32, 4096
_ROUNDS = 3

Work = Callable[[], int]


def records() -> Iterator[Record]:
    """``holdem_ppo_…`` and ``…_ppo_steps`` of other games, all 1/s."""
    yield Record.of("holdem_ppo_steps", "1/s", rate(_ours(product="auto"), 2.0))
    yield Record.of("holdem_ppo_steps_compact", "1/s", rate(_ours(product="bfloat16"), 2.0))
    against = {"product": "torch", "opponents": ("call",)}
    ours, peer = _ours(**against), _sb3()
    rounds = [(rate(ours, 1.0), rate(peer, 2.0)) for _ in range(_ROUNDS)]
    mine, theirs = (median(rates) for rates in zip(*rounds, strict=True))
    name = f"sb3-contrib {version('sb3_contrib')} MaskablePPO"
    yield Record.of("holdem_ppo_vs_sb3", "1/s", mine, theirs, name)
    small: dict[str, Any] = {"num_envs": 256, "hidden": (64, 64), "num_minibatches": 4}
    yield Record.of("gridworld_ppo_steps", "1/s", rate(_ours(game="gridworld", **small), 2.0))
    market = _ours(game="rtb", opponents=("self",), **small)
    yield Record.of("rtb_ppo_steps", "1/s", rate(market, 2.0))
    if find_spec("Box2D") is not None:
        few = {"num_envs": 64, "num_steps": 16, "hidden": (256, 256), "num_minibatches": 4}
        builder = _ours(game="science_birds?reward=dense", **few)
        yield Record.of("birds_ppo_steps", "1/s", rate(builder, 2.0))
    if find_spec("nle") is not None:
        few = {"num_envs": 256, "hidden": (256,)}
        curious = _ours(game="minihack?task=KeyRoom-S5", bonus="e3b*noveld", **few)
        yield Record.of("minihack_ppo_steps", "1/s", rate(curious, 2.0))


def _ours(**options: Any) -> Work:
    """A rollout and its update; how many decisions."""
    from arena.agents.learning.ppo import Learner, Settings
    from arena.agents.networks.products import choose

    plain: dict[str, Any] = {
        "game": _GAME, "num_envs": _TABLES, "num_steps": _STEPS, "update_epochs": 1,
        "num_minibatches": _TABLES * _STEPS // _BATCH,
    }  # fmt: skip
    chosen = plain | options
    if chosen.get("product", "auto") == "auto":
        chosen["product"] = choose("cpu")
    learner = Learner(Settings(**chosen))
    learner.begin()

    def work() -> int:
        before = learner.steps
        learner.improve(learner.play())
        return learner.steps - before

    return work


def _sb3() -> Work:
    """The same by MaskablePPO: one body of 2 x 256 with ReLUs, policy and value on it."""
    import torch
    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.torch_layers import CombinedExtractor

    import arena

    class SharedBody(CombinedExtractor):
        """Two layers that policy and value share."""

        def __init__(self, space: Any) -> None:
            super().__init__(space)
            self.net = torch.nn.Sequential(
                torch.nn.Linear(self.features_dim, 256), torch.nn.ReLU(),
                torch.nn.Linear(256, 256), torch.nn.ReLU(),
            )  # fmt: skip
            self._features_dim = 256

        def forward(self, seen: Any) -> torch.Tensor:
            found: torch.Tensor = self.net(super().forward(seen))
            return found

    tables = arena.sb3_env(_GAME, _TABLES, opponents="call")
    model = MaskablePPO(
        "MultiInputPolicy", tables, n_steps=_STEPS, batch_size=_BATCH, n_epochs=1, device="cpu",
        policy_kwargs={"features_extractor_class": SharedBody, "net_arch": []},
    )  # fmt: skip

    def work() -> int:
        before = model.num_timesteps
        model.learn(_TABLES * _STEPS, reset_num_timesteps=False)
        return model.num_timesteps - before

    return work
