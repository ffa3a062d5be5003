"""Train a policy for any masked game by PPO: self-play and named opponents.

    arena train ppo --game "holdem?seats=2,stack=20" --opponents self,tag,call -o runs/first

The clipped objective of Schulman et al. (arXiv 1707.06347) with generalised advantages, on the
batched tables: thousands of games are stepped together, illegal actions have no probability, a time
limit is bootstrapped. ``--opponents self`` plays the learner against itself and a pool of its own
frozen past, names play agents; each seat of an episode draws one of them.

In a game with hidden information an entropy that matters (``--ent-coef 0.1``) and small steps
(``--kl-coef 3``: an update stays near the policy that played) lead near an equilibrium. The two are
magnetic mirror descent with a uniform magnet, whose pull falls with ``--anneal-ent`` (Sokota et
al., arXiv 2206.05825).

Left out: value clipping, an early stop by the KL divergence, a body of its own for the value.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.agent import CannotPlay
from arena.agents.device import choose_device
from arena.agents.learning import judging
from arena.agents.learning.experience import Experience, gather, minibatches, sequences
from arena.agents.learning.opponents import Opponents
from arena.agents.learning.policy import DescribedNetwork, Player, reads
from arena.agents.learning.report import Progress, Report
from arena.agents.learning.runs import Board, Run
from arena.agents.learning.selfplay import RECORD, SelfPlay
from arena.agents.learning.settings import setting
from arena.agents.networks.actor_critic import ActorCritic, Playing, tensors
from arena.agents.networks.choices import choices_of
from arena.agents.networks.encodings import encoding_of
from arena.agents.networks.moments import moments, take_moments
from arena.agents.networks.products import choose
from arena.envs import seeding
from arena.envs.checkpoints import fitting, typed
from arena.envs.errors import InputError
from arena.envs.game import Tables
from arena.envs.registry import make_game

if TYPE_CHECKING:
    from arena.agents.exploration.curiosity import Curiosity


@dataclass(frozen=True, kw_only=True)
class Settings(judging.Judged):
    """All that decides a run of PPO."""

    total_timesteps: int = setting(
        1_000_000, "decisions of the learner in all", least=1, options=("--steps",)
    )
    num_envs: int = setting(1024, "tables that are stepped together", least=1)
    num_steps: int = setting(32, "steps of each table between updates", least=1)
    num_minibatches: int = setting(8, "parts of a rollout, each an update of the weights", least=1)
    update_epochs: int = setting(2, "passes over a rollout", least=1)
    learning_rate: float = setting(1e-3, "Adam's at the first update", above=0)
    anneal_lr: bool = setting(True, "let the learning rate fall linearly to 0")
    gamma: float = setting(1.0, "discount of a later reward", above=0, most=1)
    gae_lambda: float = setting(0.95, "of generalised advantage estimation", least=0, most=1)
    clip_coef: float = setting(0.2, "of the probabilities' ratio", above=0)
    ent_coef: float = setting(0.01, "weight of the entropy", least=0)
    anneal_ent: bool = setting(False, "let the entropy's weight fall with the root of the update")
    kl_coef: float = setting(
        0.0, "weight of the divergence from the policy that played (reverse KL)", least=0
    )
    vf_coef: float = setting(0.5, "weight of the value's error", least=0)
    max_grad_norm: float = setting(0.5, "gradients are scaled down to this norm", above=0)
    norm_adv: bool = setting(True, "normalise the advantages of a minibatch")
    hidden: tuple[int, ...] = setting((256, 256), "sizes of the network's layers")
    product: Literal["auto", "torch", "onednn", "bfloat16"] = setting(
        "auto", "matrix product: torch, onednn (float32 both), bfloat16; auto probes for speed"
    )
    size: Literal["small", "paper"] = setting("small", "of the network for NetHack's screens")
    recurrent: bool = setting(False, "solo games: remember the episode, by a GRU after the body")
    bonus: str = setting("", "solo games: also pay for exploring, e.g. e3b*noveld")
    bonus_coef: float = setting(0.1, "weight of the bonus", above=0)
    bonus_clip: float = setting(1.0, "reward and bonus together are clipped to this", above=0)
    bonus_lr: float = setting(1e-4, "Adam's for the bonus's networks", above=0)
    past: float = setting(0.5, "share of self's episodes against snapshots", least=0, most=1)
    pool_every: int = setting(8, "updates between snapshots for the pool", least=1)
    pool_size: int = setting(32, "snapshots that are kept; then every second is dropped", least=2)
    pool_draw: Literal["uniform", "prioritized"] = setting(
        "uniform", "who of the pool plays: all alike, or more often who beats the learner"
    )
    pool_slots: int = setting(
        4, "snapshots that play at a time, drawn anew for each update", least=1
    )
    checkpoint_every: int = setting(
        16, "updates between checkpoints; the tables begin anew at each", least=1
    )
    save_seconds: float = setting(
        60, "at least so long between two checkpoints on disk", least=0, record=False
    )
    evaluate_every: int = setting(4, "checkpoints between evaluations", least=1)
    threads: int = setting(1, "of torch; small networks are slower on more", least=1, record=False)
    torch_deterministic: bool = setting(True, "deterministic kernels only")


def train(settings: Settings, progress: Progress) -> Report:
    """Train until ``total_timesteps``; a resumed run gives the same weights as an undisturbed one.

    Raises InputError where the game, an opponent or the device does not fit.
    """
    run, learner = _resume(settings) if settings.resume else _begin(settings)
    settings, begun = learner.settings, time.perf_counter()
    board = Board(run, track=settings.track)
    with closing(board), run.keeping(settings.save_seconds) as keep:
        while learner.steps < settings.total_timesteps:
            if learner.update % settings.checkpoint_every == 0:
                learner.begin()
                keep(*learner.state())
            begun_update = time.perf_counter()
            experience = learner.play()
            figures = learner.improve(experience)
            figures["charts/SPS"] = experience.rows / (time.perf_counter() - begun_update)
            if learner.update % (settings.checkpoint_every * settings.evaluate_every) == 0:
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


def _begin(settings: Settings) -> tuple[Run, Learner]:
    if settings.product == "auto":  # what was chosen is kept: another product rounds otherwise
        product = choose(choose_device(settings.device))
        settings = dataclasses.replace(settings, product=product)
    learner = Learner(settings)  # before the folder: what it refuses leaves none
    return Run.begin("ppo", settings), learner


def _resume(settings: Settings) -> tuple[Run, Learner]:
    run = Run.open("ppo", settings)
    learner = Learner(dataclasses.replace(run.settings(Settings), track=settings.track))
    with fitting(f"{run.folder}, what it resumes from,"):
        learner.restore(*run.load_state())
    return run, learner


_LOSSES = tuple(
    f"losses/{name}" for name in ("policy_loss", "value_loss", "entropy", "approx_kl", "clipfrac")
)


@dataclass(frozen=True)
class _Past:
    """What a state says beside its tensors."""

    update: int
    steps: int
    unit: float
    best: float
    snapshots: int
    columns: int

    def __post_init__(self) -> None:
        counts = (self.update, self.steps, self.unit, self.snapshots, self.columns)
        if min(counts) < 0:
            raise InputError("update, steps, unit, snapshots and columns of a run are 0 or more")


class Learner:
    """A policy that plays and improves.

    Attributes:
        update, steps: updates made, and decisions taken, since the beginning.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.game:
            raise InputError("--game is needed: a game's spec, such as holdem?seats=2,stack=20")
        self.settings = settings
        self.game = make_game(settings.game)
        self.choices = choices_of(self.game)
        if settings.recurrent and self.game.seats > 1:
            raise CannotPlay(f"--recurrent is for solo games; {self.game.name} has several seats")
        torch.set_num_threads(settings.threads)
        torch.use_deterministic_algorithms(settings.torch_deterministic)
        self.device = choose_device(settings.device)
        self.encoding = encoding_of(self.game)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seeding.derive(settings.seed, "weights") >> 1)
            self.network = self._network()
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), settings.learning_rate, eps=1e-5, fused=True
        )
        self.pool: list[dict[str, Tensor]] = []
        self.update = self.steps = 0
        # What returns are divided by: 0 until the first ones are known. Alone, nobody's are.
        self.unit = 1.0 if self.game.seats == 1 else 0.0
        self.best = -sys.float_info.max
        tables = self.game.tables(settings.num_envs)
        opponents = Opponents(
            self.game, settings.opponents, settings.num_envs,
            past=settings.past, slots=settings.pool_slots,
        )  # fmt: skip
        self.curiosity = self._curiosity(tables) if settings.bonus else None
        self.stage = SelfPlay(
            tables, opponents, self.encoding, self.choices, self._network,
            steps=settings.num_steps, seed=settings.seed, gamma=settings.gamma,
            curiosity=self.curiosity, prioritized=settings.pool_draw == "prioritized",
        )  # fmt: skip

    def _network(self) -> ActorCritic:
        settings = self.settings
        network = ActorCritic(
            self.encoding, self.game, self.choices.count, settings.hidden, size=settings.size,
            recurrent=settings.recurrent, product=settings.product,
        )  # fmt: skip
        return network.to(self.device)

    def _curiosity(self, tables: Tables) -> Curiosity:
        from arena.agents.exploration.curiosity import Curiosity

        settings = self.settings
        return Curiosity(
            self.game, tables, settings.bonus, coef=settings.bonus_coef,
            clip=settings.bonus_clip, seed=settings.seed, device=self.device,
            learning_rate=settings.bonus_lr,
        )  # fmt: skip

    def begin(self) -> None:
        """Begin episodes everywhere."""
        self.stage.begin(self.network, self.update)

    def play(self) -> Experience:
        """``num_steps`` at each table."""
        settings = self.settings
        experience = self.stage.play(self.network, self.pool, self.update, self.unit)
        if experience.rows < 2 * settings.num_minibatches:
            raise InputError(
                f"a rollout has {experience.rows} decisions, too few for --num-minibatches "
                f"{settings.num_minibatches}; raise --num-envs or --num-steps"
            )
        self.steps += experience.rows
        return experience

    # -- improving ---------------------------------------------------------------------------------

    def improve(self, experience: Experience) -> dict[str, float]:
        """PPO's update on a rollout; what is to be logged of it."""
        settings = self.settings
        returns = self.stage.returns
        if not self.unit and len(returns):
            self.unit = float(np.sqrt(np.mean(returns**2))) or 1.0
        experience.gains /= np.float32(self.unit or 1.0)
        advantages, targets = experience.advantages(
            self.stage.expected(self.network), settings.gamma, settings.gae_lambda
        )
        left = max(0.0, 1 - (self.steps - experience.rows) / settings.total_timesteps)
        rate = settings.learning_rate * (left if settings.anneal_lr else 1.0)
        ent_coef = settings.ent_coef * ((self.update + 1) ** -0.5 if settings.anneal_ent else 1.0)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        shuffle = np.random.default_rng(seeding.derive(settings.seed, self.update, "shuffle"))
        arrays = {name: experience.shown(name) for name in experience.arrays}
        losses = []
        for rows in self._minibatches(experience, shuffle):
            seen = tensors(gather(arrays, rows), self.device)
            mask, actions, before, gains, aims = (
                torch.from_numpy(values[rows]).to(self.device)
                for values in (
                    experience.mask, experience.action, experience.log_probability,
                    advantages, targets,
                )
            )  # fmt: skip
            logs, values = self.network(seen, mask, *self._past(experience, rows))
            chosen = logs.gather(1, actions[:, None])[:, 0]
            ratio = (chosen - before).exp()
            if settings.norm_adv:
                gains = (gains - gains.mean()) / (gains.std() + 1e-8)
            clipped = ratio.clamp(1 - settings.clip_coef, 1 + settings.clip_coef)
            policy_loss = -torch.min(gains * ratio, gains * clipped).mean()
            value_loss = 0.5 * (values - aims).square().mean()
            entropy = -(logs.exp() * logs.masked_fill(~mask, 0)).sum(1).mean()
            loss = policy_loss - ent_coef * entropy + settings.vf_coef * value_loss
            if settings.kl_coef:  # of actions that the old policy drew: unbiased, never negative
                loss += settings.kl_coef * (ratio * (chosen - before) - (ratio - 1)).mean()
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.max_grad_norm)
            self.optimizer.step()
            with torch.no_grad():
                kl = ((ratio - 1) - (chosen - before)).mean()
                far = ((ratio - 1).abs() > settings.clip_coef).float().mean()
            losses.append(torch.stack([policy_loss, value_loss, entropy, kl, far]).detach())
        self.update += 1
        if self.game.seats > 1 and self.update % settings.pool_every == 0:
            self._enter_pool()
        return {
            "charts/episodic_return": _mean(returns),
            "charts/episodic_length": _mean(self.stage.lengths),
            "charts/learning_rate": rate,
            **dict(zip(_LOSSES, torch.stack(losses).mean(0).tolist(), strict=True)),
            "losses/explained_variance": _explained(experience, targets),
            **({} if self.curiosity is None else self.curiosity.learn()),
        }

    def _minibatches(
        self, experience: Experience, shuffle: np.random.Generator
    ) -> list[NDArray[np.int64]]:
        """Rows for one update of the weights after the other; of a recurrent network, sequences."""
        settings = self.settings
        parts = settings.num_minibatches, settings.update_epochs, shuffle
        if settings.recurrent:
            return sequences(settings.num_steps, settings.num_envs, *parts)
        return minibatches(experience.rows, *parts)

    def _past(
        self, experience: Experience, rows: NDArray[np.int64]
    ) -> tuple[()] | tuple[Tensor, Tensor]:
        """What a recurrent network remembered before these rows, and where it began anew."""
        if self.stage.before is None:
            return ()
        tables = rows[: len(rows) // self.settings.num_steps]
        begun = np.zeros_like(experience.ended)  # what ended before the first is forgotten already
        begun[1:] = experience.ended[:-1]
        where = torch.from_numpy(begun[:, tables]).to(self.device)
        return self.stage.before[torch.from_numpy(tables).to(self.device)], where

    def _enter_pool(self) -> None:
        """Keep the policy of now; of a full pool every second snapshot stays, the oldest too."""
        if len(self.pool) == self.settings.pool_size:
            self.pool = self.pool[::2]
        weights = {k: v.clone() for k, v in self.network.policy().items()}
        self.pool.append(weights | {RECORD: torch.zeros(2, dtype=torch.float64)})

    # -- judging and keeping -----------------------------------------------------------------------

    def player(self) -> Player:
        """The policy of now, as it plays."""
        return Player(self.encoding, self.choices, Playing(self.network))

    @torch.no_grad()
    def chances(self) -> NDArray[np.float64]:
        """The policy at the tables' first turn, float64 ``(actions,)``."""
        found: NDArray[np.float64] = self.player().policy(self.stage.turns)[0]
        return found

    def judge(self, run: Run) -> dict[str, float]:
        """Evaluate; the best so far, by its worst result, becomes the run's player."""
        worst, figures = judging.judge(self.player(), self.game, self.settings)
        if worst >= self.best:
            self.best = worst
            self.save_player(run)
        return figures

    def save_player(self, run: Run) -> None:
        """Write what plays."""
        settings = self.settings
        facts = DescribedNetwork(
            settings.game, reads(self.game, self.encoding, self.choices), settings.hidden,
            settings.size, settings.recurrent,
        )  # fmt: skip
        judging.keep(run, facts, self.network.policy())

    def report(self, run: Run, seconds: float) -> Report:
        """The chosen player's scores, on deals that chose nothing."""
        figures = {} if self.curiosity is None else self.curiosity.payer.bonus.figures()
        words = ", ".join(f"{name} {value:.6g}" for name, value in figures.items())
        notes = (f"bonus: {words}",) if words else ()
        return judging.report(run, self.game, self.settings, self.steps, seconds, *notes)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the rest of the run follows from; its parts are copies."""
        tensors_ = {f"network.{k}": v.clone() for k, v in self.network.state_dict().items()}
        tensors_ |= {f"optimizer.{k}": v for k, v in moments(self.optimizer).items()}
        for number, snapshot in enumerate(self.pool):
            tensors_ |= {f"pool.{number}.{k}": v for k, v in snapshot.items()}
            tensors_[f"pool.{number}.{RECORD}"] = snapshot[RECORD].clone()  # the others stay
        facts: dict[str, Any] = {
            "update": self.update,
            "steps": self.steps,
            "unit": self.unit,
            "snapshots": len(self.stage.opponents.snapshots),
            "columns": self.stage.experience.columns,  # products of another shape round otherwise
            "best": self.best,
        }
        if self.curiosity is not None:
            more, facts["shuffle"] = self.curiosity.state()
            tensors_ |= {f"bonus.{k}": v for k, v in more.items()}
        return tensors_, facts

    def restore(self, tensors_: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Take ``state`` back."""
        parts: dict[str, Any] = {"network": {}, "bonus": {}, "optimizer": {}, "pool": {}}
        for key, value in tensors_.items():
            kind, _, rest = key.partition(".")
            if kind == "pool":
                number, _, name = rest.partition(".")
                parts[kind].setdefault(int(number), {})[name] = value
            else:
                parts[kind][rest] = value
        self.network.load_state_dict(parts["network"])
        take_moments(self.optimizer, parts["optimizer"])
        self.pool = [parts["pool"][number] for number in sorted(parts["pool"])]
        past: _Past = typed({k: v for k, v in facts.items() if k != "shuffle"}, _Past, "facts")
        self.update, self.steps, self.unit = past.update, past.steps, past.unit
        self.best = past.best
        if past.snapshots > self.settings.pool_slots:
            raise InputError(f"{past.snapshots} snapshots play where --pool-slots allows fewer")
        self.stage.fill(past.snapshots)
        self.stage.experience.columns = past.columns
        if self.curiosity is not None:
            self.curiosity.restore(parts["bonus"], facts["shuffle"])


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _explained(experience: Experience, targets: NDArray[np.float32]) -> float:
    """Of the targets' variance, the share that the values foresaw."""
    variance = float(targets.var())
    left = float((targets - experience.value[: experience.rows]).var())
    return 1 - left / variance if variance else math.nan
