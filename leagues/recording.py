"""Write down what is decided: the replays of a block's matches, while they are played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Identity
from arena.agents.answers import Answers
from arena.envs.game import Ints
from arena.leagues import replay
from arena.leagues.match import STATUS_NAMES
from arena.leagues.plan import Plan

_MOST_NOTES = replay.LARGEST // 2  # bytes of a match's notes, so that its replay can be read
_MOST_KNOWN = 2**14  # lines that are kept; one is shorter than a kB as a rule


class Recorder:
    """Keeps each job's decision lines until its match is over.

    Lines recur: the league's overhead is mostly what is done here for every single decision, and
    looking up a line takes a fraction of what writing it does.
    """

    def __init__(self, plan: Plan, identities: Mapping[str, Identity]) -> None:
        self._plan, self._identities = plan, identities
        self._lines = [bytearray() for _ in range(len(plan))]
        self._decisions, self._ends = _Known(), _Known()
        self._heads: dict[tuple[int, bytes], bytes] = {}
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
        tails = [tail] * len(jobs)
        if answers.notes is not None:
            noted = zip(jobs.tolist(), answers.notes, strict=True)
            tails = [tail if it is None else self._note(job, it) + tail for job, it in noted]
        texts = self._texts(seats, mask, answers)
        for job, text, end in zip(jobs.tolist(), texts, tails, strict=True):
            self._lines[job] += text + end

    def _texts(self, seats: Ints, mask: NDArray[np.bool_] | None, answers: Answers) -> list[bytes]:
        """The lines of decisions up to their notes."""

        def make(row: int) -> bytes:
            head = self._head(int(seats[row]), None if mask is None else mask[row])
            return head + _decision(answers, row)

        if mask is None:  # of endlessly many actions none comes again
            return [make(row) for row in range(len(seats))]
        known = [seats, mask, answers.actions, answers.status, answers.drawn]
        if answers.probabilities is not None:
            known.append(answers.probabilities)
        return self._decisions.texts(known, make)

    def _head(self, seat: int, mask: NDArray[np.bool_] | None) -> bytes:
        """The beginning of a line, of which few differ: the seat and its legal actions."""
        key = seat, b"" if mask is None else mask.tobytes()
        if key not in self._heads:
            legal = None if mask is None else np.flatnonzero(mask).tolist()
            line = _dumps({"type": "decision", "seat": seat, "legal": legal})
            self._heads[key] = line[:-1] + b',"action":'
        return self._heads[key]

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
        match, span = self._plan.matches[number], self._plan.spans[number]
        ends = self._ends.texts(
            [returns, tiebreaks, statuses],
            lambda row: _end(returns[row], tiebreaks[row], statuses[row]),
        )
        beginnings = _beginnings(match.deals, len(match.seatings))
        header = orjson.dumps(replay.header(match, self._identities))
        parts: list[bytes | bytearray] = [header, b"\n"]
        for lines in zip(beginnings, self._lines[span], ends, strict=True):
            parts += lines
        self.forget(number)
        decisions = int(self.decisions[number])
        footer = {"type": "result", "tables": len(ends), "decisions": decisions}
        return replay.compress([b"".join([*parts, orjson.dumps(footer)])])

    def forget(self, number: int) -> None:
        """Drop the lines of a match."""
        span = self._plan.spans[number]
        self._lines[span] = [bytearray() for _ in range(span.start, span.stop)]


class _Known:
    """Texts that were made of rows of arrays, by the bytes of the row."""

    def __init__(self) -> None:
        self._texts: dict[bytes, bytes] = {}

    def texts(self, arrays: list[NDArray[Any]], make: Callable[[int], bytes]) -> list[bytes]:
        """The text of each row; ``make(row)`` where it is not known."""
        n = len(arrays[0])
        parts = [np.ascontiguousarray(it).reshape(n, -1).view(np.uint8) for it in arrays]
        rows = np.concatenate(parts, axis=1)
        data, width = rows.tobytes(), rows.shape[1]
        keys = [data[at : at + width] for at in range(0, len(data), width)]
        texts: list[Any] = list(map(self._texts.get, keys))
        if None in texts:
            if len(self._texts) > _MOST_KNOWN:
                self._texts.clear()
            for row, text in enumerate(texts):
                if text is None:
                    texts[row] = self._texts[keys[row]] = make(row)
        return texts


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _decision(answers: Answers, row: int) -> bytes:
    """The action and what else an answer says, but its notes."""
    if status := answers.status[row]:
        text = b'null,"status":"%b"' % STATUS_NAMES[status].encode()
    else:  # as Python's numbers: a float32 in full, so that who reads 64 bits has what was played
        text = _dumps(answers.actions[row : row + 1].tolist()[0])
    if answers.probabilities is not None:
        text += b',"probabilities":' + _dumps(answers.probabilities[row])
        text += b',"drawn":true' if answers.drawn[row] else b""
    return text


def _end(
    returns: NDArray[np.float64], tiebreaks: NDArray[np.float64], statuses: NDArray[np.uint8]
) -> bytes:
    names = [STATUS_NAMES[status] for status in statuses.tolist()]
    line = {"type": "end", "returns": returns, "tiebreaks": tiebreaks, "statuses": names}
    return _dumps(line) + b"\n"


@lru_cache(maxsize=4)  # as a rule all matches of a league have as many
def _beginnings(deals: int, seatings: int) -> list[bytes]:
    """The lines with which the tables of a match begin."""
    return [
        b'{"type":"deal","deal":%d,"seating":%d}\n' % (deal, turn)
        for deal in range(deals)
        for turn in range(seatings)
    ]
