"""Every CUDA path once, checked against the CPU: ``arena bench gpu``, within five minutes.

Self-play PPO, PPO with a bonus, scoring by tries and generation of a language model of 135M's
shape, steps of SFT and GRPO, and E3B's batched update, at sizes that fill a card. Each part first
compares small results with the CPU's (``…_error``), then measures (by wall time) and says what
share of the card's bandwidth or bfloat16 product, which are measured first, that is. A part whose
libraries are not installed is skipped, with the reason. ``--smoke`` runs all of it at tiny sizes on
the CPU, so that no path rots where there is no card.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.agents.device import Device, choose_device
from arena.bench.record import Record
from arena.envs.errors import InputError

if TYPE_CHECKING:
    import torch
    from rich.table import Table

    from arena.agents.llm.backends.backend import Prompt
    from arena.agents.llm.backends.models import Dtype
    from arena.agents.llm.learning.problems import Problem

_SMOLLM2 = {  # the shape of SmolLM2-135M
    "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
    "num_attention_heads": 9, "num_key_value_heads": 3, "max_position_embeddings": 8192,
}  # fmt: skip
_CHOICES = ("fold", "call", "raise to 3", "raise to 7.5", "raise to 12", "all-in")
_SHARED, _OWN = 400, 112  # characters of a prompt, a token each


@dataclass(frozen=True)
class Sizes:
    """How large the parts are.

    Attributes:
        device: "cuda" or "cpu"; seconds: that each figure is measured for.
        copied: MiB of the copy, product: rows of the matrices, that the card is measured by.
        holdem, solo: options of PPO in Hold'em and in solo games.
        model: shape of the language model; prompts, tokens: of its batches and answers.
        batch: examples of an update of SFT, groups of GRPO's.
        ellipses: of E3B.
    """

    device: Device
    seconds: float
    copied: int
    product: int
    holdem: dict[str, Any]
    solo: dict[str, Any]
    model: dict[str, int]
    prompts: int
    tokens: int
    batch: int
    ellipses: int


FULL = Sizes(
    device="cuda", seconds=8, copied=4096, product=8192,
    holdem={"num_envs": 16384, "num_steps": 32, "hidden": (2048, 2048), "num_minibatches": 16},
    solo={"num_envs": 512, "num_steps": 32, "hidden": (512,), "num_minibatches": 4},
    model=_SMOLLM2, prompts=1024, tokens=64, batch=64, ellipses=65536,
)  # fmt: skip
SMOKE = Sizes(
    device="cpu", seconds=0, copied=1, product=128,
    holdem={"num_envs": 8, "num_steps": 8, "hidden": (16,), "num_minibatches": 2},
    solo={"num_envs": 4, "num_steps": 8, "hidden": (16,), "num_minibatches": 2},
    model={}, prompts=3, tokens=4, batch=2, ellipses=8,
)  # fmt: skip


class Bench:
    """The parts, one after the other.

    Args:
        smoke: tiny sizes on the CPU instead of a card.

    Attributes:
        skipped, failed: parts that did not run, and checks that did not hold, with the reason.

    Raises InputError where there is no card.
    """

    def __init__(self, smoke: bool) -> None:
        try:
            import torch
        except ImportError:
            raise InputError("arena bench gpu needs torch, which is not installed") from None
        if not smoke and not torch.cuda.is_available():
            raise InputError(
                "torch finds no CUDA device here; --smoke runs the same at tiny sizes on the CPU"
            )
        self.sizes = SMOKE if smoke else FULL
        choose_device(self.sizes.device)
        self.skipped: dict[str, str] = {}
        self.failed: dict[str, str] = {}

    def records(self) -> Iterator[Record]:
        """What each part measured, names beginning with ``gpu_``."""
        with tempfile.TemporaryDirectory() as folder:
            language = Language(self.sizes, Path(folder))
            card = Card(self.sizes)
            parts: dict[str, Callable[[], Iterator[Figure]]] = {
                "card": card.figures,
                "holdem_ppo": partial(ppo, card, "holdem?seats=2,stack=20", **self.sizes.holdem),
                "gridworld_ppo": partial(ppo, card, "gridworld", **self._curious),
                "minihack_ppo": partial(ppo, card, "minihack?task=KeyRoom-S5", **self._curious),
                "e3b": partial(e3b, card),
                "scoring": partial(scoring, card, language),
                "generation": partial(generation, card, language),
                "sft": partial(sft, card, language),
                "grpo": partial(grpo, card, language),
            }
            for name, part in parts.items():
                yield from self._run(name, part)

    @property
    def _curious(self) -> dict[str, Any]:
        return {**self.sizes.solo, "bonus": "e3b*noveld"}

    def _run(self, name: str, part: Callable[[], Iterator[Figure]]) -> Iterator[Record]:
        import torch

        if self.sizes.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
        try:
            for figure in part():
                yield Record.of(f"gpu_{name}_{figure.name}", figure.unit, figure.value)
                if figure.most is not None and not figure.value <= figure.most:
                    self.failed[name] = f"{figure.name} {figure.value:.2g}, above {figure.most:g}"
        except ImportError as error:
            self.skipped[name] = f"{error.name} is not installed"
        except InputError as error:
            self.skipped[name] = str(error)
        finally:
            torch.use_deterministic_algorithms(before[0])
            torch.set_num_threads(before[1])
        if self.sizes.device == "cuda" and name not in self.skipped:
            memory = torch.cuda.max_memory_allocated() / 2**30
            yield Record.of(f"gpu_{name}_memory", "GiB", memory)

    def tables(self) -> Iterator[Table]:
        """What was skipped, and what differs from the CPU, where there is any."""
        from arena.cli.console import table

        for title, reasons in (("skipped", self.skipped), ("differs from the CPU", self.failed)):
            if reasons:
                rows = table(title, "why")
                for name, reason in reasons.items():
                    rows.add_row(name, reason)
                yield rows


@dataclass(frozen=True)
class Figure:
    """What a part measured; ``most`` is what an error may be."""

    name: str
    unit: str
    value: float
    most: float | None = None


class Card:
    """The device: how fast it copies and multiplies, by which the parts are judged."""

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes

    @cached_property
    def bandwidth(self) -> float:
        """Bytes read and written a second by a copy."""
        import torch

        source = torch.zeros(self.sizes.copied * 2**20, dtype=torch.uint8, device=self.device)
        target = torch.empty_like(source)

        def copy() -> int:
            target.copy_(source)
            return 2 * len(source)

        return self.rate(copy, 1.0)

    @cached_property
    def product(self) -> float:
        """Floating-point operations a second of a bfloat16 matrix product."""
        import torch

        size = self.sizes.product
        matrix = torch.randn(size, size, device=self.device).bfloat16()

        def multiply() -> int:
            torch.mm(matrix, matrix)
            return 2 * size**3

        return self.rate(multiply, 1.0)

    @property
    def device(self) -> Device:
        """Its name to torch."""
        return self.sizes.device

    def figures(self) -> Iterator[Figure]:
        """Both."""
        yield Figure("copy", "GB/s", self.bandwidth / 1e9)
        yield Figure("product", "TFLOP/s", self.product / 1e12)

    def rate(self, work: Callable[[], int], most: float | None = None) -> float:
        """Units of work a second of wall time; ``work`` is called once before, uncounted."""
        seconds = self.sizes.seconds if most is None else min(most, self.sizes.seconds)
        work()
        self._wait()
        done, begun = 0, time.perf_counter()
        while not done or time.perf_counter() - begun < seconds:
            done += work()
            self._wait()
        return done / (time.perf_counter() - begun)

    def _wait(self) -> None:
        import torch

        if self.device == "cuda":
            torch.cuda.synchronize()


# -- reinforcement learning ------------------------------------------------------------------------


def ppo(card: Card, game: str, **options: Any) -> Iterator[Figure]:
    """Rollouts and updates: the learner's decisions a second."""
    from arena.agents.learning.ppo import Learner, Settings

    plain: dict[str, Any] = {"game": game, "update_epochs": 1, "product": "torch"}
    few = {**plain, **options} | {name: SMOKE.solo[name] for name in ("num_envs", "num_steps")}
    cpu = Learner(Settings(**few, device="cpu"))
    ours = Learner(Settings(**few, device=card.device))
    ours.network.load_state_dict(cpu.network.state_dict())
    cpu.begin()
    experience = cpu.play()
    error = _distance(_gradient(ours, experience), _gradient(cpu, experience))
    yield Figure("error", "relative", error, most=5e-3)  # a card's convolutions round to TF32

    learner = Learner(Settings(**plain, **options, device=card.device))
    learner.begin()

    def work() -> int:
        before = learner.steps
        learner.improve(learner.play())
        return learner.steps - before

    rate = card.rate(work)
    yield Figure("steps", "1/s", rate)
    weights = sum(p.numel() for p in learner.network.parameters())
    # Once while playing, three times (forwards, and twice as much backwards) while learning.
    yield Figure("product_share", "%", 100 * rate * weights * (2 + 6) / card.product)


