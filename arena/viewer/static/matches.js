// A league's matches, newest first: filtered by who played and by forfeits.

import { get } from "./api.js";
import { empty, h, section, select } from "./dom.js";
import { amount, count, tone } from "./format.js";
import { agentUrl, keep, matchUrl, parameters, served } from "./place.js";

const PAGE = 25; // in exports, where the whole list is in the page

export class MatchList {
  constructor(league, names) {
    this.league = league;
    this.names = names;
    const asked = parameters();
    this.filter = { a: asked.get("a") ?? "", b: asked.get("b") ?? "", forfeits: asked.get("forfeits") ?? "", page: 0 };
    this.controls = h("div", { class: "controls" });
    this.place = h("div");
    this.element = section("Matches", this.controls, this.place);
    this.element.id = "matches";
    this.drawControls();
  }

  /** Show a pair's matches (nulls: all) and bring them into view. */
  async choose(a, b) {
    await this.set({ a: a ?? "", b: b ?? "" });
    if (a) this.element.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  async set(changes) {
    this.filter = { ...this.filter, page: 0, ...changes };
    keep({ a: this.filter.a, b: this.filter.b, forfeits: this.filter.forfeits });
    this.drawControls();
    await this.show();
  }

  drawControls() {
    const agents = Object.entries(this.names).sort((x, y) => x[1].localeCompare(y[1]));
    const { a, b, forfeits } = this.filter;
    const box = h("input", {
      type: "checkbox",
      checked: Boolean(forfeits),
      onchange: () => this.set({ forfeits: box.checked ? "true" : "" }),
    });
    this.controls.replaceChildren(
      select("First agent", [["", "Any agent"], ...agents], a, (key) => this.set({ a: key })),
      h("span", { class: "muted" }, "against"),
      select("Second agent", [["", "any other"], ...agents], b, (key) => this.set({ b: key })),
      h("label", { class: "inline" }, box, "with forfeits"),
    );
    if (a || b || forfeits) {
      this.controls.append(h("button", { type: "button", class: "plain", onclick: () => this.set({ a: "", b: "", forfeits: "" }) }, "Clear"));
    }
  }

  async show() {
    const data = await this.ask();
    if (!data.total) {
      const filtered = this.filter.a || this.filter.b || this.filter.forfeits;
      this.place.replaceChildren(filtered ? empty("No match fits these filters.") : empty("No match has ended yet."));
      return;
    }
    const heads = ["No.", "Match", "Agents and what each earned an episode", "Deals", "Forfeits"];
    this.place.replaceChildren(
      h(
        "div",
        { class: "scroll", tabindex: 0 },
        h(
          "table",
          { class: "matches" },
          h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: ["extra", "", "who", "number extra", "number"][i] }, i === 2 ? `${text}, ${data.unit}` : text)))),
          h("tbody", {}, data.matches.map((match) => this.row(match))),
        ),
      ),
      this.pager(data),
    );
  }

  async ask() {
    const path = `/api/leagues/${this.league.id}/matches`;
    if (served) return get(path, this.filter);
    const { a, b, forfeits, page } = this.filter;
    const all = await get(path);
    const matches = all.matches.filter((match) => [a, b].every((key) => !key || match.agents.includes(key)) && (!forfeits || match.forfeits));
    const pages = Math.max(1, Math.ceil(matches.length / PAGE));
    return { ...all, total: matches.length, page, pages, matches: matches.slice(page * PAGE, (page + 1) * PAGE) };
  }

  row(match) {
    // Whoever is asked for comes first, whatever the lineup's order.
    const order = match.agents.map((_, i) => i);
    if (this.filter.a) order.sort((x, y) => (match.agents[y] === this.filter.a) - (match.agents[x] === this.filter.a));
    const last = match.first_deal + match.deals - 1;
    return h(
      "tr",
      {},
      h("td", { class: "muted extra" }, String(match.number)),
      h("td", {}, h("a", { href: matchUrl(match.id, this.league.id) }, h("code", {}, match.id.slice(0, 8)))),
      h(
        "td",
        {},
        order.map((i, place) => [
          place > 0 && h("span", { class: "muted" }, " · "),
          this.name(match.agents[i]),
          " ",
          h("span", { class: tone(match.means[i]) }, amount(match.means[i])),
        ]),
      ),
      h("td", { class: "number extra" }, match.deals === 1 ? String(last) : `${match.first_deal}–${last}`),
      h("td", { class: "number" }, match.forfeits ? h("span", { class: "badge bad" }, String(match.forfeits)) : ""),
    );
  }

  name(key) {
    const known = this.names[key];
    return known === undefined ? h("span", {}, key) : h("a", { class: "quiet", href: agentUrl(this.league.id, key) }, known);
  }

  pager(data) {
    return pager(data, count(data.total, "match", "matches"), (page) => {
      this.filter.page = page;
      return this.show();
    });
  }
}

/** Which page of a list is shown, and the way to the others. */
export function pager(data, text, turn) {
  const button = (label, page) => h("button", { type: "button", disabled: page < 0 || page >= data.pages, onclick: () => turn(page) }, label);
  return h(
    "div",
    { class: "pager" },
    h("span", {}, text),
    data.pages > 1 &&
      h("div", { class: "controls" }, button("Previous", data.page - 1), h("span", {}, `page ${data.page + 1} of ${data.pages}`), button("Next", data.page + 1)),
  );
}
