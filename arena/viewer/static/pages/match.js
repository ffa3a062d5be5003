// A match: every deal with its seatings side by side, as they share cards and luck.

import { get } from "../api.js";
import { h, section, select } from "../dom.js";
import { amount, count, digitsFor, signed, tone } from "../format.js";
import { pager } from "../matches.js";
import { homeUrl, leagueUrl, replayUrl } from "../place.js";

const PAGE = 100;

export async function show(main, page) {
  const match = await get(`/api/matches/${page.match}`, { league: page.league });
  const home = homeUrl();
  const up = page.league && leagueUrl(page.league);
  main.append(
    h(
      "div",
      { class: "head" },
      h("div", { class: "crumbs" }, home && [h("a", { href: home }, "Leagues"), "/"], up && [h("a", { href: up }, "League"), "/"], h("span", {}, `match ${match.id}`)),
      h("h1", {}, match.agents.map((agent) => agent.name).join(" – ")),
      h(
        "div",
        { class: "facts" },
        h("span", {}, match.game),
        h("span", {}, count(match.episodes.length, "episode")),
        h("span", {}, count(match.decisions, "decision")),
      ),
    ),
    totals(match),
    deals(match, page.league),
  );
}

function seatOf(match, seating, entrant) {
  return match.seatings[seating].indexOf(entrant);
}

function totals(match) {
  const rows = match.agents.map((agent, entrant) => {
    const own = match.episodes.filter((e) => seatOf(match, e.seating, entrant) >= 0);
    const sum = own.reduce((total, e) => total + e.returns[seatOf(match, e.seating, entrant)], 0);
    const lost = own.filter((e) => e.statuses[seatOf(match, e.seating, entrant)] !== "done").length;
    return { agent, mean: (match.unit_scale * sum) / Math.max(1, own.length), episodes: own.length, lost };
  });
  const heads = ["Agent", match.unit, "Episodes", "Forfeits"];
  return section(
    "Result",
    null,
    h(
      "div",
      { class: "scroll", tabindex: 0 },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: i > 0 && "number" }, text)))),
        h(
          "tbody",
          {},
          rows.map(({ agent, mean, episodes, lost }) =>
            h(
              "tr",
              {},
              h("td", {}, agent.name, agent.name !== agent.spec && h("span", { class: "muted small" }, ` ${agent.spec}`)),
              h("td", { class: `number ${tone(mean)}` }, amount(mean)),
              h("td", { class: "number" }, String(episodes)),
              h("td", { class: "number" }, lost ? h("span", { class: "badge bad" }, String(lost)) : "–"),
            ),
          ),
        ),
      ),
    ),
  );
}

function deals(match, league) {
  const byDeal = new Map();
  for (const episode of match.episodes) {
    if (!byDeal.has(episode.deal)) byDeal.set(episode.deal, []);
    byDeal.get(episode.deal)[episode.seating] = episode;
  }
  const all = [...byDeal.entries()];
  const solo = match.seatings[0].length === 1;
  const place = h("div");
  let entrant = 0;
  let page = 0;
  const largest = Math.max(0, ...match.episodes.flatMap((e) => e.returns.map(Math.abs)));
  const digits = Math.max(1, digitsFor(largest));

  function cell(episode, seating) {
    if (!episode) return h("td", {}, "–");
    const seat = solo ? 0 : seatOf(match, seating, entrant);
    const value = episode.returns[seat];
    const bad = episode.statuses.find((status) => status !== "done");
    const words = `${signed(value, digits)}`;
    return h(
      "td",
      { class: "number" },
      bad && h("span", { class: "badge bad" }, bad),
      " ",
      h("a", { href: replayUrl(match.id, episode.deal, seating, league), class: tone(value) || "muted", "aria-label": `deal ${match.first_deal + episode.deal}, seating ${seating + 1}: ${words}, replay` }, words),
    );
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(all.length / PAGE));
    const heads = match.seatings.map((seating, i) => {
      const who = solo ? match.agents[seating[0]].name : `Seating ${i + 1}`;
      const where = solo ? null : `seat ${seatOf(match, i, entrant) + 1}`;
      return h("th", { class: "number", scope: "col" }, who, where && h("span", { class: "muted" }, `, ${where}`));
    });
    const rows = all.slice(page * PAGE, (page + 1) * PAGE).map(([deal, episodes]) => {
      const net = episodes.reduce((sum, e) => sum + e.returns[seatOf(match, e.seating, entrant)], 0);
      return h(
        "tr",
        {},
        h("td", {}, String(match.first_deal + deal)),
        match.seatings.map((_, seating) => cell(episodes[seating], seating)),
        !solo && match.seatings.length > 1 && h("td", { class: `number net ${tone(net)}` }, signed(net, digits)),
      );
    });
    place.replaceChildren(
      h(
        "div",
        { class: "scroll", tabindex: 0 },
        h(
          "table",
          { class: "deals" },
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Deal"), heads, !solo && match.seatings.length > 1 && h("th", { class: "number", scope: "col" }, "Sum"))),
          h("tbody", {}, rows),
        ),
      ),
      pager({ page, pages }, count(all.length, "deal"), (next) => {
        page = next;
        draw();
      }),
    );
  }

  draw();
  const who =
    !solo &&
    h(
      "label",
      { class: "inline" },
      h("span", { class: "muted" }, "Returns of"),
      select("Returns of", match.agents.map((agent, i) => [String(i), agent.name]), "0", (value) => {
        entrant = Number(value);
        draw();
      }),
    );
  const hint = solo ? "Everyone plays the same deals. A number leads to its replay." : "Every deal is played in each seating with the same cards. A number leads to its replay.";
  return section("Deals", who, h("p", { class: "small muted" }, hint), place);
}
