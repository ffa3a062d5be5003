"""Does a player keep the contract of ``arena.agents.agent``? The check that a third party runs.

``check_agent`` lets one agent play every seat of seeded episodes, checks each answer, and plays
them again in other ways: every turn asked by itself and at other tables, by an agent that has
played before, and in another process. Its decisions must stay the same, or a league's results
would depend on what else was played beside a match.

    python -m arena.agents.conformance SPEC GAME  prints the digest that another process compares
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import Any, NoReturn

import gymnasium
import numpy as np
import orjson
from numpy.typing import NDArray

from arena.agents.agent import Agent, Decisions
from arena.agents.answers import SUMS_TO, Status, check, draw
from arena.agents.registry import make_agent
from arena.envs import seeding
from arena.envs.errors import NotConforming
from arena.envs.game import Game, Ints, Turns
from arena.envs.registry import make_game


def check_agent(
    spec: str,
    game: str,
    *,
    tables: int = 4,
    limit: int = 100,
    seed: int = 0,
    other_process: bool = True,
) -> int:
    """Let ``spec`` play ``game`` against itself; returns how many decisions were checked.

    Args:
        spec: of the agent.
        game: spec of the game.
        tables: how many episodes are compared.
        limit: decisions of a seat at a table, after which an episode is cut off unfinished.
        seed: of the tables' seeds and of the agent's randomness.
        other_process: compare with another Python process as well (a second or more).

    Raises:
        NotConforming: with a sentence that names what is wrong and where.
        InputError: no such game or agent, or (CannotPlay) they do not fit.
    """
    rules = make_game(game, own=True)
    agent = make_agent(spec, rules)
    first = _Play(spec, rules, agent, tables, limit, seed).run(np.arange(tables))
    again = _Play(spec, rules, agent, tables, limit, seed).run(np.arange(tables))
    _compare(spec, first, again, "after it has played before")
    other = make_agent(spec, rules)
    slots = 2 * np.arange(tables)[::-1] + 1
    alone = _Play(spec, rules, other, tables, limit, seed).run(slots, alone=True)
    _compare(spec, first, alone, "asked for each turn by itself, at other tables")
    if other_process:
        command = [sys.executable, "-m", "arena.agents.conformance", spec, game]
        command += map(str, (tables, limit, seed))
        path = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
        )
        if done.returncode:
            raise NotConforming(f"{spec}: fails in another process: {done.stderr.strip()}")
        if done.stdout.strip() != _digest(first):
            raise NotConforming(f"{spec}: decides otherwise in another process")
    return len(first)


def digest(spec: str, game: str, *, tables: int = 4, limit: int = 100, seed: int = 0) -> str:
    """A hash of all the decisions of ``check_agent``'s first play, to compare across processes."""
    rules = make_game(game, own=True)
    play = _Play(spec, rules, make_agent(spec, rules), tables, limit, seed)
    return _digest(play.run(np.arange(tables)))


Key = tuple[int, int, int]  # the table's number, the seat, the number of the seat's decision
Decided = dict[Key, tuple[bytes, NDArray[Any] | None]]  # the action or failure, the probabilities


