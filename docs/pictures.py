"""Makes the pictures of README.md: a short league is played, and its pages are photographed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import orjson
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
WIDTH = 1180


def main() -> None:
    """Write docs/images/{league,agent,replay}.png."""
    with tempfile.TemporaryDirectory() as folder:
        run = [sys.executable, "-m", "arena", "tournament", "run", "demo", "--deals", "2000"]
        subprocess.run(run, cwd=folder, check=True)
        with serving(Path(folder)) as site, sync_playwright() as driver:
            chromium = driver.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            page = chromium.new_page(viewport={"width": WIDTH, "height": 900})
            (league,) = ask(f"{site}/api/leagues")["leagues"]
            home = f"{site}/leagues/{league['id']}"
            take(page, home, ".scatterlayer path", "league", 1160)
            best = ask(f"{home.replace(site, site + '/api')}/summary")["leader"]["agent"]
            agent = ask(f"{home.replace(site, site + '/api')}/agents/{best}")
            take(page, f"{home}/agents/{best}", ".telling a", "agent", 760)
            deal = next(deal for deal in agent["telling"] if deal["best"] == best)
            replay = f"{site}/matches/{deal['match']}/deals/{deal['deal']}/{deal['seating']}"
            take(page, f"{replay}?league={league['id']}&step=5", "svg.table", "replay", 860)
            chromium.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A server of the store in a folder, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    view = [sys.executable, "-m", "arena", "view", "--port", str(port)]
    server = subprocess.Popen(view, cwd=folder)
    site = f"http://127.0.0.1:{port}"
    try:
        while server.poll() is None:
            try:
                urlopen(site).close()
                break
            except URLError:
                time.sleep(0.1)
        yield site
    finally:
        server.terminate()
        server.wait()


def ask(address: str) -> dict:
    """What the interface answers."""
    with urlopen(address) as answer:
        return orjson.loads(answer.read())


def take(page: Page, address: str, drawn: str, name: str, height: int) -> None:
    """Photograph the top of a page, once what ``drawn`` selects is there."""
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.goto(address)
    page.wait_for_selector(drawn, timeout=120_000, state="attached")
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"wrote {IMAGES / name}.png")


if __name__ == "__main__":
    main()
