// The deals that tell most, each a link to its replay.

import { empty, h } from "./dom.js";
import { amount } from "./format.js";
import { replayUrl } from "./place.js";

/** A list of deals. `names` are by agents' keys, `league` what is known of the league, `agent` the one from whose side they are told. */
export function telling(deals, names, league, agent = null) {
  if (!deals.length) return empty("No deal tells anybody apart yet.");
  return h("ol", { class: "telling" }, deals.map((deal) => h("li", {}, line(deal, names, league, agent))));
}

/** One deal as a link: who did better, by how much, and where. */
export function line(deal, names, league, agent = null) {
  const href = replayUrl(deal.match, deal.deal, deal.seating, league.id);
  const lost = agent === deal.worst;
  const words = agent
    ? [lost ? "lost to " : "beat ", names[lost ? deal.best : deal.worst]]
    : [names[deal.best], " beat ", names[deal.worst]];
  return [
    h("a", { href }, `Deal ${deal.number}`),
    h("span", {}, ": ", words, " by "),
    h("span", { class: agent && (lost ? "loss" : "gain") }, amount(deal.swing).replace("+", "")),
    h("span", { class: "muted" }, ` ${league.return_unit}`),
  ];
}
