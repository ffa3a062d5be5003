"""Whether a verdict can be trusted: leagues whose truth is known, and how many deals it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import gamma

from arena.agents.agent import Agent, Identity
from arena.agents.registry import make_agent
from arena.agents.solvers.cfr import Cfr
from arena.agents.solvers.tree import Tree, compile_tree
from arena.bench.record import Record
from arena.bench.verdict import duel
from arena.envs.game import Turns
from arena.envs.registry import make_game
from arena.leagues.luck import Luck, adjust
from arena.leagues.match import Match, Result, seatings
from arena.leagues.play import play
from arena.leagues.ratings import Log, Ranking, summarise
from arena.leagues.ratings.bradley_terry import POINTS
from arena.leagues.ratings.sequential import bets, lead
from arena.leagues.replay import read

Floats = NDArray[np.float64]
Rng = np.random.Generator

_LEAGUES, _LARGE_LEAGUES, _SAMPLES = 400, 100, 1000
_STOPS, _LOOKS = 2000, 5000
_HANDS = 2000
_SESSION = 100
_SHAPE = 0.25


def _even(rng: Rng, deals: int) -> Floats:
    return rng.choice([-1.0, 1.0], deals)


def _plain(rng: Rng, deals: int) -> Floats:
    return rng.normal(size=deals)


def _skewed(rng: Rng, deals: int) -> Floats:
    """Much is won rarely; after a session either is ahead as often."""
    middle = gamma.median(_SESSION * _SHAPE) / _SESSION
    sign: Floats = rng.choice([-1.0, 1.0]) * (rng.gamma(_SHAPE, size=deals) - middle)
    return sign


def records() -> Iterator[Record]:
    """Shares that should be .05 at most, coverage that should be .95, and gains in deals."""
    for name, gains, session, deals in (
        ("deals won", _even, 1, 100),
        ("sessions, plain", _plain, _SESSION, 300),
        ("sessions, skewed", _skewed, _SESSION, 300),
    ):
        for agents, leagues in ((8, _LEAGUES), (40, _LARGE_LEAGUES)):
            share = _false_separations(gains, agents, session, deals, leagues)
            yield Record.of(f"false_separations: {agents} agents, {name}", "share", share)
    yield Record.of("coverage: rating, 8 agents, 100 deals", "share", _coverage())
    for name, gains in (("plain", _plain), ("skewed", _centred), ("discrete", _mostly_even)):
        yield Record.of(f"false_stops: sequence, {name}", "share", _false_stops(gains))
    yield Record.of("false_stops: bets", "share", _false_bets())
    yield from _luck()


def _false_separations(
    gains: Callable[[Rng, int], Floats], agents: int, session: int, deals: int, leagues: int
) -> float:
    """In how many leagues of equal agents somebody is said to be above somebody."""
    wrong = 0
    for number in range(leagues):
        rng = np.random.default_rng([agents, session, number])

        def drawn(_i: int, _j: int, rng: Rng = rng) -> Floats:
            return gains(rng, deals)

        ranking = _ranking(agents, drawn, session, number)
        wrong += bool(ranking.clear.any())
    return wrong / leagues


def _ranking(agents: int, gains: Callable[[int, int], Floats], session: int, seed: int) -> Ranking:
    results = [duel(i, j, gains(i, j)) for i, j in combinations(range(agents), 2)]
    return summarise(Log.of(results), seed=seed, session=session, samples=_SAMPLES)


def _coverage() -> float:
    """How many ratings' intervals hold the planted strength, deals being won by chance."""
    theta = np.linspace(1, -1, 8)
    held = []
    for number in range(_LEAGUES // 2):
        rng = np.random.default_rng(number)

        def gains(i: int, j: int, rng: Rng = rng) -> Floats:
            ahead = rng.random(100) < 1 / (1 + np.exp(theta[j] - theta[i]))
            return np.where(ahead, 1.0, -1.0)

        for standing in _ranking(8, gains, 1, number).standings:
            truth = 1500 + POINTS * theta[int(standing.agent.split()[1])]
            held.append(standing.rating.low < truth < standing.rating.high)
    return float(np.mean(held))


def _centred(rng: Rng, deals: int) -> Floats:
    return rng.gamma(_SHAPE, size=deals) - _SHAPE


def _mostly_even(rng: Rng, deals: int) -> Floats:
    return rng.choice([-1.0, 0.0, 1.0], deals, p=[0.1, 0.8, 0.1])


def _false_stops(gains: Callable[[Rng, int], Floats]) -> float:
    """How many pairs of equals are separated by looking after every deal."""
    rng = np.random.default_rng(1)
    return float(np.mean([lead(gains(rng, _LOOKS)) != 0 for _ in range(_STOPS)]))


def _false_bets() -> float:
    rng = np.random.default_rng(2)
    return float(np.mean([bets((_even(rng, _LOOKS) + 1) / 2) != 0 for _ in range(_STOPS)]))


class _Solution(Agent):
    """Plays what so many iterations have found."""

    def __init__(self, tree: Tree, iterations: int) -> None:
        from arena.agents.solvers.tabular import keys

        solver = Cfr(tree, "cfr+", iterations)
        solver.run(iterations)
        rows = [key.tobytes() for key in keys(tree.turns)]
        self._keys, self._table = keys, dict(zip(rows, tree.table(solver.average), strict=True))

    def policy(self, turns: Turns) -> Floats:
        """The table's rows."""
        return np.stack([self._table[key.tobytes()] for key in self._keys(turns)])


def _luck() -> Iterator[Record]:
    """How many times the hands of Leduc the adjusted returns are worth: the ratio of variances.

    The value function is that of a solution, the players are others nearly as good, or not.
    """
    game = make_game("leduc")
    tree = compile_tree(game)
    luck = Luck.of(game, _Solution(tree, 1000))
    rough, fine = _Solution(tree, 200), _Solution(tree, 500)
    for name, pair in {
        "between solutions": (rough, fine),
        "a solution and random": (fine, make_agent("random", game)),
    }.items():
        agents = dict(zip("ab", pair, strict=True))
        identities = {key: Identity(key, "", key) for key in agents}
        match = Match(
            "leduc", game.version, tuple("ab"), tuple("ab"), 1, 0, _HANDS // 2, seatings(2, 2)
        )
        (result,) = play(game, agents, [match], identities)
        without = adjust(luck, result, read(result.replay, "the match"))
        ratio = _earned(result).var() / _earned(without).var()
        yield Record.of(f"hands_aivat_leduc: {name}", "times the hands", ratio)


def _earned(result: Result) -> Floats:
    """What the first agent earned in each hand, float64 ``(deals, seatings)``."""
    return np.stack([result.returns[:, 0, 0], result.returns[:, 1, 1]], axis=1)
