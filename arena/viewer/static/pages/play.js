// A person's table: choose opponents, then play hands. The server sends this seat's view only.

import { get, post } from "../api.js";
import { h, section, select } from "../dom.js";
import { mount } from "../games/index.js";
import { plain, signed, tone } from "../format.js";
import { replayUrl } from "../place.js";

const PACE = 650; // milliseconds for each of the others' decisions

export async function show(main) {
  const { agents } = await get("/api/play");
  const error = h("p", { class: "note", role: "alert", hidden: true });
  const opponents = h("div", { class: "setup" });
  let seats = 2;
  const chosen = [];

  function list() {
    opponents.replaceChildren(
      ...Array.from({ length: seats - 1 }, (_, i) => {
        chosen[i] ??= agents[i % Math.max(1, agents.length)] ?? "";
        const input = h("input", { type: "text", list: "agents", value: chosen[i], spellcheck: "false", autocomplete: "off", onchange: () => (chosen[i] = input.value.trim()) });
        return h("label", { class: "field" }, h("span", {}, seats === 2 ? "Opponent" : `Opponent ${i + 1}`), input, i === 0 && h("datalist", { id: "agents" }, agents.map((spec) => h("option", { value: spec }))));
      }),
    );
    chosen.length = seats - 1;
  }

  const size = select("Players at the table", [["2", "Heads-up"], ["3", "3 players"], ["6", "6 players"], ["9", "9 players"]], "2", (value) => {
    seats = Number(value);
    list();
  });
  list();
  const begin = h("button", { type: "submit", class: "primary" }, "Take a seat");
  const form = h(
    "form",
    {
      class: "setup",
      onsubmit: async (event) => {
        event.preventDefault();
        begin.disabled = true;
        error.hidden = true;
        try {
          const state = await post("/api/play", { game: `holdem?seats=${seats}`, opponents: chosen.slice(0, seats - 1) });
          main.replaceChildren();
          new Table(main, state);
        } catch (problem) {
          error.textContent = problem.message;
          error.hidden = false;
          begin.disabled = false;
        }
      },
    },
    h("label", { class: "field" }, h("span", {}, "Table"), size),
    opponents,
    h("p", { class: "small muted" }, "Any agent's spec will do, e.g. one with a checkpoint. Every hand is logged in the league “human”, with its replay."),
    error,
    h("div", {}, begin),
  );
  main.append(h("div", { class: "head" }, h("h1", {}, "Play Hold'em")), section("Who plays", null, form));
}

class Table {
  constructor(main, state) {
    this.id = state.table;
    this.canvas = h("div", { class: "canvas" });
    this.actions = h("div", { class: "actions" });
    this.total = h("span");
    this.drawing = null;
    main.append(
      h("div", { class: "head" }, h("h1", {}, "Your table"), h("div", { class: "facts" }, h("span", {}, "blinds 0.5 and 1, stacks 100 big blinds"), this.total)),
      h("section", { class: "stage", "aria-label": "Table" }, this.canvas, this.actions),
    );
    this.begin(state);
  }

  async begin(state) {
    this.drawing?.unmount();
    this.replay = { drawing: "holdem", seats: state.seats, view: state.seat, steps: [] };
    this.drawing = await mount(this.canvas, this.replay);
    await this.take(state);
  }

  // Show what the others did one after the other, then ask.
  async take(state) {
    this.actions.replaceChildren(h("p", { class: "muted", role: "status" }, "The others are to act …"));
    for (const step of state.steps) {
      this.replay.steps.push(step);
      const number = this.replay.steps.length - 1;
      this.drawing.render(number);
      const last = step === state.steps.at(-1);
      if (!last) await new Promise((done) => setTimeout(done, PACE));
    }
    this.total.replaceChildren("total ", h("b", { class: tone(state.total) }, `${signed(state.total, 1)} big blinds`));
    if (state.failure) this.stop(state.failure);
    else if (state.over) this.finish(state);
    else if (state.turn) this.ask(state);
    else await this.follow(() => get(`/api/play/${this.id}`, { known: this.replay.steps.length }));
  }

