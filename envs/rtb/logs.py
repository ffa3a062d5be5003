"""Reading campaigns and auction logs from files, packed or not."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from arena.envs.errors import InputError
from arena.envs.outside import number, read_json, read_lines, shown, whole
from arena.envs.rtb.campaign import MAX_PRICE, AuctionLog, Campaign


def load_log(path: Path) -> AuctionLog:
    """Read a log of rows ``click price pCTR`` parted by white space.

    This is the form of rlb-dp's ``test.theta.txt`` too. A fourth column (the hour) may follow and
    is not used. Raises InputError, with file, line and column, for a row of another length, a
    click that is not 0 or 1, a price that is not a whole number from 0 up, a pCTR outside [0, 1],
    and for a log without rows.
    """
    clicks, prices, ctr = array("B"), array("q"), array("d")
    for row, line in read_lines(path):
        cells = line.split()
        if len(cells) not in (3, 4):
            raise InputError(
                f"{path}, line {row}, column 1: the row has {len(cells)} columns; "
                "write click price pCTR, with the hour after them or without it"
            )
        clicks.append(read_click(cells[0], f"{path}, line {row}, column 1"))
        prices.append(read_price(cells[1], f"{path}, line {row}, column 2"))
        ctr.append(read_ctr(cells[2], f"{path}, line {row}, column 3"))
    if not clicks:
        raise InputError(f"{path}, line 1, column 1: the log is empty; a row is click price pCTR")
    return AuctionLog(np.array(clicks), np.array(prices), np.array(ctr))


def read_click(cell: str, where: str) -> int:
    """A click, 0 or 1; InputError otherwise."""
    if cell not in ("0", "1"):
        raise InputError(f"{where}: click {cell!r} is neither 0 nor 1")
    return int(cell)


def read_price(cell: str, where: str) -> int:
    """A market price, a whole number from 0 up; InputError otherwise."""
    return whole(cell, f"{where}: price", most=10**15)


def read_ctr(cell: str, where: str) -> float:
    """A predicted click-through rate in [0, 1]; InputError otherwise."""
    return number(cell, f"{where}: pCTR", least=0.0, most=1.0)


def load_campaign(path: Path) -> Campaign:
    """Read a campaign's training counts from rlb-dp's ``<campaign>.info.json``.

    Its fields ``imp_train``, ``clk_train``, ``cost_train`` and ``price_counter_train`` (301 counts)
    are read. Raises InputError, naming file and field, where one is missing or makes no sense.
    """
    data = read_json(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: holds no object; it needs imp_train, clk_train, cost_train, …")
    counts = data.get("price_counter_train")
    if (
        not isinstance(counts, list)
        or len(counts) != MAX_PRICE + 1
        or not all(type(count) is int and 0 <= count < 2**53 for count in counts)
    ):
        raise InputError(
            f"{path}, field price_counter_train: it must be {MAX_PRICE + 1} whole numbers from 0 up"
        )
    totals = {}
    for field in ("imp_train", "clk_train", "cost_train"):
        value = data.get(field)
        if type(value) is not int or not 0 < value < 2**53:
            raise InputError(f"{path}, field {field}: {shown(value)} is not a whole number above 0")
        totals[field] = value
    return Campaign(
        name=path.name.split(".")[0],
        impressions=totals["imp_train"],
        clicks=totals["clk_train"],
        cost=totals["cost_train"],
        price_counts=np.array(counts, np.int64),
    )
