"""RLB by a network: the slope of the value function, small enough to keep and to extend.

Cai et al. (WSDM 2017, section 3.2). What a bid needs of V(n, b) are its slopes
D(n, b) = V(n, b + 1) − V(n, b). They are kept in segments:

- exact, where the episode is nearly over (n ≤ ``EXACT_AUCTIONS``) or the budget nearly spent
  (b < ``EXACT_BUDGET``), for there D bends sharply;
- 0 where more money buys nothing (b beyond the row's last slope above 10⁻¹² θ̄);
- by a multilayer perceptron of 30 and 15 tanh units in between.

States beyond the N₀ and B₀ that it was fitted to are scaled down, coarse to fine, as in
``arena.agents.value.rlb``. Of a value function of 5000 × 9846 (394 MB) 17 MB are left.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from arena.agents.device import choose_device
from arena.agents.value.rlb import CLICKS, Objective
from arena.envs.checkpoints import Like, read_config, read_tensors
from arena.envs.errors import InputError
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign, CampaignOutcome

EXACT_AUCTIONS = 50
EXACT_BUDGET = 800
HIDDEN = (30, 15)

_KNOTS = 8
"""Between the network's values at every so many price units the slope is interpolated."""


class Slopes(NamedTuple):
    """D(n, b) in its segments, with all that a bid by it needs.

    Attributes:
        few: D(n, b) for n ≤ EXACT_AUCTIONS, float32 ``(EXACT_AUCTIONS + 1, B₀)``.
        poor: D(n, b) for b < EXACT_BUDGET, float32 ``(N₀ + 1, EXACT_BUDGET)``.
        flat: int64 ``(N₀ + 1,)``, from which b on D(n, b) is 0.
        w1, b1, w2, b2, w3: the perceptron's float32 matrices; its inputs are n/N₀, b/B₀ and the
            logarithm of their ratio.
        b3: the bias of its output; the output times ``scale`` is D(n, b).
        click_value, cost_weight, gamma: the objective, and the discount.
    """

    few: NDArray[np.float32]
    poor: NDArray[np.float32]
    flat: NDArray[np.int64]
    w1: NDArray[np.float32]
    b1: NDArray[np.float32]
    w2: NDArray[np.float32]
    b2: NDArray[np.float32]
    w3: NDArray[np.float32]
    b3: float
    scale: float
    click_value: float
    cost_weight: float
    gamma: float


_FIRST, _SECOND = HIDDEN
_TENSORS = {
    "few": Like((None, None)), "poor": Like((None, None)), "flat": Like((None,), "int64"),
    "w1": Like((_FIRST, 3)), "b1": Like((_FIRST,)),
    "w2": Like((_SECOND, _FIRST)), "b2": Like((_SECOND,)), "w3": Like((_SECOND,)),
}  # fmt: skip


@dataclass(frozen=True)
class _Numbers:
    b3: float
    scale: float
    click_value: float
    cost_weight: float
    gamma: float


@dataclass(frozen=True)
class NetworkBidder:
    """Bids by the slopes; has the methods of ``arena.agents.value.rlb.Bidder``."""

    slopes: Slopes

    def bids(
        self, n: NDArray[np.int64], b: NDArray[np.int64], ctr: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The bids, int64 ``(k,)``, with n auctions to come, b to spend, and rates ``ctr``."""
        return _bids(self.slopes, n, b, ctr)

    def replay(self, log: AuctionLog, *, auctions: int, budget: int) -> CampaignOutcome:
        """Replay the log in episodes of ``auctions``; the last may be shorter, and counts."""
        totals = _replay(self.slopes, log.clicks, log.prices, log.ctr, auctions, budget)
        return CampaignOutcome(len(log), *(int(total) for total in totals))

    def save(self, folder: Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` into ``folder``."""
        from safetensors.numpy import save_file

        folder.mkdir(parents=True, exist_ok=True)
        values = self.slopes._asdict()
        save_file({name: values[name] for name in _TENSORS}, folder / "model.safetensors")
        config = {field.name: values[field.name] for field in fields(_Numbers)}
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder: Path) -> NetworkBidder:
    """Read what ``NetworkBidder.save`` wrote; InputError where it is not there or damaged."""
    numbers = read_config(folder / "config.json", _Numbers)
    file = folder / "model.safetensors"
    arrays = read_tensors(file, _TENSORS)
    few, poor, flat = arrays["few"], arrays["poor"], arrays["flat"]
    n, b = len(flat), few.shape[1]
    shapes = (min(n, EXACT_AUCTIONS + 1), b), (n, min(b, EXACT_BUDGET))
    if n < 2 or b < 1 or (few.shape, poor.shape) != shapes:
        raise InputError(f"{file}: tensors few, poor and flat are of different episodes")
    return NetworkBidder(Slopes(**arrays, **asdict(numbers)))