  async follow(request) {
    try {
      await this.take(await request());
    } catch (problem) {
      this.stop(problem.message);
    }
  }

  decide(state, action) {
    for (const button of this.actions.querySelectorAll("button")) button.disabled = true;
    const known = this.replay.steps.length;
    this.follow(() => post(`/api/play/${this.id}/decide`, { hand: state.hand, action, known }));
  }

  ask(state) {
    const { turn } = state;
    const unit = this.replay.steps.at(-1).frame.big_blind;
    const simple = turn.legal.filter(({ label }) => /^(fold|check|call)/.test(label));
    const buttons = h(
      "div",
      { class: "controls" },
      simple.map(({ action, label }) => h("button", { type: "button", onclick: () => this.decide(state, action) }, label[0].toUpperCase() + label.slice(1))),
    );
    this.actions.replaceChildren(buttons);
    if (turn.raise) this.actions.append(this.wager(state, unit));
    buttons.querySelector("button")?.focus({ preventScroll: true });
  }

  wager(state, unit) {
    const { turn } = state;
    const { least, most, base } = turn.raise;
    const known = turn.legal.find(({ label }) => label === "all-in");
    const number = h("input", { type: "number", min: least / unit, max: most / unit, step: 1 / unit, value: least / unit, "aria-label": `${turn.verb}, big blinds` });
    const slider = h("input", { type: "range", min: least, max: most, value: least, step: 1, "aria-label": `${turn.verb}, chips` });
    const send = h("button", { type: "button", class: "primary" });
    const set = (chips) => {
      const amount = Math.max(least, Math.min(most, Math.round(chips)));
      slider.value = String(amount);
      number.value = String(amount / unit);
      send.textContent = amount === most ? "All-in" : `${turn.verb} ${plain(amount / unit, 2)}`;
    };
    slider.addEventListener("input", () => set(Number(slider.value)));
    number.addEventListener("change", () => set(Number(number.value) * unit));
    send.addEventListener("click", () => {
      const chips = Number(slider.value);
      this.decide(state, chips === most && known ? known.action : base + chips);
    });
    const pot = turn.pot + turn.to_call;
    const sizes = [["½ pot", 0.5], ["⅔ pot", 2 / 3], ["Pot", 1]].map(([label, share]) =>
      h("button", { type: "button", class: "plain", onclick: () => set(turn.bet + turn.to_call + share * pot) }, label),
    );
    set(least);
    return h("div", { class: "wagering" }, h("div", { class: "wager" }, slider, number, send), h("div", { class: "controls" }, sizes, h("button", { type: "button", class: "plain", onclick: () => set(most) }, "All-in")));
  }

  finish(state) {
    const won = state.over.returns[state.seat];
    const deal = h("button", { type: "button", class: "primary", onclick: () => this.next() }, "Next hand");
    this.actions.replaceChildren(
      h("p", { role: "status" }, won > 0 ? "You won " : won < 0 ? "You lost " : "You broke even", won !== 0 && h("b", { class: tone(won) }, `${plain(Math.abs(won), 2)} big blinds`), "."),
      h("div", { class: "controls" }, deal, h("a", { class: "button", href: replayUrl(state.over.match, 0, 0, state.over.league) }, "Replay with all cards")),
    );
    deal.focus({ preventScroll: true });
  }

  async next() {
    try {
      await this.begin(await post(`/api/play/${this.id}/deal`, {}));
    } catch (problem) {
      this.stop(problem.message);
    }
  }

  stop(sentence) {
    this.actions.replaceChildren(h("p", { class: "note", role: "alert" }, sentence), h("div", {}, h("a", { class: "button", href: "/play" }, "New table")));
  }
}
