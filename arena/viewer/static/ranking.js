// The ranking, its intervals as bars on one scale. Sortable, and filtered by the agents' names.

import { h, s, section } from "./dom.js";
import { amount, count, half, share, whole } from "./format.js";
import { agentUrl } from "./place.js";

const COLUMNS = [
  { id: "rank", title: "Rank", class: "rank", value: (row) => row.rank, up: true },
  { id: "agent", title: "Agent", class: "agent", value: (row, names) => names[row.agent].toLowerCase(), up: true },
  { id: "rating", title: "Rating", class: "number", value: (row) => row.rating.value },
  { id: "interval", title: null, class: "interval" },
  { id: "win", title: "Win rate", class: "number extra", value: (row) => row.win_rate.value },
  { id: "payoff", title: "Payoff", class: "number extra", value: (row) => row.payoff.value },
  { id: "nash", title: "Against Nash", class: "number extra", value: (row) => row.nash?.value ?? null },
  { id: "deals", title: "Deals", class: "number extra", value: (row) => row.deals },
];

export class Ranking {
  constructor(league, names) {
    this.names = names;
    this.league = league.id;
    this.order = { id: "rank", up: true };
    this.filter = "";
    this.data = null;
    this.body = h("tbody");
    this.row = h("tr");
    const search = h("input", {
      type: "search",
      placeholder: "Filter agents",
      "aria-label": "Filter agents",
      oninput: () => {
        this.filter = search.value.trim().toLowerCase();
        this.draw();
      },
    });
    this.table = h("table", { class: "ranking" }, h("thead", {}, this.row), this.body);
    this.place = h("div", { class: "scroll", tabindex: 0 }, this.table);
    this.text = h("p", { class: "small muted" });
    this.element = section("Ranking", league.agents.length > 5 && search, this.place, this.text);
    // As many rows as there will be: nothing moves when the numbers come.
    this.body.replaceChildren(
      ...league.agents.map(() => h("tr", { class: "skeleton" }, COLUMNS.map((column) => h("td", { class: column.class }, h("i"))))),
    );
    this.heads(null);
  }

  /** Show a message until there is a ranking. */
  wait(message) {
    this.place.replaceChildren(message);
  }

  show(data) {
    this.data = data;
    this.place.replaceChildren(this.table);
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const { standings } = this.data;
    const scale = new Scale(standings);
    this.heads(scale);
    this.explain();
    const column = COLUMNS.find((c) => c.id === this.order.id);
    const rows = standings.filter((row) => `${this.names[row.agent]} ${row.spec}`.toLowerCase().includes(this.filter));
    rows.sort((a, b) => compare(column.value(a, this.names), column.value(b, this.names)) * (this.order.up ? 1 : -1) || a.rank - b.rank);
    this.body.replaceChildren(...rows.map((row) => this.line(row, scale)));
    if (!rows.length) this.body.append(h("tr", {}, h("td", { colspan: COLUMNS.length, class: "muted" }, "No agent's name contains that.")));
  }

  explain() {
    const { deals, session } = this.data;
    const won = session > 1 ? `Who is ahead after a session of ${session} deals has won it.` : "Who earns more on a deal has won it.";
    this.text.textContent = `From ${count(deals, "deal")}. ${won} Bars and ± are 95 % intervals.`;
  }

  title(column) {
    if (!this.data) return column.title;
    if (column.id === "payoff") return this.data.unit;
    return column.id === "win" && this.data.session > 1 ? "Sessions won" : column.title;
  }

  heads(scale) {
    const focused = document.activeElement?.closest?.("th")?.dataset.column;
    this.row.replaceChildren(
      ...COLUMNS.map((column) => {
        if (column.title === null) return h("th", { class: column.class, "aria-label": "95 % interval" }, scale && scale.axis());
        const sorted = this.order.id === column.id;
        const text = this.title(column);
        const sort = sorted && (this.order.up ? "ascending" : "descending");
        const press = () => {
          this.order = { id: column.id, up: sorted ? !this.order.up : Boolean(column.up) };
          this.draw();
        };
        const title = column.id === "rank" ? "With the ranks that are possible: all agents' hold together at 95 %" : null;
        const th = h("th", { class: column.class, "aria-sort": sort, title }, h("button", { type: "button", onclick: press }, text));
        th.dataset.column = column.id;
        return th;
      }),
    );
    if (focused) this.row.querySelector(`th[data-column="${focused}"] button`)?.focus();
  }