def fit(
    campaign: Campaign,
    values: NDArray[np.float64],
    *,
    objective: Objective = CLICKS,
    gamma: float = 1.0,
    steps: int = 4000,
    batch: int = 4096,
    rate: float = 3e-3,
    seed: int = 0,
    device: str = "auto",
) -> NetworkBidder:
    """Fit the network to an exact value function from ``arena.agents.value.rlb.solve``.

    The paper trains for days of steps at a rate of 3·10⁻⁵; here the rate starts at ``rate`` and
    falls to that along a cosine, on states drawn uniformly from the middle segment.

    Args:
        values: V(n, b), float64 ``(N₀ + 1, B₀ + 1)``.
        device: of torch; auto takes a GPU where there is one.
    """
    import torch

    auctions, budget = values.shape[0] - 1, values.shape[1] - 1
    slopes = np.diff(values, axis=1).astype(np.float32)
    scale = objective.click_value * campaign.ctr
    above = slopes > 1e-12 * scale
    flat = budget - np.argmax(above[:, ::-1], axis=1)
    flat[~above.any(axis=1)] = 0
    rows = np.arange(EXACT_AUCTIONS + 1, auctions + 1)
    rows = rows[flat[rows] > EXACT_BUDGET] if len(rows) else rows
    first, second = HIDDEN
    shapes = ((first, 3), (first,), (second, first), (second,), (1, second), (1,))
    weights = [np.zeros(shape, np.float32) for shape in shapes]  # where no segment needs them
    if len(rows):
        where = torch.device(choose_device(device))
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = torch.nn.Sequential(
                torch.nn.Linear(3, HIDDEN[0]),
                torch.nn.Tanh(),
                torch.nn.Linear(HIDDEN[0], HIDDEN[1]),
                torch.nn.Tanh(),
                torch.nn.Linear(HIDDEN[1], 1),
            ).to(where)
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=3e-5)
        for _ in range(steps):
            drawn = torch.rand((2, batch), generator=generator).numpy()
            n = rows[(drawn[0] * len(rows)).astype(np.int64)]
            # Half of them anywhere, half where an episode's budget is near to its even pace.
            near = n * (budget / auctions) * (0.25 + 1.75 * drawn[1])
            even = (np.arange(batch) % 2 == 0) & (near >= EXACT_BUDGET) & (near < flat[n])
            anywhere = EXACT_BUDGET + drawn[1] * (flat[n] - EXACT_BUDGET)
            b = np.where(even, near, anywhere).astype(np.int64)
            inputs = torch.from_numpy(_inputs(n / auctions, b / budget)).to(where)
            targets = torch.from_numpy(slopes[n, b] / np.float32(scale)).to(where)
            loss = torch.nn.functional.mse_loss(model(inputs)[:, 0], targets)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
        weights = [p.detach().cpu().numpy().astype(np.float32) for p in model.parameters()]
    w1, b1, w2, b2, w3, b3 = weights
    return NetworkBidder(
        Slopes(
            few=slopes[: EXACT_AUCTIONS + 1].copy(),
            poor=slopes[:, :EXACT_BUDGET].copy(),
            flat=flat,
            w1=w1,
            b1=b1,
            w2=w2,
            b2=b2,
            w3=w3[0].copy(),
            b3=float(b3[0]),
            scale=scale,
            click_value=objective.click_value,
            cost_weight=objective.cost_weight,
            gamma=gamma,
        )
    )


def _inputs(n: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack([n, b, np.log(b / n)], axis=1).astype(np.float32)


@numba.njit(cache=True)
def _slope(slopes: Slopes, n: float, b: float) -> float:
    """The network's D(n, b), of n/N₀ and b/B₀."""
    ratio = np.log(b / n)
    w1, w2 = slopes.w1, slopes.w2
    first = np.empty(len(slopes.b1), np.float32)
    for i in range(len(first)):
        first[i] = np.tanh(w1[i, 0] * n + w1[i, 1] * b + w1[i, 2] * ratio + slopes.b1[i])
    out = slopes.b3
    for j in range(len(slopes.b2)):
        total = slopes.b2[j]
        for i in range(len(first)):
            total += w2[j, i] * first[i]
        out += slopes.w3[j] * np.tanh(total)
    return slopes.scale * out


@numba.njit(cache=True)
def _bid(slopes: Slopes, n: int, b: int, theta: float) -> int:
    few, poor, flat = slopes.few, slopes.poor, slopes.flat
    auctions, budget = len(flat) - 1, few.shape[1]
    if n > auctions:
        b = b * auctions // n
        n = auctions
    if b > budget:
        n = max(n * budget // b, 1)
        b = budget
    row = n - 1
    worth = slopes.click_value * theta
    limit = min(b, MAX_PRICE)
    # The network's slope is interpolated between knots of the budget: ``below`` is that at the knot
    # ``lower``, ``above`` that at the next one up.
    lower = b + 2
    above = below = 0.0
    for bid in range(1, limit + 1):
        at = b - bid
        if at >= flat[row]:
            slope = 0.0
        elif row < len(few):
            slope = np.float64(few[row, at])
        elif at < poor.shape[1]:
            slope = np.float64(poor[row, at])
        else:
            if at < lower:
                if at == lower - 1:
                    above = below
                    lower -= _KNOTS
                else:  # the first that the network is asked for
                    above = _slope(slopes, row / auctions, at / budget)
                    lower = at - _KNOTS
                below = _slope(slopes, row / auctions, lower / budget)
            share = (at - lower) / _KNOTS
            slope = max(share * above + (1.0 - share) * below, 0.0)
        worth -= slopes.gamma * slope + slopes.cost_weight
        if worth < 0.0:
            return bid - 1
    return limit


@numba.njit(cache=True)
def _bids(
    slopes: Slopes, n: NDArray[np.int64], b: NDArray[np.int64], ctr: NDArray[np.float64]
) -> NDArray[np.int64]:
    out = np.empty(len(ctr), np.int64)
    for i in range(len(ctr)):
        out[i] = _bid(slopes, n[i], b[i], ctr[i])
    return out


@numba.njit(cache=True)
def _replay(
    slopes: Slopes,
    clicks: NDArray[np.uint8],
    prices: NDArray[np.int64],
    ctr: NDArray[np.float64],
    auctions: int,
    budget: int,
) -> tuple[int, int, int]:
    won = clicked = cost = 0
    left = budget
    for i in range(len(clicks)):
        n = auctions - i % auctions
        if n == auctions:
            left = budget
        if _bid(slopes, n, left, ctr[i]) >= prices[i]:
            left -= prices[i]
            cost += prices[i]
            won += 1
            clicked += clicks[i]
    return won, clicked, cost
