"""The process in which NetHack runs: many games of one task, driven over a pipe.

NetHack's C code forgets some two kilobytes of memory at every reset. So the process that was
started keeps clean and only has children: a child plays, and after ``RESETS`` resets it writes down
the seed and the actions of every episode that is going on and ends; the next child takes these
actions again and goes on. From outside nothing of it is seen.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
from typing import Any

import numpy as np

from arena.envs.minihack.compiler import Assembler
from arena.envs.minihack.simulation import Simulation
from arena.envs.minihack.tasks import compiled, make_task

RESETS = 1000  # of one child: about two megabytes
IDLE, RESET, STEP = 0, 1, 2
GO, QUIT = b".", b"q"
OUTCOMES = ("running", "won", "died", "truncated")
Layout = list[tuple[str, str, list[int]]]  # name, dtype, shape


def views(memory: mmap.mmap, layout: Layout) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
    """The arrays that lie one after the other in ``memory``."""
    arrays, at = {}, 0
    for part in layout:
        name, dtype, shape = part
        flat = np.frombuffer(memory, dtype, int(np.prod(shape)), at)
        arrays[name] = flat.reshape(shape)
        at += size_of([part])
    return arrays


def size_of(layout: Layout) -> int:
    """Bytes that arrays of this layout take, each on cache lines of its own."""
    sizes = (int(np.prod(shape)) * np.dtype(dtype).itemsize for _, dtype, shape in layout)
    return sum(-(-size // 64) * 64 for size in sizes)


class _Share:
    """The games of one worker: rows ``first`` … of the shared arrays."""

    def __init__(self, job: dict[str, Any], memory: mmap.mmap, assembler: Assembler | None) -> None:
        self.arrays = views(memory, job["layout"])
        self.rows = range(job["first"], job["last"])
        self.keys = job["keys"]
        self.name, self.assembler = job["task"], assembler
        self.games: dict[int, Simulation] = {}
        self.resets = 0

    def game(self, row: int) -> Simulation:
        """The game of a row, made when it is first needed."""
        if row not in self.games:
            buffers = {key: self.arrays[key][row] for key in self.keys}
            self.games[row] = Simulation(self.name, buffers, self.assembler)
        return self.games[row]

    def obey(self) -> None:
        """Do what is commanded for each row."""
        part = slice(self.rows.start, self.rows.stop)
        asked = self.arrays["command"][part].tolist()
        actions = self.arrays["action"][part].tolist()
        for row, command, action in zip(self.rows, asked, actions, strict=True):
            if command == STEP:
                game = self.games[row]
                game.step(action)
            elif command == RESET:
                game = self.game(row)
                game.reset(int(self.arrays["seed"][row]))
                self.resets += 1
            else:
                continue
            self.arrays["reward"][row] = game.reward
            self.arrays["outcome"][row] = OUTCOMES.index(game.outcome)
            self.arrays["steps"][row] = game.steps
        self.arrays["command"][part] = IDLE

    def written(self) -> list[tuple[int, int, list[int]]]:
        """The episodes that are going on."""
        return [
            (row, game.seed, game.history)
            for row, game in self.games.items()
            if game.outcome == "running"
        ]

    def read(self, episodes: list[tuple[int, int, list[int]]]) -> None:
        """Go on with these."""
        for row, seed, history in episodes:
            self.game(row).restore(seed, history)


def _serve(share: _Share, commands: int, answers: int) -> bool:
    """Obey until the pipe closes (False) or this process has had its share of resets (True)."""
    while True:
        if os.read(commands, 1) in (b"", QUIT):
            return False
        share.obey()
        if share.resets >= RESETS:
            return True  # the next child answers, so that nobody reads what it still restores
        os.write(answers, b".")


def main() -> None:
    """Read the job from stdin; have children play it until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this ends it
    job = json.load(sys.stdin)
    memory = mmap.mmap(job["memory"], job["size"])
    # Both are compiled here, once, and inherited.
    compiled(job["task"])
    assembler = Assembler.calibrated() if make_task(job["task"]).plan else None
    episodes: list[tuple[int, int, list[int]]] = []
    while True:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            status = 1
            try:
                share = _Share(job, memory, assembler)
                share.read(episodes)
                os.write(job["answers"], b".")
                again = _serve(share, job["commands"], job["answers"])
                if again:
                    with os.fdopen(writing, "wb") as pipe:
                        pipe.write(json.dumps(share.written()).encode())
                for game in share.games.values():
                    game.close()
                status = 0
            except BaseException:  # the child must not run on into its parent's code
                import traceback

                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            written = pipe.read()
        _, status = os.waitpid(child, 0)
        if status or not written:
            sys.exit(status and 1)
        episodes = json.loads(written)
