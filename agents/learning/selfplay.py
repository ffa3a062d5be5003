"""A learner at the batched tables: it plays, others answer, and what it lives through is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.answers import nothing
from arena.agents.learning.experience import Experience
from arena.agents.learning.opponents import LEARNER, Opponents, priorities
from arena.agents.networks.actor_critic import ActorCritic, tensors
from arena.agents.networks.choices import Choices
from arena.agents.networks.encodings import Encoding
from arena.envs import seeding
from arena.envs.game import Game, Observation, Tables, Turns

if TYPE_CHECKING:
    from arena.agents.exploration.curiosity import Curiosity

Pool = Sequence[dict[str, Tensor]]
RECORD = "record"  # of a snapshot: float64 (2,), see ``opponents.priorities``


class SelfPlay:
    """Tables at which a network plays against itself, its past and named agents.

    Everything random follows from the seed and the number of the update, so that there is no state
    of a generator to be kept.

    Args:
        tables: where it is played.
        opponents: who sits where.
        encoding: how the network reads; choices: among what it chooses.
        make: a network of the same shape, for snapshots.
        steps: of each table in a rollout.
        seed: of everything.
        gamma: the discount.
        curiosity: what pays for exploring, in a solo game.
        prioritized: whether snapshots that win are drawn more often.

    Attributes:
        turns: the decisions that are waited for.
        returns: of the learner's seats, for the episodes that ended in the last rollout; lengths:
            how often the tables of those episodes were stepped.
        state: what a recurrent network remembers at each table, and remembered as the last rollout
            began (``before``); None of another network.
    """

    def __init__(
        self, tables: Tables, opponents: Opponents, encoding: Encoding, choices: Choices,
        make: Callable[[], ActorCritic], *, steps: int, seed: int, gamma: float,
        curiosity: Curiosity | None = None, prioritized: bool = False,
    ) -> None:  # fmt: skip
        self.game: Game = tables.game
        self.tables, self.opponents, self.encoding = tables, opponents, encoding
        self.choices, self.curiosity = choices, curiosity
        self._prioritized, self._drawn = prioritized, list[int]()
        self._make, self._steps, self._seed, self._gamma = make, steps, seed, gamma
        self.experience = Experience(
            encoding, tables.capacity, self.game.seats, choices.count, steps
        )
        self._every = np.arange(tables.capacity)
        self._places = (
            np.repeat(self._every, self.game.seats),
            np.tile(np.arange(self.game.seats), tables.capacity),
        )
        self.turns: Turns
        self.returns: NDArray[np.float64] = np.zeros(0)
        self.lengths: NDArray[np.int64] = np.zeros(0, np.int64)
        self.state: Tensor | None = None
        self.before: Tensor | None = None

    def begin(self, network: ActorCritic, update: int) -> None:
        """Begin episodes everywhere: what comes then follows from weights, seed and update."""
        seeds = self._seeds(update, "begin")
        self.tables.renew(self._every, seeds)
        self.opponents.seat(self._every, seeding.spread(seeds, np.array(1)))
        self.turns = self.tables.turns()
        self.earned = np.zeros_like(self.tables.returns)
        self.taken = np.zeros(self.tables.capacity, np.int64)
        self.state = network.nothing(self.tables.capacity)
        if self.curiosity is not None:
            self.curiosity.begin(self.turns)

    def play(self, network: ActorCritic, pool: Pool, update: int, unit: float) -> Experience:
        """A rollout. A time limit is worth what the network expects, in ``unit``, to come after."""
        experience, opponents = self.experience, self.opponents
        experience.clear()
        self._draw_snapshots(pool, update)
        self.before = self.state
        returns, lengths = [np.zeros(0)], [np.zeros(0, np.int64)]
        for step in range(self._steps):
            turns, seeds = self.turns, self._seeds(update, "step", step)
            turns.seeds = seeding.spread(seeds[turns.tables], 1 + turns.seats)
            owners = opponents.owner[turns.tables, turns.seats]
            actions = nothing(turns).actions
            mine = np.flatnonzero(owners == LEARNER)
            if len(mine):
                own = turns if len(mine) == len(turns) else turns.select(mine)
                actions[mine] = self._decide(network, own)
            opponents.answer(turns, owners, actions)
            after = self.tables.advance(turns.tables, turns.seats, actions, seeds)
            gains = after.returns - self.earned
            self.earned = np.where(after.ended[:, None], 0.0, after.returns)
            self.taken += 1
            if self.curiosity is not None:
                gains = self.curiosity.pay(actions, after, gains)
            if after.final is not None:  # a time limit is not the end: what would have come counts
                past = None if self.state is None else self.state[after.truncated]
                after_all = values(network, self.encoding, after.final, past)
                gains[after.truncated] += after_all.reshape(-1, self.game.seats) * (
                    self._gamma * unit
                )
            experience.end_step(gains, after.ended)
            if len(over := np.flatnonzero(after.ended)):
                returns.append(after.returns[over][opponents.owner[over] == LEARNER])
                lengths.append(self.taken[over])
                self.taken[over] = 0
                if self.state is not None:
                    self.state[over] = 0
                opponents.end(over, after.returns)
                opponents.seat(over, seeding.spread(seeds[over], np.array(0)))
            self.turns = after.turns
        self._note(pool)
        self.returns, self.lengths = np.concatenate(returns), np.concatenate(lengths)
        return experience

    def expected(self, network: ActorCritic) -> NDArray[np.float32]:
        """Of what all seats see now, the network's values, float32 ``(tables, seats)``."""
        found = values(network, self.encoding, self.tables.observe(*self._places), self.state)
        return found.reshape(-1, self.game.seats)

    @torch.no_grad()
    def _decide(self, network: ActorCritic, turns: Turns) -> NDArray[Any]:
        """The learner's actions; what it saw and chose is kept."""
        experience, mask = self.experience, self.choices.mask(turns)
        rows, seen = experience.observe(self.encoding.encode(turns.observation))
        device = network.device
        features = network.features(tensors(seen, device), self.state)
        if self.state is not None:
            self.state = features
        logs, worth = network.heads(features, torch.from_numpy(mask).to(device))
        chosen = _draw(logs, turns)
        likely = logs.gather(1, torch.from_numpy(chosen).to(device)[:, None])[:, 0]
        experience.act(
            rows, turns.tables, turns.seats, mask, chosen,
            likely.cpu().numpy(), worth.cpu().numpy(),
        )  # fmt: skip
        return self.choices.actions(turns, chosen)

    def _seeds(self, *path: int | str) -> NDArray[np.uint64]:
        """A seed for each table, of what ``path`` names."""
        base = seeding.derive(self._seed, *path)
        return seeding.spread(np.full(len(self._every), base, np.uint64), self._every)

    def fill(self, count: int) -> None:
        """Make room for so many snapshots, from now on."""
        snapshots = self.opponents.snapshots
        while len(snapshots) < count:
            snapshots.append(Snapshot(self._make(), self.encoding, self.choices))

    def _draw_snapshots(self, pool: Pool, update: int) -> None:
        """Let other snapshots play; episodes under way go on with them."""
        draw = np.random.default_rng(seeding.derive(self._seed, update, "pool"))
        count = min(len(pool), self.opponents.slots)
        self.fill(count)
        order = draw.permutation(len(pool))
        if self._prioritized and count:
            weights = priorities(np.array([one[RECORD].tolist() for one in pool]))
            with np.errstate(divide="ignore"):  # who is never drawn comes last
                order = np.argsort(draw.exponential(size=len(pool)) / weights)
        self._drawn = order[:count].tolist()
        for snapshot, number in zip(self.opponents.snapshots, self._drawn, strict=True):
            snapshot.network.load_state_dict(pool[number], strict=False)

    def _note(self, pool: Pool) -> None:
        """Who won against the snapshots that played goes into their records."""
        scored = self.opponents.scored
        for slot, number in enumerate(self._drawn):
            pool[number][RECORD] += torch.from_numpy(scored[slot])
        scored[:] = 0


class Snapshot:
    """A frozen policy that takes a seat."""

    def __init__(self, network: ActorCritic, encoding: Encoding, choices: Choices) -> None:
        self.network, self.encoding, self.choices = network, encoding, choices

    @torch.no_grad()
    def __call__(self, turns: Turns) -> NDArray[Any]:
        """Its actions."""
        device = self.network.device
        seen = tensors(self.encoding.encode(turns.observation), device)
        logs, _ = self.network(seen, torch.from_numpy(self.choices.mask(turns)).to(device))
        return self.choices.actions(turns, _draw(logs, turns))


@torch.no_grad()
def values(
    network: ActorCritic, encoding: Encoding, observation: Observation, state: Tensor | None
) -> NDArray[np.float32]:
    """The network's values of observations, float32 ``(n,)``."""
    seen = tensors(encoding.encode(observation), network.device)
    found: NDArray[np.float32] = network.value(seen, state).cpu().numpy()
    return found


def _draw(logs: Tensor, turns: Turns) -> NDArray[np.int64]:
    return seeding.draw(logs.double().exp().cpu().numpy(), turns.uniforms()[:, 0])
