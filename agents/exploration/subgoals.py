"""CALM in the loop: pay where a judge says that a step has achieved a subgoal of KeyRoom.

Kwon et al. (2409.12798, §5): a language model's judgements of transitions, times .1, are added to
the reward of PPO. ``calm:oracle`` pays by the exact labels of ``arena.envs.minihack.labels``;
``calm:lm:smollm2`` asks that model by the base prompt, ``calm:map-progress:lm:smollm2`` by another
variant (``arena.agents.llm.prompting.calm.judge``).

A judgement depends on what the judge is shown and on nothing else, so each distinct transition is
asked about once and remembered. Where a seed is wanted, it is the transition's own.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.exploration.bonus import Arrays, Bonus, Kit, Transitions
from arena.envs.errors import InputError

ORACLE = "oracle"
_SEEN = ("glyphs", "blstats", "message", "inv_glyphs", "inv_letters")


class Subgoals(Bonus):
    """1 for each step that has achieved a subgoal by the judge's word, else 0.

    Its figures are counts since the run began (``steps``, distinct ones ``asked``) and how good the
    judge is on the steps that were taken, by the exact labels: ``precision`` and ``recall``.

    Args:
        kit: of the run; its observations must be MiniHack's.
        judge: ``oracle``, or an agent's spec, with a prompt's variant and ``:`` before it if it is
            not to be the base one.

    Raises:
        InputError: for another game, no judge, or one that cannot answer.
    """

    absolute = True

    def __init__(self, kit: Kit, judge: str = "") -> None:
        super().__init__(kit)
        if not set(_SEEN) <= set(kit.space):
            raise InputError("calm judges transitions of minihack?task=KeyRoom-… only")
        if not judge:
            raise InputError("calm needs a judge: calm:oracle, or calm:lm:smollm2")
        self.judge = None if judge == ORACLE else _Judge(kit, judge)
        # Steps, those that achieve a subgoal by the labels, by the judge, by both.
        self.counts = np.zeros(4, np.int64)

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """Judge, and keep count of how good the judge is."""
        from arena.envs.minihack.labels import door_unlocked, key_picked_up

        true = key_picked_up(steps.before, steps.after) | door_unlocked(steps.before, steps.after)
        said = true if self.judge is None else self.judge(steps)
        self.counts += [len(steps), true.sum(), said.sum(), (true & said).sum()]
        return said.astype(np.float64)

    def figures(self) -> dict[str, float]:
        """See the class."""
        steps, true, said, both = self.counts.tolist()
        found: dict[str, float] = {"steps": steps, "achieved": true, "judged_achieved": said}
        if said:
            found["precision"] = both / said
        if true:
            found["recall"] = both / true
        if self.judge is not None:
            found |= {"asked": len(self.judge.known), "judge_seconds": self.judge.seconds}
        return found

    def memory(self) -> dict[str, NDArray[Any]]:
        """All judgements, and the counts."""
        known = {} if self.judge is None else self.judge.known
        return {
            "keys": np.array(list(known), np.uint64),
            "judgements": np.array(list(known.values()), np.bool_),
            "counts": self.counts.copy(),
        }

    def remember(self, memory: Arrays) -> None:
        """Take them back."""
        self.counts = np.array(memory["counts"], np.int64)
        if self.judge is not None:
            pairs = zip(memory["keys"].tolist(), memory["judgements"].tolist(), strict=True)
            self.judge.known = dict(pairs)


class _Judge:
    """A language model's word on transitions, each distinct one asked for once.

    Attributes:
        known: judgements by a 64-bit digest of what the judge is shown.
        seconds: spent on asking, in this process.
    """

    def __init__(self, kit: Kit, text: str) -> None:
        from arena.agents.llm.prompting.calm.judge import Variant
        from arena.agents.llm.respondent import respondent

        if kit.names is None:
            raise InputError("a judge is told actions by name: train by arena train ppo --bonus")
        first, _, rest = text.partition(":")
        try:
            self.variant, spec = Variant.parse(first), rest
        except InputError:
            self.variant, spec = Variant(), text
        self.names, self.respondent = kit.names, respondent(spec)
        self.known: dict[int, bool] = {}
        self.seconds = 0.0

    def __call__(self, steps: Transitions) -> NDArray[np.bool_]:
        """Which steps have achieved a subgoal, bool ``(n,)``."""
        keys = self._digests(steps)
        new = {key: row for row, key in enumerate(keys) if key not in self.known}
        if new:
            self._ask(steps, new)
        return np.array([self.known[key] for key in keys], np.bool_)

    def _ask(self, steps: Transitions, rows: dict[int, int]) -> None:
        from arena.envs.minihack.labels import shot

        begun = time.perf_counter()
        names = self.names()
        questions = []
        for row in rows.values():
            sides = [
                shot({key: side[key][row] for key in _SEEN}) for side in (steps.before, steps.after)
            ]
            questions.append(
                self.variant.question(sides[0], names[int(steps.actions[row])], sides[1])
            )
        replies = self.respondent.decide(questions, np.array(list(rows), np.uint64))
        for key, reply in zip(rows, replies, strict=True):
            if reply.failure == "crash":
                raise InputError(f"the judge cannot answer: {reply.notes.get('error')}")
            # An answer outside the grammar is no judgement, and nothing is paid for it.
            self.known[key] = reply.value not in (None, "none")
        self.seconds += time.perf_counter() - begun

    def _digests(self, steps: Transitions) -> list[int]:
        from arena.envs.minihack.labels import characters, crop

        parts = []
        for side in (steps.before, steps.after):
            shown = characters()[side["glyphs"]]
            shown = crop(shown, side) if self.variant.view == "crop" else shown
            parts += [shown, side["message"]]
        rows = [np.ascontiguousarray(part) for part in [*parts, steps.actions]]
        found = []
        for row in range(len(steps)):
            digest = hashlib.blake2b(digest_size=8)
            for part in rows:
                digest.update(part[row])
            found.append(int.from_bytes(digest.digest(), "little"))
        return found
