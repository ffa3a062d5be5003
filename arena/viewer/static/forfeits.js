// Forfeits stand apart: a lost hand and a crash are different news.

import { h, section } from "./dom.js";
import { percent } from "./format.js";
import { agentUrl } from "./place.js";

const KINDS = ["illegal", "crash", "timeout"];

export function forfeits(data, names, league) {
  const total = (row) => KINDS.reduce((sum, kind) => sum + row.forfeits[kind], 0);
  const rows = data.standings.filter((row) => total(row) > 0).sort((a, b) => total(b) - total(a));
  if (!rows.length) return section("Forfeits", h("p", {}, "Nobody has forfeited an episode."));
  const heads = ["Agent", "Illegal", "Crash", "Timeout", "Of all its episodes"];
  return section(
    "Forfeits",
    h("p", {}, "Lost, and counted apart from what was played."),
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
          rows.map((row) =>
            h(
              "tr",
              {},
              h("td", {}, h("a", { href: agentUrl(league, row.agent) }, names[row.agent])),
              KINDS.map((kind) => h("td", { class: "number" }, row.forfeits[kind] ? row.forfeits[kind].toLocaleString("en") : "–")),
              h("td", { class: "number" }, percent(total(row) / row.episodes)),
            ),
          ),
        ),
      ),
    ),
  );
}
