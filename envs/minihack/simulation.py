"""One game of NetHack in one small level: keys in, arrays and an outcome out.

This is the pure game, upon NLE's binding alone. MiniHack's environment classes are not used: they
compile a level at every reset, ignore seeds, and fill observations that nobody looks at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from nle import nethack
from numpy.typing import NDArray

from arena.envs.minihack.compiler import Archive, Assembler
from arena.envs.minihack.dice import Dice
from arena.envs.minihack.tasks import Task, compiled, make_task

Outcome = Literal["running", "won", "died", "truncated"]

OPTIONS = (
    "color",
    "showexp",
    "nobones",
    "nolegacy",
    "nocmdassist",
    "disclose:+i +a +v +g +c +o",
    "runmode:teleport",
    "mention_walls",
    "nosparkle",
    "showscore",
    "pettype:none",
)
FROZEN = -0.01  # the reward of a step in which NetHack's clock stood still
_ALWAYS = ("glyphs", "chars", "blstats", "message", "program_state", "internal")
_INVENTORY = ("inv_strs", "inv_letters")
_ESCAPE, _SPACE, _APPLY = 27, 32, ord("a")
_QUESTIONS = (b"eat", b"attack", b"direction?", b"pray")
_OMENS = (b"moon tonight", b"Friday the 13th")
_TIME = 20  # of blstats
_CLOSED_DOORS = tuple(nethack.GLYPH_CMAP_OFF + i for i in (15, 16))
_PUSHES = 8  # how often an unlocked door that sticks is tried
_AROUND = (
    ("y", (-1, -1)),
    ("k", (0, -1)),
    ("u", (1, -1)),
    ("h", (-1, 0)),
    ("l", (1, 0)),
    ("b", (-1, 1)),
    ("j", (0, 1)),
    ("n", (1, 1)),
)


class Simulation:
    """A game that can be reset with a seed and stepped.

    Nothing but the seed and the actions decides what happens: NetHack's generators are seeded and
    never reseeded, the level is drawn from the seed, and the date comes from the seed instead of
    the clock (NLE's ``fix_moon_phase``). It is drawn again where the moon is full or new or the
    day a Friday the 13th, which would change luck and the first message. The character's birthday
    is the clock's still; NetHack looks at it in shops and anthills, and no level here has one.

    Args:
        name: of the task.
        buffers: arrays by NLE's observation keys that NetHack writes into (shapes and dtypes of
            ``nle.nethack.OBSERVATION_DESC``); what else is needed is kept here.
        assembler: needed for tasks whose level changes with the seed.

    Attributes:
        seed, history: the seed and the actions since the last reset; they restore the game.
        reward: of the last step.
        outcome: whether and how the episode has ended.
        steps: taken since the last reset.
    """

    def __init__(
        self, name: str, buffers: Mapping[str, NDArray[Any]], assembler: Assembler | None
    ) -> None:
        self.task: Task = make_task(name)
        self._keys = [ord(key) for _, key in self.task.actions]
        self._messages = [message.encode() for message in self.task.messages]
        needed = _ALWAYS + (_INVENTORY if self.task.unlocks else ())
        own = [key for key in needed if key not in buffers]
        options = OPTIONS if self.task.autopickup else (*OPTIONS, "!autopickup")
        self._game = nethack.Nethack(
            observation_keys=own,
            playername="Agent-" + self.task.character,
            ttyrec=None,
            options=options,
            spawn_monsters=False,
            fix_moon_phase=True,
        )
        arrays = {**dict(zip(own, self._game._obs, strict=True)), **buffers}
        self._game._pynethack.set_buffers(**arrays)
        self._game._step_return = lambda: None
        self._send, self._is_over = self._game._pynethack.step, self._game._pynethack.done
        self._arrays = arrays
        self._blstats, self._message = arrays["blstats"], arrays["message"]
        self._glyphs, self._chars = arrays["glyphs"], arrays["chars"]
        self._state, self._internal = arrays["program_state"], arrays["internal"]
        self._archive = Archive(Path(self._game._vardir) / "nhdat")
        self._assembler = assembler
        level = compiled(name)
        if level is not None:
            self._archive.store(level)
        self._goals: frozenset[tuple[int, int]] = frozenset()
        self.seed, self.history = 0, [0][:0]
        self.reward, self.steps = 0.0, 0
        self.outcome: Outcome = "truncated"

    def reset(self, seed: int) -> None:
        """Begin the episode that ``seed`` (64 bits) names."""
        if self.outcome == "died":  # else the next death would show this one in its list of scores
            for name in ("record", "logfile", "xlogfile"):
                os.truncate(Path(self._game._vardir) / name, 0)
        dice = Dice(seed)
        if self.task.plan is not None:
            assert self._assembler is not None
            self._archive.store(self._assembler.assemble(self.task.plan(dice)))
        while not self._begin(dice.word() >> 2, dice.word() >> 2):
            pass
        if self.task.goal == "boulders":
            self._goals = self._places("{")
        self.seed, self.history = seed, []
        self.steps, self.reward, self.outcome = 0, 0.0, "running"

    def _begin(self, core: int, display: int) -> bool:
        """Start NetHack; False on a day that NetHack has something to say about."""
        self._game.set_initial_seeds(core, display, False, None)
        self._game.reset()
        for _ in range(1000):
            message = self._message.tobytes()
            if any(omen in message for omen in _OMENS):
                return False
            if self._state[3]:  # NetHack waits for a command
                return True
            self._press(_SPACE)
        raise RuntimeError("NetHack never came to ask for a command")

    def restore(self, seed: int, history: Sequence[int]) -> None:
        """Begin ``seed``'s episode and take the actions of ``history``."""
        self.reset(seed)
        for action in history:
            self.step(action)

    def step(self, action: int) -> None:
        """Take an action (an index into ``task.actions``) of a running episode."""
        before = int(self._blstats[_TIME])
        key = self._keys[action]
        over = self._unlock() if key == _APPLY and self.task.unlocks else None
        if over is None:
            over = self._press(key)
        over = self._settle(over)
        self.history.append(action)
        self.steps += 1
        # NetHack blanks blstats as a game ends, so that a last step is never a frozen one.
        self.reward = FROZEN if int(self._blstats[_TIME]) == before else 0.0
        if self._won():
            self.outcome = "won"
            self.reward += 1.0
        elif over:
            self.outcome = "died"
        elif self.steps >= self.task.steps:
            self.outcome = "truncated"

    def close(self) -> None:
        """End NetHack."""
        self._archive.close()
        self._game.close()

    # -- keys ----------------------------------------------------------------------------------

    def _press(self, key: int) -> bool:
        self._send(key)
        return bool(self._is_over())

    def _settle(self, over: bool) -> bool:
        """Go on past --More--, texts to be typed, and questions that are not the player's."""
        while not over:
            _, asks, types, waits, *_ = self._internal.tolist()
            if waits:
                over = self._press(_SPACE)
            elif types:
                over = self._press(_ESCAPE)
            else:
                if asks and not self.task.questions:
                    message = self._message.tobytes()
                    if not any(question in message for question in _QUESTIONS):
                        over = self._press(_ESCAPE)
                break
        return over

    def _unlock(self) -> bool | None:
        """Turn the key in a closed door beside the player and push; None where neither is."""
        key = self._key()
        door = self._closed_door()
        if key is None or door is None:
            return None
        over = False
        for pressed in (_APPLY, key, door, ord("y")):
            over = over or self._press(pressed)
        over = self._settle(over)
        for _ in range(_PUSHES):  # upstream pushes until it opens, and hangs where it never does
            if over or self._closed_door() != door:
                break
            over = self._settle(self._press(door))
        return over

    def _key(self) -> int | None:
        letters, lines = self._arrays["inv_letters"], self._arrays["inv_strs"]
        for letter, line in zip(letters.tolist(), lines, strict=True):
            if letter == 0:
                break
            if b"key" in line.tobytes() or b"Key" in line.tobytes():
                return int(letter)
        return None

    def _closed_door(self) -> int | None:
        x, y = int(self._blstats[0]), int(self._blstats[1])
        height, width = self._glyphs.shape
        for key, (dx, dy) in _AROUND:
            inside = 0 <= y + dy < height and 0 <= x + dx < width
            if inside and int(self._glyphs[y + dy, x + dx]) in _CLOSED_DOORS:
                return ord(key)
        return None

    # -- goals ---------------------------------------------------------------------------------

    def _won(self) -> bool:
        if self.task.goal == "message":
            seen = self._message.tobytes()
            if any(message in seen for message in self._messages):
                return True
        elif self.task.goal == "boulders":
            return self._places("`") == self._goals
        return bool(self._internal[4])  # on the stairs down

    def _places(self, character: str) -> frozenset[tuple[int, int]]:
        rows, columns = np.nonzero(self._chars == ord(character))
        return frozenset(zip(columns.tolist(), rows.tolist(), strict=True))
