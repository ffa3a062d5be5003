"""What the viewer's server answers, without a browser."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from viewer_fixtures import MARKUP, SCRIPT, fill, make_league, play_match, results

pytest.importorskip("fastapi", reason="the viewer's extra is not installed")
pytest.importorskip("httpx", reason="FastAPI's test client needs httpx")

from fastapi.testclient import TestClient

from arena.envs.errors import InputError
from arena.leagues import replay
from arena.leagues.store import Store
from arena.viewer import drawings, export, human, pages
from arena.viewer.app import make_app
from arena.viewer.hands import Hands
from arena.viewer.library import Library

HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("viewer") / "arena.db"
    fill(path, make_league(), [0, 1])
    return str(path)


@pytest.fixture
def client(where: str) -> Iterator[TestClient]:
    with TestClient(make_app(Library(where)), base_url=HOST) as client:
        yield client


def league_id(client: TestClient) -> str:
    leagues = client.get("/api/leagues").json()["leagues"]
    return next(league["id"] for league in leagues if league["name"] == "tiny")


def first_match(client: TestClient) -> str:
    """The first match in which the agent plays that notes what it thinks."""
    facts = client.get(f"/api/leagues/{league_id(client)}").json()
    wordy = next(agent["key"] for agent in facts["agents"] if agent["spec"] == "wordy")
    path = f"/api/leagues/{league_id(client)}/matches"
    matches = client.get(path, params={"a": wordy}).json()["matches"]
    return str(matches[-1]["id"])


def test_a_league_says_how_far_it_is_before_anything_is_computed(client: TestClient) -> None:
    facts = client.get(f"/api/leagues/{league_id(client)}").json()
    assert (facts["matches"], facts["total"], facts["family"]) == (6, 12, "holdem")
    assert facts["created"].endswith("+00:00")


def test_the_ranking_is_that_of_the_command_line(client: TestClient, where: str) -> None:
    from arena.leagues.standings import rank

    served = client.get(f"/api/leagues/{league_id(client)}/ranking").json()
    store = Store(where)
    expected = rank(store, store.find("tiny").league).to_json()
    for name in ("standings", "payoff", "win_rate", "stronger"):
        assert served[name] == expected[name]


def test_matches_are_filtered_by_pair_and_paged_newest_first(client: TestClient) -> None:
    path = f"/api/leagues/{league_id(client)}/matches"
    everything = client.get(path).json()
    assert [match["number"] for match in everything["matches"]] == [6, 5, 4, 3, 2, 1]
    a, b = everything["matches"][0]["agents"]
    pair = client.get(path, params={"a": a, "b": b}).json()
    assert pair["total"] == 2
    assert all({a, b} == set(match["agents"]) for match in pair["matches"])
    assert client.get(path, params={"forfeits": True}).json()["total"] == 0
    assert client.get(path, params={"page": 9}).json()["matches"] == []


def test_new_matches_show_without_a_restart(tmp_path: Path) -> None:
    league = make_league("growing")
    store = fill(tmp_path / "a.db", league, [0])
    library = Library(str(tmp_path / "a.db"))
    assert b'"matches":3' in library.ranking(library.entry(league.id))
    for result in results(league, [1]):
        store.append(league, result)
    assert b'"matches":6' in library.ranking(library.entry(league.id))
    assert library.matches(library.entry(league.id))["total"] == 6


def test_a_replay_has_every_step_with_words_probabilities_and_notes(client: TestClient) -> None:
    match = client.get(f"/api/matches/{first_match(client)}").json()
    episode = next(e for e in match["episodes"] if e["decisions"] > 1)
    path = f"/api/matches/{match['id']}/deals/{episode['deal']}/{episode['seating']}"
    shown = client.get(path).json()
    assert shown["drawing"] == "holdem"
    assert len(shown["steps"]) == episode["decisions"] + 1
    assert shown["steps"][-1]["decisions"] == []
    assert shown["steps"][-1]["frame"]["result"] is not None
    wordy = next(i for i, who in enumerate(shown["seats"]) if who["spec"] == "wordy")
    decision = next(d for step in shown["steps"] for d in step["decisions"] if d["seat"] == wordy)
    assert decision["notes"]["tokens"] == 321
    assert decision["text"].startswith("No-limit Texas Hold'em")
    (chosen,) = [option for option in decision["legal"] if option["chosen"]]
    assert chosen["label"] == decision["label"]
    assert chosen["probability"] == 0.75


def test_a_seats_view_tells_nothing_of_the_others(client: TestClient) -> None:
    match = client.get(f"/api/matches/{first_match(client)}").json()
    for episode in match["episodes"]:
        path = f"/api/matches/{match['id']}/deals/{episode['deal']}/{episode['seating']}"
        shown = client.get(path, params={"seat": 0}).json()
        for step in shown["steps"]:
            other = step["frame"]["seats"][1]["cards"]
            assert other == ["??", "??"] or step["frame"]["result"]["shown"]
            for decision in step["decisions"]:
                if decision["seat"] == 1:
                    assert set(decision) <= {"seat", "ms", "label", "status"}


def test_sealed_bids_are_not_in_another_seats_view() -> None:
    from arena.viewer.episodes import show

    players = ["truthful", "shaded", "shaded?factor=0.5", "random"]
    _, result = play_match("rtb?auctions=40", players)
    record = replay.read(result.replay, "here")
    everything, own = show(record, 0, 0, {}), show(record, 0, 0, {}, seat=2)
    assert len(everything["steps"][0]["decisions"]) == 4
    assert [d["seat"] for step in own["steps"] for d in step["decisions"]] == [2] * 2


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/leagues/nope",
        "/matches/nope",
        "/matches/%",
        "/hands",
        "/hands/3",
        "/api/leagues/nope",
        "/api/leagues/nope/ranking",
        "/api/leagues/nope/events",
        "/api/matches/nope",
        "/api/play/nope",
        "/static/nope.js",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/matches/..%2f..%2fetc%2fpasswd",
    ],
)
def test_what_is_not_there_is_a_404_in_a_sentence(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    if path.startswith("/api/"):
        assert response.json()["error"].rstrip().endswith(".")
    else:
        assert 'class="empty"' in response.text
    assert "import" not in response.text.replace("importmap", "")
    assert "root:" not in response.text


def test_episodes_and_seats_that_are_not_there(client: TestClient) -> None:
    match = first_match(client)
    for end in ("9/0", "0/2", "-1/0", "x/0", "0/0?seat=2", "0/0?seat=-1"):
        assert client.get(f"/api/matches/{match}/deals/{end}").status_code == 404


def test_every_answer_forbids_what_is_not_ours(client: TestClient) -> None:
    for path in ("/", "/static/main.js", "/api/leagues", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_only_loopbacks_names_are_answered(client: TestClient) -> None:
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "localhost:8000"}).status_code == 200


def test_other_sites_cannot_play(client: TestClient) -> None:
    body = {"game": "holdem?seats=2", "opponents": ["random"]}
    foreign = client.post("/api/play", json=body, headers={"origin": "http://evil.example"})
    assert foreign.status_code == 403
    form = client.post("/api/play", content=b"{}", headers={"content-type": "text/plain"})
    assert form.status_code in (403, 404)


def test_pages_escape_what_came_from_outside() -> None:
    page = pages.served(SCRIPT, {"page": "league", "league": SCRIPT}).decode()
    assert SCRIPT not in page
    assert "<script>document" not in page


def test_pages_without_plotly_are_light() -> None:
    weight = sum(
        len(drawings.STATIC.joinpath(*name.split("/")).read_bytes())
        for name in [*pages._modules(), "style.css", "icon.svg"]
    )
    assert weight < 300_000


# -- a person plays --------------------------------------------------------------------------------


def play_hand(client: TestClient, state: dict[str, Any]) -> dict[str, Any]:
    """Check or call to the end; asserts on the way that no hidden card is sent."""
    while True:
        for step in state["steps"]:
            frame = step["frame"]
            for seat, facts in enumerate(frame["seats"]):
                hidden = facts["cards"] == ["??", "??"]
                shown = frame["result"] is not None and str(seat) in frame["result"]["shown"]
                assert hidden or shown or seat == state["seat"]
            for decision in step["decisions"]:
                assert set(decision) <= {"seat", "ms", "label", "status", "text", "legal"}
        if state["over"]:
            return state
        known = state["from"] + len(state["steps"])
        body = {"hand": state["hand"], "action": 1, "known": known}
        response = client.post(f"/api/play/{state['table']}/decide", json=body)
        assert response.status_code == 200, response.text
        state = response.json()


@pytest.mark.parametrize(
    ("game", "opponent", "why"),
    [
        ("gymnasium?id=antigravity:X-v0", "call", "would import the module antigravity"),
        ("holdem?seats=2", "equity?samples=99999999999", "it is from 1 to 100,000"),
        ("holdem?hands=99999999999999", "call", "an episode has 1 to 1,000,000"),
        ("rtb?bidders=100000", "call", "must be from 1 to 1,000"),
    ],
)
def test_a_request_can_neither_import_nor_freeze(
    client: TestClient, game: str, opponent: str, why: str
) -> None:
    response = client.post("/api/play", json={"game": game, "opponents": [opponent]})
    assert response.status_code == 422
    assert why in response.json()["error"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000])
def test_a_body_that_cannot_be_read_is_a_sentence(client: TestClient, body: bytes) -> None:
    response = client.post("/api/play", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_persons_hands_are_logged_and_verify(tmp_path: Path) -> None:
    where = str(tmp_path / "new.db")
    with TestClient(make_app(Library(where)), base_url=HOST) as client:
        body = {"game": "holdem?seats=3", "opponents": ["random", "call"]}
        state = play_hand(client, client.post("/api/play", json=body).json())
        first = state["over"]
        assert state["total"] == first["returns"][state["seat"]]
        state = client.post(f"/api/play/{state['table']}/deal", json={}).json()
        assert state["seat"] == 2  # everybody moves on by a seat
        second = play_hand(client, state)["over"]
        page = client.get(f"/leagues/{second['league']}")
        assert page.status_code == 200
    store = Store(where)
    entry = store.find(human.LEAGUE)
    assert entry.matches == 2
    for over in (first, second):
        result = store.match(over["match"])
        assert replay.verify(replay.read(result.replay, "hand")) == []
        assert result.returns[0, 0].tolist() == over["returns"]
    assert first["match"] != second["match"]


def test_what_a_person_may_not_do(client: TestClient) -> None:
    def refused(path: str, body: dict[str, Any], why: str) -> None:
        response = client.post(path, json=body)
        assert response.status_code == 422
        assert why in response.json()["error"]

    refused("/api/play", {"game": "holdem?seats=2", "opponents": []}, "choose 1 opponents")
    refused("/api/play", {"game": "holdem?seats=2", "opponents": ["nobody"]}, "nobody")
    refused("/api/play", {"game": 3, "opponents": []}, "needs a game")
    body = {"game": "holdem?seats=2", "opponents": ["call"]}
    state = client.post("/api/play", json=body).json()
    path = f"/api/play/{state['table']}"
    assert state["turn"] is not None
    decision = {"hand": 0, "action": 99, "known": len(state["steps"])}
    refused(f"{path}/decide", decision, "is not possible")
    refused(f"{path}/decide", {**decision, "hand": 1, "action": 1}, "not your turn")
    refused(f"{path}/decide", {**decision, "action": 1.5}, "as one or in words")
    refused(f"{path}/decide", {**decision, "action": "raise to 0"}, "legal are: ")
    refused(f"{path}/deal", {}, "finish it first")


# -- hand histories --------------------------------------------------------------------------------

PHH = """variant = 'NT'
antes = [0, 0, 0]
blinds_or_straddles = [1, 2, 0]
min_bet = 2
starting_stacks = [200, 200, 200]
actions = ['d dh p1 AcAd', 'd dh p2 ????', 'd dh p3 7h6h', 'p3 cbr 6', 'p1 cbr 20', 'p2 f', 'p3 f']
players = ['Ann', '<b>Bob</b>', 'Cid']
finishing_stacks = [208, 198, 194]
"""


def test_a_hand_history_is_shown_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "hand.phhs.xz"
    path.write_bytes(lzma.compress(f"[1]\n{PHH}[2]\n{PHH}".encode()))
    app = make_app(Library(str(tmp_path / "none.db")), Hands(path))
    with TestClient(app, base_url=HOST) as client:
        listed = client.get("/api/hands").json()
        assert listed["total"] == 2
        assert listed["hands"][0]["net"] == [8, -2, -6]
        shown = client.get("/api/hands/1").json()
        labels = [d["label"] for step in shown["steps"] for d in step["decisions"]]
        assert labels == ["raise to 3", "raise to 10", "fold", "fold"]
        assert shown["returns"] == [8, -2, -6]
        assert shown["steps"][0]["frame"]["seats"][0]["cards"] == ["Ac", "Ad"]
        own = client.get("/api/hands/1", params={"seat": 2}).json()
        assert own["steps"][0]["frame"]["seats"][0]["cards"] == ["??", "??"]
        assert client.get("/hands/2").status_code == 404
        assert client.get("/api/hands/0", params={"seat": 3}).status_code == 404
        assert client.get("/api/hands", params={"player": "Cid"}).json()["total"] == 2


def test_hands_that_cannot_be_played_are_left_out_and_told(tmp_path: Path) -> None:
    path = tmp_path / "hands.phhs"
    good = "[1]\nvariant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [1, 2]\nmin_bet = 2\n"
    good += "starting_stacks = [9, 9]\nactions = ['d dh p1 AcAd', 'd dh p2 2c7d', 'p2 f']\n"
    path.write_text(good + good.replace("[1]", "[2]", 1).replace("'NT'", "'PO'"))
    facts = Hands(path).facts()
    assert (facts["hands"], facts["left_out"]) == (1, 1)
    assert facts["reasons"] == [f"{path}, hand 2: variant 'PO' is not 'NT', no-limit hold'em"]


def test_the_pluribus_hands_open(arena_data: Path) -> None:
    path = arena_data / "holdem" / "pluribus.phhs.xz"
    if not path.exists():
        pytest.skip(f"no Pluribus hands at {path}")
    hands = Hands(path)
    assert hands.facts()["hands"] == 7674
    for number in range(0, 7674, 900):
        shown = hands.show(number)
        assert sum(shown["returns"]) == 0
        stated = hands.page(number // 100)["hands"][number % 100]["net"]
        assert shown["returns"] == stated


# -- exports ---------------------------------------------------------------------------------------


def test_a_static_site_holds_a_page_for_each_agent_and_match(where: str, tmp_path: Path) -> None:
    progress = list(export.site(Library(where), "tiny", tmp_path / "site"))
    assert progress[-1] == (10, 10)
    written = sorted(path.name for path in (tmp_path / "site").iterdir())
    assert len([name for name in written if name.startswith("match-")]) == 6
    assert len([name for name in written if name.startswith("agent-")]) == 3
    index = (tmp_path / "site" / "index.html").read_text()
    assert MARKUP not in index
    assert "http://" not in index.replace("http://www.w3.org", "").replace("https: http:", "")


def test_an_export_of_what_is_not_there(where: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no league 'nope'"):
        list(export.site(Library(where), "nope", tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        list(export.site(Library(str(tmp_path / "none.db")), None, tmp_path))


def test_the_command_line_exports_a_page(where: str, tmp_path: Path) -> None:
    from arena.cli import main

    match = Store(where).match_ids()[0]
    page = tmp_path / "replay.html"
    assert main(["replay", "export", match, "--store", where, "-o", str(page)]) == 0
    assert page.read_bytes().startswith(b"<!doctype html>")


def test_an_unknown_file_is_refused_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    from arena.cli import main

    assert main(["view", "hands.txt"]) == 2
    assert "neither a replay" in capsys.readouterr().err
