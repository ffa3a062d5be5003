// All leagues of the store, and what was opened beside it.

import { get } from "../api.js";
import { empty, h, section, select } from "../dom.js";
import { count, day } from "../format.js";
import { keep, leagueUrl, matchUrl, parameters } from "../place.js";

export async function show(main) {
  main.append(h("div", { class: "head" }, h("h1", {}, "Leagues")));
  const data = await get("/api/leagues");
  if (data.hands) main.append(hands(data.hands));
  if (data.replay) main.append(replay(data.replay));
  main.append(leagues(data));
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
  const heads = ["League", "Game", "Agents", "Matches", "Started"];
  return section(
    count(data.leagues.length, "league"),
    filter,
    h(
      "div",
      { class: "scroll" },
      h(
        "table",
        { class: "leagues" },
        h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: ["", "", "number extra", "number", "extra"][i] }, text)))),
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
    h("td", { class: "game" }, league.game),
    h("td", { class: "number extra" }, String(league.agents.length)),
    h("td", { class: "number" }, matches),
    h("td", { class: "muted extra" }, day(league.created)),
  );
}
