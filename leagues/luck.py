"""Returns without the luck of cards and declared policies: AIVAT (Burch, Schmid, Moravčík, Morrill,
Bowling, AAAI 2018) for games whose chance is a list of deals.

A value function u says what each seat will earn. Whenever chance falls, or the venue draws from a
policy that a player has declared, what u expected beforehand less what it says afterwards is added
to the return: E[u] - u(observed). Each such term is 0 on average whatever u is, so the adjusted
return has the same mean; the better u, the smaller its spread. It holds because the venue draws:
who declares one policy and wants to play another cannot. A player that chooses its actions itself
is not adjusted for, whatever it says beside them.

u must be fixed before the deals that it judges. Here it is what both seats would earn if a named
player, say ``tabular:runs/leduc``, sat in both, averaged over what no seat has been shown yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay, Identity
from arena.agents.answers import check
from arena.agents.registry import identify, make_agent
from arena.agents.solvers.tree import LARGEST, require_dealt, shown
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Turns
from arena.envs.small.dealt import Dealt, DealtTables
from arena.envs.specs import Spec
from arena.leagues.league import League
from arena.leagues.match import Result, deal_seed
from arena.leagues.ratings import Estimate, Log
from arena.leagues.ratings.estimates import means
from arena.leagues.replay import Replay, read
from arena.leagues.store import Store

Floats = NDArray[np.float64]
Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Luck:
    """A value function of a game of two seats that move in turn.

    Attributes:
        start: float64 ``(2,)``, what each seat expects before anything is dealt.
        rows: for what both seats have been shown, the row of ``policy`` and ``worth``.
        policy: float64 ``(rows, actions)``, what the named player does there.
        worth: float64 ``(rows, actions, 2)``, what each seat expects after each action.
    """

    game: Dealt
    start: Floats
    rows: Mapping[bytes, int]
    policy: Floats
    worth: Floats

    @classmethod
    def of(cls, game: Game, agent: Agent) -> Luck:
        """The value of a table at which ``agent`` sits in both seats.

        Raises:
            InputError: for a game whose deals cannot be listed, or are too many.
            CannotPlay: for an agent that declares no policy.
        """
        dealt = require_dealt(game)
        if not agent.declares:
            raise CannotPlay("it declares no policy, so what it would earn cannot be worked out")
        layers = list(_layers(dealt, agent))
        rows: dict[bytes, int] = {}
        policies, worths = [], []
        below = np.zeros((0, 2))  # what the states of the next layer are worth
        for layer in reversed(layers):
            states, actions = np.nonzero(layer.legal)
            earned = np.zeros((len(layer.group), layer.policy.shape[1], 2))
            earned[states, actions] = layer.earned
            earned[states[layer.live], actions[layer.live]] = below
            count = np.bincount(layer.group)
            worth = np.zeros((len(count), *earned.shape[1:]))
            np.add.at(worth, layer.group, earned)
            worth /= count[:, None, None]
            at = len(rows)
            rows.update((key, at + number) for number, key in enumerate(layer.keys))
            policies.append(layer.policy)
            worths.append(worth)
            below = np.einsum("ga,gas->gs", layer.policy, worth)[layer.group]
        return cls(
            dealt, below.mean(axis=0), rows, np.concatenate(policies), np.concatenate(worths)
        )

    def adjusted(self, tables: DealtTables, episodes: Sequence[Lines]) -> Floats:
        """The returns of episodes without luck, float64 ``(episodes, 2)``.

        Args:
            tables: as many, of the game, at their first decisions; they are played to the end.
            episodes: the decisions of each, as replays have them.

        With u(h) = Σ σ(a) u(h, a), σ being what the value function's player does, all terms of
        chance cancel but the first, and what is left of each decision is Σ (π(a) - σ(a)) u(h, a)
        where the policy π was declared, else u(h, a) - u(h).
        """
        total = np.tile(self.start, (tables.capacity, 1))
        taken = np.zeros(tables.capacity, np.int64)
        while not tables.done.all():
            at, seats = tables.to_act()
            for table, key in zip(at.tolist(), _keys(tables, at), strict=True):
                row = self.rows[key]
                line = episodes[table][taken[table]]
                if "status" in line:  # it forfeits: what comes of that is nobody's luck
                    continue
                took = np.zeros(self.policy.shape[1])
                took[line["action"]] = 1
                if line.get("drawn"):
                    took = np.array(line["probabilities"], np.float64)
                    took /= took.sum()
                total[table] += (took - self.policy[row]) @ self.worth[row]
            self._step(tables, at, seats, [episodes[table][taken[table]] for table in at], total)
            taken[at] += 1
        return total

    def _step(
        self, tables: DealtTables, at: Ints, seats: Ints, lines: Lines, total: Floats
    ) -> None:
        gave_up = np.array(["status" in line for line in lines])
        if gave_up.any():
            out = at[gave_up]
            before = [self.rows[key] for key in _keys(tables, out)]
            expected = np.einsum("ga,gas->gs", self.policy[before], self.worth[before])
            tables.forfeit(out, seats[gave_up])
            total[out] += tables.returns[out] - expected
        actions = np.array([line.get("action") for line in lines if "status" not in line], np.int64)
        if len(actions):
            tables.step(at[~gave_up], seats[~gave_up], actions)


class _Layer(NamedTuple):
    """All states so many decisions deep, a row for each deal that leads there.

    ``group`` says which states no seat can distinguish from one another, ``keys`` what is shown in
    each group, ``policy`` is by group. ``earned`` is by legal action, of all states one after the
    other; ``live`` are those after which the game goes on.
    """

    group: Ints
    keys: list[bytes]
    policy: Floats
    legal: NDArray[np.bool_]
    earned: Floats
    live: Ints


def _layers(game: Dealt, agent: Agent) -> Iterator[_Layer]:
    tables = game.tables(len(game.deals))
    every = np.arange(tables.capacity)
    tables.start(every, every)
    states = 0
    while tables.capacity:
        states += tables.capacity
        at, seats = tables.to_act()
        if len(at) != tables.capacity or states > LARGEST:
            why = (
                "its seats decide at once" if states <= LARGEST else f"more than {LARGEST:,} states"
            )
            raise InputError(f"{game.name} has no value function here: {why}")
        found = _keys(tables, at)
        keys, first, group = _distinct(found)
        legal = tables.action_mask(at, seats)
        assert legal is not None
        state, action = np.nonzero(legal)
        beyond = game.tables(len(state))
        tables.copy(state, beyond)
        beyond.step(np.arange(len(state)), seats[state], action)
        live = np.flatnonzero(~beyond.done)
        policy = _policy(agent, Turns(tables, at[first], seats[first]))
        yield _Layer(group, keys, policy, legal, beyond.returns.copy(), live)
        tables = game.tables(len(live))
        beyond.copy(live, tables)


def _policy(agent: Agent, turns: Turns) -> Floats:
    answers = check(turns, agent.act(turns))
    if not answers.drawn.all() or answers.probabilities is None:
        raise CannotPlay("its policy is not a distribution over the legal actions everywhere")
    whole: Floats = answers.probabilities / answers.probabilities.sum(axis=1, keepdims=True)
    return whole


def _keys(tables: DealtTables, at: Ints) -> list[bytes]:
    """What both seats have been shown at each of these tables."""
    seen = [shown(tables.observe(at, np.full(len(at), seat))) for seat in (0, 1)]
    return [row.tobytes() for row in np.concatenate(seen, axis=1)]


def _distinct(found: list[bytes]) -> tuple[list[bytes], Ints, Ints]:
    """The different keys, where each is found first, and which each is."""
    number: dict[bytes, int] = {}
    group = np.array([number.setdefault(key, len(number)) for key in found])
    return list(number), np.unique(group, return_index=True)[1], group


@dataclass(frozen=True)
class Luckless:
    """What a league's entrants earn an episode without luck, by the value function of a player.

    Attributes:
        player: whose value function; its key is a hash of it.
        payoff: by entrant's key, in the game's unit.
    """

    player: Identity
    payoff: Mapping[str, Estimate]

    @classmethod
    def of(cls, store: Store, league: League, spec: str) -> Luckless:
        """The league's payoffs without luck, from its replays; ``spec`` names the player.

        InputError where a replay was dropped, or ``Luck.of`` refuses.
        """
        game, player = league.make_game(), identify(Spec.parse(spec))
        luck = Luck.of(game, make_agent(player.spec, game))
        log = Log.of(_adjusted(luck, store.match(id)) for id in store.members(league))
        cells, amounts, episodes = log.earned
        payoff = means(cells, amounts, episodes, game.unit_scale)
        return cls(player, {key: payoff[row] for row, key in enumerate(log.entrants)})

    def to_json(self) -> dict[str, Any]:
        """Plain values; None where a number is not finite."""
        return {
            "player": self.player.spec,
            "key": self.player.key,
            "payoff": {key: estimate.to_json() for key, estimate in self.payoff.items()},
        }


def _adjusted(luck: Luck, result: Result) -> Result:
    if not result.replay:
        raise InputError(
            f"match {result.match.id} has no replay, so its luck is not known; play it again: "
            f"arena replay again {result.match.id}"
        )
    return adjust(luck, result, read(result.replay, f"match {result.match.id}"))


def adjust(luck: Luck, result: Result, replay: Replay) -> Result:
    """The result of a match with returns without luck."""
    match = result.match
    seeds = [deal_seed(match.seed, match.first_deal + e.deal) for e in replay.episodes]
    tables = luck.game.tables(len(seeds))
    tables.begin(np.arange(len(seeds)), np.array(seeds, np.uint64))
    returns = luck.adjusted(tables, [episode.decisions for episode in replay.episodes])
    return replace(result, returns=returns.reshape(result.returns.shape))
