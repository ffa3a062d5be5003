"""The web page's figures: first paint of a large league, scrubbing a long replay, page weight.

Measured in Chromium by Playwright (extra ``test``) against a server in this process.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from arena.agents.agent import Identity
from arena.bench.record import Record
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.leagues.league import Entrant, League
from arena.leagues.match import Match, Result, seatings
from arena.leagues.play import play
from arena.leagues.store import Store

MATCHES = 10_000
STEPS = 500

_WATCH = """
window.shown = {};
new MutationObserver(() => {
  const ready = document.querySelector(".ranking tbody tr:not(.skeleton)");
  if (ready && !window.shown.ranking)
    requestAnimationFrame(() => (window.shown.ranking = performance.now()));
}).observe(document, { childList: true, subtree: true });
"""
_SCRUB = """
async (steps) => {
  const scrub = document.querySelector(".scrub");
  const label = document.querySelector(".transport .count");
  const times = [];
  for (let step = 1; step <= steps; step++) {
    const begun = performance.now();
    scrub.value = step;
    scrub.dispatchEvent(new Event("input"));
    times.push(performance.now() - begun);
    if (!label.textContent.startsWith(`${step} /`)) throw new Error(`step ${step} was dropped`);
    await new Promise(requestAnimationFrame);
  }
  return times;
}
"""


def records() -> Iterator[Record]:
    """Figures of the page; no peer has a comparable one."""
    with tempfile.TemporaryDirectory() as folder, _chromium() as browser:
        store = Store(str(Path(folder) / "bench.db"), create=True)
        league = large_league(MATCHES)
        store.add_league(league)
        store.append(league, *large_results(league, MATCHES))
        replayed = _long_match(store)
        with _serving(store.where) as address:
            yield from _page(browser, f"{address}/leagues/{league.id}")
            yield from _replay(browser, f"{address}/matches/{replayed}/deals/0/0")


def _page(browser: Any, address: str) -> Iterator[Record]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_selector(".matches tbody tr", timeout=120_000)  # the server's first computation
    page.close()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    weights: list[int] = []

    def weigh(response: Any) -> None:
        if "plotly" not in response.url:  # the stream of a live league has no length
            weights.append(int(response.headers.get("content-length", 0)))

    page.on("response", weigh)
    page.add_init_script(_WATCH)
    page.goto(address)
    page.wait_for_selector(".matches tbody tr")
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    what = f"league of {MATCHES:,} matches"
    yield Record.of(f"{what}: first contentful paint", "ms", round(page.evaluate(paint)))
    yield Record.of(f"{what}: ranking shown", "ms", round(page.evaluate("window.shown.ranking")))
    yield Record.of(f"{what}: page weight without Plotly", "kB", round(sum(weights) / 1000))
    page.close()


def _replay(browser: Any, address: str) -> Iterator[Record]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_selector("svg.table")
    times = np.array(page.evaluate(_SCRUB, STEPS))
    what = f"scrubbing {STEPS} steps of Hold'em"
    yield Record.of(f"{what}: median of a step", "ms", round(float(np.median(times)), 2))
    yield Record.of(f"{what}: slowest step", "ms", round(float(times.max()), 2))
    page.close()


@contextmanager
def _chromium() -> Iterator[Any]:
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise InputError("the page is measured with Playwright; pip install playwright") from None
    if path is None:
        raise InputError("the page is measured in Chromium; apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield browser
        browser.close()


@contextmanager
def _serving(where: str) -> Iterator[str]:
    import uvicorn

    from arena.viewer.app import make_app
    from arena.viewer.library import Library

    config = uvicorn.Config(
        make_app(Library(where)), port=0, log_level="error", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


def large_league(matches: int) -> League:
    """Ten players of heads-up Hold'em in so many matches of ten deals."""

    def entrant(number: int) -> Entrant:
        spec = f"random?number={number}"
        return Entrant(
            f"agent {number}", Identity(spec, "", hashlib.sha256(spec.encode()).hexdigest())
        )

    deals = 10 * -(-matches // 45)
    schedule = {"kind": "round-robin", "deals": deals, "deals_per_match": 10}
    version = make_game("holdem?seats=2").version
    return League("bench", "holdem?seats=2", version, 7, tuple(map(entrant, range(10))), schedule)


def large_results(league: League, matches: int) -> Iterator[Result]:
    """Results as they might be, of ten deals a match; nobody plays."""
    generator = np.random.default_rng(0)
    made = 0
    while True:
        for a, b in combinations(range(len(league.entrants)), 2):
            if made == matches:
                return
            who = [league.entrants[number].identity for number in (a, b)]
            match = Match(
                game=league.game,
                game_version=league.game_version,
                entrants=tuple(identity.key for identity in who),
                specs=tuple(identity.spec for identity in who),
                seed=league.seed,
                first_deal=10 * (made // 45),
                deals=10,
                seatings=seatings(2, 2),
            )
            made += 1
            ahead = generator.normal(0.1 * (b - a), 6, (10, 2)).round(2)
            returns = np.stack([ahead, -ahead], axis=2)
            returns[:, 1] = returns[:, 1, ::-1]
            zeros = np.zeros_like(returns)
            yield Result(match, returns, zeros, zeros.astype(np.uint8), 80, 0.1, b"")


def _long_match(store: Store) -> str:
    """A match of one deal with more than ``STEPS`` decisions, played and stored; its id."""
    from arena.agents.registry import identify, make_agent

    spec = f"holdem?hands={STEPS},seats=2"
    game = make_game(spec)
    who = [identify("random", game), identify("call", game)]
    league = League(
        "long", spec, game.version, 7, tuple(Entrant(w.spec, w) for w in who), {"deals": 1}
    )
    match = Match(
        spec, game.version, tuple(w.key for w in who), tuple(w.spec for w in who), 7, 0, 1,
        ((0, 1),),
    )  # fmt: skip
    agents = {w.key: make_agent(w.spec, game) for w in who}
    (result,) = play(game, agents, [match], {w.key: w for w in who})
    store.add_league(league)
    store.append(league, result)
    return match.id
