"""The server: pages are shells, data is JSON below ``/api``, and a live league sends events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
from fastapi import Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.envs.errors import InputError
from arena.viewer import drawings, episodes, human, pages
from arena.viewer.hands import Hands
from arena.viewer.human import Floor
from arena.viewer.library import Library, NotFound, league_facts, match_facts

LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "::1")
_POLL = 0.5  # seconds between two looks at the store for new matches


class _Headers:
    """Adds to every answer what keeps a browser from running or showing what is not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"content-security-policy", pages.POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class _Fresh(StaticFiles):
    """Static files that a browser asks after before it uses its copy: an upgrade shows at once."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers["cache-control"] = "no-cache"
        return response


def make_app(library: Library, hands: Hands | None = None, host: str = "127.0.0.1") -> FastAPI:
    """The application.

    Args:
        library: the store, and a replay that was opened.
        hands: a file of hand histories that was opened.
        host: the address served on. On loopback only requests that name a loopback host are
            answered, so that no other site's name can be bound to this one.
    """
    floor = Floor(library)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(_warm, library))
        yield
        warming.cancel()
        floor.close()

    app = FastAPI(title="Arena", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.add_middleware(_Headers)
    hosts = list(LOOPBACK) if host in LOOPBACK else ["*"]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    _add_drawings(app)
    app.mount("/static", _Fresh(directory=str(drawings.STATIC)), name="static")
    _answer_errors(app)
    _add_leagues(app, library, hands)
    _add_matches(app, library)
    _add_hands(app, hands)
    _add_play(app, library, floor)

    @app.get("/plotly.js")
    def plotly() -> Response:
        return FileResponse(
            pages.plotly_file(),
            media_type="text/javascript",
            headers={"cache-control": "max-age=86400"},
        )

    return app


def _add_drawings(app: FastAPI) -> None:
    @app.get("/static/games/{name}.js")
    def drawing(name: str) -> Response:
        return Response(
            drawings.source(name),
            media_type="text/javascript",
            headers={"cache-control": "no-cache"},
        )


def _warm(library: Library) -> None:
    """Compute the newest league's ranking, and compile its game, before somebody asks."""
    for entry in library.leagues()[:1]:
        try:
            library.ranking(entry)
            for match in library.matches(entry, size=1)["matches"]:
                episodes.show(library.replay(match["id"]), 0, 0, {})
        except InputError:  # its page will say why
            return


def _json(value: Any) -> Response:
    data = value if isinstance(value, bytes) else orjson.dumps(value)
    return Response(data, media_type="application/json", headers={"cache-control": "no-store"})


def _page(title: str, page: Mapping[str, Any]) -> Response:
    return Response(pages.served(title, page), media_type="text/html; charset=utf-8")


def _answer_errors(app: FastAPI) -> None:
    def answer(request: Request, sentence: str, status: int) -> Response:
        if request.url.path.startswith("/api/"):
            data = orjson.dumps({"error": sentence})
            return Response(data, status, media_type="application/json")
        return Response(pages.missing(sentence), status, media_type="text/html; charset=utf-8")

    @app.exception_handler(InputError)
    def input_error(request: Request, error: Exception) -> Response:
        return answer(request, str(error), 404 if isinstance(error, NotFound) else 422)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, _error: Exception) -> Response:
        return answer(request, f"{request.url.path} names nothing that can be shown.", 404)

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 404:
            return answer(request, f"There is no page {request.url.path}.", 404)
        return answer(request, f"{error.detail}.", error.status_code)


def _add_leagues(app: FastAPI, library: Library, hands: Hands | None) -> None:
    @app.get("/")
    def home_page() -> Response:
        return _page("", {"page": "home"})

    @app.get("/leagues/{id}")
    def league_page(id: str) -> Response:
        league = library.entry(id).league
        return _page(league.name, {"page": "league", "league": league.id})

    @app.get("/api/leagues")
    def leagues() -> Response:
        opened = library.opened
        return _json(
            {
                "store": library.where,
                "leagues": [league_facts(entry) for entry in library.leagues()],
                "hands": None if hands is None else hands.facts(),
                "replay": None if opened is None else match_facts(opened, {}),
            }
        )

    @app.get("/api/leagues/{id}")
    def league(id: str) -> Response:
        return _json(league_facts(library.entry(id)))

    @app.get("/leagues/{id}/agents/{key}")
    def agent_page(id: str, key: str) -> Response:
        entry = library.entry(id)
        name = library.agent(entry, key)["name"]
        return _page(name, {"page": "agent", "league": entry.league.id, "agent": key})

    @app.get("/api/leagues/{id}/summary")
    def summary(id: str) -> Response:
        return _json(library.summary(library.entry(id)))

    @app.get("/api/leagues/{id}/telling")
    def telling(id: str) -> Response:
        return _json(library.telling(library.entry(id)))

    @app.get("/api/leagues/{id}/agents/{key}")
    def agent(id: str, key: str) -> Response:
        return _json(library.agent(library.entry(id), key))

    @app.get("/api/leagues/{id}/ranking")
    def ranking(id: str) -> Response:
        return _json(library.ranking(library.entry(id)))

    @app.get("/api/leagues/{id}/history")
    def history(id: str) -> Response:
        return _json(library.history(library.entry(id)))

    @app.get("/api/leagues/{id}/matches")
    def matches(
        id: str, a: str = "", b: str = "", forfeits: bool = False, page: int = 0
    ) -> Response:
        agents = [agent for agent in (a, b) if agent]
        entry = library.entry(id)
        return _json(library.matches(entry, agents=agents, forfeits=forfeits, page=max(0, page)))

    @app.get("/api/leagues/{id}/events")
    async def events(id: str, request: Request) -> Response:
        entry = await asyncio.to_thread(library.entry, id)
        stream = _events(library, entry.league.id, request.is_disconnected)
        return StreamingResponse(
            stream, media_type="text/event-stream", headers={"cache-control": "no-store"}
        )


