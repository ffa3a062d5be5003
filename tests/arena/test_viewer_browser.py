"""The viewer as a person meets it: in Chromium, against a served league."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from viewer_fixtures import MARKUP, fill, make_league, play_match, results, serving

pytest.importorskip("fastapi", reason="the viewer's extra is not installed")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed; it is in the extra test"
)

from arena.leagues import replay  # noqa: E402
from arena.leagues.store import Store  # noqa: E402
from arena.viewer import export  # noqa: E402
from arena.viewer.hands import Hands  # noqa: E402
from arena.viewer.library import Library  # noqa: E402

expect = playwright.expect
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; apt-get install chromium to run the page's tests"
)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return fill(tmp_path_factory.mktemp("viewer") / "arena.db", make_league(), range(4))


@pytest.fixture(scope="module")
def site(store: Store) -> Iterator[str]:
    with serving(Library(store.where)) as address:
        yield address


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that may load nothing from elsewhere and must not complain."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.set_default_timeout(20_000)
    yield page
    context.close()
    assert complaints == []


@contextmanager
def visiting(page: Any, library: Library, hands: Hands | None = None) -> Iterator[str]:
    """A server of its own, which the page leaves before it ends."""
    with serving(library, hands) as address:
        yield address
        page.goto("about:blank")


def league_of(site: str, store: Store) -> str:
    return f"{site}/leagues/{store.find('tiny').league.id}"


def long_episode(store: Store) -> tuple[str, int, int, int]:
    """A match of the agent that notes its thoughts, and its longest episode."""
    league = store.find("tiny").league
    found = []
    for _, result in store.results(league):
        if "wordy" in result.match.specs:
            record = replay.read(store.match(result.match.id).replay, "match")
            for episode in record.episodes:
                decisions = len(episode.decisions)
                found.append((decisions, result.match.id, episode.deal, episode.seating))
    decisions, match, deal, seating = max(found)
    return match, deal, seating, decisions


def replay_of(site: str, store: Store, end: str = "") -> tuple[str, int]:
    match, deal, seating, decisions = long_episode(store)
    return f"{site}/matches/{match}/deals/{deal}/{seating}{end}", decisions


# -- all pages -------------------------------------------------------------------------------------

PAGES = ("home", "league", "agent", "match", "replay", "play")


def address_of(what: str, site: str, store: Store) -> str:
    league = store.find("tiny").league
    match, deal, seating, _ = long_episode(store)
    return (
        site
        + {
            "home": "/",
            "league": f"/leagues/{league.id}",
            "agent": f"/leagues/{league.id}/agents/{next(iter(league.names))}",
            "match": f"/matches/{match}?league={league.id}",
            "replay": f"/matches/{match}/deals/{deal}/{seating}?league={league.id}&step=1",
            "play": "/play",
        }[what]
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("what", PAGES)
def test_pages_are_accessible_and_fit_a_phone(
    browser: Any, site: str, store: Store, what: str, scheme: str
) -> None:
    """By axe-core; 360 pixels wide nothing scrolls sideways."""
    axe = pytest.importorskip("axe_core_python")
    source = (Path(axe.__path__[0]) / "axe.min.js").read_text()
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address_of(what, site, store))
        page.wait_for_load_state("networkidle" if what != "league" else "load")
        page.wait_for_selector({"league": ".matches tbody tr"}.get(what, "main > *"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate(source)
        found = page.evaluate("axe.run()")["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]][:5]) for v in found] == []
    context.close()


def test_the_front_door_leads_to_the_hand_that_tells_most(
    page: Any, site: str, store: Store
) -> None:
    """Front door, best agent, why, and its most telling hand: no more than four clicks."""
    page.goto(site)
    best = page.locator("table.leagues td[id^=leader-] a").first
    name = best.inner_text()
    best.click()
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator(".strength")).to_contain_text("Rank 1 of 3")
    expect(page.locator(".opponents tbody tr")).to_have_count(2)
    page.locator(".telling a").first.click()
    expect(page.locator("svg.table")).to_be_visible()


# -- a league --------------------------------------------------------------------------------------


def test_the_ranking_is_in_order_and_can_be_sorted(page: Any, site: str, store: Store) -> None:
    page.goto(league_of(site, store))
    rows = page.locator(".ranking tbody tr:not(.skeleton)")
    expect(rows).to_have_count(3)
    ratings = [int(text) for text in page.locator(".ranking tbody td.number b").all_inner_texts()]
    assert ratings == sorted(ratings, reverse=True)
    page.get_by_role("button", name="Agent", exact=True).click()
    names = page.locator(".ranking .agent a").all_inner_texts()
    assert names == sorted(names)
    expect(page.locator("th[aria-sort]")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Rating", exact=True).press("Enter")
    assert [
        int(text) for text in page.locator(".ranking tbody td.number b").all_inner_texts()
    ] == ratings


def test_a_cell_of_the_heat_map_leads_to_the_pairs_matches(
    page: Any, site: str, store: Store
) -> None:
    page.goto(league_of(site, store))
    expect(page.locator(".matches tbody tr")).to_have_count(12)
    page.locator(".heat td button").first.click()
    expect(page.locator(".matches tbody tr")).to_have_count(4)
    assert "a=" in page.url and "b=" in page.url
    chosen = page.get_by_label("First agent").evaluate("e => e.selectedOptions[0].textContent")
    assert all(chosen in text for text in page.locator(".matches tbody tr").all_inner_texts())
    page.reload()
    expect(page.locator(".matches tbody tr")).to_have_count(4)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".matches tbody tr")).to_have_count(12)


def test_the_rating_curve_is_drawn_when_it_comes_into_view(
    page: Any, site: str, store: Store
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(league_of(site, store))
    page.locator(".chart").scroll_into_view_if_needed()
    expect(page.locator(".chart .scatterlayer path.js-line").first).to_be_attached(timeout=30_000)
    assert all(url.startswith(site) for url in asked)


def test_a_live_league_updates_by_itself(page: Any, tmp_path: Path) -> None:
    league = make_league("live")
    store = fill(tmp_path / "live.db", league, [0])
    with visiting(page, Library(store.where)) as site:
        page.goto(f"{site}/leagues/{league.id}")
        expect(page.locator(".progress")).to_contain_text("3 of 12 matches")
        expect(page.locator(".ranking tbody tr").first).to_contain_text("4")
        page.evaluate("window.kept = true")
        for result in results(league, [1]):
            store.append(league, result)
        expect(page.locator(".progress")).to_contain_text("6 of 12 matches")
        expect(page.locator(".matches tbody tr")).to_have_count(6)
        expect(page.locator(".ranking tbody tr td:last-child").first).to_have_text("8")
        assert page.evaluate("window.kept") is True


def test_nothing_moves_while_a_league_loads(page: Any, site: str, store: Store) -> None:
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver(list => { for (const e of list.getEntries())"
        " window.shift += e.value; }).observe({ type: 'layout-shift', buffered: true });"
    )
    page.goto(league_of(site, store))
    expect(page.locator(".ranking tbody tr:not(.skeleton)")).to_have_count(3)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.1


def test_an_empty_store_says_what_to_do(page: Any, tmp_path: Path) -> None:
    with visiting(page, Library(str(tmp_path / "none.db"))) as site:
        page.goto(site)
        expect(page.locator("main")).to_contain_text("arena tournament run demo")


# -- a match and its replays -----------------------------------------------------------------------


def test_a_match_shows_duplicates_side_by_side(page: Any, site: str, store: Store) -> None:
    match, *_ = long_episode(store)
    page.goto(f"{site}/matches/{match}?league={store.find('tiny').league.id}")
    row = page.locator(".deals tbody tr").first
    expect(row.locator("a")).to_have_count(2)
    first, second, total = (
        float(text.replace("−", "-")) for text in row.locator("td.number").all_inner_texts()
    )
    assert first + second == pytest.approx(total)
    row.locator("a").last.click()
    expect(page.locator("svg.table")).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("seating 2 of 2")


def test_keys_step_through_a_replay(page: Any, site: str, store: Store) -> None:
    address, decisions = replay_of(site, store)
    page.goto(address)
    count = page.locator(".transport .count")
    expect(count).to_have_text(f"0 / {decisions}")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(count).to_have_text(f"2 / {decisions}")
    page.keyboard.press("ArrowLeft")
    expect(count).to_have_text(f"1 / {decisions}")
    page.keyboard.press("End")
    expect(count).to_have_text(f"{decisions} / {decisions}")
    expect(page.locator(".decision")).to_contain_text("Returns")
    page.keyboard.press("Home")
    expect(count).to_have_text(f"0 / {decisions}")
    page.get_by_label("Speed").select_option("16")
    page.locator("h1").click()
    page.keyboard.press(" ")
    expect(count).to_have_text(f"{decisions} / {decisions}")
    page.locator(".log button").nth(1).click()
    expect(count).to_have_text(f"1 / {decisions}")
    page.locator(".scrub").evaluate("e => { e.value = 2; e.dispatchEvent(new Event('input')); }")
    expect(count).to_have_text(f"2 / {decisions}")


def test_a_replay_says_first_what_came_of_it(page: Any, site: str, store: Store) -> None:
    match, deal, seating, _ = long_episode(store)
    episode = replay.read(store.match(match).replay, "match").episode(deal, seating)
    page.goto(replay_of(site, store)[0])
    expect(page.locator(".result b")).to_have_count(2)
    told = page.locator(".result b").all_inner_texts()
    shown = [float(text.replace("\N{MINUS SIGN}", "-").replace(",", "")) for text in told]
    assert shown == pytest.approx(episode.returns, abs=0.5)


def test_a_deep_link_opens_its_step_and_the_address_follows(
    page: Any, site: str, store: Store
) -> None:
    address, decisions = replay_of(site, store, "?step=2")
    page.goto(address)
    expect(page.locator(".transport .count")).to_have_text(f"2 / {decisions}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"[?&]step=1\b"))
    page.goto(address.replace("step=2", "step=9999"))
    expect(page.locator(".transport .count")).to_have_text(f"{decisions} / {decisions}")
    page.goto(address.replace("step=2", "step=x"))
    expect(page.locator(".transport .count")).to_have_text(f"0 / {decisions}")


def test_hasty_stepping_leaves_what_the_step_shows(page: Any, site: str, store: Store) -> None:
    shown = "() => [...document.querySelectorAll('svg.table text, svg.table .bet')].map(e =>"
    shown += " e.getClientRects().length ? e.textContent : '').join('|')"
    address, decisions = replay_of(site, store)
    last = min(decisions, 6)
    page.goto(f"{address}?step={last}")
    expect(page.locator(".transport .count")).to_have_text(f"{last} / {decisions}")
    expected = page.evaluate(shown)
    page.goto(address)
    expect(page.locator(".transport .count")).to_have_text(f"0 / {decisions}")
    for _ in range(3):
        page.keyboard.press("Home")
        for _ in range(last):
            page.keyboard.press("ArrowRight")
    page.wait_for_timeout(600)
    assert page.evaluate(shown) == expected


def test_a_seats_own_view_hides_the_others_cards(page: Any, site: str, store: Store) -> None:
    address, _ = replay_of(site, store)
    page.goto(address)
    expect(page.locator("svg.table .hole .back:visible")).to_have_count(0)
    page.get_by_label("View").select_option("0")
    page.wait_for_url(re.compile("seat=0"))
    expect(page.locator("svg.table .hole .back:visible")).to_have_count(2)


def test_probabilities_and_thoughts_are_shown(page: Any, site: str, store: Store) -> None:
    address, _ = replay_of(site, store)
    page.goto(address)
    while "321" not in page.locator(".decision").inner_text():
        page.keyboard.press("ArrowRight")
    pane = page.locator(".decision")
    expect(pane.locator(".legal li.chosen")).to_contain_text("75")
    expect(pane.locator(".notes").first).to_contain_text("tokens")


def test_markup_from_agents_is_shown_as_text(page: Any, site: str, store: Store) -> None:
    page.goto(league_of(site, store))
    expect(page.locator(".ranking")).to_contain_text(MARKUP)
    address, _ = replay_of(site, store, f"?league={store.find('tiny').league.id}")
    page.goto(address)
    expect(page.locator("h1")).to_contain_text(MARKUP)
    while MARKUP not in page.locator(".decision").inner_text():
        page.keyboard.press("ArrowRight")
    for summary in page.locator(".decision summary").all():
        summary.click()
    expect(page.locator(".decision")).to_contain_text("</script><script>")
    assert page.locator("main img").count() == 0
    assert page.title() != "broken"


def test_the_table_is_readable_on_a_phone(browser: Any, site: str, store: Store) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for address in (league_of(site, store), replay_of(site, store)[0], f"{site}/play"):
        page.goto(address)
        expect(page.locator("main section").first).to_be_visible()
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0
    page.goto(replay_of(site, store)[0])
    name = page.locator("svg.table .seat .name").first
    assert name.evaluate("e => e.getBoundingClientRect().height") >= 11
    context.close()


def test_a_bad_address_is_a_page_with_a_sentence(browser: Any, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/matches/<script>")
    expect(page.locator("main")).to_contain_text("holds no match")
    page.get_by_role("link", name="All leagues").click()
    expect(page.locator("h1")).to_have_text("Leagues")
    page.close()


@pytest.mark.parametrize(
    ("game", "players", "needs", "drawn"),
    [
        ("gymnasium?id=CartPole-v1", ["random"], "gymnasium", ".generic dl"),
        ("rtb?auctions=60", ["truthful", "shaded", "paced", "random"], "plotly", ".market tbody"),
        ("science_birds?drops=3", ["random"], "Box2D", ".birds .piece"),
        ("minihack?steps=10", ["random"], "nle", ".terminal-screen .map"),
    ],
)
def test_every_game_is_drawn(
    page: Any, tmp_path: Path, game: str, players: list[str], needs: str, drawn: str
) -> None:
    pytest.importorskip(needs, reason=f"{game} needs {needs}")
    league, result = play_match(game, players)
    store = Store(str(tmp_path / "game.db"), create=True)
    store.add_league(league)
    store.append(league, result)
    with visiting(page, Library(store.where)) as site:
        page.goto(f"{site}/matches/{result.match.id}/deals/0/0?league={league.id}")
        count = page.locator(".transport .count")
        expect(count).to_contain_text("0 /")
        page.keyboard.press("ArrowRight")
        expect(page.locator(drawn).first).to_be_visible()
        page.keyboard.press("End")
        expect(page.locator(".decision")).to_contain_text("Returns")
        page.wait_for_load_state("networkidle")


# -- hands, a person, exports ----------------------------------------------------------------------


def test_hand_histories_are_listed_and_replayed(page: Any, tmp_path: Path) -> None:
    from test_viewer_app import PHH

    path = tmp_path / "hands.phhs"
    path.write_text(f"[1]\n{PHH}[2]\n{PHH}")
    with visiting(page, Library(str(tmp_path / "none.db")), Hands(path)) as site:
        page.goto(f"{site}/hands")
        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page.locator("tbody")).to_contain_text("<b>Bob</b>")
        page.get_by_role("link", name="2", exact=True).click()
        expect(page.locator("svg.table .seat").first).to_be_visible()
        expect(page.locator(".transport .count")).to_have_text("0 / 4")
        page.keyboard.press("End")
        expect(page.locator(".decision")).to_contain_text("Won and lost, chips")
        expect(page.locator("svg.table .tag.win")).to_contain_text("+4")


def test_a_person_plays_a_hand(page: Any, tmp_path: Path) -> None:
    where = str(tmp_path / "new.db")
    with visiting(page, Library(where)) as site:
        page.goto(f"{site}/play")
        page.get_by_label("Opponent").fill("call")
        page.get_by_role("button", name="Take a seat").click()
        expect(page.locator("svg.table")).to_be_visible()
        done = page.get_by_role("button", name="Next", exact=True)
        ready = page.locator(".actions button:enabled")
        for _ in range(10):
            expect(ready.first).to_be_visible()
            if done.count():
                break
            page.locator(".actions .controls button", has_text=re.compile("^C")).click()
            page.wait_for_timeout(100)
        expect(done).to_be_visible()
        page.get_by_role("link", name="Replay of everything").click()
        expect(page.locator("svg.table")).to_be_visible()
    (id,) = Store(where).match_ids()
    assert replay.verify(replay.read(Store(where).match(id).replay, "hand")) == []


def test_nobody_is_seated_at_another_game_than_the_one_named(browser: Any, tmp_path: Path) -> None:
    page = browser.new_page()  # not the watched one: a refusal is a line in the console
    with visiting(page, Library(str(tmp_path / "new.db"))) as site:
        page.goto(f"{site}/play")
        page.get_by_label("Game").fill("holdm")
        page.get_by_label("Game").press("Tab")
        note = page.get_by_role("alert")
        expect(note).to_contain_text("did you mean 'holdem'?")
        with page.expect_response("**/api/play*") as answer:
            page.get_by_role("button", name="Take a seat").click()
        assert answer.value.status == 422
        page.get_by_label("Game").fill("kuhn")
        page.get_by_label("Game").press("Tab")
        expect(page.get_by_role("button", name="Take a seat")).to_be_enabled()
        page.get_by_role("button", name="Take a seat").click()
        expect(page.get_by_role("button", name="Bet", exact=True)).to_be_visible()
    page.close()


@pytest.mark.parametrize(
    ("game", "button"),
    [
        ("rtb?auctions=40", "Bid 1 × worth"),
        ("gridworld?rooms=1", "East"),
        ("kuhn", "Bet"),
        ("science_birds", "7"),
        ("minihack", "East"),
        ("holdem?seats=6", "Fold"),
    ],
)
def test_a_person_plays_every_game(page: Any, tmp_path: Path, game: str, button: str) -> None:
    """With the opponents that stand there, and by the controls that the game brings."""
    if game == "minihack":
        pytest.importorskip("nle")
    if game == "science_birds":
        pytest.importorskip("Box2D")
    page.set_default_timeout(60_000)
    with visiting(page, Library(str(tmp_path / "arena.db"))) as address:
        page.goto(f"{address}/play")
        page.get_by_label("Game").fill(game)
        page.get_by_label("Game").press("Tab")
        expect(page.get_by_role("button", name="Take a seat")).to_be_enabled()
        page.get_by_role("button", name="Take a seat").click()
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(".facts")).to_contain_text("total")
        expect(page.locator(".actions")).not_to_contain_text("The others are to act")
        expect(page.locator(".note:visible")).to_have_count(0)


def test_a_plugins_drawing_draws_and_has_its_controls(
    page: Any, nim_plugin: Path, tmp_path: Path
) -> None:
    where = str(tmp_path / "new.db")
    with visiting(page, Library(where)) as site:
        page.goto(f"{site}/play")
        page.get_by_label("Game").fill("nim")
        page.get_by_label("Game").blur()
        expect(page.get_by_label("Opponent")).to_have_value("first")
        page.get_by_role("button", name="Take a seat").click()
        for _ in range(20):
            expect(page.locator(".actions button:enabled").first).to_be_visible()
            if page.get_by_role("button", name="Next", exact=True).count():
                break
            page.get_by_role("button", name="●", exact=True).click()
            page.wait_for_timeout(100)
        page.get_by_role("link", name="Replay of everything").click()
        expect(page.locator("p.nim")).to_have_text(re.compile("^●+$"))
    (id,) = Store(where).match_ids()
    file = tmp_path / "replay.html"
    export.single(Library(where).replay(id), file)
    page.goto(f"file://{file}#deal=0&seating=0")
    expect(page.locator("p.nim")).to_have_text(re.compile("^●+$"))


def test_an_exported_replay_opens_from_disk(page: Any, store: Store, tmp_path: Path) -> None:
    match, deal, seating, decisions = long_episode(store)
    file = tmp_path / "replay.html"
    export.single(Library(store.where).replay(match), file)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"file://{file}")
    page.locator(".deals td a").first.click()
    expect(page.locator("svg.table")).to_be_visible()
    page.goto(f"file://{file}#deal={deal}&seating={seating}&step=1")
    expect(page.locator(".transport .count")).to_have_text(f"1 / {decisions}")
    page.keyboard.press("End")
    expect(page.locator(".transport .count")).to_have_text(f"{decisions} / {decisions}")
    page.get_by_label("View").select_option("0")
    expect(page.locator(".transport .count")).to_have_text(f"{decisions} / {decisions}")
    assert {url.split(":")[0] for url in asked} <= {"file", "data"}


def test_an_exported_site_opens_from_disk(page: Any, store: Store, tmp_path: Path) -> None:
    list(export.site(Library(store.where), "tiny", tmp_path / "site"))
    page.goto(f"file://{tmp_path / 'site' / 'index.html'}")
    expect(page.locator(".ranking tbody tr:not(.skeleton)")).to_have_count(3)
    page.locator(".chart").scroll_into_view_if_needed()
    expect(page.locator(".chart .scatterlayer path.js-line").first).to_be_attached(timeout=30_000)
    page.locator(".ranking .agent a").first.click()
    page.locator(".telling a").first.click()
    expect(page.locator("svg.table")).to_be_visible()
    page.go_back()
    page.go_back()
    page.locator(".heat td button").first.click()
    expect(page.locator(".matches tbody tr")).to_have_count(4)
    page.locator(".matches tbody a").first.click()
    page.locator(".deals td a").first.click()
    expect(page.locator("svg.table")).to_be_visible()
    page.get_by_role("link", name="League").click()
    expect(page.locator("h1")).to_have_text("tiny")
