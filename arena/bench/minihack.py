"""MiniHack beside upstream, and what exploration bonuses cost.

The peers are the installed nle and minihack with Gymnasium's own vector environments, measured in
the same run. Resets are CPU time of all processes that they start (upstream's compiler is one),
vectors wall time on all cores; peer and ours take turns, so that other work on the machine meets
both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np

import arena
from arena.bench.record import Record, rate

KEYS = ("glyphs", "blstats", "message")
_ROUNDS = 3


def records() -> Iterator[Record]:
    """The figures."""
    import minihack  # noqa: F401 - registers upstream's environments

    upstream = f"minihack {version('minihack')}, nle {version('nle')}"
    yield from _resets(upstream)
    gym = f"Gymnasium {version('gymnasium')} SyncVectorEnv, {upstream}"
    for count in (8, 32):
        yield _vector(count, "sync", gym)
        yield _vector(count, "async", gym.replace("Sync", "Async"))
    yield from _bonus_overhead()
    yield _e3b_updates()


def _resets(upstream: str) -> Iterator[Record]:
    """MultiRoom-N6: a new level at each reset."""
    from arena.envs.minihack.compiler import Assembler
    from arena.envs.minihack.simulation import Simulation

    ours = Simulation("MultiRoom-N6", {}, Assembler.calibrated())
    peer: Any = gymnasium.make("MiniHack-MultiRoom-N6-v0", disable_env_checker=True)
    mine, theirs = [], []
    for part in range(_ROUNDS):
        mine.append(_cpu(ours.reset, range(300 * part, 300 * part + 300)))
        theirs.append(_cpu(lambda _: peer.reset(), range(60)))
    ours.close()
    peer.close()
    yield Record.of(
        "multiroom_reset_vs_upstream",
        "ms",
        1e3 * float(np.median(mine)),
        1e3 * float(np.median(theirs)),
        upstream,
        less_is_better=True,
    )


def _cpu(work: Callable[[int], Any], items: range) -> float:
    """Seconds of CPU time for each item, here and in the processes that are waited for."""
    before = os.times()
    for item in items:
        work(item)
    after = os.times()
    return (sum(after[:4]) - sum(before[:4])) / len(items)


def _vector(count: int, kind: str, name: str) -> Record:
    """KeyRoom-S5 under a random policy, resets included."""
    ours = arena.vector_env("minihack?task=KeyRoom-S5", count, keys=KEYS)
    make = [_upstream] * count
    peer: Any = (
        gymnasium.vector.SyncVectorEnv(make)
        if kind == "sync"
        else gymnasium.vector.AsyncVectorEnv(make)
    )
    rates: dict[str, list[float]] = {"ours": [], "peer": []}
    dice = np.random.default_rng(0)
    for env in (ours, peer):
        env.reset(seed=0)
    for _ in range(_ROUNDS):
        for who, env in (("ours", ours), ("peer", peer)):
            begun, steps = time.perf_counter(), 0
            while time.perf_counter() - begun < 1.0:
                # Apply (9) hangs upstream now and then: a door that sticks is pushed for ever.
                env.step(dice.integers(0, 9, count))
                steps += count
            rates[who].append(steps / (time.perf_counter() - begun))
    ours.close()
    peer.close()
    found = {who: float(np.median(values)) for who, values in rates.items()}
    return Record.of(f"vector_{count}_vs_{kind}", "steps/s", found["ours"], found["peer"], name)


def _upstream() -> Any:
    return gymnasium.make("MiniHack-KeyRoom-S5-v0", observation_keys=KEYS, disable_env_checker=True)


def _bonus_overhead() -> Iterator[Record]:
    """CPU time of training with a bonus over that without, less 1, on MiniHack's KeyRoom-S5."""
    from arena.agents.learning.ppo import Learner, Settings

    bonuses = ("", "count:position", "rnd", "noveld")
    learners = {
        bonus: Learner(
            Settings(
                game="minihack?task=KeyRoom-S5",
                bonus=bonus,
                num_envs=16,
                num_steps=32,
                num_minibatches=2,
                update_epochs=4,
                hidden=(256,),
            )
        )
        for bonus in bonuses
    }
    seconds: dict[str, list[float]] = {bonus: [] for bonus in bonuses}
    for learner in learners.values():
        learner.begin()
    for part in range(_ROUNDS + 1):
        for bonus, learner in learners.items():
            begun = time.process_time()
            for _ in range(2):
                learner.improve(learner.play())
            if part:  # the first is for warming up
                seconds[bonus].append(time.process_time() - begun)
    for bonus in bonuses[1:]:
        overhead = float(np.median(seconds[bonus]) / np.median(seconds[""])) - 1
        suffix = bonus.split(":")[0]
        yield Record.of(f"bonus_overhead_{suffix}", "fraction of PPO's time", overhead)
    worst = max(float(np.median(seconds[b]) / np.median(seconds[""])) - 1 for b in bonuses[1:])
    yield Record.of("bonus_overhead", "fraction of PPO's time", worst)


def _e3b_updates() -> Record:
    """32 environments with 256 features on one core."""
    import torch

    from arena.agents.exploration.e3b import Ellipses

    ellipses = Ellipses(32, 256)
    features = torch.randn(64, 32, 256, generator=torch.Generator().manual_seed(0))

    def work() -> int:
        for phi in features:
            ellipses.update(phi)
        return len(features) * 32

    return Record.of("e3b_updates", "updates/s", rate(work))