async def _events(library: Library, league: str, gone: Callable[[], Any]) -> AsyncIterator[bytes]:
    """How many matches the league has, now and whenever it has more."""
    shown = -1
    while not await gone():
        entry = await asyncio.to_thread(library.entry, league)
        if entry.matches != shown:
            shown = entry.matches
            yield b"data: " + orjson.dumps({"matches": shown}) + b"\n\n"
        await asyncio.sleep(_POLL)


def _add_matches(app: FastAPI, library: Library) -> None:
    def names(league: str) -> Mapping[str, str]:
        return library.entry(league).league.names if league else {}

    @app.get("/matches/{id}")
    def match_page(id: str, league: str = "") -> Response:
        replay = library.replay(id)
        who = " against ".join(replay.match.specs)
        page = {"page": "match", "match": replay.header["id"], "league": league}
        names(league)
        return _page(who, page)

    @app.get("/matches/{id}/deals/{deal}/{seating}")
    def replay_page(id: str, deal: int, seating: int, league: str = "") -> Response:
        replay = library.replay(id)
        _episode(replay, deal, seating)
        names(league)
        page = {
            "page": "replay",
            "match": replay.header["id"],
            "deal": deal,
            "seating": seating,
            "league": league,
        }
        return _page(f"Deal {replay.header['first_deal'] + deal}", page)

    @app.get("/api/matches/{id}")
    def match(id: str, league: str = "") -> Response:
        return _json(match_facts(library.replay(id), names(league)))

    @app.get("/api/matches/{id}/deals/{deal}/{seating}")
    def replay(
        id: str, deal: int, seating: int, seat: int | None = None, league: str = ""
    ) -> Response:
        record = library.replay(id)
        _episode(record, deal, seating)
        if seat is not None and not 0 <= seat < len(record.match.seatings[seating]):
            raise NotFound(f"match {id} has no seat {seat}.")
        return _json(episodes.show(record, deal, seating, names(league), seat))


def _episode(replay: Any, deal: int, seating: int) -> None:
    try:
        replay.episode(deal, seating)
    except InputError as error:
        raise NotFound(f"{error}.") from None


def _add_hands(app: FastAPI, hands: Hands | None) -> None:
    def opened() -> Hands:
        if hands is None:
            raise NotFound("No file of hands is open; start with arena view FILE.")
        return hands

    @app.get("/hands")
    def hands_page() -> Response:
        return _page(opened().name, {"page": "hands"})

    @app.get("/hands/{number}")
    def hand_page(number: int) -> Response:
        opened().show(number)
        return _page(f"Hand {number + 1}", {"page": "replay", "hand": number})

    @app.get("/api/hands")
    def hand_list(page: int = 0, player: str | None = None) -> Response:
        return _json({**opened().facts(), **opened().page(max(0, page), player or None)})

    @app.get("/api/hands/{number}")
    def hand(number: int, seat: int | None = None) -> Response:
        return _json(opened().show(number, seat))


def _add_play(app: FastAPI, library: Library, floor: Floor) -> None:
    def own(request: Request) -> None:
        """Refuse what another site's page may have sent."""
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
        if foreign or not request.headers.get("content-type", "").startswith("application/json"):
            raise HTTPException(403, "Only this site's own pages may play")

    @app.get("/play")
    def play_page() -> Response:
        return _page("Play", {"page": "play"})

    @app.get("/api/play")
    def choices(game: str = "holdem?seats=2") -> Response:
        return _json(human.choices(library, game))

    @app.post("/api/play")
    def open_table(request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
        own(request)
        game, opponents = body.get("game"), body.get("opponents")
        if not isinstance(game, str) or not isinstance(opponents, list):
            raise InputError("a table needs a game and a list of opponents.")
        return _json(floor.open(game, [str(spec) for spec in opponents]).deal())

    @app.get("/api/play/{table}")
    def table_state(table: str, known: int = 0) -> Response:
        return _json(floor.table(table).state(max(0, known)))

    @app.post("/api/play/{table}/deal")
    def deal(table: str, request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
        own(request)
        del body
        return _json(floor.table(table).deal())

    @app.post("/api/play/{table}/decide")
    def decide(table: str, request: Request, body: Annotated[dict[str, Any], Body()]) -> Response:
        own(request)
        hand, action, known = (body.get(name) for name in ("hand", "action", "known"))
        whole = type(hand) is int and type(known) is int and type(action) is not bool
        if not whole or not isinstance(action, int | str):
            raise InputError(
                "a decision names hand and known as whole numbers, action as one or in words."
            )
        assert isinstance(hand, int) and isinstance(known, int)
        return _json(floor.table(table).decide(hand, action, known))