class _Play:
    """Plays episodes as a league's block does, all seats taken by one agent."""

    def __init__(
        self, spec: str, game: Game, agent: Agent, tables: int, limit: int, seed: int
    ) -> None:
        self.spec, self.game, self.agent, self.limit = spec, game, agent, limit
        self.seeds = [seeding.derive(seed, "table", number) for number in range(tables)]
        self.decided: Decided = {}
        self.counts = np.zeros((tables, game.seats), np.int64)

    def run(self, slots: Ints, *, alone: bool = False) -> Decided:
        """Play table number ``i`` at ``slots[i]``; ``alone`` asks for every turn by itself."""
        self.number = {slot: number for number, slot in enumerate(slots.tolist())}
        tables = self.game.tables(int(slots.max()) + 1)
        tables.begin(slots, np.array(self.seeds, np.uint64))
        self._tell(slots, None)
        told = np.zeros(len(slots), np.bool_)
        while True:
            over = tables.done[slots] | (self.counts.max(axis=1) >= self.limit)
            if (fresh := over & ~told).any():
                self._tell(slots[fresh], tables.returns)
                told |= fresh
            turns = tables.turns()
            keep = np.isin(turns.tables, slots[~over])
            if not keep.any():
                return self.decided
            turns = self._seeded(turns.select(keep))
            rows = np.arange(len(turns))
            parts = [rows[i : i + 1] for i in rows[::-1]] if alone else [rows]
            actions: list[Any] = [None] * len(turns)
            for part in parts:
                answers = self._ask(turns.select(part))
                for row, answer in zip(part.tolist(), answers, strict=True):
                    actions[row] = answer
            out = np.array([action is None for action in actions])
            if out.any():
                tables.forfeit(turns.tables[out], turns.seats[out])
            if not out.all():
                taken = np.array([action for action in actions if action is not None])
                tables.step(turns.tables[~out], turns.seats[~out], taken)

    def _tell(self, slots: Ints, returns: NDArray[np.float64] | None) -> None:
        """Tell of beginnings, or with ``returns`` of ends, at all seats of ``slots``."""
        tables, seats = (
            np.repeat(slots, self.game.seats),
            np.tile(np.arange(self.game.seats), len(slots)),
        )
        if returns is None:
            self.agent.begin(tables, seats)
        else:
            self.agent.end(tables, seats, returns[tables, seats])

    def _seeded(self, turns: Turns) -> Turns:
        numbers = np.array([self.number[slot] for slot in turns.tables.tolist()])
        bases = [
            seeding.derive(self.seeds[number], "seat", seat)
            for number, seat in zip(numbers.tolist(), turns.seats.tolist(), strict=True)
        ]
        turns.seeds = seeding.spread(np.array(bases, np.uint64), self.counts[numbers, turns.seats])
        return turns

    def _ask(self, turns: Turns) -> list[Any]:
        """The agent's answers, None where it has none, after a check of each of them."""
        try:
            said = self.agent.act(turns)
        except Exception as error:
            raise NotConforming(f"{self.spec}: crashes: {error!r}") from error
        self._check_shapes(turns, said)
        self._check_policies(turns, said)
        answers = draw(check(turns, said), self._draws(turns))
        if answers.drawn.any():
            rows = np.flatnonzero(answers.drawn)
            self.agent.took(turns.select(rows), answers.actions[rows])
        out: list[Any] = []
        for row in range(len(turns)):
            key = self._key(turns, row)
            if answers.status[row] == Status.ILLEGAL and row not in said.failures:
                assert said.actions is not None  # a policy is checked above
                self._refuse(key, f"answers {said.actions[row]}, which is illegal")
            policy = None if answers.probabilities is None else answers.probabilities[row]
            action = None if answers.status[row] else answers.actions[row]
            if action is not None and policy is not None and policy[int(action)] <= 0:
                self._refuse(key, f"takes action {action}, to which it gives no probability")
            what = said.failures[row].encode() if action is None else np.asarray(action).tobytes()
            self.decided[key] = what, policy
            self.counts[key[0], key[1]] += 1
            out.append(action)
        return out

    def _key(self, turns: Turns, row: int) -> Key:
        number, seat = self.number[int(turns.tables[row])], int(turns.seats[row])
        return number, seat, int(self.counts[number, seat])

    def _draws(self, turns: Turns) -> NDArray[np.float64]:
        """What declared policies are drawn by: a function of table, seat and decision."""
        keys = [self._key(turns, row) for row in range(len(turns))]
        seeds = [seeding.derive(self.seeds[number], "draw", *at) for number, *at in keys]
        return seeding.uniforms(np.array(seeds, np.uint64), 1)[:, 0]

    def _check_shapes(self, turns: Turns, answers: Decisions) -> None:
        n = len(turns)
        if not isinstance(answers, Decisions):
            raise NotConforming(f"{self.spec}: act must return Decisions, not {answers!r}")
        if not set(answers.failures) <= set(range(n)):
            raise NotConforming(f"{self.spec}: failures name rows outside of 0 … {n - 1}")
        declared = answers.actions is None
        if declared != self.agent.declares and len(answers.failures) < n:
            raise NotConforming(
                f"{self.spec}: says that it {'declares' if not declared else 'has'} "
                f"{'its' if not declared else 'no'} policy, and act does otherwise"
            )
        if answers.actions is not None and len(answers.actions) != n:
            raise NotConforming(f"{self.spec}: gives {len(answers.actions)} actions for {n} turns")
        if declared and answers.probabilities is None:
            raise NotConforming(f"{self.spec}: gives neither actions nor probabilities")
        space = self.game.action_space
        if answers.probabilities is not None and isinstance(space, gymnasium.spaces.Discrete):
            shape = (n, int(space.n))
            if np.shape(answers.probabilities) != shape:
                raise NotConforming(f"{self.spec}: probabilities must have shape {shape}")
        if answers.notes is not None:
            if len(answers.notes) != n:
                raise NotConforming(f"{self.spec}: gives {len(answers.notes)} notes for {n} turns")
            try:
                orjson.dumps(list(answers.notes))
            except TypeError as error:
                raise NotConforming(f"{self.spec}: its notes are no JSON: {error}") from error

    def _check_policies(self, turns: Turns, answers: Decisions) -> None:
        """Rows are distributions over legal actions: exactly where declared, else about."""
        if answers.probabilities is None:
            return
        within = SUMS_TO if answers.actions is None else 1e-4
        for row, policy in enumerate(np.asarray(answers.probabilities, np.float64)):
            if row in answers.failures:
                continue
            key, mask = self._key(turns, row), turns.action_mask
            if not (abs(policy.sum() - 1.0) <= within and (policy >= 0).all()):
                self._refuse(key, f"gives probabilities that sum to {policy.sum()}")
            if mask is not None and policy[~mask[row]].any():
                self._refuse(key, "gives an illegal action a probability")

    def _refuse(self, key: Key, sentence: str) -> NoReturn:
        raise NotConforming(
            f"{self.spec}: decision {key[2]} of seat {key[1]} at table {key[0]}: {sentence}"
        )


def _compare(spec: str, one: Decided, two: Decided, how: str) -> None:
    for key, (action, policy) in one.items():
        where = f"{spec}: decision {key[2]} of seat {key[1]} at table {key[0]}"
        if key not in two or two[key][0] != action:
            raise NotConforming(f"{where} is another {how}")
        other = two[key][1]
        if (policy is None) != (other is None) or (
            policy is not None and other is not None and not np.allclose(policy, other, atol=1e-4)
        ):
            raise NotConforming(f"{where} has other probabilities {how}")
    if len(one) != len(two):
        raise NotConforming(f"{spec}: decides {len(two)} times, not {len(one)}, {how}")


def _digest(decided: Decided) -> str:
    content = hashlib.sha256()
    for key in sorted(decided):
        content.update(repr(key).encode() + decided[key][0])
    return content.hexdigest()


if __name__ == "__main__":
    name, rules, *numbers = sys.argv[1:]
    keywords = dict(zip(("tables", "limit", "seed"), map(int, numbers), strict=False))
    print(digest(name, rules, **keywords))
