// All leagues of the store, and what was opened beside it.

import { get } from "../api.js";
import { empty, h, section, select } from "../dom.js";
import { count, day } from "../format.js";
import { line } from "../telling.js";
import { agentUrl, keep, leagueUrl, matchUrl, parameters } from "../place.js";

export async function show(main) {
  main.append(
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Leagues"),
      h("p", { class: "muted" }, "Agents play each other on the same deals, and are ranked so that the ranking can be believed. Every match can be watched."),
    ),
  );
  const data = await get("/api/leagues");
  if (data.hands) main.append(hands(data.hands));
  if (data.replay) main.append(replay(data.replay));
  const featured = h("div");
  main.append(featured, leagues(data));
  // The newest leagues say who leads them, as soon as that is computed: one after the other, for it may take long.
  for (const [place, league] of data.leagues.slice(0, LED).entries()) {
    if (!league.matches) continue;
    const summary = await get(`/api/leagues/${league.id}/summary`);
    lead(league, summary);
    if (summary.telling && !featured.childElementCount) featured.append(feature(league, summary, place === 0));
  }
}

function hands(facts) {
  const text = `${count(facts.hands, "hand")}, ${count(facts.players.length, "player")}`;
  return section(facts.file, h("a", { class: "button primary", href: "/hands" }, "Look at the hands"), h("p", { class: "muted" }, text));
}

function replay(match) {
  const names = match.agents.map((agent) => agent.name).join(" against ");
  const open = h("a", { class: "button primary", href: matchUrl(match.id) }, "Look at the deals");
  return section("Opened replay", open, h("p", { class: "muted" }, `${names}, ${count(match.episodes.length, "episode")} of ${match.game}`));
}

const LED = 12;
const leaders = new Map();

function lead(league, { leader }) {
  const name = leader && league.agents.find((agent) => agent.key === leader.agent)?.name;
  if (!name) return;
  const shared = leader.rank_high > 1 && h("span", { class: "muted small" }, " not clearly");
  leaders.set(league.id, h("span", {}, h("a", { href: agentUrl(league.id, leader.agent) }, name), shared));
  document.getElementById(`leader-${league.id}`)?.replaceChildren(leaders.get(league.id));
}

function feature(league, { telling }, newest) {
  const names = Object.fromEntries(league.agents.map((agent) => [agent.key, agent.name]));
  const words = h("p", {}, line(telling, names, league), h("span", { class: "muted" }, ` in ${league.name}`));
  return section(newest ? "The most telling deal of the newest league" : "A telling deal", null, words);
}

function leagues(data) {
  const families = [...new Set(data.leagues.map((league) => league.family))].sort();
  const body = h("tbody");
  const chosen = parameters().get("game") ?? "";

  function fill(family) {
    const rows = data.leagues.filter((league) => !family || league.family === family);
    body.replaceChildren(...rows.map(row));
  }

  if (!data.leagues.length) {
    return h(
      "section",
      {},
      empty("No league has been played yet.", `Play the demo, then look at this page again (store: ${data.store}).`, "arena tournament run demo"),
    );
  }
  fill(chosen);
  const filter =
    families.length > 1 &&
    select("Game", [["", "All games"], ...families.map((f) => [f, f])], chosen, (family) => {
      keep({ game: family });
      fill(family);
    });
  const heads = ["League", "Leader", "Game", "Agents", "Matches", "Started"];
  return section(
    count(data.leagues.length, "league"),
    filter,
    h(
      "div",
      { class: "scroll", tabindex: 0 },
      h(
        "table",
        { class: "leagues" },
        h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: ["", "", "extra", "number extra", "number", "extra"][i] }, text)))),
        body,
      ),
    ),
  );
}

const NAMED = 4;

function who(league) {
  const names = league.agents.slice(0, NAMED).map((agent) => agent.name);
  const more = league.agents.length - names.length;
  return names.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function row(league) {
  const running = league.total !== null && league.matches < league.total;
  const matches = running ? `${league.matches.toLocaleString("en")} of ${league.total.toLocaleString("en")}` : league.matches.toLocaleString("en");
  return h(
    "tr",
    {},
    h("td", {}, h("a", { href: leagueUrl(league.id) }, league.name), h("div", { class: "muted small" }, who(league))),
    h("td", { id: `leader-${league.id}` }, leaders.get(league.id) ?? ""),
    h("td", { class: "game extra" }, league.game),
    h("td", { class: "number extra" }, String(league.agents.length)),
    h("td", { class: "number" }, matches),
    h("td", { class: "muted extra" }, day(league.created)),
  );
}
