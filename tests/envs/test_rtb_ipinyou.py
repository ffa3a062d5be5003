"""A raw log is usable end to end: features are hashed, and the rates learned from it are right."""

from pathlib import Path

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.envs.rtb.campaign import Campaign, replay_bids
from arena.envs.rtb.ipinyou import COLUMNS, load_raw, train_ctr


def raw_row(**cells: object) -> str:
    row = dict.fromkeys(COLUMNS, "null") | {"click": 0, "slotprice": 5, "payprice": 60}
    return "\t".join(str(value) for value in (row | cells).values())


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n")
    return path


def test_rates_are_learned_from_the_fields(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(6000):
        good = rng.random() < 0.5
        click = int(rng.random() < (0.2 if good else 0.02))
        rows.append(
            raw_row(
                click=click,
                domain="good" if good else "poor",
                useragent="Mozilla Windows Chrome",
                usertag="1,2" if rng.random() < 0.5 else "3",
                payprice=int(rng.integers(20, 100)),
            )
        )
    raw = load_raw(write(tmp_path / "train.log.txt", rows))
    log = train_ctr(raw).auction_log(raw)
    good = np.array(["good" in row for row in rows])
    assert log.ctr[good].mean() == pytest.approx(0.2, abs=0.05)
    assert log.ctr[~good].mean() == pytest.approx(0.02, abs=0.015)
    campaign = Campaign.from_log("raw", log)
    bids = (log.ctr * campaign.cpc).astype(np.int64)
    won = replay_bids(log, bids, auctions=1000, budget=campaign.budget(1000, 0.25))
    assert won.clicks / won.impressions > 1.3 * campaign.ctr


def test_bad_rows_are_refused_by_file_line_and_column(tmp_path: Path) -> None:
    price = COLUMNS.index("payprice") + 1
    cases = {
        raw_row(payprice=-1): f"line 3, column {price}: price '-1'",
        raw_row(click="x"): "line 3, column 1: click 'x'",
        "0\t1": "line 3, column 1: the row has 2 columns where the header has 27",
    }
    for row, complaint in cases.items():
        path = write(tmp_path / "raw.txt", [raw_row(), row])
        with pytest.raises(InputError, match=rf"raw\.txt, {complaint}"):
            load_raw(path)
    with pytest.raises(InputError, match="the log is empty"):
        load_raw(write(tmp_path / "raw.txt", []))
    headless = tmp_path / "headless.txt"
    headless.write_text(raw_row() + "\n")
    with pytest.raises(InputError, match="line 1, column 1: the header names no column 'click'"):
        load_raw(headless)
    with pytest.raises(InputError, match="training log of campaign raw: it has 0 clicks"):
        raw = load_raw(write(tmp_path / "raw.txt", [raw_row()]))
        Campaign.from_log("raw", train_ctr(raw).auction_log(raw))
