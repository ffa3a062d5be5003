"""Small checkpoints of every family, with what plays one turn of each or goes on training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz import mutations
from tests.fuzz.kind import Kind, tensors, values

Sample = tuple[str, Path, tuple[str, ...], Callable[[Path], object]]


def kinds(folder: Path) -> list[Kind]:
    """A kind for each file of each sample; ``folder`` is where they are made."""
    made = [
        *_bidders(folder),
        *_language(folder),
        *_solved(folder),
        *_brought(folder),
        *_resumed(folder),
    ]
    return [_kind(*sample, file) for sample in made for file in sample[2]]


def _kind(
    family: str, path: Path, files: tuple[str, ...], read: Callable[[Path], object], file: str
) -> Kind:
    whole = {name: (path / name).read_bytes() for name in files}
    name = f"{family}.{Path(file).name}"

    def use(changed: Path) -> object:
        for other, data in whole.items():
            (path / other).write_bytes(changed.read_bytes() if other == file else data)
        return read(path)

    if file.endswith(".json"):
        return values(name, [json.loads(whole[file])], use)
    if file.endswith(".zip"):
        return Kind(name, lambda dice: mutations.of_zip(whole[file], dice), use)
    return tensors(name, whole[file], use)


def plays(family: str, game: str) -> Callable[[Path], object]:
    """What makes an agent of a folder, ``{}`` in its spec, and lets it act once."""
    from arena.agents.registry import make_agent
    from arena.envs.game import Turns
    from arena.envs.registry import make_game

    made = make_game(game)

    def read(path: Path) -> object:
        agent = make_agent(family.format(path), made)
        tables = made.tables(2)
        tables.begin(np.arange(2), np.arange(2, dtype=np.uint64))
        slots, seats = tables.to_act()
        agent.begin(slots, seats)
        seeds = np.arange(len(slots), dtype=np.uint64)
        return agent.act(Turns(tables, slots, seats, seeds))

    return read


def _bidders(folder: Path) -> Iterator[Sample]:
    from arena.agents.value import rlb_network

    dice = np.random.default_rng(0)

    def drawn(*shape: int) -> np.ndarray:
        return dice.normal(size=shape).astype(np.float32)

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

    yield "rlb", path, ("config.json", "model.safetensors"), bid


def _solved(folder: Path) -> Iterator[Sample]:
    from arena.agents.solvers.tabular import save_strategy
    from arena.agents.solvers.tree import compile_tree
    from arena.envs.registry import make_game

    path = folder / "tabular"
    tree = compile_tree(make_game("kuhn"))
    save_strategy(path, "kuhn", tree, tree.uniform(), {})
    files = ("config.json", "strategy.safetensors")
    yield "tabular", path / "player", files, plays("tabular:{}", "kuhn")


def _brought(folder: Path) -> Iterator[Sample]:
    from sb3_contrib import MaskablePPO

    import arena

    path = folder / "sb3"
    path.mkdir(parents=True)
    env = arena.sb3_env("kuhn", 2, opponents="random")
    sizes = {"net_arch": [8]}
    MaskablePPO("MultiInputPolicy", env, policy_kwargs=sizes, device="cpu").save(path / "run.zip")
    yield "sb3", path, ("run.zip",), plays("sb3:{}/run.zip?algorithm=MaskablePPO", "kuhn")


def _resumed(folder: Path) -> Iterator[Sample]:
    from dataclasses import replace

    from arena.agents.learning import dqn, ppo
    from arena.agents.llm.lid import run as lid

    def quiet(*_: object) -> None:
        pass

    small = {
        "num_envs": 4, "num_steps": 4, "hidden": (8,), "evaluate": ("random",),
        "evaluate_deals": 1, "report_deals": 1, "device": "cpu", "checkpoint_every": 1,
    }  # fmt: skip
    alone = small | {"evaluate": (), "bonus": "e3b", "recurrent": True}
    for name, trainer, settings in (
        ("ppo", ppo, ppo.Settings(**small, game="kuhn", num_minibatches=1, product="torch")),
        ("e3b", ppo, ppo.Settings(
            **alone, game="gridworld?rooms=1", num_minibatches=1, product="torch")),
        ("dqn", dqn, dqn.Settings(
            **small, game="kuhn", buffer_size=128, learning_starts=16, batch_size=8)),
    ):  # fmt: skip
        path = folder / f"resumed_{name}"
        settings = replace(settings, output=str(path), total_timesteps=64)
        trainer.train(settings, quiet)
        _not_at_its_end(path / "config.json")
        again = replace(settings, resume=True)

        def resume(path: Path, trainer: Any = trainer, again: Any = again) -> object:
            return trainer.train(again, quiet)

        yield name, path, ("training/resume.safetensors",), resume
        files = ("config.json", "policy.safetensors")
        yield f"{name}_player", path / "player", files, plays("policy:{}", settings.game)

    path = folder / "resumed_lid"
    asked = lid.LidSettings(
        "errand", "courier", demonstrations=2, model="tiny", init="random", layers=2, frozen=1,
        updates=2, batch=2,
    )  # fmt: skip
    whole = lid.LidRun(asked, path)
    whole.train(1)
    whole.save()
    files = ("training/resume.json", "training/resume.safetensors")
    yield "lid", path, files, lambda path: lid.LidRun.load(path).train(2)


def _not_at_its_end(config: Path) -> None:
    """Let the run go on for one more update where it is resumed."""
    facts = json.loads(config.read_text())
    facts["settings"]["total_timesteps"] += 1
    config.write_text(json.dumps(facts))


def _language(folder: Path) -> Iterator[Sample]:
    from arena.agents.llm.backends.models import tiny_folder
    from arena.agents.llm.lid.policy import make_policy, save_policy
    from arena.agents.llm.lid.run import LidSettings
    from arena.envs.registry import make_game

    path = folder / "lid"
    actions = int(make_game("errand").action_space.n)  # type: ignore[attr-defined]
    settings = LidSettings("errand", "courier", model="tiny", layers=2, frozen=1)
    policy = make_policy("tiny", "random", layers=2, actions=actions, longest=96, frozen=1, seed=1)
    save_policy(policy, path, asdict(settings))
    read = plays("lid:{}", "errand")
    yield "lid", path, ("config.json", "policy.safetensors"), read

    path = folder / "lm"
    shutil.copytree(tiny_folder(), path)

    def load(path: Path) -> object:
        from arena.agents.llm.backends.local import Local

        return Local(str(path), device="cpu", dtype="float32")

    yield "lm", path, ("config.json", "model.safetensors"), load
