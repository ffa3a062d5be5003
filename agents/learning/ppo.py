"""Train a policy for any masked game by PPO: self-play and named opponents.

    arena train ppo --game "holdem?seats=2,stack=20" --opponents self,tag,call -o runs/first

The clipped objective of Schulman et al. (arXiv 1707.06347) with generalised advantages, on the
batched tables: thousands of games are stepped together, illegal actions have no probability, a time
limit is bootstrapped. ``--opponents self`` plays the learner against itself and a pool of its own
frozen past, names play agents; each seat of an episode draws one of them.

Left out: value clipping, an early stop by the KL divergence, a body of its own for the value.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from arena.agents.agent import CannotPlay
from arena.agents.device import choose_device
from arena.agents.learning.evaluation import evaluate
from arena.agents.learning.experience import Experience, gather, minibatches
from arena.agents.learning.opponents import LEARNER, SELF, Opponents
from arena.agents.learning.policy import CONFIG, FILE, Described, Player, Policy, reads
from arena.agents.learning.report import Progress, Report
from arena.agents.learning.runs import Board, Run, terminable
from arena.agents.learning.settings import Common, setting
from arena.agents.networks.actor_critic import ActorCritic, logits_of, tensors
from arena.agents.networks.encodings import encoding_of
from arena.agents.networks.products import choose
from arena.envs import seeding
from arena.envs.checkpoints import fitting
from arena.envs.errors import InputError
from arena.envs.game import Observation, Turns
from arena.envs.registry import make_game

if TYPE_CHECKING:
    from arena.agents.exploration.curiosity import Curiosity


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """All that decides a run of PPO."""

    game: str = setting("", "the spec of the game", options=("--env",))
    opponents: tuple[str, ...] = setting(
        (SELF,), "who takes the other seats: self, and specs of agents; named twice, drawn twice"
    )
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
    vf_coef: float = setting(0.5, "weight of the value's error", least=0)
    max_grad_norm: float = setting(0.5, "gradients are scaled down to this norm", above=0)
    norm_adv: bool = setting(True, "normalise the advantages of a minibatch")
    hidden: tuple[int, ...] = setting((256, 256), "sizes of the network's layers")
    product: Literal["auto", "torch", "onednn", "bfloat16"] = setting(
        "auto", "matrix product: torch, onednn (float32 both), bfloat16; auto probes for speed"
    )
    size: Literal["small", "paper"] = setting("small", "of the network for NetHack's screens")
    bonus: str = setting("", "solo games: also pay for exploring, e.g. e3b*noveld")
    bonus_coef: float = setting(0.1, "weight of the bonus", above=0)
    bonus_clip: float = setting(1.0, "reward and bonus together are clipped to this", above=0)
    bonus_lr: float = setting(1e-4, "Adam's for the bonus's networks", above=0)
    past: float = setting(0.5, "share of self's episodes against snapshots", least=0, most=1)
    pool_every: int = setting(8, "updates between snapshots for the pool", least=1)
    pool_size: int = setting(32, "snapshots that are kept; then every second is dropped", least=2)
    pool_slots: int = setting(
        4, "snapshots that play at a time, drawn anew for each update", least=1
    )
    checkpoint_every: int = setting(
        16, "updates between checkpoints; the tables begin anew at each", least=1
    )
    save_seconds: float = setting(
        60, "at least so long between two checkpoints on disk", least=0, record=False
    )
    evaluate: tuple[str, ...] = setting((), "agents to be judged against (default: the opponents)")
    evaluate_every: int = setting(4, "checkpoints between evaluations", least=1)
    evaluate_deals: int = setting(500, "deals of an evaluation, each in all seats", least=1)
    report_deals: int = setting(2000, "deals of the report, others than those", least=1)
    threads: int = setting(1, "of torch; small networks are slower on more", least=1, record=False)
    torch_deterministic: bool = setting(True, "deterministic kernels only")


def train(settings: Settings, progress: Progress) -> Report:
    """Train until ``total_timesteps``; a resumed run gives the same weights as an undisturbed one.

    Raises InputError where the game, an opponent or the device does not fit.
    """
    if settings.resume:
        run = Run.open("ppo", _folder(settings))
        settings = dataclasses.replace(
            run.settings(Settings), output=settings.output, resume=True, track=settings.track
        )
        learner = Learner(settings)
        with fitting(f"{run.folder}, what it resumes from,"):
            learner.restore(*run.load_state())
    else:
        settings = dataclasses.replace(
            settings,
            product=choose(choose_device(settings.device))
            if settings.product == "auto"
            else settings.product,
        )
        learner = Learner(settings)
        run = Run.begin("ppo", settings)
    begun, board = time.perf_counter(), Board(run, track=settings.track)
    kept = learner.state()
    try:
        with terminable():
            saved = time.perf_counter()
            while learner.steps < settings.total_timesteps:
                if learner.update % settings.checkpoint_every == 0:
                    learner.begin()
                    kept = learner.state()
                    if time.perf_counter() - saved > settings.save_seconds:
                        run.save_state(*kept)
                        saved = time.perf_counter()
                experience = learner.play()
                figures = learner.improve(experience)
                board.log(figures, learner.steps)
                progress(
                    min(learner.steps, settings.total_timesteps),
                    settings.total_timesteps,
                    f"return {figures['charts/episodic_return']:+.3f}",
                )
                if learner.update % (settings.checkpoint_every * settings.evaluate_every) == 0:
                    board.log(learner.judge(run), learner.steps)
            kept = learner.state()
    finally:
        run.save_state(*kept)
        board.close()
    learner.judge(run)
    return learner.report(run, time.perf_counter() - begun)


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
        if not isinstance(self.game.action_space, spaces.Discrete):
            raise CannotPlay(
                f"{self.game.name} has no list of actions to choose among; ppo needs a Discrete one"
            )
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
        self.best = -math.inf
        self.tables = self.game.tables(settings.num_envs)
        self.opponents = Opponents(
            self.game, settings.opponents, settings.num_envs,
            past=settings.past, slots=settings.pool_slots,
        )  # fmt: skip
        self.experience = Experience(
            self.encoding, settings.num_envs, self.game.seats,
            int(self.game.action_space.n), settings.num_steps,
        )  # fmt: skip
        self.curiosity = self._curiosity() if settings.bonus else None
        self._every, self._seats = np.arange(settings.num_envs), np.arange(self.game.seats)

    def _network(self) -> ActorCritic:
        settings = self.settings
        network = ActorCritic(
            self.encoding, self.game, settings.hidden, size=settings.size, product=settings.product
        )
        return network.to(self.device)

    def _curiosity(self) -> Curiosity:
        from arena.agents.exploration.curiosity import Curiosity

        settings = self.settings
        return Curiosity(
            self.game, self.tables, settings.bonus, coef=settings.bonus_coef,
            clip=settings.bonus_clip, seed=settings.seed, device=self.device,
            learning_rate=settings.bonus_lr,
        )  # fmt: skip

    # -- playing -----------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin episodes everywhere: what comes then follows from the weights and the seed."""
        seeds = self._seeds("begin")
        self.tables.renew(self._every, seeds)
        self.opponents.seat(self._every, seeding.spread(seeds, np.array(1)))
        self.turns = self.tables.turns()
        self.earned = np.zeros_like(self.tables.returns)
        if self.curiosity is not None:
            self.curiosity.begin(self.turns)

    def play(self) -> Experience:
        """``num_steps`` at each table."""
        experience, opponents = self.experience, self.opponents
        experience.clear()
        self._draw_snapshots()
        self._returns: list[NDArray[np.float64]] = []
        for step in range(self.settings.num_steps):
            turns, seeds = self.turns, self._seeds("step", step)
            turns.seeds = seeding.spread(seeds[turns.tables], 1 + turns.seats)
            owners = opponents.owner[turns.tables, turns.seats]
            actions = np.zeros(len(turns), np.int64)
            mine = np.flatnonzero(owners == LEARNER)
            if len(mine):
                actions[mine] = self._decide(
                    turns if len(mine) == len(turns) else turns.select(mine)
                )
            opponents.answer(turns, owners, actions)
            after = self.tables.advance(turns.tables, turns.seats, actions, seeds)
            gains = after.returns - self.earned
            self.earned = np.where(after.ended[:, None], 0.0, after.returns)
            if self.curiosity is not None:
                gains = self.curiosity.pay(actions, after, gains)
            if after.final is not None:  # a time limit is not the end: what would have come counts
                gains[after.truncated] += self._values(after.final) * (
                    self.settings.gamma * self.unit
                )
            experience.end_step(gains, after.ended)
            if len(over := np.flatnonzero(after.ended)):
                self._returns.append(after.returns[over][opponents.owner[over] == LEARNER])
                opponents.end(over, after.returns)
                opponents.seat(over, seeding.spread(seeds[over], np.array(0)))
            self.turns = after.turns
        self.steps += experience.rows
        return experience

    @torch.no_grad()
    def _decide(self, turns: Turns) -> NDArray[np.int64]:
        """The learner's actions, which are kept with what it saw."""
        experience, mask = self.experience, turns.action_mask
        assert mask is not None
        rows, seen = experience.observe(self.encoding.encode(turns.observation))
        logs, values = self.network(
            tensors(seen, self.device), torch.from_numpy(mask).to(self.device)
        )
        actions = _draw(logs, turns)
        chosen = logs.gather(1, torch.from_numpy(actions).to(self.device)[:, None])[:, 0]
        experience.act(
            rows, turns.tables, turns.seats, mask, actions,
            chosen.cpu().numpy(), values.cpu().numpy(),
        )  # fmt: skip
        return actions

    def _seeds(self, *path: int | str) -> NDArray[np.uint64]:
        """A seed for each table, of this update and of what ``path`` names."""
        base = seeding.derive(self.settings.seed, self.update, *path)
        return seeding.spread(np.full(len(self._every), base, np.uint64), self._every)

    def _draw_snapshots(self) -> None:
        draw = np.random.default_rng(seeding.derive(self.settings.seed, self.update, "pool"))
        count = min(len(self.pool), self.settings.pool_slots)
        chosen = draw.permutation(len(self.pool))[:count].tolist()
        while len(self.opponents.snapshots) < count:
            self.opponents.snapshots.append(Snapshot(self))
        for snapshot, number in zip(self.opponents.snapshots, chosen, strict=True):
            snapshot.network.load_state_dict(self.pool[number], strict=False)

    # -- improving ---------------------------------------------------------------------------------

    def improve(self, experience: Experience) -> dict[str, float]:
        """PPO's update on a rollout; what is to be logged of it."""
        settings = self.settings
        returns = np.concatenate([r.ravel() for r in self._returns] or [np.zeros(0)])
        if not self.unit and len(returns):
            self.unit = float(np.sqrt(np.mean(returns**2))) or 1.0
        experience.gains /= np.float32(self.unit or 1.0)
        places = np.repeat(self._every, self.game.seats), np.tile(self._seats, len(self._every))
        advantages, targets = experience.advantages(
            self._values(self.tables.observe(*places)), settings.gamma, settings.gae_lambda
        )
        rate = settings.learning_rate
        if settings.anneal_lr:
            rate *= max(0.0, 1 - (self.steps - experience.rows) / settings.total_timesteps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        shuffle = np.random.default_rng(seeding.derive(settings.seed, self.update, "shuffle"))
        arrays = {name: experience.shown(name) for name in experience.arrays}
        losses = []
        for rows in minibatches(
            experience.rows, settings.num_minibatches, settings.update_epochs, shuffle
        ):
            seen = tensors(gather(arrays, rows), self.device)
            mask, actions, before, gains, aims = (
                torch.from_numpy(values[rows]).to(self.device)
                for values in (
                    experience.mask, experience.action, experience.log_probability,
                    advantages, targets,
                )
            )  # fmt: skip
            logs, values = self.network(seen, mask)
            chosen = logs.gather(1, actions[:, None])[:, 0]
            ratio = (chosen - before).exp()
            if settings.norm_adv:
                gains = (gains - gains.mean()) / (gains.std() + 1e-8)
            clipped = ratio.clamp(1 - settings.clip_coef, 1 + settings.clip_coef)
            policy_loss = -torch.min(gains * ratio, gains * clipped).mean()
            value_loss = 0.5 * (values - aims).square().mean()
            entropy = -(logs.exp() * logs.masked_fill(~mask, 0)).sum(1).mean()
            loss = policy_loss - settings.ent_coef * entropy + settings.vf_coef * value_loss
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.max_grad_norm)
            self.optimizer.step()
            with torch.no_grad():
                kl = ((ratio - 1) - (chosen - before)).mean()
            losses.append(torch.stack([policy_loss, value_loss, entropy, kl]).detach())
        self.update += 1
        if self.update % settings.pool_every == 0:
            self._enter_pool()
        policy_loss_, value_loss_, entropy_, kl_ = torch.stack(losses).mean(0).tolist()
        return {
            "charts/episodic_return": float(returns.mean()) if len(returns) else math.nan,
            "charts/learning_rate": rate,
            "losses/policy_loss": policy_loss_,
            "losses/value_loss": value_loss_,
            "losses/entropy": entropy_,
            "losses/approx_kl": kl_,
            **({} if self.curiosity is None else self._learn_bonus()),
        }

    def _learn_bonus(self) -> dict[str, float]:
        assert self.curiosity is not None
        found = self.curiosity.payer.learn() | self.curiosity.payer.bonus.figures()
        return {f"bonus/{name}": value for name, value in found.items()}

    @torch.no_grad()
    def _values(self, observation: Observation) -> NDArray[np.float32]:
        """Of what all seats of some tables see, float32 ``(tables, seats)``, in ``unit``."""
        seen = tensors(self.encoding.encode(observation), self.device)
        values: NDArray[np.float32] = self.network.value(seen).cpu().numpy()
        return values.reshape(-1, self.game.seats)

    def _enter_pool(self) -> None:
        """Keep the policy of now; of a full pool every second snapshot stays, the oldest too."""
        if len(self.pool) == self.settings.pool_size:
            self.pool = self.pool[::2]
        self.pool.append({k: v.clone() for k, v in self.network.policy().items()})

    # -- judging and keeping -----------------------------------------------------------------------

    def player(self) -> Player:
        """The policy of now, as it plays."""
        return Player(self.encoding, logits_of(self.network))

    @torch.no_grad()
    def chances(self) -> NDArray[np.float64]:
        """The policy at the tables' first turn, float64 ``(actions,)``."""
        found: NDArray[np.float64] = self.player().policy(self.turns)[0]
        return found

    def judge(self, run: Run) -> dict[str, float]:
        """Evaluate; the best so far, by its worst result, becomes the run's player."""
        scores = evaluate(
            self.player(), self.game, self._judges(), self.settings.evaluate_deals,
            seeding.derive(self.settings.seed, "choose"),
        )  # fmt: skip
        worst = min((score.mean for score in scores), default=math.inf)
        if worst >= self.best:
            self.best = worst
            self.save_player(run)
        return {f"evaluation/{score.name}": score.mean for score in scores}

    def _judges(self) -> tuple[str, ...]:
        named = self.settings.evaluate or self.settings.opponents
        return tuple(dict.fromkeys(name for name in named if name != SELF))

    def save_player(self, run: Run) -> None:
        """Write what plays."""
        from safetensors.torch import save

        settings = self.settings
        facts = Described(
            settings.game, reads(self.game, self.encoding), settings.hidden, settings.size
        )
        run.save_player(CONFIG, json.dumps(dataclasses.asdict(facts), indent=1).encode() + b"\n")
        weights = {k: v.cpu().contiguous() for k, v in self.network.policy().items()}
        run.save_player(FILE, save(weights))

    def report(self, run: Run, seconds: float) -> Report:
        """The chosen player's scores, on deals that chose nothing."""
        scores = evaluate(
            Policy(self.game, str(run.folder)), self.game, self._judges(),
            self.settings.report_deals, seeding.derive(self.settings.seed, "report"),
        )  # fmt: skip
        return Report(f"policy:{run.folder}", f"{self.steps:,} decisions", seconds, tuple(scores))

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the rest of the run follows from; its parts are copies."""
        tensors_ = {f"network.{k}": v.clone() for k, v in self.network.state_dict().items()}
        for index, entry in self.optimizer.state_dict()["state"].items():
            tensors_ |= {f"optimizer.{index}.{k}": v.clone() for k, v in entry.items()}
        for number, snapshot in enumerate(self.pool):
            tensors_ |= {f"pool.{number}.{k}": v for k, v in snapshot.items()}
        facts: dict[str, Any] = {
            "update": self.update,
            "steps": self.steps,
            "unit": self.unit,
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
            if kind in ("network", "bonus"):
                parts[kind][rest] = value
            else:
                number, _, name = rest.partition(".")
                parts[kind].setdefault(int(number), {})[name] = value
        self.network.load_state_dict(parts["network"])
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": parts["optimizer"], "param_groups": groups})
        self.pool = [parts["pool"][number] for number in sorted(parts["pool"])]
        self.update, self.steps = facts["update"], facts["steps"]
        self.unit, self.best = facts["unit"], facts["best"]
        if self.curiosity is not None:
            self.curiosity.restore(parts["bonus"], facts["shuffle"])


class Snapshot:
    """A frozen policy that takes a seat."""

    def __init__(self, learner: Learner) -> None:
        self.network, self.encoding = learner._network(), learner.encoding
        self.device = learner.device

    @torch.no_grad()
    def __call__(self, turns: Turns) -> NDArray[np.int64]:
        """Its actions."""
        mask = turns.action_mask
        assert mask is not None
        seen = tensors(self.encoding.encode(turns.observation), self.device)
        logs, _ = self.network(seen, torch.from_numpy(mask).to(self.device))
        return _draw(logs, turns)


def _draw(logs: Tensor, turns: Turns) -> NDArray[np.int64]:
    return seeding.draw(logs.double().exp().cpu().numpy(), turns.uniforms()[:, 0])


def _folder(settings: Settings) -> Any:
    from pathlib import Path

    if not settings.output:
        raise InputError("-o FOLDER is needed: where the run is kept")
    return Path(settings.output)
