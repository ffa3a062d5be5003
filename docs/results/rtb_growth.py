"""How cost grows with N, B and bidders: measures, prints, and draws docs/results/rtb_growth.svg.

OMP_NUM_THREADS=1 python docs/results/rtb_growth.py
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np

from arena.agents.value import rlb
from arena.envs.rtb.game import Rtb
from arena.envs.rtb.synthetic import synthetic_campaign

WIDTH, HEIGHT = 300, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 40

Points = list[tuple[float, float]]


def solve_seconds(auctions: int, budget: int) -> float:
    """The least CPU time of three solutions."""
    campaign = synthetic_campaign("2997").campaign
    taken = []
    for _ in range(3):
        begun = time.process_time()
        rlb.solve(campaign, auctions=auctions, budget=budget)
        taken.append(time.process_time() - begun)
    return min(taken)


def market_seconds(bidders: int) -> float:
    """CPU time of a million impressions with three slots."""
    game = Rtb(bidders=bidders, mechanism="gsp", slots=3, tick=40)
    tables = game.tables(64)
    every = np.arange(64)
    auctioned = 0
    begun = time.process_time()
    while auctioned < 300_000:
        tables.begin(every, every.astype(np.uint64))
        while not tables.done.all():
            at, seats = tables.to_act()
            tables.step(at, seats, tables.value[at, seats] * 0.9)
            auctioned += game.tick * len(np.unique(at))
    return (time.process_time() - begun) / auctioned * 1e6


def panel(title: str, across: str, up: str, points: Points, left: int) -> str:
    """One chart with logarithmic axes, as SVG at the horizontal offset ``left``."""
    xs, ys = ([math.log10(p[i]) for p in points] for i in (0, 1))
    low, high = math.floor(min(ys)), math.ceil(max(ys))

    def x(value: float) -> float:
        span = (max(xs) - min(xs)) or 1.0
        return left + LEFT + (value - min(xs)) / span * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<text x="{left + LEFT}" y="16" font-weight="bold">{title}</text>']
    for power in range(low, high + 1):
        out.append(
            f'<line x1="{left + LEFT}" x2="{left + WIDTH - RIGHT}" y1="{y(power):.1f}" '
            f'y2="{y(power):.1f}" stroke="#ddd"/>'
            f'<text x="{left + LEFT - 6}" y="{y(power) + 4:.1f}" text-anchor="end">'
            f"{10.0**power:g}</text>"
        )
    for (value, _), at in zip(points, xs, strict=True):
        out.append(f'<text x="{x(at):.1f}" y="{HEIGHT - 24}" text-anchor="middle">{value:g}</text>')
    line = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(xs, ys, strict=True))
    out.append(f'<polyline points="{line}" fill="none" stroke="#2166ac" stroke-width="2"/>')
    out += [
        f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="#2166ac"/>'
        for a, b in zip(xs, ys, strict=True)
    ]
    out.append(
        f'<text x="{left + (LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{across}; up: {up}</text>"
    )
    return "\n".join(out)


def main() -> None:
    """Measure, print, draw."""
    campaign = synthetic_campaign("2997").campaign
    solve_seconds(10, 100)  # compiles
    market_seconds(2)
    lengths = [
        (float(n), solve_seconds(n, campaign.budget(n, 1 / 32))) for n in (500, 1000, 2000, 5000)
    ]
    budgets = [
        (float(b), solve_seconds(1000, b))
        for b in (campaign.budget(1000, 1 / part) for part in (32, 16, 8, 4, 2))
    ]
    crowds = [(float(k), market_seconds(k)) for k in (2, 6, 16, 48, 128)]
    charts = (
        ("RLB, budget in proportion to N", "N", "s", lengths),
        ("RLB, N = 1000", "B", "s", budgets),
        ("market, three slots", "bidders", "s a million impressions", crowds),
    )
    for title, across, up, points in charts:
        print(title)
        for value, cost in points:
            print(f"  {across} = {value:g}: {cost:.3g} {up}")
    panels = [panel(*chart, i * WIDTH) for i, chart in enumerate(charts)]
    Path(__file__).with_suffix(".svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {3 * WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(panels)
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    main()
