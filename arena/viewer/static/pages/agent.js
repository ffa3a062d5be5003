// An agent of a league: who it is, how strong, against whom, and the deals that show it.

import { get } from "../api.js";
import { empty, h, section } from "../dom.js";
import { amount, count, half, share, tone, whole } from "../format.js";
import { agentUrl, leagueUrl, served } from "../place.js";
import { telling } from "../telling.js";

export async function show(main, page) {
  const path = `/api/leagues/${page.league}`;
  const [league, agent] = await Promise.all([get(path), get(`${path}/agents/${page.agent}`)]);
  const names = Object.fromEntries(league.agents.map((one) => [one.key, one.name]));
  main.append(head(league, agent));
  if (!agent.standing) {
    main.append(empty("It has not finished a match yet."));
    return;
  }
  main.append(
    h(
      "div",
      { class: "pair" },
      section("Against each opponent", null, opponents(agent, names, league.id)),
      section(
        "Deals that tell most",
        null,
        telling(agent.telling, names, league, agent.key),
        h("p", { class: "small muted" }, "What it earned on a deal in all seats, less what the other did with the same cards."),
      ),
    ),
    ...lost(agent.standing),
  );
}

function head(league, agent) {
  return h(
    "div",
    { class: "head" },
    h("div", { class: "crumbs" }, h("a", { href: leagueUrl(league.id) }, league.name)),
    h("h1", {}, agent.name),
    h(
      "div",
      { class: "facts" },
      h("span", {}, h("code", {}, agent.spec)),
      agent.checkpoint && h("span", { title: agent.checkpoint }, `checkpoint ${agent.checkpoint.slice(0, 12)}`),
      served && h("a", { href: `${leagueUrl(league.id)}?a=${agent.key}#matches` }, "its matches"),
    ),
    agent.standing && strength(agent),
  );
}

function strength({ standing, of, session, unit }) {
  const { rank, rank_low: low, rank_high: high, rating } = standing;
  const between = low === high ? "" : `, at 95 % between ${low} and ${high}`;
  const known = rating.low === null ? "" : ` (${whole(rating.low)} to ${whole(rating.high)})`;
  const won = session > 1 ? `sessions of ${session} deals` : "deals";
  return h(
    "p",
    { class: "strength" },
    h("b", {}, `Rank ${rank} of ${of}`),
    `${between}. Rating ${whole(rating.value)}${known}. It wins `,
    h("b", {}, share(standing.win_rate.value)),
    ` of ${won} and earns `,
    h("b", { class: tone(standing.payoff.value) }, amount(standing.payoff.value)),
    ` ${half(standing.payoff)} ${unit}, from ${count(standing.deals, "deal")}.`,
  );
}

function opponents(agent, names, league) {
  if (!agent.opponents.length) return empty("It has met nobody yet.");
  const rows = [...agent.opponents].sort((a, b) => b.payoff.value - a.payoff.value);
  const heads = ["Opponent", agent.unit, "wins", "so it is"];
  return h(
    "div",
    { class: "scroll", tabindex: 0 },
    h(
      "table",
      { class: "opponents" },
      h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: ["", "number", "number", "extra"][i] }, text)))),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            h("td", {}, h("a", { href: agentUrl(league, row.agent) }, names[row.agent])),
            h("td", { class: "number" }, h("span", { class: tone(row.payoff.value) }, amount(row.payoff.value)), " ", h("span", { class: "half" }, half(row.payoff))),
            h("td", { class: "number" }, share(row.win_rate.value)),
            h("td", { class: "muted extra" }, verdict(row.payoff)),
          ),
        ),
      ),
    ),
  );
}

function verdict({ low, high }) {
  if (low !== null && low > 0) return "stronger";
  return high !== null && high < 0 ? "weaker" : "perhaps even";
}

function lost({ forfeits, episodes }) {
  const kinds = Object.entries(forfeits).filter(([, number]) => number);
  if (!kinds.length) return [];
  const words = kinds.map(([kind, number]) => `${number.toLocaleString("en")} ${kind}`).join(", ");
  return [section("Forfeits", null, h("p", {}, `${words}, of ${count(episodes, "episode")}.`))];
}
