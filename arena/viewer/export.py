"""Pages that need no server: a static site of a league, or one file for one match."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.envs.errors import InputError
from arena.envs.files import write
from arena.leagues.replay import Replay
from arena.viewer import episodes, pages
from arena.viewer.drawings import charted, drawing_of
from arena.viewer.library import Library, game_of, league_facts, match_facts


def site(library: Library, name: str | None, folder: Path) -> Iterator[tuple[int, int]]:
    """Write the pages of a league, its agents and all its matches to ``folder``.

    Yields after each page how many are written, and how many there are.

    Raises InputError where there is no such league or the folder cannot be written.
    """
    store = library.store()
    if store is None:
        raise InputError(
            f"store {library.where} does not exist; run a league first (arena tournament run demo) "
            "or name another with --store"
        )
    entry = store.find(name)
    league = entry.league
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pages.plotly_file(), folder / "plotly.js")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}") from None
    path = f"/api/leagues/{league.id}"
    data = {
        path: league_facts(entry),
        f"{path}/ranking": library.ranking(entry),
        f"{path}/history": library.history(entry),
        f"{path}/telling": library.telling(entry),
        f"{path}/matches": library.matches(entry, size=None),
    }
    page = {"page": "league", "league": league.id, "site": "folder"}
    write(folder / "index.html", pages.standalone(league.name, page, data, plotly="plotly.js"))
    total = 1 + len(league.entrants) + entry.matches
    yield 1, total
    for number, key in enumerate(league.names, 1):
        here = {path: league_facts(entry), f"{path}/agents/{key}": library.agent(entry, key)}
        page = {"page": "agent", "league": league.id, "agent": key, "site": "folder"}
        write(folder / f"agent-{key}.html", pages.standalone(league.names[key], page, here))
        yield 1 + number, total
    for number, result in store.results(league):
        replay = library.replay(result.match.id)
        html = _match(replay, league.names, {"site": "folder", "league": league.id}, "plotly.js")
        write(folder / f"match-{result.match.id}.html", html)
        yield 1 + len(league.entrants) + number, total


def single(replay: Replay, path: Path) -> None:
    """Write one self-contained page of a match and all its replays."""
    plotly = None
    if charted(drawing_of(game_of(replay.header["game"]))):
        script = base64.b64encode(pages.plotly_file().read_bytes()).decode()
        plotly = f"data:text/javascript;base64,{script}"
    names = dict(zip(replay.match.entrants, replay.names, strict=True))
    write(path, _match(replay, names, {"site": "file"}, plotly))


def _match(
    replay: Replay, names: Mapping[str, str], page: Mapping[str, Any], plotly: str | None
) -> bytes:
    match = replay.match
    path = f"/api/matches/{match.id}"
    data: dict[str, Any] = {path: match_facts(replay, names)}
    for episode in replay.episodes:
        here = f"{path}/deals/{episode.deal}/{episode.seating}"
        seats = range(len(match.seatings[episode.seating]))
        views: list[int | None] = [None, *seats]
        shown = episodes.show_views(replay, episode.deal, episode.seating, names, views)
        data[here] = shown[0]
        for seat in seats:
            data[f"{here}?seat={seat}"] = shown[1 + seat]
    title = " against ".join(
        names.get(key, spec) for key, spec in zip(match.entrants, match.specs, strict=True)
    )
    return pages.standalone(
        title, {"page": "match", "match": match.id, **page}, data, plotly=plotly,
        drawing=drawing_of(game_of(replay.header["game"])),
    )  # fmt: skip
