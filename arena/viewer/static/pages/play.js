// A person's table: choose a game and opponents, then play. The server sends this seat's view only.

import { get, post } from "../api.js";
import { h, section } from "../dom.js";
import { drawing } from "../games/index.js";
import { capital, plain, signed, tone } from "../format.js";
import { replayUrl } from "../place.js";

const PACE = 650; // milliseconds for each of the others' decisions

export async function show(main) {
  let offer = await get("/api/play");
  const error = h("p", { class: "note", role: "alert", hidden: true });
  const opponents = h("div", { class: "setup" });
  const chosen = [];

  function list() {
    const { agents, seats } = offer;
    opponents.replaceChildren(
      h("datalist", { id: "agents" }, agents.map((spec) => h("option", { value: spec }))),
      ...Array.from({ length: seats - 1 }, (_, i) => {
        chosen[i] ??= agents[i % Math.max(1, agents.length)] ?? "";
        const input = h("input", { type: "text", list: "agents", value: chosen[i], spellcheck: "false", autocomplete: "off", onchange: () => (chosen[i] = input.value.trim()) });
        return h("label", { class: "field" }, h("span", {}, seats === 2 ? "Opponent" : `Opponent ${i + 1}`), input);
      }),
    );
    chosen.length = seats - 1;
  }

  async function attempt(action) {
    begin.disabled = true;
    error.hidden = true;
    try {
      await action();
    } catch (problem) {
      error.textContent = problem.message;
      error.hidden = false;
    }
    begin.disabled = false;
  }

  // Another game has other players; another number of seats keeps those that were chosen.
  async function choose() {
    const family = offer.game.split("?")[0];
    const wanted = game.value.trim();
    offer = await get("/api/play", { game: wanted });
    offered = wanted;
    if (offer.game.split("?")[0] !== family) chosen.length = 0;
    list();
  }
  const games = ["holdem?seats=2", "holdem?seats=3", "holdem?seats=6", "holdem?seats=9", ...offer.games];
  const game = h("input", { type: "text", list: "games", value: "holdem?seats=2", spellcheck: "false", autocomplete: "off", onchange: () => attempt(choose) });
  let offered = game.value;
  list();
  const begin = h("button", { type: "submit", class: "primary" }, "Take a seat");
  const form = h(
    "form",
    {
      class: "setup",
      onsubmit: (event) => {
        event.preventDefault();
        attempt(async () => {
          if (game.value.trim() !== offered) await choose(); // it was refused: say so again
          const state = await post("/api/play", { game: offer.game, opponents: chosen });
          main.replaceChildren();
          new Table(main, state);
        });
      },
    },
    h("label", { class: "field" }, h("span", {}, "Game"), game, h("datalist", { id: "games" }, games.map((spec) => h("option", { value: spec })))),
    opponents,
    h("p", { class: "small muted" }, "Any game's and any agent's spec will do, e.g. one with a checkpoint. Every episode is logged in the league “human”, with its replay."),
    error,
    h("div", {}, begin),
  );
  main.append(h("div", { class: "head" }, h("h1", {}, "Play")), section("Who plays", null, form));
}

class Table {
  constructor(main, state) {
    this.id = state.table;
    this.canvas = h("div", { class: "canvas" });
    this.actions = h("div", { class: "actions" });
    this.total = h("span");
    this.drawing = null;
    main.append(
      h("div", { class: "head" }, h("h1", {}, "Your table"), h("div", { class: "facts" }, h("span", {}, state.game), this.total)),
      h("section", { class: "stage", "aria-label": "Table" }, this.canvas, this.actions),
    );
    this.begin(state);
  }

  async begin(state) {
    this.drawing?.unmount();
    this.replay = { drawing: state.drawing, seats: state.seats, view: state.seat, steps: [] };
    this.module = await drawing(state.drawing);
    this.unit = this.module.unit ?? state.unit;
    this.drawing = null;
    await this.take(state);
  }

  // A module that draws from all steps at once (curves, say) says so, and is mounted anew as they come.
  draw(step) {
    this.replay.steps.push(step);
    if (!this.drawing || this.module.whole) {
      this.drawing?.unmount();
      this.drawing = this.module.mount(this.canvas, this.replay);
    }
    this.drawing.render(this.replay.steps.length - 1);
  }

  // Show what the others did one after the other, then ask.
  async take(state) {
    this.actions.replaceChildren(h("p", { class: "muted", role: "status" }, "The others are to act …"));
    for (const step of state.steps) {
      this.draw(step);
      const last = step === state.steps.at(-1);
      if (!last) await new Promise((done) => setTimeout(done, PACE));
    }
    this.total.replaceChildren("total ", h("b", { class: tone(state.total) }, `${signed(state.total, 1)} ${this.unit}`));
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

  async decide(state, action) {
    for (const button of this.actions.querySelectorAll("button")) button.disabled = true;
    const known = this.replay.steps.length;
    let next;
    try {
      next = await post(`/api/play/${this.id}/decide`, { hand: state.hand, action, known });
    } catch (problem) {
      this.ask(state);
      this.actions.prepend(h("p", { class: "note", role: "alert" }, `${problem.message} `, h("a", { href: "/play" }, "New table")));
      return;
    }
    await this.take(next);
  }

  // The game's own controls, or a button for each action, or a line for an answer in words.
  ask(state) {
    const { turn } = state;
    const decide = (action) => this.decide(state, action);
    const make = this.module.controls ?? (turn.actions === null ? line : buttons);
    // A game that brings no drawing is told in words.
    const told = this.replay.drawing === "generic" ? [h("pre", {}, turn.text)] : [];
    this.actions.replaceChildren(...told, ...[make(turn, this.replay.steps.at(-1).frame, decide)].flat());
    this.actions.querySelector("button, input")?.focus({ preventScroll: true });
  }

  finish(state) {
    const won = state.over.returns[state.seat];
    const deal = h("button", { type: "button", class: "primary", onclick: () => this.next() }, "Next");
    this.actions.replaceChildren(
      h("p", { role: "status" }, won > 0 ? "You won " : won < 0 ? "You lost " : "You broke even", won !== 0 && h("b", { class: tone(won) }, `${plain(Math.abs(won), 2)} ${this.unit}`), "."),
      h("div", { class: "controls" }, deal, h("a", { class: "button", href: replayUrl(state.over.match, 0, 0, state.over.league) }, "Replay of everything")),
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

function buttons(turn, frame, decide) {
  return h(
    "div",
    { class: "controls" },
    turn.legal.map(({ action, label }) => h("button", { type: "button", onclick: () => decide(action) }, capital(label))),
  );
}

function line(turn, frame, decide) {
  const input = h("input", { type: "text", list: "answers", "aria-label": "Your action", autocomplete: "off", spellcheck: "false" });
  return h(
    "form",
    { class: "controls", onsubmit: (event) => { event.preventDefault(); decide(input.value); } },
    input,
    h("datalist", { id: "answers" }, turn.legal.map(({ label }) => h("option", { value: label }))),
    h("button", { type: "submit", class: "primary" }, "Act"),
  );
}