def _gradient(learner: Any, experience: Any) -> torch.Tensor:
    """Of a loss on both heads over a rollout, as one vector on the CPU."""
    import torch

    from arena.agents.learning.experience import gather
    from arena.agents.networks.actor_critic import tensors

    rows = np.arange(experience.rows)
    arrays = {name: experience.shown(name) for name in experience.arrays}
    mask, actions = (
        torch.from_numpy(values[rows]).to(learner.device)
        for values in (experience.mask, experience.action)
    )
    logs, values = learner.network(tensors(gather(arrays, rows), learner.device), mask)
    loss = values.square().mean() - logs.gather(1, actions[:, None]).mean()
    gradients = torch.autograd.grad(loss, list(learner.network.parameters()))
    return torch.cat([gradient.flatten().cpu().double() for gradient in gradients])


def e3b(card: Card) -> Iterator[Figure]:
    """Episodes' ellipses updated a second."""
    import torch

    from arena.agents.exploration.e3b import Ellipses
    from arena.agents.networks.encoders import FEATURES

    draw = torch.Generator().manual_seed(0)
    few = [torch.randn(SMOKE.ellipses, FEATURES, generator=draw) for _ in range(3)]
    compiled = Ellipses(SMOKE.ellipses, FEATURES)
    ours = Ellipses(SMOKE.ellipses, FEATURES, device=card.device)
    paid = [(ours.update_on_device(phi.to(card.device)).cpu(), compiled.update(phi)) for phi in few]
    yield Figure("error", "relative", max(_distance(*both) for both in paid), most=1e-3)

    count = card.sizes.ellipses
    ellipses = Ellipses(count, FEATURES, device=card.device)
    features = torch.randn(count, FEATURES, generator=draw).to(card.device)

    def work() -> int:
        ellipses.update_on_device(features)
        return count

    rate = card.rate(work)
    yield Figure("updates", "1/s", rate)
    moved = 3 * 4 * FEATURES**2  # bytes: the matrix is read, read and written
    yield Figure("bandwidth_share", "%", 100 * rate * moved / card.bandwidth)


