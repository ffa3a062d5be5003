"""Randomness as a function of names: no generator is shared, none is global.

A league has one seed. Everything below it (a deal, a seat's private randomness, a bootstrap) draws
from a seed *derived* by hashing the path to it, so that nothing depends on the order of play. The
hash is one-way: who knows a seat's seed learns nothing of the deck's.

Where thousands of tables step together, a generator object for each would cost more than the game.
There the seed of one decision is expanded by SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), a
counter-based generator, for a whole batch at once.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15


def derive(*path: int | str) -> int:
    """A 64-bit seed for the place that ``path`` names, e.g. ``derive(7, "deal", 12)``.

    Equal paths give equal seeds on every machine; ints and strings are told apart.
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in path:
        digest.update(f"{type(part).__name__}:{part};".encode())
    return int.from_bytes(digest.digest(), "little")


@numba.njit(cache=True, inline="always")
def mix(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: a bijection of 64-bit words whose output looks random."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@numba.njit(cache=True)
def word(seed: np.uint64, counter: int) -> np.uint64:
    """The ``counter``-th 64-bit word of the stream that ``seed`` names."""
    return mix(seed + np.uint64(counter + 1) * np.uint64(_GOLDEN))


@numba.njit(cache=True)
def below(seed: np.uint64, counter: int, n: int) -> int:
    """A uniform integer in [0, n), n < 2**32, from one draw (bias below n / 2**32)."""
    return int(((word(seed, counter) >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))


def spread(bases: NDArray[np.uint64], counters: NDArray[np.int64] | int) -> NDArray[np.uint64]:
    """The words ``word(bases, counters)``, elementwise over arrays that broadcast together."""
    words: NDArray[np.uint64] = _spread(bases, counters)
    return words


@numba.vectorize(cache=True)  # type: ignore[no-untyped-call]
def _spread(base: np.uint64, counter: int) -> np.uint64:
    return word(base, counter)


def uniforms(seeds: NDArray[np.uint64], k: int) -> NDArray[np.float64]:
    """``k`` uniform numbers in [0, 1) for each seed, shape ``(len(seeds), k)``."""
    words = spread(seeds[:, None], np.arange(k)[None, :])
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def draw(probabilities: NDArray[Any], uniforms: NDArray[np.float64]) -> NDArray[np.int64]:
    """An index for each row of ``probabilities``, int64 ``(n,)``: the inverse of its distribution.

    The one way in which anything here is drawn from a distribution. The first index is drawn where
    the uniform is below its probability, and so on upwards; one whose probability is 0 never is.

    Args:
        probabilities: ``(n, k)``, not negative. A row need not sum to 1, but must not be all 0.
        uniforms: ``(n,)``, in [0, 1).
    """
    below = probabilities.cumsum(axis=1, dtype=np.float64)
    found = (below <= uniforms[:, None] * below[:, -1:]).sum(axis=1)
    # A uniform so close to 1 that the product is rounded up to all there is: the last one possible.
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
    chosen: NDArray[np.int64] = np.minimum(found, last)
    return chosen
