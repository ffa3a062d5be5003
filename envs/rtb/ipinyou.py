"""A raw iPinYou log, end to end: rows as make-ipinyou-data writes them, and a pCTR learned here.

make-ipinyou-data's ``train.log.txt`` and ``test.log.txt`` have a header and tab-separated rows:
``click weekday hour`` and then iPinYou's own 24 columns (bidid … usertag). The click-through rate
is predicted by a logistic regression over hashed features (the fields that make-ipinyou-data's
``mkyzx.py`` uses), trained by FTRL-proximal: McMahan et al., Ad Click Prediction, KDD 2013.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.outside import read_lines
from arena.envs.rtb.campaign import AuctionLog
from arena.envs.rtb.logs import read_click, read_price

COLUMNS = (
    "click", "weekday", "hour",
    "bidid", "timestamp", "logtype", "ipinyouid", "useragent", "IP", "region", "city",
    "adexchange", "domain", "url", "urlid", "slotid", "slotwidth", "slotheight",
    "slotvisibility", "slotformat", "slotprice", "creative", "bidprice", "payprice", "keypage",
    "advertiser", "usertag",
)  # fmt: skip

_PLAIN = (
    "weekday", "hour", "IP", "region", "city", "adexchange", "domain", "slotid", "slotwidth",
    "slotheight", "slotvisibility", "slotformat", "creative", "advertiser",
)  # fmt: skip

_SYSTEMS = ("windows", "ios", "mac", "android", "linux")
_BROWSERS = ("chrome", "sogou", "maxthon", "safari", "firefox", "theworld", "opera", "ie")

HASH_SIZE = 2**20
"""How many weights the features are hashed to."""


@dataclass(frozen=True)
class RawLog:
    """Auctions with their hashed features.

    Attributes:
        clicks: uint8 ``(n,)``.
        prices: int64 ``(n,)``, the market price (payprice).
        starts: int64 ``(n + 1,)``; row i's features are ``features[starts[i]:starts[i + 1]]``.
        features: int32, indices below HASH_SIZE.
    """

    clicks: NDArray[np.uint8]
    prices: NDArray[np.int64]
    starts: NDArray[np.int64]
    features: NDArray[np.int32]


def load_raw(path: Path) -> RawLog:
    """Read a log that make-ipinyou-data wrote.

    Raises InputError, with file, line and column, for a missing header, a row of another length,
    a click that is not 0 or 1, a price that is no whole number from 0 up, and an empty log.
    """
    place: dict[str, int] = {}
    clicks, prices, starts, features = array("B"), array("q"), array("q", [0]), array("i")
    for number, line in read_lines(path):
        cells = line.split("\t")
        if not place:
            names = [cell.strip() for cell in cells]
            for name in COLUMNS:
                if name not in names:
                    raise InputError(
                        f"{path}, line {number}, column 1: the header names no column {name!r}; "
                        "it must be the one that make-ipinyou-data writes: click weekday hour …"
                    )
            place = {name: names.index(name) for name in COLUMNS}
            width = len(names)
            continue
        if len(cells) != width:
            raise InputError(
                f"{path}, line {number}, column 1: the row has {len(cells)} columns where the "
                f"header has {width}"
            )
        row = {name: cells[column].strip() for name, column in place.items()}
        where = f"{path}, line {number}, column "
        clicks.append(read_click(row["click"], f"{where}{place['click'] + 1}"))
        prices.append(read_price(row["payprice"], f"{where}{place['payprice'] + 1}"))
        floor = read_price(row["slotprice"], f"{where}{place['slotprice'] + 1}")
        features.extend(_hash_features(row, floor))
        starts.append(len(features))
    if not clicks:
        raise InputError(f"{path}, line 1, column 1: the log is empty; it needs a header and rows")
    return RawLog(np.array(clicks), np.array(prices), np.array(starts), np.array(features))


def _hash_features(row: dict[str, str], floor: int) -> list[int]:
    agent = row["useragent"].lower()
    system = next((name for name in _SYSTEMS if name in agent), "other")
    browser = next((name for name in _BROWSERS if name in agent), "other")
    band = next((top for top in (0, 10, 50, 100) if floor <= top), 101)
    words = ["bias", f"useragent={system}_{browser}", f"slotprice={band}"]
    words += [f"{name}={row[name]}" for name in _PLAIN]
    words += [f"usertag={tag}" for tag in row["usertag"].split(",")]
    return [zlib.crc32(word.encode()) % HASH_SIZE for word in words]


@dataclass(frozen=True)
class CtrModel:
    """A logistic regression over hashed features; ``weights`` is float64 ``(HASH_SIZE,)``."""

    weights: NDArray[np.float64]

    def predict(self, log: RawLog) -> NDArray[np.float64]:
        """The predicted click-through rates, float64 ``(n,)``."""
        sums = np.add.reduceat(self.weights[log.features], log.starts[:-1])
        rates: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-sums))
        return rates

    def auction_log(self, log: RawLog) -> AuctionLog:
        """The raw log with predicted rates, ready to be replayed."""
        return AuctionLog(log.clicks, log.prices, self.predict(log))


def train_ctr(
    log: RawLog, *, epochs: int = 3, rate: float = 0.1, l1: float = 0.5, l2: float = 1.0
) -> CtrModel:
    """Train the logistic regression by FTRL-proximal, in the order of the log.

    Args:
        epochs: passes over the log.
        rate: the learning rate's numerator α (β is 1).
        l1, l2: regularisation; l1 keeps the weights of rare features at 0.
    """
    sums = np.zeros(HASH_SIZE)
    squares = np.zeros(HASH_SIZE)
    bias = zlib.crc32(b"bias") % HASH_SIZE
    for _ in range(epochs):
        _ftrl(log.clicks, log.starts, log.features, sums, squares, bias, rate, l1, l2)
    active = np.abs(sums) > np.where(np.arange(HASH_SIZE) == bias, 0.0, l1)
    shrunk = sums - np.sign(sums) * np.where(np.arange(HASH_SIZE) == bias, 0.0, l1)
    return CtrModel(np.where(active, -shrunk / (l2 + (1.0 + np.sqrt(squares)) / rate), 0.0))


@numba.njit(cache=True)
def _ftrl(
    clicks: NDArray[np.uint8],
    starts: NDArray[np.int64],
    features: NDArray[np.int32],
    sums: NDArray[np.float64],
    squares: NDArray[np.float64],
    bias: int,
    rate: float,
    l1: float,
    l2: float,
) -> None:
    weights = np.zeros(len(sums))
    for i in range(len(clicks)):
        score = 0.0
        for j in range(starts[i], starts[i + 1]):
            f = features[j]
            z = sums[f]
            threshold = 0.0 if f == bias else l1  # the bias carries the mean: never cut it
            if abs(z) > threshold:
                shrunk = z - np.sign(z) * threshold
                weights[f] = -shrunk / (l2 + (1.0 + np.sqrt(squares[f])) / rate)
            else:
                weights[f] = 0.0
            score += weights[f]
        gradient = 1.0 / (1.0 + np.exp(-score)) - clicks[i]
        for j in range(starts[i], starts[i + 1]):
            f = features[j]
            step = (np.sqrt(squares[f] + gradient * gradient) - np.sqrt(squares[f])) / rate
            sums[f] += gradient - step * weights[f]
            squares[f] += gradient * gradient
