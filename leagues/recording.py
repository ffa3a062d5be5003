"""Write down what is decided: the replays of a block's matches, while they are played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Identity
from arena.agents.answers import Answers
from arena.envs.game import Ints
from arena.leagues import replay
from arena.leagues.match import STATUS_NAMES, Status
from arena.leagues.plan import Plan

_FORFEITS = [b'null,"status":"%b"' % name.encode() for name in STATUS_NAMES]
_MOST_NOTES = replay.LARGEST // 2  # bytes of a match's notes, so that its replay can be read
_MOST_HEADS = 2**16  # kept; a line is shorter than a kB as a rule


class Recorder:
    """Keeps each job's decision lines until its match is over.

    Lines are put together from parts that recur: the league's overhead is mostly what is done here
    for every single decision.
    """

    def __init__(self, plan: Plan, identities: Mapping[str, Identity]) -> None:
        self._plan, self._identities = plan, identities
        self._lines: list[list[bytes]] = [[] for _ in range(len(plan))]
        self._heads = _Heads()
        self.decisions = np.zeros(len(plan.matches), np.int64)
        self.seconds = np.zeros(len(plan.matches))
        self._room = np.full(len(plan.matches), _MOST_NOTES)

    def decided(
        self,
        jobs: Ints,
        seats: Ints,
        mask: NDArray[np.bool_] | None,
        answers: Answers,
        seconds: float = 0.0,
    ) -> None:
        """Add a line for each answer; an agent's ``seconds`` are shared out evenly over them."""
        if len(jobs) == 0:
            return
        counts = np.bincount(self._plan.match[jobs], minlength=len(self.decisions))
        self.decisions += counts
        self.seconds += counts * (seconds / len(jobs))
        tail = b',"ms":%.3f}\n' % (1000 * seconds / len(jobs))
        tails: Iterable[bytes] = [tail] * len(jobs)
        if answers.notes is not None:
            noted = zip(jobs.tolist(), answers.notes, strict=True)
            tails = [tail if it is None else self._note(job, it) + tail for job, it in noted]
        if answers.probabilities is not None:
            policies = _texts(answers.probabilities)
            marks = [b',"drawn":true' * drawn for drawn in answers.drawn.tolist()]
            parts = zip(policies, marks, tails, strict=True)
            tails = [b',"probabilities":%b%b%b' % part for part in parts]
        actions = _texts(_wide(answers.actions))
        for row in np.flatnonzero(answers.status).tolist():
            actions[row] = _FORFEITS[answers.status[row]]
        heads = self._heads.of(seats, mask)
        for job, head, action, end in zip(jobs.tolist(), heads, actions, tails, strict=True):
            self._lines[job] += (head, action, end)

    def _note(self, job: int, note: bytes) -> bytes:
        """The note as a field, or its length where the match has no more room for notes."""
        match = self._plan.match[job]
        if len(note) > self._room[match]:
            note = b'{"cut":%d}' % len(note)
        self._room[match] -= len(note)
        return b',"notes":' + note

    def replay(
        self,
        number: int,
        returns: NDArray[np.float64],
        tiebreaks: NDArray[np.float64],
        statuses: NDArray[np.uint8],
    ) -> bytes:
        """The replay of match ``number``, which is over; arrays by its jobs, then seat."""
        plan, span = self._plan, self._plan.spans[number]
        header = replay.header(plan.matches[number], self._identities)
        parts = [orjson.dumps(header), b"\n"]
        for job, deal, seating, earned, broken, ended in zip(
            range(span.start, span.stop),
            plan.deal[span].tolist(),
            plan.seating[span].tolist(),
            _texts(returns),
            _texts(tiebreaks),
            _words(statuses),
            strict=True,
        ):
            parts.append(b'{"type":"deal","deal":%d,"seating":%d}\n' % (deal, seating))
            parts += self._lines[job]
            parts.append(
                b'{"type":"end","returns":%b,"tiebreaks":%b,"statuses":%b}\n'
                % (earned, broken, ended)
            )
        self.forget(number)
        tables, decisions = span.stop - span.start, int(self.decisions[number])
        footer = {"type": "result", "tables": tables, "decisions": decisions}
        return replay.compress([b"".join([*parts, orjson.dumps(footer)])])

    def forget(self, number: int) -> None:
        """Drop the lines of a match."""
        span = self._plan.spans[number]
        self._lines[span] = [[] for _ in range(span.start, span.stop)]


class _Heads(dict[bytes, bytes]):
    """The beginnings of lines, seat and legal actions, of which few differ."""

    def of(self, seats: Ints, mask: NDArray[np.bool_] | None) -> list[bytes]:
        self.masked = mask is not None
        parts = [seats[:, None].astype("<u2").view(np.uint8)]
        rows = np.concatenate(parts if mask is None else [*parts, mask.view(np.uint8)], axis=1)
        data, width = rows.tobytes(), rows.shape[1]
        if len(self) > _MOST_HEADS:
            self.clear()
        return [self[data[at : at + width]] for at in range(0, len(data), width)]

    def __missing__(self, key: bytes) -> bytes:
        legal = np.flatnonzero(np.frombuffer(key, np.uint8, offset=2)).tolist()
        seat = int.from_bytes(key[:2], "little")
        line = {"type": "decision", "seat": seat, "legal": legal if self.masked else None}
        self[key] = orjson.dumps(line)[:-1] + b',"action":'
        return self[key]


def _texts(array: NDArray[Any]) -> list[bytes]:
    """Each row as JSON."""
    if array.dtype == object or array.ndim > 2 or array.size == 0:
        return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in array.tolist()]
    text = orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)
    if array.ndim == 1:
        return text[1:-1].split(b",")
    return [b"[%b]" % row for row in text[2:-2].split(b"],[")]


def _wide(actions: NDArray[Any]) -> NDArray[Any]:
    """Floats in full, so that who reads them as 64 bits has what was played."""
    return actions.astype(np.float64) if actions.dtype.kind == "f" else actions


def _words(statuses: NDArray[np.uint8]) -> list[bytes]:
    """Each row of statuses by name, as JSON."""
    everybody_done = orjson.dumps([STATUS_NAMES[Status.DONE]] * statuses.shape[1])
    words = [everybody_done] * len(statuses)
    for row in np.flatnonzero(statuses.any(axis=1)).tolist():
        words[row] = orjson.dumps([STATUS_NAMES[status] for status in statuses[row].tolist()])
    return words
