"""Train a player of any masked game by neural fictitious self-play: it mixes, as one has to.

    arena train nfsp --game leduc -o runs/leduc

Heinrich and Silver (arXiv 1603.01121): a best response to the others is learned by DQN, and an
average of all best responses so far by supervision, from a reservoir of what they did. In each
episode each seat plays the best response with probability ``--anticipatory-param``, else the
average. It is the average that plays in the end: it is what approaches an equilibrium.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.learning import dqn
from arena.agents.learning.dqn import run_learner
from arena.agents.learning.replay import Reservoir
from arena.agents.learning.report import Progress, Report
from arena.agents.learning.settings import setting
from arena.agents.networks.actor_critic import ActorCritic, tensors
from arena.envs import seeding
from arena.envs.game import Ints, Turns


@dataclass(frozen=True, kw_only=True)
class Settings(dqn.Settings):
    """All that decides a run of NFSP."""

    total_timesteps: int = setting(
        3_000_000, "decisions of the learner in all", least=1, options=("--steps",)
    )
    anticipatory_param: float = setting(
        0.1, "how often a seat plays the best response", above=0, most=1
    )
    reservoir_size: int = setting(500_000, "choices of best responses that are kept", least=1)
    average_lr: float = setting(1e-3, "Adam's for the average", above=0)
    start_e: float = setting(0.2, "share of random actions of the best response", least=0, most=1)
    end_e: float = setting(0.0, "and in the end", least=0, most=1)
    exploration_fraction: float = setting(
        1.0, "of the run, over which that share falls", above=0, most=1
    )
    train_frequency: int = setting(64, "decisions of the learner between updates", least=1)


def train(settings: Settings, progress: Progress) -> Report:
    """Train until ``total_timesteps``; a resumed run gives the same weights as an undisturbed one.

    Raises InputError where the game, an opponent or the device does not fit.
    """
    return run_learner(Learner, settings, progress)


class Learner(dqn.Learner):
    """A best response, and the average of those before it.

    Attributes:
        average: the network that imitates; reservoir: what it imitates.
        responds: bool ``(tables, seats)``, who plays the best response in the episode under way.
    """

    trainer: ClassVar[str] = "nfsp"
    greedy: ClassVar[bool] = False
    settings: Settings

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeding.derive(settings.seed, "average") >> 1)
            self.average = self._network()
        self.average_optimizer = torch.optim.Adam(self.average.parameters(), settings.average_lr)
        self.reservoir = Reservoir(self.encoding, self.choices.count, settings.reservoir_size)
        self.responds = np.zeros((settings.num_envs, self.game.seats), np.bool_)

    def seat(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Episodes begin: draw who plays the best response."""
        super().seat(tables, seeds)
        draws = seeding.uniforms(seeding.spread(seeds, np.array(2)), self.game.seats)
        self.responds[tables] = draws < self.settings.anticipatory_param

    @torch.no_grad()
    def decide(self, turns: Turns) -> Ints:
        """The best response here, the average there; the former's choices are to be imitated."""
        mask, arrays = self.choices.mask(turns), self.encoding.encode(turns.observation)
        responds = self.responds[turns.tables, turns.seats]
        seen, legal = tensors(arrays, self.device), torch.from_numpy(mask)
        best = self.values(self.network, seen, legal).argmax(1).cpu().numpy()
        chances = self.epsilon * mask / mask.sum(1, keepdims=True)
        chances[np.arange(len(mask)), best] += 1 - self.epsilon
        mixed = self.average(seen, legal.to(self.device))[0].double().exp().cpu().numpy()
        chances = np.where(responds[:, None], chances, mixed)
        actions = seeding.draw(chances, turns.uniforms()[:, 0])
        self.replay.add(arrays, mask, actions, turns.tables, turns.seats)
        if len(rows := np.flatnonzero(responds)):
            chosen = {name: values[rows] for name, values in arrays.items()}
            places = np.random.default_rng(
                seeding.derive(self.settings.seed, self.steps, "reservoir")
            )
            self.reservoir.add(chosen, mask[rows], actions[rows], places)
        return actions

    def improve(self) -> dict[str, Tensor]:
        """An update of the best response, and one of the average."""
        losses = super().improve()
        if not self.reservoir.size:
            return losses | {"average_loss": torch.zeros(())}
        rows = self.draw("imitate").integers(self.reservoir.size, size=self.settings.batch_size)
        seen = tensors(self.reservoir.seen(rows), self.device)
        mask = self._tensor(self.reservoir.mask[rows])
        taken = self._tensor(self.reservoir.action[rows])[:, None]
        loss = -self.average(seen, mask)[0].gather(1, taken).mean()
        self.descend(loss, self.average, self.average_optimizer)
        return losses | {"average_loss": loss.detach()}

    def playing(self) -> ActorCritic:
        """The average."""
        return self.average

    def parts(self) -> dict[str, Any]:
        """The average, too."""
        return super().parts() | {
            "average": self.average,
            "average_optimizer": self.average_optimizer,
            "reservoir": self.reservoir,
        }

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """How many choices the reservoir was offered, too."""
        kept, facts = super().state()
        return kept, facts | {"offered": self.reservoir.offered}

    def restore(self, kept: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Take ``state`` back."""
        super().restore(kept, facts)
        self.reservoir.offered = facts["offered"]