  line(row, scale) {
    const open = row.rank_low === row.rank_high ? "" : `${row.rank_low}–${row.rank_high}`;
    const name = this.names[row.agent];
    return h(
      "tr",
      {},
      h("td", { class: "rank" }, h("b", {}, String(row.rank)), open && h("span", { title: `possible ranks, all agents' together at 95 %; by itself ${row.own_rank_low}–${row.own_rank_high}` }, open)),
      h("td", { class: "agent" }, h("a", { href: agentUrl(this.league, row.agent), title: name }, name), name !== row.spec && h("span", { title: row.spec }, row.spec)),
      h("td", { class: "number" }, h("b", {}, whole(row.rating.value))),
      h("td", { class: "interval" }, scale.bar(row.rating, name)),
      h("td", { class: "number extra" }, share(row.win_rate.value), h("span", { class: "half" }, half(row.win_rate, 100, 1))),
      h("td", { class: "number extra" }, amount(row.payoff.value), h("span", { class: "half" }, half(row.payoff))),
      h("td", { class: "number extra" }, amount(row.nash?.value), row.nash && h("span", { class: "half" }, half(row.nash))),
      h("td", { class: "number extra" }, row.deals.toLocaleString("en"), !row.settled && h("span", { title: "fewer deals than a session: it changes nothing for the others" }, "*")),
    );
  }
}

function compare(a, b) {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  return a < b ? -1 : 1;
}

const GAP = 700;

/** The ends of a scale of ratings. Who is lost far below all others does not squeeze them together. */
export function span(ratings) {
  const order = [...ratings].sort((a, b) => b.value - a.value);
  const lost = order.findIndex((r, i) => i > 0 && order[i - 1].value - r.value > GAP);
  const kept = lost < 0 ? order : order.slice(0, lost);
  const known = (x, otherwise) => (x === null ? otherwise : x);
  // An interval may be far longer than all others: the scale follows it only so far.
  const low = Math.min(1450, ...kept.map((r) => Math.max(known(r.low, r.value), r.value - GAP / 2)));
  const high = Math.max(1550, ...kept.map((r) => Math.min(known(r.high, r.value), r.value + GAP / 2)));
  const margin = (high - low) * 0.05;
  return [low - margin, high + margin];
}

class Scale {
  constructor(standings) {
    [this.low, this.high] = span(standings.map(({ rating }) => rating));
    const steps = [25, 50, 100, 200, 250, 500, 1000, 2000];
    const step = steps.find((x) => (this.high - this.low) / x <= 5) ?? 5000;
    this.ticks = [];
    for (let tick = Math.ceil(this.low / step) * step; tick <= this.high; tick += step) this.ticks.push(tick);
  }

  at(value) {
    const share = (value - this.low) / (this.high - this.low);
    return `${(100 * Math.max(0, Math.min(1, share))).toFixed(2)}%`;
  }

  axis() {
    return s("svg", { class: "axis", "aria-hidden": "true" }, this.ticks.map((tick) => s("text", { x: this.at(tick), y: 11 }, String(tick))));
  }

  bar(rating, name) {
    const known = rating.low !== null && rating.high !== null;
    const words = known ? `between ${whole(rating.low)} and ${whole(rating.high)}` : "not known from so few deals";
    return s(
      "svg",
      { role: "img", "aria-label": `${name}: rating ${whole(rating.value)}, ${words}` },
      s("title", {}, `${whole(rating.value)}, ${words} (95 %)`),
      this.ticks.map((tick) => s("line", { class: "grid", x1: this.at(tick), x2: this.at(tick), y1: 0, y2: "100%" })),
      s("line", {
        class: known ? "range" : "range unknown",
        x1: known ? this.at(rating.low) : "0%",
        x2: known ? this.at(rating.high) : "100%",
        y1: "50%",
        y2: "50%",
      }),
      rating.value >= this.low
        ? s("circle", { class: "value", cx: this.at(rating.value), cy: "50%", r: 4.5 })
        : s("path", { class: "value", d: "M0 14l9-5.500v11z" }),
    );
  }
}
