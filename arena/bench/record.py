"""One measured figure, beside a peer's."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@cache
def machine() -> str:
    """This machine in a line: processor, cores, memory, system, Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{names[0] if names else platform.machine()}, {cores} cores, {memory:.0f} GiB, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


@dataclass(frozen=True)
class Record:
    """A figure of ours and, where there is one, the peer's, from the same run.

    Attributes:
        name: what was measured.
        unit: of ``ours`` and ``peer``.
        ours, peer: the figures.
        peer_name: who the peer is, with its version.
        ratio: how many times better ours is (above 1: better), whichever way the unit points.
        machine: where it ran.
    """

    name: str
    unit: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    machine: str

    @classmethod
    def of(
        cls,
        name: str,
        unit: str,
        ours: float,
        peer: float | None = None,
        peer_name: str | None = None,
        *,
        less_is_better: bool = False,
    ) -> Record:
        """A record of this machine, its ratio worked out."""
        ratio = None
        if peer is not None:
            ratio = peer / ours if less_is_better else ours / peer
        return cls(name, unit, ours, peer, peer_name, ratio, machine())


def rate(work: Callable[[], int], seconds: float = 1.0) -> float:
    """Units of work per second of CPU time of this process, over at least ``seconds``.

    ``work`` does some and returns how much. It is called once before, uncounted, to warm up.
    """
    work()
    done, begun = 0, time.process_time()
    while time.process_time() - begun < seconds:
        done += work()
    return done / (time.process_time() - begun)
