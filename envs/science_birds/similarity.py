"""Which letter a level looks like: a small convolutional classifier with its weights beside it.

The competition's similarity is the softmax probability that a classifier of 26 letters gives to
the target. Its vision transformer is not to be had here; ours was trained on fonts and on blocky
renderings of them by ``similarity_training``. It runs without a deep-learning library, and each
picture's answer has the same bits in whatever batch it is asked.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

LETTERS = string.ascii_uppercase
SIZE = 32
"""Width and height of the classifier's pictures, in pixels."""
HIDDEN = 128
EMBEDDING = 1024
"""Features of the last convolution: 4 × 4 places with 64 filters each. The hidden layer after it is
trained to forget in which style a letter is drawn, which is what diversity is about."""
WEIGHTS = Path(__file__).with_name("similarity.safetensors")

Pictures = NDArray[np.float32]
"""float32 ``(n, 32, 32)``, 0 white, 1 black (see ``drawing.render``)."""


@numba.njit(cache=True)
def _convolve(
    x: NDArray[np.float32], w: NDArray[np.float32], b: NDArray[np.float32]
) -> NDArray[np.float32]:
    """3 × 3 convolution, ReLU and 2 × 2 maximum of one picture, channels last.

    Sums run in a fixed order (no reassociation), so the result does not depend on the machine.
    """
    size, channels = x.shape[0], x.shape[2]
    filters = w.shape[3]
    out = np.zeros((size // 2, size // 2, filters), np.float32)
    total = np.empty(filters, np.float32)
    for i in range(size):
        for j in range(size):
            total[:] = b
            for di in range(3):
                for dj in range(3):
                    a, c = i + di - 1, j + dj - 1
                    if 0 <= a < size and 0 <= c < size:
                        for channel in range(channels):
                            value = x[a, c, channel]
                            if value != 0:
                                for f in range(filters):
                                    total[f] += value * w[di, dj, channel, f]
            for f in range(filters):
                # ``out`` starts at 0: the maximum is the ReLU as well.
                out[i // 2, j // 2, f] = max(out[i // 2, j // 2, f], total[f])
    return out


@numba.njit(cache=True)
def _connect(
    x: NDArray[np.float32], w: NDArray[np.float32], b: NDArray[np.float32]
) -> NDArray[np.float32]:
    total = b.copy()
    for i in range(len(x)):
        if x[i] != 0:
            for j in range(len(total)):
                total[j] += x[i] * w[i, j]
    return total


@numba.njit(cache=True)
def _forward(
    pictures: NDArray[np.float32],
    w1: NDArray[np.float32], b1: NDArray[np.float32],
    w2: NDArray[np.float32], b2: NDArray[np.float32],
    w3: NDArray[np.float32], b3: NDArray[np.float32],
    w4: NDArray[np.float32], b4: NDArray[np.float32],
    w5: NDArray[np.float32], b5: NDArray[np.float32],
    probabilities: NDArray[np.float64], embeddings: NDArray[np.float64],
) -> None:  # fmt: skip
    for n in range(len(pictures)):
        x = _convolve(pictures[n].reshape(SIZE, SIZE, 1), w1, b1)
        features = _convolve(_convolve(x, w2, b2), w3, b3).reshape(-1)
        hidden = np.maximum(_connect(features, w4, b4), np.float32(0))
        logits = _connect(hidden, w5, b5)
        top = logits.max()
        for j in range(len(logits)):
            probabilities[n, j] = np.exp(np.float64(logits[j]) - np.float64(top))
        probabilities[n] /= probabilities[n].sum()
        embeddings[n] = features


@dataclass(frozen=True)
class Classifier:
    """The trained network: three convolutions, a hidden layer, 26 logits.

    Attributes:
        layers: weights and biases of its five layers; convolutions ``(3, 3, in, out)``, the
            others ``(in, out)``, inputs flattened row by row with channels last.
    """

    layers: tuple[NDArray[np.float32], ...]

    def read(self, pictures: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Letter probabilities ``(n, 26)`` and embeddings ``(n, 1024)``, both float64."""
        pictures = np.ascontiguousarray(pictures, np.float32)
        probabilities = np.empty((len(pictures), len(LETTERS)))
        embeddings = np.empty((len(pictures), EMBEDDING))
        w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = self.layers
        _forward(
            pictures, w1, b1, w2, b2, w3, b3, w4, b4, w5, b5, probabilities, embeddings
        )  # fmt: skip
        return probabilities, embeddings


@cache
def classifier() -> Classifier:
    """The classifier that ships with the game."""
    from safetensors.numpy import load_file

    tensors = load_file(WEIGHTS)
    return Classifier(tuple(tensors[f"{kind}{i}"] for i in range(1, 6) for kind in "wb"))


def diversity(vectors: Sequence[NDArray[np.float64]] | NDArray[np.float64]) -> float:
    """Mean cosine distance over the pairs of a letter's trials, 0 for fewer than two.

    A zero vector (an empty level) is at distance 0 from another and 1 from anything else.
    """
    array = np.asarray(vectors, np.float64)
    if len(array) < 2:
        return 0.0
    lengths = np.linalg.norm(array, axis=1)
    unit = array / np.where(lengths > 0, lengths, 1.0)[:, None]
    cosines = unit @ unit.T
    empty = lengths == 0
    cosines[np.ix_(empty, empty)] = 1.0
    upper = np.triu_indices(len(array), 1)
    return float(np.mean(1.0 - cosines[upper]))
