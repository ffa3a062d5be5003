"""Small checkpoints of every family, with what plays one turn of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

Sample = tuple[str, Path, str, str, Callable[[Path], object]]


def samples(folder: Path) -> Iterator[Sample]:
    """Family, folder, names of the configuration and the weights, and what reads them."""
    yield from _bidders(folder)
    yield from _policies(folder)
    yield from _language(folder)


def plays(family: str, game: str) -> Callable[[Path], object]:
    """What makes an agent of a folder, and lets it act once."""
    from arena.agents.registry import make_agent
    from arena.envs.game import Turns
    from arena.envs.registry import make_game

    made = make_game(game)

    def read(path: Path) -> object:
        agent = make_agent(f"{family}:{path}", made)
        tables = made.tables(2)
        tables.begin(np.arange(2), np.arange(2, dtype=np.uint64))
        slots, seats = tables.to_act()
        agent.begin(slots, seats)
        seeds = np.arange(len(slots), dtype=np.uint64)
        return agent.act(Turns(tables, slots, seats, seeds))

    return read


def _bidders(folder: Path) -> Iterator[Sample]:
    from arena.agents.value import rlb_network, rtb_learned

    dice = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return dice.normal(size=shape).astype(np.float32)

    levels = len(rtb_learned.LEVELS)
    path = folder / "learned"
    layers = ((drawn(8, 5), drawn(8)), (drawn(levels, 8), drawn(levels)))
    rtb_learned.BidPolicy(layers, "relu", 20).save(path)
    read = plays("learned", "rtb?bidders=2,auctions=100,tick=20")
    yield "learned", path, "config.json", "model.safetensors", read

    path = folder / "rlb"
    slopes = rlb_network.Slopes(
        few=drawn(51, 900), poor=drawn(61, 800), flat=np.full(61, 850), w1=drawn(30, 3),
        b1=drawn(30), w2=drawn(15, 30), b2=drawn(15), w3=drawn(15), b3=0.1, scale=1.0,
        click_value=1.0, cost_weight=0.0, gamma=1.0,
    )  # fmt: skip
    rlb_network.NetworkBidder(slopes).save(path)

    def bid(path: Path) -> object:
        network = rlb_network.load(path)
        return network.bids(np.array([1, 55, 90]), np.array([5, 850, 2000]), np.full(3, 0.01))

    yield "rlb", path, "config.json", "model.safetensors", bid


def _policies(folder: Path) -> Iterator[Sample]:
    from gymnasium import spaces
    from safetensors.torch import save_file

    from arena.agents.exploration import ppo as explore
    from arena.agents.generators import maskable_ppo as birds
    from arena.agents.learning.policy import Described, reads
    from arena.agents.networks.actor_critic import ActorCritic
    from arena.agents.networks.encodings import encoding_of
    from arena.envs.registry import make_game

    path = folder / "birds"
    path.mkdir(parents=True)
    policy = birds.MaskableMultiInputActorCriticPolicy(
        birds.observation_space(3), spaces.Discrete(birds.STOP + 1), lambda _: 0.0, birds.HIDDEN
    )
    save_file(policy.state_dict(), path / "model.safetensors")
    record = birds.BirdsRun("MaskablePPO", 1, "A", 3, 1, 0, 0.5)
    (path / "config.json").write_text(json.dumps(asdict(record)))
    read = plays("birds_ppo", "science_birds?drops=3")
    yield "birds", path, "config.json", "model.safetensors", read

    path = folder / "explore"
    path.mkdir()
    settings = explore.Settings(game="gridworld?rooms=1", envs=1, rollout=2, batch=2, width=8)
    run = explore.Run(settings)
    save_file(
        {k: v.contiguous() for k, v in explore.policy_weights(run.model.policy).items()},
        path / "policy.safetensors",
    )
    (path / "config.json").write_text(json.dumps({"kind": "ppo", **asdict(settings)}))
    read = plays("ppo", "gridworld?rooms=1")
    yield "explore", path, "config.json", "policy.safetensors", read

    path = folder / "policy" / "player"
    path.mkdir(parents=True)
    game = make_game("kuhn")
    encoding = encoding_of(game)
    network = ActorCritic(encoding, game, (8,), size="small")
    save_file({k: v.contiguous() for k, v in network.policy().items()}, path / "policy.safetensors")
    described = Described("kuhn", reads(game, encoding), (8,), "small")
    (path / "config.json").write_text(json.dumps(asdict(described)))
    yield "policy", path, "config.json", "policy.safetensors", plays("policy", "kuhn")


def _language(folder: Path) -> Iterator[Sample]:
    from arena.agents.llm.backends.models import tiny_folder
    from arena.agents.llm.lid.policy import make_policy, save_policy
    from arena.agents.llm.lid.run import Settings
    from arena.envs.registry import make_game

    path = folder / "lid"
    actions = int(make_game("errand").action_space.n)  # type: ignore[attr-defined]
    settings = Settings("errand", "courier", model="tiny", layers=2, frozen=1)
    policy = make_policy("tiny", "random", layers=2, actions=actions, longest=96, frozen=1, seed=1)
    save_policy(policy, path, asdict(settings))
    read = plays("lid", "errand")
    yield "lid", path, "config.json", "policy.safetensors", read

    path = folder / "lm"
    shutil.copytree(tiny_folder(), path)

    def load(path: Path) -> object:
        from arena.agents.llm.backends.local import Local

        return Local(str(path), device="cpu", dtype="float32")

    yield "lm", path, "config.json", "model.safetensors", load