# -- language models -------------------------------------------------------------------------------


class Language:
    """A model with random weights, and what it is asked."""

    def __init__(self, sizes: Sizes, folder: Path) -> None:
        self.sizes, self.folder = sizes, folder

    @cached_property
    def model(self) -> str:
        """Its folder."""
        from arena.agents.llm.backends.models import random_model

        random_model(self.folder / "model", **self.sizes.model)
        return str(self.folder / "model")

    def local(self, device: Device, dtype: Dtype) -> Any:
        """It, loaded."""
        from arena.agents.llm.backends.local import Local

        return Local(self.model, device=device, dtype=dtype)

    def prompts(self, count: int) -> list[Prompt]:
        """Prompts with a beginning that all share."""
        from arena.agents.llm.backends.backend import Message

        shared = Message("system", "You play poker. " * (_SHARED // 16))
        asked = (f"Hand {number}: ".ljust(_OWN, ".") for number in range(count))
        return [(shared, Message("user", text)) for text in asked]

    def run(self) -> Path:
        """A folder of its own for a run."""
        return Path(tempfile.mkdtemp(dir=self.folder))


def scoring(card: Card, language: Language) -> Iterator[Figure]:
    """Decisions a second by scoring all choices of a batch."""
    few = language.prompts(3)
    ours, cpu = (
        np.concatenate([s.logprobs for s in model.score(few, [_CHOICES] * 3)])
        for model in (language.local(device, "float32") for device in (card.device, "cpu"))
    )
    yield Figure("error", "relative", _distance(ours, cpu), most=1e-3)

    model = language.local(card.device, "bfloat16")
    prompts = language.prompts(card.sizes.prompts)

    def work() -> int:
        model.score(prompts, [_CHOICES] * len(prompts))
        return len(prompts)

    rate = card.rate(work)
    yield Figure("decisions", "1/s", rate)
    tokens = _OWN + sum(len(choice) for choice in _CHOICES)  # no fewer: some choices share letters
    yield Figure("product_share", "%", 100 * rate * tokens * 2 * _weights(model) / card.product)


def generation(card: Card, language: Language) -> Iterator[Figure]:
    """Tokens written a second."""
    few, tokens = language.prompts(3), card.sizes.tokens
    ours, cpu = (
        np.array([answer.logprob for answer in model.generate(few, max_tokens=4)])
        for model in (language.local(device, "float32") for device in (card.device, "cpu"))
    )
    yield Figure("error", "relative", _distance(ours, cpu), most=1e-3)

    model = language.local(card.device, "bfloat16")
    prompts = language.prompts(card.sizes.prompts)

    def work() -> int:
        return sum(a.tokens_out for a in model.generate(prompts, max_tokens=tokens))

    rate = card.rate(work)
    yield Figure("tokens", "1/s", rate)
    read = 2 * _weights(model) / len(prompts)  # bytes a token: each step reads all weights once
    yield Figure("weights_bandwidth_share", "%", 100 * rate * read / card.bandwidth)


def sft(card: Card, language: Language) -> Iterator[Figure]:
    """Updates a second of supervised fine-tuning, all weights."""
    from arena.agents.llm.learning import sft
    from arena.agents.llm.learning.examples import Example

    def train(device: str, batch: int, updates: int, times: list[tuple[int, float]]) -> float:
        examples = [
            Example(prompt, _CHOICES[number % len(_CHOICES)], {})
            for number, prompt in enumerate(language.prompts(batch * updates))
        ]
        settings = sft.SftSettings(model=language.model, batch=batch, device=device)
        return sft.train(
            examples, settings, language.run(),
            progress=lambda done, total, loss: times.append((done, time.perf_counter())),
        )  # fmt: skip

    ours, cpu = (train(device, 2, 5, []) for device in (card.device, "cpu"))
    yield Figure("error", "relative", abs(ours - cpu) / cpu, most=0.02)  # bfloat16
    times: list[tuple[int, float]] = []
    train(card.device, card.sizes.batch, 30 if card.device == "cuda" else 10, times)
    rate = _between(times)
    yield Figure("updates", "1/s", rate)
    weights = _weights(language.local("cpu", "float32"))
    operations = rate * card.sizes.batch * (_SHARED + _OWN) * 6 * weights
    yield Figure("product_share", "%", 100 * operations / card.product)


def grpo(card: Card, language: Language) -> Iterator[Figure]:
    """Updates a second of GRPO. What it draws on a card is not what it draws on a CPU: no check."""
    from arena.agents.llm.learning import grpo

    times: list[tuple[int, float]] = []
    group = max(2, card.sizes.batch // 4)
    settings = grpo.GrpoSettings(
        model=language.model, updates=10 if card.device == "cuda" else 2, prompts=4, group=group,
        answer=card.sizes.tokens, device=card.device,
    )  # fmt: skip
    rewards = grpo.train(
        _problems(language.prompts(16)), settings, language.run(),
        progress=lambda done, total, mean: times.append((done, time.perf_counter())),
    )  # fmt: skip
    assert len(rewards) == settings.updates
    yield Figure("updates", "1/s", _between(times))


def _problems(prompts: Sequence[Prompt]) -> list[Problem]:
    """An answer earns the share of even bytes in it."""
    from arena.agents.llm.decoding.question import Question
    from arena.agents.llm.learning.problems import Problem

    def worth(text: str) -> float:
        return sum(byte % 2 == 0 for byte in text.encode()) / max(1, len(text.encode()))

    return [Problem(Question(prompt, (), str, whole=True), worth, 0.0) for prompt in prompts]


def _between(times: list[tuple[int, float]]) -> float:
    """Updates a second between the first and the last report."""
    (first, begun), (last, ended) = times[0], times[-1]
    return (last - first) / (ended - begun)


def _weights(model: Any) -> int:
    return sum(p.numel() for p in model.model.parameters())


def _distance(ours: Any, cpu: Any) -> float:
    """The largest difference, beside the largest value."""
    one, other = np.asarray(ours, np.float64), np.asarray(cpu, np.float64)
    return float(np.abs(one - other).max() / np.abs(other).max())
