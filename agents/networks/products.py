"""Which matrix product a CPU runs: chosen by a probe that checks the error, and said.

PyTorch multiplies float32 matrices by MKL, which on some processors (AMD's, notably) runs at half
the speed of oneDNN's product, which PyTorch brings along too. bfloat16 is faster again where the
processor has instructions for it, and loses precision, so it is never chosen by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Product = Literal["auto", "torch", "onednn", "bfloat16"]

_ROWS, _SIZE, _ROUNDS = 2048, 256, 8
_MULTIPLE = 128  # of rows: oneDNN compiles a kernel for each shape, so that few must occur
_LARGEST_ERROR = 1e-5  # of a result, beside its largest value


class _OneDnn(torch.autograd.Function):
    """``functional.linear`` and its gradients by oneDNN's float32 product."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x, weight = x.contiguous(), weight.contiguous()  # others run a thousand times slower
        ctx.save_for_backward(x, weight)
        return _onednn(x, weight, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        back = _onednn(gradient, weight.t(), None) if ctx.needs_input_grad[0] else None
        return back, _onednn(gradient.t(), x.t(), None), gradient.sum(0)


def _onednn(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    found: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return found


class Linear(nn.Linear):
    """A layer whose product is chosen, and whose input may lack its last columns (all zero).

    Args:
        inputs, outputs: sizes.
        gain: of the orthogonal matrix that it begins as; the bias begins at 0.
        product: see ``choose``.
    """

    def __init__(self, inputs: int, outputs: int, gain: float, product: Product) -> None:
        super().__init__(inputs, outputs)
        self.product = product
        nn.init.orthogonal_(self.weight, gain)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output; bfloat16 in and out where that is the product."""
        weight, bias = self.weight[:, : x.shape[1]], self.bias
        if self.product == "onednn" and x.device.type == "cpu":
            rows = len(x)
            x = functional.pad(x, (0, 0, 0, -rows % _MULTIPLE))
            found: Tensor = _OneDnn.apply(x, weight, bias)  # type: ignore[no-untyped-call]
            return found[:rows]
        if self.product == "bfloat16":
            return functional.linear(x.bfloat16(), weight.bfloat16(), bias.bfloat16())
        return functional.linear(x, weight, bias)


def choose(device: str) -> Product:
    """The faster float32 product here, ``onednn`` only where its result is as exact."""
    known: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if device != "cpu" or not known:
        return "torch"
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(_ROWS, _SIZE, generator=draw)
    weight = torch.randn(_SIZE, _SIZE, generator=draw)
    bias = torch.zeros(_SIZE)
    exact = x.double() @ weight.double().t()
    error = (_onednn(x, weight, bias).double() - exact).abs().max() / exact.abs().max()
    if error > _LARGEST_ERROR:
        return "torch"
    ours = _seconds(lambda: _onednn(x, weight, bias))
    theirs = _seconds(lambda: functional.linear(x, weight, bias))
    return "onednn" if ours < theirs else "torch"


def _seconds(work: Callable[[], Tensor]) -> float:
    """The best of a few rounds: what else the machine does must not decide."""
    rounds = []
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - begun)
    return min(rounds)
