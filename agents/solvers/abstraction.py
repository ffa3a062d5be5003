"""A blueprint as a player: the bets of a game, hands in buckets, and a strategy for each.

A run's folder holds ``player/config.json`` (the game, the buckets) and
``player/blueprint.safetensors``: where buckets begin, and a strategy for each bucket at each
decision.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.agent import Agent, CannotPlay
from arena.agents.registry import player_folder
from arena.agents.solvers import beliefs, betting, buckets
from arena.agents.solvers.beliefs import Floats
from arena.agents.solvers.betting import DECIDE, BettingTree
from arena.envs.checkpoints import Like, read_config, read_tensors
from arena.envs.errors import InputError
from arena.envs.game import Game, Ints, Observation, Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.observation import WINDOW
from arena.envs.holdem.rules import BOARD_CARDS
from arena.envs.registry import make_game

CONFIG, FILE = "config.json", "blueprint.safetensors"


@dataclass(frozen=True)
class BlueprintFacts:
    """What a player's ``config.json`` says.

    Attributes:
        game: the spec of the game that was solved.
        buckets: how many on flop, turn and river.
        deals: how many it was solved with.
    """

    game: str
    buckets: tuple[int, ...]
    deals: int


class Kernel(NamedTuple):
    """What kernels need.

    Attributes:
        tree: the bets.
        row: int64 ``(nodes,)``, where a decision's strategies begin: those of its first bucket, of
            its second one, and so on.
        counts: int64 ``(4,)``, buckets by street.
        flop, turn, river: where the next bucket begins (``buckets.limits``).
    """

    tree: BettingTree
    row: Ints
    counts: Ints
    flop: Floats
    turn: Floats
    river: Floats


class Abstraction:
    """A game of heads-up Hold'em with its hands in buckets.

    Attributes:
        kernel: all of it as arrays; size: how many entries a strategy has.
    """

    def __init__(self, game: Holdem, limits: list[Floats]) -> None:
        tree = betting.lay_out(game)
        counts = np.array([buckets.PREFLOP, *(len(part) + 1 for part in limits)])
        entries = np.where(tree.kind == DECIDE, tree.width * counts[tree.street], 0)
        row = np.concatenate([[0], entries.cumsum()[:-1]])
        self.kernel, self.size = Kernel(tree, row, counts, *limits), int(entries.sum())

    def locate(self, seen: Observation) -> tuple[Ints, Ints]:
        """The node of each observation, int64 ``(n,)``, -1 where the bets lead nowhere known.

        And the nodes that led there, int64 ``(n, 65)``.
        """
        n = len(seen["hole"])
        nodes, paths = np.empty(n, np.int64), np.full((n, WINDOW + 1), -1)
        _locate(
            self.kernel.tree, np.ascontiguousarray(seen["history"][:, :, 2]),
            np.ascontiguousarray(seen["history_amount"]),
            seen["decisions"][:, 0].astype(np.int64), nodes, paths,
        )  # fmt: skip
        return nodes, paths

    def hold(self, hole: NDArray[Any], board: NDArray[Any], street: Ints) -> Ints:
        """The bucket of each hand, int64 ``(n,)``, on its street."""
        cards = np.concatenate([hole, board], axis=1).astype(np.int64)
        found = np.empty(len(cards), np.int64)
        _hold(self.kernel, cards, street, found)
        return found


class Blueprint(Agent):
    """Plays a solved strategy: ``blueprint:RUN``, the folder of ``arena train blueprint``.

    A bet that it did not reckon with is taken for the nearest one (pseudo-harmonic mapping).
    """

    def __init__(self, game: Game, checkpoint: str | None = None) -> None:
        if checkpoint is None:
            raise InputError("a blueprint needs the folder of a run: blueprint:runs/blueprint")
        holdem = beliefs.require_heads_up(game)
        folder = player_folder(checkpoint)
        described = read_config(folder / CONFIG, BlueprintFacts)
        self.game = holdem
        self.abstraction, self.strategy = _load(folder, described, holdem, checkpoint)

    def policy(self, turns: Turns) -> NDArray[np.float64]:
        """What the average strategy does with the hand's bucket."""
        seen, mask = turns.observation, turns.action_mask
        assert mask is not None
        nodes, _ = self.abstraction.locate(seen)
        street = seen["street"][:, 0].astype(np.int64)
        held = self.abstraction.hold(seen["hole"], seen["board"], street)
        found = np.zeros(mask.shape)
        _look_up(self.abstraction.kernel, self.strategy, nodes, held, found)
        found *= mask  # the bet that it was taken for may leave other actions
        lost = found.sum(axis=1) <= 0
        found[lost, 1] = 1.0  # checks or calls
        chances: NDArray[np.float64] = found / found.sum(axis=1, keepdims=True)
        return chances


def _load(
    folder: Path, described: BlueprintFacts, game: Holdem, checkpoint: str
) -> tuple[Abstraction, NDArray[np.float32]]:
    if len(described.buckets) != 3 or not all(1 <= n <= 5000 for n in described.buckets):
        raise InputError(f"{folder / CONFIG}: buckets must be three numbers from 1 to 5,000")
    if (
        beliefs.require_heads_up(make_game(described.game)).config.tobytes()
        != game.config.tobytes()
    ):
        raise CannotPlay(f"{checkpoint} was solved for {described.game}, whose bets are others")
    wanted = {
        f"limits{street}": Like((count - 1,), "float64")
        for street, count in enumerate(described.buckets, 1)
    }
    tensors = read_tensors(folder / FILE, {**wanted, "strategy": Like((None,), "float16")})
    limits = [np.ascontiguousarray(tensors[f"limits{street}"]) for street in (1, 2, 3)]
    abstraction = Abstraction(game, limits)
    if len(tensors["strategy"]) != abstraction.size:
        raise InputError(f"{folder / FILE}: its strategy is not as long as {CONFIG} says")
    return abstraction, tensors["strategy"].astype(np.float32)


# -- kernels ---------------------------------------------------------------------------------------

_CARDS = np.array(BOARD_CARDS)


@numba.njit(cache=True)
def _locate(
    tree: BettingTree, kinds: NDArray[np.int8], amounts: NDArray[np.float32], counts: Ints,
    nodes: Ints, paths: Ints,
) -> None:  # fmt: skip
    for i in range(len(nodes)):
        if counts[i] > WINDOW:
            nodes[i] = -1
        else:
            nodes[i] = betting.follow(tree, kinds[i], amounts[i], counts[i], paths[i])


@numba.njit(cache=True)
def _hold(kernel: Kernel, cards: Ints, street: Ints, found: Ints) -> None:
    for i in range(len(cards)):
        if street[i] == 3:
            limits = kernel.river
        elif street[i] == 2:
            limits = kernel.turn
        else:
            limits = kernel.flop
        found[i] = buckets.bucket(cards[i], _CARDS[street[i]], limits)


@numba.njit(cache=True)
def _look_up(
    kernel: Kernel, strategy: NDArray[np.float32], nodes: Ints, held: Ints, found: Floats
) -> None:
    tree = kernel.tree
    for i in range(len(nodes)):
        node = nodes[i]
        if node < 0 or tree.kind[node] != DECIDE:
            continue
        row = kernel.row[node] + held[i] * tree.width[node]
        for k in range(tree.width[node]):
            found[i, tree.action[tree.first[node] + k]] = strategy[row + k]
