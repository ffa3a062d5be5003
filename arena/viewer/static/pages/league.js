// A league: ranking, who beats whom, how the ratings came about, forfeits, matches.

import { get } from "../api.js";
import { empty, h, section } from "../dom.js";
import { count, day } from "../format.js";
import { forfeits } from "../forfeits.js";
import { Heat } from "../heat.js";
import { History } from "../history.js";
import { MatchList } from "../matches.js";
import { homeUrl, served } from "../place.js";
import { Ranking } from "../ranking.js";
import { telling } from "../telling.js";

export async function show(main, page) {
  const path = `/api/leagues/${page.league}`;
  let league = await get(path);
  const names = Object.fromEntries(league.agents.map((agent) => [agent.key, agent.name]));

  const progress = h("div", { class: "progress", "aria-live": "off" });
  const alarms = h("div");
  const ranking = new Ranking(league, names);
  const matches = new MatchList(league, names);
  const heat = new Heat(names, (a, b) => matches.choose(a, b));
  const chart = new History(league, names);
  const lost = h("div");
  const notable = h("div");

  main.append(head(league, progress), alarms, ranking.element);
  if (league.matches === 0) {
    ranking.wait(empty("No match has ended yet.", "The first results appear here by themselves."));
  }
  main.append(h("div", { class: "pair" }, heat.element, chart.element), notable, lost, matches.element);
  showProgress(progress, league, false);

  let busy = false;
  let behind = false;
  async function refresh() {
    if (busy) {
      behind = true;
      return;
    }
    busy = true;
    do {
      behind = false;
      const begun = performance.now();
      const data = await get(`${path}/ranking`);
      alarms.replaceChildren(...data.warnings.map((text) => h("p", { class: "note", role: "alert" }, text)));
      if (data.standings.length) ranking.show(data);
      heat.show(data);
      chart.show();
      lost.replaceChildren(forfeits(data, names, league.id));
      const deals = telling(await get(`${path}/telling`), names, league);
      notable.replaceChildren(section("Deals that tell most", null, deals));
      await matches.show();
      // A large league's ranking takes a while: leave most of the machine to those who play it.
      if (behind) await new Promise((done) => setTimeout(done, 3 * (performance.now() - begun)));
    } while (behind);
    busy = false;
  }

  const drawn = league.matches ? refresh() : Promise.resolve();
  if (!served) return drawn.then(() => null);
  await drawn;
  const events = new EventSource(`${path}/events`);
  events.onmessage = (event) => {
    const { matches: now } = JSON.parse(event.data);
    const grown = now !== league.matches;
    league = { ...league, matches: now };
    showProgress(progress, league, grown);
    if (grown) refresh().catch((error) => alarms.replaceChildren(h("p", { class: "note" }, error.message)));
  };
  return () => events.close();
}

function head(league, progress) {
  const schedule = Object.entries(league.schedule)
    .map(([name, value]) => (name === "kind" ? value : `${name.replaceAll("_", " ")} ${value}`))
    .join(", ");
  const home = homeUrl();
  return h(
    "div",
    { class: "head" },
    home && h("div", { class: "crumbs" }, h("a", { href: home }, "All leagues")),
    h("h1", {}, league.name),
    h(
      "div",
      { class: "facts" },
      h("span", {}, league.game),
      h("span", {}, count(league.agents.length, "agent")),
      h("span", {}, schedule),
      league.clock && h("span", {}, `clock ${league.clock} s`),
      h("span", {}, `started ${day(league.created)}`),
    ),
    progress,
  );
}

function showProgress(element, league, live) {
  const { matches, total } = league;
  const done = matches.toLocaleString("en");
  if (total === null || matches >= total) {
    element.replaceChildren(h("span", {}, `${done} ${matches === 1 ? "match" : "matches"}${total === null ? "" : ", complete"}`));
    return;
  }
  element.replaceChildren(
    h("progress", { max: total, value: matches, "aria-label": "Matches played" }),
    h("span", { class: live && "live" }, `${done} of ${total.toLocaleString("en")} matches`),
  );
}
