"""Train a player of any masked game by DQN: double, dueling, n-step.

    arena train dqn --game gridworld -o runs/grid
    arena train dqn --game leduc --opponents random -o runs/response

Q-learning from a replay buffer (Mnih et al., Nature 2015) at many tables at once. The next action
is chosen by the network and valued by its older copy (van Hasselt et al., arXiv 1509.06461), a
value and advantages share a body (Wang et al., arXiv 1511.06581). ``--n-step`` above 1 is faster
where rewards are rare, and values what was explored on the way along with the rest. What is illegal
has no value: neither when it acts nor in the target.

It plays the best action, always the same: right alone, and against named opponents, whose best
response it learns. In a game with hidden information that is no strategy to be met with; see nfsp.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from arena.agents.answers import nothing
from arena.agents.device import choose_device
from arena.agents.learning import judging
from arena.agents.learning.opponents import LEARNER, Opponents
from arena.agents.learning.policy import DescribedNetwork, Player, reads
from arena.agents.learning.replay import OPEN, ReplayMemory
from arena.agents.learning.report import Progress, Report
from arena.agents.learning.runs import Board, Run
from arena.agents.learning.settings import setting
from arena.agents.networks.actor_critic import ActorCritic, Playing, tensors
from arena.agents.networks.choices import choices_of
from arena.agents.networks.encodings import encoding_of
from arena.agents.networks.moments import moments, take_moments
from arena.envs import seeding
from arena.envs.checkpoints import fitting, typed
from arena.envs.errors import InputError
from arena.envs.game import Ints, Turns
from arena.envs.registry import make_game


@dataclass(frozen=True, kw_only=True)
class Settings(judging.Judged):
    """All that decides a run of DQN."""

    total_timesteps: int = setting(
        300_000, "decisions of the learner in all", least=1, options=("--steps",)
    )
    num_envs: int = setting(64, "tables that are stepped together", least=1)
    num_steps: int = setting(64, "steps of each table between two looks at figures", least=1)
    buffer_size: int = setting(100_000, "decisions that are kept to learn from", least=1)
    learning_starts: int = setting(5_000, "decisions before the first update", least=1)
    train_frequency: int = setting(16, "decisions of the learner between updates", least=1)
    batch_size: int = setting(256, "decisions in an update", least=1)
    target_network_frequency: int = setting(200, "updates between copies to the target", least=1)
    n_step: int = setting(1, "decisions whose rewards are added up before a value is", least=1)
    learning_rate: float = setting(1e-3, "Adam's", above=0)
    gamma: float = setting(1.0, "discount of a later reward", above=0, most=1)
    max_grad_norm: float = setting(10.0, "gradients are scaled down to this norm", above=0)
    start_e: float = setting(1.0, "share of random actions at first", least=0, most=1)
    end_e: float = setting(0.05, "and in the end", least=0, most=1)
    exploration_fraction: float = setting(
        0.5, "of the run, over which that share falls", above=0, most=1
    )
    hidden: tuple[int, ...] = setting((128, 128), "sizes of the network's layers")
    checkpoint_every: int = setting(
        32, "rounds between checkpoints; the tables begin anew at each", least=1
    )
    save_seconds: float = setting(
        60, "at least so long between two checkpoints on disk", least=0, record=False
    )
    evaluate_every: int = setting(8, "rounds between evaluations", least=1)
    threads: int = setting(1, "of torch; small networks are slower on more", least=1, record=False)


def train(settings: Settings, progress: Progress) -> Report:
    """Train until ``total_timesteps``; a resumed run gives the same weights as an undisturbed one.

    Raises InputError where the game, an opponent or the device does not fit.
    """
    return run_learner(Learner, settings, progress)


def run_learner(kind: type[Learner], settings: Settings, progress: Progress) -> Report:
    """Train a learner of that kind."""
    if settings.resume:
        run = Run.open(kind.trainer, settings)
        kept = dataclasses.replace(run.settings(type(settings)), track=settings.track)
        learner = kind(kept)
        with fitting(f"{run.folder}, what it resumes from,"):
            learner.restore(*run.load_state())
    else:
        learner = kind(settings)  # before the folder: what it refuses leaves none
        run = Run.begin(kind.trainer, settings)
    settings, begun = learner.settings, time.perf_counter()
    board = Board(run, track=settings.track)
    with closing(board), run.keeping(settings.save_seconds) as keep:
        while learner.steps < settings.total_timesteps:
            if learner.rounds % settings.checkpoint_every == 0:
                learner.begin()
                keep(*learner.state())
            figures = learner.play()
            if learner.rounds % settings.evaluate_every == 0:
                figures |= learner.judge(run)
            board.log(figures, learner.steps)
            progress(
                min(learner.steps, settings.total_timesteps),
                settings.total_timesteps,
                f"return {figures['charts/episodic_return']:+.3f}",
            )
        keep(*learner.state())
    learner.judge(run)
    return learner.report(run, time.perf_counter() - begun)


class Learner:
    """A value of each action that plays and improves.

    Attributes:
        steps, rounds, updates: decisions taken, rounds played and updates made so far.
        unit: what rewards are divided by: the returns' size in the first episodes; 0 before that.
            Alone they are taken as they are.
    """

    trainer: ClassVar[str] = "dqn"
    greedy: ClassVar[bool] = True
    counted: ClassVar[tuple[str, ...]] = ("steps", "rounds", "updates", "unit", "best")

    def __init__(self, settings: Settings) -> None:
        if not settings.game:
            raise InputError("--game is needed: a game's spec, such as leduc")
        self.settings = settings
        self.game = make_game(settings.game)
        self.choices = choices_of(self.game)
        torch.set_num_threads(settings.threads)
        self.device = choose_device(settings.device)
        self.encoding = encoding_of(self.game)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeding.derive(settings.seed, "weights") >> 1)
            self.network, self.target = self._network(), self._network()
        self.target.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.Adam(self.network.parameters(), settings.learning_rate)
        self.tables = self.game.tables(settings.num_envs)
        self.opponents = Opponents(
            self.game, settings.opponents, settings.num_envs, past=0.0, slots=0
        )
        seats = self.game.seats
        if settings.buffer_size < 16 * settings.num_envs * seats:
            raise InputError(
                f"--buffer-size {settings.buffer_size} is small for {settings.num_envs} tables of "
                f"{seats} seats; take at least {16 * settings.num_envs * seats}"
            )
        self.replay = ReplayMemory(
            self.encoding, self.choices.count, settings.num_envs, seats, settings.buffer_size
        )
        self.steps = self.rounds = self.updates = 0
        self.unit = 1.0 if seats == 1 else 0.0
        self.best = -sys.float_info.max
        self._every = np.arange(settings.num_envs)
        self._returns: list[NDArray[np.float64]] = []

    def _network(self) -> ActorCritic:
        network = ActorCritic(self.encoding, self.game, self.choices.count, self.settings.hidden)
        return network.to(self.device)

    # -- playing -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin episodes everywhere: what comes then follows from weights, memory and round."""
        self.replay.forget()
        seeds = self._seeds("begin")
        self.tables.renew(self._every, seeds)
        self.seat(self._every, seeding.spread(seeds, np.array(1)))
        self.turns = self.tables.turns()
        self.earned = np.zeros_like(self.tables.returns)

    def play(self) -> dict[str, float]:
        """A round: ``num_steps`` at each table, with the updates that fall due on the way."""
        settings, losses = self.settings, []
        self._returns = [np.zeros(0)]
        for step in range(settings.num_steps):
            self._step(self._seeds("step", step))
            due = (self.steps - settings.learning_starts) // settings.train_frequency
            while self.updates < due and self._ready():
                losses.append(self.improve())
                self.updates += 1
                if self.updates % settings.target_network_frequency == 0:
                    self.target.load_state_dict(self.network.state_dict())
        self.rounds += 1
        returns = np.concatenate(self._returns)
        figures = {
            "charts/episodic_return": float(returns.mean()) if len(returns) else math.nan,
            "charts/epsilon": self.epsilon,
        }
        if losses:
            means = torch.stack([torch.stack(list(each.values())) for each in losses]).mean(0)
            figures |= dict(zip((f"losses/{n}" for n in losses[0]), means.tolist(), strict=True))
        return figures

    def _ready(self) -> bool:
        """Whether there is something to learn from; the first time, its size is taken."""
        if not self.unit and (found := np.concatenate(self._returns)).any():
            self.unit = float(np.sqrt(np.mean(found**2)))
        return bool(self.unit) and bool((self.replay.following[: self.replay.size] != OPEN).any())

    def _step(self, seeds: NDArray[np.uint64]) -> None:
        turns, opponents = self.turns, self.opponents
        turns.seeds = seeding.spread(seeds[turns.tables], 1 + turns.seats)
        owners = opponents.owner[turns.tables, turns.seats]
        actions = nothing(turns).actions
        mine = np.flatnonzero(owners == LEARNER)
        if len(mine):
            own = turns if len(mine) == len(turns) else turns.select(mine)
            actions[mine] = self.choices.actions(own, self.decide(own))
            self.steps += len(mine)
        opponents.answer(turns, owners, actions)
        after = self.tables.advance(turns.tables, turns.seats, actions, seeds)
        self.replay.earn(after.returns - self.earned)
        self.earned = np.where(after.ended[:, None], 0.0, after.returns)
        if after.final is not None:
            cut = np.flatnonzero(after.truncated)
            self.replay.cut(cut, self.encoding.encode(after.final))
        if len(over := np.flatnonzero(after.ended)):
            self.replay.end(over)
            self._returns.append(after.returns[over][opponents.owner[over] == LEARNER])
            opponents.end(over, after.returns)
            self.seat(over, seeding.spread(seeds[over], np.array(0)))
        self.turns = after.turns

    def seat(self, tables: Ints, seeds: NDArray[np.uint64]) -> None:
        """Episodes begin at ``tables``."""
        self.opponents.seat(tables, seeds)

    @property
    def epsilon(self) -> float:
        """How many actions are random now."""
        settings = self.settings
        done = self.steps / (settings.exploration_fraction * settings.total_timesteps)
        return settings.start_e + (settings.end_e - settings.start_e) * min(1.0, done)

    @torch.no_grad()
    def decide(self, turns: Turns) -> Ints:
        """The learner's choices, which are kept with what it saw."""
        mask, arrays = self.choices.mask(turns), self.encoding.encode(turns.observation)
        found = self.values(self.network, tensors(arrays, self.device), torch.from_numpy(mask))
        chances = np.zeros(mask.shape)
        chances[np.arange(len(mask)), found.argmax(1).cpu().numpy()] = 1 - self.epsilon
        chances += self.epsilon * mask / mask.sum(1, keepdims=True)
        actions = seeding.draw(chances, turns.uniforms()[:, 0])
        self.replay.add(arrays, mask, actions, turns.tables, turns.seats)
        return actions

    def _seeds(self, *path: int | str) -> NDArray[np.uint64]:
        """A seed for each table, of what ``path`` names in this round."""
        base = seeding.derive(self.settings.seed, self.rounds, *path)
        return seeding.spread(np.full(len(self._every), base, np.uint64), self._every)

    def draw(self, name: str) -> np.random.Generator:
        """A generator for this update."""
        return np.random.default_rng(seeding.derive(self.settings.seed, self.updates, name))

    # -- improving ---------------------------------------------------------------------------------

    def values(self, network: ActorCritic, seen: dict[str, Tensor], mask: Tensor) -> Tensor:
        """The value of each action, ``(n, actions)``, -inf where it is illegal."""
        mask, features = mask.to(self.device), network.body(seen).float()
        advantage = network.actor(features)
        mean = (advantage * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
        found: Tensor = network.critic(features) + advantage - mean
        return found.masked_fill(~mask, -math.inf)

    def improve(self) -> dict[str, Tensor]:
        """An update; its losses."""
        settings, replay = self.settings, self.replay
        rows = replay.sample(settings.batch_size, self.draw("replay"))
        gains, discounts, ends = replay.returns(rows, settings.n_step, settings.gamma)
        with torch.no_grad():
            seen = tensors(replay.seen(ends), self.device)
            mask = torch.from_numpy(replay.mask[ends])
            chosen = self.values(self.network, seen, mask).argmax(1, keepdim=True)
            worth = self.values(self.target, seen, mask).gather(1, chosen)[:, 0]
            aims = self._tensor(gains) / self.unit + self._tensor(discounts) * worth
        seen, mask = tensors(replay.seen(rows), self.device), torch.from_numpy(replay.mask[rows])
        taken = self._tensor(replay.action[rows])[:, None]
        found = self.values(self.network, seen, mask).gather(1, taken)[:, 0]
        # Not Huber's loss: it values a stake by its median, and chips are won on average.
        loss = functional.mse_loss(found, aims)
        self.descend(loss, self.network, self.optimizer)
        return {"td_loss": loss.detach()}

    def descend(self, loss: Tensor, network: ActorCritic, optimizer: torch.optim.Optimizer) -> None:
        """A step down the gradient."""
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), self.settings.max_grad_norm)
        optimizer.step()

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)

    # -- judging and keeping -----------------------------------------------------------------------

    def playing(self) -> ActorCritic:
        """The network that plays."""
        return self.network

    def judge(self, run: Run) -> dict[str, float]:
        """Evaluate; the best so far, by its worst result, becomes the run's player."""
        player = Player(self.encoding, self.choices, Playing(self.playing()), greedy=self.greedy)
        worst, figures = judging.judge(player, self.game, self.settings)
        if worst >= self.best:
            self.best = worst
            self.save_player(run)
        return figures

    def save_player(self, run: Run) -> None:
        """Write what plays."""
        facts = DescribedNetwork(
            self.settings.game, reads(self.game, self.encoding, self.choices),
            self.settings.hidden, greedy=self.greedy,
        )  # fmt: skip
        judging.keep(run, facts, self.playing().policy())

    def report(self, run: Run, seconds: float) -> Report:
        """The chosen player's scores, on deals that chose nothing."""
        return judging.report(run, self.game, self.settings, self.steps, seconds)

    def parts(self) -> dict[str, Any]:
        """What is kept of a run, by name: networks, optimisers and memories."""
        return {
            "network": self.network,
            "target": self.target,
            "optimizer": self.optimizer,
            "replay": self.replay,
        }

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the rest of the run follows from; its parts are copies."""
        kept: dict[str, Tensor] = {}
        for name, part in self.parts().items():
            if isinstance(part, torch.optim.Optimizer):
                kept |= {f"{name}.{key}": value for key, value in moments(part).items()}
            elif isinstance(part, torch.nn.Module):
                kept |= {f"{name}.{k}": v.clone() for k, v in part.state_dict().items()}
            else:
                kept |= {f"{name}.{k}": v for k, v in part.state().items()}
        return kept, {name: getattr(self, name) for name in self.counted} | {"at": self.replay.at}

    def restore(self, kept: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Take ``state`` back."""
        for name, part in self.parts().items():
            own = {
                key.removeprefix(f"{name}."): value
                for key, value in kept.items()
                if key.startswith(f"{name}.")
            }
            if isinstance(part, torch.optim.Optimizer):
                take_moments(part, own)
            elif isinstance(part, torch.nn.Module):
                part.load_state_dict(own)
            else:
                part.restore(own)
        for name in self.counted:
            setattr(self, name, typed(facts[name], type(getattr(self, name)), name))
        at = typed(facts["at"], int, "at")
        if min(at, self.steps, self.rounds, self.updates, self.unit) < 0:
            raise InputError("what is counted is 0 or more")
        self.replay.at = at
